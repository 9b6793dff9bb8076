//! Words of scripts that leave short vowels out: Arabic and Hebrew. Their transliteration (`mhmd`, `ymn`, `dhwhry`) is no misspelling
//! of how people write them in Latin letters (`Muhammad`, `Ayman`, `Zawahiri`), so the two are compared by what both scripts write:
//! the consonants, by how they are rendered, and where a long vowel or half-vowel stands.
//!
//! One such word stands for several (`mhmd` for Mahmud too), so it counts less than a spelling, see [`crate::align`].

/// Whether a letter is of such a script.
pub(crate) fn is_letter(c: char) -> bool {
    // Hebrew; Arabic with its supplements for other languages. Presentation forms are composed before.
    matches!(c, '\u{590}'..='\u{5ff}' | '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}')
}

/// A letter in Latin ones, where `before` are those of its word so far.
pub(crate) fn rendered(c: char, before: &str) -> &'static str {
    match (c, any_ascii::any_ascii_char(c)) {
        ('ו', _) => "w",
        ('ש', _) => "sh",
        ('כ' | 'ך', _) => "k",
        // So that it is not read as one consonant with the letter before: Suhail's `s`.
        (_, "h") if before.ends_with(['c', 'd', 'g', 'k', 'p', 's', 't', 'z']) => "ah",
        (_, latin) => latin,
    }
}

/// The Arabic article, which stands before its noun as one word with it.
pub(crate) fn has_article(word: &str) -> bool {
    word.strip_prefix(ARTICLE).is_some_and(|noun| noun.chars().count() > 1) && word != GOD
}

/// What closes many names, written apart or as one: `عبد الله`, Abdullah.
pub(crate) const GOD: &str = "الله";
const ARTICLE: &str = "ال";
/// The same in Latin letters.
pub(crate) const ARTICLE_RENDERED: &str = "al";
/// How much of a rendered word the article is; its first letter is silent.
pub(crate) const ARTICLE_LETTERS: usize = "l".len();

/// What is read between two consonants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Gap {
    /// A vowel that a written `w` may be, and one that a written `y` may be.
    round: bool,
    bright: bool,
    /// A `w` that is written.
    w: bool,
}

/// The consonants of a word, and what stands before, between and after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consonants {
    /// One letter for each group of consonants that stand for each other, none twice in a row.
    pub(crate) skeleton: String,
    gaps: Vec<Gap>,
}

impl Consonants {
    /// Of a word in Latin letters; `None` where there is no consonant, or a digit.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let mut consonants = Self { skeleton: String::new(), gaps: vec![Gap::default()] };
        let mut rest = word.as_bytes();
        while let Some((group, taken)) = group(rest) {
            match group {
                Group::Consonant(letter) if consonants.skeleton.ends_with(letter) => {}
                Group::Consonant(letter) => {
                    consonants.skeleton.push(letter);
                    consonants.gaps.push(Gap::default());
                }
                Group::Vowel(vowel) => {
                    let gap = consonants.gaps.last_mut()?;
                    gap.round |= matches!(vowel, b'u' | b'o' | b'w');
                    gap.bright |= matches!(vowel, b'i' | b'e' | b'y');
                    gap.w |= vowel == b'w';
                }
                Group::Digit => return None,
            }
            rest = &rest[taken..];
        }
        // A last `h` is written or not.
        if consonants.skeleton.len() > 1 && consonants.skeleton.ends_with('h') {
            consonants.skeleton.pop();
            consonants.gaps.pop();
        }
        (!consonants.skeleton.is_empty()).then_some(consonants)
    }
}

enum Group {
    Consonant(char),
    Vowel(u8),
    Digit,
}

