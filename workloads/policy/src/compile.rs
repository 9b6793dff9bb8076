//! From a tenant's rules to programs that are known to be sound: bounds, syntax, names, types, cost, a trial.

use std::collections::HashSet;

use cel::{Context, Program, Value, functions};
use kyb_domain::{decision::DecisionOutcome, reason::ReasonCode};

use crate::{
    check,
    error::{PolicyError, RuleProblem},
    facts::View,
    samples::samples,
    source,
    spec::{PolicySpec, Rule},
};

/// The most rules of a policy.
pub const MOST_RULES: usize = 100;
/// The most cost units of all rules of a policy together.
pub const POLICY_COST: u64 = 1_000_000;

/// A rule that may run.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) name: String,
    pub(crate) when: String,
    pub(crate) then: DecisionOutcome,
    pub(crate) reason: Option<ReasonCode>,
    program: Program,
}

/// Compiles every rule, or says which one is wrong.
pub(crate) fn compile(spec: &PolicySpec) -> Result<Vec<CompiledRule>, PolicyError> {
    if spec.rules.len() > MOST_RULES {
        return Err(PolicyError::TooManyRules { count: spec.rules.len() });
    }
    let mut names = HashSet::new();
    let (mut rules, mut total) = (Vec::with_capacity(spec.rules.len()), 0_u64);
    for rule in &spec.rules {
        if !is_dns_label(&rule.name) {
            return Err(PolicyError::BadName { name: rule.name.chars().take(100).collect() });
        }
        if !names.insert(rule.name.as_str()) {
            return Err(PolicyError::DuplicateName { name: rule.name.clone() });
        }
        let refused = |problem| PolicyError::Rule { rule: rule.name.clone(), problem };
        let (compiled, cost) = compile_rule(rule).map_err(refused)?;
        total = total.saturating_add(cost);
        rules.push(compiled);
    }
    if total > POLICY_COST {
        return Err(PolicyError::TooCostly { cost: total });
    }
    // tried last: until here nothing has been evaluated, and what is now is known to be cheap
    rules.iter().try_for_each(|rule| {
        rule.try_samples().map_err(|problem| PolicyError::Rule { rule: rule.name.clone(), problem })
    })?;
    Ok(rules)
}

fn compile_rule(rule: &Rule) -> Result<(CompiledRule, u64), RuleProblem> {
    source::check(&rule.when)?;
    let program = parse(&rule.when)?;
    let cost = check::check(program.expression())?;
    let (name, when) = (rule.name.clone(), rule.when.clone());
    Ok((CompiledRule { name, when, then: rule.then, reason: rule.reason.clone(), program }, cost))
}

fn parse(when: &str) -> Result<Program, RuleProblem> {
    Program::compile(when).map_err(|problems| {
        let first = problems.errors.first();
        let part = |number: isize| usize::try_from(number).unwrap_or(0);
        RuleProblem::Syntax {
            line: first.map_or(0, |error| part(error.pos.0)),
            column: first.map_or(0, |error| part(error.pos.1)),
            message: first.map_or_else(
                || "not an expression".to_owned(),
                |error| error.msg.chars().take(200).collect(),
            ),
        }
    })
}

/// A context that holds the functions that rules may call, and no others.
pub(crate) fn context(view: &View) -> Context<'static> {
    let mut context = Context::empty();
    context.add_function("size", functions::size);
    context.add_function("contains", functions::contains);
    context.add_function("startsWith", functions::starts_with);
    context.add_function("endsWith", functions::ends_with);
    context.add_function("int", functions::int);
    context.add_function("double", functions::double);
    context.add_function("string", functions::string);
    view.bind(&mut context);
    context
}

impl CompiledRule {
    /// Whether the rule holds, or why that can't be said.
    pub(crate) fn holds(&self, context: &Context<'_>) -> Result<bool, String> {
        match self.program.execute(context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it yields {} and not true or false", other.type_of())),
            Err(error) => Err(error.to_string().chars().take(200).collect()),
        }
    }

    fn try_samples(&self) -> Result<(), RuleProblem> {
        for (sample, view) in samples() {
            self.holds(&context(&view)).map_err(|error| RuleProblem::FailsOnSample { sample, error })?;
        }
        Ok(())
    }
}

fn is_dns_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
#[path = "compile_tests.rs"]
mod tests;
