//! Names of enum values as they are written in answers, for the columns beside the documents.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::StoreError;

/// The serialised name of a value of an enum without data, such as `no_hit`.
pub(crate) fn code_of(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::String(code)) => Ok(code),
        Ok(other) => Err(StoreError::corrupt("code")(format!("{other} is not a name"))),
        Err(error) => Err(StoreError::corrupt("code")(error)),
    }
}

/// The value that a stored name stands for.
pub(crate) fn value_of<T: DeserializeOwned>(what: &'static str, code: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(code)).map_err(StoreError::corrupt(what))
}

/// A document as JSON text.
pub(crate) fn json_text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::corrupt("document"))
}

/// A stored document, read.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(StoreError::corrupt(what))
}
