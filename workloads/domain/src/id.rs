//! Identifiers of our own objects: a prefix that names the kind, and a UUIDv7 (RFC 9562 §5.7), so that ids sort by time.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Invalid;

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);
        crate::openapi::text_schema!($name, concat!($prefix, "01890a5d-ac96-774b-bcce-b302099a8057"));

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, unique and later than every earlier one of this process.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID, as the database keeps it.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}{}", $prefix, self.0.hyphenated())
            }
        }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                text.strip_prefix($prefix)
                    .and_then(|bare| Uuid::try_parse(bare).ok())
                    .map(Self)
                    .ok_or_else(|| Invalid::new("id", concat!("must be `", $prefix, "` and a UUID")))
            }
        }
        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

prefixed_id!(/// A stored business.
    BusinessId, "biz_");
prefixed_id!(/// A verification.
    VerificationId, "ver_");
prefixed_id!(/// A screening.
    ScreeningId, "scr_");
prefixed_id!(/// What a person decided about a match.
    DecisionId, "dec_");
prefixed_id!(/// A suppression of a match.
    SuppressionId, "sup_");
prefixed_id!(/// A batch of subjects.
    BatchId, "bat_");
prefixed_id!(/// A subject that is looked at whenever a list changes.
    MonitorId, "mon_");
prefixed_id!(/// What a monitor has to say.
    AlertId, "alr_");
prefixed_id!(/// A classification.
    ClassificationId, "cls_");
prefixed_id!(/// A risk assessment.
    RiskAssessmentId, "rsk_");
prefixed_id!(/// One HTTP request; also the `X-Request-Id` header.
    RequestId, "req_");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_names_its_kind() {
        let id = BusinessId::generate();
        assert_eq!(id.to_string().parse::<BusinessId>(), Ok(id));
        assert!(id.to_string().starts_with("biz_"));
        assert!(id.to_string().parse::<VerificationId>().is_err(), "an id of another kind is refused");
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..1000).map(|_| VerificationId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
