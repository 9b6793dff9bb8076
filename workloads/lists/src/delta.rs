//! What changed from one version to the next.

use std::collections::HashMap;

use crate::{Entry, Watchlist};

/// Entry ids added, changed and removed, each sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// New ids.
    pub added: Vec<String>,
    /// Ids whose entry differs.
    pub changed: Vec<String>,
    /// Ids that are gone.
    pub removed: Vec<String>,
}

impl Delta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Compares two versions of one list by the publisher's ids. Ids sort as text: `100` stands before `99`.
pub fn between(old: &Watchlist, new: &Watchlist) -> Delta {
    let mut before: HashMap<&str, &Entry> =
        old.entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let mut delta = Delta::default();
    for entry in &new.entries {
        match before.remove(entry.id.as_str()) {
            None => delta.added.push(entry.id.clone()),
            Some(known) if known != entry => delta.changed.push(entry.id.clone()),
            Some(_) => {}
        }
    }
    delta.removed = before.into_keys().map(str::to_owned).collect();
    for ids in [&mut delta.added, &mut delta.changed, &mut delta.removed] {
        ids.sort();
    }
    delta
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{EntryKind, ListFormat, ListVersion, PublishedBy, draft::Draft};

    fn watchlist(entries: &BTreeMap<u8, u8>) -> Watchlist {
        let entry = |(id, name): (&u8, &u8)| {
            Draft::new(&id.to_string(), EntryKind::Organization, &format!("FIRM {name}")).finish()
        };
        let version = ListVersion {
            list: "test".try_into().unwrap(),
            format: ListFormat::OfacCsv,
            published: "2019-06-14".parse().unwrap(),
            published_by: PublishedBy::FileTime,
            sha256: "0".repeat(64),
            entries: u32::try_from(entries.len()).unwrap(),
        };
        Watchlist { version, entries: entries.iter().map(entry).collect() }
    }

    /// What becomes of `old` when a delta is carried out with the entries of `new`.
    fn carry_out(delta: &Delta, old: &Watchlist, new: &Watchlist) -> BTreeMap<String, Entry> {
        let mut all: BTreeMap<String, Entry> =
            old.entries.iter().map(|e| (e.id.clone(), e.clone())).collect();
        let fresh: BTreeMap<&str, &Entry> = new.entries.iter().map(|e| (e.id.as_str(), e)).collect();
        for id in &delta.removed {
            assert!(all.remove(id).is_some(), "{id} was there to be removed");
        }
        for id in &delta.changed {
            let before = all.insert(id.clone(), (*fresh[id.as_str()]).clone());
            assert!(before.is_some_and(|before| before != *fresh[id.as_str()]), "{id} was there and differs");
        }
        for id in &delta.added {
            assert!(all.insert(id.clone(), (*fresh[id.as_str()]).clone()).is_none(), "{id} is new");
        }
        all
    }

    proptest! {
        #[test]
        fn carrying_out_a_delta_makes_the_old_version_the_new_one(
            old in proptest::collection::btree_map(0u8..40, 0u8..3, 0..30),
            new in proptest::collection::btree_map(0u8..40, 0u8..3, 0..30),
        ) {
            let (old, new) = (watchlist(&old), watchlist(&new));
            let delta = between(&old, &new);
            let wanted: BTreeMap<String, Entry> = new.entries.iter().map(|e| (e.id.clone(), e.clone())).collect();
            prop_assert_eq!(carry_out(&delta, &old, &new), wanted);
            prop_assert!([&delta.added, &delta.changed, &delta.removed].iter().all(|ids| ids.is_sorted()));
            prop_assert_eq!(delta.is_empty(), old.entries == new.entries);
        }

        #[test]
        fn back_again_swaps_added_and_removed(
            old in proptest::collection::btree_map(0u8..40, 0u8..3, 0..30),
            new in proptest::collection::btree_map(0u8..40, 0u8..3, 0..30),
        ) {
            let (there, back) = (between(&watchlist(&old), &watchlist(&new)), between(&watchlist(&new), &watchlist(&old)));
            prop_assert_eq!(there, Delta { added: back.removed, changed: back.changed, removed: back.added });
        }
    }
}
