//! `POST /match/{dataset}`: query by example.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderName, StatusCode},
    response::Response,
};
use kyb_domain::{list::ListId, reason::Reason, score::Score, screening::Match};
use kyb_screening::ALGORITHM;
use kyb_verification::MOST_MATCHES;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{about, dataset, entity::Entity, example::Example};
use crate::{
    auth::Admitted,
    compat::{
        params::{Params, invalid, log_passed_over},
        search::{Answer, Found, Lists, Question, with_lists},
    },
    extract::JsonBody,
    problem::Problem,
    reply,
    state::App,
};

const ROUTE: &str = "/match/{dataset}";
/// The most questions of one request, as yente has it.
const MOST_QUERIES: usize = 100;
/// The most characters of a question's name.
const LONGEST_KEY: usize = 255;
/// The most results that yente's clients may ask for; more than [`MOST_MATCHES`] are never given.
const MOST_ASKED: usize = 500;
const USUAL_LIMIT: usize = 5;
/// Names of yente's algorithms, past and present. Whichever is asked for, the own one answers and says so.
const ALGORITHMS: [&str; 10] = [
    "best",
    "default",
    "logic-v1",
    "logic-v2",
    "name-based",
    "name-qualified",
    "regression-v1",
    "regression-v2",
    "er-unstable",
    ALGORITHM,
];
const KNOWN: [&str; 10] = [
    "limit",
    "threshold",
    "cutoff",
    "algorithm",
    "include_dataset",
    "exclude_dataset",
    "exclude_schema",
    "topics",
    "exclude_entity_ids",
    "changed_since",
];
const BATCH_SIZE: HeaderName = HeaderName::from_static("x-batch-size");

/// What holds for every question of a request.
struct Terms {
    dataset: String,
    params: Params,
    limit: usize,
    threshold: Option<Score>,
    cutoff: Option<Score>,
}

#[derive(Serialize)]
struct Matches {
    status: u16,
    results: Vec<Scored>,
    total: Total,
    query: Example,
    /// Why there may be more than this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
pub(super) struct Total {
    pub(super) value: usize,
    pub(super) relation: &'static str,
}

#[derive(Serialize)]
struct Scored {
    #[serde(flatten)]
    entity: Entity,
    score: f64,
    features: BTreeMap<&'static str, f64>,
    explanations: BTreeMap<&'static str, Explanation>,
    #[serde(rename = "match")]
    is_match: bool,
}

#[derive(Serialize)]
struct Explanation {
    score: f64,
    detail: String,
    query: Option<String>,
    candidate: Option<String>,
}

/// Match described entities.
pub(super) async fn answer(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Path(dataset): Path<String>,
    params: Params,
    body: JsonBody<Map<String, Value>>,
) -> Result<Response, Problem> {
    let terms = Terms::read(dataset, params)?;
    let limit = terms.limit;
    let queries = queries(&body.value)?;
    let responses = with_lists(&app, &asker.caller.tenant, move |lists| {
        let wanted = dataset::wanted(lists, &terms.dataset, &terms.params)?;
        let answered = queries.into_iter().map(|(key, example)| {
            let matches = terms.ask(lists, wanted.clone(), example);
            matches.map(|matches| (key.clone(), matches)).map_err(|problem| problem.about(&key))
        });
        answered.collect::<Result<BTreeMap<String, Matches>, Problem>>()
    });
    let responses = responses.await?;
    let size = responses.len().to_string();
    let body =
        json!({"responses": responses, "matcher": about::features(), "limit": limit, "algorithm": ALGORITHM});
    let mut response = reply::json(StatusCode::OK, &body)?;
    reply::set(&mut response, BATCH_SIZE, &size);
    Ok(response)
}

/// The questions by the names that the caller chose.
fn queries(body: &Map<String, Value>) -> Result<BTreeMap<String, Example>, Problem> {
    for setting in ["weights", "config"] {
        if body.get(setting).is_some_and(|value| value.as_object().is_none_or(|given| !given.is_empty())) {
            return Err(invalid(format!(
                "Invalid configuration parameter: {setting} can't be set for {ALGORITHM}"
            )));
        }
    }
    let known = ["queries", "weights", "config"];
    log_passed_over(ROUTE, body.keys().map(String::as_str).filter(|name| !known.contains(name)));
    let Some(Value::Object(given)) = body.get("queries") else {
        return Err(invalid("queries: must be there, an object with one example under each name"));
    };
    if given.len() > MOST_QUERIES {
        return Err(invalid(format!("Too many queries in one batch (limit: {MOST_QUERIES})")));
    }
    if given.keys().any(|key| key.chars().nth(LONGEST_KEY).is_some()) {
        return Err(invalid(format!("queries: a name has at most {LONGEST_KEY} characters")));
    }
    let asked = given.iter().filter(|(_, example)| !example.is_null());
    let read = asked.map(|(key, example)| {
        Example::read(example).map(|example| (key.clone(), example)).map_err(|problem| problem.about(key))
    });
    let read: BTreeMap<String, Example> = read.collect::<Result<_, _>>()?;
    if read.is_empty() {
        return Err(invalid("No queries provided."));
    }
    Ok(read)
}

impl Terms {
    fn read(dataset: String, params: Params) -> Result<Self, Problem> {
        log_passed_over(ROUTE, params.others(&KNOWN));
        if let Some(algorithm) = params.one("algorithm")
            && !ALGORITHMS.contains(&algorithm)
        {
            return Err(invalid("Unknown algorithm; GET /algorithms names the one there is"));
        }
        if params.one("changed_since").is_some() {
            return Err(invalid("changed_since: when an entry changed is not kept here; leave it out"));
        }
        let score = |name| params.number(name, 0.0..=1.0).map(|score| score.map(Score::clamped));
        Ok(Self {
            limit: params.number("limit", 1..=MOST_ASKED)?.unwrap_or(USUAL_LIMIT).min(MOST_MATCHES),
            threshold: score("threshold")?,
            cutoff: score("cutoff")?,
            dataset,
            params,
        })
    }

