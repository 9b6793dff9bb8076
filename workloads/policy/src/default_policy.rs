//! The policy where no rule of the tenant's held. Its rules are called `default/<name>`:
//!
//! | rule | outcome | when |
//! |---|---|---|
//! | `default/sanctions` | reject | a match with a strong name ([`STRONG_NAME`]) and a second attribute that agrees |
//! | `default/name-match` | review | any other match |
//! | `default/screening-incomplete` | review | a list is missing or stale, candidates were cut, or somebody was not screened |
//! | `default/risk` | review | the risk is high or critical |
//! | `default/check-failed` | review | a check failed |
//! | `default/required-checks` | review | a check that the tenant requires did not succeed |
//! | `default/identity` | review | no source independent of the applicant confirmed who it is |
//! | `default/approve` | approve | otherwise |
//!
//! The first that applies names the decision; a review gives the reasons of all that apply.

use kyb_domain::{
    decision::DecisionOutcome,
    list::{ListVersion, NameKind},
    reason::{Reason, ReasonCode},
    risk::RiskLevel,
    screening::{Feature, FeatureName, Match, Screening},
    verification::{Check, CheckStatus},
};

use crate::{
    decide::Verdict,
    facts::Facts,
    floor::{MOST_REASONS, distinct, is_suppression, screening_obstacles, suppressed},
};

/// The likeness of names from which on, together with a second attribute that agrees, a business is rejected without a
/// person looking. Below it, and for weak aliases (no ground for a hit by themselves: OFAC FAQ 122), a person decides.
pub const STRONG_NAME: f64 = 0.85;

/// Decides without a tenant's rule; `missing` are the required checks that did not succeed.
pub(crate) fn decide(facts: &Facts<'_>, missing: Vec<Reason>) -> Verdict {
    let sanctions = sanctions(facts);
    if !sanctions.is_empty() {
        return Verdict {
            outcome: DecisionOutcome::Reject,
            reasons: sanctions,
            rule: "default/sanctions".to_owned(),
        };
    }
    let findings = [
        ("name-match", name_matches(facts)),
        ("screening-incomplete", incomplete(facts)),
        ("risk", risk(facts)),
        ("check-failed", failed_checks(facts)),
        ("required-checks", missing),
        ("identity", identity(facts)),
    ];
    let Some((rule, _)) = findings.iter().find(|(_, reasons)| !reasons.is_empty()) else {
        let reason = Reason::new(ReasonCode::ALL_CLEAR, all_clear(facts));
        return Verdict {
            outcome: DecisionOutcome::Approve,
            reasons: std::iter::once(reason).chain(suppressed(facts)).collect(),
            rule: "default/approve".to_owned(),
        };
    };
    let rule = format!("default/{rule}");
    let reasons = distinct(findings.into_iter().flat_map(|(_, reasons)| reasons));
    Verdict { outcome: DecisionOutcome::Review, reasons, rule }
}

/// The matches that are not suppressed.
fn matches<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a Screening, &'a Match)> {
    facts.screenings.iter().flat_map(|screening| screening.standing().map(move |found| (screening, found)))
}

/// How alike the names are; the whole score where a match does not say.
fn name_score(found: &Match) -> f64 {
    let name = found.features.iter().find(|feature| feature.name == FeatureName::Name);
    name.map_or(found.score.get(), |feature| feature.score.get())
}

/// The second evidence of a match that is enough to reject.
fn conclusive(found: &Match) -> Option<&Feature> {
    let strong = found.name_kind != NameKind::Weak && name_score(found) >= STRONG_NAME;
    found.second_evidence().filter(|_| strong)
}

fn sanctions(facts: &Facts<'_>) -> Vec<Reason> {
    let reason = |(screening, found): (&Screening, &Match)| {
        let second = conclusive(found)?;
        let text = format!(
            "{} A second attribute agrees: {}",
            described(screening, found),
            sentence(&second.detail)
        );
        Some(Reason::new(ReasonCode::WATCHLIST_MATCH, text))
    };
    matches(facts).filter_map(reason).take(MOST_REASONS).collect()
}

