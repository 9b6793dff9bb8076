//! The schemas of the kinds that people write, as lists of fields.

use std::{fmt, sync::LazyLock};

use kube::core::cel::Validator;
use serde_json::Value;

/// A kind whose spec people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    KybTenant,
    RegionDeployment,
    CachePolicy,
}

/// The schemas of all kinds, in the order of `Kind`.
static SPECS: LazyLock<[Value; 3]> = LazyLock::new(|| Kind::ALL.map(spec_schema));

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::KybTenant, Self::RegionDeployment, Self::CachePolicy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KybTenant => "KybTenant",
            Self::RegionDeployment => "RegionDeployment",
            Self::CachePolicy => "CachePolicy",
        }
    }

    /// The schema of its spec.
    pub(crate) fn spec(self) -> &'static Value {
        &SPECS[self as usize]
    }

    /// What its rules say against a spec, and against coming to it from another; nothing where they are content.
    pub(crate) fn broken_rules(self, spec: &Value, before: Option<&Value>) -> Vec<String> {
        broken_rules(self.spec(), spec, before)
    }
}

/// What a schema's rules, all below it included, say against a value.
pub(crate) fn broken_rules(schema: &Value, value: &Value, before: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(schema, value, before) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.message.clone()).collect(),
    }
}

fn spec_schema(kind: Kind) -> Value {
    let of_kind = kyb_crds::definitions().into_iter().find(|crd| crd.spec.names.kind == kind.name());
    let version = of_kind.and_then(|crd| crd.spec.versions.into_iter().next());
    let mut schema = serde_json::to_value(version.and_then(|version| version.schema)).unwrap();
    schema["openAPIV3Schema"]["properties"]["spec"].take()
}

/// One step down into a spec.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Field(String),
    /// The first item of a list.
    Item,
    /// The first value of a map.
    Entry,
}

/// Where something stands, in words such as `KybTenant.access[].contexts`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) steps: Vec<Step>,
}

impl Place {
    /// The spec itself.
    pub(crate) fn root(kind: Kind) -> Self {
        Self { kind, steps: Vec::new() }
    }

    pub(crate) fn below(&self, step: Step) -> Self {
        Self { kind: self.kind, steps: [self.steps.as_slice(), &[step]].concat() }
    }

    pub(crate) fn field(&self, name: &str) -> Self {
        self.below(Step::Field(name.to_owned()))
    }

    /// The names of the fields on the way to it.
    pub(crate) fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Item | Step::Entry => None,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Item => f.write_str("[]"),
            Step::Entry => f.write_str("{}"),
        })
    }
}

/// A field, an item or a value, with what the schema says of it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) place: Place,
    pub(crate) schema: &'static Value,
    /// Whether it must be there; None for items and values, which nobody names.
    pub(crate) required: Option<bool>,
}

/// Every field of a kind's spec, the spec itself first.
pub(crate) fn fields(kind: Kind) -> Vec<Field> {
    let mut all = Vec::new();
    walk(&Field { place: Place::root(kind), schema: kind.spec(), required: Some(true) }, &mut all);
    all
}

fn walk(field: &Field, all: &mut Vec<Field>) {
    all.push(field.clone());
    let Field { place, schema, .. } = field;
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
        walk(&Field { place: place.field(name), schema: property, required: Some(required) }, all);
    }
    for (keyword, step) in [("items", Step::Item), ("additionalProperties", Step::Entry)] {
        if let Some(inner) = schema.get(keyword) {
            walk(&Field { place: place.below(step), schema: inner, required: None }, all);
        }
    }
}