    fn ask(&self, lists: &Lists, wanted: Option<Vec<ListId>>, example: Example) -> Result<Matches, Problem> {
        let threshold = self.threshold.unwrap_or_else(|| lists.usual_threshold());
        let cutoff = self.cutoff.unwrap_or(threshold);
        let question = Question::new(example.party.clone(), wanted, threshold, cutoff);
        let threshold = question.threshold;
        let Answer { matches, reasons } = lists.ask(&question)?;
        let results: Vec<Scored> = matches
            .iter()
            .map(|found| Scored::of(found, threshold))
            .filter(|scored| self.wants(&scored.entity))
            .collect();
        let value = results.iter().filter(|scored| scored.is_match).count();
        let results = results.into_iter().take(self.limit).collect();
        Ok(Matches { status: 200, results, total: Total { value, relation: "eq" }, query: example, reasons })
    }

    /// Whether the caller's filters leave it.
    fn wants(&self, entity: &Entity) -> bool {
        let topics = entity.properties.get("topics");
        let has = |topic: &str| topics.is_some_and(|topics| topics.iter().any(|own| own == topic));
        let mut asked = self.params.many("topics").peekable();
        let by_topic = asked.peek().is_none() || asked.any(has);
        by_topic
            && !self.params.many("exclude_schema").any(|schema| schema == entity.schema)
            && !self.params.many("exclude_entity_ids").any(|id| id == entity.id)
    }
}

impl Scored {
    fn of(found: &Found<'_>, threshold: Score) -> Self {
        let Found { by: found, list, entry } = found;
        Self {
            entity: Entity::of(list, entry),
            score: found.score.get(),
            features: features(found),
            explanations: explanations(found),
            is_match: found.score >= threshold,
        }
    }
}

/// The best score of each feature; several things can be said of one.
fn features(found: &Match) -> BTreeMap<&'static str, f64> {
    let mut features = BTreeMap::new();
    for feature in &found.features {
        let best = features.entry(about::feature(feature.name)).or_insert(0.0_f64);
        *best = best.max(feature.score.get());
    }
    features
}

fn explanations(found: &Match) -> BTreeMap<&'static str, Explanation> {
    let mut explanations: BTreeMap<&'static str, Explanation> = BTreeMap::new();
    for feature in &found.features {
        let name = about::feature(feature.name);
        let score = feature.score.get();
        if let Some(known) = explanations.get_mut(name) {
            known.score = known.score.max(score);
            known.detail.push_str("; ");
            known.detail.push_str(&feature.detail);
            continue;
        }
        let candidate = (name == "name").then(|| found.matched_name.clone());
        let detail = feature.detail.clone();
        explanations.insert(name, Explanation { score, detail, query: None, candidate });
    }
    explanations
}
