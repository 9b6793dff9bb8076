//! Objects that are no longer wanted and could not be deleted. They are no concern's any more, and must not be forgotten.

use kyb_crds::Reason;
use kyb_kit::ApplyError;

use crate::{
    concern::Concern,
    verdict::{State, Verdict},
};

/// Says so in the first verdict, unless that has something as urgent to say: then it is tried again, too.
pub(crate) fn mind(verdicts: &mut [Verdict], concerns: &[Concern], failures: &[ApplyError]) {
    let children = || concerns.iter().flat_map(|concern| concern.children.iter().flatten());
    let is_wanted = |failure: &&ApplyError| children().any(|child| child.key() == failure.child());
    let leftover =
        failures.iter().filter(|failure| !is_wanted(failure)).min_by_key(|failure| failure.child());
    let first = verdicts.first_mut().filter(|verdict| verdict.state < State::Failing);
    if let (Some(leftover), Some(first)) = (leftover, first) {
        let message = format!("no longer wanted, and not deleted yet, which is tried again: {leftover}");
        *first = Verdict::new(first.condition, State::Failing, Reason::Retrying, message);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kyb_crds::ConditionType;
    use kyb_kit::Child;

    use super::*;

    fn child(name: &str) -> Child {
        let mut map = ConfigMap::default();
        map.metadata.name = Some(name.to_owned());
        Child::new(&map)
    }

    fn minded(failed: &str) -> Vec<Verdict> {
        let concerns = [Concern::of(ConditionType::NamespacesReady, [child("wanted")])];
        let mut verdicts = vec![Verdict::well(ConditionType::NamespacesReady, "all there")];
        let failures = [ApplyError::Behind { child: child(failed).key().clone() }];
        mind(&mut verdicts, &concerns, &failures);
        verdicts
    }

    #[test]
    fn what_could_not_be_deleted_is_told_and_tried_again() {
        let verdicts = minded("surplus");
        assert_eq!((verdicts[0].state, verdicts[0].reason), (State::Failing, Reason::Retrying));
        assert!(verdicts[0].message.contains("surplus"), "{}", verdicts[0].message);
    }

    #[test]
    fn what_is_wanted_is_its_own_concerns() {
        assert_eq!(minded("wanted")[0].state, State::Well);
    }
}
