//! Precision, recall, and what follows from them.

use super::pairs::FOLDS;

/// A pair's score, and what is true.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) score: f64,
    pub(crate) is_match: bool,
    pub(crate) fold: usize,
}

/// Each 0 to 1; 0 where there is nothing to count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Quality {
    pub(crate) precision: f64,
    pub(crate) recall: f64,
    pub(crate) f1: f64,
}

/// How often the score is right or wrong at a threshold.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Counts {
    fn of<'a>(judged: impl Iterator<Item = &'a Judged>, threshold: f64) -> Self {
        judged.fold(Self::default(), |so_far, one| match (one.score >= threshold, one.is_match) {
            (true, true) => Self { right: so_far.right + 1, ..so_far },
            (true, false) => Self { wrong: so_far.wrong + 1, ..so_far },
            (false, true) => Self { missed: so_far.missed + 1, ..so_far },
            (false, false) => so_far,
        })
    }

    fn with(self, other: Self) -> Self {
        Self {
            right: self.right + other.right,
            wrong: self.wrong + other.wrong,
            missed: self.missed + other.missed,
        }
    }

    fn quality(self) -> Quality {
        let share = |part: u32, whole: u32| if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) };
        Quality {
            precision: share(self.right, self.right + self.wrong),
            recall: share(self.right, self.right + self.missed),
            f1: share(2 * self.right, 2 * self.right + self.wrong + self.missed),
        }
    }
}

/// Of "score at least `threshold`".
pub(crate) fn quality(judged: &[Judged], threshold: f64) -> Quality {
    Counts::of(judged.iter(), threshold).quality()
}

/// The best F1 at any threshold in hundredths, and the lowest such threshold.
pub(crate) fn best(judged: &[Judged]) -> (f64, f64) {
    let all: Vec<&Judged> = judged.iter().collect();
    best_of(&all)
}

fn best_of(judged: &[&Judged]) -> (f64, f64) {
    let at = |threshold| Counts::of(judged.iter().copied(), threshold).quality().f1;
    let thresholds = (1..=100).map(|step| f64::from(step) / 100.0);
    thresholds.fold((0.0, 1.0), |best, threshold| {
        let f1 = at(threshold);
        if f1 > best.0 { (f1, threshold) } else { best }
    })
}

/// F1 where each part is judged by the threshold that is best on all others.
pub(crate) fn across_folds(judged: &[Judged]) -> f64 {
    let of = |fold| {
        let (held_out, others): (Vec<&Judged>, Vec<&Judged>) =
            judged.iter().partition(|one| one.fold == fold);
        Counts::of(held_out.into_iter(), best_of(&others).1)
    };
    (0..FOLDS).map(of).fold(Counts::default(), Counts::with).quality().f1
}

/// The chance that a match scores above a pair that is none; a tie counts half.
pub(crate) fn area_under_curve(judged: &[Judged]) -> f64 {
    let scores = |is_match| judged.iter().filter(move |one| one.is_match == is_match).map(|one| one.score);
    let beats = |same: f64, other: f64| match same.total_cmp(&other) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let (above, all) = scores(true)
        .flat_map(|same| scores(false).map(move |other| beats(same, other)))
        .fold((0.0, 0.0), |(above, all), one| (above + one, all + 1.0));
    if all > 0.0 { above / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(scores: &[(f64, bool)]) -> Vec<Judged> {
        let one = |(at, (score, is_match)): (usize, &(f64, bool))| Judged {
            score: *score,
            is_match: *is_match,
            fold: at % FOLDS,
        };
        scores.iter().enumerate().map(one).collect()
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn quality_is_of_what_is_at_or_above_the_threshold() {
        let some = judged(&[(0.9, true), (0.8, false), (0.8, true), (0.3, true), (0.1, false)]);
        let found = quality(&some, 0.8);
        assert!(
            near(found.precision, 2.0 / 3.0) && near(found.recall, 2.0 / 3.0) && near(found.f1, 2.0 / 3.0)
        );
        assert_eq!(quality(&some, 1.1), Quality::default());
    }

    #[test]
    fn the_best_threshold_is_found_and_a_fold_does_not_choose_its_own() {
        let good = judged(&[(0.9, true), (0.8, true), (0.2, false), (0.3, false), (0.7, true), (0.1, false)]);
        let (f1, threshold) = best(&good);
        assert!(near(f1, 1.0) && threshold > 0.3 && threshold <= 0.7, "{threshold}");
        // Only the first fold has a pair that would need a low threshold: the others do not know.
        let odd = judged(&[(0.2, true), (0.9, true), (0.3, false), (0.9, true), (0.3, false)]);
        assert!(best(&odd).0 > across_folds(&odd));
        assert!(across_folds(&odd) < best(&odd).0 + 1e-9);
    }

    #[test]
    fn the_curve_is_one_where_matches_are_above_and_a_half_where_all_are_alike() {
        assert!(near(area_under_curve(&judged(&[(0.9, true), (0.1, false)])), 1.0));
        assert!(near(area_under_curve(&judged(&[(0.5, true), (0.5, false)])), 0.5));
        assert!(near(area_under_curve(&[]), 0.0));
    }
}
