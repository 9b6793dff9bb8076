//! `docs/reasons.md` says what the code says. `UPDATE_DOCS=1 cargo test -p kyb-verification --test reasons_page` writes it.

use std::fmt::Write as _;

use kyb_domain::reason::REASONS;
use kyb_risk::FACTORS;

const PATH: &str = "../../docs/reasons.md";

const INTRODUCTION: &str = "\
# Reason codes

Every check, screening and decision says why it came out as it did: a code, which does not change, and a text for the case at
hand, which may. A tenant's rules may give codes of their own. This page is written from the code
(`workloads/domain/src/reason.rs`, `workloads/risk/src/factors.rs`); a test keeps it equal.

";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned() + "## Reasons\n\n| code | meaning |\n|---|---|\n";
    for (code, meaning) in REASONS {
        let _ = writeln!(page, "| `{code}` | {meaning} |");
    }
    page += "\n## Risk factors\n\nTheir points add up to the risk score; where the sum would pass 100, the last one is cut.\n\n";
    page += "| code | points | meaning |\n|---|---:|---|\n";
    for factor in FACTORS {
        let _ = writeln!(page, "| `{}` | {} | {} |", factor.code, factor.points, factor.meaning);
    }
    page
}

#[test]
fn the_page_about_reasons_lists_every_code_and_no_other() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, page()).unwrap();
    }
    let written = std::fs::read_to_string(PATH).unwrap();
    assert!(written == page(), "docs/reasons.md is out of date; run this test with UPDATE_DOCS=1");
}
