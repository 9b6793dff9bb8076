//! Why the store refused or failed.

/// Each variant tells the caller what to do: retry, correct the input, or call the operator.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or dropped the connection; retry later. Whether a write that was under way took effect is unknown.
    #[error("the database can't be reached")]
    Unavailable(#[source] sqlx::Error),
    /// The runtime role could go around row-level security; start-up refuses it.
    #[error(
        "role `{role}` {problem}; use a role that owns nothing, is no superuser and has no BYPASSRLS (see docs/data-store.md)"
    )]
    UnsafeRole {
        /// The role.
        role: String,
        /// What makes it unsafe.
        problem: String,
    },
    /// The schema is older or newer than this program.
    #[error("{0}")]
    Schema(String),
    /// The connection URL or a role's name can't be used. Never repeats the URL, which holds a password.
    #[error("{0}")]
    Configuration(String),
    /// Somebody else changed the object first: the revision given is no longer the current one.
    #[error("the object was changed in the meantime; read it again")]
    Conflict,
    /// The tenant was erased, or is being erased. Nothing can be stored for its id any more; a new tenant needs a new id.
    #[error("the tenant was erased; its id can't be used again")]
    Erased,
    /// The database answered with an error that is none of the above: a bug or a broken database.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
    /// A stored row can't be read as what it should be.
    #[error("stored {what} can't be read")]
    Corrupt {
        /// What it should be.
        what: &'static str,
        /// Why it can't be read.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// For `map_err` where a stored `what` is read.
    pub(crate) fn corrupt<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Corrupt { what, source: source.into() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
        match &error {
            // `Protocol`: a server that dies in the middle of an answer leaves half a message.
            Io(_) | PoolTimedOut | PoolClosed | Tls(_) | WorkerCrashed | Protocol(_) => {
                Self::Unavailable(error)
            }
            Database(answer) => match answer.code().as_deref() {
                Some(UNIQUE_VIOLATION | OTHER_REVISION) => Self::Conflict,
                Some(ERASED) => Self::Erased,
                Some(code) if is_passing(code) => Self::Unavailable(error),
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

const UNIQUE_VIOLATION: &str = "23505";
/// Raised by `kyb.decide_match` (migrations/0016_hits.sql).
const OTHER_REVISION: &str = "KYB03";
/// Raised by `kyb.refuse_erased` (migrations/0015_tenant_erasure.sql).
const ERASED: &str = "KYB01";

/// States (SQLSTATE) that another attempt may not meet: connection trouble (08), too many connections or no room (53), shut down
/// or starting up (57P0x), cancelled by a time limit (57014), a standby that takes no writes (25006), locks and
/// serialisation (40, 55P03).
fn is_passing(code: &str) -> bool {
    ["08", "40", "53"].iter().any(|class| code.starts_with(class))
        || code.starts_with("57P0")
        || ["25006", "55P03", "57014"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_is_retryable_and_a_bug_is_not() {
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).is_retryable());
        assert!(StoreError::from(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())).is_retryable());
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_retryable());
    }

    #[test]
    fn passing_states_are_told_from_lasting_ones() {
        for passing in ["08006", "40001", "40P01", "53300", "57P01", "57P03", "57014", "25006"] {
            assert!(is_passing(passing), "{passing}");
        }
        for lasting in ["42P01", "42501", "23514", "22P02", "28P01", "57000"] {
            assert!(!is_passing(lasting), "{lasting}");
        }
    }
}
