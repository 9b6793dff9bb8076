//! Numbers with a meaning and a range.

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// How alike two parties are, or how sure a classification is: 0 (not at all) to 1 (certain), finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = 0, maximum = 1))]
#[serde(try_from = "f64", into = "f64")]
pub struct Score(f64);

impl Score {
    /// No likeness.
    pub const ZERO: Self = Self(0.0);
    /// Identity.
    pub const ONE: Self = Self(1.0);

    /// A score that is written in the code.
    ///
    /// # Panics
    /// Unless `value` is from 0 to 1; in a `const` that is an error of compilation, which is where this belongs.
    pub const fn constant(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1.0, "a score must be from 0 to 1");
        Self(value)
    }

    /// The nearest score to `value`; not-a-number becomes 0.
    pub fn clamped(value: f64) -> Self {
        if value.is_nan() { Self::ZERO } else { Self(value.clamp(0.0, 1.0)) }
    }

    /// The bare number, 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Rounded to `digits` decimal places, for answers that people read.
    #[must_use]
    pub fn rounded(self, digits: i32) -> Self {
        let unit = 10_f64.powi(digits);
        Self((self.0 * unit).round() / unit)
    }
}

impl TryFrom<f64> for Score {
    type Error = Invalid;
    fn try_from(value: f64) -> Result<Self, Invalid> {
        if (0.0..=1.0).contains(&value) {
            return Ok(Self(value));
        }
        Err(Invalid::new("score", "must be a number from 0 to 1"))
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> f64 {
        score.0
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// A share in per cent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = 0, maximum = 100))]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(f64);

impl Percent {
    /// The bare number, 0 to 100.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = Invalid;
    fn try_from(value: f64) -> Result<Self, Invalid> {
        if (0.0..=100.0).contains(&value) {
            return Ok(Self(value));
        }
        Err(Invalid::new("percent", "must be a number from 0 to 100"))
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> f64 {
        percent.0
    }
}

/// Risk points: 0 (none) to 100 (worst).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = u8, minimum = 0, maximum = 100))]
#[serde(try_from = "u8", into = "u8")]
pub struct Points(u8);

impl Points {
    /// The most there are.
    pub const MAX: Self = Self(100);

    /// The bare number, 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The sum, never above 100.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self((self.0 + other.0).min(100))
    }
}

impl TryFrom<u8> for Points {
    type Error = Invalid;
    fn try_from(value: u8) -> Result<Self, Invalid> {
        if value <= 100 { Ok(Self(value)) } else { Err(Invalid::new("points", "must be from 0 to 100")) }
    }
}

impl From<Points> for u8 {
    fn from(points: Points) -> u8 {
        points.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            assert!(Score::try_from(bad).is_err(), "{bad}");
        }
        assert!(Percent::try_from(100.1).is_err());
        assert!(Points::try_from(101).is_err());
        assert_eq!(Score::clamped(f64::NAN), Score::ZERO);
    }

    #[test]
    fn points_stop_at_one_hundred() {
        let sixty = Points::try_from(60).unwrap();
        assert_eq!(sixty.saturating_add(sixty), Points::MAX);
    }
}
