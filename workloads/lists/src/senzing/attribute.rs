//! The dictionary of attributes, each perhaps behind a label: `HOME_ADDR_CITY` is `ADDR_CITY` of the address `HOME`.

/// Which feature an attribute belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The key of the record.
    Key,
    Name,
    Address,
    /// A telephone number.
    Phone,
    /// A number that somebody issued; the attribute's stem tells which.
    Number,
    /// A date of birth, of registration: of all features this has one attribute only.
    Born,
    /// A country that the party is of.
    Country,
    /// An address of another kind: web site, mail, account with a service.
    Reach,
    /// Known, and kept as words.
    Words,
    /// Known, and of no use here: relations and groups.
    Passed,
    /// Not in the dictionary.
    Payload,
}

/// An attribute without its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// Which feature it belongs to.
    pub(super) family: Family,
    /// What tells features of one family apart: `PASSPORT`, `TAX_ID`.
    pub(super) stem: &'a str,
    /// What it says of the feature: `NUMBER`, `CITY`, or all of its name.
    pub(super) part: &'a str,
}

/// Name, family, and how much of the name is the stem.
const DICTIONARY: &[(&str, Family, usize)] = &[
    ("DATA_SOURCE", Family::Key, 0),
    ("RECORD_ID", Family::Key, 0),
    ("RECORD_TYPE", Family::Key, 0),
    ("ENTITY_TYPE", Family::Key, 0),
    ("LOAD_ID", Family::Key, 0),
    ("NAME_TYPE", Family::Name, 4),
    ("NAME_FULL", Family::Name, 4),
    ("NAME_ORG", Family::Name, 4),
    ("NAME_LAST", Family::Name, 4),
    ("NAME_FIRST", Family::Name, 4),
    ("NAME_MIDDLE", Family::Name, 4),
    ("NAME_PREFIX", Family::Name, 4),
    ("NAME_SUFFIX", Family::Name, 4),
    ("ADDR_TYPE", Family::Address, 4),
    ("ADDR_FULL", Family::Address, 4),
    ("ADDR_LINE1", Family::Address, 4),
    ("ADDR_LINE2", Family::Address, 4),
    ("ADDR_LINE3", Family::Address, 4),
    ("ADDR_LINE4", Family::Address, 4),
    ("ADDR_LINE5", Family::Address, 4),
    ("ADDR_LINE6", Family::Address, 4),
    ("ADDR_CITY", Family::Address, 4),
    ("ADDR_STATE", Family::Address, 4),
    ("ADDR_POSTAL_CODE", Family::Address, 4),
    ("ADDR_COUNTRY", Family::Address, 4),
    ("ADDR_FROM_DATE", Family::Address, 4),
    ("ADDR_THRU_DATE", Family::Address, 4),
    ("PHONE_TYPE", Family::Phone, 5),
    ("PHONE_NUMBER", Family::Phone, 5),
    ("PHONE_FROM_DATE", Family::Phone, 5),
    ("PHONE_THRU_DATE", Family::Phone, 5),
    ("PASSPORT_NUMBER", Family::Number, 8),
    ("PASSPORT_COUNTRY", Family::Number, 8),
    ("DRIVERS_LICENSE_NUMBER", Family::Number, 15),
    ("DRIVERS_LICENSE_STATE", Family::Number, 15),
    ("SSN_NUMBER", Family::Number, 3),
    ("NATIONAL_ID_TYPE", Family::Number, 11),
    ("NATIONAL_ID_NUMBER", Family::Number, 11),
    ("NATIONAL_ID_COUNTRY", Family::Number, 11),
    ("TAX_ID_TYPE", Family::Number, 6),
    ("TAX_ID_NUMBER", Family::Number, 6),
    ("TAX_ID_COUNTRY", Family::Number, 6),
    ("OTHER_ID_TYPE", Family::Number, 8),
    ("OTHER_ID_NUMBER", Family::Number, 8),
    ("OTHER_ID_COUNTRY", Family::Number, 8),
    ("TRUSTED_ID_TYPE", Family::Number, 10),
    ("TRUSTED_ID_NUMBER", Family::Number, 10),
    ("ACCOUNT_NUMBER", Family::Number, 7),
    ("ACCOUNT_DOMAIN", Family::Number, 7),
    ("DUNS_NUMBER", Family::Number, 4),
    ("NPI_NUMBER", Family::Number, 3),
    ("LEI_NUMBER", Family::Number, 3),
    ("IMO_NUMBER", Family::Number, 3),
    ("DATE_OF_BIRTH", Family::Born, 0),
    ("REGISTRATION_DATE", Family::Born, 0),
    ("NATIONALITY", Family::Country, 0),
    ("CITIZENSHIP", Family::Country, 0),
    ("REGISTRATION_COUNTRY", Family::Country, 0),
    ("WEBSITE_ADDRESS", Family::Reach, 0),
    ("EMAIL_ADDRESS", Family::Reach, 0),
    ("LINKEDIN", Family::Reach, 0),
    ("FACEBOOK", Family::Reach, 0),
    ("TWITTER", Family::Reach, 0),
    ("SKYPE", Family::Reach, 0),
    ("ZOOMROOM", Family::Reach, 0),
    ("INSTAGRAM", Family::Reach, 0),
    ("WHATSAPP", Family::Reach, 0),
    ("SIGNAL", Family::Reach, 0),
    ("TELEGRAM", Family::Reach, 0),
    ("TANGO", Family::Reach, 0),
    ("VIBER", Family::Reach, 0),
    ("WECHAT", Family::Reach, 0),
    ("GENDER", Family::Words, 0),
    ("DATE_OF_DEATH", Family::Words, 0),
    ("PLACE_OF_BIRTH", Family::Words, 0),
    ("EMPLOYER", Family::Words, 0),
    ("GROUP_ASSOCIATION_TYPE", Family::Passed, 0),
    ("GROUP_ASSOCIATION_ORG_NAME", Family::Passed, 0),
    ("GROUP_ASSN_ID_TYPE", Family::Passed, 0),
    ("GROUP_ASSN_ID_NUMBER", Family::Passed, 0),
    ("REL_ANCHOR_DOMAIN", Family::Passed, 0),
    ("REL_ANCHOR_KEY", Family::Passed, 0),
    ("REL_POINTER_DOMAIN", Family::Passed, 0),
    ("REL_POINTER_KEY", Family::Passed, 0),
    ("REL_POINTER_ROLE", Family::Passed, 0),
];

