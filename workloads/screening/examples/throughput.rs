//! Screenings per second, one thread, with full features and explanations: `throughput FOLDER`, where FOLDER holds a
//! publisher's own files. Prints one JSON object a line: `{"name", "value", "unit"}`. Subjects are the listed names with
//! one seeded change each (two letters swapped, a letter dropped, words in another order).

use std::{path::Path, process::ExitCode, sync::Arc, time::Instant};

use kyb_domain::{
    list::{EntryKind, Watchlist},
    party::{Party, PartyKind},
    text::Name,
};
use kyb_screening::{Screener, SearchOptions};

#[path = "../tests/perturbation/mod.rs"]
mod perturbation;

const SCREENINGS: usize = 5_000;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: throughput FOLDER (a folder with a publisher's own list files)");
        return ExitCode::from(2);
    };
    let loading = Instant::now();
    let lists: Vec<Arc<Watchlist>> = match kyb_lists::directory::load(Path::new(&folder)) {
        Ok(lists) => lists.into_iter().map(|list| Arc::new(list.watchlist)).collect(),
        Err(error) => {
            eprintln!("{folder}: {error}");
            return ExitCode::FAILURE;
        }
    };
    figure("list_load", loading.elapsed().as_secs_f64() * 1e3, "ms");
    let building = Instant::now();
    let screener = Screener::build(&lists);
    figure("index_build", building.elapsed().as_secs_f64() * 1e3, "ms");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    figure("index_size", screener.heap_bytes() as f64 / 1e6, "MB");
    measure(&screener, &subjects(&lists));
    ExitCode::SUCCESS
}

/// Every nth listed name, changed.
fn subjects(lists: &[Arc<Watchlist>]) -> Vec<Party> {
    let names = || {
        let entries = lists.iter().flat_map(|list| &list.entries);
        entries.flat_map(|entry| entry.names.iter().map(|name| (entry.kind, name.text.as_str())))
    };
    let step = (names().count() / SCREENINGS).max(1);
    let mut chance = perturbation::Chance::seeded(20_190_614);
    let changed = names().step_by(step).filter_map(|(kind, text)| {
        let kind = if kind == EntryKind::Person { PartyKind::Person } else { PartyKind::Business };
        let changed =
            perturbation::change(text, &mut chance).map_or_else(|| text.to_owned(), |(_, changed)| changed);
        Some(Party::named(kind, Name::try_from(changed).ok()?))
    });
    changed.collect()
}

fn measure(screener: &Screener, subjects: &[Party]) {
    let options = SearchOptions::default();
    let mut micros: Vec<f64> = vec![];
    let (mut hits, mut truncated, mut scored) = (0_u32, 0_u32, 0_u32);
    let started = Instant::now();
    for subject in subjects {
        let one = Instant::now();
        let result = screener.search(subject, &options);
        micros.push(one.elapsed().as_secs_f64() * 1e6);
        hits += u32::from(!result.matches.is_empty());
        truncated += u32::from(result.candidates_truncated);
        scored += result.candidates_scored;
    }
    let count = f64::from(u32::try_from(subjects.len().max(1)).unwrap_or(u32::MAX));
    figure("screenings_per_second", count / started.elapsed().as_secs_f64(), "1/s");
    micros.sort_by(f64::total_cmp);
    for (name, share) in [("screening_p50", 50), ("screening_p99", 99)] {
        figure(name, micros.get(micros.len() * share / 100).copied().unwrap_or_default(), "us");
    }
    figure("candidates_scored", f64::from(scored) / count, "per screening");
    figure("with_a_hit", 100.0 * f64::from(hits) / count, "%");
    figure("truncated", 100.0 * f64::from(truncated) / count, "%");
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("{{\"name\":\"screening/{name}\",\"value\":{value:.2},\"unit\":\"{unit}\"}}");
}
