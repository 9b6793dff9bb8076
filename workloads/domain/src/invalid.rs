//! The one error of this crate: a value that a newtype refuses.

/// Why a value was refused, and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {problem}")]
pub struct Invalid {
    /// What was being made, in the field's words: `tenant id`, `LEI`.
    pub what: &'static str,
    /// What is wrong and what to do, ready to be shown to the caller. Never repeats a secret.
    pub problem: String,
}

impl Invalid {
    /// A refusal of a `what` because of `problem`.
    pub fn new(what: &'static str, problem: impl Into<String>) -> Self {
        Self { what, problem: problem.into() }
    }
}

/// Gives a string newtype its serde, `FromStr`, `Display`, `AsRef` and schema, all through its `TryFrom<String>`.
macro_rules! checked_string {
    ($name:ident) => {
        impl std::str::FromStr for $name {
            type Err = $crate::Invalid;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text.to_owned())
            }
        }
        impl TryFrom<&str> for $name {
            type Error = $crate::Invalid;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::try_from(text.to_owned())
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                AsRef::<str>::as_ref(&value.0).to_owned()
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $name {
            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use checked_string;
