//! Why a policy was refused, in words that say what to do.

use crate::{
    check::{DEEPEST_COMPREHENSION, RULE_COST},
    compile::{MOST_RULES, POLICY_COST},
    source::{LONGEST_RULE, MOST_BRACKETS, MOST_OPERATORS},
};

/// Why a policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Too many rules.
    #[error("a policy may have at most {MOST_RULES} rules, this one has {count}; join some with `||`")]
    TooManyRules {
        /// How many there are.
        count: usize,
    },
    /// A rule's name is not a DNS label.
    #[error(
        "rule name `{name}`: must be 1 to 63 of a-z, 0-9 and `-`, starting and ending with a letter or digit"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// Two rules have one name.
    #[error("rule name `{name}` is used twice; decisions name the rule, so give each its own")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A rule's expression was refused.
    #[error("rule `{rule}`: {problem}")]
    Rule {
        /// Which rule.
        rule: String,
        /// What is wrong and what to do.
        problem: RuleProblem,
    },
    /// Each rule is cheap enough, all of them are not.
    #[error(
        "the rules together cost up to {cost} units, at most {POLICY_COST} are allowed; use fewer or flatter comprehensions"
    )]
    TooCostly {
        /// The upper bound of their costs.
        cost: u64,
    },
}

/// What is wrong with a rule's expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// Too long.
    #[error("has {chars} characters, at most {LONGEST_RULE} are allowed; split it into several rules")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// Too many opening brackets and `?`.
    #[error(
        "has {count} opening brackets and `?`, at most {MOST_BRACKETS} are allowed; split it into several rules"
    )]
    TooManyBrackets {
        /// How many.
        count: usize,
    },
    /// Too many operators.
    #[error("has {count} operators, at most {MOST_OPERATORS} are allowed; split it into several rules")]
    TooManyOperators {
        /// How many.
        count: usize,
    },
    /// A doubled negation, which the CEL implementation reads wrongly.
    #[error(
        "line {line}, column {column}: `{operator}{operator}` is not allowed; write the operand without it"
    )]
    DoubledNegation {
        /// `!` or `-`.
        operator: char,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not CEL.
    #[error(
        "line {line}, column {column}: {message}; a rule is one CEL expression such as `risk.score >= 70`"
    )]
    Syntax {
        /// Line, from 1; 0 where not known.
        line: usize,
        /// Column, from 1; 0 where not known.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A variable that does not exist.
    #[error("there is no variable `{name}`; there are {valid}")]
    UnknownVariable {
        /// As written.
        name: String,
        /// Those that exist.
        valid: String,
    },
    /// A field that does not exist.
    #[error("`{of}` has no field `{name}`; it has {valid}")]
    UnknownField {
        /// The expression before the dot.
        of: String,
        /// As written.
        name: String,
        /// Those that exist.
        valid: String,
    },
    /// A comparison with a word that the variable never is.
    #[error("`{variable}` is never \"{value}\"; it is one of {valid}")]
    NeverThatValue {
        /// The variable.
        variable: String,
        /// The word.
        value: String,
        /// What it can be.
        valid: String,
    },
    /// Types that do not go together.
    #[error("`{operator}` does not take {given}; {remedy}")]
    Mismatch {
        /// The operator or function.
        operator: String,
        /// The types given.
        given: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A function that rules may not call.
    #[error(
        "there is no function `{name}`; there are size, contains, startsWith, endsWith, int, double, string, has, all, exists, exists_one, map and filter"
    )]
    UnknownFunction {
        /// As written.
        name: String,
    },
    /// A part of CEL that rules may not use.
    #[error("{what} are not allowed in rules; {remedy}")]
    Forbidden {
        /// Which part.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A loop variable with the name of a variable.
    #[error("`{name}` is a variable already; give the loop variable another name")]
    Shadowed {
        /// The name.
        name: String,
    },
    /// Comprehensions in comprehensions.
    #[error("comprehensions may be nested {DEEPEST_COMPREHENSION} deep at most")]
    TooNested,
    /// It could take too long.
    #[error("costs up to {cost} units, at most {RULE_COST} are allowed; use fewer or flatter comprehensions")]
    TooCostly {
        /// The upper bound of its cost.
        cost: u64,
    },
    /// It yields something other than a bool.
    #[error("yields {got} and not true or false; compare it with something")]
    NotBool {
        /// The type it yields.
        got: String,
    },
    /// It fails on sample facts.
    #[error("fails for {sample}: {error}; guard it, for example with `size(screening.matches) > 0 && …`")]
    FailsOnSample {
        /// Which sample.
        sample: &'static str,
        /// What the evaluation said.
        error: String,
    },
}
