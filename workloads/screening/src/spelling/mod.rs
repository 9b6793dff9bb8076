//! How alike two words are: one key for spellings that differ only by transliteration habit, then edit cost and
//! Jaro-Winkler.

mod edits;

use rapidfuzz::distance::jaro_winkler;

use crate::normalise::LONGEST_WORD;
pub(crate) use edits::Sixteen;
use edits::{EDIT, SWAP, VOWEL_LOST, edit_cost};

/// Below this, two words are different words.
pub(crate) const SAME_WORD: f64 = 0.78;

/// Two spellings with one key, such as `rosoboroneksport` and `rosoboronexport`.
const SAME_KEY: f64 = 0.97;

/// Two spellings whose vowels alone differ, as transliterations exchange them.
const TRANSLITERATED: f64 = 0.94;

/// A word ready to compare. Letters and digits only, at most [`LONGEST_WORD`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling<'a> {
    /// As normalised.
    pub(crate) text: &'a str,
    /// See [`key`].
    pub(crate) key: &'a str,
    /// The [`consonants`] of the key and of the text.
    pub(crate) consonants: [u64; 2],
}

impl<'a> Spelling<'a> {
    /// Of a text and its [`key`].
    pub(crate) fn of(text: &'a str, key: &'a str) -> Self {
        Self { text, key, consonants: [consonants(key), consonants(text)] }
    }
}

/// A spelling with letters of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spelt {
    pub(crate) text: String,
    pub(crate) key: String,
    consonants: [u64; 2],
}

impl Spelt {
    pub(crate) fn new(text: String) -> Self {
        let key = key(&text);
        let consonants = [consonants(&key), consonants(&text)];
        Self { text, key, consonants }
    }

    /// Neighbours written as one.
    pub(crate) fn joined<'a>(run: impl Iterator<Item = &'a str>) -> Self {
        let mut text: String = run.collect();
        text.truncate(LONGEST_WORD);
        Self::new(text)
    }

    pub(crate) fn spelling(&self) -> Spelling<'_> {
        Spelling { text: &self.text, key: &self.key, consonants: self.consonants }
    }
}

impl From<Spelling<'_>> for Spelt {
    fn from(spelling: Spelling<'_>) -> Self {
        let Spelling { text, key, consonants } = spelling;
        Self { text: text.to_owned(), key: key.to_owned(), consonants }
    }
}

/// What the common ways to write one word in Latin letters share: `ks`/`x`, `ph`/`f`, `kh`/`h`, `ou`/`u`, `w`/`v`,
/// `c`/`k`/`q` (before `e`, `i` and `y` a `c` is an `s`), `y`/`j`/`i` inside a word, doubled letters, a silent last `h`, and digits that stand for letters.
pub(crate) fn key(text: &str) -> String {
    let bytes = text.as_bytes();
    let lookalikes = digits_stand_for_letters(bytes);
    let mut key = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (letter, taken) = key_letter(&bytes[at..], at, lookalikes);
        at += taken;
        let silent = letter == b'h' && at == bytes.len() && key.ends_with(['a', 'e', 'i', 'o', 'u']);
        let doubled = letter.is_ascii_alphabetic() && key.as_bytes().last() == Some(&letter);
        if !silent && !doubled {
            key.push(char::from(letter));
        }
    }
    key
}

/// The next letter of the key and how many letters of the word it stands for.
fn key_letter(rest: &[u8], at: usize, lookalikes: bool) -> (u8, usize) {
    match rest {
        [b's', b'c', b'h', ..] => (b'$', 3),
        [b't', b's', b'c', b'h', ..] => (b'%', 4),
        [b't', b'c', b'h', ..] => (b'%', 3),
        [b's', b'h', ..] => (b'$', 2),
        [b'c', b'h', ..] => (b'%', 2),
        [b'k' | b'c', b's', ..] => (b'x', 2),
        [b'p', b'h', ..] => (b'f', 2),
        [b'k', b'h', ..] => (b'h', 2),
        [b'c', b'k', ..] => (b'k', 2),
        [b't', b'h', ..] => (b't', 2),
        [b'd', b'h', ..] => (b'd', 2),
        [b'g', b'h', ..] => (b'g', 2),
        [b'd', b'j', ..] => (b'j', 2),
        [b'o', b'u', ..] | [b'u', b'e', ..] => (b'u', 2),
        [b'o', b'e', ..] => (b'o', 2),
        [b'c', b'e' | b'i' | b'y', ..] => (b's', 1),
        [b'c' | b'q', ..] => (b'k', 1),
        [b'w', ..] => (b'v', 1),
        [b'y' | b'j', ..] if at > 0 => (b'i', 1),
        [b'0', ..] if lookalikes => (b'o', 1),
        [b'1', ..] if lookalikes => (b'i', 1),
        [b'3', ..] if lookalikes => (b'e', 1),
        [b'4', ..] if lookalikes => (b'a', 1),
        [b'5', ..] if lookalikes => (b's', 1),
        [b'7', ..] if lookalikes => (b't', 1),
        [b'8', ..] if lookalikes => (b'b', 1),
        [b'9', ..] if lookalikes => (b'g', 1),
        [letter, ..] => (*letter, 1),
        [] => (b' ', 1),
    }
}

