//! What rules can see, and how it becomes CEL values.

use std::collections::HashMap;

use cel::{Context, Value};
use kyb_domain::{
    business::BusinessProfile,
    classification::Classification,
    risk::RiskAssessment,
    screening::{Match, Screening, ScreeningStatus},
    verification::{Check, CheckName, CheckStatus},
};

/// The most matches that rules see; the best ones.
pub const MOST_MATCHES: usize = 50;
/// The most risk factors that rules see; the heaviest ones.
pub(crate) const MOST_FACTORS: usize = 50;
/// The most programmes of a match that rules see.
pub(crate) const MOST_PROGRAMS: usize = 10;
/// The most bytes of a code or an id that rules see.
const LONGEST_CODE: usize = 64;

/// What rules can see.
pub struct Facts<'a> {
    /// The business.
    pub business: &'a BusinessProfile,
    /// The checks.
    pub checks: &'a [Check],
    /// The screenings: of the business, and of each owner, director and officer.
    pub screenings: &'a [Screening],
    /// Its industry.
    pub classification: &'a Classification,
    /// Its risk.
    pub risk: &'a RiskAssessment,
}

/// The facts as rules see them: plain values, nothing missing, everything bounded.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) score: i64,
    pub(crate) level: &'static str,
    pub(crate) factors: Vec<String>,
    pub(crate) status: &'static str,
    pub(crate) best_score: f64,
    pub(crate) matches: Vec<MatchView>,
    pub(crate) checks: Vec<(&'static str, &'static str)>,
    pub(crate) country: String,
    pub(crate) name: String,
    pub(crate) incorporated_on: String,
    pub(crate) legal_form: String,
    pub(crate) industry: String,
    pub(crate) confidence: f64,
}

/// A match as rules see it.
#[derive(Debug, Clone)]
pub(crate) struct MatchView {
    pub(crate) list: String,
    pub(crate) entry_id: String,
    pub(crate) score: f64,
    pub(crate) second_evidence: bool,
    pub(crate) programs: Vec<String>,
}

impl View {
    /// Bounds and flattens the facts.
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        let business = facts.business;
        let industry = facts.classification.results.first();
        let matches = best_matches(facts.screenings);
        Self {
            score: i64::from(facts.risk.score.get()),
            level: facts.risk.level.as_str(),
            factors: facts.risk.factors.iter().take(MOST_FACTORS).map(|factor| code(&factor.code)).collect(),
            status: worst_status(facts.screenings),
            best_score: matches.first().map_or(0.0, |best| best.score.get()),
            matches: matches.into_iter().take(MOST_MATCHES).map(MatchView::of).collect(),
            checks: CheckName::ALL
                .map(|name| (name.as_str(), status_of(facts.checks, name).as_str()))
                .to_vec(),
            country: business.country.map(|country| country.to_string()).unwrap_or_default(),
            name: business.name.to_string(),
            incorporated_on: business.incorporated_on.map(|date| date.to_string()).unwrap_or_default(),
            legal_form: business.legal_form.as_ref().map(ToString::to_string).unwrap_or_default(),
            industry: industry.map(|best| code(&best.code)).unwrap_or_default(),
            confidence: industry.map_or(0.0, |best| best.confidence.get()),
        }
    }

    /// Puts the facts into an evaluation.
    pub(crate) fn bind(&self, context: &mut Context<'_>) {
        let second_evidence = self.matches.iter().any(|found| found.second_evidence);
        let matches: Vec<Value> = self.matches.iter().map(MatchView::value).collect();
        let texts = |all: &[String]| Value::from(all.iter().map(|one| text(one)).collect::<Vec<_>>());
        let risk =
            [("score", self.score.into()), ("level", text(self.level)), ("factors", texts(&self.factors))];
        let screening = [
            ("status", text(self.status)),
            ("best_score", self.best_score.into()),
            ("second_evidence", second_evidence.into()),
            ("matches", matches.into()),
        ];
        let business = [
            ("country", text(&self.country)),
            ("name", text(&self.name)),
            ("incorporated_on", text(&self.incorporated_on)),
            ("legal_form", text(&self.legal_form)),
        ];
        let industry = [("code", text(&self.industry)), ("confidence", self.confidence.into())];
        context.add_variable_from_value("risk", HashMap::from(risk));
        context.add_variable_from_value("screening", HashMap::from(screening));
        context.add_variable_from_value("business", HashMap::from(business));
        context.add_variable_from_value("industry", HashMap::from(industry));
        let checks: HashMap<&str, Value> =
            self.checks.iter().map(|(name, status)| (*name, text(status))).collect();
        context.add_variable_from_value("checks", checks);
    }
}

impl MatchView {
    fn of(found: &Match) -> Self {
        Self {
            list: code(found.list.as_str()),
            entry_id: code(&found.entry_id),
            score: found.score.get(),
            second_evidence: found.second_evidence().is_some(),
            programs: found.programs.iter().take(MOST_PROGRAMS).map(|program| code(program)).collect(),
        }
    }

    fn value(&self) -> Value {
        let programs: Vec<Value> = self.programs.iter().map(|program| text(program)).collect();
        HashMap::from([
            ("list", text(&self.list)),
            ("entry_id", text(&self.entry_id)),
            ("score", self.score.into()),
            ("second_evidence", self.second_evidence.into()),
            ("programs", programs.into()),
        ])
        .into()
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// The start of a code, cut at a character.
fn code(text: &str) -> String {
    text.get(..text.floor_char_boundary(LONGEST_CODE)).unwrap_or_default().to_owned()
}

/// A check's status; one that was not done is skipped.
pub(crate) fn status_of(checks: &[Check], name: CheckName) -> CheckStatus {
    checks.iter().find(|check| check.name == name).map_or(CheckStatus::Skipped, |check| check.status)
}

/// `in_review` if anyone matched, else `error` if anyone could not be screened in full or nobody was, else `no_hit`.
fn worst_status(screenings: &[Screening]) -> &'static str {
    let any = |status| screenings.iter().any(|screening| screening.status == status);
    if any(ScreeningStatus::InReview) || screenings.iter().any(|screening| screening.standing().count() > 0) {
        return "in_review";
    }
    if screenings.is_empty() || any(ScreeningStatus::Error) { "error" } else { "no_hit" }
}

/// All matches but suppressed ones, best first.
fn best_matches(screenings: &[Screening]) -> Vec<&Match> {
    let mut all: Vec<&Match> = screenings.iter().flat_map(Screening::standing).collect();
    all.sort_by(|a, b| b.score.get().total_cmp(&a.score.get()));
    all
}
