//! Operators and functions: what they take, what they yield, what they cost.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, operators as op},
};

use super::{Found, Scope, field_of, path, walk};
use crate::{error::RuleProblem, vocabulary::Shape};

/// A call of an operator, a function or a method.
pub(super) fn call<'a>(call: &'a CallExpr, scope: &mut Scope<'a>) -> Result<Found, RuleProblem> {
    let operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
    let found = operands.iter().map(|operand| walk(operand, scope)).collect::<Result<Vec<_>, _>>()?;
    // every operand is evaluated once, and copied or compared at most once
    let cost = found.iter().fold(1_u64, |sum, one| sum.saturating_add(one.cost).saturating_add(one.volume));
    let name = call.func_name.as_str();
    match (name, operands.as_slice(), found.as_slice()) {
        (op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, _, all) => {
            all_bools(name, all)?;
            Ok(Found::of(Shape::Bool, cost))
        }
        (op::CONDITIONAL, _, [condition, yes, no]) => {
            all_bools("?:", &[*condition])?;
            Ok(either(yes, no, cost))
        }
        (
            op::EQUALS | op::NOT_EQUALS | op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS,
            [a, b],
            [x, y],
        ) => {
            comparison(name, (a, x), (b, y))?;
            Ok(Found::of(Shape::Bool, cost))
        }
        (op::IN, [a, b], [x, y]) => {
            membership((a, x), (b, y))?;
            Ok(Found::of(Shape::Bool, cost))
        }
        (op::INDEX, [a, b], [x, _]) => indexed((a, x), b, cost),
        (op::ADD, _, [a, b]) => sum(a, b, cost),
        (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, _, [a, b]) => arithmetic(name, a, b, cost),
        (op::NEGATE, ..) => Err(RuleProblem::Forbidden {
            what: "negated values",
            remedy: "write `0 - x`; negative numbers are fine",
        }),
        _ => function(call, &found, cost),
    }
}

/// The functions that rules may call. `matches` is not among them: a regular expression's cost is not bounded by its text.
fn function(call: &CallExpr, found: &[Found], cost: u64) -> Result<Found, RuleProblem> {
    let name = call.func_name.as_str();
    match (name, found) {
        ("size", [one]) if !one.is("string") && !one.is("list") && !one.is("record") => {
            Err(takes(name, found))
        }
        ("contains" | "startsWith" | "endsWith", [text, part]) if call.target.is_some() => {
            if text.is("string") && part.is("string") {
                Ok(Found::of(Shape::Bool, cost))
            } else {
                Err(takes(name, found))
            }
        }
        ("size" | "int", [_]) => Ok(Found::of(Shape::Int, cost)),
        ("double", [_]) => Ok(Found::of(Shape::Double, cost)),
        ("string", [one]) => {
            Ok(Found { volume: one.volume.saturating_add(1), ..Found::of(Shape::Text, cost) })
        }
        ("size" | "contains" | "startsWith" | "endsWith" | "int" | "double" | "string", _) => {
            Err(takes(name, found))
        }
        _ => Err(RuleProblem::UnknownFunction { name: name.to_owned() }),
    }
}

fn takes(name: &str, found: &[Found]) -> RuleProblem {
    let given = match found {
        [] => "nothing".to_owned(),
        some => some.iter().map(Found::family).collect::<Vec<_>>().join(" and "),
    };
    let remedy = "see docs/policy.md for what each operator and function takes";
    RuleProblem::Mismatch { operator: operator(name).to_owned(), given, remedy }
}

fn all_bools(name: &str, found: &[Found]) -> Result<(), RuleProblem> {
    if found.iter().all(|one| one.is("bool")) { Ok(()) } else { Err(takes(name, found)) }
}

/// The two branches of a conditional.
fn either(yes: &Found, no: &Found, cost: u64) -> Found {
    let shape = if yes.shape == no.shape { yes.shape } else { Shape::Any };
    Found { shape, cost, items: yes.items.max(no.items), volume: yes.volume.max(no.volume) }
}

