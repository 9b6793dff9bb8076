//! Who appears in the demo: two listed companies, chosen from the list in use, and a bakery that exists nowhere.

use anyhow::Context as _;
use kyb_domain::{
    business::{Address, BusinessProfile},
    decision::DecisionOutcome::{self, Approve, Reject, Review},
    identifier::{Identifier, IdentifierKind},
    list::{Entry, EntryKind},
    text::Name,
};

/// One business and how it should come out.
pub(super) struct Scene {
    /// What is shown.
    pub(super) title: String,
    /// Who is asked about.
    pub(super) business: BusinessProfile,
    /// The decisions that would be right.
    pub(super) outcomes: &'static [DecisionOutcome],
    /// The entry that must be found; `None`: none may be.
    pub(super) entry: Option<String>,
}

/// The three.
pub(super) struct Cast([Scene; 3]);

/// How the names of a company begin that is known everywhere, and how somebody may misspell it.
const BEST_KNOWN: (&str, &str) = ("ROSOBORONE", "Rosoboronexprot OAO");

impl Cast {
    /// Chooses from the entries of the lists in use.
    pub(super) fn choose(entries: &[Entry]) -> anyhow::Result<Self> {
        let companies = || entries.iter().filter(|entry| entry.kind == EntryKind::Organization);
        let has_country = |entry: &&Entry| !entry.countries.is_empty();
        let sanctioned = companies()
            .find(|entry| is_best_known(entry) && has_country(entry))
            .or_else(|| companies().find(|entry| is_plain(entry) && has_country(entry)))
            .context("the lists hold no company with a plain name and a country")?;
        let namesake = companies()
            .find(|entry| is_plain(entry) && entry.id != sanctioned.id)
            .context("the lists hold no second company with a plain name")?;
        Ok(Self([self::sanctioned(sanctioned)?, bakery()?, self::namesake(namesake)?]))
    }

    /// In the order of the demo.
    pub(super) fn scenes(&self) -> &[Scene] {
        &self.0
    }
}

/// Two to four words of plain letters, among them a long one.
fn is_plain(entry: &Entry) -> bool {
    let name = entry.caption();
    let words: Vec<&str> = name.split(' ').collect();
    let letters = words.iter().all(|word| word.len() > 2 && word.bytes().all(|b| b.is_ascii_alphabetic()));
    letters && (2..=4).contains(&words.len()) && words.iter().any(|word| word.len() >= 8)
}

fn is_best_known(entry: &Entry) -> bool {
    entry.names.iter().any(|name| name.text.starts_with(BEST_KNOWN.0))
}

fn sanctioned(entry: &Entry) -> anyhow::Result<Scene> {
    let name =
        if is_best_known(entry) { BEST_KNOWN.1.to_owned() } else { misspelt(&title_case(entry.caption())) };
    Ok(Scene {
        title: format!("A sanctioned company, its name misspelt: {name}"),
        business: BusinessProfile {
            country: entry.countries.first().copied(),
            ..BusinessProfile::named(Name::try_from(name)?)
        },
        outcomes: &[Reject],
        entry: Some(entry.id.clone()),
    })
}

fn namesake(entry: &Entry) -> anyhow::Result<Scene> {
    let name = title_case(entry.caption());
    Ok(Scene {
        title: format!("A namesake of a listed company, and nothing else is known: {name}"),
        business: BusinessProfile::named(Name::try_from(name)?),
        outcomes: &[Review],
        entry: Some(entry.id.clone()),
    })
}

fn bakery() -> anyhow::Result<Scene> {
    let country = Some("DE".try_into()?);
    let identifier =
        |kind, value: &str| anyhow::Ok(Identifier { kind, value: value.try_into()?, country: None });
    let address = Address {
        street: Some("Lindenweg 12".try_into()?),
        city: Some("Rostock".try_into()?),
        region: None,
        postal_code: Some("18055".try_into()?),
        country,
    };
    let business = BusinessProfile {
        country,
        legal_form: Some("GmbH".try_into()?),
        address: Some(address),
        identifiers: vec![
            identifier(IdentifierKind::Lei, &with_check_digits("KYBX00DEMOBAKERY01"))?,
            Identifier { country, ..identifier(IdentifierKind::RegistryNumber, "HRB 204711")? },
        ],
        description: Some(
            "Retail bakery: bread, rolls and cakes baked on the premises and sold over the counter"
                .try_into()?,
        ),
        ..BusinessProfile::named(Name::try_from("Backhaus Morgenrot GmbH")?)
    };
    let title = "An ordinary bakery with a well-formed LEI and a registry number".to_owned();
    Ok(Scene { title, business, outcomes: &[Approve, Review], entry: None })
}

/// `text` (18 letters and digits) with its check digits (ISO 17442-1, ISO/IEC 7064 MOD 97-10).
fn with_check_digits(text: &str) -> String {
    let digits = text.chars().filter_map(|c| c.to_digit(36)).chain([0, 0]);
    let rest = digits.fold(0, |rest, digit| (rest * if digit > 9 { 100 } else { 10 } + digit) % 97);
    format!("{text}{:02}", 98 - rest)
}

/// Two neighbouring letters of the longest word, near its end, change places.
fn misspelt(name: &str) -> String {
    let longest = name.split(' ').max_by_key(|word| word.len()).unwrap_or_default();
    let mut letters: Vec<char> = longest.chars().collect();
    let at =
        (letters.len() / 2..letters.len().saturating_sub(2)).rev().find(|at| letters[*at] != letters[at + 1]);
    if let Some(at) = at {
        letters.swap(at, at + 1);
    }
    name.replacen(longest, &letters.into_iter().collect::<String>(), 1)
}

/// As people write names; short words, often abbreviations of legal forms, stay in capitals.
fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if word.len() > 3 => format!("{first}{}", letters.as_str().to_lowercase()),
            _ => word.to_owned(),
        }
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use kyb_domain::identifier::Lei;

    use super::*;

    #[test]
    fn the_bakerys_lei_is_well_formed() {
        assert!(Lei::try_from(with_check_digits("KYBX00DEMOBAKERY01")).is_ok());
        // a published one: Apple Inc.
        assert_eq!(with_check_digits("HWUPKR0MPOU8FGXBT3"), "HWUPKR0MPOU8FGXBT394");
    }

    #[test]
    fn a_misspelt_name_differs_by_two_letters_only() {
        assert_eq!(misspelt("Rosoboronexport OAO"), "Rosoboronexprot OAO");
        assert_eq!(misspelt("aaaa"), "aaaa");
        assert_eq!(title_case("VOLGA TRADING OAO"), "Volga Trading OAO");
    }
}
