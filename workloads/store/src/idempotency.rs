//! `Idempotency-Key`: the first write wins and its answer is given to every repetition. The key's row is written in the
//! same transaction as the write itself, so there is never an acknowledged write without its key or the other way round.

use serde::{Deserialize, Serialize};
use sqlx::{
    Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{StoreError, TenantStore, codes, pool::write_one};

/// The answer that the first request got or will get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// HTTP status.
    pub status: u16,
    /// `Location` header.
    pub location: Option<String>,
    /// JSON body.
    pub body: serde_json::Value,
}

/// A key, what it was used for, and the answer to keep for it. Kept for 24 hours.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The header's value, 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 over method, path and body, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The answer to give to repetitions.
    pub response: StoredResponse,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// It is stored; give the answer that was prepared.
    Done,
    /// The same request was stored before, nothing was written now; give that answer.
    Replayed(StoredResponse),
    /// The key was used for a different request; nothing was written.
    KeyReused,
}

impl TenantStore {
    /// What is already kept for a key, before any work is done: [`Write::Replayed`] or [`Write::KeyReused`]; `None` where
    /// nothing is. A request that finds nothing must still pass its key to the write, which decides.
    pub async fn answer_for(&self, key: &str, fingerprint: &str) -> Result<Option<Write>, StoreError> {
        let call = sqlx::query("SELECT * FROM kyb.answer_for($1, $2, $3)")
            .bind(self.name())
            .bind(key)
            .bind(fingerprint);
        // An answer may be found before it is on disk, and must not be given before.
        let kept = Write::of(&write_one(&self.pool, call).await?)?;
        Ok((kept != Write::Done).then_some(kept))
    }

    /// Keeps the answer of a request that writes nothing else. Not audited.
    pub async fn remember_answer(&self, key: &Idempotency) -> Result<Write, StoreError> {
        let call =
            sqlx::query("SELECT * FROM kyb.remember_answer($1, ROW($2, $3, $4, $5, $6)::kyb.idempotency)")
                .bind(self.name());
        Write::of(&write_one(&self.pool, bind_key(call, Some(key))?).await?)
    }
}

/// Binds the five fields of `kyb.idempotency`; without a key, five NULLs.
pub(crate) fn bind_key<'q>(
    call: Query<'q, Postgres, PgArguments>,
    key: Option<&Idempotency>,
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let body = key.map(|key| codes::json_text(&key.response.body)).transpose()?;
    let status = key.map(|key| i16::try_from(key.response.status)).transpose();
    Ok(call
        .bind(key.map(|key| key.key.as_str()))
        .bind(key.map(|key| key.fingerprint.as_str()))
        .bind(status.map_err(StoreError::corrupt("HTTP status"))?)
        .bind(key.and_then(|key| key.response.location.as_deref()))
        .bind(body))
}

impl Write {
    /// Reads a row of `kyb.write_result`.
    pub(crate) fn of(row: &PgRow) -> Result<Self, StoreError> {
        let outcome: &str = row.try_get("outcome")?;
        match outcome {
            "done" => Ok(Self::Done),
            "key_reused" => Ok(Self::KeyReused),
            _ => {
                let status: i16 = row.try_get("status")?;
                let body: &str = row.try_get("body")?;
                Ok(Self::Replayed(StoredResponse {
                    status: u16::try_from(status).map_err(StoreError::corrupt("HTTP status"))?,
                    location: row.try_get("location")?,
                    body: codes::from_json("answer", body)?,
                }))
            }
        }
    }
}
