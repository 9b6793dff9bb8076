//! Screening a list of a million names that are made of a real list's words, as often as they stand there, beside Jaro-Winkler over
//! every one of them.

use std::{sync::Arc, time::Instant};

use anyhow::Context as _;
use kyb_domain::{
    list::{Entry, EntryKind, Watchlist},
    party::{Party, PartyKind},
};
use kyb_e2e::names::Change;
use kyb_screening::{Screener, SearchOptions};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::{
    Setup,
    figure::{Figure, print_pair},
    loading,
    memory::resident,
    rounds::{alternate, median},
    screen::{brute_force, in_turn, names, search},
};

const NAMES: u32 = 1_000_000;
const SUBJECTS: usize = 200;
const SEED: u64 = 11;

/// Prints screenings per second, the 99th percentile, what the index takes to build and to hold, and whether it leaves anything out.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let list = Arc::new(made_of(&loading::read(setup)?)?);
    let mut random = StdRng::seed_from_u64(SEED + 1);
    let subjects = subjects(&list, SUBJECTS, &mut random)?;
    let all = names(&list);
    eprintln!("million: {} names made of the words of {}", list.entries.len(), setup.lists.display());

    let (before, began) = (resident(std::process::id())?, Instant::now());
    let screener = Screener::build(&[Arc::clone(&list)]);
    let built = began.elapsed().as_secs_f64();
    Figure::new("million_names_index_build", built, "s").print();
    let held = resident(std::process::id())? - before;
    Figure::new("million_names_index_memory", held, "MiB").beside(1024.0).print();

    let began = Instant::now();
    drop(screener.rebuilt(&[changed(&list)?]));
    Figure::new("million_names_index_rebuild", began.elapsed().as_secs_f64(), "s").beside(built).print();

    let mut p99s = Vec::new();
    let ours = async || {
        let (per_second, p99) = in_turn(setup, &subjects, |subject| search(&screener, subject));
        p99s.push(p99);
        Ok(per_second)
    };
    let baseline = async || Ok(in_turn(setup, &subjects, |subject| brute_force(&all, subject)).0);
    let name = "million_names_screenings_per_second";
    let pair = alternate(name, setup.rounds, ours, baseline).await?;
    print_pair(name, "1/s", &pair);
    Figure::new("million_names_screening_p99", median(p99s.into_iter()), "us").print();
    let others = self::subjects(&list, setup.recall, &mut random)?;
    Recall::of(&screener, &others).print();
    Ok(())
}

/// A version of the list with another first entry.
fn changed(list: &Watchlist) -> anyhow::Result<Arc<Watchlist>> {
    let mut list = list.clone();
    let first = list.entries.first_mut().context("the list is empty")?;
    first.names.first_mut().context("an entry without names")?.text.push_str(" Nova");
    Ok(Arc::new(list))
}

/// What screenings find beside what comparing every name finds.
#[derive(Debug, Clone, Copy, Default)]
struct Recall {
    subjects: usize,
    /// Of which the cap on candidates cut some, which the answer says.
    cut: usize,
    /// Entries that reach the threshold, and those that the screening gave with the same score.
    matching: usize,
    found: usize,
    /// Entries that are missing where nothing was said to be cut: there must be none.
    missing: usize,
}

impl Recall {
    fn of(screener: &Screener, subjects: &[Party]) -> Self {
        let began = Instant::now();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let of_part = |part: &[Party]| {
            part.iter().map(|subject| Self::of_one(screener, subject)).fold(Self::default(), Self::and)
        };
        let recall = std::thread::scope(|scope| {
            let parts = subjects.chunks(subjects.len().div_ceil(threads));
            let parts: Vec<_> = parts.map(|part| scope.spawn(move || of_part(part))).collect();
            // A thread that panicked is a fault of ours, and no figure.
            #[expect(clippy::expect_used, reason = "see above")]
            parts
                .into_iter()
                .map(|part| part.join().expect("a search broke off"))
                .fold(Self::default(), Self::and)
        });
        eprintln!("million: {recall:?} in {:.0} s", began.elapsed().as_secs_f64());
        recall
    }

    fn of_one(screener: &Screener, subject: &Party) -> Self {
        let options = SearchOptions { limit: 1_000, ..SearchOptions::default() };
        let result = screener.search(subject, &options);
        let all = screener.search_every_name(subject, &options).matches;
        let found = all.iter().filter(|one| result.matches.contains(one)).count();
        let cut = usize::from(result.candidates_truncated);
        let missing = if result.candidates_truncated { 0 } else { all.len() - found };
        Self { subjects: 1, cut, matching: all.len(), found, missing }
    }

    fn and(self, other: Self) -> Self {
        Self {
            subjects: self.subjects + other.subjects,
            cut: self.cut + other.cut,
            matching: self.matching + other.matching,
            found: self.found + other.found,
            missing: self.missing + other.missing,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
    fn print(&self) {
        Figure::new("million_names_recall", self.found as f64 / self.matching as f64, "of 1")
            .beside(1.0)
            .print();
        Figure::new("million_names_recall_subjects", self.subjects as f64, "subjects").print();
        Figure::new("million_names_recall_cut", self.cut as f64, "subjects").print();
        Figure::new("million_names_recall_missing_without_a_cut", self.missing as f64, "entries")
            .beside(0.0)
            .print();
    }
}

/// A list of as many entries with one name each: as many words as a real name of that kind has, each drawn from all words of names of
/// that kind.
fn made_of(real: &Watchlist) -> anyhow::Result<Watchlist> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut words: std::collections::BTreeMap<EntryKind, Vec<&str>> = std::collections::BTreeMap::new();
    for entry in &real.entries {
        let of_kind = words.entry(entry.kind).or_default();
        of_kind.extend(entry.names.iter().flat_map(|name| name.text.split_whitespace()));
    }
    let mut made = |number: u32| -> anyhow::Result<Entry> {
        let like = real.entries.choose(&mut random).context("an empty list")?;
        let of_kind = &words[&like.kind];
        let count = like.caption().split_whitespace().count();
        let drawn = (0..count).map(|_| of_kind[random.random_range(0..of_kind.len())]);
        let text = drawn.collect::<Vec<_>>().join(" ");
        let mut entry = Entry { id: number.to_string(), ..like.clone() };
        entry.names.truncate(1);
        entry.names.iter_mut().for_each(|name| name.text.clone_from(&text));
        Ok(Entry { addresses: vec![], remarks: None, ..entry })
    };
    let entries = (1..=NAMES).map(&mut made).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Watchlist { version: real.version.clone(), entries })
}

/// Listed names with one change each.
fn subjects(list: &Watchlist, count: usize, random: &mut StdRng) -> anyhow::Result<Vec<Party>> {
    let chosen: Vec<&Entry> = list.entries.choose_multiple(random, count).collect();
    let changed = chosen.into_iter().enumerate().map(|(at, entry)| {
        let name = Change::ALL[at % Change::ALL.len()].apply(entry, random);
        let kind = if entry.kind == EntryKind::Person { PartyKind::Person } else { PartyKind::Business };
        Ok(Party::named(kind, name.try_into()?))
    });
    changed.collect()
}
