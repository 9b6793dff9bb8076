//! From a URL to connections: TLS, time limits, and when a connection is tried before use.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::{ConnectOptions, StoreError};

/// A connection that was used within this time is taken to be alive. Trying every connection before every statement
/// would be a second round trip for each; a connection that died within the time fails one call as unavailable.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A pool that connects when first used.
pub(crate) fn pool(options: &ConnectOptions) -> Result<PgPool, StoreError> {
    let limit = options.statement_timeout.as_millis();
    let session = parse(&options.url)?.application_name("kyb").options([
        ("statement_timeout", limit.to_string()),
        // No statement of ours leaves a transaction open; should one ever, it must not keep its locks.
        ("idle_in_transaction_session_timeout", limit.to_string()),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(session))
}

/// Reads a connection URL. Where it does not say `sslmode`, a host other than this machine must prove itself
/// (`verify-full`): a password must not be sent to whoever answers.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, StoreError> {
    let wrong = "the database URL can't be read; it must look like `postgres://role:password@host:port/database?sslmode=…`";
    // The source is left out on purpose: it may repeat parts of the URL.
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Configuration(wrong.to_owned()))?;
    let says_mode =
        url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some();
    if says_mode || is_this_machine(&options) {
        return Ok(options);
    }
    Ok(options.ssl_mode(PgSslMode::VerifyFull))
}

fn is_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    options.get_socket().is_some() || host == "localhost" || host.starts_with('/') || loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distant_host_must_prove_itself_unless_the_url_says_otherwise() {
        let mode = |url: &str| format!("{:?}", parse(url).unwrap().get_ssl_mode());
        assert_eq!(mode("postgres://a:b@db.example/kyb"), "VerifyFull");
        assert_eq!(mode("postgres://a:b@db.example/kyb?sslmode=disable"), "Disable");
        assert_eq!(mode("postgres://a:b@db.example/kyb?sslmode=require"), "Require");
        for near in ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"] {
            assert_eq!(mode(&format!("postgres://a:b@{near}/kyb")), "Prefer", "{near}");
        }
    }

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        let error = parse("postgres://role:hunter2@host:not-a-port/kyb").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
