//! Loops: `exists`, `all`, `exists_one`, `map` and `filter`. They are the only ones, and each visits a list once.

use cel::common::ast::{ComprehensionExpr, Expr};

use super::{DEEPEST_COMPREHENSION, Found, Scope, walk};
use crate::{
    error::RuleProblem,
    vocabulary::{ROOTS, Shape},
};

pub(super) fn check<'a>(loop_: &'a ComprehensionExpr, scope: &mut Scope<'a>) -> Result<Found, RuleProblem> {
    let name = loop_.iter_var.as_str();
    if ROOTS.iter().any(|root| root.name == name) || scope.iter().any(|(own, _)| *own == name) {
        return Err(RuleProblem::Shadowed { name: name.to_owned() });
    }
    let range = walk(&loop_.iter_range, scope)?;
    let element = element_of(&range)?;
    let before = scope.len();
    if before / 2 >= DEEPEST_COMPREHENSION {
        return Err(RuleProblem::TooNested);
    }
    let initial = walk(&loop_.accu_init, scope)?;
    // a list grows by what one step adds, a bool or number stays one value
    scope.push((&loop_.accu_var, Found::any(1, 0, 0)));
    scope.push((name, element));
    let (condition, step) = (walk(&loop_.loop_cond, scope), walk(&loop_.loop_step, scope));
    scope.truncate(before + 1);
    let result = walk(&loop_.result, scope);
    scope.truncate(before);
    let (condition, step, result) = (condition?, step?, result?);

    let grows = matches!(loop_.accu_init.expr, Expr::List(_));
    let volume = if grows { range.items.saturating_mul(step.volume).saturating_add(1) } else { 1 };
    let each = condition
        .cost
        .saturating_add(step.cost)
        .saturating_add(element.volume)
        .saturating_add(2 * volume.min(u64::MAX / 4));
    let cost = [range.cost, initial.cost, range.items.saturating_mul(each), result.cost, volume]
        .into_iter()
        .fold(1_u64, u64::saturating_add);
    Ok(if grows { Found::any(cost, range.items, volume) } else { Found::of(Shape::Bool, cost) })
}

/// What the loop variable is.
fn element_of(range: &Found) -> Result<Found, RuleProblem> {
    match range.shape {
        Shape::List(of, _) => Ok(Found::of(*of, 1)),
        Shape::Record(_) => Ok(Found::of(Shape::Code, 1)),
        Shape::Any => Ok(Found::any(1, range.volume, range.volume)),
        _ => Err(RuleProblem::Mismatch {
            operator: "a loop".to_owned(),
            given: range.family().to_owned(),
            remedy: "loop over a list such as `screening.matches`",
        }),
    }
}
