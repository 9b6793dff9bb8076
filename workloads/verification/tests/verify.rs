//! A verification from input to decision, on lists built by hand.
#![allow(clippy::unwrap_used, reason = "a test stops where its own input is wrong")]

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use kyb_domain::{
    business::{Address, BusinessProfile},
    country::CountryCode,
    date::DateSpan,
    decision::DecisionOutcome,
    identifier::{Identifier, IdentifierKind},
    list::{
        Entry, EntryKind, ListFormat, ListId, ListState, ListVersion, ListedName, NameKind, PublishedBy,
        Stale, Watchlist,
    },
    ownership::{OwnershipLink, OwnershipRole},
    party::{Party, PartyKind},
    risk::RiskLevel,
    score::{Percent, Score},
    screening::{FeatureName, ScreeningStatus},
    verification::{Check, CheckName, CheckStatus, Findings, SourceKind, VerificationRequest},
};
use kyb_policy::{Policy, PolicySpec, Rule};
use kyb_screening::Screener;
use kyb_verification::{ScreeningError, ScreeningOptions, Watchlists, list_problems, screen, verify};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 6, 1, 12, 0, 0).unwrap()
}

fn list_id() -> ListId {
    "ofac-sdn".try_into().unwrap()
}

fn country(code: &str) -> CountryCode {
    code.try_into().unwrap()
}

fn entry(id: &str, kind: EntryKind, names: &[(NameKind, &str)], countries: &[&str]) -> Entry {
    Entry {
        id: id.to_owned(),
        reference: None,
        kind,
        names: names
            .iter()
            .map(|(kind, text)| ListedName { kind: *kind, text: (*text).to_owned() })
            .collect(),
        programs: vec!["UKRAINE-EO13662".to_owned()],
        countries: countries.iter().map(|code| country(code)).collect(),
        birth_dates: vec![],
        identifiers: vec![],
        addresses: vec![],
        remarks: None,
    }
}

fn watchlist() -> Watchlist {
    let arms = [(NameKind::Primary, "ROSOBORONEXPORT OAO"), (NameKind::Alias, "ROSOBORONEKSPORT OAO")];
    let person = Entry {
        birth_dates: vec![DateSpan::of("1961-03-05".parse().unwrap(), false)],
        ..entry("7001", EntryKind::Person, &[(NameKind::Primary, "SHAMALOV, Kirill Nikolaevich")], &["RU"])
    };
    let trading = entry(
        "8001",
        EntryKind::Organization,
        &[(NameKind::Primary, "ORIENTAL PEARL TRADING COMPANY")],
        &["KP"],
    );
    let version = ListVersion {
        list: list_id(),
        format: ListFormat::OfacCsv,
        published: NaiveDate::from_ymd_opt(2025, 5, 30).unwrap(),
        published_by: PublishedBy::Document,
        sha256: "0123456789ab".repeat(6)[..64].to_owned(),
        entries: 3,
    };
    Watchlist {
        version,
        entries: vec![entry("18068", EntryKind::Organization, &arms, &["RU"]), person, trading],
    }
}

/// The list, fresh.
fn lists() -> Watchlists {
    let list = watchlist();
    let state = ListState {
        list: list_id(),
        version: Some(list.version.clone()),
        checked_at: Some(now()),
        stale: None,
    };
    Watchlists { screener: Screener::build(&[Arc::new(list)]).into(), states: vec![state] }
}

fn stale_lists() -> Watchlists {
    let mut lists = lists();
    lists.states[0].stale = Some(Stale { why: "the source answers 500 since 2025-05-31".into() });
    lists
}

fn business(name: &str, in_country: Option<&str>) -> BusinessProfile {
    BusinessProfile { country: in_country.map(country), ..BusinessProfile::named(name.try_into().unwrap()) }
}

fn bakery() -> BusinessProfile {
    let part = |text: &str| Some(text.try_into().unwrap());
    let identifier = |kind, value: &str| Identifier { kind, value: value.try_into().unwrap(), country: None };
    BusinessProfile {
        description: Some("Bakery selling bread, rolls and cakes over the counter".try_into().unwrap()),
        legal_form: part("GmbH"),
        address: Some(Address {
            street: part("Hauptstraße 5"),
            city: part("Freiburg"),
            postal_code: part("79098"),
            country: Some(country("DE")),
            region: None,
        }),
        identifiers: vec![
            identifier(IdentifierKind::Lei, "529900SEOICVR2VM6Y05"),
            identifier(IdentifierKind::RegistryNumber, "HRB 12345"),
        ],
        incorporated_on: Some("1998-04".parse().unwrap()),
        owners: vec![owner("Anna Schmidt", OwnershipRole::BeneficialOwner, Some(100.0))],
        ..business("Bäckerei Schmidt GmbH", Some("DE"))
    }
}

