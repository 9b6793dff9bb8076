//! What the fields of a designation mean, whichever of the two formats they stand in.

use kyb_domain::{
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
};

use crate::{draft::Draft, names, reading::Reading};

/// What is done with a field of which nothing but its text matters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// The regime: a programme.
    Program,
    /// The country that the party is of.
    Country,
    /// A date of birth.
    Born,
    /// One or several numbers of a kind.
    Number(IdentifierKind),
    /// The reference of the older list, which people still cite.
    Reference,
    /// Prose.
    Remark,
    /// What an entry has no place for, kept as words.
    Words,
    /// Read elsewhere, or the publisher's book-keeping.
    Passed,
}

/// The fields: their element in the XML (the innermost one), their column in the csv, and what they mean. The column is
/// also the label of words.
pub(super) const FIELDS: &[(&str, &str, Meaning)] = &[
    ("LastUpdated", "Last Updated", Meaning::Passed),
    ("DateDesignated", "Date Designated", Meaning::Passed),
    ("UniqueID", "Unique ID", Meaning::Passed),
    ("IndividualEntityShip", "Designation Type", Meaning::Passed),
    ("OFSIGroupID", "OFSI Group ID", Meaning::Reference),
    ("UNReferenceNumber", "UN Reference Number", Meaning::Words),
    ("RegimeName", "Regime Name", Meaning::Program),
    ("DesignationSource", "Designation source", Meaning::Words),
    ("SanctionsImposed", "Sanctions Imposed", Meaning::Words),
    ("OtherInformation", "Other Information", Meaning::Remark),
    ("UKStatementofReasons", "UK Statement of Reasons", Meaning::Remark),
    ("Title", "Title", Meaning::Words),
    ("PhoneNumber", "Phone number", Meaning::Number(IdentifierKind::Other)),
    ("Website", "Website", Meaning::Number(IdentifierKind::Website)),
    ("EmailAddress", "Email address", Meaning::Number(IdentifierKind::Other)),
    ("CryptoWalletAddress", "Crypto wallet address", Meaning::Number(IdentifierKind::Other)),
    ("DOB", "D.O.B", Meaning::Born),
    ("Nationality", "Nationality(/ies)", Meaning::Country),
    ("Position", "Position", Meaning::Words),
    ("Gender", "Gender", Meaning::Words),
    ("TypeOfEntity", "Type of entity", Meaning::Words),
    ("Subsidiary", "Subsidiaries", Meaning::Words),
    ("ParentCompany", "Parent company", Meaning::Words),
    (
        "BusinessRegistrationNumber",
        "Business registration number (s)",
        Meaning::Number(IdentifierKind::RegistryNumber),
    ),
    ("IMONumber", "IMO number", Meaning::Number(IdentifierKind::Imo)),
    ("CurrentOwnerOperator", "Current owner/operator (s)", Meaning::Words),
    ("PreviousOwnerOperator", "Previous owner/operator (s)", Meaning::Words),
    ("CurrentBelievedFlagOfShip", "Current believed flag of ship", Meaning::Country),
    ("PreviousFlag", "Previous flags", Meaning::Words),
    ("TypeOfShip", "Type of ship", Meaning::Words),
    ("TonnageOfShip", "Tonnage of ship", Meaning::Words),
    ("LengthOfShip", "Length of ship", Meaning::Words),
    ("YearBuilt", "Year Built", Meaning::Words),
    ("HullIdentificationNumber", "Hull identification number (HIN)", Meaning::Number(IdentifierKind::Other)),
];

/// What a designation is about.
pub(super) fn kind(text: Option<&str>, reading: &mut Reading) -> EntryKind {
    match text.map(str::to_lowercase).as_deref() {
        Some("individual") => EntryKind::Person,
        Some("entity") => EntryKind::Organization,
        Some("ship") => EntryKind::Vessel,
        other => {
            reading.not_understood("designation type", other.unwrap_or("none"));
            EntryKind::Organization
        }
    }
}

/// A name as published: up to six parts, `Name 1` first and the family name or the whole name of a firm in `Name 6`.
pub(super) struct PublishedName {
    /// Its text.
    pub(super) text: String,
    /// Its kind; several of one designation may be primary.
    pub(super) kind: NameKind,
}

impl PublishedName {
    /// The name, `None` where all parts are empty. `type` is compared without case.
    pub(super) fn new<'a>(
        parts: impl IntoIterator<Item = Option<&'a str>>,
        stated: Option<&str>,
        strength: Option<&str>,
        reading: &mut Reading,
    ) -> Option<Self> {
        let text = names::joined(parts.into_iter().flatten());
        if text.is_empty() {
            return None;
        }
        let weak = match strength.map(str::to_lowercase).as_deref() {
            None => false,
            Some(words) if words.starts_with("low quality") => true,
            Some(words) if words.starts_with("good quality") => false,
            Some(other) => {
                reading.not_understood("alias strength", other);
                false
            }
        };
        let kind = match stated.map(str::to_lowercase).as_deref() {
            Some("primary name") => NameKind::Primary,
            _ if weak => NameKind::Weak,
            Some("primary name variation" | "alias" | "a.k.a" | "aka") => NameKind::Alias,
            Some("f.k.a" | "fka" | "former name") => NameKind::Former,
            other => {
                reading.not_understood("name type", other.unwrap_or("none"));
                NameKind::Alias
            }
        };
        Some(Self { kind: names::kind(kind, &text), text })
    }

    /// Gives the entry this further name. Only one name of an entry is primary; a second one is as good as an alias.
    pub(super) fn add_to(&self, draft: &mut Draft) {
        let kind = if self.kind == NameKind::Primary { NameKind::Alias } else { self.kind };
        draft.name(kind, &self.text);
    }
}