/// `s3ch1n` is a word in disguise, `b737` and `2000` are not.
fn digits_stand_for_letters(bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    (1..=2).contains(&digits) && bytes.len() - digits >= 3
}

/// Which consonants and digits a key or text has, and which consonants it has twice, one bit each. An edit changes at most one of
/// them in either direction (vowels, `y` and `j` are left out because their edits cost less), so two words whose sets
/// differ by more than the edit budget can't be alike.
pub(crate) fn consonants(letters: &str) -> u64 {
    letters.bytes().fold(0, |set, byte| {
        let once = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'j' => return set,
            b'a'..=b'z' => byte - b'a',
            b'0'..=b'9' => FIRST_DIGIT + byte - b'0',
            b'$' => 52,
            _ => 53,
        };
        let twice = set & 1 << once != 0 && byte.is_ascii_alphabetic();
        set | 1 << (once + if twice { 26 } else { 0 })
    })
}

const FIRST_DIGIT: u8 = 54;
const DIGITS: u64 = 0x3ff << FIRST_DIGIT;

/// Whether so many edits of consonants can be enough between two words, by key or by text.
pub(crate) fn consonants_are_near(a: [u64; 2], b: [u64; 2], edits: u32) -> [bool; 2] {
    let near = |a: u64, b: u64| are_at_most(a & !b, edits) && are_at_most(b & !a, edits);
    [near(a[0], b[0]), near(a[1], b[1])]
}

/// Whether no more bits are set: taking away the lowest so often leaves none. Not every processor counts bits.
fn are_at_most(mut bits: u64, most: u32) -> bool {
    for _ in 0..most {
        bits &= bits.wrapping_sub(1);
    }
    bits == 0
}

/// The greatest edit cost at which words are still compared, by the length of the shorter word: short words differ by a
/// letter because they are different words, long ones because somebody mistyped. Three letters may be four of which one was
/// lost; another letter in three leaves too little to be alike.
pub(crate) fn edit_budget(length: usize) -> u8 {
    match length {
        0..=2 => 0,
        3..=5 => EDIT,
        6..=7 => EDIT + VOWEL_LOST,
        8..=11 => 2 * EDIT + VOWEL_LOST / 2,
        _ => 3 * EDIT,
    }
}

/// The greatest difference in key length at which a word of `length` letters can still be alike to another: what edits of
/// the key allow (leaving out a vowel is the cheapest that changes the length), and one more for each edit of the text,
/// since an edit may bring two letters together that the key writes as one.
pub(crate) fn length_slack(length: usize) -> usize {
    let budget = edit_budget(length);
    usize::from(budget / VOWEL_LOST + budget / SWAP)
}

/// How alike two words are: 1 for the same letters, 0 for different words, otherwise from [`SAME_WORD`] up. Symmetric.
pub(crate) fn likeness(a: Spelling<'_>, b: Spelling<'_>) -> f64 {
    if a.text == b.text {
        return 1.0;
    }
    let numbers = (a.consonants[0] | b.consonants[0]) & DIGITS != 0;
    // A number is a name of its own: `6` is not a misspelt `5`, nor `P-671` a `P-617`.
    if numbers {
        return 0.0;
    }
    if a.key == b.key {
        return if a.key.len() > 1 { SAME_KEY } else { 0.0 };
    }
    let budget = edit_budget(a.text.len().min(b.text.len()));
    let [by_key, by_text] = consonants_are_near(a.consonants, b.consonants, edits_of_consonants(budget));
    let by_key = if by_key { agreement(a.key, b.key, budget) } else { 0.0 };
    let keys_are_texts = a.key == a.text && b.key == b.text;
    let by_text = if by_text && !keys_are_texts { agreement(a.text, b.text, budget) } else { 0.0 };
    let edits = by_key.max(by_text);
    if edits == 0.0 {
        return 0.0;
    }
    let jaro_winkler = jaro_winkler::normalized_similarity(a.text.bytes(), b.text.bytes());
    let least = if differ_by_transliteration(a.key, b.key) { TRANSLITERATED } else { 0.0 };
    let likeness = (0.6 * edits + 0.4 * jaro_winkler).clamp(least, SAME_KEY);
    if likeness < SAME_WORD { 0.0 } else { likeness }
}

