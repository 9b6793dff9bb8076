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
    let started = Instant::now();
    let mut screenings = screen_everybody(app, tenant, &request.business, now).await?;
    let screened = started.elapsed();
    suppress(app, &tenant.id, &mut screenings, now).await?;
    let started = Instant::now();
    let findings = kyb_verification::judge(&tenant.policy, request, screenings, now);
    app.metrics.inference("verification", kyb_screening::ALGORITHM, screened + started.elapsed());
    Ok(findings)
}

async fn screen_everybody(
    app: &App,
    tenant: &Tenant,
    business: &BusinessProfile,
    now: DateTime<Utc>,
) -> Result<Vec<Screening>, Problem> {
    let lists = app.watchlists.current();
    let options = kyb_engines::screening_options(tenant);
    if names(business) < HEAVY_FROM {
        return Ok(kyb_verification::screen_everybody(&lists, business, &options, now));
    }
    // The permit goes with the work: a caller that gives up must not make room for more of it.
    let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| Problem::internal())?;
    let business = business.clone();
    let work = move || {
        let _permit = permit;
        kyb_verification::screen_everybody(&lists, &business, &options, now)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
}

/// Applies the tenant's suppressions to screenings that were just made, whether searched or from the cache. The store is
/// asked only where there are matches; without its answer there is none at all.
pub(crate) async fn suppress(
    app: &App,
    tenant: &TenantId,
    screenings: &mut [Screening],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let subjects = kyb_verification::subjects_with_matches(&*screenings);
    let known = app.store.tenant(tenant).suppressions_for(&subjects, now).await?;
    for screening in screenings {
        kyb_verification::suppress(screening, &known, now);
    }
    Ok(())
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
