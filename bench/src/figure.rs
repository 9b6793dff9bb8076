//! One figure: a JSON line on standard output.

use serde::Serialize;

use crate::rounds::Pair;

/// A figure as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure<'a> {
    name: &'a str,
    value: f64,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<f64>,
}

impl<'a> Figure<'a> {
    pub(crate) fn new(name: &'a str, value: f64, unit: &'a str) -> Self {
        Self { name, value: rounded(value), unit, baseline: None }
    }

    /// The same beside what it is compared with, in the same unit.
    pub(crate) fn beside(self, baseline: f64) -> Self {
        Self { baseline: Some(rounded(baseline)), ..self }
    }

    pub(crate) fn print(&self) {
        // Strings and finite numbers always serialise.
        println!("{}", serde_json::to_string(self).unwrap_or_default());
    }
}

/// Prints a figure beside its baseline, and their ratio as a figure of its own.
pub(crate) fn print_pair(name: &str, unit: &str, pair: &Pair) {
    Figure::new(name, pair.ours, unit).beside(pair.baseline).print();
    Figure::new(&format!("{name}_ratio"), pair.ratio, "x").print();
}

/// Four significant digits; more would pretend to be exact.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_json_object() {
        let line = serde_json::to_string(&Figure::new("loading_ms", 123.456, "ms").beside(7.0)).unwrap();
        assert_eq!(line, r#"{"name":"loading_ms","value":123.5,"unit":"ms","baseline":7.0}"#);
    }
}
