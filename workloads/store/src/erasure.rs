//! Erasing the personal data of a business (GDPR Article 17).
//!
//! The business's verifications are read in pages, blanked here, where their shape is known, and written back; when none is
//! left, the business is deleted and the event appended. Each step is one statement that may be repeated: an erasure
//! that is broken off is finished by asking again.

use kyb_domain::{
    audit::AuditAction,
    business::BusinessProfile,
    id::BusinessId,
    reason::{Reason, ReasonCode},
    text::Name,
    verification::{Findings, Verification, VerificationRequest, VerificationStatus},
};
use serde_json::json;
use sqlx::Row as _;
use uuid::Uuid;

use crate::{
    StoreError, TenantStore,
    audit::{AuditContext, bind_entry},
    codes,
    pool::write_one,
};

/// Verifications blanked in one statement.
const PAGE: i32 = 100;

/// What stands where personal data stood.
const ERASED: &str = "erased";

impl TenantStore {
    /// Erases the personal data of a business (GDPR Article 17): the business is deleted and the requests, evidence and
    /// screenings of its verifications are blanked; ids, decisions, times and audit stay. How many verifications were
    /// blanked; `None` where there is no such business. Verifications still queued are called off.
    pub async fn erase_business(
        &self,
        id: BusinessId,
        audit: &AuditContext,
    ) -> Result<Option<u64>, StoreError> {
        loop {
            self.blank_verifications(id).await?;
            let call = sqlx::query(
                "SELECT kyb.erase_business($1, $2, ROW($3, $4, $5, $6, $7, $8)::kyb.audit_entry)",
            );
            let call = call.bind(self.name()).bind(id.uuid());
            let call = bind_entry(call, audit, AuditAction::BusinessErased, &id.to_string(), &json!({}))?;
            let blanked: Option<i64> = write_one(&self.pool, call).await?.try_get(0)?;
            match blanked.map(u64::try_from) {
                None => return Ok(None),
                Some(Ok(blanked)) => return Ok(Some(blanked)),
                Some(Err(_)) => {} // another verification came in between
            }
        }
    }

    async fn blank_verifications(&self, business: BusinessId) -> Result<(), StoreError> {
        loop {
            let call = sqlx::query_as("SELECT id, document FROM kyb.documents_to_blank($1, $2, $3)");
            let call = call.bind(self.name()).bind(business.uuid()).bind(PAGE);
            let page: Vec<(Uuid, String)> = call.fetch_all(&self.pool).await?;
            if page.is_empty() {
                return Ok(());
            }
            let (mut ids, mut statuses, mut documents) = (vec![], vec![], vec![]);
            for (id, document) in page {
                let blank = blanked(codes::from_json("verification", &document)?)?;
                ids.push(id);
                statuses.push(blank.status.as_str());
                documents.push(codes::json_text(&blank)?);
            }
            let call = sqlx::query("SELECT kyb.blank_documents($1, $2, $3, $4)");
            call.bind(self.name()).bind(ids).bind(statuses).bind(documents).execute(&self.pool).await?;
        }
    }
}

/// The verification without anything that says who was verified. Reasons keep their codes, the decision its outcome,
/// rule and policy; a verification that was not finished is called off.
fn blanked(verification: Verification) -> Result<Verification, StoreError> {
    let name = Name::try_from(ERASED).map_err(StoreError::corrupt("name"))?;
    let business_id = verification.request.business_id;
    let called_off = !verification.status.is_final();
    let failure = if called_off {
        Some(Reason::new(ReasonCode::DATA_ERASED, ERASED))
    } else {
        verification.failure.map(without_text)
    };
    Ok(Verification {
        status: if called_off { VerificationStatus::Cancelled } else { verification.status },
        request: VerificationRequest { business: BusinessProfile::named(name), business_id, reference: None },
        findings: verification.findings.map(blanked_findings),
        failure,
        ..verification
    })
}

fn blanked_findings(mut findings: Findings) -> Findings {
    for check in &mut findings.checks {
        check.evidence.clear();
        check.reasons = check.reasons.drain(..).map(without_text).collect();
    }
    findings.screenings.clear();
    findings.classification.results.clear();
    for factor in &mut findings.risk.factors {
        ERASED.clone_into(&mut factor.detail);
    }
    findings.decision.reasons = findings.decision.reasons.drain(..).map(without_text).collect();
    findings
}

fn without_text(reason: Reason) -> Reason {
    Reason::new(reason.code, ERASED)
}
