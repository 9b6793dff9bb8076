//! Monitors: stored subjects against what changed of the lists. Taken under a lease, compared, and where the outcome is
//! another, screened and recorded anew with an alert.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    id::AlertId,
    list::{ListVersion, Watchlist},
    monitor::{Alert, Compared, Outcome, Recorded},
    screening::Screening,
};
use kyb_settings::Tenant;
use kyb_store::{
    Store, StoreError,
    audit::AuditContext,
    monitors::{Checked, TakenMonitor, TakenMonitors},
};
use kyb_verification::{EntryKey, ScreeningOptions, Sweep, Watchlists};
use tokio::sync::Mutex;

use crate::jobs::JobWorker;

/// How long monitors are ours: old lists may have to be read, and all of them searched.
const LEASE: Duration = Duration::from_mins(5);
/// How soon monitors are tried again that could not be compared.
const PAUSE: Duration = Duration::from_mins(1);
/// The last sweep that was made ready: from which versions to which. Shared, so that one worker makes it and the others wait.
#[derive(Clone, Default)]
pub struct Sweeps {
    last: Arc<Mutex<Option<Prepared>>>,
}

struct Prepared {
    from: String,
    to: String,
    /// `None` where it can't be said what changed.
    sweep: Option<Arc<Sweep>>,
}

/// A monitor and what its subject came to where it was screened.
type Screened = (TakenMonitor, Option<Screening>);

impl JobWorker {
    /// Takes the monitors of a tenant that are due and compares them. `false`: none was.
    pub(crate) async fn work_on_monitors(&self) -> Result<bool, StoreError> {
        let lists = self.watchlists.current();
        let now = kyb_verification::compared_with(&lists);
        if now.lists.is_empty() {
            return Ok(false); // nothing is loaded yet
        }
        let sha256 = |version: &ListVersion| version.sha256.clone();
        let states = lists.states.iter();
        let loaded = states.map(|state| (state.list.clone(), state.version.as_ref().map(sha256))).collect();
        let Some(taken) = self.store.take_monitors(&now, &loaded, LEASE).await? else { return Ok(false) };
        let at = Utc::now().trunc_subsecs(6);
        let stored = match self.compare(&taken, lists, &now, at).await {
            Some(checked) => self.store_checked(&taken, &now, &checked, at).await,
            None => self.store.return_monitors(&taken, PAUSE).await,
        };
        if let Err(error) = stored {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(tenant = %taken.tenant, error, "can't store what came of monitors; they will come back");
        }
        Ok(true)
    }

    async fn store_checked(
        &self,
        taken: &TakenMonitors,
        now: &Compared,
        checked: &[Checked],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let actor = Actor { kind: ActorKind::Worker, id: "monitor".to_owned() };
        let audit = AuditContext { actor, request_id: None };
        let kept = self.store.finish_monitors(taken, now, checked, at, &audit).await?;
        let alerts = checked.iter().filter(|one| one.changed.is_some()).count();
        let whole = checked.iter().filter(|one| one.whole_at.is_some()).count();
        tracing::info!(tenant = %taken.tenant, monitors = kept, whole, alerts, "compared monitors with the lists");
        Ok(())
    }

    /// What came of each; `None` where it broke off and is to be tried again.
    async fn compare(
        &self,
        taken: &TakenMonitors,
        lists: Arc<Watchlists>,
        now: &Compared,
        at: DateTime<Utc>,
    ) -> Option<Vec<Checked>> {
        let tenant = self.settings.current().tenants.get(&taken.tenant).cloned()?;
        let sweep = self.sweep(&taken.compared, now, &lists).await;
        let monitors = taken.monitors.clone();
        let work = move || screen_those_concerned(monitors, &lists, sweep.as_deref(), &tenant, at);
        let mut screened = tokio::task::spawn_blocking(work).await.ok()?;
        let screenings = screened.iter_mut().filter_map(|(_, screening)| screening.as_mut()).collect();
        self.suppress(&taken.tenant, screenings, at).await.ok()?;
        Some(screened.into_iter().map(|one| checked(one, now, at)).collect())
    }

