//! A compiled policy decides: the tenant's rules in order, the floor, then the default policy.

use kyb_domain::{
    decision::{Decision, DecisionOutcome},
    reason::{Reason, ReasonCode},
    verification::CheckName,
};

use crate::{
    compile::{self, CompiledRule},
    default_policy,
    error::PolicyError,
    facts::{Facts, View},
    floor,
    spec::PolicySpec,
};

/// A compiled policy. Shared between threads, replaced as a whole.
#[derive(Debug)]
pub struct Policy {
    rules: Vec<CompiledRule>,
    required_checks: Vec<CheckName>,
    version: String,
}

/// Whether the floor holds. It always does, but in the tests that show what it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Floor {
    Enforced,
    #[cfg(test)]
    Removed,
}

/// What to do and why, before the policy's version is put on it.
pub(crate) struct Verdict {
    pub(crate) outcome: DecisionOutcome,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) rule: String,
}

impl Policy {
    /// Compiles and checks every rule. Takes up to some milliseconds a rule and needs less than 1 MiB of stack.
    pub fn compile(spec: &PolicySpec) -> Result<Self, PolicyError> {
        let rules = compile::compile(spec)?;
        let mut required_checks = spec.required_checks.clone();
        required_checks.sort_unstable();
        required_checks.dedup();
        Ok(Self { rules, required_checks, version: spec.version() })
    }

    /// The version that decisions name: 12 hexadecimal digits, or `default`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decides. Infallible: a rule that fails at run time means review.
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        self.decide_above(Floor::Enforced, facts)
    }

    fn decide_above(&self, floor: Floor, facts: &Facts<'_>) -> Decision {
        let verdict = self.by_rule(floor, facts).unwrap_or_else(|| {
            default_policy::decide(facts, floor::missing_checks(&self.required_checks, facts))
        });
        let Verdict { outcome, reasons, rule } = verdict;
        Decision { outcome, reasons, rule, policy_version: self.version.clone() }
    }

    /// The verdict of the first rule that holds, or that can't be evaluated.
    fn by_rule(&self, floor: Floor, facts: &Facts<'_>) -> Option<Verdict> {
        if self.rules.is_empty() {
            return None;
        }
        let context = compile::context(&View::of(facts));
        for rule in &self.rules {
            match rule.holds(&context) {
                Ok(false) => {}
                Ok(true) => return Some(self.held(rule, floor, facts)),
                Err(error) => return Some(failed(rule, &error)),
            }
        }
        None
    }

    /// What follows from a rule that holds.
    fn held(&self, rule: &CompiledRule, floor: Floor, facts: &Facts<'_>) -> Verdict {
        let own = {
            let code = rule.reason.clone().unwrap_or(ReasonCode::POLICY_RULE);
            Reason::new(code, format!("Rule `{}` of your policy holds: {}", rule.name, rule.when))
        };
        let verdict = |outcome, reasons| Verdict { outcome, reasons, rule: rule.name.clone() };
        if rule.then != DecisionOutcome::Approve {
            return verdict(rule.then, vec![own]);
        }
        if floor == Floor::Enforced {
            let obstacles = floor::screening_obstacles(facts);
            if !obstacles.is_empty() {
                let text = format!(
                    "Rule `{}` asked for approval, but a business is approved only after everybody was screened on fresh lists without a hit.",
                    rule.name
                );
                let first = Reason::new(ReasonCode::APPROVAL_NOT_ALLOWED, text);
                return verdict(DecisionOutcome::Review, std::iter::once(first).chain(obstacles).collect());
            }
        }
        let missing = floor::missing_checks(&self.required_checks, facts);
        if !missing.is_empty() {
            return verdict(DecisionOutcome::Review, missing);
        }
        let reasons = std::iter::once(own).chain(floor::suppressed(facts)).collect();
        verdict(DecisionOutcome::Approve, reasons)
    }
}

/// A rule that can't be evaluated might have been the one to reject: a person has to look.
fn failed(rule: &CompiledRule, error: &str) -> Verdict {
    let text =
        format!("Rule `{}` of your policy could not be evaluated: {error}. Correct the rule.", rule.name);
    Verdict {
        outcome: DecisionOutcome::Review,
        reasons: vec![Reason::new(ReasonCode::POLICY_ERROR, text)],
        rule: rule.name.clone(),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
