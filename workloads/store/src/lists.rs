//! Watchlist versions: the publisher's own files, compressed, and which version of each list is active.

use chrono::{DateTime, NaiveDate, Utc};
use kyb_domain::list::{ListId, ListVersion};
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use crate::{Store, StoreError, codes};

/// A list's row: what is active, and how the last attempts to refresh went.
#[derive(Debug, Clone, PartialEq)]
pub struct ListRow {
    /// Which list.
    pub list: ListId,
    /// Its active version.
    pub active: Option<ListVersion>,
    /// When its source was last read successfully, changed or not.
    pub checked_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, in words for the operator; `None` where it succeeded.
    pub last_error: Option<String>,
    /// For conditional requests: the validators of the last download, as the worker left them.
    pub validators: Option<serde_json::Value>,
}

/// A publisher's file as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its whole content, uncompressed.
    pub bytes: Vec<u8>,
}

/// zstd's own default: text to about a quarter at hundreds of megabytes a second.
const COMPRESSION_LEVEL: i32 = 3;

impl Store {
    /// Grows whenever any list row changes; cheap enough to ask every second.
    pub async fn lists_revision(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT revision FROM kyb.list_revision").fetch_one(self.pool()).await?)
    }

    /// Every list's row.
    pub async fn list_rows(&self) -> Result<Vec<ListRow>, StoreError> {
        let call = sqlx::query_as(
            "SELECT l.list, l.checked_at, l.last_error, l.validators, v.sha256, v.format, v.published, v.published_by, v.entries \
             FROM kyb.lists l LEFT JOIN kyb.list_versions v ON v.list = l.list AND v.sha256 = l.active_sha256 ORDER BY l.list",
        );
        let rows: Vec<JoinedRow> = call.fetch_all(self.pool()).await?;
        rows.into_iter().map(JoinedRow::list_row).collect()
    }

    /// Stores a version and makes it the active one, atomically; also notes the successful check. The same content again is no new version.
    /// The files of a list's newest five versions are kept.
    pub async fn activate_list(
        &self,
        version: &ListVersion,
        files: &[StoredFile],
        validators: Option<&serde_json::Value>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        let contents = compress(files.iter().map(|file| file.bytes.clone()).collect()).await?;
        let call = sqlx::query(
            "SELECT kyb.activate_list(ROW($1, $2, $3, $4, $5, $6, $7)::kyb.list_versions, $8, $9, $10)",
        );
        call.bind(version.list.as_str())
            .bind(&version.sha256)
            .bind(codes::code_of(&version.format)?)
            .bind(version.published)
            .bind(codes::code_of(&version.published_by)?)
            .bind(i64::from(version.entries))
            .bind(now)
            .bind(names)
            .bind(contents)
            .bind(validators)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// The source was read and has not changed.
    pub async fn list_unchanged(&self, list: &ListId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let call = sqlx::query("UPDATE kyb.lists SET checked_at = $2, last_error = NULL WHERE list = $1");
        call.bind(list.as_str()).bind(now).execute(self.pool()).await?;
        Ok(())
    }

    /// The source could not be read or was refused; the active version stays. `now` is not kept: what counts is how long
    /// ago the source was last read successfully.
    pub async fn list_failed(&self, list: &ListId, why: &str, _now: DateTime<Utc>) -> Result<(), StoreError> {
        let call = sqlx::query(
            "INSERT INTO kyb.lists (list, last_error) VALUES ($1, $2) \
             ON CONFLICT (list) DO UPDATE SET last_error = excluded.last_error",
        );
        call.bind(list.as_str()).bind(why).execute(self.pool()).await?;
        Ok(())
    }

    /// The files of a stored version, by name; `None` where the version is not known or its files were dropped for newer ones.
    pub async fn list_files(
        &self,
        list: &ListId,
        sha256: &str,
    ) -> Result<Option<Vec<StoredFile>>, StoreError> {
        let call = sqlx::query_as(
            "SELECT name, content FROM kyb.list_files WHERE list = $1 AND sha256 = $2 ORDER BY name",
        );
        let rows: Vec<(String, Vec<u8>)> =
            call.bind(list.as_str()).bind(sha256).fetch_all(self.pool()).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let (names, contents): (Vec<String>, Vec<Vec<u8>>) = rows.into_iter().unzip();
        let files = names.into_iter().zip(decompress(contents).await?);
        Ok(Some(files.map(|(name, bytes)| StoredFile { name, bytes }).collect()))
    }

    /// Resolves when some list row changed or `at_most` has passed, whichever is first; a lost notice only delays. A change
    /// between two calls on the same store resolves the second at once.
    pub async fn lists_changed(&self, at_most: std::time::Duration) {
        self.notices.changed(at_most).await;
    }
}

/// Megabytes of work, so off the threads that serve requests.
async fn compress(contents: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, StoreError> {
    let work =
        move || contents.iter().map(|bytes| zstd::encode_all(bytes.as_slice(), COMPRESSION_LEVEL)).collect();
    let done: Result<std::io::Result<_>, _> = tokio::task::spawn_blocking(work).await;
    done.map_err(StoreError::corrupt("list file"))?.map_err(StoreError::corrupt("list file"))
}

async fn decompress(contents: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, StoreError> {
    let work = move || contents.iter().map(|bytes| zstd::decode_all(bytes.as_slice())).collect();
    let done: Result<std::io::Result<_>, _> = tokio::task::spawn_blocking(work).await;
    done.map_err(StoreError::corrupt("list file"))?.map_err(StoreError::corrupt("list file"))
}

/// A list and its active version, if there is one.
#[derive(FromRow)]
struct JoinedRow {
    list: String,
    checked_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    validators: Option<Json<Value>>,
    sha256: Option<String>,
    format: Option<String>,
    published: Option<NaiveDate>,
    published_by: Option<String>,
    entries: Option<i64>,
}

impl JoinedRow {
    fn list_row(self) -> Result<ListRow, StoreError> {
        let list = ListId::try_from(self.list).map_err(StoreError::corrupt("list"))?;
        let active = match (self.sha256, self.format, self.published, self.published_by, self.entries) {
            (Some(sha256), Some(format), Some(published), Some(published_by), Some(entries)) => {
                Some(ListVersion {
                    list: list.clone(),
                    format: codes::value_of("list format", format)?,
                    published,
                    published_by: codes::value_of("origin of a date", published_by)?,
                    sha256,
                    entries: u32::try_from(entries).map_err(StoreError::corrupt("count"))?,
                })
            }
            _ => None,
        };
        let validators = self.validators.map(|json| json.0);
        Ok(ListRow { list, active, checked_at: self.checked_at, last_error: self.last_error, validators })
    }
}
