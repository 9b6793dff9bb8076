//! The Arabic article in Latin letters: `al-Ghul` is `El Ghoul`, `Alghoul` or, before some consonants, one that takes their sound,
//! `as-Safrani`.

use crate::{
    normalise::{MOST_WORDS, Word},
    ordinary::Information,
    word_class::is_title,
};

/// As it is written together with the noun.
const ARTICLES: [&str; 2] = ["al", "el"];
/// What many nouns begin with, and few other words after these letters. A noun that begins with `a` or `o` must be a known name.
const BEGINNINGS: [&str; 11] = ["kh", "gh", "sh", "dh", "q", "z", "h", "j", "y", "w", "k"];
const SHORTEST_UNKNOWN_NOUN: usize = 5;
const SHORTEST_NOUN: usize = 4;

/// The words of a person's name, with articles apart from the nouns that they were written together with.
pub(crate) fn apart(words: Vec<Word>) -> Vec<Word> {
    let mut apart = Vec::with_capacity(words.len());
    for word in words {
        match divided(&word.letters) {
            Some((article, noun)) => apart.extend([word.with(article), word.with(noun)]),
            None => apart.push(word),
        }
    }
    apart.truncate(MOST_WORDS);
    apart
}

/// The article and the noun of a word, if it has both: `Albright` and `Alvarez` are names, and their first letters none.
fn divided(word: &str) -> Option<(&str, &str)> {
    let (article, noun) = word.split_at_checked(2).filter(|(article, _)| ARTICLES.contains(article))?;
    let is_name = |word: &str| Information::of(word).is_a_name;
    let begins_like_one = BEGINNINGS.iter().any(|letters| noun.starts_with(letters));
    let least = if is_name(noun) { SHORTEST_NOUN } else { SHORTEST_UNKNOWN_NOUN };
    let may_be_one = begins_like_one || noun.starts_with(['a', 'o']) && is_name(noun);
    (may_be_one && noun.len() >= least && !is_name(word) && !is_title(noun)).then_some((article, noun))
}

/// Whether `word` is an article that took the sound with which `next` begins: `ash` in `ash-Shami`. `An` is a surname, too, and no
/// article unless it is tied to the next word.
pub(crate) fn is_assimilated(word: &Word, next: &Word) -> bool {
    let consonants = word.letters.strip_prefix(['a', 'e']);
    let is_article = consonants.is_some_and(|sound| {
        matches!(sound, "s" | "sh" | "d" | "dh" | "n" | "r" | "t" | "th" | "z")
            && next.letters.starts_with(sound)
    });
    is_article && (next.is_tied() || word.letters.starts_with('a') && word.letters != "an")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::Words;

    fn parts(text: &str) -> Vec<String> {
        apart(Words::of(text).words).into_iter().map(|word| word.letters).collect()
    }

    #[test]
    fn an_article_goes_from_its_noun_and_names_stay_whole() {
        assert_eq!(parts("ELKADDAFI"), ["el", "kaddafi"]);
        assert_eq!(parts("Alghoul"), ["al", "ghoul"]);
        assert_eq!(parts("Alamin"), ["al", "amin"]);
        for whole in
            ["Albright", "Alvarez", "Alexander", "Elena", "Ali", "Alireza", "Alveiro", "Alfonso", "Elsayed"]
        {
            assert_eq!(parts(whole), [whole.to_lowercase()]);
        }
    }

    #[test]
    fn an_article_may_take_the_sound_of_its_noun() {
        let is = |text: &str| {
            let words = Words::of(text).words;
            is_assimilated(&words[0], &words[1])
        };
        for text in ["AS-SAFRANI", "ash-Shami", "Ad Dulaymi", "an-Nahda", "Er-Rahman", "az Zawahiri"] {
            assert!(is(text), "{text}");
        }
        for text in ["An, Nam", "As Bank", "Ed Davis", "Al-Ghul"] {
            assert!(!is(text), "{text}");
        }
    }
}
