//! Labelled pairs that nobody labelled by hand: a listed party's first name and its other ones are of one party, and a name and the one
//! that is most like it of all that others have are of two. Many aliases have nothing in common with the name that they stand beside,
//! and subsidiaries are called like their parents, so no engine comes near to 1.

use anyhow::Context as _;
use kyb_domain::list::{Entry, EntryKind, NameKind, Watchlist};
use rand::{SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rapidfuzz::fuzz;
use tempfile::NamedTempFile;

const SEED: u64 = 7;
/// So many pairs of either answer for people, and as many for bodies.
const PAIRS: usize = 500;

/// A name and the entry that has it, by position.
type Named<'a> = (usize, &'a str);

/// Pairs of the names of a list, as a table of labelled pairs.
pub(crate) fn of(list: &Watchlist) -> anyhow::Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    let mut table = csv::Writer::from_path(file.path())?;
    table.write_record(["schema", "name1", "name2", "is_match"])?;
    let mut random = StdRng::seed_from_u64(SEED);
    for (kind, schema) in [(EntryKind::Person, "Person"), (EntryKind::Organization, "Organization")] {
        let of_kind: Vec<_> =
            list.entries.iter().enumerate().filter(|(_, entry)| entry.kind == kind).collect();
        let same: Vec<[&str; 2]> = of_kind.iter().flat_map(|(_, entry)| aliases(entry)).collect();
        for [one, other] in same.choose_multiple(&mut random, PAIRS) {
            table.write_record([schema, one, other, "true"])?;
        }
        let names: Vec<Named<'_>> = of_kind.iter().flat_map(|(at, entry)| names(*at, entry)).collect();
        let sample: Vec<Named<'_>> = names.choose_multiple(&mut random, PAIRS).copied().collect();
        for named in sample {
            let other = nearest(named, &names).context("a list with one name has no others")?;
            table.write_record([schema, named.1, other, "false"])?;
        }
    }
    table.flush()?;
    Ok(file)
}

/// The first name of an entry with each of its other strong ones.
fn aliases(entry: &Entry) -> impl Iterator<Item = [&str; 2]> {
    let strong = |kind| matches!(kind, NameKind::Alias | NameKind::Former | NameKind::NowKnownAs);
    let others = entry.names.iter().filter(move |name| strong(name.kind));
    others.map(|other| [entry.caption(), other.text.as_str()])
}

fn names(at: usize, entry: &Entry) -> impl Iterator<Item = Named<'_>> {
    entry.names.iter().map(move |name| (at, name.text.as_str()))
}

/// The name of another entry that has most letters in common, words in whatever order; not the same name, which is no answer.
fn nearest<'a>((at, name): Named<'_>, names: &[Named<'a>]) -> Option<&'a str> {
    let wanted = sorted(name);
    let own: Vec<String> = names.iter().filter(|(of, _)| *of == at).map(|(_, name)| sorted(name)).collect();
    let others = names.iter().filter(|(of, _)| *of != at).map(|(_, other)| (*other, sorted(other)));
    let scored = others.filter(|(_, other)| !own.contains(other)).map(|(text, other)| {
        let score = fuzz::ratio(wanted.chars(), other.chars());
        (score, text)
    });
    scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1))).map(|(_, text)| text)
}

fn sorted(name: &str) -> String {
    let capitals = name.to_uppercase();
    let mut words: Vec<&str> =
        capitals.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_another_partys_and_not_the_same() {
        let names = [(0, "ALPHA BANK"), (0, "ALPHA"), (1, "BANK, Alpha"), (2, "ALPHA TANK"), (3, "GAMMA")];
        assert_eq!(nearest(names[0], &names), Some("ALPHA TANK"));
        assert_eq!(nearest((0, "ALPHA"), &names[..2]), None);
    }
}
