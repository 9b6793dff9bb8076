//! OpenSanctions' codes of territories: ISO 3166-1 in lower case (`us`), parts of a country behind a dash (`ua-cri`), and
//! countries that are no more (`suhh`).

use kyb_domain::country::CountryCode;

use crate::reading::Reading;

/// Codes that are not those of one country of today. What is claimed by two counts for both; none means "known to be none".
const FURTHER: [(&str, &[&str]); 10] = [
    ("csxx", &["ME", "RS"]),
    ("cshh", &["CZ", "SK"]),
    ("ddde", &["DE"]),
    ("eu", &[]),
    ("suhh", &[]),
    ("ua-cri", &["RU", "UA"]),
    ("ua-dpr", &["RU", "UA"]),
    ("ua-lpr", &["RU", "UA"]),
    ("yucs", &["ME", "RS"]),
    ("zz", &[]),
];

/// The countries of a territory; counts a code that is not known.
pub(super) fn codes(territory: &str, reading: &mut Reading) -> Vec<CountryCode> {
    let folded = territory.to_lowercase();
    if let Some((_, codes)) = FURTHER.iter().find(|(code, _)| *code == folded) {
        return codes.iter().filter_map(|code| CountryCode::try_from(*code).ok()).collect();
    }
    match folded.split_once('-') {
        Some((country, _)) if country.len() == 2 => reading.countries(country),
        _ => reading.countries(territory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_territory_counts_for_its_countries() {
        let mut reading = Reading::default();
        for (territory, expected) in
            [("us", &["US"][..]), ("gb-sct", &["GB"]), ("ua-cri", &["RU", "UA"]), ("suhh", &[]), ("qq", &[])]
        {
            let found = codes(territory, &mut reading);
            assert_eq!(found.iter().map(CountryCode::as_str).collect::<Vec<_>>(), expected, "{territory}");
        }
        assert_eq!(reading.into_counts().into_keys().collect::<Vec<_>>(), ["country:qq"]);
    }

    #[test]
    fn every_code_maps_to_countries_that_exist() {
        for (territory, expected) in FURTHER {
            assert_eq!(codes(territory, &mut Reading::default()).len(), expected.len(), "{territory}");
        }
    }
}
