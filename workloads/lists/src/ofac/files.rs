//! Which three files belong together.

use crate::{ListError, ListId, SourceFile};

/// A list that OFAC publishes as csv.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publication {
    /// Specially Designated Nationals and Blocked Persons.
    Sdn,
    /// The consolidated non-SDN lists.
    Consolidated,
}

impl Publication {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Sdn, Self::Consolidated];

    /// The publisher's file names: primary, alias, address.
    pub(crate) fn names(self) -> [&'static str; 3] {
        match self {
            Self::Sdn => ["sdn.csv", "alt.csv", "add.csv"],
            Self::Consolidated => ["cons_prim.csv", "cons_alt.csv", "cons_add.csv"],
        }
    }

    /// The list's name where nobody gave it another.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Self::Sdn => "ofac-sdn",
            Self::Consolidated => "ofac-consolidated",
        }
    }
}

/// The three files of one publication.
#[derive(Debug)]
pub(crate) struct Trio<'a> {
    /// One record an entry.
    pub(crate) primary: &'a SourceFile,
    /// Aliases.
    pub(crate) alias: &'a SourceFile,
    /// Addresses.
    pub(crate) address: &'a SourceFile,
}

impl<'a> Trio<'a> {
    /// Finds the three files by their names in any letter case. Refuses a missing, a double and a foreign file: what is
    /// passed over in silence looks as if it had been read.
    pub(crate) fn choose(list: &ListId, files: &'a [SourceFile]) -> Result<Self, ListError> {
        let has = |name: &str| files.iter().any(|file| file.name.eq_ignore_ascii_case(name));
        let publication = Publication::ALL.into_iter().find(|which| which.names().into_iter().any(has));
        let wrong = |problem: String| {
            let names = |which: Publication| which.names().join(", ");
            let expected = publication.map_or_else(|| Publication::ALL.map(names).join(" or "), names);
            ListError::WrongFiles { list: list.clone(), expected, problem }
        };
        let given = || files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(which) = publication else {
            return Err(wrong(if files.is_empty() {
                "nothing was given".into()
            } else {
                format!("given: {}", given())
            }));
        };
        let find = |name: &str| {
            let mut same = files.iter().filter(|file| file.name.eq_ignore_ascii_case(name));
            let first = same.next().ok_or_else(|| wrong(format!("{name} is missing")))?;
            if same.next().is_some() { Err(wrong(format!("{name} is there twice"))) } else { Ok(first) }
        };
        let [primary, alias, address] = which.names();
        let trio = Self { primary: find(primary)?, alias: find(alias)?, address: find(address)? };
        if files.len() > 3 {
            return Err(wrong(format!("given: {}", given())));
        }
        Ok(trio)
    }
}
