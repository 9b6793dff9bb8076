//! What a reader carries from entry to entry: countries already recognised, and what was not understood.

use std::collections::{BTreeMap, HashMap};

use kyb_domain::country::CountryCode;

/// More distinct labels than this are counted as `…:other`: a damaged file must not fill the memory or a status page.
const MOST_LABELS: usize = 200;
/// A label is cut to this many characters.
const LONGEST_LABEL: usize = 60;

/// Regions, former countries and spellings that publishers use for a country and that are no country's name. Where a
/// region is claimed by two, both count: a party there may call itself of either. None means "known to be unknown".
const REGIONS: &[(&str, &[&str])] = &[
    ("man, isle of", &["IM"]),
    ("netherlands antilles", &["BQ", "CW", "SX"]),
    ("none identified", &[]),
    ("region: crimea", &["RU", "UA"]),
    ("region: kafia kingi", &["SD", "SS"]),
    ("region: northern mali", &["ML"]),
    ("serbia and montenegro", &["ME", "RS"]),
    ("undetermined", &[]),
    ("unknown", &[]),
];

/// The state of one list's reading.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    counts: BTreeMap<String, u64>,
    countries: HashMap<String, Option<Vec<CountryCode>>>,
}

impl Reading {
    /// Counts something that was not understood, as `kind:what`.
    pub(crate) fn not_understood(&mut self, kind: &str, what: &str) {
        let what: String = what.trim().chars().take(LONGEST_LABEL).collect();
        let label = format!("{kind}:{what}");
        let known = self.counts.len() < MOST_LABELS || self.counts.contains_key(&label);
        let label = if known { label } else { format!("{kind}:other") };
        *self.counts.entry(label).or_default() += 1;
    }

    /// The countries that `text` means; counts what means none. Looking up is slow (the table is searched), and a list
    /// repeats the same two hundred spellings ten thousand times, hence the memory.
    pub(crate) fn countries(&mut self, text: &str) -> Vec<CountryCode> {
        let text = text.trim().trim_end_matches('.');
        if !self.countries.contains_key(text) {
            self.countries.insert(text.to_owned(), meaning(text));
        }
        if let Some(Some(codes)) = self.countries.get(text) {
            return codes.clone();
        }
        self.not_understood("country", text);
        vec![]
    }

    /// The one country that issued something, `None` where `text` means none or several.
    pub(crate) fn issuer(&mut self, text: Option<&str>) -> Option<CountryCode> {
        let codes = text.map(|text| self.countries(text)).unwrap_or_default();
        if let [only] = codes[..] { Some(only) } else { None }
    }

    /// Whether `text` is the name of a country or a region.
    pub(crate) fn is_country(&mut self, text: &str) -> bool {
        self.countries.entry(text.to_owned()).or_insert_with(|| meaning(text)).is_some()
    }

    /// What was counted.
    pub(crate) fn into_counts(self) -> BTreeMap<String, u64> {
        self.counts
    }
}

fn meaning(text: &str) -> Option<Vec<CountryCode>> {
    let text = text.strip_prefix("possibly ").unwrap_or(text); // better one country too many than none
    if let Some(code) = CountryCode::recognise(text) {
        return Some(vec![code]);
    }
    let folded = text.to_lowercase();
    let (_, codes) = REGIONS.iter().find(|(name, _)| *name == folded)?;
    Some(codes.iter().filter_map(|code| CountryCode::try_from(*code).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_list_cannot_fill_the_memory_with_labels() {
        let mut reading = Reading::default();
        for number in 0..10_000 {
            reading.not_understood("remark", &format!("{number}{}", "x".repeat(1000)));
        }
        let counts = reading.into_counts();
        assert_eq!(counts.len(), MOST_LABELS + 1);
        assert_eq!(counts.values().sum::<u64>(), 10_000, "every one is counted");
        assert!(counts.keys().all(|label| label.len() <= 70));
    }

    #[test]
    fn a_region_counts_for_whoever_claims_it() {
        let mut reading = Reading::default();
        let codes =
            |texts: &[&str]| texts.iter().map(|c| CountryCode::try_from(*c).unwrap()).collect::<Vec<_>>();
        assert_eq!(reading.countries("Region: Crimea"), codes(&["RU", "UA"]));
        assert_eq!(reading.countries("Region: Gaza"), codes(&["PS"]));
        assert_eq!(reading.countries("undetermined"), []);
        assert_eq!(reading.countries("Atlantis"), []);
        assert_eq!(
            reading.into_counts().into_iter().collect::<Vec<_>>(),
            [("country:Atlantis".to_owned(), 1)]
        );
    }

    #[test]
    fn every_region_maps_to_codes_that_exist() {
        for (name, codes) in REGIONS {
            assert_eq!(meaning(name).map(|found| found.len()), Some(codes.len()), "{name}");
        }
    }
}
