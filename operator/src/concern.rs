//! Concerns: the parts of an object that can go wrong on their own, each with its condition.
//!
//! ```text
//! build ─► [Concern] ─ all that could be built ─► apply ─► failures by child ─► one condition for each concern
//!              └── what could not be built: its problem is its condition; what exists of it stays as it is
//! ```

use kyb_crds::{ConditionType, Reason};
use kyb_kit::Child;

/// What is wrong with one concern and what to do about it. It is the user's to mend, so trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// One concern as it is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Concern {
    pub(crate) condition: ConditionType,
    pub(crate) children: Result<Vec<Child>, Problem>,
}

impl Concern {
    pub(crate) fn of(condition: ConditionType, children: impl IntoIterator<Item = Child>) -> Self {
        Self { condition, children: Ok(children.into_iter().collect()) }
    }

    /// Without the other children.
    pub(crate) fn only(self, wanted: impl Fn(&Child) -> bool) -> Self {
        let children = self.children.map(|children| children.into_iter().filter(wanted).collect());
        Self { children, ..self }
    }
}
