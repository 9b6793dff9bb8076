//! Records of the Senzing Entity Specification, as JSON lines: `DATA_SOURCE`, `RECORD_ID`, and features either flat in the
//! record (`PRIMARY_NAME_ORG`, `HOME_ADDR_CITY`) or as objects in lists (`NAMES`, `ADDRESSES`, `IDENTIFIERS`, `FEATURES`).
//!
//! | module | what |
//! |---|---|
//! | [`attribute`] | the dictionary: which attribute belongs to which feature |
//! | [`feature`] | one feature to a part of an entry |
//!
//! The key of a record is `DATA_SOURCE` and `RECORD_ID` together, so both make the entry's id; the data source is also its
//! programme, for it says what the party is listed for. What the dictionary does not have is payload: it is kept as words and
//! counted.
//!
//! Source: `senzing.com/docs/entity_specification`.

use kyb_domain::list::{EntryKind, NameKind};

use crate::{
    Contents, ListError, ListId, SourceFile,
    draft::{Draft, Drafts},
    json::{self, Json, Object},
    names,
    reading::Reading,
};

mod attribute;
mod feature;

use attribute::Attribute;
use feature::Feature;

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "Senzing's records, one file of JSON lines")?;
    let (mut drafts, mut reading) = (Drafts::default(), Reading::default());
    json::lines(file, &mut |object: Object| {
        let draft = draft(&object, &mut reading)?;
        drafts.add(draft).map(|_| ())
    })?;
    Contents::new(file, drafts, reading)
}

/// The entry, or what it lacks.
fn draft(record: &Object, reading: &mut Reading) -> Result<Draft, String> {
    let key = |name: &str| record.words(name).ok_or_else(|| format!("a record has no {name}"));
    let (source, id) = (key("DATA_SOURCE")?, key("RECORD_ID")?);
    let features = features(record, reading)?;
    let mut published: Vec<(NameKind, String)> =
        features.iter().filter_map(|feature| feature.name(reading)).collect();
    names::primary_first(&mut published, |(kind, _)| *kind == NameKind::Primary);
    let mut published = published.into_iter();
    let (_, name) = published.next().ok_or_else(|| format!("record {id} has no name"))?;
    let mut draft = Draft::new(&format!("{source}:{id}"), kind(record, &features, reading), &name);
    for (kind, name) in published {
        draft.name(if kind == NameKind::Primary { NameKind::Alias } else { kind }, &name);
    }
    draft.reference(id);
    draft.program(source);
    for feature in &features {
        feature.apply(&mut draft, reading);
    }
    Ok(draft)
}

/// What the record is about; version 4 of the specification has its type among the features.
fn kind(record: &Object, features: &[Feature], reading: &mut Reading) -> EntryKind {
    let stated = record.words("RECORD_TYPE").or(features.iter().find_map(Feature::record_type));
    match stated.map(str::to_uppercase).as_deref() {
        Some("PERSON") => EntryKind::Person,
        None | Some("ORGANIZATION" | "ORGANISATION") => EntryKind::Organization,
        Some("VESSEL") => EntryKind::Vessel,
        Some("AIRCRAFT") => EntryKind::Aircraft,
        Some(other) => {
            reading.not_understood("type", other);
            EntryKind::Organization
        }
    }
}

/// All features of a record. Attributes that stand side by side and have the same label are of one feature; each object of a
/// list stands for itself.
fn features(record: &Object, reading: &mut Reading) -> Result<Vec<Feature>, String> {
    let mut all = Vec::new();
    gather(record, &mut all, reading);
    for (name, value) in record.iter() {
        let Json::List(values) = value else { continue };
        for value in values {
            let Json::Object(object) = value else {
                return Err(format!("{name} holds something that is no object"));
            };
            let mut own = Vec::new();
            gather(object, &mut own, reading);
            all.append(&mut own);
        }
    }
    Ok(all)
}

/// The features of one object.
fn gather(object: &Object, features: &mut Vec<Feature>, reading: &mut Reading) {
    for (name, value) in object.iter() {
        if let Json::Object(_) = value {
            reading.not_understood("attribute", name);
        }
        let Some(text) = value.words() else { continue };
        let (attribute, label) = Attribute::read(name);
        let same = |feature: &&mut Feature| feature.takes(attribute, label);
        match features.iter_mut().find(same) {
            Some(feature) => feature.add(attribute, text),
            None => features.push(Feature::new(attribute, label, text)),
        }
    }
}
