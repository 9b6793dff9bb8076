//! Ours and the baseline in turn, so that whatever else the machine does meets both.

/// What came of all rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// Median of ours.
    pub(crate) ours: f64,
    /// Median of the baseline.
    pub(crate) baseline: f64,
    /// Median of the rounds' ratios, ours by baseline.
    pub(crate) ratio: f64,
}

impl Pair {
    /// The medians of rounds of `(ours, baseline)`.
    pub(crate) fn of(rounds: &[(f64, f64)]) -> Self {
        Self {
            ours: median(rounds.iter().map(|(ours, _)| *ours)),
            baseline: median(rounds.iter().map(|(_, baseline)| *baseline)),
            ratio: median(rounds.iter().map(|(ours, baseline)| ours / baseline)),
        }
    }
}

/// Measures both in turn.
pub(crate) async fn alternate(
    name: &str,
    rounds: u32,
    mut ours: impl AsyncFnMut() -> anyhow::Result<f64>,
    mut baseline: impl AsyncFnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<Pair> {
    let mut measured = Vec::new();
    for round in 1..=rounds {
        let pair = (ours().await?, baseline().await?);
        eprintln!("{name}: round {round} of {rounds}: {:.1} beside {:.1}", pair.0, pair.1);
        measured.push(pair);
    }
    Ok(Pair::of(&measured))
}

/// The middle value; of an even number, the mean of the two in the middle; zero of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _ => sorted[half],
    }
}

/// The value that `share` of all are at or below; zero of none.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.clamp(1, values.len().max(1)) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_of_few_values() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median(std::iter::empty()).abs() < 1e-9);
        let mut hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&mut hundred, 0.99) - 99.0).abs() < 1e-9);
        assert!((percentile(&mut [7.0], 0.99) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn the_ratio_is_taken_within_a_round() {
        let pair = Pair::of(&[(10.0, 5.0), (100.0, 50.0), (1000.0, 500.0)]);
        assert!((pair.ratio - 2.0).abs() < 1e-9);
    }
}
