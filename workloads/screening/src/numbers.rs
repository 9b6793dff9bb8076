//! Numbers in words: `Forty-Four` and `1st` are numbers as `44` and `1` are.
//!
//! A number keeps its letters, so that one that is misspelt is still found; that it is a number is its [meaning](crate::meaning).

use crate::normalise::Word;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 13] = [
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
];

/// Every way to write a number below a hundred, normalised and in one word, and the number.
pub(crate) fn spellings() -> impl Iterator<Item = (String, u8)> {
    (0_u8..100).flat_map(|number| {
        let written = [
            number.to_string(),
            format!("{number:02}"),
            in_words(&UNITS, number),
            in_words(&ORDINALS, number),
        ];
        let endings = ["st", "nd", "rd", "th"].map(|ending| format!("{number}{ending}"));
        written.into_iter().chain(endings).map(move |text| (text, number))
    })
}

/// With the last part from `last`, which ends where the cardinal numbers have no other form: `fortyfour`, `fortyfourth`.
fn in_words(last: &[&str], number: u8) -> String {
    let (tens, unit) = (usize::from(number / 10), usize::from(number % 10));
    let or_unit = |at: usize| last.get(at).or(UNITS.get(at)).copied().unwrap_or_default();
    match (tens.checked_sub(2).and_then(|at| TENS.get(at)), unit) {
        (None, _) => or_unit(usize::from(number)).to_owned(),
        (Some(tens), 0) => (*tens).to_owned(),
        (Some(tens), _) => format!("{tens}{}", or_unit(unit)),
    }
}

/// Makes tens and the unit after them one word: `Forty Four`.
pub(crate) fn joined(words: Vec<Word>) -> Vec<Word> {
    let mut read: Vec<Word> = Vec::with_capacity(words.len());
    let mut tens_are_open = false;
    for word in words {
        match read.last_mut() {
            Some(tens) if tens_are_open && is_unit(&word.letters) => {
                tens.letters.push_str(unit_in_words(&word.letters));
                tens.span.end = word.span.end;
                tens_are_open = false;
            }
            _ => {
                tens_are_open = TENS.contains(&word.letters.as_str());
                read.push(word);
            }
        }
    }
    read
}

fn is_unit(word: &str) -> bool {
    UNITS[1..10].contains(&word)
        || ORDINALS[1..10].contains(&word)
        || matches!(word.as_bytes(), [b'1'..=b'9'])
}

/// `4` after tens as a word, so that the two make one.
fn unit_in_words(word: &str) -> &str {
    let digit = word.parse().ok().and_then(|digit: usize| UNITS.get(digit));
    digit.copied().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{meaning, normalise::Words};

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let words = |text: &str| {
            joined(Words::of(text).words).into_iter().map(|word| word.letters).collect::<Vec<_>>()
        };
        for (a, b) in [
            ("Squadron Forty-Four", "Squadron 44"),
            ("Squadron Forty 4", "Squadron 44"),
            ("First Bank", "1 Bank"),
            ("1st Bank", "Bank one"),
            ("Twenty One Twenty", "21 20"),
            ("Twenty-first 07", "21 Seven"),
            ("Factory 40 2", "Factory forty two"),
        ] {
            let (mut a, mut b) = (words(a), words(b));
            a.sort_by_key(|word| meaning::is_a_number(word));
            b.sort_by_key(|word| meaning::is_a_number(word));
            let same = a.len() == b.len()
                && a.iter()
                    .zip(&b)
                    .all(|(a, b)| a == b || meaning::shared(meaning::of(a), meaning::of(b)).is_some());
            assert_eq!(same, !a.contains(&"40".to_owned()), "{a:?} {b:?}");
        }
    }

    #[test]
    fn no_spelling_stands_for_two_numbers() {
        let mut known = std::collections::HashMap::new();
        for (text, number) in spellings() {
            assert!(*known.entry(text.clone()).or_insert(number) == number, "{text}");
        }
        assert_eq!((known["fortyfourth"], known["twelfth"], known["90"], known["zero"]), (44, 12, 90, 0));
    }
}
