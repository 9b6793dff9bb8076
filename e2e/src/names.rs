//! Names as people write them: listed ones with an alias, a typing error or other word order, and those of ordinary firms.

use std::fmt;

use kyb_domain::list::{Entry, NameKind};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};

/// How a name sent differs from the listed primary name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One of the entry's other names, weak aliases not among them; the primary one where it has none.
    Alias,
    /// Two neighbouring letters swapped.
    Swap,
    /// A letter left out.
    Drop,
    /// A letter doubled.
    Double,
    /// The words in another order.
    Order,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Alias, Self::Swap, Self::Drop, Self::Double, Self::Order];

    /// The entry's name, changed in this way.
    pub fn apply(self, entry: &Entry, random: &mut StdRng) -> String {
        match self {
            Self::Alias => alias(entry, random),
            Self::Order => reordered(entry.caption(), random),
            Self::Swap | Self::Drop | Self::Double => mistyped(entry.caption(), self, random),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alias => "alias",
            Self::Swap => "swapped letters",
            Self::Drop => "dropped letter",
            Self::Double => "doubled letter",
            Self::Order => "word order",
        })
    }
}

fn alias(entry: &Entry, random: &mut StdRng) -> String {
    let strong = |kind| matches!(kind, NameKind::Alias | NameKind::Former | NameKind::NowKnownAs);
    let aliases: Vec<&str> =
        entry.names.iter().filter(|name| strong(name.kind)).map(|name| name.text.as_str()).collect();
    aliases.choose(random).copied().unwrap_or(entry.caption()).to_owned()
}

fn reordered(name: &str, random: &mut StdRng) -> String {
    let mut words: Vec<&str> = name.split_whitespace().map(|word| word.trim_matches(',')).collect();
    let by = random.random_range(1..words.len().max(2));
    let length = words.len().max(1);
    words.rotate_left(by % length);
    words.join(" ")
}

/// One typing error inside the longest word, never at its first letter, where people seldom err.
fn mistyped(name: &str, change: Change, random: &mut StdRng) -> String {
    let Some(word) = name.split(|c: char| !c.is_alphabetic()).max_by_key(|word| word.chars().count()) else {
        return name.to_owned();
    };
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 {
        return name.to_owned();
    }
    let at = random.random_range(1..letters.len() - 1);
    match change {
        Change::Swap => letters.swap(at, at + 1),
        Change::Drop => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    name.replacen(word, &letters.into_iter().collect::<String>(), 1)
}

/// Forty firms as they stand in any town: trades, families and places, with the legal forms of eight countries.
pub const ORDINARY_FIRMS: [(&str, &str); 40] = [
    ("Bäckerei Hartmann GmbH", "DE"),
    ("Riverside Plumbing & Heating Ltd", "GB"),
    ("Oak Street Dental Care LLC", "US"),
    ("Boulangerie Lefèvre SARL", "FR"),
    ("Nordlicht Fahrradladen GmbH & Co. KG", "DE"),
    ("Panificio Bianchi S.r.l.", "IT"),
    ("Green Valley Landscaping Inc.", "US"),
    ("Talleres Mecánicos Ortega S.L.", "ES"),
    ("Harbour View Guest House Ltd", "GB"),
    ("Schreinerei Wenger AG", "CH"),
    ("Sunrise Yoga Studio LLC", "US"),
    ("De Gouden Pen Boekhandel B.V.", "NL"),
    ("Maple Leaf Moving Services Inc.", "CA"),
    ("Fleuriste du Marché SARL", "FR"),
    ("Blumen Schuster e.K.", "DE"),
    ("Copper Kettle Tea Rooms Ltd", "GB"),
    ("Pacific Crest Roofing Inc.", "US"),
    ("Ferretería Los Pinos S.L.", "ES"),
    ("Zahnarztpraxis Dr. Lindner", "DE"),
    ("Hilltop Veterinary Clinic LLC", "US"),
    ("Optiker Brunner AG", "CH"),
    ("Autohaus Seidel GmbH", "DE"),
    ("Cheshire Wedding Cakes Ltd", "GB"),
    ("Lakeside Property Management LLC", "US"),
    ("Trattoria da Giulia S.n.c.", "IT"),
    ("Fietsenmaker Van Dijk B.V.", "NL"),
    ("Bluebird Child Care Centre Inc.", "CA"),
    ("Menuiserie Girard et Fils SARL", "FR"),
    ("Malerbetrieb Krause GmbH", "DE"),
    ("Thornton Accountants LLP", "GB"),
    ("Desert Rose Hair Salon LLC", "US"),
    ("Librería Cervantes S.L.", "ES"),
    ("Gasthaus zum Goldenen Hirsch GmbH", "AT"),
    ("Evergreen Tree Surgeons Ltd", "GB"),
    ("Prairie Wind Farm Equipment Inc.", "US"),
    ("Café Central Betriebs GmbH", "AT"),
    ("Northgate Physiotherapy Ltd", "GB"),
    ("Silver Lake Coffee Roasters LLC", "US"),
    ("Kaminbau Fischer GmbH", "DE"),
    ("Atelier Couture Moreau SARL", "FR"),
];

#[cfg(test)]
mod tests {
    use kyb_domain::list::{EntryKind, ListedName};
    use rand::SeedableRng as _;

    use super::*;

    fn entry() -> Entry {
        let name = |kind, text: &str| ListedName { kind, text: text.to_owned() };
        Entry {
            id: "1".into(),
            reference: None,
            kind: EntryKind::Organization,
            names: vec![
                name(NameKind::Primary, "ZORVEX MARITIME"),
                name(NameKind::Alias, "QUNTAL"),
                name(NameKind::Weak, "Z"),
            ],
            programs: vec![],
            countries: vec![],
            birth_dates: vec![],
            identifiers: vec![],
            addresses: vec![],
            remarks: None,
        }
    }

    #[test]
    fn every_change_changes_the_name_and_the_same_seed_gives_the_same_one() {
        let apply = |change: Change, seed| change.apply(&entry(), &mut StdRng::seed_from_u64(seed));
        assert_eq!(apply(Change::Alias, 1), "QUNTAL", "a weak alias is never sent");
        assert_eq!(apply(Change::Order, 1), "MARITIME ZORVEX");
        let length = "ZORVEX MARITIME".len();
        for seed in 0..20 {
            assert_eq!(apply(Change::Drop, seed).len(), length - 1);
            assert_eq!(apply(Change::Double, seed).len(), length + 1);
            assert_eq!(apply(Change::Swap, seed).len(), length);
            assert_eq!(apply(Change::Swap, seed), apply(Change::Swap, seed));
        }
    }
}
