//! Legal forms inside names: `OAO Rosoboroneksport`, `Nordwind Aktiengesellschaft`, `Sp. z o.o.`.
//!
//! A form says little about who somebody is, since it is left out, translated and changed, so names are compared without it
//! and forms with each other. Forms of different countries that mean the same kind of body are equivalent: an OOO is a
//! GmbH is an LLC, but a PAO is not an OOO.

mod table;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::LazyLock,
};

use serde::Serialize;

use crate::{
    meaning,
    normalise::Words,
    ordinary::Information,
    spelling::{consonants, consonants_are_near, is_one_typing_error},
};
use table::{FORMS, Form};

/// The kind of body that a legal form makes; forms of one group are equivalent across countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Shares not offered to the public, liability limited: LLC, GmbH, OOO, SARL, Ltd.
    LimitedLiability,
    /// Capital in shares: AG, SA, OAO, PAO, JSC, PLC.
    JointStock,
    /// A corporation of American law: Inc., Corp.
    Corporation,
    /// Limited partnership: LP, KG, S. en C.
    LimitedPartnership,
    /// Partnership, with or without limited liability of its partners: LLP, OHG, SNC.
    Partnership,
    /// Co-operative.
    Cooperative,
    /// Association, foundation or other body without profit.
    NonProfit,
    /// Owned by a state or town: FGUP, GUP.
    StateOwned,
    /// One person's firm: IP, e.K., EIRL.
    SoleProprietor,
    /// `Company` and the like: a company of whatever form.
    Unspecific,
}

/// A legal form found in a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalForm {
    /// The form's usual abbreviation, such as `OAO`; the same for all its spellings.
    pub code: &'static str,
    /// The kind of body.
    pub group: Group,
    /// The words of the name in which it was found, as written there.
    pub spelling: String,
}

impl LegalForm {
    /// Whether both may be the same body's form: same form, same group, or one of them says nothing.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        groups_agree(self.group, other.group)
    }
}

/// The legal form in a business's name: the one at its end, else at its beginning; `None` where there is none, or where
/// the name would be nothing but a form.
///
/// ```
/// use kyb_screening::legal_form::recognise;
/// let form = recognise("Rosoboronexport OAO").unwrap();
/// assert_eq!((form.code, form.spelling.as_str()), ("OAO", "OAO"));
/// assert!(form.is_equivalent(&recognise("PJSC Rosoboronexport").unwrap()));
/// ```
pub fn recognise(name: &str) -> Option<LegalForm> {
    let words = Words::of(name).with_initials_joined();
    let found = split(&words)
        .forms
        .into_iter()
        .min_by_key(|found| FORMS[usize::from(found.form)].group == Group::Unspecific)?;
    let form = &FORMS[usize::from(found.form)];
    let letters = words.words[found.words.start].span.start..words.words[found.words.end - 1].span.end;
    Some(LegalForm { code: form.code, group: form.group, spelling: words.text[letters].to_owned() })
}

/// Number of a form in the table.
pub(crate) type FormNumber = u8;

/// A form and the words that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) form: FormNumber,
    words: Range<usize>,
}

/// A name without its legal forms.
#[derive(Debug)]
pub(crate) struct Split {
    /// The words that are left; never none.
    pub(crate) rest: Range<usize>,
    /// The forms: those at the end, last first, then those at the beginning.
    pub(crate) forms: Vec<Found>,
}

