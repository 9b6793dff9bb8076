//! What a business does, as codes.

use serde::{Deserialize, Serialize};

use crate::score::Score;

/// A code system for industries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scheme {
    /// North American Industry Classification System, 2022.
    #[serde(rename = "naics-2022")]
    Naics2022,
}

impl Scheme {
    /// The scheme's name as written in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Naics2022 => "naics-2022",
        }
    }
}

/// One code that may describe the business.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndustryCode {
    /// The code system.
    pub scheme: Scheme,
    /// The code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// How sure.
    pub confidence: Score,
    /// 1 for the best.
    pub rank: u32,
    /// What spoke for it, in words.
    pub evidence: Vec<String>,
}

/// What a classification answers. No results means that the text did not say enough (abstention), never a guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Classification {
    /// The codes, best first.
    pub results: Vec<IndustryCode>,
    /// How they were found.
    pub method: String,
    /// Version of method and code tables.
    pub version: String,
}
