//! What a party is, in the words of the command line and of other people's tables.

use clap::ValueEnum;
use kyb_domain::party::PartyKind;

/// The kinds by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Kind {
    /// A company or other organisation.
    Business,
    /// A natural person.
    Person,
    /// Not known.
    #[default]
    Unknown,
}

impl From<Kind> for PartyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Business => Self::Business,
            Kind::Person => Self::Person,
            Kind::Unknown => Self::Unknown,
        }
    }
}

/// The kind that a word of a table means: ours, or a type name common in screening data. `None` for any other word.
/// What may be a person or a company, and ships and aircraft, are `Unknown`: compared with entries of every kind.
pub(crate) fn from_word(word: &str) -> Option<PartyKind> {
    let folded: String =
        word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match folded.as_str() {
        "business" | "company" | "organization" | "organisation" | "publicbody" => Some(PartyKind::Business),
        "person" | "individual" => Some(PartyKind::Person),
        "" | "unknown" | "legalentity" | "entity" | "thing" | "vessel" | "ship" | "airplane" | "aircraft" => {
            Some(PartyKind::Unknown)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_of_screening_data_are_understood() {
        let table = [
            ("Company", Some(PartyKind::Business)),
            ("ORGANIZATION", Some(PartyKind::Business)),
            ("Person", Some(PartyKind::Person)),
            ("LegalEntity", Some(PartyKind::Unknown)),
            ("", Some(PartyKind::Unknown)),
            ("Vessel", Some(PartyKind::Unknown)),
            ("Rosoboronexport", None),
        ];
        for (word, kind) in table {
            assert_eq!(from_word(word), kind, "{word}");
        }
    }
}