/// Takes forms off the end of a name, then off its beginning, as long as a word is left.
pub(crate) fn split(words: &Words) -> Split {
    let letters: Vec<Vec<&str>> = words.words.iter().map(|word| readings(&word.letters)).collect();
    let mut rest = 0..words.words.len();
    let mut forms = vec![];
    while let Some(found) = longest(words, &letters, &rest, Side::End) {
        rest.end = found.words.start;
        forms.push(found);
    }
    while let Some(found) = longest(words, &letters, &rest, Side::Start) {
        rest.start = found.words.end;
        forms.push(found);
    }
    Split { rest, forms }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

/// `letters` are the [`readings`] of the words.
fn longest(words: &Words, letters: &[Vec<&str>], rest: &Range<usize>, side: Side) -> Option<Found> {
    let most = SPELLINGS.most_words.min(rest.len().saturating_sub(1));
    (1..=most).rev().find_map(|count| {
        let range =
            if side == Side::End { rest.end - count..rest.end } else { rest.start..rest.start + count };
        let (spelling, form) = form_of(&letters[range.clone()])?;
        let alone = count == 1 && spelling[0] != words.words[range.start].letters;
        if alone && spelling[0].len() < LONG_ENOUGH_ALONE {
            return None;
        }
        // A short form at the beginning of a name is more often a word of its own (`SA Kahn`, `Co Pilot`), unless it is
        // written as an abbreviation (`S.A. Kahn Trading`).
        let first = &words.words[range.start];
        let is_clear = spelling[0].len() >= 4 || words.text[first.span.clone()].contains('.');
        let fits = side == Side::End || count > 1 || is_clear || FORMS[usize::from(form)].leads;
        fits.then_some(Found { form, words: range })
    })
}

/// The form that some readings of some words spell, and these. Its words may stand in any order, as those of a name.
fn form_of<'a>(letters: &[Vec<&'a str>]) -> Option<(Vec<&'a str>, FormNumber)> {
    let spellings = letters.iter().fold(vec![vec![]], |begun: Vec<Vec<&str>>, readings| {
        let more =
            |one: Vec<&'a str>| readings.iter().map(move |reading| [one.clone(), vec![*reading]].concat());
        begun.into_iter().flat_map(more).collect()
    });
    spellings.into_iter().find_map(|spelling| {
        let form = *SPELLINGS.by_words.get(&in_order(spelling.clone()))?;
        Some((spelling, form))
    })
}

/// The words of a form in the order of the alphabet.
fn in_order(mut words: Vec<&str>) -> String {
    words.sort_unstable();
    words.join(" ")
}

/// Words of forms are read through one typing error from so many letters on…
const LONG_ENOUGH: usize = 5;
/// … and from so many where they are the whole form: `COMANY`, `LIMITDE`.
const LONG_ENOUGH_ALONE: usize = 7;

/// The words of legal forms that somebody who wrote `word` may have meant; where there is none, `word`. What is a name of people or
/// means something is no misspelling.
fn readings(word: &str) -> Vec<&str> {
    let is_a_word = || Information::of(word).is_a_name || meaning::is_in_a_table(word);
    if word.len() + 1 < LONG_ENOUGH || SPELLINGS.words.contains(word) || is_a_word() {
        return vec![word];
    }
    let letters = consonants(word);
    let is_meant = |(meant, others): &&(String, u64)| {
        meant.len().abs_diff(word.len()) <= 1
            && consonants_are_near([letters, 0], [*others, 0], 1)[0]
            && is_one_typing_error(word, meant)
    };
    let meant: Vec<&str> =
        SPELLINGS.long_words.iter().filter(is_meant).map(|(meant, _)| meant.as_str()).collect();
    if meant.is_empty() { vec![word] } else { meant }
}

/// Whether a word is the spelling of a form, perhaps with a typing error. Where it was left in a name it may be one out of place,
/// so it must not count like what the body is called.
pub(crate) fn is_spelling(letters: &str) -> bool {
    let is_meant = |meant: &str| {
        SPELLINGS.by_words.contains_key(meant) && (meant == letters || meant.len() >= LONG_ENOUGH_ALONE)
    };
    readings(letters).into_iter().any(is_meant)
}

/// Whether the forms of two names agree: `None` where one of them has none, so that nothing can be said.
pub(crate) fn agree(a: &[FormNumber], b: &[FormNumber]) -> Option<bool> {
    let group = |form: &FormNumber| FORMS[usize::from(*form)].group;
    if a.is_empty() || b.is_empty() {
        return None;
    }
    Some(a.iter().any(|x| b.iter().any(|y| groups_agree(group(x), group(y)))))
}

/// Whether one of the forms is that of an association or foundation.
pub(crate) fn is_without_profit(forms: &[FormNumber]) -> bool {
    forms.iter().any(|form| FORMS[usize::from(*form)].group == Group::NonProfit)
}

/// The usual abbreviations of forms, for people: `Co Ltd`.
pub(crate) fn codes(forms: &[FormNumber]) -> String {
    let codes: Vec<&str> = forms.iter().rev().map(|form| FORMS[usize::from(*form)].code).collect();
    codes.join(" ")
}

