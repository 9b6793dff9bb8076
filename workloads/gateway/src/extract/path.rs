//! Ids in paths. A text that is no id of the right kind is answered like an id that does not exist.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use kyb_domain::id::{BatchId, BusinessId, MonitorId, ScreeningId, SuppressionId, VerificationId};

use crate::problem::Problem;

/// An id of the kind that the route is about.
pub(crate) struct Id<T>(pub(crate) T);

/// What an object is called in problems.
pub(crate) trait Named {
    /// The word.
    const WHAT: &'static str;
}

impl Named for BatchId {
    const WHAT: &'static str = "batch";
}
impl Named for BusinessId {
    const WHAT: &'static str = "business";
}
impl Named for MonitorId {
    const WHAT: &'static str = "monitor";
}
impl Named for VerificationId {
    const WHAT: &'static str = "verification";
}
impl Named for ScreeningId {
    const WHAT: &'static str = "screening";
}
impl Named for SuppressionId {
    const WHAT: &'static str = "suppression";
}

impl<T: FromStr + Named, S: Sync + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = || Problem::no_such(T::WHAT);
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| missing())?;
        text.parse().map(Self).map_err(|_| missing())
    }
}
