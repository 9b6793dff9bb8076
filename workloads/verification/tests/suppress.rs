//! Suppressed matches stay in the answer, say so, and call for nobody; anything that changed is asked about again.
#![allow(clippy::unwrap_used, reason = "a test stops where its own input is wrong")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    business::BusinessProfile,
    fingerprint::Fingerprint,
    id::{ScreeningId, SuppressionId},
    list::{
        Entry, EntryKind, ListFormat, ListState, ListVersion, ListedName, NameKind, PublishedBy, Stale,
        Watchlist,
    },
    screening::{MatchStatus, Screening, ScreeningStatus},
    suppression::{Suppression, Withdrawal},
    verification::{CheckName, CheckStatus, Findings, VerificationRequest},
};
use kyb_policy::{Policy, PolicySpec};
use kyb_screening::Screener;
use kyb_verification::{
    ScreeningOptions, Watchlists, judge, screen, screen_everybody, subjects_with_matches, suppress,
};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap()
}

fn entry(id: &str, country: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        reference: None,
        kind: EntryKind::Organization,
        names: vec![ListedName { kind: NameKind::Primary, text: "ROSOBORONEXPORT OAO".to_owned() }],
        programs: vec![],
        countries: vec![country.try_into().unwrap()],
        birth_dates: vec![],
        identifiers: vec![],
        addresses: vec![],
        remarks: None,
    }
}

fn lists(entries: Vec<Entry>, is_stale: bool) -> Watchlists {
    let version = ListVersion {
        list: "test".try_into().unwrap(),
        format: ListFormat::OfacCsv,
        published: now().date_naive(),
        published_by: PublishedBy::Document,
        sha256: "0".repeat(64),
        entries: u32::try_from(entries.len()).unwrap(),
    };
    let state = ListState {
        list: version.list.clone(),
        version: Some(version.clone()),
        checked_at: Some(now()),
        stale: is_stale.then(|| Stale { why: "the source did not answer".to_owned() }),
    };
    let list = Arc::new(Watchlist { version, entries });
    Watchlists { screener: Screener::build(&[list]).into(), states: vec![state] }
}

fn business() -> BusinessProfile {
    let name = "Rosoboronexport OAO".try_into().unwrap();
    BusinessProfile { country: Some("RU".try_into().unwrap()), ..BusinessProfile::named(name) }
}

fn screened(lists: &Watchlists, limit: usize) -> Screening {
    let options = ScreeningOptions { limit: Some(limit), ..ScreeningOptions::default() };
    screen(lists, business().party(), &options, now()).unwrap()
}

/// A suppression of one of a screening's matches.
fn suppression(screening: &Screening, of: usize) -> Suppression {
    let found = &screening.matches[of];
    Suppression {
        id: SuppressionId::generate(),
        screening_id: ScreeningId::generate(),
        list: found.list.clone(),
        entry_id: found.entry_id.clone(),
        subject_fingerprint: Fingerprint::of_subject(&screening.subject).unwrap(),
        entry_fingerprint: found.entry_fingerprint.unwrap(),
        reason: "another company".try_into().unwrap(),
        created_by: Actor { kind: ActorKind::ApiKey, id: "key".to_owned() },
        created_at: now() - TimeDelta::days(1),
        expires_at: Some(now() + TimeDelta::days(1)),
        withdrawn: None,
    }
}

