//! Entries by the id that other services' clients see: `LIST.ID`, the publisher's id with what such ids may not hold escaped.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use kyb_domain::list::{Entry, ListId, Watchlist};
use kyb_screening::Screener;

/// Where the entries of one index stand.
pub(crate) struct Directory {
    /// Weak, so that a replaced index is not kept; while this exists no other index can have its address.
    of: Weak<Screener>,
    places: HashMap<Box<str>, (usize, usize)>,
}

/// The directory of the lists in use; made with the first request that needs it.
#[derive(Default)]
pub(crate) struct Directories(Mutex<Option<Arc<Directory>>>);

impl Directories {
    /// The directory of this index. Making one takes about as long as copying its entries' ids.
    pub(super) fn of(&self, screener: &Arc<Screener>) -> Arc<Directory> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(directory) if directory.of.as_ptr() == Arc::as_ptr(screener) => Arc::clone(directory),
            _ => Arc::clone(current.insert(Arc::new(Directory::new(screener)))),
        }
    }
}

impl Directory {
    fn new(screener: &Arc<Screener>) -> Self {
        let mut places = HashMap::new();
        for (list, watchlist) in screener.lists().iter().enumerate() {
            for (position, entry) in watchlist.entries.iter().enumerate() {
                places.insert(id(&watchlist.version.list, &entry.id).into_boxed_str(), (list, position));
            }
        }
        Self { of: Arc::downgrade(screener), places }
    }

    /// The entry of an id, and its list; `screener` is the one that this directory was asked for with.
    pub(super) fn entry<'a>(&self, screener: &'a Screener, id: &str) -> Option<(&'a Watchlist, &'a Entry)> {
        let (list, position) = self.places.get(id)?;
        let list = screener.lists().get(*list)?;
        Some((list, list.entries.get(*position)?))
    }
}

/// The id to show for an entry. Ids of FollowTheMoney are letters, digits, `.` and `-`, with a letter or digit at both ends; other
/// bytes become `..` and two hexadecimal digits. A `.` or `-` stays between two letters or digits only, so no two entries share an id.
pub(super) fn id(list: &ListId, entry: &str) -> String {
    let mut id = format!("{list}.");
    let bytes = entry.as_bytes();
    let is_plain = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    for (at, byte) in bytes.iter().enumerate() {
        let joins = matches!(byte, b'.' | b'-') && is_plain(at.checked_sub(1)) && is_plain(Some(at + 1));
        if byte.is_ascii_alphanumeric() || joins {
            id.push(char::from(*byte));
        } else {
            let _ = write!(id, "..{byte:02x}"); // writing to a String can't fail
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_nothing_that_a_client_has_to_escape_and_no_two_are_the_same() {
        let list: ListId = "ofac-sdn".parse().unwrap();
        assert_eq!(id(&list, "18068"), "ofac-sdn.18068");
        assert_eq!(id(&list, "EU.27.28"), "ofac-sdn.EU.27.28");
        assert_eq!(id(&list, "a/b"), "ofac-sdn.a..2fb");
        let odd = [
            "a/b", "a..2fb", "a.2fb", "a-", "-a", "a", "..", "a b", "é", "a--b", "a-b", "a.-b", ".2e", "..2e",
        ];
        let ids: std::collections::BTreeSet<String> = odd.iter().map(|text| id(&list, text)).collect();
        assert_eq!(ids.len(), odd.len(), "{ids:?}");
        for id in ids {
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)), "{id}");
            assert!(id.ends_with(|last: char| last.is_ascii_alphanumeric()), "{id}");
        }
    }
}
