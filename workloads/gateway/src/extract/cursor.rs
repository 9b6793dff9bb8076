//! Cursors: where a page ended, bound to the query it belongs to.
//!
//! The text is base64url of a version byte, the last id (16 bytes) and the beginning of the query's SHA-256 (8 bytes). It is
//! not signed: it says nothing that the caller does not know, and another id in it only moves the caller within its own rows.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::problem::{Kind, Problem};

const VERSION: u8 = 1;

/// The beginning of a hash over everything that decides which rows come in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryHash([u8; 8]);

impl QueryHash {
    /// Of the parts of a query; a part that is absent differs from an empty one.
    pub(crate) fn of(parts: &[Option<&str>]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update([u8::from(part.is_some())]);
            hash.update(part.unwrap_or_default().len().to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        Self(first)
    }
}

/// A cursor after the object with this id.
pub(crate) fn after(id: Uuid, query: QueryHash) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(&query.0);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The id that a cursor of this query stands for.
pub(crate) fn read(cursor: &str, query: QueryHash) -> Result<Uuid, Problem> {
    let refused = |detail: &str| Problem::new(Kind::InvalidCursor, detail);
    let damaged = || refused("the cursor is damaged; give it back as it came, or begin without one");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| damaged())?;
    let (version, rest) = bytes.split_first().ok_or_else(damaged)?;
    let (id, hash) = rest.split_at_checked(16).ok_or_else(damaged)?;
    if *version != VERSION || hash.len() != 8 {
        return Err(damaged());
    }
    if hash != query.0 {
        return Err(refused("the cursor belongs to another query; keep q, tax_id and context as they were"));
    }
    Uuid::from_slice(id).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_query_only() {
        let (id, query) = (Uuid::now_v7(), QueryHash::of(&[Some("bakery"), None]));
        let cursor = after(id, query);
        assert_eq!(read(&cursor, query).unwrap(), id);
        for other in [&[Some("bakery"), Some("")], &[None, Some("bakery")], &[Some("bakery2"), None]] {
            assert_eq!(read(&cursor, QueryHash::of(other)).unwrap_err().kind(), Kind::InvalidCursor);
        }
    }

    #[test]
    fn a_damaged_cursor_is_refused() {
        let query = QueryHash::of(&[]);
        let cursor = after(Uuid::now_v7(), query);
        for bad in ["", "!", &cursor[1..], &format!("{cursor}AA"), &cursor.to_lowercase()] {
            if bad != cursor {
                assert!(read(bad, query).is_err(), "{bad}");
            }
        }
    }
}