/// The next letter or two, and how many they are.
fn group(rest: &[u8]) -> Option<(Group, usize)> {
    let (letter, taken) = match rest {
        [b's', b'c', b'h', ..] => ('$', 3),
        [b's' | b'c', b'h', ..] => ('$', 2),
        [b'k', b'h', ..] => ('h', 2),
        [b'g', b'h', ..] => ('k', 2),
        [b'p', b'h', ..] => ('b', 2),
        [b't', b'h', ..] => ('t', 2),
        [b't', b's' | b'z', ..] => ('s', 2),
        [b'd' | b'z', b'h', ..] => ('d', 2),
        [b'd', b'j', ..] => ('j', 2),
        [b'b' | b'p' | b'f' | b'v', ..] => ('b', 1),
        [b'd' | b'z', ..] => ('d', 1),
        [b'k' | b'q' | b'c' | b'g' | b'x', ..] => ('k', 1),
        [vowel @ (b'a' | b'e' | b'i' | b'o' | b'u' | b'w' | b'y'), ..] => {
            return Some((Group::Vowel(*vowel), 1));
        }
        [letter, ..] if letter.is_ascii_lowercase() => (char::from(*letter), 1),
        [_, ..] => return Some((Group::Digit, 1)),
        [] => return None,
    };
    Some((Group::Consonant(letter), taken))
}

/// Whether a word of such a script, transliterated, may be this one in Latin letters.
pub(crate) fn may_be(written: &Consonants, latin: &Consonants) -> bool {
    let mut gaps = written.gaps.iter().zip(&latin.gaps);
    written.skeleton == latin.skeleton
        && gaps.all(|(written, latin)| {
            (!written.w || latin.round) && (!latin.w || written.w) && (!written.bright || latin.bright)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::Words;

    /// The words of a text in such a script.
    fn written(text: &str) -> Vec<String> {
        Words::of(text).words.into_iter().map(|word| word.letters).collect()
    }

    fn agree(text: &str, latin: &str) -> bool {
        let written = written(text);
        let latin: Vec<&str> = latin.split(' ').collect();
        written.len() == latin.len()
            && written.iter().zip(latin).all(|(written, latin)| {
                written == latin
                    || match (Consonants::of(written), Consonants::of(latin)) {
                        (Some(written), Some(latin)) => may_be(&written, &latin),
                        _ => false,
                    }
            })
    }

    #[test]
    fn a_word_without_vowels_is_known_by_its_consonants() {
        for (text, latin) in [
            ("محمد", "muhammad"),
            ("محمد", "mohamed"),
            ("علي", "ali"),
            ("أيمن الظواهري", "ayman al zawahiri"),
            ("خالد", "khalid"),
            ("حسين", "hussein"),
            ("موسى", "moussa"),
            ("مصطفى", "mustafa"),
            ("فاطمة", "fatimah"),
            ("عبد الله", "abdullah"),
            ("عبدالله", "abdulla"),
            ("ممدوح", "mamdouh"),
            ("قذافي", "gaddafi"),
            ("يوسف", "yousef"),
            ("جمال", "jamal"),
            ("בנימין נתניהו", "binyamin netanyahu"),
            ("משה", "moshe"),
            ("בנימין כהן", "binyamin kohen"),
            ("سهيل", "suhail"),
            ("יצחק", "yitzhak"),
            ("שלום", "shalom"),
        ] {
            assert!(agree(text, latin), "{text} {:?} {latin}", written(text));
        }
    }

    #[test]
    fn other_consonants_and_long_vowels_are_another_word() {
        for (text, latin) in [
            ("محمود", "muhammad"),
            ("حسين", "hassan"),
            ("كمال", "jamal"),
            ("علي", "alla"),
            ("محمدی", "muhammad"),
            ("هانيه", "khan"),
            ("وليد", "khalid"),
            ("سالم", "walim"),
        ] {
            assert!(!agree(text, latin), "{text} {:?} {latin}", written(text));
        }
        assert_eq!(Consonants::of("aya"), None);
        assert_eq!(Consonants::of("b737"), None);
    }
}
