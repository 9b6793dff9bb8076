//! Whatever is known, the points listed are the score; and more of what is bad is never less.

use kyb_domain::{
    business::Address,
    classification::{IndustryCode, Scheme},
    country::CountryCode,
    id::ScreeningId,
    list::{EntryKind, NameKind},
    ownership::{OwnershipLink, OwnershipRole},
    party::{Party, PartyKind},
    score::{Percent, Score},
    screening::{Feature, FeatureName, Match, MatchStatus, ScreeningStatus},
    verification::{CheckName, CheckStatus, Evidence, Source, SourceKind},
};
use proptest::prelude::*;

use super::*;
use crate::{CALL_FOR_ACTION, INCREASED_MONITORING};

/// Everything that can be bad, each switched on or off.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each fact is there or not, and any may go with any other")]
struct Bad {
    match_with_evidence: bool,
    name_match: bool,
    not_screened: bool,
    call_for_action: bool,
    monitored: bool,
    casino: bool,
    failed_check: bool,
    no_owners: bool,
    young: bool,
    unconfirmed: bool,
    no_address: bool,
}

impl Bad {
    fn from_bits(bits: u16) -> Self {
        let bit = |at: u16| bits & (1 << at) != 0;
        Self {
            match_with_evidence: bit(0),
            name_match: bit(1),
            not_screened: bit(2),
            call_for_action: bit(3),
            monitored: bit(4),
            casino: bit(5),
            failed_check: bit(6),
            no_owners: bit(7),
            young: bit(8),
            unconfirmed: bit(9),
            no_address: bit(10),
        }
    }

    fn assessed(self) -> RiskAssessment {
        let business = self.business();
        let (checks, screenings, classification) =
            (self.checks(), self.screenings(&business), self.classification());
        let today = NaiveDate::from_ymd_opt(2025, 6, 1).unwrap();
        assess(&RiskInput {
            business: &business,
            checks: &checks,
            screenings: &screenings,
            classification: &classification,
            today,
        })
    }

    fn business(self) -> BusinessProfile {
        let mut business = BusinessProfile::named("Muster AG".try_into().unwrap());
        business.country = Some("CH".try_into().unwrap());
        business.incorporated_on = Some(if self.young { "2025-02" } else { "1999" }.parse().unwrap());
        let street = Some("Weg 1".try_into().unwrap());
        business.address = (!self.no_address).then(|| Address { street, ..Address::default() });
        if !self.no_owners {
            business.owners.push(owner(None));
        }
        if self.call_for_action {
            business.owners.push(owner(Some("IR")));
        }
        if self.monitored {
            business.owners.push(owner(Some("VN")));
        }
        business
    }

    fn checks(self) -> Vec<Check> {
        let source = Source { kind: SourceKind::Registry, name: "a registry".into(), version: None };
        let evidence = vec![Evidence { claim: "it exists".into(), source }];
        let check = |name, status| Check { name, status, reasons: vec![], evidence: evidence.clone() };
        let mut checks = vec![];
        if !self.unconfirmed {
            checks.push(check(CheckName::Registry, CheckStatus::Success));
        }
        if self.failed_check {
            checks.push(check(CheckName::TaxId, CheckStatus::Failure));
        }
        checks
    }

    fn screenings(self, business: &BusinessProfile) -> Vec<Screening> {
        if self.not_screened && !self.match_with_evidence && !self.name_match {
            return vec![];
        }
        let second = self.match_with_evidence.then(|| found(true));
        let matches: Vec<Match> = second.into_iter().chain(self.name_match.then(|| found(false))).collect();
        vec![Screening {
            id: ScreeningId::generate(),
            status: if matches.is_empty() { ScreeningStatus::NoHit } else { ScreeningStatus::InReview },
            subject: business.party(),
            list_versions: vec![],
            algorithm: "test".into(),
            threshold: Score::ONE,
            also_loaded: vec![],
            candidates_scored: 0,
            candidates_truncated: self.not_screened,
            matches_truncated: false,
            matches,
            reasons: vec![],
            created_at: chrono::DateTime::<chrono::Utc>::UNIX_EPOCH,
        }]
    }

    fn classification(self) -> Classification {
        let (code, title) = if self.casino { ("713210", "Casinos") } else { ("311811", "Retail Bakeries") };
        let best = IndustryCode {
            scheme: Scheme::Naics2022,
            code: code.into(),
            title: title.into(),
            confidence: Score::ONE,
            rank: 1,
            evidence: vec![],
        };
        Classification { results: vec![best], method: "test".into(), version: "1".into() }
    }
}

fn owner(country: Option<&str>) -> OwnershipLink {
    let mut party = Party::named(PartyKind::Person, "Erika Muster".try_into().unwrap());
    party.countries = country.map(|code| CountryCode::try_from(code).unwrap()).into_iter().collect();
    let percent = country.is_none().then(|| Percent::try_from(80.0).unwrap());
    OwnershipLink { party, role: OwnershipRole::BeneficialOwner, percent }
}

