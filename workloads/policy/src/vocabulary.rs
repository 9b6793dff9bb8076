//! The variables that rules can see: names, types, bounds. One table for the checker, the docs and the samples.

use kyb_domain::verification::CheckName;

use crate::facts::{MOST_FACTORS, MOST_MATCHES, MOST_PROGRAMS};

/// The type of a value inside a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Bool,
    Int,
    Double,
    /// Text that people wrote; up to 500 characters.
    Text,
    /// Short text: a code, an id, a date; up to 64 bytes.
    Code,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of up to so many.
    List(&'static Shape, u64),
    /// Named fields.
    Record(&'static [Field]),
    /// Not known before evaluation.
    Any,
}

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

const CHECK_STATUS: Shape = Shape::OneOf(&["success", "warning", "failure", "error", "skipped"]);
const RISK_LEVEL: Shape = Shape::OneOf(&["low", "medium", "high", "critical"]);
const SCREENING_STATUS: Shape = Shape::OneOf(&["no_hit", "in_review", "error"]);

const MATCH: Shape = Shape::Record(&[
    field("list", Shape::Code),
    field("entry_id", Shape::Code),
    field("score", Shape::Double),
    field("second_evidence", Shape::Bool),
    field("programs", Shape::List(&Shape::Code, MOST_PROGRAMS as u64)),
]);

/// Every variable.
pub(crate) const ROOTS: &[Field] = &[
    field(
        "risk",
        Shape::Record(&[
            field("score", Shape::Int),
            field("level", RISK_LEVEL),
            field("factors", Shape::List(&Shape::Code, MOST_FACTORS as u64)),
        ]),
    ),
    field(
        "screening",
        Shape::Record(&[
            field("status", SCREENING_STATUS),
            field("best_score", Shape::Double),
            field("second_evidence", Shape::Bool),
            field("matches", Shape::List(&MATCH, MOST_MATCHES as u64)),
        ]),
    ),
    field("checks", Shape::Record(&CHECKS)),
    field(
        "business",
        Shape::Record(&[
            field("country", Shape::Code),
            field("name", Shape::Text),
            field("incorporated_on", Shape::Code),
            field("legal_form", Shape::Text),
        ]),
    ),
    field("industry", Shape::Record(&[field("code", Shape::Code), field("confidence", Shape::Double)])),
];

const CHECKS: [Field; CheckName::ALL.len()] = [
    field("name", CHECK_STATUS),
    field("address", CHECK_STATUS),
    field("registry", CHECK_STATUS),
    field("tax_id", CHECK_STATUS),
    field("legal_form", CHECK_STATUS),
    field("people", CHECK_STATUS),
    field("ownership", CHECK_STATUS),
    field("industry", CHECK_STATUS),
    field("website", CHECK_STATUS),
    field("watchlist", CHECK_STATUS),
];

impl Shape {
    /// How much there is to copy or compare, at most: one a value, one more for each 64 bytes of text.
    pub(crate) fn volume(self) -> u64 {
        match self {
            Self::Bool | Self::Int | Self::Double | Self::Code | Self::OneOf(_) | Self::Any => 1,
            Self::Text => 32,
            Self::List(of, most) => 1 + most * of.volume(),
            Self::Record(fields) => fields.iter().map(|field| field.shape.volume()).sum::<u64>() + 1,
        }
    }

    /// How many items a comprehension over it visits, at most.
    pub(crate) fn items(self) -> u64 {
        match self {
            Self::List(_, most) => most,
            Self::Record(fields) => fields.len() as u64,
            _ => 1,
        }
    }

    /// Its name in messages; types of one name can be compared. `None` for what is not known.
    pub(crate) fn family(self) -> Option<&'static str> {
        match self {
            Self::Bool => Some("bool"),
            Self::Int => Some("int"),
            Self::Double => Some("double"),
            Self::Text | Self::Code | Self::OneOf(_) => Some("string"),
            Self::List(..) => Some("list"),
            Self::Record(_) => Some("record"),
            Self::Any => None,
        }
    }
}

/// A variable of the rules, for docs and completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// As written in a rule, such as `risk.score`.
    pub path: String,
    /// Its type: `bool`, `int`, `double`, `string`, `list` or `record`.
    pub kind: &'static str,
}

/// Every variable that a rule can see, in the order of the docs.
pub fn variables() -> Vec<Variable> {
    let mut all = Vec::new();
    for root in ROOTS {
        if let Shape::Record(fields) = root.shape {
            let path = |field: &Field| format!("{}.{}", root.name, field.name);
            let variable = |f: &Field| Variable { path: path(f), kind: f.shape.family().unwrap_or("any") };
            all.extend(fields.iter().map(variable));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_of_the_domain_is_a_variable() {
        let names: Vec<_> = CHECKS.iter().map(|field| field.name).collect();
        assert_eq!(names, CheckName::ALL.map(CheckName::as_str));
    }

    #[test]
    fn the_page_about_policies_names_every_variable() {
        let page = include_str!("../../../docs/policy.md");
        for variable in variables() {
            let named =
                page.contains(&format!("`{}`", variable.path)) || variable.path.starts_with("checks.");
            assert!(named, "docs/policy.md does not mention {}", variable.path);
        }
        for check in CheckName::ALL {
            assert!(
                page.contains(&format!("`{}`", check.as_str())),
                "docs/policy.md lacks {}",
                check.as_str()
            );
        }
    }
}
