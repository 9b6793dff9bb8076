//! `Prefer` (RFC 7240): `respond-async`, `wait=N`.

use std::time::Duration;

use axum::http::HeaderMap;

/// The longest wait that is honoured.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How the caller would like to be answered. Preferences that are unknown or malformed are ignored (RFC 7240 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefer {
    /// How long the caller waits for a result before it takes a promise.
    pub(crate) wait: Duration,
}

impl Prefer {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut asynchronous = false;
        let mut wait = None;
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split([',', ';'])).map(str::trim) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "respond-async" => asynchronous = true,
                "wait" => {
                    let seconds = value.trim().trim_matches('"').parse().ok();
                    wait = seconds.map(Duration::from_secs).or(wait);
                }
                _ => {}
            }
        }
        let default = if asynchronous { Duration::ZERO } else { LONGEST_WAIT };
        Self { wait: wait.unwrap_or(default).min(LONGEST_WAIT) }
    }

    /// Whether the work should not even be begun before answering.
    pub(crate) fn is_async(self) -> bool {
        self.wait.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_given_only_to_those_who_ask_for_one() {
        let read = |value: &str| {
            Prefer::read(&[("prefer".parse().unwrap(), value.parse().unwrap())].into_iter().collect())
        };
        assert_eq!(Prefer::read(&HeaderMap::new()).wait, LONGEST_WAIT);
        for (value, seconds) in [
            ("respond-async", 0),
            ("Respond-Async", 0),
            ("wait=0", 0),
            ("wait=5", 5),
            ("respond-async, wait=5", 5),
            ("wait=9999", 20),
            ("wait=soon", 20),
            ("handling=strict", 20),
        ] {
            assert_eq!(read(value).wait.as_secs(), seconds, "{value}");
        }
    }
}
