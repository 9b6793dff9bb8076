//! A verification taken apart for the tables beside its document, and for the audit.

use kyb_domain::{
    audit::AuditAction,
    list::ListState,
    screening::Screening,
    verification::{Check, Findings, Verification, VerificationStatus},
};
use serde_json::{Value, json};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

use crate::{StoreError, codes};

/// Binds the eleven fields of `kyb.findings`; without findings, eleven NULLs.
pub(crate) fn bind_findings<'q>(
    call: Query<'q, Postgres, PgArguments>,
    findings: Option<&Findings>,
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let checks = findings.map(|findings| findings.checks.as_slice());
    let screenings = findings.map(|findings| findings.screenings.as_slice());
    let decision = findings.map(|findings| &findings.decision);
    let statuses = screenings
        .map(|all| all.iter().map(|one| codes::code_of(&one.status)).collect::<Result<Vec<_>, _>>());
    Ok(call
        .bind(decision.map(|decision| decision.outcome.as_str()))
        .bind(findings.map(|findings| i16::from(findings.risk.score.get())))
        .bind(decision.map(|decision| decision.rule.as_str()))
        .bind(decision.map(|decision| decision.policy_version.as_str()))
        .bind(decision.map(|decision| {
            decision.reasons.iter().map(|reason| reason.code.to_string()).collect::<Vec<_>>()
        }))
        .bind(checks.map(|all| all.iter().map(|check| check.name.as_str()).collect::<Vec<_>>()))
        .bind(checks.map(|all| all.iter().map(|check| check.status.as_str()).collect::<Vec<_>>()))
        .bind(checks.map(|all| all.iter().map(reason_codes).collect::<Vec<_>>()))
        .bind(screenings.map(|all| all.iter().map(|one| one.id.uuid()).collect::<Vec<_>>()))
        .bind(statuses.transpose()?)
        .bind(screenings.map(|all| all.iter().map(|one| list_labels(one).join(" ")).collect::<Vec<_>>())))
}

fn reason_codes(check: &Check) -> String {
    check.reasons.iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(" ")
}

/// `list@version` of every list that a screening searched; `list@none` where the list was missing.
pub(crate) fn list_labels(screening: &Screening) -> Vec<String> {
    let label = |state: &ListState| {
        let version =
            state.version.as_ref().map_or_else(|| "none".to_owned(), kyb_domain::list::ListVersion::label);
        format!("{}@{version}", state.list)
    };
    screening.list_versions.iter().map(label).collect()
}

/// What the audit says of a verification that was stored: outcome, score, versions and counts, nothing personal.
pub(crate) fn audit_detail(verification: &Verification) -> Value {
    let Some(findings) = &verification.findings else {
        return json!({ "status": verification.status, "reason": verification.failure.as_ref().map(|why| &why.code) });
    };
    let mut lists: Vec<String> = findings.screenings.iter().flat_map(list_labels).collect();
    lists.sort_unstable();
    lists.dedup();
    json!({
        "outcome": findings.decision.outcome,
        "rule": findings.decision.rule,
        "policy_version": findings.decision.policy_version,
        "risk_score": findings.risk.score,
        "risk_level": findings.risk.level,
        "lists": lists,
        "screenings": findings.screenings.len(),
        "matches": findings.screenings.iter().map(|screening| screening.matches.len()).sum::<usize>(),
    })
}

/// What the audit says of a screening by itself.
pub(crate) fn screening_detail(screening: &Screening) -> Value {
    json!({ "status": screening.status, "lists": list_labels(screening), "matches": screening.matches.len() })
}

/// What became of a verification, as an audit action.
pub(crate) fn action(status: VerificationStatus) -> AuditAction {
    match status {
        VerificationStatus::Pending | VerificationStatus::Running => AuditAction::VerificationRequested,
        VerificationStatus::Completed => AuditAction::VerificationCompleted,
        VerificationStatus::Failed | VerificationStatus::Cancelled | VerificationStatus::Expired => {
            AuditAction::VerificationFailed
        }
    }
}
