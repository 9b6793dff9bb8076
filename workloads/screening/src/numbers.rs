//! Numbers in words: `Forty-Four` and `1st` are numbers as `44` and `1` are.

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

/// Writes numbers below a hundred in digits: cardinal, ordinal, and `1st`.
pub(crate) fn in_digits(words: Vec<Word>) -> Vec<Word> {
    let mut read: Vec<Word> = Vec::with_capacity(words.len());
    let mut tens_are_open = false;
    for mut word in words {
        let number = number(&word.letters);
        match (number, read.last_mut()) {
            (Some(unit @ 1..=9), Some(tens)) if tens_are_open => {
                let tens_value: u32 = tens.letters.parse().unwrap_or(0);
                tens.letters = (tens_value + unit).to_string();
                tens.span.end = word.span.end;
                tens_are_open = false;
            }
            (Some(number), _) => {
                tens_are_open =
                    number >= 20 && number % 10 == 0 && !word.letters.as_bytes()[0].is_ascii_digit();
                word.letters = number.to_string();
                read.push(word);
            }
            (None, _) => {
                tens_are_open = false;
                read.push(word);
            }
        }
    }
    read
}

fn number(word: &str) -> Option<u32> {
    let at = |all: &[&str]| all.iter().position(|one| *one == word).and_then(|at| u32::try_from(at).ok());
    let with_ending = || {
        let end = word.find(|c: char| !c.is_ascii_digit())?;
        let (digits, ending) = word.split_at(end);
        matches!(ending, "st" | "nd" | "rd" | "th").then(|| digits.parse().ok())?
    };
    let plain = || (word.len() <= 2).then(|| word.parse().ok())?;
    at(&UNITS)
        .or_else(|| at(&ORDINALS))
        .or_else(|| at(&TENS).map(|tens| 20 + 10 * tens))
        .or_else(with_ending)
        .or_else(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::Words;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let read = |text: &str| {
            in_digits(Words::of(text).words)
                .into_iter()
                .map(|word| word.letters)
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (text, expected) in [
            ("Brigade Forty-Four", "brigade 44"),
            ("Brigade Forty 4", "brigade 44"),
            ("First Bank", "1 bank"),
            ("1st Bank", "1 bank"),
            ("Twenty One Twenty", "21 20"),
            ("Factory 40 2", "factory 40 2"),
            ("21st Century 007", "21 century 007"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
