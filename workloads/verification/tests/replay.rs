//! A screening of some of the lists is replayed with the others that were loaded, for these say how rare words are.
#![allow(clippy::unwrap_used, reason = "a test stops where its own input is wrong")]

use std::{path::Path, sync::Arc};

use chrono::Utc;
use kyb_domain::{
    list::{ListId, ListState, Watchlist},
    party::{Party, PartyKind},
};
use kyb_screening::Screener;
use kyb_verification::{ReplayError, ScreeningOptions, Watchlists, replay, screen};

/// OFAC's list of June 2019.
fn published() -> Watchlist {
    let lists = kyb_lists::directory::load(Path::new("../../../shared/data/ofac-2019")).unwrap();
    lists.into_iter().next().unwrap().watchlist
}

/// A tenant's own list, of companies whose name has a word that few on the other list have.
fn own() -> Watchlist {
    let mut list = published();
    list.version.list = ListId::try_from("own".to_owned()).unwrap();
    list.version.sha256 = "0".repeat(64);
    list.entries.truncate(500);
    for (number, entry) in list.entries.iter_mut().enumerate() {
        entry.names.truncate(1);
        entry.names[0].text = format!("Rosoboroneksport {number}");
    }
    list
}

#[test]
fn a_list_that_was_loaded_beside_those_that_were_searched_is_needed_too() {
    let lists = [Arc::new(published()), Arc::new(own())];
    let state = |list: &Arc<Watchlist>| ListState {
        list: list.version.list.clone(),
        version: Some(list.version.clone()),
        checked_at: Some(Utc::now()),
        stale: None,
    };
    let loaded =
        Watchlists { screener: Arc::new(Screener::build(&lists)), states: lists.iter().map(state).collect() };
    let subject =
        Party::named(PartyKind::Business, "Rosoboroneksport Trade OAO".to_owned().try_into().unwrap());
    let options = ScreeningOptions {
        lists: Some(vec!["ofac-sdn".to_owned().try_into().unwrap()]),
        ..Default::default()
    };
    let recorded = screen(&loaded, subject, &options, Utc::now()).unwrap();
    assert!(!recorded.matches.is_empty());
    assert_eq!(recorded.also_loaded, [lists[1].version.clone()]);

    assert_eq!(replay(&recorded, &lists).unwrap().differences, []);
    assert!(matches!(replay(&recorded, &lists[..1]), Err(ReplayError::Missing(_))));
    // The twin: a recording that does not say what else was loaded comes out with other scores.
    let mut forgetful = recorded;
    forgetful.also_loaded.clear();
    let differences = replay(&forgetful, &lists).unwrap().differences;
    assert!(differences.iter().any(|one| one.pointer.ends_with("/score")), "{differences:?}");
}
