//! A tenant's own list: a csv file with a header and one row an entry.
//!
//! | column | what |
//! |---|---|
//! | `id` | required; unique in the file |
//! | `type` | required; `person`, `organization` (or `business`, `company`, `entity`), `vessel` (or `ship`), `aircraft` |
//! | `name` | required; the name to show |
//! | `aliases`, `weak_aliases`, `former_names` | further names, `;` between them; weak ones are no ground for a hit by themselves |
//! | `countries` | codes or English names, `;` between them |
//! | `birth_dates` | `1962`, `1962-04`, `1962-04-29`, `1961 to 1963` or `circa 1962`, `;` between them |
//! | `identifiers` | `kind:value` or `kind:value:CC` with the country that issued it, `;` between them |
//! | `addresses` | `;` between them |
//! | `programs` | why they are listed, `;` between them |
//! | `remarks` | prose |
//!
//! Kinds of identifiers are those of the API: `lei`, `registry_number`, `tax_id`, `bic`, `duns`, `imo`, `passport`,
//! `national_id`, `website`, `other`. The order and letter case of columns do not matter; others are counted. Every line ends
//! with a line end, the last one, too: without it nobody can tell whether the file is whole.

use kyb_domain::{
    country::CountryCode,
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
};

use crate::{
    Contents, ListError, ListId, SourceFile,
    csv::{Record, Table, plain},
    dates,
    draft::{Draft, Drafts},
    names,
    reading::Reading,
};

/// The columns that must be there.
pub(crate) const REQUIRED: [&str; 3] = ["id", "type", "name"];

/// What is done with the values of an optional column.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Name(NameKind),
    Country,
    Born,
    Identifier,
    Address,
    Program,
    Remark,
}

const OPTIONAL: [(&str, Meaning); 9] = [
    ("aliases", Meaning::Name(NameKind::Alias)),
    ("weak_aliases", Meaning::Name(NameKind::Weak)),
    ("former_names", Meaning::Name(NameKind::Former)),
    ("countries", Meaning::Country),
    ("birth_dates", Meaning::Born),
    ("identifiers", Meaning::Identifier),
    ("addresses", Meaning::Address),
    ("programs", Meaning::Program),
    ("remarks", Meaning::Remark),
];

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "a list of your own, one csv file")?;
    let mut table = Table::open(file, file.text()?, 0)?;
    let (mut drafts, mut reading) = (Drafts::default(), Reading::default());
    let [id, kind, name] = REQUIRED.map(|column| table.required(column));
    let required = [id?, kind?, name?];
    let optional = OPTIONAL.map(|(column, meaning)| (table.column(column), meaning));
    let known = |name: &str| {
        REQUIRED.into_iter().chain(OPTIONAL.map(|(name, _)| name)).any(|k| plain(k) == plain(name))
    };
    for column in table.header().iter().filter(|name| !known(name)) {
        reading.not_understood("column", column);
    }
    while let Some(record) = table.next()? {
        let mut draft = draft(&table, &record, required)?;
        for (column, meaning) in optional {
            apply(meaning, record.get(column).unwrap_or_default(), &mut draft, &mut reading);
        }
        drafts.add(draft).map_err(|problem| table.refuse(&record, Some(required[0]), problem))?;
    }
    Contents::new(file, drafts, reading)
}

/// The entry with what it must have.
fn draft(table: &Table<'_>, record: &Record<'_>, columns: [usize; 3]) -> Result<Draft, ListError> {
    let mut fields = [""; 3];
    for ((field, column), name) in fields.iter_mut().zip(columns).zip(REQUIRED) {
        let missing = || table.refuse(record, Some(column), format!("{name} is empty"));
        *field = record.get(Some(column)).ok_or_else(missing)?;
    }
    let [id, stated, name] = fields;
    let kind = match stated.to_lowercase().as_str() {
        "person" | "individual" => EntryKind::Person,
        "organization" | "organisation" | "business" | "company" | "entity" => EntryKind::Organization,
        "vessel" | "ship" => EntryKind::Vessel,
        "aircraft" => EntryKind::Aircraft,
        other => {
            let problem = format!("the type {other:?} is none of person, organization, vessel, aircraft");
            return Err(table.refuse(record, Some(columns[1]), problem));
        }
    };
    Ok(Draft::new(id, kind, name))
}

/// The values of one column.
fn apply(meaning: Meaning, text: &str, draft: &mut Draft, reading: &mut Reading) {
    if let Meaning::Remark = meaning {
        return draft.remark(text);
    }
    for value in text.split(';').map(str::trim).filter(|value| !value.is_empty()) {
        match meaning {
            Meaning::Name(kind) => draft.name(names::kind(kind, value), value),
            Meaning::Country => draft.countries(reading.countries(value)),
            Meaning::Born => match date(value) {
                Some(span) => draft.born(span),
                None => reading.not_understood("birth date", value),
            },
            Meaning::Identifier => identifier(value, draft, reading),
            Meaning::Address => draft.address([Some(value)]),
            Meaning::Program => draft.program(value),
            Meaning::Remark => {}
        }
    }
}

fn date(text: &str) -> Option<DateSpan> {
    let exact = text.parse::<PartialDate>().ok().map(|date| DateSpan::of(date, false));
    exact.or_else(|| dates::span(text))
}

/// `kind:value` or `kind:value:CC`. The value may hold colons; a country's code behind the last one is the issuer.
fn identifier(text: &str, draft: &mut Draft, reading: &mut Reading) {
    let (stated, rest) = text.split_once(':').unwrap_or(("", text));
    let kind = match stated.trim().to_lowercase().as_str() {
        "lei" => IdentifierKind::Lei,
        "registry_number" => IdentifierKind::RegistryNumber,
        "tax_id" => IdentifierKind::TaxId,
        "bic" => IdentifierKind::Bic,
        "duns" => IdentifierKind::Duns,
        "imo" => IdentifierKind::Imo,
        "passport" => IdentifierKind::Passport,
        "national_id" => IdentifierKind::NationalId,
        "website" => IdentifierKind::Website,
        "other" => IdentifierKind::Other,
        other => {
            reading.not_understood("identifier kind", if other.is_empty() { "none" } else { other });
            IdentifierKind::Other
        }
    };
    let issued = rest
        .rsplit_once(':')
        .and_then(|(value, code)| Some((value, CountryCode::try_from(code.trim()).ok()?)));
    let (value, country) = issued.map_or((rest, None), |(value, code)| (value, Some(code)));
    draft.identify(stated.trim(), kind, value.trim(), country, reading);
}
