//! Verifications with their checks, screenings and decision; screenings asked for by themselves.

use kyb_domain::{
    audit::AuditAction,
    id::{BusinessId, ScreeningId, VerificationId},
    screening::Screening,
    tenant::ContextName,
    verification::Verification,
};

use crate::{
    Idempotency, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    codes,
    findings::{self, bind_findings},
    idempotency::bind_key,
    pool::write_one,
};

/// The most verifications that an export of a business holds.
const MOST_OF_A_BUSINESS: i32 = 100;

impl TenantStore {
    /// Stores a completed verification, its checks, screenings and decision, and its audit event, in one
    /// transaction. Once this returns, the verification survives a crash of the database.
    pub async fn record_verification(
        &self,
        verification: &Verification,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.record_verification($1, $2, $3, $4, $5, $6, $7, $8, \
             ROW($9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)::kyb.findings, \
             ROW($20, $21, $22, $23, $24, $25)::kyb.audit_entry, \
             ROW($26, $27, $28, $29, $30)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(verification.id.uuid())
        .bind(verification.request.business_id.map(BusinessId::uuid))
        .bind(verification.context.as_ref().map(ContextName::as_str))
        .bind(verification.status.as_str())
        .bind(codes::json_text(verification)?)
        .bind(verification.created_at)
        .bind(verification.completed_at);
        let call = bind_findings(call, verification.findings.as_ref())?;
        let (action, detail) = (findings::action(verification.status), findings::audit_detail(verification));
        let call = bind_entry(call, audit, action, &verification.id.to_string(), &detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    /// One verification, whatever its status.
    pub async fn verification(&self, id: VerificationId) -> Result<Option<Verification>, StoreError> {
        let document = self.verification_json(id).await?;
        document.map(|text| codes::from_json("verification", &text)).transpose()
    }

    /// One verification as the JSON text that was stored, for a caller that only passes it on.
    pub async fn verification_json(&self, id: VerificationId) -> Result<Option<String>, StoreError> {
        let call = sqlx::query_scalar("SELECT kyb.verification_document($1, $2)");
        Ok(call.bind(self.name()).bind(id.uuid()).fetch_one(&self.pool).await?)
    }

    /// The verifications of a business, newest first, at most 100; for its export.
    pub async fn verifications_of(&self, business: BusinessId) -> Result<Vec<Verification>, StoreError> {
        let call = sqlx::query_scalar("SELECT * FROM kyb.verification_documents_of($1, $2, $3)");
        let call = call.bind(self.name()).bind(business.uuid()).bind(MOST_OF_A_BUSINESS);
        let documents: Vec<String> = call.fetch_all(&self.pool).await?;
        documents.iter().map(|text| codes::from_json("verification", text)).collect()
    }

    /// Stores a screening asked for by itself.
    pub async fn record_screening(
        &self,
        screening: &Screening,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.record_screening($1, $2, $3, $4, $5, $6, \
             ROW($7, $8, $9, $10, $11, $12)::kyb.audit_entry, ROW($13, $14, $15, $16, $17)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(screening.id.uuid())
        .bind(codes::code_of(&screening.status)?)
        .bind(codes::json_text(screening)?)
        .bind(findings::list_labels(screening))
        .bind(screening.created_at);
        let detail = findings::screening_detail(screening);
        let call =
            bind_entry(call, audit, AuditAction::ScreeningCompleted, &screening.id.to_string(), &detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    /// One screening, of a verification or by itself, with what was decided about its matches since. `None` also where it was erased with its verification.
    pub async fn screening(&self, id: ScreeningId) -> Result<Option<Screening>, StoreError> {
        let call = sqlx::query_as("SELECT own, of_verification FROM kyb.screening_document($1, $2)");
        let found: Option<(Option<String>, Option<String>)> =
            call.bind(self.name()).bind(id.uuid()).fetch_optional(&self.pool).await?;
        let recorded = match found {
            Some((Some(own), _)) => Some(codes::from_json("screening", &own)?),
            Some((None, Some(whole))) => {
                let whole: Verification = codes::from_json("verification", &whole)?;
                let screenings = whole.findings.map(|findings| findings.screenings).unwrap_or_default();
                screenings.into_iter().find(|screening| screening.id == id)
            }
            _ => None,
        };
        match recorded {
            Some(screening) => self.with_decisions(screening).await.map(Some),
            None => Ok(None),
        }
    }
}
