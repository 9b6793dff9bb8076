use std::{collections::BTreeMap, time::Duration};

use kyb_domain::{
    list::{ListFormat, ListVersion, PublishedBy, Stale},
    party::PartyKind,
};
use kyb_screening::Screener;
use kyb_settings::{CacheClass, CachePolicy, Platform};
use kyb_verification::ScreeningError;

use super::*;

fn caches() -> Caches {
    let class = CacheClass { ttl: Duration::from_hours(1), max_entries: 100 };
    let classes = BTreeMap::from(["classification", "sanctions"].map(|name| (name.to_owned(), class)));
    let cache = CachePolicy { classes, max_entries: 200, hit_rate_target_percent: None };
    Caches::new(&Snapshot { platform: Platform { cache, ..Platform::default() }, ..Snapshot::default() })
}

fn state(sha256: &str, stale: Option<&str>) -> ListState {
    ListState {
        list: "un".try_into().unwrap(),
        version: Some(ListVersion {
            list: "un".try_into().unwrap(),
            format: ListFormat::UnXml,
            published: "2026-01-01".parse().unwrap(),
            published_by: PublishedBy::Document,
            sha256: sha256.to_owned(),
            entries: 0,
        }),
        checked_at: Some(Utc::now()),
        stale: stale.map(|why| Stale { why: why.to_owned() }),
    }
}

fn subject(name: &str) -> Party {
    Party::named(PartyKind::Business, name.try_into().unwrap())
}

fn screen(caches: &Caches, tenant: &str, state: ListState, subject: Party) -> Found<Screening> {
    let lists = Watchlists { screener: Arc::new(Screener::build(&[])), states: vec![state] };
    let (options, now) = (ScreeningOptions::default(), Utc::now());
    let make = |subject| kyb_verification::screen(&lists, subject, &options, now);
    caches.screen(&tenant.try_into().unwrap(), &lists, subject, &options, now, make).unwrap()
}

#[test]
fn the_same_question_on_the_same_lists_is_computed_once_and_is_a_screening_of_its_own() {
    let caches = caches();
    let first = screen(&caches, "acme", state("1", None), subject("Bakery"));
    let again = state("1", None);
    let second = screen(&caches, "acme", again.clone(), subject("Bakery"));
    assert_eq!((first.hit, second.hit), (false, true));
    assert_ne!(first.value.id, second.value.id);
    assert_eq!(second.value.list_versions, [again], "with the time at which the list was read last");
    let unlike = Screening { id: first.value.id, created_at: first.value.created_at, ..second.value };
    assert_eq!(
        Screening { list_versions: vec![], ..unlike },
        Screening { list_versions: vec![], ..first.value }
    );
}

/// Asks on `before`, then on `after`; what the second answer says, and whether it was computed for it.
fn asked_twice(before: ListState, after: ListState) -> (ScreeningStatus, bool) {
    let caches = caches();
    assert_eq!(screen(&caches, "acme", before, subject("Bakery")).value.status, ScreeningStatus::NoHit);
    let second = screen(&caches, "acme", after, subject("Bakery"));
    (second.value.status, !second.hit)
}

#[test]
fn a_list_that_became_stale_or_was_changed_is_never_answered_from_before() {
    let fresh = || state("1", None);
    assert_eq!(asked_twice(fresh(), state("1", Some("HTTP 500"))), (ScreeningStatus::Error, true));
    assert_eq!(asked_twice(fresh(), state("2", None)), (ScreeningStatus::NoHit, true));
    let missing = ListState { version: None, ..state("1", Some("no version was read yet")) };
    assert_eq!(asked_twice(fresh(), missing), (ScreeningStatus::Error, true));
}

#[test]
fn without_the_lists_in_the_key_a_stale_list_would_be_an_all_clear() {
    let (caches, options) = (caches(), ScreeningOptions::default());
    let (acme, bakery) = ("acme".try_into().unwrap(), subject("Bakery"));
    let first = screen(&caches, "acme", state("1", None), bakery.clone()).value;
    let no_lists = screening_key(&acme, &[], &bakery, &options).unwrap();
    let answer = |made: Screening| {
        let Ok(found) =
            caches.sanctions.get_or_make(&no_lists, || Ok::<_, Infallible>(Arc::new(Finding::of(&made))));
        found.value.status
    };
    answer(first);
    let stale = screen(&caches, "acme", state("1", Some("HTTP 500")), bakery.clone()).value;
    assert_eq!((stale.status, answer(stale)), (ScreeningStatus::Error, ScreeningStatus::NoHit));
}

#[test]
fn another_subject_tenant_or_wish_is_another_question() {
    let key = |tenant: &str, name: &str, options: &ScreeningOptions| {
        screening_key(&tenant.try_into().unwrap(), &[state("1", None)], &subject(name), options).unwrap()
    };
    let usual = ScreeningOptions::default();
    let limited = ScreeningOptions { limit: Some(5), ..usual.clone() };
    let narrow = ScreeningOptions { lists: Some(vec!["un".try_into().unwrap()]), ..usual.clone() };
    let sharp = ScreeningOptions { threshold: Some(Score::ONE), ..usual.clone() };
    let keys = [
        key("acme", "Bakery", &usual),
        key("other", "Bakery", &usual),
        key("acme", "Bakery B", &usual),
        key("acme", "Bakery", &limited),
        key("acme", "Bakery", &narrow),
        key("acme", "Bakery", &sharp),
    ];
    assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), keys.len());
    assert_eq!(keys[0], key("acme", "Bakery", &usual));
}

#[test]
fn a_refused_question_is_refused_again() {
    let caches = caches();
    let lists = Watchlists { screener: Arc::new(Screener::build(&[])), states: vec![] };
    let options =
        ScreeningOptions { lists: Some(vec!["un".try_into().unwrap()]), ..ScreeningOptions::default() };
    for _ in 0..2 {
        let make = |subject| kyb_verification::screen(&lists, subject, &options, Utc::now());
        let acme = "acme".try_into().unwrap();
        let refused = caches.screen(&acme, &lists, subject("Bakery"), &options, Utc::now(), make);
        assert!(matches!(refused, Err(ScreeningError::UnknownList(_))));
    }
}
