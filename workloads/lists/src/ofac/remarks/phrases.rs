//! Remarks cut into phrases, without falling for a semicolon inside an alias or an apostrophe inside a name.

/// One phrase of the remarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phrase<'a> {
    /// A weak alias: the name inside `a.k.a. '…'`, `f.k.a. "…"` or `n.k.a. '…'`.
    WeakAlias(&'a str),
    /// Any other phrase, without `alt.` and its end.
    Words(&'a str),
}

const ALIAS_LABELS: [&str; 6] = ["a.k.a.", "f.k.a.", "n.k.a.", "aka", "fka", "nka"];
/// Opening quotes and what closes each.
const QUOTES: [(char, char); 4] = [('\'', '\''), ('"', '"'), ('‘', '’'), ('“', '”')];

/// The phrases of `text`, and whether its end was cut off at `longest` characters; then the last phrase is left out.
pub(super) fn split(text: &str, longest: usize) -> (Vec<Phrase<'_>>, bool) {
    let text = text.trim();
    let cut = text.chars().count() >= longest - 1 && !text.ends_with('.'); // a blank at the end may have been trimmed
    let mut phrases = Vec::new();
    let mut rest = text.trim_end_matches('.');
    while !rest.is_empty() {
        let (phrase, behind) = next(rest);
        if cut && behind.is_none() {
            break;
        }
        phrases.extend(phrase);
        rest = behind.unwrap_or_default();
    }
    (phrases, cut)
}

/// The first phrase of `text` and what follows its semicolon.
fn next(text: &str) -> (Option<Phrase<'_>>, Option<&str>) {
    let start = without_alt(text.trim_start());
    if let Some((name, behind)) = weak_alias(start) {
        let behind = behind.find(';').map(|at| &behind[at + 1..]);
        return (Some(Phrase::WeakAlias(name)), behind);
    }
    let (words, behind) =
        start.split_once(';').map_or((start, None), |(words, behind)| (words, Some(behind)));
    let words = words.trim().trim_end_matches('.').trim_end();
    ((!words.is_empty()).then_some(Phrase::Words(words)), behind)
}

fn without_alt(text: &str) -> &str {
    after(text, "alt.").unwrap_or(text)
}

/// The name between quotes behind an alias label, and the text behind the closing quote. The quote that closes is the
/// first of its kind that the phrase can end after; `'MA'MUN'` holds another.
fn weak_alias(text: &str) -> Option<(&str, &str)> {
    let quoted = ALIAS_LABELS.into_iter().find_map(|label| after(text, label))?;
    let (open, close) = QUOTES.into_iter().find(|(open, _)| quoted.starts_with(*open))?;
    let name = &quoted[open.len_utf8()..];
    for (at, found) in name.match_indices(close) {
        let behind = &name[at + found.len()..];
        let ends = behind.trim_start_matches(['.', ' ']);
        if ends.is_empty() || ends.starts_with([';', '(']) {
            return Some((name[..at].trim(), behind));
        }
    }
    None
}

/// What follows `label` at the start of `text`, in any letter case; the label must end where a word ends.
pub(super) fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let start = text.get(..label.len())?;
    if !start.eq_ignore_ascii_case(label) {
        return None;
    }
    let rest = &text[label.len()..];
    let word_goes_on = label.ends_with(|c: char| c.is_alphanumeric())
        && rest.starts_with(|c: char| c.is_alphanumeric() || c == '\'');
    (!word_goes_on).then(|| rest.trim_start_matches([' ', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phrase::{WeakAlias, Words};

    #[test]
    fn phrases_end_at_semicolons_but_not_inside_names() {
        let cases: [(&str, &[Phrase<'_>]); 9] = [
            ("a.k.a. 'BNC'.", &[WeakAlias("BNC")]),
            (
                "DOB 1945; alt. DOB 1946; a.k.a. 'ABU; ALI'; f.k.a. \"X\".",
                &[Words("DOB 1945"), Words("DOB 1946"), WeakAlias("ABU; ALI"), WeakAlias("X")],
            ),
            (
                "alt. a.k.a. 'O'BRIEN'; POB Ba'qubah, Iraq.",
                &[WeakAlias("O'BRIEN"), Words("POB Ba'qubah, Iraq")],
            ),
            (
                "a.k.a. 'MA'MUN, Abu' (Arabic); Gender Male.",
                &[WeakAlias("MA'MUN, Abu"), Words("Gender Male")],
            ),
            ("a.k.a. 'NO END; DOB 1945.", &[Words("a.k.a. 'NO END"), Words("DOB 1945")]),
            ("n.k.a. ‘Q’", &[WeakAlias("Q")]),
            (
                "Linked To: PARQUES S.A.S.; Gender Male.",
                &[Words("Linked To: PARQUES S.A.S"), Words("Gender Male")],
            ),
            (";; ; .", &[]),
            ("a.k.a. ''.", &[WeakAlias("")]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text, 1000), (expected.to_vec(), false), "{text}");
        }
    }

    #[test]
    fn half_a_phrase_at_the_end_of_cut_remarks_is_no_fact() {
        let text = format!("{}; Passport 12", "x".repeat(986));
        let (phrases, cut) = split(&text, 1000);
        assert!(cut);
        assert_eq!(phrases.len(), 1, "`Passport 12` may be `Passport 123456`");
    }
}
