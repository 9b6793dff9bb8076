//! An entry while it is put together: each name, country, date, identifier and remark once, in the order in which it was
//! read.

use std::collections::HashMap;

use kyb_domain::{
    country::CountryCode,
    date::DateSpan,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    list::{Entry, EntryKind, ListedName, NameKind},
};

use crate::{identifiers::settle, reading::Reading};

/// An entry in the making; it always has its primary name.
#[derive(Debug)]
pub(crate) struct Draft {
    entry: Entry,
    remarks: Vec<String>,
}

impl Draft {
    /// An entry of which id, kind and primary name are known.
    pub(crate) fn new(id: &str, kind: EntryKind, name: &str) -> Self {
        let primary = ListedName { kind: NameKind::Primary, text: name.trim().to_owned() };
        let entry = Entry {
            id: id.to_owned(),
            reference: None,
            kind,
            names: vec![primary],
            programs: vec![],
            countries: vec![],
            birth_dates: vec![],
            identifiers: vec![],
            addresses: vec![],
            remarks: None,
        };
        Self { entry, remarks: vec![] }
    }

    /// The publisher's id.
    pub(crate) fn id(&self) -> &str {
        &self.entry.id
    }

    /// The name to show for it.
    pub(crate) fn caption(&self) -> &str {
        self.entry.caption()
    }

    /// What the entry is.
    pub(crate) fn kind(&self) -> EntryKind {
        self.entry.kind
    }

    /// The reference that people cite.
    pub(crate) fn reference(&mut self, reference: &str) {
        self.entry.reference = Some(reference.to_owned());
    }

    /// A further name. A text that is already there keeps its first kind, except that a good name makes a weak one good:
    /// the same text must not be weaker because its publisher wrote the weak alias first.
    pub(crate) fn name(&mut self, kind: NameKind, text: &str) {
        let text = text.trim();
        match self.entry.names.iter_mut().find(|name| name.text == text) {
            Some(known) if known.kind == NameKind::Weak => known.kind = kind,
            Some(_) => {}
            None if text.is_empty() => {}
            None => self.entry.names.push(ListedName { kind, text: text.to_owned() }),
        }
    }

    /// A programme.
    pub(crate) fn program(&mut self, program: &str) {
        let program = program.trim();
        if !program.is_empty() {
            once(&mut self.entry.programs, program.to_owned());
        }
    }

    /// Countries.
    pub(crate) fn countries(&mut self, codes: Vec<CountryCode>) {
        for code in codes {
            once(&mut self.entry.countries, code);
        }
    }

    /// A date of birth or formation.
    pub(crate) fn born(&mut self, span: DateSpan) {
        once(&mut self.entry.birth_dates, span);
    }

    /// An identifier; `false` where `value` can be none.
    pub(crate) fn identifier(
        &mut self,
        kind: IdentifierKind,
        value: &str,
        country: Option<CountryCode>,
    ) -> bool {
        let Ok(value) = IdentifierValue::try_from(value) else { return false };
        once(&mut self.entry.identifiers, Identifier { kind, value, country });
        true
    }

    /// A number under what its publisher calls it, as the kind that it really is. What can be none is counted under that
    /// label, never dropped silently.
    pub(crate) fn identify(
        &mut self,
        label: &str,
        kind: IdentifierKind,
        value: &str,
        country: Option<CountryCode>,
        reading: &mut Reading,
    ) {
        let settled = settle(kind, value, self.kind());
        if !settled.is_some_and(|(kind, value)| self.identifier(kind, value, country)) {
            reading.not_understood("identifier", label);
        }
    }

    /// An address from its parts, joined to one line; nothing where all are missing.
    pub(crate) fn address<'a>(&mut self, parts: impl IntoIterator<Item = Option<&'a str>>) {
        let parts: Vec<&str> =
            parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            once(&mut self.entry.addresses, parts.join(", "));
        }
    }

    /// A further piece of prose.
    pub(crate) fn remark(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            once(&mut self.remarks, text.to_owned());
        }
    }

    /// What has no place of its own in an entry: kept as words under its label.
    pub(crate) fn words(&mut self, label: &str, text: &str) {
        let text = text.trim().trim_end_matches('.');
        if !text.is_empty() {
            self.remark(&format!("{label}: {text}."));
        }
    }

    /// The finished entry.
    pub(crate) fn finish(self) -> Entry {
        let remarks = (!self.remarks.is_empty()).then(|| self.remarks.join(" "));
        Entry { remarks, ..self.entry }
    }
}

/// Entries in the making, in their publisher's order, each found by its id.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    all: Vec<Draft>,
    by_id: HashMap<String, usize>,
}

impl Drafts {
    /// One more; refused with words where its id is there already. Answers at which place it stands.
    pub(crate) fn add(&mut self, draft: Draft) -> Result<usize, String> {
        let place = self.all.len();
        if self.by_id.insert(draft.id().to_owned(), place).is_some() {
            return Err(format!("entry {} is there twice", draft.id()));
        }
        self.all.push(draft);
        Ok(place)
    }

    /// At which place the entry `id` stands.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The entry `id`.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Draft> {
        self.place(id).and_then(|place| self.all.get_mut(place))
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Draft] {
        &self.all
    }

    /// All of them, to be changed.
    pub(crate) fn all_mut(&mut self) -> &mut [Draft] {
        &mut self.all
    }

    /// The finished entries.
    pub(crate) fn finish(self) -> Vec<Entry> {
        self.all.into_iter().map(Draft::finish).collect()
    }
}

fn once<T: PartialEq>(all: &mut Vec<T>, item: T) {
    if !all.contains(&item) {
        all.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_name_makes_a_weak_one_good_and_not_the_other_way() {
        let mut draft = Draft::new("1", EntryKind::Person, "ONE");
        for (kind, text) in [
            (NameKind::Weak, "ONE"),
            (NameKind::Weak, "TWO"),
            (NameKind::Alias, " TWO "),
            (NameKind::Alias, "THREE"),
            (NameKind::Weak, "THREE"),
            (NameKind::Alias, " "),
        ] {
            draft.name(kind, text);
        }
        let names: Vec<_> = draft.finish().names.into_iter().map(|name| (name.kind, name.text)).collect();
        let expected = [(NameKind::Primary, "ONE"), (NameKind::Alias, "TWO"), (NameKind::Alias, "THREE")];
        assert_eq!(names, expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn the_same_remark_stands_once() {
        let mut draft = Draft::new("1", EntryKind::Person, "ONE");
        draft.words("Gender", "Male.");
        draft.words("Gender", "Male");
        draft.words("Gender", " ");
        draft.remark("More.");
        assert_eq!(draft.finish().remarks.as_deref(), Some("Gender: Male. More."));
    }
}