/// At which place the primary name stands; where none is, the first name does for it, which is counted.
pub(super) fn primary(names: &[PublishedName], reading: &mut Reading) -> usize {
    names.iter().position(|name| name.kind == NameKind::Primary).unwrap_or_else(|| {
        reading.not_understood("name", "no primary one");
        0
    })
}

/// A field of which nothing but its text matters.
pub(super) fn apply(meaning: Meaning, label: &str, text: &str, draft: &mut Draft, reading: &mut Reading) {
    match meaning {
        Meaning::Program => draft.program(text),
        Meaning::Country => {
            for country in text.split(['|', ';']) {
                draft.countries(reading.countries(country));
            }
        }
        Meaning::Born => match date_of_birth(text) {
            Some(span) => draft.born(span),
            None => reading.not_understood("date of birth", text),
        },
        Meaning::Number(kind) => numbers(kind, label, text, draft, reading),
        Meaning::Reference => draft.reference(text),
        Meaning::Remark => draft.remark(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Meaning::Words => draft.words(label, &text.split('|').map(str::trim).collect::<Vec<_>>().join(", ")),
        Meaning::Passed => {}
    }
}

/// A passport or national number, and what is said about it.
pub(super) fn document(
    kind: IdentifierKind,
    label: &str,
    [number, further]: [Option<&str>; 2],
    draft: &mut Draft,
    reading: &mut Reading,
) {
    if let Some(number) = number {
        draft.identify(label, kind, number, None, reading);
    }
    if let Some(further) = further {
        draft.words(&[label, number.unwrap_or_default()].join(" "), further);
    }
}

/// An address from its six lines, postal code and country. Most hold only a country.
pub(super) fn address(parts: [Option<&str>; 8], draft: &mut Draft, reading: &mut Reading) {
    let [lines @ .., country] = parts;
    if lines.iter().any(Option::is_some) {
        draft.address(parts);
    }
    if let Some(country) = country {
        draft.countries(reading.countries(country));
    }
}

/// Several numbers in one field, each perhaps behind its own label: `OGRN: 1247700291200; INN: 9707028663`. A label that
/// names a tax number makes it one.
fn numbers(kind: IdentifierKind, label: &str, text: &str, draft: &mut Draft, reading: &mut Reading) {
    let web = kind == IdentifierKind::Website || text.contains("://");
    for part in text.split(['|', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let labelled = if web { None } else { part.split_once(':') };
        let (own, number) = labelled.map_or((None, part), |(own, number)| (Some(own.trim()), number.trim()));
        let tax = own.is_some_and(|own| {
            ["inn", "tin", "tax", "vat"]
                .iter()
                .any(|word| own.to_lowercase().split_whitespace().any(|w| w == *word))
        });
        let kind = if tax { IdentifierKind::TaxId } else { kind };
        draft.identify(label, kind, number, None, reading);
    }
}

/// `24/10/1972`, `dd/mm/1971`, `00/10/1971` or `1971`; unknown parts are letters or zeros. A year of which a part is
/// unknown (`15/08/19yy`) is none.
fn date_of_birth(text: &str) -> Option<DateSpan> {
    let parts: Vec<&str> = text.trim().split('/').collect();
    let (day, month, year) = match parts[..] {
        [day, month, year] => (number(day)?, number(month)?, year),
        [year] => (0, 0, year),
        _ => return None,
    };
    let year = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
    let known = |number: u32| (number > 0).then_some(number);
    let date = PartialDate::new(year, known(month), known(day).filter(|_| month > 0)).ok()?;
    Some(DateSpan::of(date, false))
}

/// A day or a month, 0 where it is unknown.
fn number(part: &str) -> Option<u32> {
    match part {
        "dd" | "mm" => Some(0),
        digits => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_birth_is_read_as_exactly_as_it_is_known() {
        for (text, expected) in [
            ("24/10/1972", Some(("1972-10-24", "1972-10-24"))),
            ("dd/mm/1971", Some(("1971-01-01", "1971-12-31"))),
            ("00/10/1971", Some(("1971-10-01", "1971-10-31"))),
            ("12/mm/1971", Some(("1971-01-01", "1971-12-31"))),
            ("1971", Some(("1971-01-01", "1971-12-31"))),
            ("15/08/19yy", None),
            ("dd/mm/yyyy", None),
            ("31/02/1971", None),
            ("24/10", None),
            ("", None),
        ] {
            let expected = expected.map(|(first, last)| DateSpan {
                first: first.parse().unwrap(),
                last: last.parse().unwrap(),
                circa: false,
            });
            assert_eq!(date_of_birth(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_in_one_field_are_told_apart() {
        use IdentifierKind::{Imo, RegistryNumber, TaxId, Website};
        for (kind, text, expected) in [
            (
                RegistryNumber,
                "OGRN: 1247700291200; INN: 9707028663",
                &[(RegistryNumber, "1247700291200"), (TaxId, "9707028663")][..],
            ),
            (RegistryNumber, "HRB 26136", &[(RegistryNumber, "HRB 26136")]),
            (Imo, "IMO9187629|9187643", &[(Imo, "9187629"), (Imo, "9187643")]),
            (Website, "https://example.org/a", &[(Website, "https://example.org/a")]),
        ] {
            let mut draft = Draft::new("1", EntryKind::Vessel, "X");
            numbers(kind, "Number", text, &mut draft, &mut Reading::default());
            let found = draft.finish().identifiers;
            let found: Vec<_> = found.iter().map(|number| (number.kind, number.value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
