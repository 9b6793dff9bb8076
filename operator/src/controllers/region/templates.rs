//! Revisions of the pod templates: an upgrade of the operator must not replace a pod that nobody asked it to replace.
//!
//! Whatever would change a pod for the same spec is a new revision here, and the builders still make the older ones. Which one a
//! region's workloads are of stands on them, as an annotation; a spec that names none keeps it. What each revision renders is
//! kept as snapshots beside the builders' tests.

use kube::{ResourceExt, api::DynamicObject};
use kyb_crds::{Reason, RegionDeployment, names};

use crate::{concern::Problem, context::Context};

/// A revision of the pod templates. In ascending order; none is ever taken out or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Templates {
    /// 1: the first.
    First,
    /// 2: gateway and worker have startup probes. They are ready as soon as they can be instead of at the next beat of a slow
    /// readiness probe, and a start that takes long, with big watchlists on a slow disk, is not taken for a hang.
    StartupProbes,
}

impl Templates {
    pub(crate) const ALL: [Self; 2] = [Self::First, Self::StartupProbes];
    /// What a new region gets.
    pub(crate) const NEWEST: Self = Self::StartupProbes;

    /// As in `spec.templateRevision`.
    pub(crate) fn number(self) -> i32 {
        self as i32 + 1
    }

    /// None for a revision that this operator does not know.
    fn of_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|templates| templates.number() == number)
    }

    /// What the spec names; else what the region's workloads have; else the newest.
    pub(crate) fn of(deployment: &RegionDeployment, context: &Context) -> Result<Self, Problem> {
        if let Some(number) = deployment.spec.template_revision {
            return Self::of_number(number).ok_or_else(|| unknown("spec.templateRevision is", number));
        }
        match standing(deployment, context) {
            None => Ok(Self::NEWEST),
            Some(number) => Self::of_number(number).ok_or_else(|| unknown("the workloads have", number)),
        }
    }

    /// What a newer revision would bring; none for the newest.
    pub(crate) fn update(self) -> Option<String> {
        let newest = Self::NEWEST;
        (self < newest).then(|| {
            format!(
                "pods are made of revision {} of their templates, the newest is {}; set spec.templateRevision to {1}, \
                 which replaces the pods one after the other",
                self.number(),
                newest.number()
            )
        })
    }
}

fn unknown(where_it_stands: &str, number: i32) -> Problem {
    let newest = Templates::NEWEST.number();
    let message = format!(
        "{where_it_stands} revision {number} of the pod templates, of which this operator knows those up to {newest}; \
         upgrade the operator, or set spec.templateRevision to {newest} or less"
    );
    Problem::new(Reason::InvalidSpec, message)
}

/// The revision of the workloads that are there; the first if they were made before they said so.
fn standing(deployment: &RegionDeployment, context: &Context) -> Option<i32> {
    let children = context.live.owned_by(&deployment.uid()?);
    let workloads =
        children.iter().filter(|(key, _)| ["Deployment", "StatefulSet"].contains(&key.kind.as_str()));
    // Several only while an update that was asked for is on its way; it goes on.
    workloads.map(|(_, workload)| revision_of(workload)).max()
}

fn revision_of(workload: &DynamicObject) -> i32 {
    let number = workload.annotations().get(names::TEMPLATE_REVISION_ANNOTATION);
    number.and_then(|number| number.parse().ok()).unwrap_or(Templates::First.number())
}
