//! Query strings. An unknown parameter is refused: a misspelt filter must not silently match everything.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};

/// The query string as `T`, which denies unknown fields.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri)
            .map_err(|rejection| Problem::new(Kind::InvalidQuery, rejection.body_text()))?;
        Ok(Self(value))
    }
}
