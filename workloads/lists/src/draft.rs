//! An entry while it is put together: each name, country, date and identifier once, in the order in which it was read.

use kyb_domain::{
    country::CountryCode,
    date::DateSpan,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    list::{Entry, EntryKind, ListedName, NameKind},
};

/// An entry in the making; it always has its primary name.
#[derive(Debug)]
pub(crate) struct Draft(Entry);

impl Draft {
    /// An entry of which id, kind and primary name are known.
    pub(crate) fn new(id: &str, kind: EntryKind, name: &str) -> Self {
        let primary = ListedName { kind: NameKind::Primary, text: name.trim().to_owned() };
        Self(Entry {
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
        })
    }

    /// What the entry is.
    pub(crate) fn kind(&self) -> EntryKind {
        self.0.kind
    }

    /// The reference that people cite.
    pub(crate) fn reference(&mut self, reference: &str) {
        self.0.reference = Some(reference.to_owned());
    }

    /// A further name. A text that is already there keeps its first kind: a good alias is not weakened by a weak one.
    pub(crate) fn name(&mut self, kind: NameKind, text: &str) {
        let text = text.trim();
        let new = !text.is_empty() && self.0.names.iter().all(|name| name.text != text);
        if new {
            self.0.names.push(ListedName { kind, text: text.to_owned() });
        }
    }

    /// A programme.
    pub(crate) fn program(&mut self, program: &str) {
        once(&mut self.0.programs, program.trim().to_owned());
    }

    /// Countries.
    pub(crate) fn countries(&mut self, codes: Vec<CountryCode>) {
        for code in codes {
            once(&mut self.0.countries, code);
        }
    }

    /// A date of birth or formation.
    pub(crate) fn born(&mut self, span: DateSpan) {
        once(&mut self.0.birth_dates, span);
    }

    /// An identifier; `false` where `value` can be none.
    pub(crate) fn identifier(
        &mut self,
        kind: IdentifierKind,
        value: &str,
        country: Option<CountryCode>,
    ) -> bool {
        let Ok(value) = IdentifierValue::try_from(value) else { return false };
        once(&mut self.0.identifiers, Identifier { kind, value, country });
        true
    }

    /// An address from its parts, joined to one line; nothing where all are missing.
    pub(crate) fn address<'a>(&mut self, parts: impl IntoIterator<Item = Option<&'a str>>) {
        let parts: Vec<&str> =
            parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            once(&mut self.0.addresses, parts.join(", "));
        }
    }

    /// A further piece of prose.
    pub(crate) fn remark(&mut self, text: &str) {
        match &mut self.0.remarks {
            Some(remarks) => {
                remarks.push(' ');
                remarks.push_str(text);
            }
            none => *none = Some(text.to_owned()),
        }
    }

    /// The finished entry.
    pub(crate) fn finish(self) -> Entry {
        self.0
    }
}

fn once<T: PartialEq>(all: &mut Vec<T>, item: T) {
    if !all.contains(&item) {
        all.push(item);
    }
}