fn owner(name: &str, role: OwnershipRole, percent: Option<f64>) -> OwnershipLink {
    let party = Party::named(PartyKind::Person, name.try_into().unwrap());
    OwnershipLink { party, role, percent: percent.map(|share| Percent::try_from(share).unwrap()) }
}

fn run(lists: &Watchlists, business: BusinessProfile, rules: &[(&str, DecisionOutcome)]) -> Findings {
    let rule = |(when, then): &(&str, DecisionOutcome)| Rule {
        name: "tenant-rule".into(),
        when: (*when).to_owned(),
        then: *then,
        reason: None,
    };
    let policy =
        Policy::compile(&PolicySpec { rules: rules.iter().map(rule).collect(), required_checks: vec![] })
            .unwrap();
    let request = VerificationRequest { business, business_id: None, reference: None };
    verify(lists, &policy, &ScreeningOptions::default(), &request, now())
}

fn check(findings: &Findings, name: CheckName) -> &Check {
    findings.checks.iter().find(|check| check.name == name).unwrap()
}

fn codes(check: &Check) -> Vec<&str> {
    check.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

#[test]
fn a_sanctioned_company_with_a_misspelt_name_and_its_country_is_rejected_and_everything_is_named() {
    let findings = run(&lists(), business("Rosoboroneksprt OAO", Some("RU")), &[]);
    let decision = &findings.decision;
    assert_eq!(
        (decision.outcome, decision.rule.as_str()),
        (DecisionOutcome::Reject, "default/sanctions"),
        "{findings:#?}"
    );
    let text = &decision.reasons[0].text;
    for part in [
        "Rosoboroneksprt OAO",
        "ROSOBORONEKSPORT OAO",
        "alias of `ROSOBORONEXPORT OAO`",
        "entry 18068",
        "ofac-sdn",
        "2025-05-30+0123456789ab",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    let found = &findings.screenings[0].matches[0];
    let features: Vec<_> = found.features.iter().map(|feature| feature.name).collect();
    assert!(
        features.contains(&FeatureName::Name) && features.contains(&FeatureName::Country),
        "{features:?}"
    );
    assert!(found.features.iter().all(|feature| feature.score == feature.score.rounded(4)), "{found:?}");
    assert_eq!(check(&findings, CheckName::Watchlist).status, CheckStatus::Failure);
    assert_eq!(findings.risk.level, RiskLevel::Critical);
}

#[test]
fn an_ordinary_bakery_is_reviewed_for_a_reason_in_plain_words_and_gets_its_code() {
    let findings = run(&lists(), bakery(), &[]);
    let decision = &findings.decision;
    assert_eq!(
        (decision.outcome, decision.rule.as_str()),
        (DecisionOutcome::Review, "default/identity"),
        "{findings:#?}"
    );
    assert_eq!(decision.reasons.len(), 1);
    assert!(decision.reasons[0].text.contains("no registry or tax authority confirmed it"), "{decision:?}");
    assert_eq!(findings.classification.results[0].code, "311811");
    assert_eq!(findings.risk.level, RiskLevel::Low, "{:?}", findings.risk);
    let statuses: Vec<_> =
        findings.checks.iter().map(|check| (check.name.as_str(), check.status.as_str())).collect();
    let expected = [
        ("name", "success"),
        ("address", "success"),
        ("registry", "skipped"),
        ("tax_id", "skipped"),
        ("legal_form", "success"),
        ("people", "skipped"),
        ("ownership", "success"),
        ("industry", "success"),
        ("website", "skipped"),
        ("watchlist", "success"),
    ];
    assert_eq!(statuses, expected);
}

#[test]
fn a_namesake_without_second_evidence_is_reviewed() {
    let findings = run(&lists(), business("Oriental Pearl Trading Company", Some("AU")), &[]);
    assert_eq!(findings.screenings[0].status, ScreeningStatus::InReview, "{:#?}", findings.screenings);
    let decision = &findings.decision;
    assert_eq!((decision.outcome, decision.rule.as_str()), (DecisionOutcome::Review, "default/name-match"));
    assert_eq!(decision.reasons[0].code.as_str(), "WATCHLIST_NAME_MATCH");
    assert_eq!(check(&findings, CheckName::Watchlist).status, CheckStatus::Warning);
}

#[test]
fn a_stale_list_is_an_error_and_a_review_never_a_pass() {
    let findings = run(&stale_lists(), bakery(), &[]);
    assert!(findings.screenings.iter().all(|screening| screening.status == ScreeningStatus::Error));
    assert_eq!(check(&findings, CheckName::Watchlist).status, CheckStatus::Error);
    assert_eq!(findings.decision.outcome, DecisionOutcome::Review);
    assert_eq!(findings.decision.reasons[0].code.as_str(), "LIST_STALE");
    assert!(findings.decision.reasons[0].text.contains("answers 500"), "{:?}", findings.decision);
}

#[test]
fn a_stale_list_still_finds_what_it_holds() {
    let findings = run(&stale_lists(), business("Rosoboroneksport OAO", Some("RU")), &[]);
    assert_eq!(findings.decision.outcome, DecisionOutcome::Reject);
    assert_eq!(findings.screenings[0].reasons[0].code.as_str(), "LIST_STALE");
}

#[test]
fn a_director_on_the_list_is_caught() {
    let mut with_director = bakery();
    let mut director = owner("Kirill Shamalov", OwnershipRole::Director, None);
    director.party.birth_date = Some("1961-03-05".parse().unwrap());
    with_director.owners.push(director);
    let findings = run(&lists(), with_director, &[]);
    assert_eq!(findings.screenings.len(), 3);
    let caught = &findings.screenings[2];
    assert_eq!(
        (caught.subject.name.as_str(), caught.status),
        ("Kirill Shamalov", ScreeningStatus::InReview),
        "{caught:#?}"
    );
    assert_ne!(findings.decision.outcome, DecisionOutcome::Approve);
    assert!(findings.decision.reasons[0].text.contains("Kirill Shamalov"), "{:?}", findings.decision);
}

#[test]
fn a_director_does_not_inherit_the_businesss_country() {
    let mut with_director = business("Vostok Handel", Some("RU"));
    with_director.owners.push(owner("Kirill Nikolaevich Shamalov", OwnershipRole::Director, None));
    let findings = run(&lists(), with_director, &[]);
    assert!(
        findings.screenings[1].matches.iter().all(|found| found.second_evidence().is_none()),
        "{findings:#?}"
    );
    assert_eq!(findings.decision.outcome, DecisionOutcome::Review);
}

#[test]
fn a_tenants_rule_approves_the_bakery_but_never_a_hit() {
    let always = [("true", DecisionOutcome::Approve)];
    assert_eq!(run(&lists(), bakery(), &always).decision.outcome, DecisionOutcome::Approve);
    for (lists, business) in [
        (lists(), business("Rosoboroneksprt OAO", Some("RU"))),
        (lists(), business("Oriental Pearl Trading Company", None)),
        (stale_lists(), bakery()),
    ] {
        let decision = run(&lists, business, &always).decision;
        assert_eq!((decision.outcome, decision.rule.as_str()), (DecisionOutcome::Review, "tenant-rule"));
        assert_eq!(decision.reasons[0].code.as_str(), "APPROVAL_NOT_ALLOWED");
    }
}

#[test]
fn without_a_list_nothing_is_ever_clear() {
    let none = Watchlists { screener: Screener::build(&[]).into(), states: vec![] };
    let never_read = ListState { list: list_id(), version: None, checked_at: None, stale: None };
    let missing = Watchlists { screener: Screener::build(&[]).into(), states: vec![never_read] };
    for lists in [none, missing] {
        assert_eq!(list_problems(&lists.states)[0].code.as_str(), "LIST_MISSING");
        let findings = run(&lists, bakery(), &[("true", DecisionOutcome::Approve)]);
        assert_eq!(findings.screenings[0].status, ScreeningStatus::Error);
        assert_eq!(findings.decision.outcome, DecisionOutcome::Review);
        assert_eq!(findings.decision.reasons[1].code.as_str(), "LIST_MISSING");
    }
}

#[test]
fn a_list_that_nobody_knows_is_refused_and_an_empty_choice_is_no_pass() {
    let subject = || bakery().party();
    let only = |lists: Vec<ListId>| ScreeningOptions { lists: Some(lists), ..ScreeningOptions::default() };
    let unknown = screen(&lists(), subject(), &only(vec!["no-such-list".try_into().unwrap()]), now());
    assert!(matches!(unknown, Err(ScreeningError::UnknownList(list)) if list.as_str() == "no-such-list"));
    let empty = screen(&lists(), subject(), &only(vec![]), now()).unwrap();
    assert_eq!(empty.status, ScreeningStatus::Error);
    // a verification is not refused: what was wanted and is not there counts as missing
    let request = VerificationRequest { business: bakery(), business_id: None, reference: None };
    let policy = Policy::compile(&PolicySpec::default()).unwrap();
    let findings =
        verify(&lists(), &policy, &only(vec!["no-such-list".try_into().unwrap()]), &request, now());
    assert_eq!(findings.decision.reasons[0].code.as_str(), "LIST_MISSING");
    let chosen = screen(&lists(), subject(), &only(vec![list_id()]), now()).unwrap();
    assert_eq!((chosen.status, chosen.list_versions.len()), (ScreeningStatus::NoHit, 1));
}

#[test]
fn threshold_and_limit_are_the_callers() {
    let subject = Party::named(PartyKind::Business, "Rosoboroneksprt".try_into().unwrap());
    let with = |threshold: f64| ScreeningOptions {
        threshold: Some(Score::clamped(threshold)),
        limit: Some(0),
        ..Default::default()
    };
    let strict = screen(&lists(), subject.clone(), &with(1.0), now()).unwrap();
    assert_eq!((strict.status, strict.threshold), (ScreeningStatus::NoHit, Score::ONE));
    let lax = screen(&lists(), subject, &with(0.5), now()).unwrap();
    assert_eq!((lax.status, lax.matches.len()), (ScreeningStatus::InReview, 1), "a limit below 1 is 1");
}

#[test]
fn a_wrong_lei_fails_and_a_right_one_proves_nothing() {
    let mut wrong = bakery();
    wrong.identifiers[0].value = "529900SEOICVR2VM6Y06".try_into().unwrap();
    let findings = run(&lists(), wrong, &[]);
    let registry = check(&findings, CheckName::Registry);
    assert_eq!((registry.status, codes(registry)), (CheckStatus::Failure, vec!["LEI_INVALID"]));
    assert_eq!(findings.decision.rule, "default/check-failed");

    let findings = run(&lists(), bakery(), &[]);
    let registry = check(&findings, CheckName::Registry);
    assert_eq!(
        (registry.status, codes(registry)),
        (CheckStatus::Skipped, vec!["REGISTRY_NOT_CONFIGURED", "LEI_WELL_FORMED"])
    );
    assert!(
        registry
            .evidence
            .iter()
            .any(|e| e.source.kind == SourceKind::Standard && e.source.name == "ISO 17442")
    );
    assert!(!registry.is_independent_success());
}

#[test]
fn each_check_says_what_it_lacked() {
    let findings = run(&lists(), business("Acme", None), &[]);
    for (name, expected) in [
        (CheckName::Address, &["INPUT_MISSING"][..]),
        (CheckName::Registry, &["REGISTRY_NOT_CONFIGURED", "INPUT_MISSING"]),
        (CheckName::TaxId, &["INPUT_MISSING"]),
        (CheckName::LegalForm, &["INPUT_MISSING"]),
        (CheckName::People, &["INPUT_MISSING"]),
        (CheckName::Ownership, &["INPUT_MISSING"]),
        (CheckName::Industry, &["INDUSTRY_UNCLEAR", "INPUT_MISSING"]),
        (CheckName::Website, &["INPUT_MISSING"]),
    ] {
        let check = check(&findings, name);
        assert_eq!(
            (check.status, codes(check).as_slice()),
            (CheckStatus::Skipped, expected),
            "{}",
            name.as_str()
        );
    }
}

#[test]
fn contradictions_in_the_input_are_seen() {
    let mut odd = bakery();
    odd.country = Some(country("PA"));
    odd.legal_form = Some("AG".try_into().unwrap());
    odd.owners.push(owner("Bernd Schmidt", OwnershipRole::BeneficialOwner, Some(50.0)));
    let findings = run(&lists(), odd, &[]);
    assert_eq!(codes(check(&findings, CheckName::Address)), ["COUNTRY_CONFLICT"]);
    assert_eq!(codes(check(&findings, CheckName::LegalForm)), ["LEGAL_FORM_CONFLICT"]);
    let ownership = check(&findings, CheckName::Ownership);
    assert_eq!((ownership.status, codes(ownership)), (CheckStatus::Failure, vec!["OWNERSHIP_EXCESSIVE"]));

    let mut part = bakery();
    part.owners = vec![
        owner("Anna Schmidt", OwnershipRole::Shareholder, Some(40.0)),
        owner("Bo Lee", OwnershipRole::Director, None),
    ];
    part.legal_form = Some("Zunft".try_into().unwrap());
    part.address.as_mut().unwrap().street = None;
    let findings = run(&lists(), part, &[]);
    assert_eq!(codes(check(&findings, CheckName::Ownership)), ["OWNERSHIP_INCOMPLETE"]);
    assert_eq!(codes(check(&findings, CheckName::LegalForm)), ["LEGAL_FORM_UNKNOWN"]);
    assert_eq!(codes(check(&findings, CheckName::Address)), ["ADDRESS_INCOMPLETE"]);
    assert_eq!(codes(check(&findings, CheckName::People)), ["PEOPLE_GIVEN"]);
}

#[test]
fn the_watchlist_check_cites_each_list_and_its_version() {
    let findings = run(&lists(), bakery(), &[]);
    let evidence = &check(&findings, CheckName::Watchlist).evidence;
    assert_eq!(evidence.len(), 1);
    assert_eq!(
        (evidence[0].source.kind, evidence[0].source.name.as_str()),
        (SourceKind::Watchlist, "ofac-sdn")
    );
    assert_eq!(evidence[0].source.version.as_deref(), Some("2025-05-30+0123456789ab"));
}
