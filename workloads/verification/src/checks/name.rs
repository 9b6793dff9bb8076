//! Does the name read like a business's?

use kyb_domain::{reason::ReasonCode, verification::CheckStatus};

use super::{Known, Outcome};

/// What people type where a name is demanded and they have none.
const PLACEHOLDERS: &[&str] =
    &["test", "tbd", "none", "unknown", "n a", "na", "xxx", "asdf", "company", "company name", "example"];

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let name = &known.business.name;
    let outcome = if let Some(why) = implausible(name.as_str()) {
        let text = format!("`{name}` does not read like the name of a business: {why}.");
        Outcome::new(CheckStatus::Warning, ReasonCode::INPUT_IMPLAUSIBLE, text)
    } else {
        let text =
            format!("`{name}` reads like the name of a business. Nobody has confirmed that it exists.");
        Outcome::new(CheckStatus::Success, ReasonCode::NAME_WELL_FORMED, text)
    };
    outcome.claimed(format!("the business is called `{name}`"))
}

/// Why a name can't be one; scripts without letter case (Chinese, Arabic) need fewer characters.
fn implausible(name: &str) -> Option<&'static str> {
    let letters: Vec<char> =
        name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let words: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    if PLACEHOLDERS.contains(&words.join(" ").as_str()) {
        return Some("it is a placeholder");
    }
    if letters.is_empty() {
        return Some("it has no letters");
    }
    let one_letter = letters.iter().all(|letter| *letter == letters[0]);
    (letters.len() >= 4 && one_letter).then_some("it is one letter again and again")
}

#[cfg(test)]
mod tests {
    use super::implausible;

    #[test]
    fn placeholders_are_not_names() {
        for bad in ["Test", "N/A", "12345", "xxxx", "AAAAAA", "Company Name"] {
            assert!(implausible(bad).is_some(), "{bad}");
        }
        for good in ["3M", "BP", "小米", "Bäckerei Schmidt GmbH", "Test Valley Foods Ltd", "X"] {
            assert!(implausible(good).is_none(), "{good}");
        }
    }
}
