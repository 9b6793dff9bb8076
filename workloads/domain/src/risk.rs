//! How risky a business is.

use serde::{Deserialize, Serialize};

use crate::score::Points;

/// The band of a risk score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// 0 to 39.
    Low,
    /// 40 to 69.
    Medium,
    /// 70 to 84.
    High,
    /// 85 to 100.
    Critical,
}

impl RiskLevel {
    /// The band's name as written in answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl From<Points> for RiskLevel {
    fn from(score: Points) -> Self {
        match score.get() {
            0..40 => Self::Low,
            40..70 => Self::Medium,
            70..85 => Self::High,
            _ => Self::Critical,
        }
    }
}

/// One thing that adds to the risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskFactor {
    /// The factor's code, such as `SANCTIONS_MATCH`.
    pub code: String,
    /// The points it adds.
    pub points: Points,
    /// Why, in words.
    pub detail: String,
}

/// A risk score and what it is made of: the points of the factors add up to the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskAssessment {
    /// The sum.
    pub score: Points,
    /// Its band.
    pub level: RiskLevel,
    /// The factors, heaviest first; each adds at least one point.
    pub factors: Vec<RiskFactor>,
    /// Name and version of the factor table.
    pub model: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_meet_without_gap_or_overlap() {
        let level = |points: u8| RiskLevel::from(Points::try_from(points).unwrap());
        assert_eq!([0, 39].map(level), [RiskLevel::Low; 2]);
        assert_eq!([40, 69].map(level), [RiskLevel::Medium; 2]);
        assert_eq!([70, 84].map(level), [RiskLevel::High; 2]);
        assert_eq!([85, 100].map(level), [RiskLevel::Critical; 2]);
    }
}
