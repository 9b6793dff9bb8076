//! From text in any script to plain words: composed (NFKC), transliterated, lower case, cut at punctuation.
//!
//! Composed rather than decomposed: transliteration knows `й` and Hangul syllables as one character, and in the scripts
//! of India and South-East Asia marks are vowels that must not be stripped. Accents of Latin letters go with the
//! transliteration, so nothing is lost by it.

use std::ops::Range;

use crate::abjad;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The most words of one name that count; no real name is longer, and the cost of a comparison stays bounded.
pub(crate) const MOST_WORDS: usize = 40;

/// The most letters of one word that count.
pub(crate) const LONGEST_WORD: usize = 48;

/// The most characters of a name that are read; composing and transliterating them is all the work that a longer text makes.
pub(crate) const LONGEST_TEXT: usize = 4_096;

/// What stands between a word and the word before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Punctuation only, as in `S.A.` or `A/S`.
    Tight,
    /// White space or a comma, perhaps with other punctuation.
    Open,
}

/// A word: letters `a-z` and digits `0-9`, and where it stood in the composed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) letters: String,
    pub(crate) span: Range<usize>,
    /// Whether it was written in a script that leaves vowels out, see [`abjad`].
    pub(crate) is_abjad: bool,
    gap: Gap,
}

impl Word {
    /// The same place with other letters.
    pub(crate) fn with(&self, letters: &str) -> Self {
        Self { letters: letters.to_owned(), ..self.clone() }
    }

    /// Whether only punctuation is between it and the word before.
    pub(crate) fn is_tied(&self) -> bool {
        self.gap == Gap::Tight
    }
}

/// A text's words, and the composed text into which their spans point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) words: Vec<Word>,
}

impl Words {
    /// Cuts `text` into words. Apostrophes disappear (`O'Brien` is one word), `&` and `+` become `and`, everything else
    /// that is neither letter nor digit separates.
    pub(crate) fn of(text: &str) -> Self {
        let text = composed(text);
        let mut cutter = Cutter::default();
        for (at, c) in text.char_indices() {
            if cutter.words.len() > MOST_WORDS {
                break;
            }
            if begins_capitals(&text, at) {
                cutter.finish(at);
            }
            cutter.take(at, c);
        }
        cutter.finish(text.len());
        let mut words = with_nouns_apart(&text, cutter.words);
        words.truncate(MOST_WORDS);
        Self { text, words }
    }

    /// The same with single letters that follow each other made one word: `A.B.C.` is `ABC`, `S A` is `SA`. Letters
    /// that only punctuation separates belong together before those with spaces between, so `Plan A S.A.` keeps its `A`.
    pub(crate) fn with_initials_joined(self) -> Self {
        let tight = join_single_letters(self.words, |word| word.gap == Gap::Tight);
        Self { text: self.text, words: join_single_letters(tight, |_| true) }
    }
}

/// The beginning of `text` in its composed form, at most [`LONGEST_TEXT`] characters of it.
pub(crate) fn composed(text: &str) -> String {
    text.nfkc().take(LONGEST_TEXT).collect()
}

/// Arabic articles become words of their own, as they are in Latin letters, and a name of God part of the word before.
fn with_nouns_apart(text: &str, words: Vec<Word>) -> Vec<Word> {
    let mut apart: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let written = &text[word.span.clone()];
        match apart.last_mut() {
            Some(before) if written == abjad::GOD && before.is_abjad => {
                before.letters.push_str(&word.letters);
                before.letters.truncate(LONGEST_WORD);
                before.span.end = word.span.end;
            }
            _ if word.is_abjad && abjad::has_article(written) => {
                let noun = word.letters[abjad::ARTICLE_LETTERS.min(word.letters.len())..].to_owned();
                let article =
                    Word { letters: abjad::ARTICLE_RENDERED.to_owned(), is_abjad: false, ..word.clone() };
                apart.push(article);
                if !noun.is_empty() {
                    apart.push(Word { letters: noun, ..word });
                }
            }
            _ => apart.push(word),
        }
    }
    apart
}

fn join_single_letters(words: Vec<Word>, belongs: impl Fn(&Word) -> bool) -> Vec<Word> {
    let is_single = |word: &Word| word.letters.len() == 1 && word.letters.as_bytes()[0].is_ascii_alphabetic();
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut run_is_open = false;
    for word in words {
        match joined.last_mut() {
            Some(run) if run_is_open && is_single(&word) && belongs(&word) => {
                run.letters.push_str(&word.letters);
                run.span.end = word.span.end;
            }
            _ => {
                run_is_open = is_single(&word);
                joined.push(word);
            }
        }
    }
    joined
}

#[derive(Default)]
struct Cutter {
    words: Vec<Word>,
    letters: String,
    /// Where the word began; its first letters may be silent.
    start: Option<usize>,
    is_abjad: bool,
    gap_is_open: bool,
}

