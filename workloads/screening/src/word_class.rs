//! What a word does in a name: carries it, or is one of the words that half of all names have.

use serde::Serialize;

use crate::{meaning, ordinary::Information};

/// How a name is read. Entries decide: a person's name as a person's, every other as a body's or a vessel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Style {
    /// Titles, particles and initials; no legal forms.
    Person,
    /// Legal forms, organisation words, initials that make a word; vessels and aircraft too.
    Organisation,
}

/// What a word does in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub(crate) enum Class {
    /// Tells this name from others.
    Core,
    /// A word that many organisations have: `trading`, `international`.
    Generic,
    /// `al`, `bin`, `van`, `of`, `the`.
    Particle,
    /// `Dr`, `Shaykh`, `MV`.
    Title,
    /// A single letter of a person's name.
    Initial,
    /// A number in digits or words: `Sea Star 3`. Left out and added more often than words.
    Number,
}

impl Class {
    /// What a word of this class says about who is meant, in bits.
    pub(crate) fn bits(self, word: Information) -> f64 {
        f64::from(word.bits).min(self.most_bits())
    }

    /// The most bits that a word of this class says. Common words and initials are not in the table of names: every third body
    /// is a company, and an initial is one letter of eight that begin most names.
    pub(crate) fn most_bits(self) -> f64 {
        match self {
            Self::Core => f64::MAX,
            Self::Generic => f64::from(Self::MOST_BITS_OF_GENERIC),
            Self::Particle | Self::Title => 1.0,
            Self::Initial => 3.0,
            Self::Number => 5.0,
        }
    }

    /// What a common word of bodies says at most, also where it is all there is of a name.
    pub(crate) const MOST_BITS_OF_GENERIC: u8 = 6;

    /// The least [`Self::factor`] of all.
    pub(crate) const LEAST_FACTOR: f64 = 0.08;

    /// How much a word of this class counts beside a rare core word.
    pub(crate) fn factor(self) -> f64 {
        match self {
            Self::Core => 1.0,
            Self::Generic => 0.3,
            Self::Particle | Self::Title => Self::LEAST_FACTOR,
            Self::Initial => 0.35,
            Self::Number => 0.5,
        }
    }
}

/// The class of a normalised word at `position` (from 0) in a name.
pub(crate) fn classify(word: &str, position: usize, style: Style) -> Class {
    match style {
        Style::Person if word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic() => Class::Initial,
        Style::Person if PERSON_PARTICLES.contains(&word) => Class::Particle,
        Style::Person if is_title(word) => Class::Title,
        Style::Organisation if position == 0 && VESSEL_PREFIXES.contains(&word) => Class::Title,
        Style::Organisation if PARTICLES.contains(&word) => Class::Particle,
        Style::Organisation if is_common(word) => Class::Generic,
        Style::Organisation if meaning::is_a_number(word) => Class::Number,
        _ if word.bytes().all(|byte| byte.is_ascii_digit()) => Class::Number,
        _ => Class::Core,
    }
}

/// Whether people are addressed so.
pub(crate) fn is_title(word: &str) -> bool {
    TITLES.contains(&word)
}

/// Whether many bodies have the word: it says what kind of body it is, not which.
pub(crate) fn is_common(word: &str) -> bool {
    GENERIC.binary_search(&word).is_ok() || meaning::is_of_organisations(word)
}

#[rustfmt::skip]
/// Parts of persons' names that come and go with the language of the writer.
const PERSON_PARTICLES: &[&str] = &[
    "al", "el", "ul", "ur", "ud", "bin", "bn", "bw", "bnt", "ben", "ibn", "bint", "abu", "abou", "umm", "ould", "oglu", "ogly",
    "kyzy", "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "la", "le",
    "los", "las", "y", "e", "und", "and", "zu", "ter", "af",
];

#[rustfmt::skip]
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "miss", "mister", "dr", "doctor", "prof", "professor", "sir", "lord", "lady", "dame",
    "president", "praesident", "prasident", "minister", "general", "gen", "colonel", "col", "major", "maj",
    "captain", "capt", "admiral", "brigadier", "lieutenant", "lt", "sheikh", "shaikh", "shaykh", "sheik",
    "cheikh", "haji", "hajji", "hajj", "haj", "hadj", "hadji", "alhaj", "alhaji", "mullah", "mulla", "molla", "mollah", "maulavi", "maulvi", "moulvi", "mawlawi", "maulana", "mawlana", "ayatollah",
    "sayyid", "sayed", "seyed", "seyyed", "syed", "imam", "ustad", "engineer", "eng", "herr", "frau", "monsieur", "madame", "senor",
    "senora", "don", "jr", "sr", "junior", "senior", "ii", "iii", "hon", "rev", "father",
];

