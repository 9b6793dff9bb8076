//! Phrases that are known and hold nothing to match by. They stay in the remarks for the person who reads them.

use super::phrases::after;

/// Labels, in no order; what follows them is prose.
const LABELS: &[&str] = &[
    "Additional Sanctions Information",
    "Aircraft Manufacture Date",
    "Aircraft Model",
    "Aircraft Operator",
    "Aircraft Type",
    "all branch offices worldwide",
    "All branches worldwide",
    "All offices worldwide",
    "Also operations in",
    "Alternate Title",
    "and all other locations worldwide",
    "arrested",
    "CAATSA Section",
    "Complexion",
    "deceased",
    "Effective Date",
    "ethnicity",
    "Executive Order",
    "Eye Color",
    "Father's name",
    "For more information",
    "Former Vessel Flag",
    "Former Vessel Type",
    "Gender",
    "Hair Color",
    "Height",
    "ICTY indictee",
    "IFCA Determination",
    "Interpol",
    "Issuer Name",
    "Linked To",
    "Listing Date",
    "member ETA",
    "Mother's name",
    "None Identified",
    "Occupation",
    "Operations in",
    "Organization Type",
    "Other Vessel Type",
    "passport place of issue",
    "Physical Description",
    "POB",
    "Position",
    "President since",
    "Purchase/Sales For Divestment Date",
    "Secondary sanctions risk",
    "Subtribe",
    "Target Type",
    "Tribe",
    "United States financial institutions are prohibited",
    "Vessel Year of Build",
    "Weight",
];

/// Whether the phrase is one of those.
pub(in crate::ofac) fn is_known(words: &str) -> bool {
    LABELS.iter().any(|label| after(words, label).is_some())
}