impl Cutter {
    fn take(&mut self, at: usize, c: char) {
        if c.is_alphanumeric() || is_combining_mark(c) {
            self.start.get_or_insert(at);
            let latin = if abjad::is_letter(c) {
                self.is_abjad = true;
                abjad::rendered(c, &self.letters)
            } else {
                any_ascii::any_ascii_char(c)
            };
            let latin = latin.bytes().filter(u8::is_ascii_alphanumeric);
            self.letters.extend(latin.map(|byte| char::from(byte.to_ascii_lowercase())));
        } else if !is_apostrophe(c) && !is_invisible(c) {
            self.finish(at);
            self.gap_is_open |= c.is_whitespace() || c == ',';
            if matches!(c, '&' | '+') {
                (self.start, self.gap_is_open) = (Some(at), true);
                self.letters.push_str("and");
                self.finish(at + c.len_utf8());
                self.gap_is_open = true;
            }
        }
    }

    fn finish(&mut self, end: usize) {
        let (start, is_abjad) = (self.start.take(), std::mem::take(&mut self.is_abjad));
        let Some(start) = start.filter(|_| !self.letters.is_empty()) else { return };
        self.letters.truncate(LONGEST_WORD);
        let gap = if self.gap_is_open { Gap::Open } else { Gap::Tight };
        let letters = std::mem::take(&mut self.letters);
        self.words.push(Word { letters, span: start..end, is_abjad, gap });
        self.gap_is_open = false;
    }
}

/// Whether two to four capitals begin here that end a word in small letters: `SiemensAG`.
fn begins_capitals(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    if !before.is_some_and(char::is_lowercase) {
        return false;
    }
    let word: Vec<char> = text[at..].chars().take(5).take_while(|c| c.is_alphanumeric()).collect();
    (2..=4).contains(&word.len()) && word.iter().all(|c| c.is_uppercase())
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '´' | '‘' | '’' | '‛' | '′')
}

/// Direction marks, joiners and the like: they change how a name looks, not what it is.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Words::of(text).words.into_iter().map(|word| word.letters).collect()
    }

    fn joined(text: &str) -> Vec<String> {
        Words::of(text).with_initials_joined().words.into_iter().map(|word| word.letters).collect()
    }

    #[test]
    fn scripts_accents_and_punctuation_do_not_matter() {
        let table: &[(&str, &[&str])] = &[
            ("AL-SHANTI, Iyad", &["al", "shanti", "iyad"]),
            ("O'Brien & Sons", &["obrien", "and", "sons"]),
            ("Al Qa’ida", &["al", "qaida"]),
            ("Nicolás Ötz Straße", &["nicolas", "otz", "strasse"]),
            ("Рособоронэкспорт ОАО", &["rosoboroneksport", "oao"]),
            ("Й", &["y"]),
            ("Й", &["y"]),
            ("ＦＵＬＬ　Ｗｉｄｔｈ", &["full", "width"]),
            ("ООО\"БАЗО\"", &["ooo", "bazo"]),
            ("soft\u{ad}hyphen left\u{200f}right", &["softhyphen", "leftright"]),
            ("...", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(words(text), *expected, "{text}");
        }
    }

    #[test]
    fn whatever_is_written_there_are_few_words_of_bounded_length() {
        for long in [
            "x".repeat(10_000),
            "Ж ".repeat(10_000),
            "الكتاب ".repeat(1_000),
            format!("عبد {}", "الله ".repeat(800)),
            "\u{fdfa}".repeat(10_000),
            "e\u{301}\u{301}".repeat(10_000),
            "\u{202e}\u{200f}a\u{0}".repeat(10_000),
            "&".repeat(10_000),
        ] {
            let found = Words::of(&long);
            assert!(found.text.chars().count() <= LONGEST_TEXT && found.words.len() <= MOST_WORDS);
            assert!(found.words.iter().all(|word| (1..=LONGEST_WORD).contains(&word.letters.len())));
            let joined = found.with_initials_joined().words;
            assert!(joined.iter().all(|word| (1..=LONGEST_WORD).contains(&word.letters.len())));
        }
    }

    #[test]
    fn single_letters_make_one_word() {
        let table: &[(&str, &[&str])] = &[
            ("A.B.C. Works", &["abc", "works"]),
            ("S.A. DE C.V.", &["sa", "de", "cv"]),
            ("S A", &["sa"]),
            ("Plan A S.A.", &["plan", "a", "sa"]),
            ("Sp. z o.o.", &["sp", "z", "oo"]),
            ("A & B", &["a", "and", "b"]),
            ("A/S Norden", &["as", "norden"]),
        ];
        for (text, expected) in table {
            assert_eq!(joined(text), *expected, "{text}");
        }
    }
}