fn groups_agree(a: Group, b: Group) -> bool {
    a == b || a == Group::Unspecific || b == Group::Unspecific
}

struct Spellings {
    /// By their words, see [`in_order`].
    by_words: HashMap<String, FormNumber>,
    /// The words of all spellings.
    words: BTreeSet<String>,
    /// Those that may be misspelt, with their [`consonants`].
    long_words: Vec<(String, u64)>,
    most_words: usize,
}

/// Every spelling, normalised like the names it is looked for in.
static SPELLINGS: LazyLock<Spellings> = LazyLock::new(|| {
    let mut by_words = HashMap::new();
    let mut words_of_all = BTreeSet::new();
    let mut most_words = 0;
    for (number, Form { code, spellings, .. }) in (0..).zip(FORMS) {
        for spelling in std::iter::once(code).chain(*spellings) {
            let words = Words::of(spelling).with_initials_joined().words;
            most_words = most_words.max(words.len());
            words_of_all.extend(words.iter().map(|word| word.letters.clone()));
            let letters = words.iter().map(|word| word.letters.as_str()).collect();
            by_words.entry(in_order(letters)).or_insert(number);
        }
    }
    let long = words_of_all.iter().filter(|word| word.len() >= LONG_ENOUGH);
    let long_words = long.map(|word| (word.clone(), consonants(word))).collect();
    Spellings { by_words, words: words_of_all, long_words, most_words }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_at_either_end_in_any_spelling() {
        for (name, code) in [
            ("Rosoboroneksport OAO", "OAO"),
            ("OAO Severnyles", "OAO"),
            ("Open Joint Stock Company Severnyles", "OAO"),
            ("ОАО «Северный лес»", "OAO"),
            ("Nordwind Aktiengesellschaft", "AG"),
            ("Wisla Meble Sp. z o.o.", "Sp. z o.o."),
            ("GREEN HARBOUR CO., LTD.", "Ltd"),
            ("SAL DEL MAR, S.A. DE C.V.", "SA de CV"),
            ("Severnyles o.O.O.", "OOO"),
            ("Societatea cu Răspundere Limitată DUNAREA NOUA", "SRL"),
            ("Acme Widgets, Inc.", "Inc"),
            ("S.A. Acme Widgets", "SA"),
            ("Harbour Company", "Co"),
            ("A.P. Møller A/S", "A/S"),
        ] {
            assert_eq!(recognise(name).map(|form| form.code), Some(code), "{name}");
        }
        for name in ["Severnyles", "LLC", "Co Pilot", "Sarah Ag Ltdx", ""] {
            assert_eq!(recognise(name), None, "{name}");
        }
    }

    #[test]
    fn a_form_is_read_through_a_typing_error_and_a_word_of_its_own_is_not_taken_for_one() {
        for (name, code) in [
            ("Severnyles Comapny", "Co"),
            ("Severnyles Liimted", "Ltd"),
            ("Severnyles Jint Stock Company", "JSC"),
            ("Otkrytoe Aktsionernoe Obshchstvo Severnyles", "OAO"),
        ] {
            assert_eq!(recognise(name).map(|form| form.code), Some(code), "{name}");
        }
        for name in ["Severnyles Companion", "Severnyles Limbed Point", "Severnyles Truse"] {
            assert_eq!(recognise(name), None, "{name}");
        }
    }

    #[test]
    fn forms_of_one_kind_of_body_are_equivalent_across_countries() {
        let same = |a: &str, b: &str| recognise(a).unwrap().is_equivalent(&recognise(b).unwrap());
        assert!(same("X OOO", "X GmbH"));
        assert!(same("X OOO", "X LLC"));
        assert!(same("X Company", "X OAO"));
        assert!(!same("X PAO", "X OOO"));
        assert!(!same("X AG", "X GmbH"));
    }

    #[test]
    fn no_spelling_stands_for_two_groups() {
        let mut seen: HashMap<String, Group> = HashMap::new();
        for form in FORMS {
            for spelling in std::iter::once(&form.code).chain(form.spellings) {
                let words = Words::of(spelling).with_initials_joined().words;
                let letters: Vec<_> = words.into_iter().map(|word| word.letters).collect();
                let group = *seen.entry(letters.join(" ")).or_insert(form.group);
                assert_eq!(group, form.group, "{spelling}");
            }
        }
    }
}
