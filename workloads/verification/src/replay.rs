//! A recorded screening once more, on the versions of the lists that it cites: who doubts it, or has to prove it years later,
//! gets the same candidates, scores and explanations, or is told where they differ.

use std::{collections::BTreeMap, sync::Arc};

use kyb_domain::{
    list::{ListId, ListVersion, Watchlist},
    screening::{Match, MatchStatus, Screening},
};
use kyb_screening::{ALGORITHM, Screener, SearchOptions};
use serde_json::{Value, json};

use crate::screen::{MOST_MATCHES, rounded};

/// What a replay came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The matches as they are found now, best first; without what people decided about them.
    pub matches: Vec<Match>,
    /// What is not as it was recorded, nothing where all is.
    pub differences: Vec<Difference>,
}

/// A place at which recording and replay differ.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Where, as a JSON pointer (RFC 6901) into the screening.
    pub pointer: String,
    /// What was recorded; `null` where nothing was.
    pub recorded: Value,
    /// What is found now; `null` where nothing is.
    pub replayed: Value,
}

/// A replay that says nothing, so none is made.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording is of another version of the matching algorithm.
    #[error("it was made by {recorded}, and this is {ALGORITHM}")]
    Algorithm {
        /// By which.
        recorded: String,
    },
    /// A version that was searched is not at hand.
    #[error("version {} of list `{}` is needed (SHA-256 {})", .0.label(), .0.list, .0.sha256)]
    Missing(Box<ListVersion>),
}

/// Searches once more. `lists` are the versions at hand; those that the recording does not cite are left alone.
pub fn replay(recorded: &Screening, lists: &[Arc<Watchlist>]) -> Result<Replay, ReplayError> {
    if recorded.algorithm != ALGORITHM {
        return Err(ReplayError::Algorithm { recorded: recorded.algorithm.clone() });
    }
    let searched = recorded.list_versions.iter().filter_map(|state| state.version.as_ref());
    let cited = searched.chain(&recorded.also_loaded);
    // By id, as they are loaded.
    let cited: BTreeMap<&ListId, &ListVersion> = cited.map(|version| (&version.list, version)).collect();
    let found: Result<Vec<_>, _> = cited.into_values().map(|version| at_hand(version, lists)).collect();
    let screener = Screener::build(&found?);
    let options = SearchOptions {
        lists: Some(recorded.list_versions.iter().map(|state| state.list.clone()).collect()),
        threshold: recorded.threshold,
        // How many were asked for is not recorded; it was so many, or more than there were.
        limit: if recorded.matches_truncated { recorded.matches.len() } else { MOST_MATCHES },
    };
    let result = screener.search(&recorded.subject, &options);
    let matches: Vec<Match> = result.matches.into_iter().map(rounded).collect();
    let before = json!({
        "candidates_scored": recorded.candidates_scored,
        "candidates_truncated": recorded.candidates_truncated,
        "matches_truncated": recorded.matches_truncated,
        "matches": recorded.matches.iter().map(as_found).collect::<Vec<_>>(),
    });
    let now = json!({
        "candidates_scored": result.candidates_scored,
        "candidates_truncated": result.candidates_truncated,
        "matches_truncated": result.matches_truncated,
        "matches": matches,
    });
    let mut differences = vec![];
    compare("", &before, &now, &mut differences);
    Ok(Replay { matches, differences })
}

fn at_hand(wanted: &ListVersion, lists: &[Arc<Watchlist>]) -> Result<Arc<Watchlist>, ReplayError> {
    let is_it =
        |list: &&Arc<Watchlist>| (&list.version.list, &list.version.sha256) == (&wanted.list, &wanted.sha256);
    let found = lists.iter().find(is_it).map(Arc::clone);
    found.ok_or_else(|| ReplayError::Missing(Box::new(wanted.clone())))
}

/// A match without what people said about it.
fn as_found(recorded: &Match) -> Match {
    Match { status: MatchStatus::Pending, suppression_id: None, decisions: vec![], ..recorded.clone() }
}

/// Notes every value that differs, at its own place.
fn compare(pointer: &str, recorded: &Value, replayed: &Value, differences: &mut Vec<Difference>) {
    let child = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    match (recorded, replayed) {
        (Value::Object(a), Value::Object(b)) => {
            let added = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(added) {
                let of =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                compare(&child(name), &of(a), &of(b), differences);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for at in 0..a.len().max(b.len()) {
                let of = |array: &[Value]| array.get(at).cloned().unwrap_or_default();
                compare(&child(&at.to_string()), &of(a), &of(b), differences);
            }
        }
        _ if recorded != replayed => differences.push(Difference {
            pointer: pointer.to_owned(),
            recorded: recorded.clone(),
            replayed: replayed.clone(),
        }),
        _ => {}
    }
}
