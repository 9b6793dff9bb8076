//! Bounded texts: newtypes that carry their pattern and length into the schema.
//!
//! They are checked by the API server, not again when an object is read: one object that an older schema let in must not
//! blind a controller to all the others. Code that needs more than the text (a duration, a name) asks for it and gets an
//! error for that one object.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A DNS label: `a-z`, `0-9` and `-`, with a letter or digit at both ends.
pub(crate) const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, longest = $longest:expr, pattern = $pattern:expr $(, format = $format:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The longest text that the API server accepts, in characters.
            pub const LONGEST: u32 = $longest;
            /// The pattern that the API server demands.
            pub const PATTERN: &str = $pattern;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "minLength": 1,
                    "maxLength": Self::LONGEST,
                    "pattern": Self::PATTERN,
                    $("format": $format)?
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

bounded_text!(
    /// A tenant's id, a DNS label of at most 40 characters. With a context of 15 the namespace's name has exactly the 63
    /// characters that Kubernetes allows.
    TenantId, longest = 40, pattern = DNS_LABEL
);
bounded_text!(
    /// The name of a business context inside a tenant, a DNS label of at most 15 characters.
    ContextName, longest = 15, pattern = DNS_LABEL
);
bounded_text!(
    /// A region's name, such as `us-east-1`, a DNS label of at most 32 characters.
    RegionName, longest = 32, pattern = DNS_LABEL
);
bounded_text!(
    /// The name of an entry of a list in a spec, by which it is found again; a DNS label of at most 63 characters.
    EntryName, longest = 63, pattern = DNS_LABEL
);
bounded_text!(
    /// The name of an object in the same namespace; a DNS subdomain of at most 253 characters.
    ObjectName, longest = 253, pattern = "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
);
bounded_text!(
    /// A key of a Secret's data.
    SecretKey, longest = 253, pattern = "^[-._a-zA-Z0-9]+$"
);
bounded_text!(
    /// Where rows may live, such as `US` or `EU`: 2 to 16 capital letters and `-`.
    Residency, longest = 16, pattern = "^[A-Z][A-Z-]{1,15}$"
);
bounded_text!(
    /// A list's name in this installation, such as `ofac-sdn`.
    ListName, longest = 40, pattern = "^[a-z0-9-]+$"
);
bounded_text!(
    /// The SHA-256 of something as 64 hexadecimal digits.
    Sha256, longest = 64, pattern = "^[0-9a-f]{64}$"
);
bounded_text!(
    /// A size on disk in binary units, such as `1Gi`.
    StorageSize, longest = 12, pattern = "^[1-9][0-9]*(Mi|Gi|Ti)$"
);
bounded_text!(
    /// The platform's version and its images' tag, such as `0.1.0` or `0.2.0-rc.1`.
    PlatformVersion, longest = 64,
    pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z][0-9A-Za-z.-]*)?$"
);
bounded_text!(
    /// The value of a label.
    LabelValue, longest = 63, pattern = "^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$"
);
bounded_text!(
    /// A point in time as RFC 3339 writes it, in UTC: `2030-01-01T00:00:00Z`.
    Timestamp, longest = 32,
    pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$",
    format = "date-time"
);
bounded_text!(
    /// A length of time as people write it: a whole number above 0 and one of `s`, `m`, `h`, `d`, such as `90s` or `24h`.
    Period, longest = 12, pattern = "^[1-9][0-9]*(s|m|h|d)$"
);