fn found(second: bool) -> Match {
    let score = Score::clamped(if second { 1.0 } else { 0.0 });
    Match {
        list: "test".try_into().unwrap(),
        entry_id: "1".into(),
        entry_type: EntryKind::Organization,
        caption: "MUSTER".into(),
        matched_name: "MUSTER".into(),
        name_kind: NameKind::Primary,
        programs: vec![],
        score: Score::clamped(0.9),
        features: vec![Feature {
            name: FeatureName::Country,
            score,
            weight: 0.1,
            detail: "both Swiss".into(),
        }],
        entry_fingerprint: None,
        status: MatchStatus::Pending,
        suppression_id: None,
        decisions: vec![],
    }
}

fn codes(assessment: &RiskAssessment) -> Vec<&str> {
    assessment.factors.iter().map(|factor| factor.code.as_str()).collect()
}

proptest! {
    #[test]
    fn the_points_listed_add_up_to_the_score(bits in 0_u16..1 << 11) {
        let assessment = Bad::from_bits(bits).assessed();
        let sum: u32 = assessment.factors.iter().map(|factor| u32::from(factor.points.get())).sum();
        prop_assert_eq!(sum, u32::from(assessment.score.get()));
        prop_assert!(assessment.factors.iter().all(|factor| factor.points.get() > 0 && !factor.detail.is_empty()));
        prop_assert!(assessment.factors.is_sorted_by(|a, b| a.points >= b.points), "heaviest first");
        prop_assert_eq!(assessment.level, RiskLevel::from(assessment.score));
    }

    #[test]
    fn one_more_bad_fact_never_lowers_the_score(bits in 0_u16..1 << 11, more in 0_u16..11) {
        // what an owner from a listed country adds must not be hidden by what their share explains
        let (less, worse) = (Bad::from_bits(bits).assessed(), Bad::from_bits(bits | 1 << more).assessed());
        prop_assert!(worse.score >= less.score, "{:?} {:?}", codes(&less), codes(&worse));
    }
}

#[test]
fn a_business_in_order_scores_nothing() {
    let assessment = Bad::default().assessed();
    assert_eq!((assessment.score.get(), assessment.factors.len()), (0, 0), "{assessment:?}");
    assert_eq!(assessment.level, RiskLevel::Low);
}

#[test]
fn a_match_with_second_evidence_is_critical_and_a_name_alone_is_not() {
    let evidence = Bad { match_with_evidence: true, ..Bad::default() }.assessed();
    assert_eq!((evidence.level, codes(&evidence)), (RiskLevel::Critical, vec!["SANCTIONS_MATCH"]));
    let name = Bad { name_match: true, ..Bad::default() }.assessed();
    assert_eq!(
        (name.score.get(), name.level, codes(&name)),
        (45, RiskLevel::Medium, vec!["SANCTIONS_NAME_MATCH"])
    );
}

#[test]
fn each_factor_says_why_in_words() {
    let all = Bad { match_with_evidence: false, ..Bad::from_bits(u16::MAX) }.assessed();
    let details: Vec<_> = all.factors.iter().map(|factor| factor.detail.as_str()).collect();
    let text = details.join("\n");
    for part in ["MUSTER", "Iran", "FATF"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let casino = Bad { casino: true, young: true, ..Bad::default() }.assessed();
    assert_eq!(codes(&casino), ["HIGH_RISK_INDUSTRY", "YOUNG_BUSINESS"]);
    assert!(casino.factors[0].detail.contains("gambling") && casino.factors[1].detail.contains("2025-02"));
}

#[test]
fn ignorance_adds_points() {
    let business = BusinessProfile::named("X".try_into().unwrap());
    let classification = Classification { results: vec![], method: "test".into(), version: "1".into() };
    let today = NaiveDate::from_ymd_opt(2025, 6, 1).unwrap();
    let input = RiskInput {
        business: &business,
        checks: &[],
        screenings: &[],
        classification: &classification,
        today,
    };
    let expected = [
        "SCREENING_INCOMPLETE",
        "OWNERSHIP_OPAQUE",
        "IDENTITY_UNCONFIRMED",
        "AGE_UNKNOWN",
        "ADDRESS_MISSING",
        "INDUSTRY_UNKNOWN",
    ];
    assert_eq!(codes(&assess(&input)), expected);
}

#[test]
fn every_country_and_industry_of_the_tables_counts() {
    for code in CALL_FOR_ACTION.iter().chain(INCREASED_MONITORING) {
        let mut business = Bad::default().business();
        business.country = Some(CountryCode::try_from(*code).unwrap());
        let bad = Bad::default();
        let (checks, screenings, classification) =
            (bad.checks(), bad.screenings(&business), bad.classification());
        let today = NaiveDate::from_ymd_opt(2025, 6, 1).unwrap();
        let input = RiskInput {
            business: &business,
            checks: &checks,
            screenings: &screenings,
            classification: &classification,
            today,
        };
        assert!(assess(&input).score.get() >= 20, "{code}");
    }
    let table = include_str!("../../classification/data/naics_2022.csv");
    for industry in crate::HIGH_RISK_INDUSTRIES {
        let known = table.lines().any(|row| row.split(',').next() == Some(industry.prefix));
        assert!(known, "{} is no NAICS 2022 code", industry.prefix);
    }
}
