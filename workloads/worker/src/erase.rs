//! Erases the tenants whose settings say so: every row but the audit chain, for good.
//!
//! The settings ask (`erase: true` in a tenant's file), the store keeps how far it is. So an erasure goes on after a crash,
//! several workers may do the same one, and a report comes out the same wherever it is made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kyb_domain::{
    audit::{Actor, ActorKind},
    tenant::TenantId,
};
use kyb_settings::Settings;
use kyb_store::{Store, StoreError, audit::AuditContext};
use tokio_util::sync::CancellationToken;

/// Rows of one table deleted in one transaction: some tens of milliseconds.
const BATCH: u32 = 1_000;
/// How soon an erasure that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What this worker did about erasures: which are done, and which failed last and why. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Erasures {
    outcomes: Arc<Mutex<BTreeMap<TenantId, Result<(), String>>>>,
}

impl Erasures {
    /// Why the last attempt at this tenant failed, if it did.
    pub fn problem(&self, tenant: &TenantId) -> Option<String> {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.get(tenant).and_then(|outcome| outcome.as_ref().err().cloned())
    }

    fn is_done(&self, tenant: &TenantId) -> bool {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(outcomes.get(tenant), Some(Ok(())))
    }

    fn note(&self, tenant: &TenantId, outcome: Result<(), String>) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), outcome);
    }

    fn retain(&self, asked: impl Fn(&TenantId) -> bool) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).retain(|tenant, _| asked(tenant));
    }
}

/// Erases what the settings ask for, until `stop`.
pub async fn keep_erasing(store: Store, settings: Settings, erasures: Erasures, stop: CancellationToken) {
    loop {
        let changed = settings.changed(); // before `current`, so that no change falls between the two
        let snapshot = settings.current();
        erasures.retain(|tenant| snapshot.erasures.contains(tenant));
        let mut failed = false;
        for tenant in snapshot.erasures.iter().filter(|tenant| !erasures.is_done(tenant)) {
            let Some(outcome) = stop.run_until_cancelled(erase(&store, tenant)).await else { return };
            failed |= outcome.is_err();
            erasures.note(tenant, outcome.map_err(|error| tell(tenant, &error)));
        }
        let retry = async {
            if failed {
                tokio::time::sleep(RETRY_AFTER).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed => {}
            () = retry => {}
        }
    }
}

/// Erases one tenant; safe to break off at any point.
async fn erase(store: &Store, tenant: &TenantId) -> Result<(), StoreError> {
    let actor = Actor { kind: ActorKind::Worker, id: "erasure".to_owned() };
    store.request_erasure(tenant, &AuditContext { actor, request_id: None }).await?;
    let mut rows = 0;
    loop {
        match store.erase_tenant(tenant, BATCH).await? {
            0 => break,
            deleted => rows += deleted,
        }
    }
    tracing::info!(%tenant, rows, "a tenant is erased");
    Ok(())
}

fn tell(tenant: &TenantId, error: &StoreError) -> String {
    tracing::warn!(%tenant, error = error as &dyn std::error::Error, "can't erase a tenant; it will be tried again");
    error.to_string()
}
