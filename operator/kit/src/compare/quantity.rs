//! Kubernetes quantities, compared by value
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).

use serde_json::Value;

/// Maps all of whose values are quantities.
const MAPS_OF_QUANTITIES: [&str; 11] = [
    "requests",
    "limits",
    "hard",
    "used",
    "capacity",
    "overhead",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
];
/// Fields that are quantities.
const QUANTITIES: [&str; 5] = ["storage", "sizeLimit", "averageValue", "divisor", "shmSize"];

/// Whether the value at `path` is a quantity in some built-in kind. Elsewhere `1Gi` and `1024Mi` are different texts.
pub(super) fn is_expected_at(path: &[String]) -> bool {
    if path.first().is_some_and(|top| matches!(top.as_str(), "data" | "stringData" | "metadata")) {
        return false;
    }
    let (name, within) = match path {
        [.., within, name] => (name.as_str(), within.as_str()),
        _ => return false,
    };
    MAPS_OF_QUANTITIES.contains(&within)
        || QUANTITIES.contains(&name)
        || (within == "target" && name == "value")
}

/// Whether both are quantities of the same value: `0.5` and `500m`, `1024Mi` and `1Gi`, `2` as a number and as text.
pub fn same_quantity(one: &Value, other: &Value) -> bool {
    matches!((parsed(one), parsed(other)), (Some(one), Some(other)) if one == other)
}

fn parsed(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// `digits × 10^tens` in lowest terms, so equal values are equal structs. Exact, unlike a float.
#[derive(Debug, PartialEq, Eq)]
struct Quantity {
    digits: i128,
    tens: i32,
}

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.starts_with(['+', '-']) || !number.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let (tens, twos) = scale(suffix)?;
        let tens = tens.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        Some(Self { digits: digits.checked_mul(1i128.checked_shl(twos)?)?, tens }.lowest())
    }

    fn lowest(mut self) -> Self {
        if self.digits == 0 {
            self.tens = 0;
        }
        while self.digits != 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.tens += 1;
        }
        self
    }
}

/// Powers of ten and of two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i32, u32)> {
    let scale = match suffix {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        exponent => (exponent.strip_prefix(['e', 'E'])?.parse().ok()?, 0),
    };
    Some(scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_of_one_value_are_the_same_however_written() {
        for (one, other) in [
            (json!("0.5"), json!("500m")),
            (json!("1024Mi"), json!("1Gi")),
            (json!("1e3"), json!("1k")),
            (json!("1E3"), json!("1000")),
            (json!(2), json!("2")),
            (json!(0.1), json!("100m")),
            (json!("1000000n"), json!("1m")),
            (json!("1000u"), json!("1m")),
            (json!("0"), json!("0Gi")),
            (json!("+1.50"), json!("1500m")),
            (json!("-1Ki"), json!("-1024")),
        ] {
            assert!(same_quantity(&one, &other), "{one} and {other}");
        }
    }

    #[test]
    fn other_values_and_other_texts_are_not() {
        for (one, other) in [
            (json!("1Gi"), json!("1G")),
            (json!("500m"), json!("501m")),
            (json!("1"), json!("10")),
            (json!("one"), json!("one")),
            (json!(""), json!("0")),
            (json!("."), json!("0")),
            (json!("1X"), json!("1")),
            (json!("1.-5"), json!("1")),
            (json!(true), json!("1")),
        ] {
            assert!(!same_quantity(&one, &other), "{one} and {other}");
        }
    }
}
