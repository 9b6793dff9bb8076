//! A verification for people.

use std::fmt::Write as _;

use comfy_table::Cell;
use kyb_domain::{
    decision::{Decision, DecisionOutcome},
    risk::RiskAssessment,
    screening::Screening,
    verification::{Check, CheckStatus, Findings, Verification},
};

use super::{
    Style, classification, plain, screening,
    style::{Tone, table},
    word,
};

/// The whole answer, the decision first.
pub(crate) fn text(verification: &Verification, style: Style) -> String {
    let business = &verification.request.business;
    let country = business.country.map(|country| format!(" ({country})")).unwrap_or_default();
    let mut text = style.paint(Tone::Heading, business.name.as_str()) + &country + "\n";
    match &verification.findings {
        Some(findings) => text.push_str(&findings_text(findings, style)),
        None => {
            let _ = writeln!(text, "  {}: no decision", verification.status.as_str());
        }
    }
    if let Some(failure) = &verification.failure {
        let _ = writeln!(text, "  {} {}", failure.code, plain(&failure.text));
    }
    let _ = writeln!(text, "{}", style.paint(Tone::Quiet, &verification.id.to_string()));
    text
}

fn findings_text(findings: &Findings, style: Style) -> String {
    let mut text = decision(&findings.decision, style);
    for screening in &findings.screenings {
        text.push_str(&screened(screening, style));
    }
    text.push_str(&heading(style, "Checks"));
    text.push_str(&table(findings.checks.iter().map(|check| check_row(check, style)).collect()));
    text.push_str(&heading(style, "Industry"));
    text.push_str(&classification::text(&findings.classification, style));
    text.push_str(&risk(&findings.risk, style));
    text
}

/// What to do and why.
fn decision(decision: &Decision, style: Style) -> String {
    let tone = match decision.outcome {
        DecisionOutcome::Approve => Tone::Good,
        DecisionOutcome::Review => Tone::Notable,
        DecisionOutcome::Reject => Tone::Bad,
    };
    let outcome = style.paint(tone, &decision.outcome.as_str().to_uppercase());
    let mut text = format!("  {outcome}, by rule {} of policy {}\n", decision.rule, decision.policy_version);
    let reasons =
        decision.reasons.iter().map(|reason| vec![Cell::new(&reason.code), Cell::new(plain(&reason.text))]);
    text.push_str(&table(reasons.collect()));
    text
}

fn screened(screening: &Screening, style: Style) -> String {
    let mut text = heading(style, "Watchlists");
    let _ = writeln!(text, "  {}: {}", screening.subject.name, word(&screening.status));
    text.push_str(&screening::matches(screening, style));
    for state in &screening.list_versions {
        let _ = writeln!(text, "  searched {}", screening::list_in_short(state));
    }
    text
}

fn check_row(check: &Check, style: Style) -> Vec<Cell> {
    let tone = match check.status {
        CheckStatus::Success => Tone::Good,
        CheckStatus::Warning => Tone::Notable,
        CheckStatus::Failure | CheckStatus::Error => Tone::Bad,
        CheckStatus::Skipped => Tone::Quiet,
    };
    let reasons: Vec<String> =
        check.reasons.iter().map(|reason| format!("{}: {}", reason.code, plain(&reason.text))).collect();
    vec![
        Cell::new(check.name.as_str()),
        style.cell(tone, check.status.as_str()),
        Cell::new(reasons.join("\n")),
    ]
}

fn risk(risk: &RiskAssessment, style: Style) -> String {
    let score = format!("Risk {} of 100, {} ({})", risk.score.get(), risk.level.as_str(), risk.model);
    let factors = risk.factors.iter().map(|factor| {
        vec![
            Cell::new(format!("+{}", factor.points.get())),
            Cell::new(&factor.code),
            Cell::new(plain(&factor.detail)),
        ]
    });
    heading(style, &score) + &table(factors.collect())
}

fn heading(style: Style, text: &str) -> String {
    style.paint(Tone::Heading, text) + "\n"
}
