//! A classification for people.

use comfy_table::Cell;
use kyb_domain::classification::Classification;

use super::{
    Style,
    style::{Tone, table},
};

/// The whole answer.
pub(crate) fn text(classification: &Classification, style: Style) -> String {
    let made = format!("{} {}", classification.method, classification.version);
    if classification.results.is_empty() {
        let none = style.paint(Tone::Notable, "no code: the text says too little to name an industry");
        return format!("{none}\n{}\n", style.paint(Tone::Quiet, &made));
    }
    format!("{}{}\n", codes(classification, style), style.paint(Tone::Quiet, &made))
}

/// The codes, best first.
pub(crate) fn codes(classification: &Classification, style: Style) -> String {
    let rows = classification.results.iter().map(|result| {
        vec![
            Cell::new(result.scheme.as_str()),
            style.cell(Tone::Heading, &result.code),
            Cell::new(&result.title),
            Cell::new(result.confidence),
            style.cell(Tone::Quiet, &result.evidence.join("; ")),
        ]
    });
    table(rows.collect())
}
