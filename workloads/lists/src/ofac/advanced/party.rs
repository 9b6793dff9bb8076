//! A `DistinctParty` and its `Profile`: kind, names, documents, features.

use std::collections::HashMap;

use kyb_domain::list::{EntryKind, NameKind};

use super::{Book, feature, paper, references::References};
use crate::{
    draft::Draft,
    names,
    reading::Reading,
    xml::{Element, Fault},
};

/// Parts of a person's name that stand before the comma, as in `SURNAME, Given` of the csv files.
const SURNAMES: [&str; 3] = ["Last Name", "Maiden Name", "Matronymic"];

/// The entry, and the profile that it was read from.
pub(super) fn read<'p>(party: &'p Element, book: &mut Book) -> Result<(Draft, &'p Element), Fault> {
    if let Some(action) = party.attribute("DeltaAction") {
        return Err(party.fault(format!("has the action {action}: this is a file of changes, not a list")));
    }
    let id = party.required("FixedRef")?;
    let profiles: Vec<&Element> = party.named("Profile").collect();
    let [profile] = profiles[..] else {
        return Err(party.fault(format!("party {id} has {} profiles instead of one", profiles.len())));
    };
    let kind = kind(profile, book)?;
    let mut published = published_names(profile, &book.references, &mut book.reading)?.into_iter();
    let (_, name) = published.next().ok_or_else(|| party.fault(format!("party {id} has no name")))?;
    let mut draft = Draft::new(id, kind, &name);
    published.for_each(|(kind, name)| draft.name(kind, &name));
    for comment in [party, profile].into_iter().flat_map(|element| element.all("Comment")) {
        draft.remark(&comment);
    }
    for feature in profile.named("Feature") {
        feature::apply(feature, &mut draft, book)?;
    }
    for identity in profile.named("Identity") {
        let papers = book.papers.remove(identity.required("ID")?).unwrap_or_default();
        for paper in &papers {
            paper::apply(paper, &mut draft, &mut book.reading);
        }
    }
    Ok((draft, profile))
}

/// What the party is. A sub-type says `Vessel` or `Aircraft`; otherwise its type says `Individual` or `Entity`.
fn kind(profile: &Element, book: &mut Book) -> Result<EntryKind, Fault> {
    let Some(sub_type) = book.references.value(profile, "PartySubTypeID", "PartySubType")? else {
        return Err(profile.fault("has no PartySubTypeID"));
    };
    let own = sub_type.words().unwrap_or_default();
    let of = book.references.words(sub_type, "PartyTypeID", "PartyType")?.unwrap_or_default();
    Ok(match (own.as_str(), of.as_str()) {
        ("Vessel", _) => EntryKind::Vessel,
        ("Aircraft", _) => EntryKind::Aircraft,
        ("Individual", _) | (_, "Individual") => EntryKind::Person,
        ("Entity", _) | (_, "Entity") => EntryKind::Organization,
        _ => {
            book.reading.not_understood("type", &format!("{of} {own}"));
            EntryKind::Organization
        }
    })
}

/// All names of all identities, the primary one first.
fn published_names(
    profile: &Element,
    references: &References,
    reading: &mut Reading,
) -> Result<Vec<(NameKind, String)>, Fault> {
    let mut all = Vec::new();
    for identity in profile.named("Identity") {
        let mut groups = HashMap::new();
        for group in identity.below(&["NamePartGroups", "MasterNamePartGroup", "NamePartGroup"]) {
            let part = references.words(group, "NamePartTypeID", "NamePartType")?.unwrap_or_default();
            groups.insert(group.required("ID")?, part);
        }
        for alias in identity.named("Alias") {
            let stated = alias_kind(alias, references, reading)?;
            for documented in alias.named("DocumentedName") {
                let (text, foreign) = documented_name(documented, &groups, references)?;
                let plain = matches!(stated, NameKind::Primary | NameKind::Alias);
                let kind = if foreign && plain { NameKind::OriginalScript } else { stated };
                all.push((kind, text));
            }
        }
    }
    all.retain(|(_, text)| !text.is_empty());
    names::primary_first(&mut all, |(kind, _)| *kind == NameKind::Primary);
    for (kind, _) in all.iter_mut().skip(1).filter(|(kind, _)| *kind == NameKind::Primary) {
        *kind = NameKind::Alias;
    }
    Ok(all)
}

fn alias_kind(alias: &Element, references: &References, reading: &mut Reading) -> Result<NameKind, Fault> {
    let stated = references.words(alias, "AliasTypeID", "AliasType")?.unwrap_or_default();
    Ok(match stated.as_str() {
        _ if alias.says("Primary") => NameKind::Primary,
        _ if alias.says("LowQuality") => NameKind::Weak,
        "F.K.A." => NameKind::Former,
        "N.K.A." => NameKind::NowKnownAs,
        "A.K.A." | "Name" => NameKind::Alias,
        other => {
            reading.not_understood("alias type", other);
            NameKind::Alias
        }
    })
}

/// The text of a name, and whether it is in another script than Latin.
fn documented_name(
    documented: &Element,
    groups: &HashMap<&str, String>,
    references: &References,
) -> Result<(String, bool), Fault> {
    let mut parts = Vec::new();
    let mut latin = None;
    for value in documented.below(&["DocumentedNamePart", "NamePartValue"]) {
        let part = value.attribute("NamePartGroupID").and_then(|group| groups.get(group));
        parts.push((part.map_or("", String::as_str), value.words().unwrap_or_default()));
        if let Some(script) = references.value(value, "ScriptID", "Script")? {
            let names = [script.words(), script.attribute("ScriptCode").map(str::to_owned)];
            latin = Some(names.iter().flatten().any(|name| name.to_lowercase().starts_with("lat")));
        }
    }
    let text = full_name(&parts);
    let foreign = latin.map_or_else(|| names::is_foreign(&text), |latin| !latin);
    Ok((text, foreign))
}

/// The parts as one name: `SURNAME, Given Patronymic` where both are known, else in their order.
fn full_name(parts: &[(&str, String)]) -> String {
    let text = |wanted: bool| {
        let some = parts.iter().filter(|(part, _)| SURNAMES.contains(part) == wanted);
        names::joined(some.map(|(_, text)| text.as_str()))
    };
    let (surname, given) = (text(true), text(false));
    match (surname.as_str(), given.as_str()) {
        (surname, given) if !surname.is_empty() && !given.is_empty() && !names::is_foreign(surname) => {
            format!("{surname}, {given}")
        }
        _ => names::joined(parts.iter().map(|(_, text)| text.as_str())),
    }
}
