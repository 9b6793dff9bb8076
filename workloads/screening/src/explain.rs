//! Scores in words that an auditor can follow.

use std::fmt::Write as _;

use kyb_domain::{
    list::{EntryKind, NameKind},
    party::PartyKind,
};

use crate::{
    align::{Alignment, Run, Term},
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

/// What was compared with what, word by word.
pub(crate) fn name(compared: &Compared<'_>) -> String {
    let Compared { subject, listed, kind, alignment, .. } = compared;
    let mut text = if alignment.exact {
        format!("subject's name `{subject}` has the words of {} `{listed}`", kind_text(*kind))
    } else {
        format!(
            "subject's name `{subject}` is {:.2} like {} `{listed}`",
            alignment.similarity,
            kind_text(*kind)
        )
    };
    let mut pairs: Vec<_> = alignment.pairs.iter().collect();
    pairs.sort_by_key(|pair| pair.left.start);
    let mut separator = ": ";
    for pair in pairs.into_iter().filter(|pair| pair.likeness < 1.0) {
        let (left, right) = (run_text(compared.terms[0], pair.left), run_text(compared.terms[1], pair.right));
        let _ = write!(text, "{separator}{left}~{right} {:.2}", pair.likeness);
        separator = "; ";
    }
    for (side, whose) in [(0, "only in the subject's name"), (1, "only in the listed name")] {
        let rest = left_over(compared.terms[side], alignment.used[side]);
        if !rest.is_empty() {
            let _ = write!(text, "{separator}{whose}: {rest}");
            separator = "; ";
        }
    }
    text
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
