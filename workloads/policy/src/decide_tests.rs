//! What is decided, and what no rule can make of it.

use chrono::{DateTime, NaiveDate, Utc};
use kyb_domain::{
    business::BusinessProfile,
    classification::Classification,
    id::ScreeningId,
    list::{EntryKind, ListFormat, ListState, ListVersion, NameKind, PublishedBy, Stale},
    ownership::{OwnershipLink, OwnershipRole},
    party::{Party, PartyKind},
    risk::{RiskAssessment, RiskLevel},
    score::{Points, Score},
    screening::{Feature, FeatureName, Match, MatchStatus, Screening, ScreeningStatus},
    verification::{Check, CheckStatus, Evidence, Source, SourceKind},
};

use super::*;
use crate::spec::Rule;

/// A case to decide: by default a business of which everything is in order.
struct Case {
    business: BusinessProfile,
    screenings: Vec<Screening>,
    checks: Vec<Check>,
    risk: u8,
}

fn in_order() -> Case {
    let business = BusinessProfile::named("Bäckerei Schmidt GmbH".try_into().unwrap());
    let screenings = vec![screened(business.party(), vec![])];
    Case { business, screenings, checks: vec![confirmed()], risk: 10 }
}

fn hit(second: bool) -> Case {
    let case = in_order();
    Case { screenings: vec![screened(case.business.party(), vec![found(0.95, second)])], ..case }
}

/// The same with every match suppressed, and what else is the matter.
fn suppressed(mut case: Case, others: &[ReasonCode]) -> Case {
    for screening in &mut case.screenings {
        screening.matches.iter_mut().for_each(|found| found.status = MatchStatus::FalsePositive);
        screening.status = if others.is_empty() { ScreeningStatus::NoHit } else { ScreeningStatus::Error };
        let codes = others.iter().cloned().chain([ReasonCode::MATCHES_SUPPRESSED]);
        screening.reasons = codes.map(|code| Reason::new(code, "said")).collect();
    }
    case
}

fn stale() -> Case {
    let mut case = in_order();
    case.screenings[0].status = ScreeningStatus::Error;
    case.screenings[0].list_versions[0].stale = Some(Stale { why: "the source did not answer".into() });
    case.screenings[0].reasons = vec![Reason::new(ReasonCode::LIST_STALE, "List `ofac-sdn` is not current.")];
    case
}

fn confirmed() -> Check {
    let source = Source { kind: SourceKind::Registry, name: "a registry".into(), version: None };
    let evidence = vec![Evidence { claim: "it exists".into(), source }];
    Check { name: CheckName::Registry, status: CheckStatus::Success, reasons: vec![], evidence }
}

fn found(score: f64, second: bool) -> Match {
    let feature = |name, score: f64, detail: &str| Feature {
        name,
        score: Score::clamped(score),
        weight: 0.5,
        detail: detail.into(),
    };
    let country = feature(FeatureName::Country, f64::from(u8::from(second)), "both are in Russia");
    Match {
        list: "ofac-sdn".try_into().unwrap(),
        entry_id: "36".into(),
        entry_type: EntryKind::Organization,
        caption: "ROSOBORONEXPORT OAO".into(),
        matched_name: "ROSOBORONEKSPORT".into(),
        name_kind: NameKind::Alias,
        programs: vec!["INKSNA".into()],
        score: Score::clamped(score),
        features: vec![feature(FeatureName::Name, score, "alike"), country],
        entry_fingerprint: None,
        status: MatchStatus::Pending,
        suppression_id: None,
        decisions: vec![],
    }
}

