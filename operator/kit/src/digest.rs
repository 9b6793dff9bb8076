//! A short digest of what we want, which stays the same as long as we want the same.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How many bytes of the SHA-256 are kept: 128 bits, so that no two states of one object ever meet by chance.
const BYTES: usize = 16;

/// `value` without nulls, in a canonical order of keys: what the server sees of it.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept: Vec<_> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
            // Maps are sorted already unless some crate in the tree turns on serde_json's `preserve_order`.
            kept.sort_by_key(|(key, _)| *key);
            let kept = kept.into_iter().map(|(key, value)| (key.clone(), canonical(value)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// 32 hexadecimal digits that stand for `value`; null fields and the order of keys make no difference.
pub fn digest(value: &Value) -> String {
    let text = canonical(value).to_string();
    hex::encode(&Sha256::digest(text)[..BYTES])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_keys_and_nulls_make_no_difference() {
        let one = json!({"a": 1, "b": {"c": null, "d": [1, 2]}});
        let other: Value = serde_json::from_str(r#"{"b": {"d": [1, 2]}, "a": 1}"#).unwrap();
        assert_eq!(digest(&one), digest(&other));
        assert_eq!(digest(&one).len(), 2 * BYTES);
    }

    #[test]
    fn order_of_items_and_any_value_make_one() {
        for other in
            [json!({"a": [2, 1]}), json!({"a": [1, 2, 2]}), json!({"a": [1, "2"]}), json!({"b": [1, 2]})]
        {
            assert_ne!(digest(&json!({"a": [1, 2]})), digest(&other));
        }
    }
}
