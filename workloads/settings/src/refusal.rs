//! Why settings were refused, without repeating what might be a secret.

/// Why settings were refused: which file, which place in it, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct SettingsError {
    /// The file, without its folder; the folder itself where no single file is at fault.
    pub file: String,
    /// What is wrong, where, and what to do. Holds no key or hash.
    pub problem: String,
}

/// From this length on, a run of letters and digits in a parser's message may be a key (43 characters of secret) or a
/// hash (64), both of which people paste into the wrong field; no name of a field is that long.
const LONGEST_SHOWN: usize = 30;

impl SettingsError {
    /// A refusal of `file` because of `problem`; whatever looks like a key or a hash is blotted out.
    pub fn new(file: impl Into<String>, problem: impl AsRef<str>) -> Self {
        Self { file: file.into(), problem: blot(problem.as_ref()) }
    }

    /// The parser refused the file.
    pub(crate) fn unreadable(file: &str, error: &serde_yaml::Error) -> Self {
        Self::new(file, format!("{error}; docs/settings.md describes the format"))
    }
}

/// Replaces every run of key or hash characters that is long, or that starts like a key.
fn blot(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '=');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let (between, from_word) = rest.split_at(start);
        let (word, after) = from_word.split_at(from_word.find(|c| !in_word(c)).unwrap_or(from_word.len()));
        shown.push_str(between);
        let secret = word.len() > LONGEST_SHOWN || word.starts_with("kyb_");
        shown.push_str(if secret { "<hidden>" } else { word });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_or_a_hash_is_blotted_out() {
        let hash = "0123456789abcdef".repeat(4);
        let problem =
            format!("unknown field `kyb_live_k1ab_S-e_c`, value \"sha256:{hash}\" at line 3 column 5");
        let shown = SettingsError::new("tenant-acme.yaml", problem).to_string();
        assert_eq!(
            shown,
            "tenant-acme.yaml: unknown field `<hidden>`, value \"sha256:<hidden>\" at line 3 column 5"
        );
    }

    #[test]
    fn ordinary_words_stay() {
        let text = "rate_limit: missing field `requests_per_minute` at line 12 column 1 (ä ⅓)";
        assert_eq!(SettingsError::new("f", text).problem, text);
    }
}