fn screened(subject: Party, matches: Vec<Match>) -> Screening {
    let version = ListVersion {
        list: "ofac-sdn".try_into().unwrap(),
        format: ListFormat::OfacCsv,
        published: NaiveDate::from_ymd_opt(2019, 6, 14).unwrap(),
        published_by: PublishedBy::Document,
        sha256: "1f3a5b7c9d0e".repeat(6),
        entries: 7_379,
    };
    let state =
        ListState { list: version.list.clone(), version: Some(version), checked_at: None, stale: None };
    Screening {
        id: ScreeningId::generate(),
        status: if matches.is_empty() { ScreeningStatus::NoHit } else { ScreeningStatus::InReview },
        subject,
        list_versions: vec![state],
        algorithm: "test".into(),
        threshold: Score::clamped(0.8),
        also_loaded: vec![],
        candidates_scored: 1,
        candidates_truncated: false,
        matches_truncated: false,
        matches,
        reasons: vec![],
        created_at: DateTime::<Utc>::UNIX_EPOCH,
    }
}

fn policy(rules: &[(&str, DecisionOutcome)], required_checks: Vec<CheckName>) -> Policy {
    let rule = |(at, (when, then)): (usize, &(&str, DecisionOutcome))| Rule {
        name: format!("rule-{at}"),
        when: (*when).to_owned(),
        then: *then,
        reason: None,
    };
    let spec = PolicySpec { rules: rules.iter().enumerate().map(rule).collect(), required_checks };
    Policy::compile(&spec).unwrap()
}

fn decide_above(policy: &Policy, floor: Floor, case: &Case) -> Decision {
    let score = Points::try_from(case.risk).unwrap();
    let risk = RiskAssessment { score, level: RiskLevel::from(score), factors: vec![], model: "test".into() };
    let classification = Classification { results: vec![], method: "test".into(), version: "1".into() };
    policy.decide_above(
        floor,
        &Facts {
            business: &case.business,
            checks: &case.checks,
            screenings: &case.screenings,
            classification: &classification,
            risk: &risk,
        },
    )
}

fn decide(policy: &Policy, case: &Case) -> Decision {
    decide_above(policy, Floor::Enforced, case)
}

/// Outcome, rule and codes of a decision.
fn told(decision: &Decision) -> (DecisionOutcome, &str, Vec<&str>) {
    (decision.outcome, &decision.rule, decision.reasons.iter().map(|reason| reason.code.as_str()).collect())
}

use DecisionOutcome::{Approve, Reject, Review};

#[test]
fn the_default_policy_decides_as_documented() {
    let default = policy(&[], vec![]);
    let unconfirmed = || Case { checks: vec![], ..in_order() };
    let failed = || {
        let lei = Check {
            status: CheckStatus::Failure,
            reasons: vec![Reason::new(ReasonCode::LEI_INVALID, "no LEI")],
            ..confirmed()
        };
        Case { checks: vec![lei], ..in_order() }
    };
    let weak_name = || {
        let mut case = hit(true);
        case.screenings[0].matches[0] = found(0.8, true);
        case
    };
    let weak_alias = || {
        let mut case = hit(true);
        case.screenings[0].matches[0].name_kind = NameKind::Weak;
        case
    };
    for (what, case, outcome, rule, codes) in [
        (
            "suppressed",
            suppressed(hit(true), &[]),
            Approve,
            "default/approve",
            vec!["ALL_CLEAR", "MATCHES_SUPPRESSED"],
        ),
        (
            "suppressed, and more than the answer holds",
            suppressed(hit(true), &[ReasonCode::MATCHES_TRUNCATED]),
            Review,
            "default/screening-incomplete",
            vec!["MATCHES_TRUNCATED"],
        ),
        (
            "suppressed on a stale list",
            suppressed(hit(true), &[ReasonCode::LIST_STALE]),
            Review,
            "default/screening-incomplete",
            vec!["LIST_STALE"],
        ),
        ("all in order", in_order(), Approve, "default/approve", vec!["ALL_CLEAR"]),
        ("second evidence", hit(true), Reject, "default/sanctions", vec!["WATCHLIST_MATCH"]),
        ("name alone", hit(false), Review, "default/name-match", vec!["WATCHLIST_NAME_MATCH"]),
        ("unlike name, second evidence", weak_name(), Review, "default/name-match", vec!["WATCHLIST_MATCH"]),
        ("weak alias, second evidence", weak_alias(), Review, "default/name-match", vec!["WATCHLIST_MATCH"]),
        ("stale list", stale(), Review, "default/screening-incomplete", vec!["LIST_STALE"]),
        (
            "nobody screened",
            Case { screenings: vec![], ..in_order() },
            Review,
            "default/screening-incomplete",
            vec!["REQUIRED_CHECK_MISSING"],
        ),
        ("high risk", Case { risk: 70, ..in_order() }, Review, "default/risk", vec!["RISK_HIGH"]),
        ("critical risk", Case { risk: 85, ..in_order() }, Review, "default/risk", vec!["RISK_CRITICAL"]),
        (
            "failed check",
            failed(),
            Review,
            "default/check-failed",
            vec!["LEI_INVALID", "IDENTITY_UNCONFIRMED"],
        ),
        ("unconfirmed", unconfirmed(), Review, "default/identity", vec!["IDENTITY_UNCONFIRMED"]),
    ] {
        let decision = decide(&default, &case);
        assert_eq!(told(&decision), (outcome, rule, codes), "{what}: {decision:?}");
        assert_eq!(decision.policy_version, "default");
    }
}