#[rustfmt::skip]
const PARTICLES: &[&str] = &[
    "the", "of", "and", "for", "in", "a", "an", "to", "de", "del", "la", "el", "los", "las", "le", "les",
    "du", "des", "et", "y", "e", "da", "do", "di", "und", "der", "die", "das", "fur", "von", "van", "i",
    "v", "na", "al", "ve", "en", "por", "para", "com",
];

#[rustfmt::skip]
const VESSEL_PREFIXES: &[&str] = &[
    "mv", "mt", "ms", "ss", "my", "mts", "lpg", "lng",
];

/// Sorted. Words of several languages that say what kind of body it is, not which.
#[rustfmt::skip]
const GENERIC: &[&str] = &[
    "academy", "administration", "agencia", "agencies", "agency", "agricola", "air", "airline", "airlines",
    "airways", "asociacion", "assoc", "associates", "association", "authority", "aviation", "banco", "bank",
    "banque", "board", "branch", "brothers", "bureau", "business", "capital", "center", "centr", "central",
    "centre", "centro", "chemical", "chemicals", "club", "co", "comercial", "comercializadora", "comm",
    "commerce", "commercial", "commission", "committee", "community", "compagnie", "companhia", "compania",
    "companies", "company", "complex", "consortium", "construction", "constructora", "consulting", "corp",
    "corporacion", "corporation", "council", "department", "design", "development", "directorate",
    "distribuidora", "distribution", "division", "economic", "education", "electric", "electronics",
    "empresa", "energy", "engineering", "enterprise", "enterprises", "equipment", "establishment",
    "exchange", "export", "exports", "fabrika", "factory", "federal", "federation", "finance", "financial",
    "firm", "firma", "fond", "food", "foods", "forwarding", "foundation", "fund", "fundacion", "gas",
    "general", "global", "government", "group", "groupe", "grp", "grupo", "gruppa", "holding", "holdings",
    "home", "hotel", "house", "import", "importadora", "imports", "inc", "industria", "industrial",
    "industrias", "industries", "industry", "information", "inmobiliaria", "institut", "institute",
    "institution", "insurance", "internacional", "international", "intl", "inversiones", "inversora",
    "investment", "investments", "joint", "kompaniya", "lab", "laboratories", "laboratory", "limited",
    "line", "lines", "llc", "logistics", "ltd", "management", "manufacturing", "marine", "maritime",
    "marketing", "materials", "medical", "metal", "mfg", "military", "mining", "ministry", "motors",
    "national", "nauchno", "net", "network", "office", "oil", "online", "operadora", "operations", "org",
    "organisation", "organization", "overseas", "partners", "petroleum", "plant", "plc", "port", "power",
    "private", "production", "products", "project", "projects", "promotora", "properties", "property",
    "public", "real", "regional", "representative", "republic", "research", "resources", "retail", "royal",
    "school", "science", "sciences", "scientific", "security", "service", "services", "servicios", "ship",
    "shipping", "shop", "sociedad", "societe", "society", "software", "solutions", "state", "steel",
    "stock", "store", "stores", "supply", "support", "system", "systems", "tech", "technical",
    "technologies", "technology", "telecom", "telecommunications", "textile", "tour", "tourism", "tours",
    "trade", "trading", "training", "transport", "transportation", "travel", "trust", "union", "universal",
    "university", "ventures", "wholesale", "works", "world", "worldwide", "zavod",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_words_are_sorted_so_that_look_ups_find_every_one() {
        let mut sorted = GENERIC.to_vec();
        sorted.sort_unstable();
        assert_eq!(GENERIC, sorted);
    }

    #[test]
    fn a_word_is_read_as_its_name_is_read() {
        assert_eq!(classify("bin", 1, Style::Person), Class::Particle);
        assert_eq!(classify("bin", 1, Style::Organisation), Class::Core);
        assert_eq!(classify("j", 1, Style::Person), Class::Initial);
        assert_eq!(classify("mv", 0, Style::Organisation), Class::Title);
        assert_eq!(classify("mv", 1, Style::Organisation), Class::Core);
        assert_eq!(classify("trading", 1, Style::Organisation), Class::Generic);
    }
}
