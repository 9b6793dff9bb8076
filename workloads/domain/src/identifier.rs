//! Identifiers that others issue to a party.

use serde::{Deserialize, Serialize};

use crate::{Invalid, country::CountryCode};

/// What kind of identifier it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// Legal Entity Identifier (ISO 17442).
    Lei,
    /// A number in a business registry.
    RegistryNumber,
    /// A tax number, VAT numbers included.
    TaxId,
    /// Business Identifier Code (ISO 9362).
    Bic,
    /// Dun & Bradstreet number.
    Duns,
    /// Ship identification number of the International Maritime Organization.
    Imo,
    /// A passport.
    Passport,
    /// A national identity card or number.
    NationalId,
    /// The address of a web site.
    Website,
    /// Anything else that identifies.
    Other,
}

/// An identifier: its kind, its value as given, and the country that issued it where known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// Its kind.
    pub kind: IdentifierKind,
    /// Its value as given, 1 to 100 characters.
    pub value: IdentifierValue,
    /// The country that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
}

impl Identifier {
    /// The value without separators and in upper case: what two spellings of one number share.
    pub fn normalised(&self) -> String {
        self.value.0.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
    }

    /// Whether both name the same thing: same kind and value, and no two different countries.
    pub fn matches(&self, other: &Self) -> bool {
        let same_country = match (self.country, other.country) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        self.kind == other.kind && same_country && self.normalised() == other.normalised()
    }
}

/// An identifier's text: 1 to 100 characters, at least one letter or digit, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 100))]
#[serde(try_from = "String", into = "String")]
pub struct IdentifierValue(String);

crate::invalid::checked_string!(IdentifierValue);

impl TryFrom<String> for IdentifierValue {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        let good = trimmed.chars().count() <= 100
            && trimmed.chars().any(char::is_alphanumeric)
            && !trimmed.chars().any(char::is_control);
        if good {
            return Ok(Self(trimmed.to_owned()));
        }
        Err(Invalid::new(
            "identifier",
            "must have 1 to 100 characters, a letter or digit, and no control characters",
        ))
    }
}

/// A Legal Entity Identifier whose form and check digits are right: 18 letters or digits and two check digits that make
/// the number, letters read as 10 to 35, equal 1 modulo 97 (ISO 17442-1, ISO/IEC 7064 MOD 97-10). It says nothing about
/// whether the identifier was ever issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lei(String);

crate::invalid::checked_string!(Lei);

impl TryFrom<String> for Lei {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let upper = text.trim().to_ascii_uppercase();
        let form = upper.len() == 20
            && upper.bytes().all(|b| b.is_ascii_alphanumeric())
            && upper.bytes().skip(18).all(|b| b.is_ascii_digit());
        if !form {
            return Err(Invalid::new(
                "LEI",
                "must be 18 letters or digits followed by 2 check digits (ISO 17442)",
            ));
        }
        let remainder = upper.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| {
            let shift = if digit > 9 { 100 } else { 10 };
            (rest * shift + digit) % 97
        });
        if remainder == 1 {
            Ok(Self(upper))
        } else {
            Err(Invalid::new("LEI", "has wrong check digits; look for a typing error"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_lei_needs_right_check_digits() {
        // Published LEIs: Deutsche Bundesbank, Apple Inc.
        for good in ["529900SEOICVR2VM6Y05", "HWUPKR0MPOU8FGXBT394", "hwupkr0mpou8fgxbt394"] {
            assert!(Lei::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", "HWUPKR0MPOU8FGXBT395", "HWUPKR0MPOU8FGXBT39", "HWUPKR0MPOU8FGXBT3AB"] {
            assert!(Lei::try_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn separators_and_case_do_not_tell_identifiers_apart() {
        let id = |value: &str, country: Option<&str>| Identifier {
            kind: IdentifierKind::TaxId,
            value: value.try_into().unwrap(),
            country: country.map(|c| c.try_into().unwrap()),
        };
        assert!(id("de 123-456", Some("DE")).matches(&id("DE123456", None)));
        assert!(!id("123456", Some("DE")).matches(&id("123456", Some("FR"))));
    }
}
