//! `If-Match` and `If-None-Match` (RFC 9110 §13.1) with revisions as entity tags.

use axum::http::{HeaderMap, HeaderName, header};

use crate::problem::{Kind, Problem};

/// The entity tag of a revision.
pub(crate) fn etag(revision: impl std::fmt::Display) -> String {
    format!("\"{revision}\"")
}

/// What `If-Match` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// The header is absent.
    Absent,
    /// `*`: the object must exist.
    Any,
    /// One of these tags.
    Tags(Vec<String>),
}

impl IfMatch {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        if !headers.contains_key(header::IF_MATCH) {
            return Ok(Self::Absent);
        }
        let tags = tags(headers, &header::IF_MATCH)?;
        Ok(if tags.iter().any(|tag| tag == "*") { Self::Any } else { Self::Tags(tags) })
    }

    /// The revisions that the caller has in mind, for the store to compare with; any where `None`. What is no strong tag of
    /// a revision matches none (§8.8.3.2).
    pub(crate) fn revisions(&self) -> Option<Vec<i64>> {
        let Self::Tags(tags) = self else { return None };
        Some(tags.iter().filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()).collect())
    }

    /// Whether the object in this revision is what the caller means. Weak tags never match (§8.8.3.2).
    pub(crate) fn check(&self, revision: i64) -> Result<(), Problem> {
        match self {
            Self::Tags(tags) if !tags.contains(&etag(revision)) => {
                let detail = format!(
                    "the object is now at revision {revision}; read it again and apply your change to that"
                );
                Err(Problem::new(Kind::PreconditionFailed, detail))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the caller already has this revision.
pub(crate) fn is_cached(headers: &HeaderMap, revision: i64) -> bool {
    let tags = tags(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    tags.iter().any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag(revision))
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Vec<String>, Problem> {
    let invalid = || {
        Problem::new(
            Kind::InvalidHeader,
            format!("{name}: give the ETag of the object, such as \"3\", quotes included"),
        )
    };
    let mut tags = vec![];
    for value in headers.get_all(name) {
        for tag in value.to_str().map_err(|_| invalid())?.split(',').map(str::trim) {
            let bare = tag.trim_start_matches("W/");
            let quoted = bare.len() >= 2 && bare.starts_with('"') && bare.ends_with('"');
            if tag != "*" && !quoted {
                return Err(invalid());
            }
            tags.push(tag.to_owned());
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        [(header::IF_MATCH, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn only_the_current_revision_or_any_passes() {
        for (value, passes) in
            [("\"3\"", true), ("\"2\", \"3\"", true), ("*", true), ("\"2\"", false), ("W/\"3\"", false)]
        {
            assert_eq!(IfMatch::read(&with(value)).unwrap().check(3).is_ok(), passes, "{value}");
        }
        assert!(IfMatch::read(&HeaderMap::new()).unwrap().check(3).is_ok());
    }

    #[test]
    fn revisions_are_those_of_strong_tags() {
        for (value, revisions) in
            [("\"2\", \"3\"", Some(vec![2, 3])), ("W/\"3\", \"x\"", Some(vec![])), ("*", None)]
        {
            assert_eq!(IfMatch::read(&with(value)).unwrap().revisions(), revisions, "{value}");
        }
    }

    #[test]
    fn a_tag_without_quotes_is_refused_not_ignored() {
        for bad in ["3", "", "\"", "\"3\", x"] {
            assert_eq!(IfMatch::read(&with(bad)).unwrap_err().kind(), Kind::InvalidHeader, "{bad}");
        }
    }
}
