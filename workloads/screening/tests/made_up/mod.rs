//! Names of people and bodies that are on no list: the parts of ordinary names, put together anew.
#![expect(clippy::expect_used, reason = "missing or malformed test data must fail the test")]

use std::path::Path;

use kyb_domain::{
    party::{Party, PartyKind},
    text::Name,
};

use crate::perturbation::Chance;

/// What firms are called beside the name of an owner or of what they do.
const WHAT_THEY_ARE: [&str; 16] = [
    "Trading",
    "Holdings",
    "Consulting",
    "Services",
    "Logistics",
    "Foods",
    "Construction",
    "Export",
    "Group",
    "Engineering",
    "Bakery",
    "Brothers",
    "Industries",
    "Capital",
    "Shipping",
    "Solutions",
];
const LEGAL_FORMS: [&str; 9] = ["Ltd", "LLC", "Inc.", "GmbH", "S.A.", "B.V.", "Co., Ltd.", "OOO", "S.r.l."];

/// The parts that names are made of.
pub(crate) struct Parts {
    /// Given name, middle name (may be empty) and surname of people, in two halves that keep to their scripts.
    people: [Vec<[String; 3]>; 2],
    /// Words of goods and trades.
    trades: Vec<String>,
}

impl Parts {
    /// From `data`, the folder of test data.
    pub(crate) fn read(data: &Path) -> Self {
        let people = ["negatives_us_1000.csv", "negatives_global_1000.csv"].map(|file| {
            let rows = column_sets(&data.join("names").join(file));
            rows.into_iter().map(|row| [row[1].clone(), row[2].clone(), row[3].clone()]).collect()
        });
        let mut trades: Vec<String> = column_sets(&data.join("naics/index_phrases_dev.csv"))
            .iter()
            .flat_map(|row| row[1].split(|c: char| !c.is_ascii_alphabetic()))
            .filter(|word| word.len() > 3)
            .map(|word| word[..1].to_uppercase() + &word[1..].to_lowercase())
            .collect();
        trades.sort_unstable();
        trades.dedup();
        Self { people, trades }
    }

    /// Somebody whose given name, middle name and surname come from three people.
    pub(crate) fn person(&self, chance: &mut Chance) -> Party {
        let half = &self.people[chance.below(2)];
        let parts = [0, 1, 2].map(|part| half[chance.below(half.len())][part].as_str());
        named(PartyKind::Person, &parts)
    }

    /// A firm by its owner, by two owners, or by what it does.
    pub(crate) fn body(&self, chance: &mut Chance) -> Party {
        let half = &self.people[chance.below(2)];
        let [first, second] = [0, 1].map(|_| half[chance.below(half.len())][2].as_str());
        let [trade, other_trade] = [0, 1].map(|_| self.trades[chance.below(self.trades.len())].as_str());
        let what = WHAT_THEY_ARE[chance.below(WHAT_THEY_ARE.len())];
        let form = LEGAL_FORMS[chance.below(LEGAL_FORMS.len())];
        let parts = match chance.below(5) {
            0 => vec![first, what, form],
            1 => vec![first, "&", second, form],
            2 => vec![trade, what, form],
            3 => vec![first, trade, form],
            _ => vec![trade, other_trade, what],
        };
        named(PartyKind::Business, &parts)
    }
}

fn column_sets(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("the parts of names are test data");
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
    rows.collect()
}

fn named(kind: PartyKind, parts: &[&str]) -> Party {
    let written: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    Party::named(kind, Name::try_from(written.join(" ")).expect("a name of a few words"))
}
