//! Bounds on a rule's text, before a parser sees it.
//!
//! The parser and every walk over its tree are recursive, and the parser visits the operand of a doubled negation twice
//! (and then drops one negation: `!!x` would mean `!x`). So depth is bounded by counting the characters that can make it, in strings
//! and out of them: a count can't be tricked by quotes, and strings in rules need few of them.

use crate::error::RuleProblem;

/// The longest expression, in characters.
pub const LONGEST_RULE: usize = 2_000;
/// The most opening brackets of all kinds and `?`, also within strings: each nests the parser once, and past 96 it loses count.
pub const MOST_BRACKETS: usize = 60;
/// The most operator characters, dots and `in`s, also within strings.
pub const MOST_OPERATORS: usize = 300;

/// Refuses text that could exhaust the parser.
pub(crate) fn check(text: &str) -> Result<(), RuleProblem> {
    let chars = text.chars().take(LONGEST_RULE * 100).count();
    if chars > LONGEST_RULE {
        return Err(RuleProblem::TooLong { chars });
    }
    let count = text.matches(['(', '[', '{', '?']).count();
    if count > MOST_BRACKETS {
        return Err(RuleProblem::TooManyBrackets { count });
    }
    let signs = text.matches(['!', '-', '+', '*', '/', '%', '<', '>', '=', '?', '&', '|', '.']).count();
    let ins = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| *word == "in").count();
    if signs + ins > MOST_OPERATORS {
        return Err(RuleProblem::TooManyOperators { count: signs + ins });
    }
    doubled_negation(text)
}

/// Finds `!!` and `--`, also with white space or a comment between, where the second is found by its `/`.
fn doubled_negation(text: &str) -> Result<(), RuleProblem> {
    for operator in ['!', '-'] {
        for (at, _) in text.match_indices(operator) {
            let after = text[at + 1..].trim_start();
            if after.starts_with(operator) || after.starts_with("//") {
                let (line, column) = position(text, at);
                return Err(RuleProblem::DoubledNegation { operator, line, column });
            }
        }
    }
    Ok(())
}

/// Line and column of a byte, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_negation_is_found_through_white_space_and_comments() {
        for bad in ["!!true", "! \n !true", "1 - -1 == 2", "!// c\n!true", "--1 == 1"] {
            assert!(matches!(check(bad), Err(RuleProblem::DoubledNegation { .. })), "{bad}");
        }
        assert_eq!(
            check("a &&\n  !!b"),
            Err(RuleProblem::DoubledNegation { operator: '!', line: 2, column: 3 })
        );
        for good in ["!(!true)", "a != b", "risk.score - 1 > 0", "a != -1"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn whatever_could_nest_is_counted() {
        assert!(matches!(check(&"(".repeat(61)), Err(RuleProblem::TooManyBrackets { .. })));
        assert!(matches!(check(&"a+".repeat(301)), Err(RuleProblem::TooManyOperators { .. })));
        assert!(matches!(check(&"a in ".repeat(301)), Err(RuleProblem::TooManyOperators { .. })));
        assert!(matches!(check(&"(".repeat(100_000)), Err(RuleProblem::TooLong { .. })));
    }
}
