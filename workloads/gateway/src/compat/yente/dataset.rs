//! Data sets: each list is one, and `default` and `all` are all of a tenant's lists together.

use kyb_domain::list::ListId;

use crate::{
    compat::{
        params::{Params, invalid},
        search::Lists,
    },
    problem::{Kind, Problem},
};

/// Names that mean every list of the tenant.
pub(super) const COLLECTIONS: [&str; 2] = ["default", "all"];

/// The lists to search: those of the data set, narrowed by `include_dataset` and `exclude_dataset`; `None` for all that the tenant has.
pub(super) fn wanted(lists: &Lists, dataset: &str, params: &Params) -> Result<Option<Vec<ListId>>, Problem> {
    let base = of(lists, dataset).map_err(|Unknown| no_such())?;
    let included = named(lists, params, "include_dataset")?;
    let excluded = named(lists, params, "exclude_dataset")?;
    if included.is_empty() && excluded.is_empty() {
        return Ok(base);
    }
    let mut rest = base.unwrap_or_else(|| all(lists));
    rest.retain(|list| (included.is_empty() || included.contains(list)) && !excluded.contains(list));
    if rest.is_empty() {
        return Err(invalid("include_dataset, exclude_dataset: no data set is left to search"));
    }
    Ok(Some(rest))
}

/// Who misspells a data set must not be told that there is nobody in it.
fn no_such() -> Problem {
    Problem::new(Kind::NotFound, "No such dataset; GET /catalog lists them")
}

fn named(lists: &Lists, params: &Params, parameter: &str) -> Result<Vec<ListId>, Problem> {
    let mut named = vec![];
    for name in params.many(parameter) {
        match of(lists, name) {
            Ok(some) => named.extend(some.unwrap_or_else(|| all(lists))),
            Err(Unknown) => {
                return Err(invalid(format!("{parameter}: no such data set; GET /catalog lists them")));
            }
        }
    }
    Ok(named)
}

/// No data set goes by that name.
struct Unknown;

/// The lists of one name; `None` for all.
fn of(lists: &Lists, name: &str) -> Result<Option<Vec<ListId>>, Unknown> {
    if COLLECTIONS.contains(&name) {
        return Ok(None);
    }
    let state = lists.states().find(|state| state.list.as_str() == name).ok_or(Unknown)?;
    Ok(Some(vec![state.list.clone()]))
}

fn all(lists: &Lists) -> Vec<ListId> {
    lists.states().map(|state| state.list.clone()).collect()
}
