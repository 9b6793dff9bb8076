//! How sure a code is, 0 to 1, and when to say nothing.

use crate::{index::Candidate, query::Query};

/// Below this confidence a code is not given, and where the best one is below, there is no result at all: a text that says too
/// little gets no guess.
pub const FLOOR: f64 = 0.15;

/// The confidence of each candidate.
///
/// Three things speak for a code: that its title was said whole, that what was said is in its titles, and that it stands out from
/// the others. The first two make its strength; the third is its share among the candidates, sharpened by cubing so that
/// a crowd of half-fitting codes does not drown a good one.
pub(crate) fn of(candidates: &[Candidate], query: &Query) -> Vec<f64> {
    let share_of = |score: f64| score.powi(3);
    let total: f64 = candidates.iter().map(|candidate| share_of(candidate.score)).sum();
    let confidence = |candidate: &Candidate| {
        let said = (candidate.score / query.mass.max(1.0)).min(1.0);
        let strength = 0.6 * candidate.covered + 0.4 * said;
        let share = share_of(candidate.score) / total.max(f64::MIN_POSITIVE);
        strength * (0.25 + 0.75 * share.sqrt())
    };
    candidates.iter().map(confidence).collect()
}