fn codes(screening: &Screening) -> Vec<&str> {
    screening.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

#[test]
fn a_suppressed_match_is_shown_named_and_explained() {
    let mut screening = screened(&lists(vec![entry("1", "RU")], false), 10);
    let known = suppression(&screening, 0);
    assert_eq!(screening.status, ScreeningStatus::InReview);
    suppress(&mut screening, std::slice::from_ref(&known), now());
    assert_eq!((screening.status, codes(&screening)), (ScreeningStatus::NoHit, vec!["MATCHES_SUPPRESSED"]));
    let found = &screening.matches[0];
    assert_eq!((found.status, found.suppression_id), (MatchStatus::FalsePositive, Some(known.id)));
    let text = &screening.reasons[0].text;
    assert!(text.contains(&known.id.to_string()) && text.contains("entry 1 of list `test`"), "{text}");
}

#[test]
fn whatever_does_not_fit_exactly_does_not_hold() {
    let screening = screened(&lists(vec![entry("1", "RU")], false), 10);
    let fits = suppression(&screening, 0);
    let other = Fingerprint::of_entry(&entry("1", "BY")).unwrap();
    let withdrawal =
        Withdrawal { reason: "a mistake".try_into().unwrap(), by: fits.created_by.clone(), at: now() };
    let misfits = [
        ("entry changed", Suppression { entry_fingerprint: other, ..fits.clone() }),
        ("subject changed", Suppression { subject_fingerprint: other, ..fits.clone() }),
        ("another entry", Suppression { entry_id: "2".to_owned(), ..fits.clone() }),
        ("another list", Suppression { list: "other".try_into().unwrap(), ..fits.clone() }),
        ("expired just now", Suppression { expires_at: Some(now()), ..fits.clone() }),
        ("withdrawn", Suppression { withdrawn: Some(withdrawal), ..fits.clone() }),
    ];
    for (what, misfit) in misfits {
        let mut applied = screening.clone();
        suppress(&mut applied, &[misfit], now());
        assert_eq!(applied, screening, "{what}");
    }
    let mut endless = screening.clone();
    suppress(&mut endless, &[Suppression { expires_at: None, ..fits }], now());
    assert_ne!(endless, screening, "and what fits does");
}

#[test]
fn a_match_of_unknown_version_is_never_suppressed() {
    let mut screening = screened(&lists(vec![entry("1", "RU")], false), 10);
    let known = suppression(&screening, 0);
    screening.matches[0].entry_fingerprint = None;
    let before = screening.clone();
    suppress(&mut screening, &[known], now());
    assert_eq!(screening, before);
}

#[test]
fn one_match_that_stands_keeps_the_screening_in_review() {
    let mut screening = screened(&lists(vec![entry("1", "RU"), entry("2", "RU")], false), 10);
    let known = suppression(&screening, 0);
    suppress(&mut screening, &[known], now());
    assert_eq!(
        (screening.status, codes(&screening)),
        (ScreeningStatus::InReview, vec!["MATCHES_SUPPRESSED"])
    );
    assert_eq!((screening.matches.len(), screening.standing().count()), (2, 1));
}

#[test]
fn on_a_stale_list_suppression_is_an_error_not_an_all_clear() {
    let mut screening = screened(&lists(vec![entry("1", "RU")], true), 10);
    let known = suppression(&screening, 0);
    suppress(&mut screening, &[known], now());
    assert_eq!(
        (screening.status, codes(&screening)),
        (ScreeningStatus::Error, vec!["LIST_STALE", "MATCHES_SUPPRESSED"])
    );
}

/// The status where the answer holds one of two matches, and that one is suppressed.
fn cut_short(says_so: bool) -> (ScreeningStatus, Vec<String>) {
    let lists = lists(vec![entry("1", "RU"), entry("2", "RU")], false);
    let mut screening = screened(&lists, 1);
    assert!(screening.matches_truncated, "{screening:?}");
    screening.matches_truncated = says_so;
    let known = suppression(&screening, 0);
    suppress(&mut screening, &[known], now());
    let codes = codes(&screening).into_iter().map(str::to_owned).collect();
    (screening.status, codes)
}

#[test]
fn a_match_that_the_answer_has_no_room_for_is_not_suppressed_with_the_others() {
    let codes = vec!["MATCHES_SUPPRESSED".to_owned(), "MATCHES_TRUNCATED".to_owned()];
    assert_eq!(cut_short(true), (ScreeningStatus::InReview, codes));
}

#[test]
fn without_knowing_that_there_is_one_it_would_be_an_all_clear() {
    assert_eq!(cut_short(false).0, ScreeningStatus::NoHit);
}

fn verified(lists: &Watchlists, suppressed: bool) -> Findings {
    let mut screenings = screen_everybody(lists, &business(), &ScreeningOptions::default(), now());
    let subjects = subjects_with_matches(&screenings);
    assert_eq!(subjects, [Fingerprint::of_subject(&business().party()).unwrap()]);
    if suppressed {
        let known = suppression(&screenings[0], 0);
        suppress(&mut screenings[0], &[known], now());
    }
    let request = VerificationRequest { business: business(), business_id: None, reference: None };
    let policy = Policy::compile(&PolicySpec::default()).unwrap();
    judge(&policy, &request, screenings, now())
}

#[test]
fn in_a_verification_a_suppressed_match_raises_neither_check_nor_risk_and_is_evidence() {
    let lists = lists(vec![entry("1", "RU")], false);
    let watchlist = |findings: &Findings| {
        findings.checks.iter().find(|check| check.name == CheckName::Watchlist).unwrap().clone()
    };
    let factors = |findings: &Findings| -> Vec<String> {
        findings.risk.factors.iter().map(|factor| factor.code.clone()).collect()
    };
    let raised = verified(&lists, false);
    assert_eq!(watchlist(&raised).status, CheckStatus::Failure);
    assert!(factors(&raised).contains(&"SANCTIONS_MATCH".to_owned()));
    assert_eq!(raised.decision.rule, "default/sanctions");

    let quiet = verified(&lists, true);
    let check = watchlist(&quiet);
    assert_eq!(check.status, CheckStatus::Success, "{check:?}");
    assert_eq!(check.reasons[0].code.as_str(), "MATCHES_SUPPRESSED");
    assert!(check.evidence[0].claim.contains("decided to be somebody else"), "{check:?}");
    assert!(!factors(&quiet).iter().any(|code| code.starts_with("SANCTIONS")), "{:?}", factors(&quiet));
    assert_eq!(quiet.decision.rule, "default/identity");
    assert_eq!(quiet.screenings[0].matches.len(), 1);
}