impl<'a> Attribute<'a> {
    /// The attribute in `name` and the label before it. A name counts as an attribute only if it is one itself or begins with
    /// a label of letters and digits before one of several attributes of a feature: `STATUS_GENDER` is payload.
    pub(super) fn read(name: &'a str) -> (Self, Option<&'a str>) {
        let label = |known: &str| match name.strip_suffix(known) {
            Some("") => Some(None),
            Some(before) => before.strip_suffix('_').map(Some),
            None => None,
        };
        let found = DICTIONARY.iter().filter_map(|(known, family, stem)| {
            let label = label(known)?;
            let labelled = matches!(family, Family::Name | Family::Address | Family::Phone | Family::Number)
                || known.ends_with("_ADDRESS");
            (label.is_none() || labelled).then_some((*known, *family, *stem, label))
        });
        let Some((known, family, stem, label)) = found.max_by_key(|(known, ..)| known.len()) else {
            return (Self { family: Family::Payload, stem: name, part: name }, None);
        };
        let own = &name[name.len() - known.len()..];
        let (stem, part) = if stem == 0 { (own, own) } else { (&own[..stem], &own[stem + 1..]) };
        (Self { family, stem, part }, label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_told_from_the_attribute() {
        for (name, family, stem, part, label) in [
            ("PRIMARY_NAME_ORG", Family::Name, "NAME", "ORG", Some("PRIMARY")),
            ("HOME_ADDR_POSTAL_CODE", Family::Address, "ADDR", "POSTAL_CODE", Some("HOME")),
            ("ADDR_LINE1", Family::Address, "ADDR", "LINE1", None),
            ("NATIONAL_ID_COUNTRY", Family::Number, "NATIONAL_ID", "COUNTRY", None),
            ("NATIONALITY", Family::Country, "NATIONALITY", "NATIONALITY", None),
            ("SSN_NUMBER", Family::Number, "SSN", "NUMBER", None),
            ("WORK_EMAIL_ADDRESS", Family::Reach, "EMAIL_ADDRESS", "EMAIL_ADDRESS", Some("WORK")),
            ("STATUS_GENDER", Family::Payload, "STATUS_GENDER", "STATUS_GENDER", None),
            ("FILENAME_ORG", Family::Payload, "FILENAME_ORG", "FILENAME_ORG", None),
            ("STATUS", Family::Payload, "STATUS", "STATUS", None),
        ] {
            assert_eq!(Attribute::read(name), (Attribute { family, stem, part }, label), "{name}");
        }
    }

    #[test]
    fn every_stem_ends_where_a_word_ends() {
        for (name, _, stem) in DICTIONARY {
            assert!(*stem == 0 || name.as_bytes()[*stem] == b'_', "{name}");
        }
    }
}
