//! One object: an id, a schema, and properties of which each is a list.

use crate::json::{Json, Object};

/// An entity in the sense of FollowTheMoney, which may be a person as well as a sanction.
#[derive(Debug)]
pub(super) struct Thing<'o> {
    /// Its id.
    pub(super) id: &'o str,
    /// What it is.
    pub(super) schema: &'o str,
    /// The name to show for it.
    pub(super) caption: Option<&'o str>,
    properties: Vec<(&'o str, &'o [Json])>,
}

impl<'o> Thing<'o> {
    /// The entity, or what it lacks. A property that is no list is refused: the format has none.
    pub(super) fn read(object: &'o Object) -> Result<Self, String> {
        let member = |name: &str| object.words(name).ok_or_else(|| format!("an entity has no {name}"));
        let id = member("id")?;
        let schema = member("schema")?;
        let Some(Json::Object(properties)) = object.get("properties") else {
            return Err(format!("entity {id} has no properties"));
        };
        let list = |(name, value): (&'o str, &'o Json)| match value {
            Json::List(values) => Ok((name, values.as_slice())),
            _ => Err(format!("entity {id}: the property {name} is no list")),
        };
        let properties = properties.iter().map(list).collect::<Result<_, String>>()?;
        Ok(Self { id, schema, caption: object.words("caption"), properties })
    }

    /// The properties.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'o str, &'o [Json])> {
        self.properties.iter().copied()
    }

    /// What a property says in words, each value of it.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'o str> {
        let values = self.properties.iter().find(|(known, _)| *known == name).map(|(_, values)| *values);
        values.unwrap_or_default().iter().filter_map(Json::words)
    }

    /// The first value of a property.
    pub(super) fn first(&self, name: &str) -> Option<&'o str> {
        self.all(name).next()
    }

    /// The ids that a property refers to; a nested object is no reference.
    pub(super) fn references(&self, name: &str) -> Vec<&'o str> {
        self.all(name).collect()
    }

    /// The objects that are nested in its properties.
    pub(super) fn nested(&self) -> impl Iterator<Item = &'o Object> {
        self.properties.iter().flat_map(|(_, values)| values.iter()).filter_map(|value| match value {
            Json::Object(object) => Some(object),
            _ => None,
        })
    }
}
