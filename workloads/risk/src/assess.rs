//! From the factors that apply to a score.

use chrono::NaiveDate;
use kyb_domain::{
    business::BusinessProfile,
    classification::Classification,
    risk::{RiskAssessment, RiskFactor, RiskLevel},
    score::Points,
    screening::Screening,
    verification::Check,
};

use crate::factors::FACTORS;

/// Name and version of the factor table; changes whenever a score can change.
pub const MODEL: &str = "kyb-risk/1";

/// All that is known when the risk is assessed. Checks or screenings that were not done are absent, and add points where
/// ignorance is a risk.
pub struct RiskInput<'a> {
    /// The business.
    pub business: &'a BusinessProfile,
    /// The checks done so far.
    pub checks: &'a [Check],
    /// The screenings of the business and its people.
    pub screenings: &'a [Screening],
    /// Its industry.
    pub classification: &'a Classification,
    /// Today.
    pub today: NaiveDate,
}

/// Adds up the factors. The points listed are those that count: where the sum would pass 100, the factor that crosses it is cut
/// and those after it are left out.
pub fn assess(input: &RiskInput<'_>) -> RiskAssessment {
    let mut score = 0_u8;
    let mut factors = Vec::new();
    for factor in FACTORS {
        let room = Points::MAX.get() - score;
        if room == 0 {
            break;
        }
        if let Some(detail) = (factor.applies)(input) {
            let counted = factor.points.min(room);
            score += counted;
            factors.push(RiskFactor { code: factor.code.to_owned(), points: points(counted), detail });
        }
    }
    // the last one may have been cut below the ones before it, never above: the order still holds
    let score = points(score);
    RiskAssessment { score, level: RiskLevel::from(score), factors, model: MODEL.to_owned() }
}

/// Points that are known not to pass 100.
fn points(value: u8) -> Points {
    Points::try_from(value).unwrap_or(Points::MAX)
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
