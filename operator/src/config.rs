//! Flags and environment of `kyb-operator`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::plan;

/// Makes the KYB platform run as its custom resources say.
///
/// Exit codes: 0 stopped in good order, 1 a fault while running or the lease was lost, 2 refused to start.
#[derive(Debug, Parser)]
#[command(name = "kyb-operator", version, max_term_width = 110)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log as lines of text for people instead of JSON
    #[arg(long, env = "KYB_LOG_TEXT", global = true)]
    pub log_text: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after the custom resources of a cluster until told to stop
    Run(Run),
    /// Tell what applying files would do, without doing it: exit code 0 nothing, 2 changes, 1 no plan or something refused
    Plan(plan::Arguments),
    /// Print the definitions of the custom resources as YAML
    Crds,
}

/// How to run.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Address for /health, /ready and /metrics
    #[arg(long, env = "KYB_LISTEN", default_value = "127.0.0.1:8082", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// File with the installation's root key, 32 random bytes or more, from which API keys are derived
    #[arg(long, env = "KYB_ROOT_KEY_FILE", value_name = "FILE")]
    pub root_key_file: PathBuf,
    /// The namespace that the operator runs in; its lease lies there
    #[arg(long, env = "KYB_OPERATOR_NAMESPACE", default_value = "kyb-system")]
    pub namespace: String,
    /// The ServiceAccount that the operator runs as, bound by name where it has to write Secrets
    #[arg(long, env = "KYB_OPERATOR_SERVICE_ACCOUNT", default_value = "kyb-operator")]
    pub service_account: String,
    /// This replica's name, such as its pod's; told apart from its earlier lives by something random
    #[arg(long, env = "KYB_POD_NAME", default_value = "kyb-operator")]
    pub pod_name: String,
    /// Objects of each kind that are worked on at the same time
    #[arg(long, env = "KYB_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Seconds that a lease lasts without a renewal; the holder stops writing a third of it earlier
    // Below 6 is for tests, which have an API server to themselves; the chart refuses it.
    #[arg(long, env = "KYB_LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(2..=300))]
    pub lease_seconds: u64,
    /// The namespaces to look after, with commas between; the operator looks into no other, and makes none. Without this: all that
    /// carry our labels
    #[arg(long, env = "KYB_NAMESPACES", value_name = "NAMESPACE,…", value_delimiter = ',', value_parser = namespace)]
    pub namespaces: Vec<String>,
}

/// A namespace's name, which is a DNS label. Nothing at all is none: whoever meant some must not get all.
pub(crate) fn namespace(name: &str) -> Result<String, String> {
    let is_letter_or_digit = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let is_label = (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_letter_or_digit(byte) || *byte == b'-')
        && bytes.first().is_some_and(is_letter_or_digit)
        && bytes.last().is_some_and(is_letter_or_digit);
    if is_label {
        Ok(name.to_owned())
    } else {
        Err("not the name of a namespace: a-z, 0-9 and -, at most 63, with a letter or digit at both ends"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        use clap::CommandFactory as _;
        Config::command().debug_assert();
    }

    fn namespaces(arguments: &[&str]) -> Option<Vec<String>> {
        let words = ["kyb-operator", "run", "--root-key-file", "key"].iter().chain(arguments);
        match Config::try_parse_from(words).ok()?.command {
            Command::Run(run) => Some(run.namespaces),
            _ => None,
        }
    }

    #[test]
    fn namespaces_are_dns_labels_and_none_named_means_all() {
        assert_eq!(namespaces(&[]), Some(vec![]));
        let two = namespaces(&["--namespaces", "kyb-us-east-1,kyb-t-acme--lending"]);
        assert_eq!(two, Some(vec!["kyb-us-east-1".to_owned(), "kyb-t-acme--lending".to_owned()]));
        for wrong in ["", "a,", "A", "-a", "a-", "a.b", "a/b", &"a".repeat(64)] {
            assert_eq!(namespaces(&["--namespaces", wrong]), None, "{wrong}");
        }
    }
}