fn name_matches(facts: &Facts<'_>) -> Vec<Reason> {
    let reason = |(screening, found): (&Screening, &Match)| {
        let described = described(screening, found);
        let Some(second) = found.second_evidence() else {
            let text = format!("{described} Nothing beside the name agrees; a person has to look.");
            return Reason::new(ReasonCode::WATCHLIST_NAME_MATCH, text);
        };
        let but = if found.name_kind == NameKind::Weak {
            "a weak alias is no ground"
        } else {
            "the names are too unlike"
        };
        let text = format!(
            "{described} A second attribute agrees ({}), but {but} to decide without a person.",
            second.detail
        );
        Reason::new(ReasonCode::WATCHLIST_MATCH, text)
    };
    matches(facts).map(reason).take(MOST_REASONS).collect()
}

/// Who is like whom, on which list in which version.
fn described(screening: &Screening, found: &Match) -> String {
    let state = screening.list_versions.iter().find(|state| state.list == found.list);
    let version = state
        .and_then(|state| state.version.as_ref())
        .map_or_else(|| "unknown".to_owned(), ListVersion::label);
    let alias = match found.name_kind {
        NameKind::Primary => String::new(),
        NameKind::Weak => format!(" (a weak alias of `{}`)", found.caption),
        _ => format!(" (an alias of `{}`)", found.caption),
    };
    format!(
        "`{}` is like `{}`{alias}, entry {} of list `{}`, version {version}, score {}.",
        screening.subject.name, found.matched_name, found.entry_id, found.list, found.score
    )
}

/// Ends with a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Anything but a match that keeps the screening from being clear.
fn incomplete(facts: &Facts<'_>) -> Vec<Reason> {
    let is_list_problem =
        |reason: &Reason| reason.code != ReasonCode::WATCHLIST_NAME_MATCH && !is_suppression(reason);
    let beside_matches =
        facts.screenings.iter().filter(|s| s.standing().count() > 0).flat_map(|s| s.reasons.iter().cloned());
    screening_obstacles(facts).into_iter().chain(beside_matches).filter(is_list_problem).collect()
}

fn risk(facts: &Facts<'_>) -> Vec<Reason> {
    let code = match facts.risk.level {
        RiskLevel::Low | RiskLevel::Medium => return vec![],
        RiskLevel::High => ReasonCode::RISK_HIGH,
        RiskLevel::Critical => ReasonCode::RISK_CRITICAL,
    };
    let heaviest = facts
        .risk
        .factors
        .first()
        .map_or(String::new(), |factor| format!(" The heaviest factor: {}", sentence(&factor.detail)));
    let text = format!(
        "The risk score is {} of 100 ({}).{heaviest}",
        facts.risk.score.get(),
        facts.risk.level.as_str()
    );
    vec![Reason::new(code, text)]
}

/// The watchlist check is left out: what it found is said above, entry by entry.
fn failed_checks(facts: &Facts<'_>) -> Vec<Reason> {
    let failed = |check: &&Check| {
        check.status == CheckStatus::Failure && check.name != kyb_domain::verification::CheckName::Watchlist
    };
    let reasons = |check: &Check| {
        if check.reasons.is_empty() {
            let text = format!("The check `{}` failed.", check.name.as_str());
            return vec![Reason::new(ReasonCode::REQUIRED_CHECK_MISSING, text)];
        }
        check.reasons.clone()
    };
    facts.checks.iter().filter(failed).flat_map(reasons).collect()
}

fn identity_proof<'a>(facts: &Facts<'a>) -> Option<&'a Check> {
    facts.checks.iter().find(|check| check.name.proves_identity() && check.is_independent_success())
}

fn identity(facts: &Facts<'_>) -> Vec<Reason> {
    if identity_proof(facts).is_some() {
        return vec![];
    }
    let text = format!(
        "Nobody but the applicant says that `{}` exists: no registry or tax authority confirmed it, so a person has to look.",
        facts.business.name
    );
    vec![Reason::new(ReasonCode::IDENTITY_UNCONFIRMED, text)]
}

fn all_clear(facts: &Facts<'_>) -> String {
    let proof = identity_proof(facts).map_or("identity", |check| check.name.as_str());
    let but = if suppressed(facts).is_empty() { "" } else { " but suppressed matches" };
    format!(
        "The screening of all {} parties on fresh lists found nothing{but}, and the check `{proof}` confirmed the identity.",
        facts.screenings.len()
    )
}
