//! `GET /search/{dataset}` for people who look a name up, and `GET /entities/{id}`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use kyb_domain::{party::Party, text::Name};
use kyb_verification::MOST_MATCHES;
use serde::Serialize;
use serde_json::json;

use super::{dataset, entity::Entity, example, matching::Total};
use crate::{
    auth::Admitted,
    compat::{
        params::{Params, invalid, log_passed_over},
        search::{Lists, Question, with_lists},
    },
    problem::{Kind, Problem},
    reply,
    state::App,
};

const USUAL_LIMIT: usize = 10;
/// The most that yente's clients may ask for.
const MOST_ASKED: usize = 500;
const MOST_OFFSET: usize = 9_499;
const KNOWN: [&str; 10] = [
    "q",
    "schema",
    "countries",
    "topics",
    "include_dataset",
    "exclude_dataset",
    "exclude_schema",
    "limit",
    "offset",
    "changed_since",
];
/// What facets count, and how people call it.
const FACETS: [(&str, &str); 3] =
    [("countries", "Countries"), ("topics", "Topics"), ("datasets", "Data sources")];

/// A found entity, with how alike its best name is.
#[derive(Serialize)]
struct Hit {
    #[serde(flatten)]
    entity: Entity,
    score: f64,
}

/// Look a name up.
pub(super) async fn search(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Path(dataset): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    log_passed_over("/search/{dataset}", params.others(&KNOWN));
    if params.one("changed_since").is_some() {
        return Err(invalid("changed_since: when an entry changed is not kept here; leave it out"));
    }
    let limit = params.number("limit", 0..=MOST_ASKED)?.unwrap_or(USUAL_LIMIT);
    let offset = params.number("offset", 0..=MOST_OFFSET)?.unwrap_or(0);
    let subject = subject(&params)?;
    let hits =
        with_lists(&app, &asker.caller.tenant, move |lists| hits(lists, &dataset, &params, subject)).await?;
    let relation = if hits.len() >= MOST_MATCHES { "gte" } else { "eq" };
    let total = Total { value: hits.len(), relation };
    let facets = facets(&hits);
    let results: Vec<Hit> = hits.into_iter().skip(offset).take(limit).collect();
    let body =
        json!({"results": results, "facets": facets, "total": total, "limit": limit, "offset": offset});
    reply::json(StatusCode::OK, &body)
}

fn subject(params: &Params) -> Result<Party, Problem> {
    let text =
        params.one("q").ok_or_else(|| invalid("q: give a name; entities can't be listed without one"))?;
    let name = Name::try_from(text.to_owned()).map_err(|error| invalid(format!("q: {error}")))?;
    let kind = example::kind_of(schema(params)).ok_or_else(|| invalid("Invalid schema"))?;
    Ok(Party::named(kind, name))
}

fn schema(params: &Params) -> &str {
    params.one("schema").unwrap_or("Thing")
}

fn hits(lists: &Lists, dataset: &str, params: &Params, subject: Party) -> Result<Vec<Hit>, Problem> {
    let wanted = dataset::wanted(lists, dataset, params)?;
    let answer = lists.ask(&Question::look_up(subject, wanted, lists.usual_threshold()))?;
    let all = answer
        .matches
        .iter()
        .map(|found| Hit { entity: Entity::of(found.list, found.entry), score: found.by.score.get() });
    Ok(all.filter(|hit| wants(params, &hit.entity)).collect())
}

/// Whether the caller's filters leave it.
fn wants(params: &Params, entity: &Entity) -> bool {
    let any = |parameter: &str, property: &str| {
        let own = values(entity, property);
        let mut asked = params.many(parameter).peekable();
        asked.peek().is_none() || asked.any(|value| own.iter().any(|own| own.eq_ignore_ascii_case(value)))
    };
    example::includes(schema(params), entity.schema)
        && any("countries", "country")
        && any("topics", "topics")
        && !params.many("exclude_schema").any(|schema| schema == entity.schema)
}

fn values<'a>(entity: &'a Entity, property: &str) -> &'a [String] {
    entity.properties.get(property).map_or(&[], Vec::as_slice)
}

/// How often each value occurs among what was found.
fn facets(hits: &[Hit]) -> serde_json::Value {
    let facet = |name: &str, label: &str| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for hit in hits {
            let values = match name {
                "countries" => values(&hit.entity, "country"),
                "topics" => values(&hit.entity, "topics"),
                _ => hit.entity.datasets.as_slice(),
            };
            for value in values {
                *counts.entry(value).or_default() += 1;
            }
        }
        let values: Vec<_> =
            counts.iter().map(|(name, count)| json!({"name": name, "label": name, "count": count})).collect();
        json!({"label": label, "values": values})
    };
    FACETS.iter().map(|(name, label)| ((*name).to_owned(), facet(name, label))).collect()
}

/// Read one entity.
pub(super) async fn entity(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    // Entries have no neighbours here, so that it does not matter whether they are wanted.
    log_passed_over("/entities/{id}", params.others(&["nested"]));
    let found = with_lists(&app, &asker.caller.tenant, move |lists| {
        let entity = lists.entry(&id).map(|(list, entry)| Entity::of(list, entry));
        entity.ok_or_else(|| Problem::new(Kind::NotFound, "No such entity!"))
    });
    reply::json(StatusCode::OK, &found.await?)
}
