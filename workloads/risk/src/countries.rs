//! Countries that the Financial Action Task Force names, as facts of one day.

use kyb_domain::{business::BusinessProfile, country::CountryCode};

/// The day of the lists below: both are published after each plenary, in February, June and October.
pub const FATF_DATE: &str = "2025-10-24";

/// High-risk jurisdictions subject to a call for action: FATF, "High-Risk Jurisdictions subject to a Call for Action",
/// 24 October 2025.
pub const CALL_FOR_ACTION: &[&str] = &["IR", "KP", "MM"];

/// Jurisdictions under increased monitoring: FATF, "Jurisdictions under Increased Monitoring", 24 October 2025.
pub const INCREASED_MONITORING: &[&str] = &[
    "AO", "BG", "BO", "CD", "CI", "CM", "DZ", "HT", "KE", "LA", "LB", "MC", "NA", "NP", "SS", "SY", "VE",
    "VG", "VN", "YE",
];

/// Every country that the business or somebody behind it is tied to.
pub(crate) fn countries_of(business: &BusinessProfile) -> Vec<CountryCode> {
    let owners = business.owners.iter().flat_map(|link| link.party.countries.iter().copied());
    let mut all: Vec<CountryCode> = business.party().countries.into_iter().chain(owners).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The names of those on a list, or `None` where none is.
pub(crate) fn named(countries: &[CountryCode], list: &[&str]) -> Option<String> {
    let names: Vec<_> = countries.iter().filter(|c| list.contains(&c.as_str())).map(|c| c.name()).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_country_and_stands_on_one_list() {
        for code in CALL_FOR_ACTION.iter().chain(INCREASED_MONITORING) {
            assert!(CountryCode::try_from(*code).is_ok(), "{code}");
        }
        assert!(CALL_FOR_ACTION.iter().all(|code| !INCREASED_MONITORING.contains(code)));
    }
}
