//! Sample facts on which every rule is tried when it is compiled: what yields no bool, or fails, is refused.

use kyb_domain::verification::CheckName;

use crate::facts::{MatchView, View};

/// The samples and what to call them: nothing known, everything in order, everything suspicious.
pub(crate) fn samples() -> [(&'static str, View); 3] {
    [
        ("a business of which only the name is known", unknown()),
        ("an ordinary business without a match", ordinary()),
        ("a business with watchlist matches", suspicious()),
    ]
}

fn checks(status: &'static str) -> Vec<(&'static str, &'static str)> {
    CheckName::ALL.map(|name| (name.as_str(), status)).to_vec()
}

fn unknown() -> View {
    View { level: "low", status: "error", checks: checks("skipped"), name: "X".into(), ..View::default() }
}

fn ordinary() -> View {
    View {
        score: 12,
        level: "low",
        factors: vec!["IDENTITY_UNCONFIRMED".into()],
        status: "no_hit",
        checks: checks("success"),
        country: "DE".into(),
        name: "Bäckerei Schmidt GmbH".into(),
        incorporated_on: "2001-04".into(),
        legal_form: "GmbH".into(),
        industry: "311811".into(),
        confidence: 0.8,
        ..View::default()
    }
}

fn suspicious() -> View {
    let found = |score, second_evidence| MatchView {
        list: "ofac-sdn".into(),
        entry_id: "1".into(),
        score,
        second_evidence,
        programs: vec!["SDGT".into(), "IRAN".into()],
    };
    View {
        score: 100,
        level: "critical",
        factors: vec!["SANCTIONS_MATCH".into(), "HIGH_RISK_COUNTRY".into()],
        status: "in_review",
        best_score: 0.99,
        matches: vec![found(0.99, true), found(0.91, false)],
        checks: checks("failure"),
        country: "IR".into(),
        ..ordinary()
    }
}
