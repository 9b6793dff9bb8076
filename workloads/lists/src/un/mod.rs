//! The UN Security Council Consolidated List: one XML document of `INDIVIDUAL` and `ENTITY` records, dated in its root.
//!
//! | module | what |
//! |---|---|
//! | [`xml`] | bytes to records, strictly and with positions |
//! | [`record`] | one record to one entry |

use std::collections::HashSet;

use crate::{Contents, ListError, ListId, SourceFile, reading::Reading};

mod record;
#[cfg(test)]
mod tests;
mod xml;

pub(crate) use xml::{is_root, root_name};

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let [file] = files else {
        let expected = "the UN's consolidated list, one XML file".to_owned();
        let problem = format!("{} files were given", files.len());
        return Err(ListError::WrongFiles { list: list.clone(), expected, problem });
    };
    let mut reading = Reading::default();
    let mut ids = HashSet::new();
    let mut entries = Vec::new();
    let stated = xml::read(file, &mut |section, element| {
        let line = element.line;
        let fault = |problem: String| file.fault(line, crate::Place::Line, problem);
        let draft = record::entry(section, &element, &mut reading).map_err(fault)?;
        let entry = draft.finish();
        if !ids.insert(entry.id.clone()) {
            return Err(fault(format!("record {} is there twice", entry.id)));
        }
        entries.push(entry);
        Ok(())
    })?;
    for name in &stated.unknown {
        reading.not_understood("element", name);
    }
    if entries.is_empty() {
        return Err(file.cut("it holds no record"));
    }
    Ok(Contents { entries, not_understood: reading.into_counts(), stated: stated.generated })
}
