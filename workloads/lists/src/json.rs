//! JSON lines: one object a line, strictly and with positions.
//!
//! A line is read, handed on and forgotten. What the format can't show is a file that lost whole lines at its end: every
//! line stands for itself. A version that lost more than a fifth is refused by [`shrink`](crate::shrink).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{ListError, Place, SourceFile};

/// A value. Numbers are kept as they are written: an identifier is no quantity.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// An object: its members in their order, no name twice.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<(String, Json)>);

impl Json {
    /// What it says in words; `None` for nothing, a list or an object.
    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }
}

impl Object {
    /// The member `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// What the member `name` says in words.
    pub(crate) fn words(&self, name: &str) -> Option<&str> {
        self.get(name)?.words()
    }

    /// The members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Takes one line's object; what it refuses is refused with the line.
pub(crate) type Each<'e> = dyn FnMut(Object) -> Result<(), String> + 'e;

/// Reads `file` line by line. Blank lines are passed over.
pub(crate) fn lines(file: &SourceFile, each: &mut Each<'_>) -> Result<(), ListError> {
    let text = file.text()?;
    if text.trim_start().starts_with('[') {
        let problem = "is one JSON array; one object a line (JSON lines) is expected";
        return Err(file.fault_at(text, text.len() - text.trim_start().len(), problem.into()));
    }
    let mut start = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        if !line.trim().is_empty() {
            let object = serde_json::from_str(line.trim_end()).map_err(|error| {
                let last = start + line.len() == text.len();
                broken(file, text, start, last, &error)
            })?;
            each(object).map_err(|problem| file.fault(number, Place::Line, problem))?;
        }
        start += line.len();
    }
    Ok(())
}

/// The names of the first line's members, as far as `start` goes; nothing where it begins with no object.
pub(crate) fn first_names(start: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(start.trim_start_matches('\u{feff}'));
    let _ = Names(&mut names).deserialize(&mut reader); // the end may be cut off; what came before it counts
    names
}

/// The refusal of the line that begins at `start`.
fn broken(file: &SourceFile, text: &str, start: usize, last: bool, error: &serde_json::Error) -> ListError {
    let line = text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
    if error.is_eof() && last {
        return file.cut(format!("its last record, on line {line}, is not finished"));
    }
    let words = error.to_string();
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    let problem = match error.classify() {
        serde_json::error::Category::Data => words.to_owned(),
        _ => format!("is no JSON object on one line: {words}"),
    };
    let mut at = start + error.column().saturating_sub(1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    file.fault_at(text, at, problem)
}

struct Names<'n>(&'n mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(name) = members.next_key()? {
            self.0.push(name);
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    /// Refuses a name that is there twice: which of the two is meant would be a guess.
    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Object, M::Error> {
        let mut object = Object::default();
        while let Some(name) = members.next_key::<String>()? {
            if object.get(&name).is_some() {
                return Err(M::Error::custom(format_args!("has {name:?} twice")));
            }
            object.0.push((name, members.next_value()?));
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Json;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }
    fn visit_seq<S: SeqAccess<'de>>(self, mut values: S) -> Result<Json, S::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }
    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<Json, M::Error> {
        Members.visit_map(members).map(Json::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Object>, String> {
        let file = SourceFile { name: "list.json".into(), bytes: text.as_bytes().to_vec() };
        let mut all = Vec::new();
        let kept = &mut |object: Object| {
            all.push(object);
            Ok(())
        };
        lines(&file, kept).map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn each_line_is_an_object() {
        let read = read("\u{feff}{\"a\":\"é\",\"b\":[1,2.5,null,true]}\r\n\n{\"c\":{\"d\":\"\"}}").unwrap();
        assert_eq!((read.len(), read[0].words("a"), read[0].words("b")), (2, Some("é"), None));
        let Some(Json::List(values)) = read[0].get("b") else { panic!("a list") };
        assert_eq!(
            values.iter().map(Json::words).collect::<Vec<_>>(),
            [Some("1"), Some("2.5"), None, Some("true")]
        );
    }

    #[test]
    fn every_fault_is_refused_with_its_position() {
        let deep = format!("{{\"a\":{}", "[".repeat(200));
        for (text, words) in [
            (
                "{\"a\":1}\n{\"é\":x}\n",
                "list.json, line 2, column 6: is no JSON object on one line: expected value",
            ),
            ("{\"a\":1}\n{\"a\":1,\"a\":2}\n", "list.json, line 2, column 10: has \"a\" twice"),
            ("{\"a\":1}\n{\"a\":", "list.json is cut off: its last record, on line 2, is not finished"),
            (
                "{\n\"a\":1}\n",
                "list.json, line 1, column 1: is no JSON object on one line: EOF while parsing",
            ),
            (" [{\"a\":1}]", "list.json, line 1, column 2: is one JSON array; one object a line"),
            ("7\n", "list.json, line 1, column 1: invalid type: integer `7`, expected an object"),
            ("{}{}\n", "list.json, line 1, column 3: is no JSON object on one line: trailing characters"),
            (&deep, "list.json, line 1, column 132: is no JSON object on one line: recursion limit exceeded"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.starts_with(words), "{refused}");
        }
    }

    #[test]
    fn the_names_of_the_first_line_are_seen_though_it_is_cut() {
        assert_eq!(
            first_names("{\"id\":\"1\",\"schema\":{\"no\":1},\"properties\":{\"na"),
            ["id", "schema", "properties"]
        );
        assert_eq!(first_names("words"), [""; 0]);
    }
}
