//! The engines as this gateway runs them: with which of its tenant's wishes, on which thread, and how long it took.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use kyb_cache::Found;
use kyb_domain::{
    business::BusinessProfile,
    classification::Classification,
    party::Party,
    screening::Screening,
    tenant::TenantId,
    text::{FreeText, Name},
    verification::{Findings, VerificationRequest},
};
use kyb_settings::Tenant;
use kyb_verification::{ScreeningError, ScreeningOptions, Watchlists};

use crate::{problem::Problem, state::App};

/// From this many names on, a verification leaves the thread that serves sockets: one name costs about a millisecond.
const HEAVY_FROM: usize = 8;

/// The most industry codes of an answer.
const MOST_CODES: usize = 5;

/// Runs every check on the lists as they are now, and decides by the tenant's policy.
pub(crate) async fn verify(
    app: &App,
    tenant: &Tenant,
    request: &VerificationRequest,
    now: DateTime<Utc>,
) -> Result<Findings, Problem> {
    let lists = app.watchlists.current();
    let options = kyb_engines::screening_options(tenant);
    let started = Instant::now();
    let findings = if names(&request.business) < HEAVY_FROM {
        kyb_verification::verify(&lists, &tenant.policy, &options, request, now)
    } else {
        // The permit goes with the work: a caller that gives up must not make room for more of it.
        let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| Problem::internal())?;
        let (policy, request) = (Arc::clone(&tenant.policy), request.clone());
        let work = move || {
            let _permit = permit;
            kyb_verification::verify(&lists, &policy, &options, &request, now)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?
    };
    app.metrics.inference("verification", kyb_screening::ALGORITHM, started.elapsed());
    Ok(findings)
}

/// How many names are searched for.
fn names(business: &BusinessProfile) -> usize {
    let people = business.owners.iter().map(|link| 1 + link.party.aliases.len());
    1 + business.trading_names.len() + people.sum::<usize>()
}

/// Screens one party on the lists as they are now, or gives what was found when the same was asked on the same lists.
pub(crate) fn screen(
    app: &App,
    tenant: &TenantId,
    subject: Party,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Result<Found<Screening>, ScreeningError> {
    screen_on(app, &app.watchlists.current(), tenant, subject, options, now)
}

/// The same on these lists, for who needs the lists as well.
pub(crate) fn screen_on(
    app: &App,
    lists: &Watchlists,
    tenant: &TenantId,
    subject: Party,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Result<Found<Screening>, ScreeningError> {
    app.caches.screen(tenant, lists, subject, options, now, |subject| {
        let started = Instant::now();
        let screening = kyb_verification::screen(lists, subject, options, now);
        app.metrics.inference("screening", kyb_screening::ALGORITHM, started.elapsed());
        screening
    })
}

/// Codes for what a name and a description say.
pub(crate) fn classify(
    app: &App,
    tenant: &TenantId,
    name: Option<&Name>,
    description: Option<&FreeText>,
) -> Found<Arc<Classification>> {
    app.caches.classify(tenant, &(kyb_classification::VERSION, MOST_CODES, name, description), || {
        let started = Instant::now();
        let classification = kyb_classification::classify(name, description, MOST_CODES);
        app.metrics.inference("classification", &classification.version, started.elapsed());
        classification
    })
}
