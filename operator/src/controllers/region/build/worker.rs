//! Queued and scheduled work: a Deployment and its disruption budget.

use kyb_crds::names;
use kyb_kit::Child;

use super::{
    database,
    workload::{self, Workload, variable},
};
use crate::{component::WORKER, controllers::region::validate::ValidRegion};

/// Everything of the worker.
pub(super) fn worker(region: &ValidRegion) -> Vec<Child> {
    let (mut environment, volumes) = database::access(region, database::Role::Runtime);
    environment.push(variable("KYB_REPORT", &region.name));
    let deployment = workload::deployment(
        region,
        Workload {
            component: WORKER,
            name: names::WORKER,
            service: &region.worker,
            arguments: vec!["run".to_owned()],
            environment,
            volumes,
            restart: region.restart_digest(),
        },
    );
    vec![Child::new(&deployment), Child::new(&workload::disruption_budget(region, WORKER, names::WORKER))]
}
