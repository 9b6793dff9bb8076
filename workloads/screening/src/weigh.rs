//! What two names are worth together: words, then legal forms.

use crate::{
    align::{Alignment, Term, align},
    alternatives::{self, ONE_OF_SEVERAL},
    legal_form::{self, FormNumber},
    name::{Name, NameWord},
    word_class::{Class, Style},
};

/// What is lost where both names have a legal form and the two mean different kinds of body.
const OTHER_FORM: f64 = 0.05;

/// The same where one is without profit and the other is not: companies become companies of another form, but an association or
/// a foundation of the same name is most often another body. Not enough for a hit without second evidence.
const OTHER_NATURE: f64 = 0.22;

/// Rarity of words: 1 for a word that no list has, [`COMMONEST`] for one that every entry has.
pub(crate) const COMMONEST: f64 = 0.5;

/// A word as a term, `rarity` from [`COMMONEST`] to 1.
pub(crate) fn term(word: &NameWord, rarity: f64) -> Term<'_> {
    Term {
        spelling: word.spelling(),
        weight: word.class.factor() * rarity,
        class: word.class,
        bits: word.class.bits(word.information),
        is_a_name: word.information.is_a_name,
        is_common: word.information.is_common,
        meanings: word.meanings,
        sounds: &word.sounds,
        is_abjad: word.is_abjad,
    }
}

/// Inverse document frequency, scaled: `in_entries` of `entries` have the word.
pub(crate) fn rarity(in_entries: usize, entries: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of entries are far below 2^52")]
    let (with, all) = (in_entries.max(1) as f64, entries.max(2) as f64);
    COMMONEST + (1.0 - COMMONEST) * ((all / with).ln() / all.ln()).clamp(0.0, 1.0)
}

/// How the legal forms of two names compare, as a factor on the similarity.
pub(crate) fn form_factor(a: &[FormNumber], b: &[FormNumber]) -> f64 {
    if legal_form::agree(a, b) != Some(false) {
        1.0
    } else if legal_form::is_without_profit(a) == legal_form::is_without_profit(b) {
        1.0 - OTHER_FORM
    } else {
        1.0 - OTHER_NATURE
    }
}

/// Aligns two names without knowledge of any list: every word is as rare as any other of its class.
pub(crate) fn align_plain(a: &Name, b: &Name) -> Alignment {
    let left: Vec<Term<'_>> = a.words.iter().map(|word| term(word, 1.0)).collect();
    let right: Vec<Term<'_>> = b.words.iter().map(|word| term(word, 1.0)).collect();
    align(&left, &right)
}

/// The score of two names of one style, legal forms included; where either holds several names, that of the best.
pub(crate) fn score(a: &str, b: &str, style: Style) -> f64 {
    let whole = score_of_whole(a, b, style);
    let parts = [a, b].map(|text| alternatives::of(text, style));
    if parts.iter().all(Vec::is_empty) {
        return whole;
    }
    let [of_a, of_b] = [a, b].map(std::iter::once);
    let of_a = of_a.chain(parts[0].iter().map(String::as_str));
    let of_b = of_b.chain(parts[1].iter().map(String::as_str));
    let pairs = of_a.flat_map(|a| of_b.clone().map(move |b| (a, b))).skip(1);
    pairs.map(|(a, b)| ONE_OF_SEVERAL * score_of_whole(a, b, style)).fold(whole, f64::max)
}

fn score_of_whole(a: &str, b: &str, style: Style) -> f64 {
    let (a, b) = (Name::parse(a, style), Name::parse(b, style));
    if a.words.is_empty() || b.words.is_empty() {
        return 0.0;
    }
    align_plain(&a, &b).similarity * form_factor(&a.forms, &b.forms)
}

/// Whether a name has a legal form or a word that organisations have.
pub(crate) fn is_a_body(text: &str) -> bool {
    let name = Name::parse(text, Style::Organisation);
    !name.forms.is_empty() || name.words.iter().any(|word| word.class == Class::Generic)
}
