//! The document's dictionary: `ReferenceValueSets` holds sets such as `AliasTypeValues`, each of values with a number.

use std::collections::HashMap;

use crate::xml::{Element, Fault};

/// Values by their kind (`AliasType`) and number.
#[derive(Debug, Default)]
pub(super) struct References(HashMap<String, HashMap<String, Element>>);

impl References {
    /// Reads all sets. Refuses a number that a set has twice.
    pub(super) fn read(sets: Element) -> Result<Self, Fault> {
        let mut all: HashMap<String, HashMap<String, Element>> = HashMap::new();
        for value in sets.children.into_iter().flat_map(|set| set.children) {
            let id = value.required("ID")?.to_owned();
            let position = value.position();
            let kind = value.name.clone();
            if all.entry(kind.clone()).or_default().insert(id.clone(), value).is_some() {
                return Err(position.fault(format!("{kind} {id} is there twice")));
            }
        }
        Ok(Self(all))
    }

    /// The value of `kind` that the attribute of `element` names; `None` where it has no such attribute.
    pub(super) fn value(
        &self,
        element: &Element,
        attribute: &str,
        kind: &str,
    ) -> Result<Option<&Element>, Fault> {
        let Some(id) = element.attribute(attribute) else { return Ok(None) };
        let value = self.0.get(kind).and_then(|values| values.get(id));
        let missing = || element.fault(format!("names {kind} {id}, which the reference values do not have"));
        value.map(Some).ok_or_else(missing)
    }

    /// What that value says in words.
    pub(super) fn words(
        &self,
        element: &Element,
        attribute: &str,
        kind: &str,
    ) -> Result<Option<String>, Fault> {
        Ok(self.value(element, attribute, kind)?.and_then(Element::words))
    }
}
