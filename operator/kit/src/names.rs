//! What tells our objects from others': given by the operator, the same for all of its controllers.

/// The label whose value says which program looks after an object
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>).
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Names that the operator uses on everything it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// The field manager of what is applied, at most 128 bytes, for example `kyb-operator`. The manager
    /// `<manager>-handover` is used beside it, see [`handover`](crate::handover).
    pub manager: &'static str,
    /// The value of the label [`MANAGED_BY`], by which children are watched.
    pub managed_by: &'static str,
    /// The key of the label that holds the owner's uid, for example `kyb.dev/owner-uid`.
    pub owner_uid: &'static str,
    /// The key of the annotation that holds the digest of what was last applied, for example `kyb.dev/applied`.
    pub applied: &'static str,
}

impl Names {
    /// The label selector of all that the operator wrote.
    pub fn selector(&self) -> String {
        format!("{MANAGED_BY}={}", self.managed_by)
    }

    /// The field manager that keeps a field's value while it passes from us to somebody else.
    pub fn handover_manager(&self) -> String {
        format!("{}-handover", self.manager)
    }
}

#[cfg(test)]
pub(crate) const SAMPLE: Names = Names {
    manager: "kit-test",
    managed_by: "kit-test",
    owner_uid: "kit.test/owner-uid",
    applied: "kit.test/applied",
};
