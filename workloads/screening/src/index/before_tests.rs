//! An index that took over what another knew beside one made of nothing.

use std::{path::Path, sync::Arc};

use kyb_domain::list::{EntryKind, ListedName, NameKind, Watchlist};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use super::*;

const OFAC: &str = "../../../shared/data/ofac-2019";
/// So many of the list's entries, so that it stays small.
const ENTRIES: usize = 600;

fn lists() -> Vec<Watchlist> {
    let lists = kyb_lists::directory::load(Path::new(OFAC)).expect("the list of 2019 is test data");
    let mut all: Vec<Watchlist> = lists.into_iter().map(|list| list.watchlist).collect();
    let mut whole = all.remove(0);
    whole.entries.truncate(ENTRIES);
    // In a script without vowels, and several names in one field.
    for (entry, text) in
        whole.entries.iter_mut().zip(["أيمن الظواهري", "ALPHA a.k.a. BETA", "SEA SEA SEA STAR"].repeat(9))
    {
        entry.names.push(ListedName { kind: NameKind::Alias, text: text.to_owned() });
    }
    let mut other = whole.clone();
    other.version.list = "other".try_into().expect("an id");
    other.entries = whole.entries.split_off(ENTRIES / 2);
    vec![whole, other]
}

/// A later version of the lists.
fn changed(lists: &[Watchlist], random: &mut StdRng) -> Vec<Watchlist> {
    let mut lists = lists.to_vec();
    let list = random.random_range(0..lists.len());
    for _ in 0..random.random_range(0..20) {
        let other = random.random_range(0..lists.len());
        let at = random.random_range(0..lists[list].entries.len());
        match random.random_range(0..8) {
            0 => _ = lists[list].entries.remove(at),
            1 => lists[list].entries[at].names[0].text.push_str(" NOVA"),
            2 => lists[list].entries[at].kind = EntryKind::Vessel,
            3 => drop(lists[list].entries[at].names.pop()),
            4 => lists[list].entries.shuffle(random),
            5 => lists.swap(list, other),
            6 => {
                let twice = lists[list].entries[at].clone();
                lists[list].entries.push(twice);
            }
            _ => {
                let mut new = lists[other].entries[0].clone();
                new.id = format!("new-{at}");
                lists[list].entries.insert(at, new);
            }
        }
    }
    for entry in lists.iter_mut().flat_map(|list| &mut list.entries).filter(|entry| entry.names.is_empty()) {
        entry.names.push(ListedName { kind: NameKind::Primary, text: "NEMO, Nobody".to_owned() });
    }
    lists
}

fn shared(lists: &[Watchlist]) -> Vec<Arc<Watchlist>> {
    lists.iter().cloned().map(Arc::new).collect()
}

#[test]
fn an_index_that_was_taken_over_is_the_one_that_is_made_of_nothing() {
    let mut random = StdRng::seed_from_u64(3);
    let mut now = lists();
    let mut index = Index::build(&shared(&now));
    for step in 0..40 {
        now = changed(&now, &mut random);
        index = index.rebuilt(&shared(&now));
        assert!(index == Index::build(&shared(&now)), "step {step}");
    }
}

#[test]
fn a_list_that_goes_leaves_nothing_behind() {
    let both = shared(&lists());
    let index = Index::build(&both);
    assert!(index.rebuilt(&both[1..]) == Index::build(&both[1..]));
    assert!(index.rebuilt(&[]) == Index::build(&[]));
}

#[test]
fn an_entry_that_reads_otherwise_is_no_longer_known() {
    let lists = lists();
    let index = Index::build(&shared(&lists));
    let before = Before::of(&index);
    let list = &lists[1];
    let known = |change: fn(&mut Entry)| {
        let mut entry = list.entries[50].clone();
        change(&mut entry);
        before.names_of(&list.version.list, &entry).is_some()
    };
    assert!(known(|_| {}) && known(|entry| entry.remarks = Some("another".to_owned())));
    assert!(!known(|entry| entry.kind = EntryKind::Vessel));
    assert!(!known(|entry| entry.names[0].text.push('X')));
    assert!(!known(|entry| entry.names[0].kind = NameKind::Weak));
    assert!(!known(|entry| entry.id = "another".to_owned()));
    assert!(
        before.names_of(&lists[0].version.list, &lists[0].entries[0]).is_none(),
        "it has a word without vowels"
    );
}
