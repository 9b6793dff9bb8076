//! A `Feature` of a party: a date of birth, an address, a nationality, a number, or something to read only.

use super::{Book, location::Place, period};
use crate::{
    draft::Draft,
    ofac::remarks::{self, identifiers, prose},
    reading::Reading,
    xml::{Element, Fault},
};

/// Features that are known and hold nothing to match by, beside those that the csv files have in their remarks.
const PROSE: [&str; 7] = [
    "Place of Birth",
    "Title",
    "Vessel Gross Registered Tonnage",
    "Vessel Gross Tonnage",
    "Vessel Owner",
    "Vessel Tonnage",
    "Vessel Type",
];

/// One version of a feature, with its references resolved.
struct Value<'b> {
    label: String,
    period: Option<&'b Element>,
    detail: Option<String>,
    place: Option<&'b Place>,
}

/// Reads all versions of a feature into the entry.
pub(super) fn apply(feature: &Element, draft: &mut Draft, book: &mut Book) -> Result<(), Fault> {
    let label = book.references.words(feature, "FeatureTypeID", "FeatureType")?.unwrap_or_default();
    let label = label.trim_end_matches([':', '-', ' ']).to_owned();
    for version in feature.named("FeatureVersion") {
        let place = match version.child("VersionLocation") {
            Some(named) => {
                let id = named.required("LocationID")?;
                let missing = || named.fault(format!("names location {id}, which is not there"));
                Some(book.places.get(id).ok_or_else(missing)?)
            }
            None => None,
        };
        let detail = match version.child("VersionDetail") {
            Some(detail) => {
                detail.words().or(book.references.words(detail, "DetailReferenceID", "DetailReference")?)
            }
            None => None,
        };
        let value = Value { label: label.clone(), period: version.child("DatePeriod"), detail, place };
        value.apply(draft, &mut book.reading);
        if let Some(comment) = version.get("Comment") {
            draft.words(&label, &comment);
        }
    }
    Ok(())
}

impl Value<'_> {
    fn apply(&self, draft: &mut Draft, reading: &mut Reading) {
        let label = self.label.as_str();
        if label == "Birthdate" || remarks::BORN.contains(&label) {
            self.born(draft, reading);
        } else if label == "Location" {
            self.located(draft, reading);
        } else if is_country(label) {
            self.of_country(draft, reading);
        } else if let (Some(_), Some(detail)) = (identifiers::kind_of(label), &self.detail) {
            identifiers::apply(label, detail, None, draft, reading);
        } else {
            self.in_words(draft, reading);
        }
    }

    fn born(&self, draft: &mut Draft, reading: &mut Reading) {
        match self.period.and_then(period::span) {
            Some(span) => draft.born(span),
            None => reading.not_understood("date", &self.label),
        }
    }

    fn located(&self, draft: &mut Draft, reading: &mut Reading) {
        let Some(place) = self.place else {
            return reading.not_understood("feature", "Location without a place");
        };
        draft.address(place.address.iter().map(|part| Some(part.as_str())));
        draft.countries(place.codes.clone());
    }

    fn of_country(&self, draft: &mut Draft, reading: &mut Reading) {
        match (self.place, &self.detail) {
            (Some(place), _) => draft.countries(place.codes.clone()),
            (None, Some(detail)) => draft.countries(reading.countries(detail)),
            (None, None) => reading.not_understood("country", &self.label),
        }
    }

    /// What has no place of its own in an entry; counted unless it is known to hold nothing to match by.
    fn in_words(&self, draft: &mut Draft, reading: &mut Reading) {
        let label = self.label.as_str();
        let day = self.period.and_then(period::span).map(period::words);
        let place = self.place.map(|place| place.address.join(", "));
        let country = self.place.and_then(|place| place.country.clone());
        let said = self.detail.clone().or(day).or(place.filter(|text| !text.is_empty())).or(country);
        let known = PROSE.iter().any(|known| known.eq_ignore_ascii_case(label)) || prose::is_known(label);
        if !known || said.is_none() {
            reading.not_understood("feature", label);
        }
        draft.words(label, &said.unwrap_or_default());
    }
}

/// Features that say of which country a party is. A former flag is none.
fn is_country(label: &str) -> bool {
    const FURTHER: [&str; 3] = ["Nationality Country", "Citizenship Country", "Registration Country"];
    FURTHER.contains(&label) || remarks::COUNTRY.iter().any(|known| known.eq_ignore_ascii_case(label))
}
