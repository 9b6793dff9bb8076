//! Labelled pairs of names.

use std::{collections::HashMap, path::Path};

use anyhow::Context as _;
use kyb_domain::party::PartyKind;
use serde::Deserialize;

/// So many parts for cross-validation.
pub(crate) const FOLDS: usize = 5;

/// Two names, and whether they are of the same party.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) schema: String,
    pub(crate) kind: PartyKind,
    pub(crate) names: [String; 2],
    pub(crate) is_match: bool,
    /// 0 to [`FOLDS`] - 1; pairs that share a name, also by way of others, are in the same.
    pub(crate) fold: usize,
}

/// Pairs that are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    All,
    Persons,
    /// Companies and organisations.
    Bodies,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::All, Self::Persons, Self::Bodies];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Persons => "persons",
            Self::Bodies => "bodies",
        }
    }

    pub(crate) fn has(self, pair: &Pair) -> bool {
        match self {
            Self::All => true,
            Self::Persons => pair.schema == "Person",
            Self::Bodies => matches!(pair.schema.as_str(), "Company" | "Organization"),
        }
    }
}

/// A row as it is written; further columns are passed over.
#[derive(Debug, Deserialize)]
struct Row {
    schema: String,
    name1: String,
    name2: String,
    is_match: bool,
}

/// Reads a table with the columns `schema`, `name1`, `name2`, `is_match`.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Pair>> {
    let mut table = csv::Reader::from_path(path)?;
    let rows: Result<Vec<Row>, _> = table.deserialize().collect();
    let rows = rows.with_context(|| format!("{} is no table of labelled pairs", path.display()))?;
    let folds = folds(&rows);
    Ok(rows.into_iter().zip(folds).map(|(row, fold)| pair(row, fold)).collect())
}

fn pair(row: Row, fold: usize) -> Pair {
    let kind = match row.schema.as_str() {
        "Person" => PartyKind::Person,
        "Company" | "Organization" | "Vessel" => PartyKind::Business,
        _ => PartyKind::Unknown,
    };
    Pair { kind, names: [row.name1, row.name2], is_match: row.is_match, schema: row.schema, fold }
}

/// Which part each row belongs to: names that are connected by rows stay together.
fn folds(rows: &[Row]) -> Vec<usize> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut known = |name| {
        let next = names.len();
        *names.entry(name).or_insert(next)
    };
    let ends: Vec<[usize; 2]> =
        rows.iter().map(|row| [known(row.name1.as_str()), known(row.name2.as_str())]).collect();
    let mut leads: Vec<usize> = (0..names.len()).collect();
    for [one, other] in &ends {
        let (one, other) = (leads[*one], leads[*other]);
        leads.iter_mut().filter(|lead| **lead == one).for_each(|lead| *lead = other);
    }
    let mut groups: Vec<usize> = Vec::new();
    let number = |lead| {
        groups.iter().position(|known| *known == lead).unwrap_or_else(|| {
            groups.push(lead);
            groups.len() - 1
        })
    };
    ends.iter().map(|[name, _]| leads[*name]).map(number).map(|group| group % FOLDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_share_a_name_are_in_one_fold() {
        let row = |one: &str, other: &str| Row {
            schema: "Person".into(),
            name1: one.into(),
            name2: other.into(),
            is_match: true,
        };
        let rows = [row("a", "b"), row("c", "d"), row("e", "f"), row("d", "a"), row("g", "g")];
        let folds = folds(&rows);
        assert_eq!((folds[0], folds[1]), (folds[3], folds[3]), "by way of a third");
        assert_ne!(folds[0], folds[2]);
        assert!(folds.iter().all(|fold| *fold < FOLDS));
    }
}
