//! A screening for people.

use std::fmt::Write as _;

use comfy_table::Cell;
use kyb_domain::{
    list::ListState,
    screening::{Match, Screening, ScreeningStatus},
};

use super::{
    Style, plain,
    style::{Tone, table},
    word,
};

/// The whole answer.
pub(crate) fn text(screening: &Screening, style: Style) -> String {
    let tone = match screening.status {
        ScreeningStatus::NoHit => Tone::Good,
        ScreeningStatus::InReview => Tone::Notable,
        ScreeningStatus::Error => Tone::Bad,
    };
    let subject = style.paint(Tone::Heading, screening.subject.name.as_str());
    let mut text = format!("{subject}: {}\n", style.paint(tone, &word(&screening.status)));
    for reason in &screening.reasons {
        let _ = writeln!(text, "  {} {}", reason.code, plain(&reason.text));
    }
    text.push_str(&matches(screening, style));
    let _ = writeln!(
        text,
        "{}",
        style.paint(
            Tone::Quiet,
            &format!(
                "{}, threshold {}, {} candidates compared; lists: {}",
                screening.algorithm,
                screening.threshold,
                screening.candidates_scored,
                lists(&screening.list_versions)
            )
        )
    );
    text
}

/// Every match with what its score is made of.
pub(crate) fn matches(screening: &Screening, style: Style) -> String {
    screening.matches.iter().map(|found| one_match(found, style)).collect()
}

fn one_match(found: &Match, style: Style) -> String {
    let caption = style.paint(Tone::Heading, &plain(&found.caption));
    let mut text = format!(
        "  {} {} {caption} ({}), score {}\n",
        found.list,
        plain(&found.entry_id),
        word(&found.entry_type),
        found.score
    );
    let _ = writeln!(text, "    matched name  {} ({})", plain(&found.matched_name), word(&found.name_kind));
    if !found.programs.is_empty() {
        let _ = writeln!(text, "    programmes    {}", plain(&found.programs.join(", ")));
    }
    let features = found.features.iter().map(|feature| {
        vec![
            Cell::new(format!("  {}", word(&feature.name))),
            Cell::new(feature.score),
            Cell::new(format!("{:+.2}", feature.weight)),
            Cell::new(plain(&feature.detail)),
        ]
    });
    text.push_str(&table(features.collect()));
    text
}

/// The lists searched, in one line.
pub(crate) fn lists(states: &[ListState]) -> String {
    if states.is_empty() {
        "none".to_owned()
    } else {
        states.iter().map(list_in_short).collect::<Vec<_>>().join(", ")
    }
}

/// One list in short: `ofac-sdn 2019-06-14+1f3a5b7c9d0e (7379 entries)`, and what is wrong with it.
pub(crate) fn list_in_short(state: &ListState) -> String {
    let version = state.version.as_ref();
    let version = version.map_or("MISSING".to_owned(), |v| format!("{} ({} entries)", v.label(), v.entries));
    let doubt = state.stale.as_ref().map(|stale| format!(", NOT TRUSTED: {}", plain(&stale.why)));
    format!("{} {version}{}", state.list, doubt.unwrap_or_default())
}
