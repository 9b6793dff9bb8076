//! Lengths of time as people write them: `90s`, `15m`, `24h`, `7d`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A length of time: a whole number and one of `s`, `m`, `h`, `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Duration);

/// Why a text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a length of time must be a whole number and one of s, m, h, d, such as `90s` or `24h`")]
pub struct BadPeriod;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Period {
    /// So many whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The bare duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for Period {
    type Error = BadPeriod;
    fn try_from(text: String) -> Result<Self, BadPeriod> {
        let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit)).ok_or(BadPeriod)?;
        let digits = text.trim_end_matches(unit);
        let whole = digits.len() + 1 == text.len() && digits.bytes().all(|b| b.is_ascii_digit());
        let count: u64 = if whole { digits.parse().map_err(|_| BadPeriod)? } else { return Err(BadPeriod) };
        count.checked_mul(seconds).map(Self::from_secs).ok_or(BadPeriod)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let fits = |unit: u64| seconds != 0 && seconds.is_multiple_of(unit);
        let (unit, size) = UNITS.into_iter().find(|(_, size)| fits(*size)).unwrap_or(('s', 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<u64, BadPeriod> {
        Period::try_from(text.to_owned()).map(|period| period.get().as_secs())
    }

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        assert_eq!(["0s", "90s", "15m", "24h", "7d"].map(read), [0, 90, 900, 86_400, 604_800].map(Ok));
        for bad in
            ["", "s", "90", "1.5h", "-1s", "+1s", "1 h", "1hh", "1w", "1H", "99999999999999999999d", "١s"]
        {
            assert_eq!(read(bad), Err(BadPeriod), "{bad}");
        }
    }

    #[test]
    fn a_period_survives_text() {
        for text in ["0s", "90s", "15m", "25h", "7d"] {
            assert_eq!(Period::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        assert_eq!(Period::from_secs(86_400).to_string(), "1d");
    }
}
