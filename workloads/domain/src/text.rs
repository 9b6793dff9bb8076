//! Bounded text that people wrote.

use serde::{Deserialize, Serialize};

use crate::{Invalid, invalid::checked_string};

/// A name of a party or an address line as given: 1 to 500 characters, at least one letter or digit, no control
/// characters. Leading and trailing white space is taken off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 500))]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Free text, such as what a business says it does: up to 10,000 characters, no control characters but line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 10_000))]
#[serde(try_from = "String", into = "String")]
pub struct FreeText(String);

/// Why a person decided as they did: 1 to 1,000 characters, at least one letter or digit, no control characters but line
/// breaks and tabs. Leading and trailing white space is taken off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 1_000))]
#[serde(try_from = "String", into = "String")]
pub struct Justification(String);

checked_string!(Name);
checked_string!(FreeText);
checked_string!(Justification);

impl TryFrom<String> for Name {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        bounded("name", trimmed, 500)?;
        if trimmed.chars().any(char::is_control) {
            return Err(Invalid::new("name", "must not contain control characters"));
        }
        if !trimmed.chars().any(char::is_alphanumeric) {
            return Err(Invalid::new("name", "must contain a letter or a digit"));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl TryFrom<String> for FreeText {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        bounded("text", &text, 10_000)?;
        lines_only("text", &text)?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for Justification {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        bounded("reason", trimmed, 1_000)?;
        lines_only("reason", trimmed)?;
        if !trimmed.chars().any(char::is_alphanumeric) {
            return Err(Invalid::new("reason", "must contain a letter or a digit"));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

fn lines_only(what: &'static str, text: &str) -> Result<(), Invalid> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Invalid::new(
            what,
            "must not contain control characters other than line breaks and tabs",
        ));
    }
    Ok(())
}

fn bounded(what: &'static str, text: &str, longest: usize) -> Result<(), Invalid> {
    if text.chars().nth(longest).is_some() {
        return Err(Invalid::new(what, format!("must have at most {longest} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_a_letter_and_no_control_characters() {
        assert_eq!(Name::try_from(" Bäckerei 小 ").unwrap().as_str(), "Bäckerei 小");
        for bad in ["", "  ", "...", "a\0b", "a\nb", &"x".repeat(501)] {
            assert!(Name::try_from(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_justification_says_something_and_not_too_much() {
        assert_eq!(Justification::try_from(" born 1961\nnot 1962 ").unwrap().as_str(), "born 1961\nnot 1962");
        for bad in ["", " \n", "--", "a\0b", &"x".repeat(1001)] {
            assert!(Justification::try_from(bad).is_err(), "{bad:?}");
        }
    }
}
