//! What is known beside the name: countries, dates of birth, addresses, identifiers.
//!
//! An attribute that either side lacks is no evidence at all. One that agrees closes part of the gap between the score and
//! 1; one that contradicts takes a part of the score, never all of it. Evidence is applied in a fixed order, identifiers
//! last, so that the weights of a match's features add up to its score.

use chrono::{Datelike, NaiveDate};
use kyb_domain::{
    country::CountryCode,
    date::{DateSpan, PartialDate},
    identifier::{Identifier, IdentifierKind},
    list::Entry,
    party::Party,
    screening::{AGREES, FeatureName},
};

use crate::normalise::Words;

/// One comparison beside the name.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) name: FeatureName,
    /// How alike, 0 to 1.
    pub(crate) likeness: f64,
    pub(crate) effect: Effect,
    pub(crate) detail: String,
}

/// What evidence does to a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Effect {
    /// Closes this share of the gap to 1.
    Raises(f64),
    /// Takes this share away.
    Lowers(f64),
    /// The score is at least this.
    Proves(f64),
    /// Nothing: neither agreement nor contradiction.
    Leaves,
}

impl Effect {
    pub(crate) fn apply(self, score: f64) -> f64 {
        match self {
            Self::Raises(share) => score + share * (1.0 - score),
            Self::Lowers(share) => score * (1.0 - share),
            Self::Proves(least) => score.max(least),
            Self::Leaves => score,
        }
    }
}

const COUNTRY_AGREES: f64 = 0.10;
const COUNTRY_DIFFERS: f64 = 0.03;
const DAY_AGREES: f64 = 0.30;
const YEAR_AGREES: f64 = 0.15;
const BIRTH_DIFFERS: f64 = 0.10;
const ADDRESS_AGREES: f64 = 0.15;
const IDENTIFIER_PROVES: f64 = 0.95;
const WEAK_IDENTIFIER_AGREES: f64 = 0.50;
const IDENTIFIER_DIFFERS: f64 = 0.05;
/// Identifiers of fewer letters and digits meet by chance.
const SHORTEST_IDENTIFIER: usize = 5;

/// The share of the gap to 1 that evidence without identifiers can close at best for this subject, so that no
/// candidate is dropped which evidence could have lifted over the threshold.
pub(crate) fn most_raised(subject: &Party) -> f64 {
    let left = [
        (!subject.countries.is_empty(), COUNTRY_AGREES),
        (subject.birth_date.is_some(), DAY_AGREES),
        (!subject.addresses.is_empty(), ADDRESS_AGREES),
    ];
    1.0 - left.into_iter().filter(|(has, _)| *has).map(|(_, share)| 1.0 - share).product::<f64>()
}

/// All evidence that both sides have, in the order of application.
pub(crate) fn gather(subject: &Party, entry: &Entry) -> Vec<Evidence> {
    let found = [
        countries(&subject.countries, &entry.countries),
        subject.birth_date.and_then(|date| birth_dates(date, &entry.birth_dates)),
        addresses(subject, entry),
        identifiers(&subject.identifiers, &entry.identifiers),
    ];
    found.into_iter().flatten().collect()
}

/// Whether any of it agrees well enough to stand beside a name.
pub(crate) fn any_agrees(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|one| one.likeness >= AGREES)
}

fn countries(subject: &[CountryCode], listed: &[CountryCode]) -> Option<Evidence> {
    if subject.is_empty() || listed.is_empty() {
        return None;
    }
    let shared: Vec<&str> =
        subject.iter().filter(|country| listed.contains(country)).map(CountryCode::as_str).collect();
    let texts =
        |countries: &[CountryCode]| countries.iter().map(CountryCode::as_str).collect::<Vec<_>>().join(", ");
    Some(if shared.is_empty() {
        Evidence {
            name: FeatureName::Country,
            likeness: 0.0,
            effect: Effect::Lowers(COUNTRY_DIFFERS),
            detail: format!("subject's {} is not among the listed {}", texts(subject), texts(listed)),
        }
    } else {
        Evidence {
            name: FeatureName::Country,
            likeness: 1.0,
            effect: Effect::Raises(COUNTRY_AGREES),
            detail: format!("both have {}", shared.join(", ")),
        }
    })
}

fn birth_dates(subject: PartialDate, listed: &[DateSpan]) -> Option<Evidence> {
    let compared = listed.iter().map(|span| (compare_dates(subject, span), span));
    let ((likeness, effect, how), span) = compared.max_by(|((a, ..), _), ((b, ..), _)| a.total_cmp(b))?;
    let detail = format!("subject's {subject} {how} listed {}", span_text(span));
    Some(Evidence { name: FeatureName::BirthDate, likeness, effect, detail })
}

fn compare_dates(subject: PartialDate, listed: &DateSpan) -> (f64, Effect, &'static str) {
    let given = DateSpan::of(subject, false);
    let to_the_day = given.first == given.last && listed.first == listed.last;
    if given.overlaps(listed) {
        let share = if to_the_day { DAY_AGREES } else { YEAR_AGREES };
        return (1.0, Effect::Raises(share), if to_the_day { "is the" } else { "fits the" });
    }
    if to_the_day && swapped(given.first) == Some(listed.first) {
        return (0.95, Effect::Raises(YEAR_AGREES), "has day and month swapped beside the");
    }
    let years_apart =
        (given.first.year() - listed.last.year()).max(listed.first.year() - given.last.year()).max(0);
    match years_apart {
        0 => (0.7, Effect::Leaves, "is in the same year as the"),
        1 if listed.circa => (0.9, Effect::Raises(YEAR_AGREES), "is within a year of the approximate"),
        1 => (0.5, Effect::Lowers(BIRTH_DIFFERS / 2.0), "is a year from the"),
        _ => (0.0, Effect::Lowers(BIRTH_DIFFERS), "contradicts the"),
    }
}

