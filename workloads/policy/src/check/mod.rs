//! A rule's syntax tree before it may run: does everything that it names exist, do the types go together, what can it
//! cost at most? Anything of CEL that is not listed here is refused.
//!
//! The walk returns for each expression its [`Shape`] where that is known, and upper bounds: evaluation steps (`cost`),
//! items to iterate (`items`) and data to copy or compare (`volume`).

mod comprehension;
mod operators;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SelectExpr},
};

use crate::{
    error::RuleProblem,
    vocabulary::{Field, ROOTS, Shape},
};

/// The most cost units of one rule.
pub const RULE_COST: u64 = 200_000;
/// How deep comprehensions (`exists`, `all`, `map`, `filter`, `exists_one`) may nest.
pub const DEEPEST_COMPREHENSION: usize = 2;

/// What is known of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    shape: Shape,
    cost: u64,
    items: u64,
    volume: u64,
}

impl Found {
    /// A value of a known shape that took `cost` to get.
    fn of(shape: Shape, cost: u64) -> Self {
        Self { shape, cost, items: shape.items(), volume: shape.volume() }
    }

    /// A value of unknown shape, with the bounds of what it was made from.
    fn any(cost: u64, items: u64, volume: u64) -> Self {
        Self { shape: Shape::Any, cost, items, volume }
    }

    fn is(&self, family: &str) -> bool {
        self.shape.family().is_none_or(|own| own == family)
    }

    fn family(&self) -> &'static str {
        self.shape.family().unwrap_or("a value")
    }
}

/// Loop variables in scope, innermost last.
type Scope<'a> = Vec<(&'a str, Found)>;

/// Refuses a rule that is not sound, not a bool or too costly; returns the upper bound of its cost.
pub(crate) fn check(rule: &IdedExpr) -> Result<u64, RuleProblem> {
    let found = walk(rule, &mut Vec::new())?;
    if !found.is("bool") {
        return Err(RuleProblem::NotBool { got: found.family().to_owned() });
    }
    if found.cost > RULE_COST {
        return Err(RuleProblem::TooCostly { cost: found.cost });
    }
    Ok(found.cost)
}

fn walk<'a>(expr: &'a IdedExpr, scope: &mut Scope<'a>) -> Result<Found, RuleProblem> {
    match &expr.expr {
        Expr::Ident(name) => variable(name, scope),
        Expr::Literal(value) => literal(value),
        Expr::Select(select) => selected(select, scope),
        Expr::Call(call) => operators::call(call, scope),
        Expr::List(list) => elements(list.elements.iter(), scope),
        Expr::Map(map) => {
            let entries = map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(_) => vec![],
            });
            elements(entries, scope)
        }
        Expr::Comprehension(comprehension) => comprehension::check(comprehension, scope),
        Expr::Struct(_) => Err(RuleProblem::Forbidden {
            what: "messages (`Name{…}`)",
            remedy: "use the variables' own fields",
        }),
        Expr::Unspecified => {
            Err(RuleProblem::Forbidden { what: "empty expressions", remedy: "write a condition" })
        }
    }
}

fn variable(name: &str, scope: &Scope<'_>) -> Result<Found, RuleProblem> {
    if let Some((_, found)) = scope.iter().rev().find(|(own, _)| *own == name) {
        return Ok(Found { cost: 1, ..*found });
    }
    let root = ROOTS.iter().find(|root| root.name == name);
    root.map(|root| Found::of(root.shape, 1))
        .ok_or_else(|| RuleProblem::UnknownVariable { name: name.to_owned(), valid: names(ROOTS) })
}

fn literal(value: &LiteralValue) -> Result<Found, RuleProblem> {
    match value {
        LiteralValue::Boolean(_) => Ok(Found::of(Shape::Bool, 1)),
        LiteralValue::Int(_) => Ok(Found::of(Shape::Int, 1)),
        LiteralValue::Double(_) => Ok(Found::of(Shape::Double, 1)),
        LiteralValue::String(text) => {
            let volume = 1 + text.inner().len() as u64 / 64;
            Ok(Found { volume, ..Found::of(Shape::Text, 1) })
        }
        LiteralValue::UInt(_) => {
            Err(RuleProblem::Forbidden { what: "unsigned numbers", remedy: "leave off the `u`" })
        }
        LiteralValue::Bytes(_) => Err(RuleProblem::Forbidden { what: "bytes", remedy: "leave off the `b`" }),
        LiteralValue::Null => Err(RuleProblem::Forbidden {
            what: "nulls",
            remedy: "what is not known is an empty string, zero or an empty list",
        }),
    }
}

/// `operand.field`, or `has(operand.field)`.
fn selected<'a>(select: &'a SelectExpr, scope: &mut Scope<'a>) -> Result<Found, RuleProblem> {
    let operand = walk(&select.operand, scope)?;
    let found = field_of(&operand, &select.field, &select.operand)?;
    Ok(if select.test { Found::of(Shape::Bool, found.cost) } else { found })
}

/// A field of a value by its name; what is selected is copied.
fn field_of(operand: &Found, name: &str, written: &IdedExpr) -> Result<Found, RuleProblem> {
    match operand.shape {
        Shape::Record(fields) => {
            let field = fields.iter().find(|field| field.name == name).ok_or_else(|| {
                RuleProblem::UnknownField { of: path(written), name: name.to_owned(), valid: names(fields) }
            })?;
            Ok(Found::of(field.shape, operand.cost.saturating_add(1 + field.shape.volume())))
        }
        Shape::Any => {
            let cost = operand.cost.saturating_add(operand.volume).saturating_add(1);
            Ok(Found::any(cost, operand.volume, operand.volume))
        }
        _ => Err(RuleProblem::UnknownField {
            of: path(written),
            name: name.to_owned(),
            valid: format!("none; its type is {}", operand.family()),
        }),
    }
}

/// The parts of a list or map literal.
fn elements<'a>(
    parts: impl Iterator<Item = &'a IdedExpr>,
    scope: &mut Scope<'a>,
) -> Result<Found, RuleProblem> {
    let (mut cost, mut items, mut volume) = (1_u64, 0_u64, 1_u64);
    for part in parts {
        let found = walk(part, scope)?;
        cost = cost.saturating_add(found.cost).saturating_add(found.volume);
        volume = volume.saturating_add(found.volume);
        items += 1;
    }
    Ok(Found::any(cost, items, volume))
}

/// The names of fields, for messages.
fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

/// An expression as it was written, as far as a message needs it.
fn path(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(SelectExpr { operand, field, .. }) => format!("{}.{field}", path(operand)),
        Expr::Call(CallExpr { func_name, .. }) => format!("{func_name}(…)"),
        _ => "the value".to_owned(),
    }
}
