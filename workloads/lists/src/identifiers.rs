//! What a publisher's number really is.

use kyb_domain::{
    identifier::{IdentifierKind, Lei},
    list::EntryKind,
};

/// The kind and the text that `value` really is of, published as `kind` for a party that is `of` a kind; `None` where it is
/// no identifier at all: but for addresses and bank codes every one holds a digit (`Provisional`, `unknown` do not).
pub(crate) fn settle(kind: IdentifierKind, value: &str, of: EntryKind) -> Option<(IdentifierKind, &str)> {
    let value = value.trim_start_matches(['#', ' ']);
    let without_digits = matches!(kind, IdentifierKind::Website | IdentifierKind::Bic) || value.contains('@');
    if !without_digits && !value.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(match kind {
        IdentifierKind::Imo => {
            ship_number(value).map_or((IdentifierKind::Other, value), |n| (IdentifierKind::Imo, n))
        }
        // The IMO numbers companies too, so only a ship's `Identification Number IMO 9187629` is a ship number.
        IdentifierKind::NationalId | IdentifierKind::RegistryNumber if value.starts_with("IMO ") => {
            match ship_number(value) {
                Some(number) if of == EntryKind::Vessel => (IdentifierKind::Imo, number),
                _ => (IdentifierKind::Other, value),
            }
        }
        IdentifierKind::NationalId if of != EntryKind::Person => (IdentifierKind::Other, value),
        IdentifierKind::RegistryNumber if Lei::try_from(value).is_ok() => (IdentifierKind::Lei, value),
        kind => (kind, value),
    })
}

/// The seven digits of a ship identification number, written `9187629`, `IMO 9187629` or `IMO9187629`.
fn ship_number(text: &str) -> Option<&str> {
    let bare = text.strip_prefix("IMO").unwrap_or(text).trim_matches(['(', ')', ' ', ':']);
    (bare.len() == 7 && bare.bytes().all(|b| b.is_ascii_digit())).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_what_it_is() {
        use EntryKind::{Organization, Person, Vessel};
        use IdentifierKind::{Bic, Imo, Lei, NationalId, Other, Passport, RegistryNumber};
        for (kind, value, of, expected) in [
            (Imo, "IMO9187629", Vessel, Some((Imo, "9187629"))),
            (Imo, "(9187629)", Vessel, Some((Imo, "9187629"))),
            (Imo, "918762", Vessel, Some((Other, "918762"))),
            (RegistryNumber, "IMO 9187629", Vessel, Some((Imo, "9187629"))),
            (RegistryNumber, "IMO 5055293", Organization, Some((Other, "IMO 5055293"))),
            (RegistryNumber, "253400V1H6ART1UQ0N98", Organization, Some((Lei, "253400V1H6ART1UQ0N98"))),
            (RegistryNumber, "# 851683897", Organization, Some((RegistryNumber, "851683897"))),
            (NationalId, "12", Organization, Some((Other, "12"))),
            (Passport, "unknown", Person, None),
            (Bic, "VTBRRUMM", Organization, Some((Bic, "VTBRRUMM"))),
            (Other, "a@example.org", Person, Some((Other, "a@example.org"))),
        ] {
            assert_eq!(settle(kind, value, of), expected, "{value}");
        }
    }
}