/// The share of letters that edits leave, 0 where they cost more than `budget`. The key forgives habits of
/// transliteration, the text keeps a letter lost between two that the key then writes as one (`Hasan`, `Haan`).
fn agreement(a: &str, b: &str, budget: u8) -> f64 {
    if budget == 0 {
        return 0.0;
    }
    let longest = u8::try_from(a.len().max(b.len())).map_or(255.0, f64::from);
    let cost = edit_cost(a.as_bytes(), b.as_bytes(), budget);
    cost.map_or(0.0, |cost| 1.0 - f64::from(cost) / f64::from(EDIT) / longest)
}

/// Whether two different words are one edit apart, or two exchanged vowels.
pub(crate) fn is_one_typing_error(a: &str, b: &str) -> bool {
    a != b && edit_cost(a.as_bytes(), b.as_bytes(), EDIT).is_some()
}

/// Whether two keys differ by nothing but the vowels that transliterations exchange: `e` for `a` or `i`, `o` for `u`, inside a word of
/// four letters or more. `Jaber` is `Jabir`; `Jamal` and `Jamil`, `Maria` and `Mario` are two names.
pub(crate) fn differ_by_transliteration(a: &str, b: &str) -> bool {
    let exchanged =
        |a, b| matches!((a, b), (b'a' | b'i', b'e') | (b'e', b'a' | b'i') | (b'o', b'u') | (b'u', b'o'));
    let last = |word: &str| word.bytes().next_back();
    a.len() >= SHORTEST_TRANSLITERATED
        && a.len() == b.len()
        && last(a) == last(b)
        && a.bytes().zip(b.bytes()).all(|(a, b)| a == b || exchanged(a, b))
}

const SHORTEST_TRANSLITERATED: usize = 4;

/// The most that any budget lets change.
pub(crate) const MOST_EDITS_OF_CONSONANTS: u32 = 3;

/// How many consonants a budget lets change.
pub(crate) fn edits_of_consonants(budget: u8) -> u32 {
    u32::from(budget / EDIT)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{edits::tests::full_cost, *};

    pub(crate) fn compare(a: &str, b: &str) -> f64 {
        let (key_a, key_b) = (key(a), key(b));
        likeness(Spelling::of(a, &key_a), Spelling::of(b, &key_b))
    }

    #[test]
    fn habits_of_transliteration_share_a_key() {
        for (a, b) in [
            ("rosoboroneksport", "rosoboronexport"),
            ("yusuf", "yousuf"),
            ("sergey", "sergej"),
            ("abdullah", "abdulla"),
            ("mueller", "muller"),
            ("khalid", "halid"),
            ("qasim", "kasim"),
            ("sech1n", "sechin"),
            ("schmidt", "shmidt"),
        ] {
            assert_eq!(key(a), key(b));
            assert!(compare(a, b) >= 0.95, "{a} {b}");
        }
    }

    #[test]
    fn transliterations_exchange_some_vowels_and_others_make_another_name() {
        for (a, b) in
            [("jaber", "jabir"), ("khalid", "khaled"), ("othman", "uthman"), ("makhlouf", "makhluf")]
        {
            assert!(differ_by_transliteration(&key(a), &key(b)), "{a} {b}");
        }
        for (a, b) in
            [("jamal", "jamil"), ("maria", "marie"), ("maria", "mario"), ("ben", "bin"), ("karim", "karin")]
        {
            assert!(!differ_by_transliteration(&key(a), &key(b)), "{a} {b}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_consonants_rule_out_no_word_within_the_budget(a in "[abcdei]{1,10}", b in "[abcdei]{1,10}") {
            let cost = full_cost(a.as_bytes(), b.as_bytes());
            let near = consonants_are_near([consonants(&a), 0], [consonants(&b), 0], edits_of_consonants(cost));
            // A swap keeps the letters, and every other edit of a consonant costs one whole edit.
            proptest::prop_assert!(near[0]);
        }
    }

    #[test]
    fn typing_errors_stay_above_the_bar_and_other_words_below() {
        for (a, b) in [
            ("lavrov", "lavorv"),
            ("lukashenko", "lukashnko"),
            ("muhammad", "mohammed"),
            ("sanctions", "sanctoins"),
            ("osama", "usama"),
            ("bank", "bnak"),
            ("hasan", "haan"),
        ] {
            assert!(compare(a, b) >= SAME_WORD, "{a} {b} {}", compare(a, b));
        }
        for (a, b) in [
            ("olga", "oleg"),
            ("bwi", "bae"),
            ("lind", "lindeman"),
            ("2000", "2001"),
            ("p671", "p617"),
            ("kim", "tim"),
        ] {
            assert!(compare(a, b) < SAME_WORD, "{a} {b}");
        }
    }
}
