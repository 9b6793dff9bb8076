//! What a subject and a listed entry were when somebody decided about them: a hash that any change makes another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Invalid,
    country::CountryCode,
    date::PartialDate,
    identifier::IdentifierKind,
    list::Entry,
    party::{Party, PartyKind},
    text::Name,
};

/// SHA-256, 64 hexadecimal digits on the wire. It tells versions apart and hides nothing: names can be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

crate::openapi::text_schema!(Fingerprint, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");

impl Fingerprint {
    /// Of a subject. Order and repetition of aliases and the like, case, white space, and separators in identifiers make no
    /// difference; everything else does. `None` where it can't be written down, which would be a fault of ours: then there
    /// is nothing to compare with, and two subjects must not be taken for one.
    pub fn of_subject(subject: &Party) -> Option<Self> {
        let Party { kind, name, aliases, countries, birth_date, identifiers, addresses } = subject;
        let identifier = |one: &crate::identifier::Identifier| (one.kind, one.normalised(), one.country);
        Self::of(&Subject {
            format: "kyb-subject-1",
            kind: *kind,
            name: folded(name),
            aliases: aliases.iter().map(folded).collect(),
            countries: countries.iter().copied().collect(),
            birth_date: *birth_date,
            identifiers: identifiers.iter().map(identifier).collect(),
            addresses: addresses.iter().map(folded).collect(),
        })
    }

    /// Of a listed entry: all that its publisher says, remarks too, since a person may have decided by them. So an entry has
    /// another fingerprint exactly where the delta of two versions calls it changed.
    pub fn of_entry(entry: &Entry) -> Option<Self> {
        Self::of(&("kyb-entry-1", entry))
    }

    fn of(value: &impl Serialize) -> Option<Self> {
        Some(Self(Sha256::digest(serde_json::to_vec(value).ok()?).into()))
    }

    /// Its bytes, as the database keeps them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What is hashed of a subject.
#[derive(Serialize)]
struct Subject {
    format: &'static str,
    kind: PartyKind,
    name: String,
    aliases: BTreeSet<String>,
    countries: BTreeSet<CountryCode>,
    birth_date: Option<PartialDate>,
    identifiers: BTreeSet<(IdentifierKind, String, Option<CountryCode>)>,
    addresses: BTreeSet<String>,
}

/// In lower case, with single spaces.
fn folded(name: &Name) -> String {
    name.as_str().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl TryFrom<&[u8]> for Fingerprint {
    type Error = Invalid;
    fn try_from(bytes: &[u8]) -> Result<Self, Invalid> {
        bytes.try_into().map(Self).map_err(|_| Invalid::new("fingerprint", "must be 32 bytes"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let bytes =
            hex::decode(text).map_err(|_| Invalid::new("fingerprint", "must be 64 hexadecimal digits"))?;
        Self::try_from(bytes.as_slice())
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        hex::encode(fingerprint.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn subject(change: impl FnOnce(&mut Value)) -> Fingerprint {
        let mut subject = json!({
            "type": "person", "name": "Erika Muster", "aliases": ["E. Muster", "Erika M."], "countries": ["DE", "CH"],
            "birth_date": "1961-03", "identifiers": [{"kind": "passport", "value": "C01 X-00", "country": "DE"}],
            "addresses": ["Am Markt 1, Bonn"],
        });
        change(&mut subject);
        Fingerprint::of_subject(&serde_json::from_value(subject).unwrap()).unwrap()
    }

    #[test]
    fn any_field_of_a_subject_makes_another_fingerprint() {
        let changes: [(&str, Value); 7] = [
            ("type", json!("unknown")),
            ("name", json!("Erika Mustermann")),
            ("aliases", json!(["E. Muster"])),
            ("countries", json!(["DE"])),
            ("birth_date", json!("1961-03-01")),
            ("identifiers", json!([{"kind": "passport", "value": "C01X01", "country": "DE"}])),
            ("addresses", json!(["Am Markt 2, Bonn"])),
        ];
        let same = subject(|_| ());
        let mut seen = BTreeSet::from([same]);
        for (field, value) in changes {
            assert!(seen.insert(subject(|subject| subject[field] = value)), "{field}");
        }
        assert!(seen.insert(subject(|subject| subject["identifiers"][0]["country"] = json!("CH"))));
        assert!(seen.insert(subject(|subject| subject["identifiers"][0]["kind"] = json!("national_id"))));
        let swapped = subject(|subject| {
            subject["name"] = json!("E. Muster");
            subject["aliases"] = json!(["Erika Muster", "Erika M."]);
        });
        assert!(seen.insert(swapped), "which name is the first one is a field too");
    }

    #[test]
    fn spelling_and_order_make_none() {
        let same = subject(|subject| {
            subject["name"] = json!("ERIKA   muster");
            subject["aliases"] = json!(["Erika M.", "e. muster", "Erika M."]);
            subject["countries"] = json!(["CH", "DE"]);
            subject["identifiers"][0]["value"] = json!("c01x00");
        });
        assert_eq!(same, subject(|_| ()));
    }

    #[test]
    fn any_field_of_an_entry_makes_another_fingerprint() {
        let entry = json!({
            "id": "1", "reference": null, "kind": "organization", "names": [{"kind": "primary", "text": "FIRM"}],
            "programs": ["A"], "countries": [], "birth_dates": [], "identifiers": [], "addresses": [], "remarks": null,
        });
        let of = |entry: &Value| {
            Fingerprint::of_entry(&serde_json::from_value::<Entry>(entry.clone()).unwrap()).unwrap()
        };
        let changes = [
            ("id", json!("2")),
            ("reference", json!("EU.1")),
            ("kind", json!("vessel")),
            ("names", json!([{"kind": "alias", "text": "FIRM"}])),
            ("programs", json!(["A", "B"])),
            ("countries", json!(["RU"])),
            ("identifiers", json!([{"kind": "tax_id", "value": "1"}])),
            ("addresses", json!(["Moscow"])),
            ("remarks", json!("Linked to 3.")),
        ];
        let mut seen = BTreeSet::from([of(&entry)]);
        for (field, value) in changes {
            let mut other = entry.clone();
            other[field] = value;
            assert!(seen.insert(of(&other)), "{field}");
        }
    }

    #[test]
    fn a_fingerprint_survives_text() {
        let one = subject(|_| ());
        assert_eq!(Fingerprint::try_from(String::from(one)), Ok(one));
        assert!(Fingerprint::try_from("9f".to_owned()).is_err());
    }
}
