//! Flags and environment of `kyb-gateway`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use kyb_domain::tenant::TenantId;
use kyb_store::ConnectOptions;

use crate::{Compat, Dialect, GatewayOptions};

/// The environment variable that holds the database's URL.
pub const DATABASE_URL: &str = "KYB_DATABASE_URL";

/// The HTTP API of the KYB platform.
///
/// The database's URL holds a password, so it is never given on the command line: it is read from KYB_DATABASE_URL or from
/// the file that --database-url-file names. Traces are sent to OTEL_EXPORTER_OTLP_ENDPOINT where that is set. RUST_LOG sets
/// what is logged, `info` where unset.
///
/// Exit codes: 0 stopped in good order, 1 a fault while running, 2 refused to start (settings, database role or schema).
#[derive(Debug, Parser)]
#[command(name = "kyb-gateway", version)]
pub struct Config {
    /// Address and port to listen on.
    #[arg(long, env = "KYB_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Folder with platform.yaml and one tenant-ID.yaml for each tenant; watched for changes.
    #[arg(long, env = "KYB_SETTINGS", value_name = "DIR", required_unless_present = "settings_from_cluster")]
    pub settings: Option<PathBuf>,
    /// Namespace whose ConfigMaps labelled kyb.dev/settings hold the same files; watched for changes. Instead of --settings.
    #[arg(long, env = "KYB_SETTINGS_NAMESPACE", value_name = "NAMESPACE", conflicts_with = "settings")]
    pub settings_from_cluster: Option<String>,
    /// Name of this pod: say in the database every two seconds what it uses, so that the worker can report it.
    #[arg(long, env = "KYB_POD_NAME", value_name = "NAME")]
    pub pod_name: Option<String>,
    /// File that holds the database's URL; wins over KYB_DATABASE_URL.
    #[arg(long, env = "KYB_DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// The most database connections of this process.
    #[arg(long, env = "KYB_MAX_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_connections: u32,
    /// The most requests under way at once; more are answered with 503.
    #[arg(long, env = "KYB_MAX_REQUESTS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_requests: u32,
    /// Seconds to go on accepting connections after the stop signal, while /ready says no.
    #[arg(long, env = "KYB_DRAIN_DELAY", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=300), value_name = "SECONDS")]
    pub drain_delay: u64,
    /// Callers come through TLS that a proxy in front of this process ends: send Strict-Transport-Security.
    #[arg(long, env = "KYB_BEHIND_TLS")]
    pub behind_tls: bool,
    /// Serve the interfaces of these services beside the own one, so that their clients need no change.
    #[arg(long, env = "KYB_COMPAT", value_delimiter = ',', value_name = "SERVICE")]
    pub compat: Vec<Dialect>,
    /// Answer requests that come to those interfaces without a key for this tenant; only where --listen is a loopback address.
    #[arg(long, env = "KYB_COMPAT_WITHOUT_KEY_AS", value_name = "TENANT", requires = "compat")]
    pub compat_without_key_as: Option<TenantId>,
    /// How to log: JSON for machines or text for people.
    #[arg(long, env = "KYB_LOG", default_value = "json")]
    pub log: LogFormat,
    /// OTLP over HTTP, such as http://collector:4318; no traces where unset.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text.
    Text,
}

/// Why there is no database URL.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither variable nor file.
    #[error("no database URL; set {DATABASE_URL} or --database-url-file")]
    NoDatabaseUrl,
    /// The file can't be read.
    #[error("{file}: the database URL can't be read")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Config {
    /// How to connect to the database.
    pub fn connect_options(&self) -> Result<ConnectOptions, ConfigError> {
        Ok(ConnectOptions {
            url: self.database_url()?,
            max_connections: self.max_connections,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
        })
    }

    fn database_url(&self) -> Result<String, ConfigError> {
        let Some(file) = &self.database_url_file else {
            return std::env::var(DATABASE_URL).map_err(|_| ConfigError::NoDatabaseUrl);
        };
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
        Ok(text.trim().to_owned())
    }

    /// The gateway's bounds.
    pub fn gateway_options(&self) -> GatewayOptions {
        GatewayOptions {
            drain_delay: Duration::from_secs(self.drain_delay),
            most_requests: self.max_requests as usize,
            behind_tls: self.behind_tls,
            pod: self.pod_name.clone(),
            compat: Compat {
                dialects: self.compat.clone(),
                without_key_as: self.compat_without_key_as.clone(),
            },
            ..GatewayOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent_and_no_flag_takes_a_password() {
        use clap::CommandFactory;
        Config::command().debug_assert();
        assert!(
            Config::try_parse_from(["kyb-gateway", "--settings", "s", "--database-url", "postgres://x"])
                .is_err()
        );
    }

    #[test]
    fn settings_come_from_a_folder_or_from_a_cluster_and_not_from_both() {
        let parse = |flags: &[&str]| Config::try_parse_from(["kyb-gateway"].iter().chain(flags));
        assert!(parse(&[]).is_err(), "one of them must be there");
        assert!(parse(&["--settings", "s", "--settings-from-cluster", "n"]).is_err());
        assert!(parse(&["--settings", "s"]).unwrap().settings_from_cluster.is_none());
        assert!(parse(&["--settings-from-cluster", "n"]).unwrap().settings.is_none());
    }

    #[test]
    fn nobody_comes_in_without_a_key_unless_that_is_said_together_with_where() {
        let parse = |flags: &[&str]| {
            Config::try_parse_from(["kyb-gateway", "--settings", "s"].iter().chain(flags))
                .map(|config| config.gateway_options().compat)
        };
        assert!(parse(&[]).unwrap().dialects.is_empty(), "off unless asked for");
        let both = parse(&["--compat", "yente,watchman"]).unwrap();
        assert_eq!((both.dialects, both.without_key_as), (vec![Dialect::Yente, Dialect::Watchman], None));
        assert!(parse(&["--compat-without-key-as", "acme"]).is_err(), "there is nothing that needs no key");
        assert!(parse(&["--compat", "yente", "--compat-without-key-as", "Not A Tenant"]).is_err());
        assert!(parse(&["--compat", "elastic"]).is_err());
    }

    #[test]
    fn the_database_url_is_read_from_its_file_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://kyb@localhost/kyb\n").unwrap();
        let flag = ["kyb-gateway", "--settings", "s", "--database-url-file"];
        let parse = |file: &std::path::Path| {
            Config::try_parse_from(flag.map(Into::into).into_iter().chain([file.as_os_str().to_owned()]))
                .unwrap()
        };
        assert_eq!(parse(&file).connect_options().unwrap().url, "postgres://kyb@localhost/kyb");
        let missing = parse(&folder.path().join("none")).connect_options().err().unwrap();
        assert!(missing.to_string().contains("none"), "{missing}");
    }
}