/// An expression and what is known of it.
type Operand<'a> = (&'a IdedExpr, &'a Found);

fn comparison(name: &str, a: Operand<'_>, b: Operand<'_>) -> Result<(), RuleProblem> {
    let numbers = |found: &Found| matches!(found.shape, Shape::Int | Shape::Double);
    let ordering = !matches!(name, op::EQUALS | op::NOT_EQUALS);
    let given = format!("{} and {}", a.1.family(), b.1.family());
    if let (Some(x), Some(y)) = (a.1.shape.family(), b.1.shape.family())
        && x != y
        && !(ordering && numbers(a.1) && numbers(b.1))
    {
        let remedy = "both sides must be of one type; `1.0` is a double, `1` an int, `\"1\"` a string";
        return Err(RuleProblem::Mismatch { operator: operator(name).to_owned(), given, remedy });
    }
    if !ordering {
        possible_value(a, b.0)?;
        possible_value(b, a.0)?;
    }
    Ok(())
}

fn membership(element: Operand<'_>, list: Operand<'_>) -> Result<(), RuleProblem> {
    if !list.1.is("list") && !list.1.is("record") {
        return Err(takes(op::IN, &[*element.1, *list.1]));
    }
    if let Expr::List(literal) = &list.0.expr {
        literal.elements.iter().try_for_each(|one| possible_value(element, one))?;
    }
    Ok(())
}

/// Refuses a comparison of a variable that has a few words with another word: the rule would never hold.
fn possible_value((written, found): Operand<'_>, other: &IdedExpr) -> Result<(), RuleProblem> {
    if let (Shape::OneOf(words), Expr::Literal(LiteralValue::String(value))) = (found.shape, &other.expr)
        && !words.contains(&value.inner())
    {
        let (variable, value, valid) = (path(written), value.inner().to_owned(), words.join(", "));
        return Err(RuleProblem::NeverThatValue { variable, value, valid });
    }
    Ok(())
}

/// `a["field"]` or `a[1]`.
fn indexed(a: Operand<'_>, index: &IdedExpr, cost: u64) -> Result<Found, RuleProblem> {
    if let (Shape::Record(_), Expr::Literal(LiteralValue::String(name))) = (a.1.shape, &index.expr) {
        return field_of(a.1, name.inner(), a.0);
    }
    match a.1.shape {
        Shape::List(of, _) => Ok(Found::of(*of, cost)),
        Shape::Record(_) | Shape::Any => Ok(Found::any(cost, a.1.volume, a.1.volume)),
        _ => Err(takes(op::INDEX, &[*a.1])),
    }
}

/// `a + b`: numbers, texts or lists.
fn sum(a: &Found, b: &Found, cost: u64) -> Result<Found, RuleProblem> {
    let (items, volume) = (a.items.saturating_add(b.items), a.volume.saturating_add(b.volume));
    let shape = match (a.shape.family(), b.shape.family()) {
        (Some("int" | "double"), Some("int" | "double")) => return arithmetic(op::ADD, a, b, cost),
        (Some("string"), Some("string")) => Shape::Text,
        (None | Some("list"), None | Some("list")) | (None, _) | (_, None) => Shape::Any,
        _ => return Err(takes(op::ADD, &[*a, *b])),
    };
    Ok(Found { shape, cost, items, volume })
}

fn arithmetic(name: &str, a: &Found, b: &Found, cost: u64) -> Result<Found, RuleProblem> {
    match (a.shape, b.shape) {
        (Shape::Int, Shape::Int) => Ok(Found::of(Shape::Int, cost)),
        (Shape::Double, Shape::Double) => Ok(Found::of(Shape::Double, cost)),
        (Shape::Any, Shape::Int | Shape::Double | Shape::Any) | (Shape::Int | Shape::Double, Shape::Any) => {
            Ok(Found::any(cost, 1, 1))
        }
        _ => Err(takes(name, &[*a, *b])),
    }
}

/// An operator as it is written.
fn operator(name: &str) -> &str {
    let bare = name.trim_matches(['_', '@']);
    if bare == "[_]" { "[]" } else { bare }
}
