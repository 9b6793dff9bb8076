//! Text into words, and words into stems: `Bakeries`, `bakery` and `BAKERY` are one.
//!
//! The stemmer is light and our own: plurals, and the endings -ing, -er, -ed and -ation of longer words. It has no dictionary, so stems
//! are no words; it only has to treat titles and descriptions alike.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Words that say nothing about an industry.
const EMPTY: &[&str] = &[
    "a",
    "all",
    "also",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "been",
    "but",
    "by",
    "can",
    "company",
    "e",
    "establishment",
    "etc",
    "for",
    "from",
    "g",
    "has",
    "have",
    "i",
    "in",
    "inc",
    "including",
    "into",
    "is",
    "it",
    "its",
    "llc",
    "ltd",
    "may",
    "more",
    "n",
    "nec",
    "not",
    "of",
    "on",
    "or",
    "other",
    "our",
    "over",
    "own",
    "primarily",
    "s",
    "same",
    "such",
    "than",
    "that",
    "the",
    "their",
    "them",
    "these",
    "they",
    "this",
    "through",
    "to",
    "type",
    "under",
    "up",
    "use",
    "various",
    "via",
    "we",
    "which",
    "who",
    "with",
    "within",
    "you",
    "your",
];

/// The longest text that is read, in words; what a business does is said by then.
const MOST_WORDS: usize = 400;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As written, in lower case.
    pub(crate) text: String,
    pub(crate) stem: String,
}

/// The words of a text that say something, in order; what stands in brackets after `except` is left out.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let folded: String = without_exceptions(text)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .replace("'s", " ")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !EMPTY.contains(word))
        .take(MOST_WORDS)
        .map(|word| Word { text: word.to_owned(), stem: stem(word) })
        .collect()
}

/// The text without `(except …)`: it says what is not meant.
fn without_exceptions(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(except") {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// What a word's forms have in common.
pub(crate) fn stem(word: &str) -> String {
    let singular = singular(word);
    let base = ["ization", "ation", "ing", "ers", "er", "ed"]
        .into_iter()
        .find_map(|ending| singular.strip_suffix(ending).filter(|rest| rest.len() >= 4 && has_vowel(rest)))
        .map_or(singular.as_str(), undoubled);
    base.strip_suffix('e').filter(|rest| rest.len() >= 3).unwrap_or(base).to_owned()
}

/// Words that end like plurals and are none.
const NO_PLURALS: &[&str] = &["news", "lens"];

fn singular(word: &str) -> String {
    if NO_PLURALS.contains(&word) {
        return word.to_owned();
    }
    if word.len() > 4 && word.ends_with("ies") {
        return format!("{}y", &word[..word.len() - 3]);
    }
    let es = ["sses", "xes", "ches", "shes", "zes"].into_iter().any(|ending| word.ends_with(ending));
    if es && word.len() > 4 {
        return word[..word.len() - 2].to_owned();
    }
    let plural = word.len() > 3
        && word.ends_with('s')
        && !["ss", "us", "is"].into_iter().any(|ending| word.ends_with(ending));
    if plural { word[..word.len() - 1].to_owned() } else { word.to_owned() }
}

fn has_vowel(text: &str) -> bool {
    text.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

/// `plann` of planning is `plan`; `sell` and `press` stay.
fn undoubled(text: &str) -> &str {
    let mut last = text.chars().rev();
    match (last.next(), last.next()) {
        (Some(a), Some(b)) if a == b && "bdgmnprt".contains(a) => &text[..text.len() - a.len_utf8()],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            &["bakery", "bakeries"][..],
            &["manufacturing", "manufacturer", "manufacturers", "manufacture", "manufactures"],
            &["wholesale", "wholesaler", "wholesalers"],
            &["farm", "farming", "farms", "farmers"],
            &["install", "installation", "installing", "installer"],
            &["box", "boxes"],
            &["dentist", "dentists"],
            &["planning", "plans", "planner"],
        ] {
            let stems: Vec<_> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{forms:?} {stems:?}");
        }
        for (a, b) in [("glass", "glas"), ("paper", "pap"), ("news", "new"), ("bus", "bu"), ("bread", "bred")]
        {
            assert_ne!(stem(a), stem(b), "{a} {b}");
        }
    }

    #[test]
    fn exceptions_and_empty_words_are_left_out() {
        let texts = |text| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("Oilseed (except Soybean) Farming"), ["oilseed", "farming"]);
        assert_eq!(texts("Café and the Bäcker's"), ["cafe", "backer"]);
        assert_eq!(texts("(except"), Vec::<String>::new());
    }
}
