//! What a [`Period`] means.

use std::time::Duration;

use crate::text::Period;

/// Why a text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no length of time; write a whole number above 0 and one of s, m, h, d, such as `90s` or `24h`"
)]
pub struct BadPeriod {
    /// What was written.
    pub text: String,
}

/// The longest, 100 years: beyond it, arithmetic with clocks may overflow.
const LONGEST: u64 = 100 * 365 * 86_400;

impl Period {
    /// The length of time: 1 s to 100 years.
    pub fn parse(&self) -> Result<Duration, BadPeriod> {
        seconds(&self.0).map(Duration::from_secs).ok_or_else(|| BadPeriod { text: self.0.clone() })
    }

    /// So many seconds, in the largest unit that holds them whole; 1 s for 0.
    pub fn from_secs(seconds: u64) -> Self {
        let seconds = seconds.max(1);
        let (unit, size) =
            UNITS.into_iter().find(|(_, size)| seconds.is_multiple_of(*size)).unwrap_or(("s", 1));
        Self(format!("{}{unit}", seconds / size))
    }
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

fn seconds(text: &str) -> Option<u64> {
    let (digits, size) =
        UNITS.into_iter().find_map(|(unit, size)| text.strip_suffix(unit).map(|digits| (digits, size)))?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let count: u64 = if plain { digits.parse().ok()? } else { return None };
    count.checked_mul(size).filter(|seconds| *seconds <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_whole_number_and_a_unit() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(Period::from(text).parse(), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in
            ["", "s", "0s", "01s", "90", "1.5h", "-1s", "+1s", "1 h", "1hh", "1w", "1H", "36501d", "١s"]
        {
            assert_eq!(Period::from(bad).parse(), Err(BadPeriod { text: bad.to_owned() }), "{bad}");
        }
    }

    #[test]
    fn seconds_become_the_largest_whole_unit() {
        for (seconds, text) in [(0, "1s"), (59, "59s"), (60, "1m"), (5_400, "90m"), (86_400, "1d")] {
            assert_eq!(Period::from_secs(seconds).as_str(), text);
        }
    }
}
