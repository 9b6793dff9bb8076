//! Scores in words that an auditor can follow.

use std::fmt::Write as _;

use kyb_domain::{
    list::{EntryKind, NameKind},
    party::PartyKind,
};

use crate::{
    align::{Alignment, ENOUGH_BITS, Ground, Limit, Pair, Run, Term},
    legal_form::{FormNumber, agree, codes},
};

/// A comparison of two names to put into words.
pub(crate) struct Compared<'a> {
    pub(crate) subject: &'a str,
    pub(crate) listed: &'a str,
    pub(crate) kind: NameKind,
    pub(crate) alignment: &'a Alignment,
    /// The subject's terms and the listed name's.
    pub(crate) terms: [&'a [Term<'a>]; 2],
}

/// What was compared with what, word by word, and what limited it.
pub(crate) fn name(compared: &Compared<'_>) -> String {
    let Compared { subject, listed, kind, alignment, terms } = compared;
    let mut text = if alignment.exact {
        format!("subject's name `{subject}` has the words of {} `{listed}`", kind_text(*kind))
    } else {
        format!(
            "subject's name `{subject}` is {:.2} like {} `{listed}`",
            alignment.similarity,
            kind_text(*kind)
        )
    };
    let parts = different_words(alignment, *terms)
        .chain(left_over_words(alignment, *terms))
        .chain(alignment.limit.map(limit_text));
    for (number, part) in parts.enumerate() {
        let separator = if number == 0 { ": " } else { "; " };
        let _ = write!(text, "{separator}{part}");
    }
    text
}

/// Words that agree without being the same, in the order of the subject's name.
fn different_words(alignment: &Alignment, terms: [&[Term<'_>]; 2]) -> impl Iterator<Item = String> {
    let mut pairs: Vec<&Pair> = alignment.pairs.iter().filter(|pair| pair.likeness < 1.0).collect();
    pairs.sort_by_key(|pair| pair.left.start);
    pairs.into_iter().map(move |pair| {
        let (left, right) = (run_text(terms[0], pair.left), run_text(terms[1], pair.right));
        format!("{left}~{right} {:.2}{}", pair.likeness, ground_text(pair.ground))
    })
}

fn left_over_words(alignment: &Alignment, terms: [&[Term<'_>]; 2]) -> impl Iterator<Item = String> {
    let whose = ["only in the subject's name", "only in the listed name"];
    let rest = [0, 1].map(|side| left_over(terms[side], alignment.used[side]));
    whose
        .into_iter()
        .zip(rest)
        .filter(|(_, rest)| !rest.is_empty())
        .map(|(whose, rest)| format!("{whose}: {rest}"))
}

fn ground_text(ground: Ground) -> &'static str {
    match ground {
        Ground::Spelling => "",
        Ground::Meaning => " (same meaning)",
        Ground::GivenName => " (one given name in two languages)",
        Ground::ShortForm => " (short form of a given name)",
        Ground::Sound => " (one Chinese or Korean word in two spellings)",
        Ground::Initial => " (initial)",
        Ground::Consonants => " (one is written without vowels)",
        Ground::Acronym => " (first letters of all words)",
    }
}

fn limit_text(limit: Limit) -> String {
    match limit {
        Limit::NoTellingWord => "no word agrees that tells one name from others".to_owned(),
        Limit::LittleInformation { bits } => format!(
            "limited, because what agrees is as common as one name in 2^{bits:.0}, and only from 2^{ENOUGH_BITS:.0} on nothing is taken"
        ),
    }
}

fn run_text(terms: &[Term<'_>], run: Run) -> String {
    let words: Vec<&str> = terms[run.start..run.end].iter().map(|term| term.spelling.text).collect();
    words.join(" ")
}

fn left_over(terms: &[Term<'_>], used: u64) -> String {
    let free = terms.iter().enumerate().filter(|(at, _)| used & 1 << at == 0);
    free.map(|(_, term)| term.spelling.text).collect::<Vec<_>>().join(" ")
}

/// What is added to the name's words where the kinds of subject and entry lowered its weight.
pub(crate) fn kinds(subject: PartyKind, entry: EntryKind, factor: f64) -> String {
    format!(
        "; counted {factor:.2} times, because the subject is a {} and the entry a {}",
        party_text(subject),
        entry_text(entry)
    )
}

/// What is added to the name's words where either is one of several names in a field.
pub(crate) fn one_of_several(factor: f64) -> String {
    format!("; counted {factor:.2} times, because it is one of several names that were written as one")
}

/// Both legal forms, and whether they agree; `None` where one name has none.
pub(crate) fn legal_forms(subject: &[FormNumber], listed: &[FormNumber]) -> Option<(bool, String)> {
    let agrees = agree(subject, listed)?;
    let (left, right) = (codes(subject), codes(listed));
    let sign = match (agrees, left == right) {
        (true, true) => "=",
        (true, false) => "is equivalent to",
        (false, _) => "is not",
    };
    Some((agrees, format!("legal form {left} {sign} {right}")))
}

fn kind_text(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Primary => "listed name",
        NameKind::Alias => "listed alias",
        NameKind::Former => "listed former name",
        NameKind::NowKnownAs => "listed present name",
        NameKind::OriginalScript => "listed name in its original script",
        NameKind::Weak => "weak listed alias",
    }
}

fn party_text(kind: PartyKind) -> &'static str {
    match kind {
        PartyKind::Business => "business",
        PartyKind::Person => "person",
        PartyKind::Unknown => "party of unknown kind",
    }
}

fn entry_text(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "person",
        EntryKind::Organization => "organisation",
        EntryKind::Vessel => "vessel",
        EntryKind::Aircraft => "aircraft",
    }
}
