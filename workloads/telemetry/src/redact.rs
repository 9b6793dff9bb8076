//! Takes secrets out of what is logged or traced.
//!
//! No code logs a secret on purpose. This is the second line: error messages of libraries repeat connection strings, a
//! `Debug` of options shows a password, somebody logs a header. Masking by field name and by the look of the text costs a
//! few microseconds on lines that have something to look at, and next to nothing on others.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

/// Words that, as a part of a field's name, make its value a secret.
const SECRET_WORDS: [&str; 16] = [
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "pwd",
    "authorization",
    "auth",
    "token",
    "tokens",
    "cookie",
    "cookies",
    "apikey",
    "credential",
    "credentials",
    "jwt",
];

/// Whether a field of this name holds a secret, such as `db_password`, `x-api-key` or `authorization`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-', '.', ' ']).collect();
    words.iter().any(|word| SECRET_WORDS.contains(word))
        || words.windows(2).any(|pair| matches!(pair, ["api" | "private", "key"]))
}

/// An API key of the platform; the secret may have been cut short. A metric's name has the same form, but neither a
/// capital letter nor a digit where the secret is.
static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern("(kyb_[a-z]{2,8}_[a-z0-9]{4,32}_)([A-Za-z0-9_-]{16,})"));

/// `scheme://user:password@`; up to the last `@`, as unescaped passwords contain anything.
static URL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'<>]*):[^\s"'<>]*@"#));

/// `password=…`, `"api_key": "…"`, `secret: Some("…")`.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)((?:password|passwd|secret|authorization|api[_-]?key)\\?["']?\s*[:=]\s*(?:Some\()?\\?["']?)(?:(?:bearer|basic)\s+)?[^\s"'\\,;&)}\]]+"#,
    )
});

/// `Bearer …` and `Basic …` (RFC 9110 §11.4).
static SCHEME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}"));

#[expect(clippy::expect_used, reason = "the patterns are constants; the tests use each of them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// The text without what looks like a secret.
pub fn text(text: &str) -> Cow<'_, str> {
    let masked = KEY.replace_all(text, |found: &Captures<'_>| {
        let secret = found[2].bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if secret { format!("{}{MASK}", &found[1]) } else { found[0].to_owned() }
    });
    let masked = then(masked, |text| URL.replace_all(text, format!("${{1}}:{MASK}@")));
    let masked = then(masked, |text| ASSIGNED.replace_all(text, format!("${{1}}{MASK}")));
    then(masked, |text| SCHEME.replace_all(text, format!("${{1}} {MASK}")))
}

/// Applies a further replacement without copying what it leaves alone.
fn then<'a>(before: Cow<'a, str>, step: impl for<'b> Fn(&'b str) -> Cow<'b, str>) -> Cow<'a, str> {
    match step(&before) {
        Cow::Borrowed(_) => before,
        Cow::Owned(changed) => Cow::Owned(changed),
    }
}

/// A field's value as it may be shown.
pub fn field<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret_name(name) { Cow::Borrowed(MASK) } else { text(value) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_secret_by_their_name() {
        for name in [
            "password",
            "db_password",
            "Authorization",
            "x-api-key",
            "api_key",
            "http.request.header.cookie",
            "auth_token",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "key_id", "author", "tenant", "request_id", "api", "passwordless", "api_requests"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn secrets_in_text_are_masked_and_the_rest_is_left() {
        let key = format!("kyb_live_acme01_{}", "aB3-_".repeat(9));
        let table = [
            (format!("key {key}, sent twice"), "key kyb_live_acme01_[redacted], sent twice"),
            ("postgres://kyb:hunter2@db/kyb failed".into(), "postgres://kyb:[redacted]@db/kyb failed"),
            ("at postgresql://u:p@ss/w?rd@db:5432/x".into(), "at postgresql://u:[redacted]@db:5432/x"),
            ("redis://:hunter2@cache:6379".into(), "redis://:[redacted]@cache:6379"),
            (
                "Options { password: \"hunter2\", port: 1 }".into(),
                "Options { password: \"[redacted]\", port: 1 }",
            ),
            ("secret: Some(\"hunter2\")".into(), "secret: Some(\"[redacted]\")"),
            (r#"{\"api_key\":\"hunter2\"}"#.into(), r#"{\"api_key\":\"[redacted]\"}"#),
            ("host=db password=hunter2 user=kyb".into(), "host=db password=[redacted] user=kyb"),
            ("Authorization: Bearer abc.def.ghi".into(), "Authorization: [redacted]"),
            ("got Bearer eyJhbGciOiJIUzI1NiJ9.e30.x".into(), "got Bearer [redacted]"),
        ];
        for (given, expected) in table {
            assert_eq!(text(&given), expected);
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for given in [
            "kyb_ml_model_inference_duration_seconds",
            "kyb_api_request_duration_seconds_bucket",
            "http://collector:4318/v1/traces",
            "the bearer of bad news",
            "tenant acme, 3 lists, Größe 12 ⅓",
            "mail to compliance@example.org",
        ] {
            assert_eq!(text(given), given);
        }
    }

    proptest! {
        #[test]
        fn no_key_gets_through(before in "\\PC{0,20}", env in "[a-z]{2,8}", id in "[a-z0-9]{4,32}", secret in "[A-Za-z0-9_-]{43}", after in "\\PC{0,20}") {
            prop_assume!(secret.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
            let shown = text(&format!("{before}kyb_{env}_{id}_{secret}{after}")).into_owned();
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }

        #[test]
        fn no_password_of_a_url_gets_through(user in "[a-z]{0,8}", password in "[!-~&&[^\"'<>]]{6,20}", host in "[a-z]{2,8}") {
            let shown = text(&format!("can't reach postgres://{user}:{password}@{host}:5432/kyb now")).into_owned();
            prop_assert!(!shown.contains(&format!("{password}@")), "{}", shown);
        }
    }
}
