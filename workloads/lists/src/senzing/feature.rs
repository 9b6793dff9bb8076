//! One feature of a record.

use kyb_domain::{
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::NameKind,
};

use super::attribute::{Attribute, Family};
use crate::{dates, draft::Draft, names, reading::Reading};

/// A feature with its attributes.
#[derive(Debug)]
pub(super) struct Feature {
    family: Family,
    stem: String,
    label: Option<String>,
    parts: Vec<(String, String)>,
}

impl Feature {
    /// A feature of which one attribute is known.
    pub(super) fn new(attribute: Attribute<'_>, label: Option<&str>, text: &str) -> Self {
        let parts = vec![(attribute.part.to_owned(), text.to_owned())];
        let (stem, label) = (attribute.stem.to_owned(), label.map(str::to_owned));
        Self { family: attribute.family, stem, label, parts }
    }

    /// Whether an attribute with this label is one more of this feature.
    pub(super) fn takes(&self, attribute: Attribute<'_>, label: Option<&str>) -> bool {
        self.stem == attribute.stem && self.label.as_deref() == label && self.get(attribute.part).is_none()
    }

    /// One more attribute.
    pub(super) fn add(&mut self, attribute: Attribute<'_>, text: &str) {
        self.parts.push((attribute.part.to_owned(), text.to_owned()));
    }

    fn get(&self, part: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| known == part).map(|(_, text)| text.as_str())
    }

    /// What distinguishes it from others of its family, in capitals: `PRIMARY`, `AKA`, `EIN`.
    fn usage(&self) -> Option<String> {
        self.get("TYPE").or(self.label.as_deref()).map(str::to_uppercase)
    }

    /// What the record is about, if this says so.
    pub(super) fn record_type(&self) -> Option<&str> {
        self.get("RECORD_TYPE")
    }

    /// The name that it is, `None` where it is none.
    pub(super) fn name(&self, reading: &mut Reading) -> Option<(NameKind, String)> {
        if self.family != Family::Name {
            return None;
        }
        let parts = ["FIRST", "MIDDLE", "LAST", "SUFFIX"].map(|part| self.get(part).unwrap_or_default());
        let whole = self.get("FULL").or(self.get("ORG")).map(str::to_owned);
        let text = whole.unwrap_or_else(|| names::joined(parts));
        let usage = self.usage();
        let kind = match usage.as_deref() {
            Some("PRIMARY" | "LEGAL" | "REGISTERED") => NameKind::Primary,
            None | Some("AKA" | "ALIAS" | "DBA" | "ALSO_KNOWN_AS" | "TRADE" | "OTHER") => NameKind::Alias,
            Some("FKA" | "FORMER" | "PREVIOUS" | "MAIDEN") => NameKind::Former,
            Some("WEAK" | "WEAK_AKA" | "WEAK_ALIAS" | "LOW" | "LOW_QUALITY" | "NICKNAME") => NameKind::Weak,
            Some("NATIVE" | "ORIGINAL" | "ORIGINAL_SCRIPT") => NameKind::OriginalScript,
            Some(other) => {
                reading.not_understood("name type", other);
                NameKind::Alias
            }
        };
        (!text.is_empty()).then(|| (names::kind(kind, &text), text))
    }

    /// Gives the entry what it says. Names are read before.
    pub(super) fn apply(&self, draft: &mut Draft, reading: &mut Reading) {
        let text = self.parts.first().map(|(_, text)| text.as_str()).unwrap_or_default();
        match self.family {
            Family::Key => {}
            Family::Name => draft.words("Title", self.get("PREFIX").unwrap_or_default()),
            Family::Address => self.address(draft, reading),
            Family::Phone => self.number(IdentifierKind::Other, draft, reading),
            Family::Number => self.number(self.number_kind(), draft, reading),
            Family::Born => match date(text) {
                Some(span) => draft.born(span),
                None => reading.not_understood(&self.stem, text),
            },
            Family::Country => draft.countries(reading.countries(text)),
            Family::Reach => {
                let website = self.stem == "WEBSITE_ADDRESS";
                let kind = if website { IdentifierKind::Website } else { IdentifierKind::Other };
                if !draft.identifier(kind, text, None) {
                    reading.not_understood("identifier", &self.stem);
                }
            }
            Family::Words => draft.words(&in_words(&self.stem), text),
            Family::Passed => reading.not_understood("feature", &self.stem),
            Family::Payload => {
                reading.not_understood("attribute", &self.stem);
                draft.words(&self.stem, text);
            }
        }
    }

    fn address(&self, draft: &mut Draft, reading: &mut Reading) {
        let country = self.get("COUNTRY");
        let town = [self.get("CITY"), self.get("STATE"), self.get("POSTAL_CODE")];
        let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let lines = ["LINE1", "LINE2", "LINE3", "LINE4", "LINE5", "LINE6"].map(|line| self.get(line));
        match self.get("FULL") {
            Some(full) => draft.address([Some(full)]),
            None if lines.iter().all(Option::is_none) && town.is_empty() => {}
            None => draft.address(lines.into_iter().chain([Some(town.as_str()), country])),
        }
        if let Some(country) = country {
            draft.countries(reading.countries(country));
        }
    }

    fn number(&self, kind: IdentifierKind, draft: &mut Draft, reading: &mut Reading) {
        let Some(number) = self.get("NUMBER") else {
            return reading.not_understood("identifier", &self.stem);
        };
        let issuer = reading.issuer(self.get("COUNTRY"));
        draft.identify(&self.stem, kind, number, issuer, reading);
    }

    fn number_kind(&self) -> IdentifierKind {
        let usage = self.usage().unwrap_or_default();
        match self.stem.as_str() {
            "PASSPORT" => IdentifierKind::Passport,
            "SSN" | "NATIONAL_ID" => IdentifierKind::NationalId,
            "TAX_ID" => IdentifierKind::TaxId,
            "DUNS" => IdentifierKind::Duns,
            "LEI" => IdentifierKind::Lei,
            "IMO" => IdentifierKind::Imo,
            "OTHER_ID" if usage.contains("IMO") => IdentifierKind::Imo,
            "OTHER_ID" if usage.contains("REGIST") => IdentifierKind::RegistryNumber,
            "OTHER_ID" if usage.contains("BIC") || usage.contains("SWIFT") => IdentifierKind::Bic,
            _ => IdentifierKind::Other,
        }
    }
}