#[test]
fn rules_do_not_see_suppressed_matches_and_an_approval_says_that_there_are_some() {
    let rejects =
        policy(&[("screening.matches.exists(m, m.score > 0.5)", Reject), ("true", Approve)], vec![]);
    assert_eq!(told(&decide(&rejects, &hit(true))).0, Reject);
    let decision = decide(&rejects, &suppressed(hit(true), &[]));
    assert_eq!(told(&decision), (Approve, "rule-1", vec!["POLICY_RULE", "MATCHES_SUPPRESSED"]));
    let one_stands = {
        let mut case = suppressed(hit(true), &[]);
        case.screenings[0].matches.push(found(0.9, false));
        case.screenings[0].status = ScreeningStatus::InReview;
        case
    };
    assert_eq!(told(&decide(&policy(&[("true", Approve)], vec![]), &one_stands)).0, Review);
}

#[test]
fn a_rejection_names_subject_alias_entry_list_and_version() {
    let text = &decide(&policy(&[], vec![]), &hit(true)).reasons[0].text;
    for part in [
        "Bäckerei Schmidt GmbH",
        "ROSOBORONEKSPORT",
        "an alias of `ROSOBORONEXPORT OAO`",
        "entry 36",
        "ofac-sdn",
        "2019-06-14+1f3a5b7c9d0e",
        "0.95",
        "both are in Russia",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn the_first_rule_that_holds_decides() {
    let rules = [("risk.score > 90", Reject), ("risk.score > 5", Review), ("true", Reject)];
    let decision = decide(&policy(&rules, vec![]), &in_order());
    assert_eq!(told(&decision), (Review, "rule-1", vec!["POLICY_RULE"]));
    assert_eq!(decision.policy_version.len(), 12);
}

#[test]
fn no_rule_approves_what_was_not_screened_clean() {
    let yes = policy(&[("true", Approve)], vec![]);
    for (what, case, code) in [
        ("a hit", hit(true), "WATCHLIST_NAME_MATCH"),
        ("a name match", hit(false), "WATCHLIST_NAME_MATCH"),
        ("a stale list", stale(), "LIST_STALE"),
        ("no screening", Case { screenings: vec![], ..in_order() }, "REQUIRED_CHECK_MISSING"),
    ] {
        assert_eq!(
            told(&decide(&yes, &case)),
            (Review, "rule-0", vec!["APPROVAL_NOT_ALLOWED", code]),
            "{what}"
        );
    }
    assert_eq!(decide(&yes, &in_order()).outcome, Approve);
}

/// Twin: without the floor the same rule approves all of them.
#[test]
fn without_the_floor_a_rule_would_approve_a_sanctioned_party() {
    let yes = policy(&[("true", Approve)], vec![]);
    for case in [hit(true), hit(false), stale(), Case { screenings: vec![], ..in_order() }] {
        assert_eq!(decide_above(&yes, Floor::Removed, &case).outcome, Approve);
    }
}

#[test]
fn a_director_who_was_not_screened_keeps_the_business_from_approval() {
    let mut case = in_order();
    let party = Party::named(PartyKind::Person, "Erika Mustermann".try_into().unwrap());
    case.business.owners.push(OwnershipLink {
        party: party.clone(),
        role: OwnershipRole::Director,
        percent: None,
    });
    for rules in [&[("true", Approve)][..], &[]] {
        let decision = decide(&policy(rules, vec![]), &case);
        assert_eq!(decision.outcome, Review);
        assert!(
            decision.reasons.iter().any(|reason| reason.text.contains("Erika Mustermann")),
            "{decision:?}"
        );
    }
    case.screenings.push(screened(party, vec![]));
    assert_eq!(decide(&policy(&[], vec![]), &case).outcome, Approve);
}

#[test]
fn a_watchlist_check_that_did_not_succeed_is_no_clear_screening() {
    let mut case = in_order();
    case.checks.push(Check {
        name: CheckName::Watchlist,
        status: CheckStatus::Error,
        reasons: vec![],
        evidence: vec![],
    });
    assert_eq!(decide(&policy(&[("true", Approve)], vec![]), &case).outcome, Review);
    assert_eq!(decide(&policy(&[], vec![]), &case).outcome, Review);
}

#[test]
fn a_required_check_that_did_not_succeed_means_review() {
    for rules in [&[("true", Approve)][..], &[]] {
        let missing = decide(&policy(rules, vec![CheckName::TaxId]), &in_order());
        assert_eq!((missing.outcome, missing.reasons[0].code.as_str()), (Review, "REQUIRED_CHECK_MISSING"));
        assert!(missing.reasons[0].text.contains("tax_id"), "{missing:?}");
        assert_eq!(decide(&policy(rules, vec![CheckName::Registry]), &in_order()).outcome, Approve);
    }
}

#[test]
fn a_rule_that_fails_means_review_and_is_named() {
    // holds on every sample facts, fails on these: the name is no number
    let rules = [("business.country == 'CH' && int(business.name) > 0", Reject), ("true", Approve)];
    let mut case = in_order();
    case.business.country = Some("CH".try_into().unwrap());
    case.screenings = vec![screened(case.business.party(), vec![])];
    let decision = decide(&policy(&rules, vec![]), &case);
    assert_eq!(told(&decision), (Review, "rule-0", vec!["POLICY_ERROR"]));
    assert!(decision.reasons[0].text.contains("rule-0"), "{decision:?}");
}

#[test]
fn rules_see_every_variable_with_its_value() {
    for when in [
        "risk.score == 10 && risk.level == 'low' && risk.factors == []",
        "screening.status == 'in_review' && screening.best_score == 0.95 && screening.second_evidence",
        "screening.matches == [{'list': 'ofac-sdn', 'entry_id': '36', 'score': 0.95, 'second_evidence': true, 'programs': ['INKSNA']}]",
        "checks.registry == 'success' && checks.website == 'skipped'",
        "business.name == 'Bäckerei Schmidt GmbH' && business.country == '' && business.legal_form == ''",
        "business.incorporated_on == '' && industry.code == '' && industry.confidence == 0.0",
    ] {
        assert_eq!(decide(&policy(&[(when, Reject)], vec![]), &hit(true)).rule, "rule-0", "{when}");
    }
}

#[test]
fn a_policy_is_shared_between_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    shared(&policy(&[("true", Review)], vec![]));
}
