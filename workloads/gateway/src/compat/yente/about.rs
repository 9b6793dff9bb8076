//! What the service says of itself.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use kyb_domain::{list::ListState, screening::FeatureName};
use kyb_screening::ALGORITHM;
use serde::Serialize;
use serde_json::json;

use super::dataset::COLLECTIONS;
use crate::{
    auth::Admitted,
    compat::search::with_lists,
    problem::{Kind, Problem},
    reply, routes,
    state::App,
};

/// What one feature of a score is. The coefficient is the most that it can count by itself.
#[derive(Serialize)]
pub(super) struct FeatureDoc {
    description: &'static str,
    coefficient: f64,
    url: &'static str,
}

/// Every feature that a score can be made of.
pub(super) fn features() -> BTreeMap<&'static str, FeatureDoc> {
    let all = [
        (FeatureName::Name, "How alike the best two names are", 1.0),
        (FeatureName::LegalForm, "What different legal forms in those names take away", 0.0),
        (FeatureName::Country, "Whether countries agree", 0.0),
        (FeatureName::BirthDate, "Whether dates of birth or formation agree", 0.0),
        (FeatureName::Identifier, "Whether identifiers agree", 0.0),
        (FeatureName::Address, "Whether addresses agree", 0.0),
    ];
    let doc = |(name, description, coefficient)| {
        (feature(name), FeatureDoc { description, coefficient, url: "/docs#screenings" })
    };
    all.map(doc).into_iter().collect()
}

/// A feature's name as `/v1` writes it.
pub(super) fn feature(name: FeatureName) -> &'static str {
    match name {
        FeatureName::Name => "name",
        FeatureName::LegalForm => "legal_form",
        FeatureName::Country => "country",
        FeatureName::BirthDate => "birth_date",
        FeatureName::Identifier => "identifier",
        FeatureName::Address => "address",
    }
}

/// The process answers.
pub(super) async fn healthz() -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// The process should get requests; as `GET /ready`.
pub(super) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    match routes::health::why_unready(&app).await {
        None => reply::json(StatusCode::OK, &json!({"status": "ok"})),
        Some(why) => Err(Problem::new(Kind::Starting, why)),
    }
}

/// The one algorithm there is.
pub(super) async fn algorithms() -> Result<Response, Problem> {
    let own = json!({
        "name": ALGORITHM,
        "description": "Names word by word, then what agrees or contradicts beside them. Scores are calibrated for a threshold of 0.80.",
        "features": features(),
    });
    reply::json(StatusCode::OK, &json!({"algorithms": [own], "default": ALGORITHM, "best": ALGORITHM}))
}

#[derive(Serialize)]
struct Dataset {
    name: String,
    title: String,
    load: bool,
    /// The version in use in short; empty where none was ever read.
    version: String,
    index_version: Option<String>,
    index_current: bool,
    entity_count: u32,
    last_export: Option<String>,
    children: Vec<String>,
}

impl Dataset {
    fn of(state: &ListState) -> Self {
        let label = state.version.as_ref().map(kyb_domain::list::ListVersion::label);
        Self {
            name: state.list.to_string(),
            title: state.list.to_string(),
            load: true,
            version: label.clone().unwrap_or_default(),
            index_version: label,
            index_current: state.is_fresh(),
            entity_count: state.version.as_ref().map_or(0, |version| version.entries),
            last_export: state.version.as_ref().map(|version| version.published.to_string()),
            children: vec![],
        }
    }

    fn of_all(name: &str, lists: &[Self]) -> Self {
        let versions: Vec<&str> = lists.iter().map(|list| list.version.as_str()).collect();
        Self {
            name: name.to_owned(),
            title: "All lists".to_owned(),
            load: false,
            version: versions.join(","),
            index_version: None,
            index_current: lists.iter().all(|list| list.index_current),
            entity_count: lists.iter().map(|list| list.entity_count).sum(),
            last_export: None,
            children: lists.iter().map(|list| list.name.clone()).collect(),
        }
    }
}

/// The data sets and how fresh they are.
pub(super) async fn catalog(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
) -> Result<Response, Problem> {
    let lists = with_lists(&app, &asker.caller.tenant, |lists| {
        Ok(lists.states().map(Dataset::of).collect::<Vec<_>>())
    });
    let lists = lists.await?;
    let names = |current: bool| -> Vec<String> {
        lists.iter().filter(|list| list.index_current == current).map(|list| list.name.clone()).collect()
    };
    let (current, outdated) = (names(true), names(false));
    let collections = COLLECTIONS.map(|name| Dataset::of_all(name, &lists));
    let index_stale = !outdated.is_empty();
    let datasets: Vec<Dataset> = collections.into_iter().chain(lists).collect();
    reply::json(
        StatusCode::OK,
        &json!({"datasets": datasets, "current": current, "outdated": outdated, "index_stale": index_stale}),
    )
}
