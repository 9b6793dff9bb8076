//! Reads the lists that the caller names and indexes them. A list that can't be read whole is never searched in part.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use kyb_domain::list::{ListId, ListState, ListVersion, Stale, Watchlist};
use kyb_lists::Parsed;
use kyb_screening::Screener;
use kyb_verification::Watchlists;

use crate::{
    arguments::{Age, ListArguments},
    exit::Unusable,
    progress::Progress,
};

/// A folder that could not be read as lists, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    folder: String,
    problem: Unusable,
}

/// Reads and indexes every list; the first folder that can't be read ends it.
pub(crate) fn load(
    arguments: &ListArguments,
    now: DateTime<Utc>,
    progress: &Progress,
) -> anyhow::Result<Watchlists> {
    let (lists, unreadable) = read(arguments, progress)?;
    if let Some(first) = unreadable.into_iter().next() {
        return Err(first.problem.into());
    }
    Ok(index(lists, wanted(arguments), arguments, now, progress))
}

/// Reads and indexes what can be read. A folder that can't stands among the states as a list that is missing, so that no
/// subject gets `no_hit`; matches on the other lists are still found.
pub(crate) fn load_what_can_be_read(
    arguments: &ListArguments,
    now: DateTime<Utc>,
    progress: &Progress,
) -> anyhow::Result<Watchlists> {
    let (lists, unreadable) = read(arguments, progress)?;
    let mut missing = wanted(arguments);
    for (number, Unreadable { folder, problem }) in (1..).zip(unreadable) {
        let cause = std::error::Error::source(&problem).map(|cause| format!(": {cause}")).unwrap_or_default();
        let why = format!("{folder} could not be read{cause}");
        missing.push(missing_list(format!("unreadable-{number}").try_into()?, why));
    }
    Ok(index(lists, missing, arguments, now, progress))
}

/// Every list that one folder holds.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Parsed>, Unusable> {
    let shown = folder.display();
    let found = kyb_lists::directory::load(folder).map_err(|error| {
        let remedy =
            "download the publisher's files again, all of one day, and give the folder that holds them";
        Unusable::new(format!("the lists in `{shown}` could not be read"), remedy).because(error)
    })?;
    if found.is_empty() {
        let remedy = "give a folder that holds a publisher's own files, such as sdn.csv, alt.csv and add.csv";
        return Err(Unusable::new(format!("there is no list in `{shown}`"), remedy));
    }
    Ok(found)
}

type Lists = BTreeMap<ListId, Arc<Watchlist>>;

fn read(arguments: &ListArguments, progress: &Progress) -> Result<(Lists, Vec<Unreadable>), Unusable> {
    let _wheel = progress.waiting("reading lists");
    let (mut lists, mut unreadable) = (Lists::new(), vec![]);
    for folder in &arguments.lists {
        match read_folder(folder) {
            Ok(found) => {
                found.into_iter().try_for_each(|parsed| add(&mut lists, parsed.watchlist, folder))?;
            }
            Err(problem) => unreadable.push(Unreadable { folder: folder.display().to_string(), problem }),
        }
    }
    Ok((lists, unreadable))
}

/// Two versions of one list side by side would leave open which one an answer speaks of.
fn add(lists: &mut Lists, list: Watchlist, folder: &Path) -> Result<(), Unusable> {
    let id = list.version.list.clone();
    if lists.insert(id.clone(), Arc::new(list)).is_some() {
        let problem = format!("list `{id}` was given twice, the second time in `{}`", folder.display());
        return Err(Unusable::new(problem, "give the folder with the version you mean, and only that one"));
    }
    Ok(())
}

/// The lists that were asked for by name; those that are found replace their state here.
fn wanted(arguments: &ListArguments) -> Vec<ListState> {
    let folders: Vec<String> = arguments.lists.iter().map(|folder| folder.display().to_string()).collect();
    let why = format!("it is in none of the folders given ({})", folders.join(", "));
    arguments.wanted.iter().map(|list| missing_list(list.clone(), why.clone())).collect()
}

fn missing_list(list: ListId, why: String) -> ListState {
    ListState { list, version: None, checked_at: None, stale: Some(Stale { why }) }
}

fn index(
    lists: Lists,
    missing: Vec<ListState>,
    arguments: &ListArguments,
    now: DateTime<Utc>,
    progress: &Progress,
) -> Watchlists {
    let _wheel = progress.waiting("indexing lists");
    let mut states: BTreeMap<ListId, ListState> =
        missing.into_iter().map(|state| (state.list.clone(), state)).collect();
    for (id, list) in &lists {
        let stale = arguments.max_list_age.and_then(|age| too_old(&list.version, age, now));
        let version = Some(list.version.clone());
        states.insert(id.clone(), ListState { list: id.clone(), version, checked_at: Some(now), stale });
    }
    let lists: Vec<Arc<Watchlist>> = lists.into_values().collect();
    Watchlists { screener: Arc::new(Screener::build(&lists)), states: states.into_values().collect() }
}

/// Without a server nobody watches the source, so all that can tell a list's age is its publisher's date.
fn too_old(version: &ListVersion, age: Age, now: DateTime<Utc>) -> Option<Stale> {
    let oldest = (now - Duration::from_std(age.0).unwrap_or(Duration::MAX)).date_naive();
    let why =
        || format!("its publisher dated it {}, before {oldest}, the oldest date allowed", version.published);
    (version.published < oldest).then(|| Stale { why: why() })
}