/// `PLACE_OF_BIRTH` as `Place of birth`.
fn in_words(attribute: &str) -> String {
    let lower = attribute.to_lowercase().replace('_', " ");
    lower.get(..1).map(str::to_uppercase).unwrap_or_default() + lower.get(1..).unwrap_or_default()
}

/// A date in any of the ways in which the specification's examples write it. `10/08/1943` does not say which of the two is
/// the month; unless one of them can be none, only the year is known.
fn date(text: &str) -> Option<DateSpan> {
    let day = text.split('T').next().unwrap_or(text).trim();
    if let Ok(day) = day.parse::<PartialDate>() {
        return Some(DateSpan::of(day, false));
    }
    let numbers: Option<Vec<u32>> = day.split('/').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[first, second, year]) if year >= 1000 => {
            let year = i32::try_from(year).ok()?;
            let known = match (first > 12, second > 12) {
                (false, false) if first != second => PartialDate::new(year, None, None),
                (true, _) => PartialDate::new(year, Some(second), Some(first)),
                _ => PartialDate::new(year, Some(first), Some(second)),
            };
            Some(DateSpan::of(known.ok()?, false))
        }
        Some(&[month, year]) if year >= 1000 => {
            Some(DateSpan::of(PartialDate::new(i32::try_from(year).ok()?, Some(month), None).ok()?, false))
        }
        _ => dates::span(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_exactly_as_it_is_known() {
        for (text, expected) in [
            ("1980-05-14", Some(("1980-05-14", "1980-05-14"))),
            ("1980-05-14T00:00:00Z", Some(("1980-05-14", "1980-05-14"))),
            ("1980", Some(("1980-01-01", "1980-12-31"))),
            ("10/08/1943", Some(("1943-01-01", "1943-12-31"))),
            ("10/28/1943", Some(("1943-10-28", "1943-10-28"))),
            ("28/10/1943", Some(("1943-10-28", "1943-10-28"))),
            ("10/10/1943", Some(("1943-10-10", "1943-10-10"))),
            ("5/1980", Some(("1980-05-01", "1980-05-31"))),
            ("14 May 1980", Some(("1980-05-14", "1980-05-14"))),
            ("05/14", None),
            ("28/28/1943", None),
            ("soon", None),
        ] {
            let expected = expected.map(|(first, last)| DateSpan {
                first: first.parse().unwrap(),
                last: last.parse().unwrap(),
                circa: false,
            });
            assert_eq!(date(text), expected, "{text}");
        }
    }
}
