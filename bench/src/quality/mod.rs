//! How well names alone tell same from different, on labelled pairs and on the names of a list ([`aliases`]), beside what others make
//! of the same pairs.
//!
//! ```text
//! pairs (csv) ─┬─ ours ─────────────────┐
//!              ├─ Jaro-Winkler ─────────┼─► scores ─► metrics, by group ─► figures, and a table on standard error
//!              └─ peers (Python) ───────┘
//! ```
//!
//! | column | what |
//! |---|---|
//! | P, R, F1 | precision, recall and their harmonic mean at the threshold that the scorer ships with |
//! | folds | F1 where the threshold of each fifth is the one that is best on the others; pairs that share a name are in one fifth |
//! | best | the best F1 at any threshold, and that threshold |
//! | AUC | the chance that a pair of the same scores above one of others |

mod aliases;
mod metrics;
mod pairs;
mod peers;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use kyb_screening::{ALGORITHM, DEFAULT_THRESHOLD, score_names};
use rapidfuzz::distance::jaro_winkler;
use serde::Deserialize;

use crate::{
    Setup,
    figure::{Figure, print_pair},
    loading,
    rounds::alternate,
};
use metrics::{Judged, Quality};
use pairs::{Group, Pair};

/// What a scorer made of all pairs, in their order.
#[derive(Debug, Deserialize)]
pub(crate) struct Scored {
    /// The scorer's name and version.
    pub(crate) name: String,
    /// The threshold that it ships with, if it has one.
    pub(crate) threshold: Option<f64>,
    /// 0 to 1.
    pub(crate) scores: Vec<f64>,
    pub(crate) microseconds_a_pair: f64,
}

/// Prints the quality of ours and of the others, and how long a pair takes.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let path = labelled_pairs()?;
    let labelled = pairs::read(&path)?;
    eprintln!("quality: {} labelled pairs", labelled.len());
    let scored = compare(&path, &labelled).await?;
    let f1 = |judged: &[Judged]| metrics::quality(judged, DEFAULT_THRESHOLD.get()).f1;
    print("f1", "F1", &scored, &labelled, f1, |judged| metrics::best(judged).0);

    let aliases = aliases::of(&loading::read(setup)?)?;
    let of_list = pairs::read(aliases.path())?;
    eprintln!("quality: {} pairs of names of {}", of_list.len(), setup.lists.display());
    let scored = compare(aliases.path(), &of_list).await?;
    let area = metrics::area_under_curve;
    print("aliases_auc", "AUC", &scored, &of_list, area, area);
    speed(setup, &labelled).await
}

/// What ours, first, and the others make of a set of pairs; prints a table of each.
async fn compare(path: &Path, pairs: &[Pair]) -> anyhow::Result<Vec<Scored>> {
    let mut all = vec![ours(pairs), jaro_winkler(pairs)];
    match peers::scores(path).await {
        Ok(peers) => all.extend(peers),
        Err(why) => eprintln!("quality: without the engines that are written in Python: {why:#}"),
    }
    for scored in &all {
        anyhow::ensure!(scored.scores.len() == pairs.len(), "{} left pairs out", scored.name);
        table(scored, pairs);
    }
    Ok(all)
}

/// Prints a figure of each group: `of_ours` beside the greatest `of_other` of any other.
fn print(
    figure: &str,
    unit: &'static str,
    scored: &[Scored],
    pairs: &[Pair],
    of_ours: impl Fn(&[Judged]) -> f64,
    of_other: impl Fn(&[Judged]) -> f64,
) {
    let Some((us, others)) = scored.split_first() else { return };
    for group in Group::ALL {
        let best_of_others = others.iter().map(|other| of_other(&judged(other, pairs, group)));
        let name = format!("{figure}_{}", group.name());
        let ours = of_ours(&judged(us, pairs, group));
        Figure::new(&name, ours, unit).beside(best_of_others.fold(0.0, f64::max)).print();
    }
}

/// The pairs that lie beside the repository.
fn labelled_pairs() -> anyhow::Result<PathBuf> {
    let path = kyb_e2e::binaries::workspace_root()?.join("../shared/data/names/name_pairs_dev.csv");
    path.canonicalize().with_context(|| format!("no labelled pairs at {}", path.display()))
}

fn timed(name: &str, threshold: Option<f64>, pairs: &[Pair], score: impl Fn(&Pair) -> f64) -> Scored {
    let began = Instant::now();
    let scores: Vec<f64> = pairs.iter().map(score).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of pairs")]
    let microseconds_a_pair = began.elapsed().as_secs_f64() * 1e6 / scores.len().max(1) as f64;
    Scored { name: name.to_owned(), threshold, scores, microseconds_a_pair }
}

fn ours(pairs: &[Pair]) -> Scored {
    timed(ALGORITHM, Some(DEFAULT_THRESHOLD.get()), pairs, score)
}

fn score(pair: &Pair) -> f64 {
    score_names(pair.kind, &pair.names[0], &pair.names[1]).get()
}

fn jaro_winkler(pairs: &[Pair]) -> Scored {
    timed("jaro-winkler", None, pairs, plain)
}

fn plain(pair: &Pair) -> f64 {
    let [one, other] = pair.names.each_ref().map(|name| name.to_uppercase());
    jaro_winkler::similarity(one.chars(), other.chars())
}

/// What was said of the pairs of a group.
fn judged(scored: &Scored, pairs: &[Pair], group: Group) -> Vec<Judged> {
    let of_group = pairs.iter().zip(&scored.scores).filter(|(pair, _)| group.has(pair));
    of_group.map(|(pair, score)| Judged { score: *score, is_match: pair.is_match, fold: pair.fold }).collect()
}

fn table(scored: &Scored, pairs: &[Pair]) {
    eprintln!("{} ({:.1} µs a pair)", scored.name, scored.microseconds_a_pair);
    for group in Group::ALL {
        let judged = judged(scored, pairs, group);
        let at = |threshold| {
            let Quality { precision, recall, f1 } = metrics::quality(&judged, threshold);
            format!("P {precision:.3}  R {recall:.3}  F1 {f1:.3} at {threshold:.2}")
        };
        let shipped = scored.threshold.map_or_else(|| "no threshold of its own".to_owned(), at);
        let (best, threshold) = metrics::best(&judged);
        eprintln!(
            "  {:<8} {:>4} pairs  {shipped:<44}  folds {:.3}  best {best:.3} at {threshold:.2}  AUC {:.3}",
            group.name(),
            judged.len(),
            metrics::across_folds(&judged),
            metrics::area_under_curve(&judged),
        );
    }
}

/// How long a pair takes, in turn with Jaro-Winkler.
async fn speed(setup: &Setup, pairs: &[Pair]) -> anyhow::Result<()> {
    let round = |score: fn(&Pair) -> f64| {
        let began = Instant::now();
        let mut count = 0_u32;
        while began.elapsed() < setup.round {
            for pair in pairs {
                std::hint::black_box(score(pair));
                count += 1;
            }
        }
        began.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    };
    let ours = async || Ok(round(score));
    let pair = alternate("time_of_a_pair", setup.rounds, ours, async || Ok(round(plain))).await?;
    print_pair("time_of_a_pair", "us", &pair);
    Ok(())
}