    /// What changed between the versions that monitors were compared with and those of today; `None` where that can't be
    /// said, and the whole lists have to be searched.
    async fn sweep(&self, from: &Compared, to: &Compared, lists: &Arc<Watchlists>) -> Option<Arc<Sweep>> {
        let (from_digest, to_digest) = (from.digest(), to.digest());
        if from_digest == to_digest {
            return None; // taken to be searched whole
        }
        let mut last = self.sweeps.last.lock().await;
        if let Some(known) = last.as_ref().filter(|known| known.from == from_digest && known.to == to_digest)
        {
            return known.sweep.clone();
        }
        let sweep = match touched(&self.store, from, to, lists).await {
            Ok(touched) => {
                let lists = Arc::clone(lists);
                let narrow = move || Arc::new(Sweep::of(&lists, touched));
                tokio::task::spawn_blocking(narrow).await.ok()
            }
            Err(why) => {
                tracing::warn!(
                    why,
                    "can't tell what changed of the lists; monitors are searched in the whole lists"
                );
                None
            }
        };
        *last = Some(Prepared { from: from_digest, to: to_digest, sweep: sweep.clone() });
        sweep
    }
}

/// The entries that were added, changed or removed, or why that can't be said.
async fn touched(
    store: &Store,
    from: &Compared,
    to: &Compared,
    lists: &Watchlists,
) -> Result<BTreeSet<EntryKey>, String> {
    if from.algorithm != to.algorithm {
        return Err(format!("they were compared by {}, this is {}", from.algorithm, to.algorithm));
    }
    let names = |compared: &Compared| compared.lists.iter().map(|one| one.list.clone()).collect::<Vec<_>>();
    if names(from) != names(to) {
        return Err("there are other lists now".to_owned());
    }
    let mut touched = BTreeSet::new();
    for (old, new) in from.lists.iter().zip(&to.lists).filter(|(old, new)| old.sha256 != new.sha256) {
        let loaded = lists.screener.lists().iter().find(|list| list.version.list == new.list);
        let loaded = loaded.ok_or_else(|| format!("list `{}` is not loaded", new.list))?;
        let before = kyb_engines::read_version(store, old).await?;
        touched.extend(touched_of(&before, loaded));
    }
    Ok(touched)
}

fn touched_of(before: &Watchlist, after: &Watchlist) -> impl Iterator<Item = EntryKey> + use<> {
    let delta = kyb_lists::delta::between(before, after);
    let list = after.version.list.clone();
    [delta.added, delta.changed, delta.removed].into_iter().flatten().map(move |id| (list.clone(), id))
}

/// Screens the subjects that what changed may concern, and those that are to be searched whole. A subject at which the
/// search breaks off is left out: its lease ends, and it comes back, while the others have their answer.
fn screen_those_concerned(
    monitors: Vec<TakenMonitor>,
    lists: &Watchlists,
    sweep: Option<&Sweep>,
    tenant: &Tenant,
    now: DateTime<Utc>,
) -> Vec<Screened> {
    let screen = |monitor: &TakenMonitor| {
        let options = options(monitor, tenant);
        let whole = monitor.whole
            || monitor.outcome.needs_a_whole_search()
            || sweep.is_none_or(|sweep| sweep.concerns(&monitor.subject, &options, &monitor.outcome));
        whole.then(|| kyb_verification::screen_in_any_case(lists, monitor.subject.clone(), &options, now))
    };
    let screened = |monitor: TakenMonitor| {
        let Ok(screening) = catch_unwind(AssertUnwindSafe(|| screen(&monitor))) else {
            tracing::error!(monitor = %monitor.id, "the search broke off; this monitor was not compared");
            return None;
        };
        Some((monitor, screening))
    };
    monitors.into_iter().filter_map(screened).collect()
}

/// As the caller asked, else as the tenant wants it now.
fn options(monitor: &TakenMonitor, tenant: &Tenant) -> ScreeningOptions {
    let asked = &monitor.options;
    ScreeningOptions {
        lists: asked.lists.clone().or_else(|| tenant.lists.clone()),
        threshold: asked.threshold.or(tenant.threshold),
        limit: asked.limit,
    }
}

fn checked((monitor, screening): Screened, now: &Compared, at: DateTime<Utc>) -> Checked {
    let Some(screening) = screening else {
        return Checked { monitor: monitor.id, whole_at: None, changed: None };
    };
    let outcome = Outcome::of(&screening);
    let whole_at = Some(kyb_verification::whole_search_at(screening.status, at));
    if !outcome.differs(&monitor.outcome) {
        return Checked { monitor: monitor.id, whole_at, changed: None };
    }
    let alert = Alert {
        id: AlertId::generate(),
        monitor_id: monitor.id,
        before: Recorded { screening_id: monitor.screening, status: monitor.outcome.status },
        after: Recorded { screening_id: screening.id, status: screening.status },
        changes: outcome.changes(&monitor.outcome, now),
        algorithm: screening.algorithm.clone(),
        created_at: at,
    };
    Checked { monitor: monitor.id, whole_at, changed: Some((screening, alert)) }
}