fn swapped(date: NaiveDate) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year(), date.day(), date.month())
}

fn span_text(span: &DateSpan) -> String {
    let circa = if span.circa { "circa " } else { "" };
    if span.first == span.last {
        format!("{circa}{}", span.first)
    } else {
        format!("{circa}{} to {}", span.first, span.last)
    }
}

/// Addresses are compared word by word (Dice coefficient). Different addresses contradict nothing: bodies have several.
fn addresses(subject: &Party, entry: &Entry) -> Option<Evidence> {
    let listed: Vec<(&String, Vec<String>)> =
        entry.addresses.iter().map(|line| (line, address_words(line))).collect();
    let pairs = subject.addresses.iter().flat_map(|given| {
        let words = address_words(given.as_str());
        listed
            .iter()
            .map(move |(line, other)| (address_likeness(&words, other), given.as_str(), line.as_str()))
    });
    let (likeness, given, line) = pairs.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let effect = if likeness >= AGREES { Effect::Raises(ADDRESS_AGREES) } else { Effect::Leaves };
    let detail = format!("`{given}` shares {:.0} % of its words with listed `{line}`", likeness * 100.0);
    Some(Evidence { name: FeatureName::Address, likeness, effect, detail })
}

fn address_words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Words::of(line).words.into_iter().map(|word| word.letters).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// One word, such as a town, is no address.
fn address_likeness(a: &[String], b: &[String]) -> f64 {
    let shared =
        u32::try_from(a.iter().filter(|word| b.binary_search(word).is_ok()).count()).unwrap_or(u32::MAX);
    let all = u32::try_from(a.len() + b.len()).unwrap_or(u32::MAX);
    let dice = if all == 0 { 0.0 } else { 2.0 * f64::from(shared) / f64::from(all) };
    if shared >= 3 { dice } else { dice.min(0.5) }
}

fn identifiers(subject: &[Identifier], listed: &[Identifier]) -> Option<Evidence> {
    let pairs = || subject.iter().flat_map(|given| listed.iter().map(move |other| (given, other)));
    let shared = pairs().filter(|(given, other)| is_evidence(given) && same(given, other));
    if let Some((given, _)) = shared.max_by_key(|(given, _)| is_strong(given.kind)) {
        let effect = if is_strong(given.kind) {
            Effect::Proves(IDENTIFIER_PROVES)
        } else {
            Effect::Raises(WEAK_IDENTIFIER_AGREES)
        };
        let detail = format!("both have {} {}", kind_text(given.kind), given.value);
        return Some(Evidence { name: FeatureName::Identifier, likeness: 1.0, effect, detail });
    }
    let (given, other) =
        pairs().find(|(given, other)| given.kind == other.kind && has_one_only(given.kind))?;
    let detail =
        format!("subject's {} {} is not the listed {}", kind_text(given.kind), given.value, other.value);
    let effect = Effect::Lowers(IDENTIFIER_DIFFERS);
    Some(Evidence { name: FeatureName::Identifier, likeness: 0.0, effect, detail })
}

/// The value of an identifier in the form in which it is compared. Ship numbers are written with and without `IMO`.
pub(crate) fn comparable(identifier: &Identifier) -> String {
    let value = identifier.normalised();
    match identifier.kind {
        IdentifierKind::Imo => value.chars().filter(char::is_ascii_digit).collect(),
        _ => value,
    }
}

/// Same kind and value, and no two different countries.
fn same(a: &Identifier, b: &Identifier) -> bool {
    let one_country = a.country.is_none() || b.country.is_none() || a.country == b.country;
    a.kind == b.kind && one_country && comparable(a) == comparable(b)
}

/// Whether an identifier is long enough to mean anything.
pub(crate) fn is_evidence(identifier: &Identifier) -> bool {
    comparable(identifier).chars().count() >= SHORTEST_IDENTIFIER
}

/// Issued by an authority to one party; web sites and unnamed numbers are shared and reused.
fn is_strong(kind: IdentifierKind) -> bool {
    !matches!(kind, IdentifierKind::Website | IdentifierKind::Other)
}

/// A party has one of these, so two different ones contradict each other.
fn has_one_only(kind: IdentifierKind) -> bool {
    matches!(kind, IdentifierKind::Lei | IdentifierKind::Imo)
}

fn kind_text(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Lei => "LEI",
        IdentifierKind::RegistryNumber => "registry number",
        IdentifierKind::TaxId => "tax number",
        IdentifierKind::Bic => "BIC",
        IdentifierKind::Duns => "D-U-N-S number",
        IdentifierKind::Imo => "IMO number",
        IdentifierKind::Passport => "passport",
        IdentifierKind::NationalId => "national identity number",
        IdentifierKind::Website => "web site",
        IdentifierKind::Other => "identifier",
    }
}
