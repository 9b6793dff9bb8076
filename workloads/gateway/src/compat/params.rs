//! Query strings of another service. A parameter that is not known is passed over, as that service does, and logged by name.

use std::{collections::BTreeSet, fmt::Display, ops::RangeInclusive, str::FromStr};

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};

use crate::problem::{Kind, Problem};

/// The most parameters of a request.
const MOST: usize = 500;
/// The most names that one line of the log holds, and the most characters of each.
const MOST_LOGGED: usize = 10;
const LONGEST_LOGGED: usize = 40;

/// Names and values, in the order in which they came.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|rejection| invalid(rejection.body_text()))?;
        if pairs.len() > MOST {
            return Err(invalid(format!("send at most {MOST} parameters")));
        }
        Ok(Self(pairs))
    }
}

/// A query that is not accepted.
pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidQuery, detail)
}

impl Params {
    /// The last value of a name, without white space around it; `None` where there is none or it is empty.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.many(name).last()
    }

    /// Every value of a name that is not empty.
    pub(super) fn many<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.trim());
        values.filter(|value| !value.is_empty())
    }

    /// A number within bounds.
    pub(super) fn number<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<Option<T>, Problem>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.one(name) else { return Ok(None) };
        match text.parse::<T>().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                Err(invalid(format!("{name}: must be a number from {} to {}", range.start(), range.end())))
            }
        }
    }

    /// The names that are not among these.
    pub(super) fn others<'a>(&'a self, known: &[&str]) -> impl Iterator<Item = &'a str> {
        let others: BTreeSet<&str> =
            self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !known.contains(name)).collect();
        others.into_iter()
    }
}

/// Logs what a caller sent and nobody looks at: how many things, and the names of the first.
pub(super) fn log_passed_over<'a>(route: &str, names: impl Iterator<Item = &'a str>) {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return;
    }
    let cut = |name: &&str| name.chars().filter(|c| !c.is_control()).take(LONGEST_LOGGED).collect::<String>();
    let first: Vec<String> = names.iter().take(MOST_LOGGED).map(cut).collect();
    tracing::info!(
        route,
        count = names.len(),
        names = first.join(", "),
        "passed over what is not known here"
    );
}
