//! Stored businesses.

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::AuditAction,
    business::{Business, BusinessProfile},
    id::BusinessId,
    tenant::ContextName,
};
use serde_json::json;
use sqlx::{FromRow, Row as _, types::Json};
use uuid::Uuid;

use crate::{
    Idempotency, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    idempotency::bind_key,
    pool::{write, write_one},
    search,
};

/// What to look for. Both given: both must hold.
#[derive(Debug, Clone, Default)]
pub struct BusinessQuery {
    /// Words of legal or trading names (full text, ranked).
    pub text: Option<String>,
    /// A tax number, compared without separators and case (looked up by its hash).
    pub tax_id: Option<String>,
    /// Only this context.
    pub context: Option<ContextName>,
    /// Go on after this business of the same query.
    pub after: Option<BusinessId>,
    /// The most rows, 1 to 50.
    pub limit: u32,
}

/// A page of businesses, and whether there are more.
#[derive(Debug, Clone)]
pub struct BusinessPage {
    /// The rows: newest first, or best first where `text` was given.
    pub businesses: Vec<Business>,
    /// Whether a next page exists.
    pub more: bool,
}

/// The most rows of a page, whatever is asked.
const MOST_ROWS: u32 = 50;

impl TenantStore {
    /// Stores a new business. Times are kept to the microsecond.
    pub async fn create_business(
        &self,
        business: &Business,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.create_business($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             ROW($10, $11, $12, $13, $14, $15)::kyb.audit_entry, ROW($16, $17, $18, $19, $20)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(business.id.uuid())
        .bind(business.context.as_ref().map(ContextName::as_str))
        .bind(Json(&business.profile))
        .bind(business.revision)
        .bind(business.created_at)
        .bind(business.updated_at)
        .bind(search::words_of(&business.profile))
        .bind(search::tax_hashes_of(self.tenant(), &business.profile));
        let detail = json!({ "revision": business.revision });
        let call = bind_entry(call, audit, AuditAction::BusinessCreated, &business.id.to_string(), &detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    /// One business.
    pub async fn business(&self, id: BusinessId) -> Result<Option<Business>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.business($1, $2)");
        let row: Option<BusinessRow> =
            call.bind(self.name()).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.map(BusinessRow::business).transpose()
    }

    /// Replaces the profile if the revision is still `expected` (any where `None`). `None`: there is no such business.
    /// [`StoreError::Conflict`] when it was changed in the meantime.
    pub async fn update_business(
        &self,
        id: BusinessId,
        profile: &BusinessProfile,
        expected: Option<i64>,
        audit: &AuditContext,
        now: DateTime<Utc>,
    ) -> Result<Option<Business>, StoreError> {
        let call = sqlx::query(
            "SELECT u.conflict, (u.updated).* FROM kyb.update_business($1, $2, $3, $4, $5, $6, $7, \
             ROW($8, $9, $10, $11, $12, $13)::kyb.audit_entry) AS u",
        )
        .bind(self.name())
        .bind(id.uuid())
        .bind(Json(profile))
        .bind(expected)
        .bind(now)
        .bind(search::words_of(profile))
        .bind(search::tax_hashes_of(self.tenant(), profile));
        // The new revision is known to the database only, which puts it into the event.
        let call = bind_entry(call, audit, AuditAction::BusinessUpdated, &id.to_string(), &json!({}))?;
        let Some(row) = write(&self.pool, call).await? else { return Ok(None) };
        if row.try_get("conflict")? {
            return Err(StoreError::Conflict);
        }
        BusinessRow::from_row(&row)?.business().map(Some)
    }

    /// Deletes a business; its verifications stay. Whether there was one.
    pub async fn delete_business(&self, id: BusinessId, audit: &AuditContext) -> Result<bool, StoreError> {
        let call =
            sqlx::query("SELECT kyb.delete_business($1, $2, ROW($3, $4, $5, $6, $7, $8)::kyb.audit_entry)");
        let call = call.bind(self.name()).bind(id.uuid());
        let call = bind_entry(call, audit, AuditAction::BusinessDeleted, &id.to_string(), &json!({}))?;
        Ok(write_one(&self.pool, call).await?.try_get(0)?)
    }

    /// Finds businesses.
    pub async fn find_businesses(&self, query: &BusinessQuery) -> Result<BusinessPage, StoreError> {
        let limit = query.limit.clamp(1, MOST_ROWS);
        let nothing = BusinessPage { businesses: vec![], more: false };
        let words: Option<Vec<String>> =
            query.text.as_deref().map(|text| search::words(text).into_iter().collect());
        let tax_hash = query.tax_id.as_deref().map(|text| search::tax_hash_of_text(self.tenant(), text));
        let call = match (words, tax_hash) {
            // A text without a word, or a number without a digit or letter, is in no business.
            (_, Some(None)) => return Ok(nothing),
            (Some(words), _) if words.is_empty() => return Ok(nothing),
            (Some(words), tax_hash) => {
                sqlx::query_as("SELECT * FROM kyb.search_businesses($1, $2, $3, $4, $5, $6)")
                    .bind(self.name())
                    .bind(words)
                    .bind(tax_hash.flatten())
            }
            (None, tax_hash) => sqlx::query_as("SELECT * FROM kyb.list_businesses($1, $2, $3, $4, $5)")
                .bind(self.name())
                .bind(tax_hash.flatten()),
        };
        let call = call
            .bind(query.context.as_ref().map(ContextName::as_str))
            .bind(query.after.map(BusinessId::uuid));
        // One row more than asked tells whether there is a next page.
        let rows: Vec<BusinessRow> =
            call.bind(i32::try_from(limit).unwrap_or(i32::MAX) + 1).fetch_all(&self.pool).await?;
        let more = rows.len() > limit as usize;
        let businesses =
            rows.into_iter().take(limit as usize).map(BusinessRow::business).collect::<Result<_, _>>()?;
        Ok(BusinessPage { businesses, more })
    }
}

#[derive(FromRow)]
struct BusinessRow {
    id: Uuid,
    context: Option<String>,
    profile: Json<BusinessProfile>,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl BusinessRow {
    fn business(self) -> Result<Business, StoreError> {
        Ok(Business {
            id: self.id.into(),
            context: self
                .context
                .map(ContextName::try_from)
                .transpose()
                .map_err(StoreError::corrupt("context"))?,
            profile: self.profile.0,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
