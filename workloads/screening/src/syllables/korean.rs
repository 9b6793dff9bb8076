//! Korean words in Latin letters: McCune-Reischauer, the systems of South and North, and what people make of their own names write one
//! syllable in several ways (`Pak`, `Bak`, `Park`; `Chŏng`, `Jeong`, `Jung`; `Hyŏk`, `Hyuk`). What is kept apart is what most of them
//! keep apart.

use super::read;

/// Consonants that begin a syllable, longest first, and the class of sounds they stand for. A syllable may begin without any.
const INITIALS: [(&str, &str); 26] = [
    ("kk", "k"),
    ("gg", "k"),
    ("tt", "t"),
    ("dd", "t"),
    ("pp", "p"),
    ("bb", "p"),
    ("ss", "s"),
    ("sh", "s"),
    ("ch", "c"),
    ("jj", "c"),
    ("rh", "r"),
    ("k", "k"),
    ("g", "k"),
    ("t", "t"),
    ("d", "t"),
    ("p", "p"),
    ("b", "p"),
    ("s", "s"),
    ("j", "c"),
    ("r", "r"),
    ("l", "r"),
    ("m", "m"),
    ("n", "n"),
    ("h", "h"),
    ("f", "p"),
    ("", ""),
];

/// Vowels, longest first, and one way to write them before a consonant and at the end of a syllable: `ung` may be `ong`, but `Su` is
/// not `So`.
const VOWELS: [(&str, [&str; 2]); 47] = [
    ("yeo", ["yo", "yo"]),
    ("you", ["yo", "yu"]),
    ("yoo", ["yo", "yu"]),
    ("yae", ["ye", "ye"]),
    ("woo", ["o", "u"]),
    ("wae", ["we", "we"]),
    ("weo", ["wo", "wo"]),
    ("wee", ["wi", "wi"]),
    ("eui", ["ui", "ui"]),
    ("ya", ["ya", "ya"]),
    ("yo", ["yo", "yo"]),
    ("yu", ["yo", "yu"]),
    ("ye", ["ye", "ye"]),
    ("yi", ["i", "i"]),
    ("wa", ["wa", "wa"]),
    ("wo", ["wo", "wo"]),
    ("wu", ["o", "u"]),
    ("we", ["we", "we"]),
    ("wi", ["wi", "wi"]),
    ("eo", ["o", "o"]),
    ("eu", ["o", "u"]),
    ("oh", ["o", "o"]),
    ("uh", ["o", "o"]),
    ("ah", ["a", "a"]),
    ("eh", ["e", "e"]),
    ("oe", ["we", "we"]),
    ("oi", ["we", "we"]),
    ("oy", ["we", "we"]),
    ("oo", ["o", "u"]),
    ("ou", ["o", "u"]),
    ("ow", ["o", "u"]),
    ("ui", ["ui", "ui"]),
    ("ue", ["wi", "wi"]),
    ("ae", ["e", "e"]),
    ("ai", ["e", "e"]),
    ("ay", ["e", "e"]),
    ("ee", ["i", "i"]),
    ("ie", ["i", "i"]),
    ("ea", ["e", "e"]),
    ("ia", ["ya", "ya"]),
    ("io", ["yo", "yo"]),
    ("iu", ["yo", "yu"]),
    ("a", ["a", "a"]),
    ("e", ["e", "e"]),
    ("o", ["o", "o"]),
    ("u", ["o", "u"]),
    ("i", ["i", "i"]),
];

/// Consonants that end a syllable, longest first, and one way to write them. A syllable may end without any.
const FINALS: [(&str, &str); 14] = [
    ("ng", "ng"),
    ("rk", "k"),
    ("ck", "k"),
    ("k", "k"),
    ("g", "k"),
    ("n", "n"),
    ("t", "t"),
    ("d", "t"),
    ("l", "l"),
    ("r", "l"),
    ("m", "m"),
    ("p", "p"),
    ("b", "p"),
    ("", ""),
];

/// The longest syllable has six letters, and two are written as one word.
const LONGEST: usize = 12;
/// What words of two syllables have; without it they are rather of another language.
const TELLING: [&str; 14] =
    ["ng", "yo", "eo", "eu", "ky", "gy", "hy", "my", "py", "by", "kw", "gw", "hw", "ch"];

/// The sound of a normalised word; none where it can't be Korean.
pub(super) fn sound(word: &str) -> Option<String> {
    let is_none = |byte: u8| !byte.is_ascii_lowercase() || matches!(byte, b'q' | b'v' | b'x' | b'z');
    if word.len() < 2 || word.len() > LONGEST || word.bytes().any(is_none) {
        return None;
    }
    let most = if TELLING.iter().any(|letters| word.contains(letters)) { 2 } else { 1 };
    of_syllables(word, most)
}

fn of_syllables(word: &str, most: usize) -> Option<String> {
    let mut sound = String::new();
    rest(word, most, &mut sound).then_some(sound)
}

/// Reads all of the word as so many syllables at most, the longest first; takes back what leads nowhere.
fn rest(word: &str, most: usize, sound: &mut String) -> bool {
    if word.is_empty() || most == 0 {
        return word.is_empty();
    }
    let before = sound.len();
    for (initial, after) in read(word, &INITIALS) {
        for (vowels, after) in read(after, &VOWELS) {
            for (last, after) in read(after, &FINALS) {
                push(sound, initial, vowels, last);
                if rest(after, most - 1, sound) {
                    return true;
                }
                sound.truncate(before);
            }
        }
    }
    false
}

/// The North writes an `r` before `i` and `y` that the South leaves out: `Ri` is `Yi`, `Ryong` is `Yong`.
fn push(sound: &mut String, initial: &str, [closed, open]: [&str; 2], last: &str) {
    let vowel = if last.is_empty() { open } else { closed };
    let initial = if initial == "r" && vowel.starts_with(['i', 'y']) { "" } else { initial };
    for part in [initial, vowel, last, "."] {
        sound.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_syllable_sounds_alike_in_every_system() {
        for (a, b) in [
            ("pak", "bak"),
            ("pak", "park"),
            ("yi", "lee"),
            ("ri", "rhee"),
            ("choe", "choi"),
            ("chong", "jeong"),
            ("chong", "jung"),
            ("hyok", "hyuk"),
            ("myong", "myeong"),
            ("kwang", "gwang"),
            ("kuk", "gook"),
            ("un", "eun"),
            ("u", "woo"),
            ("jae", "chae"),
            ("chol", "cheol"),
            ("chol", "chul"),
            ("ryong", "yong"),
            ("yongchol", "yeongcheol"),
        ] {
            let syllables = |word| of_syllables(word, 2);
            assert!(syllables(a).is_some() && syllables(a) == syllables(b), "{a} {b}");
        }
        for (a, b) in
            [("chol", "chun"), ("su", "so"), ("kim", "kang"), ("sik", "guk"), ("il", "in"), ("hyok", "hyon")]
        {
            assert_ne!(sound(a), sound(b), "{a} {b}");
        }
        for word in ["smith", "karim", "jamal", "salim", "x", "trade", "kowalski", "b737"] {
            assert_eq!(sound(word), None, "{word}");
        }
    }
}
