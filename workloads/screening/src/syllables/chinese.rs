//! Chinese words in Latin letters: pinyin, Wade-Giles and what newspapers make of them write one syllable in several ways (`Xi`, `Hsi`;
//! `Zhang`, `Chang`). A word that is made of such syllables alone has a sound, in which these ways are one.

use super::read;

/// Initials, longest first, and the class of sounds they stand for in one system or another.
const INITIALS: [(&str, char); 27] = [
    ("zh", 'c'),
    ("ch", 'c'),
    ("sh", 's'),
    ("hs", 's'),
    ("ts", 'z'),
    ("tz", 'z'),
    ("sz", 's'),
    ("j", 'c'),
    ("q", 'c'),
    ("x", 's'),
    ("s", 's'),
    ("z", 'z'),
    ("c", 'z'),
    ("b", 'p'),
    ("p", 'p'),
    ("d", 't'),
    ("t", 't'),
    ("g", 'k'),
    ("k", 'k'),
    ("m", 'm'),
    ("n", 'n'),
    ("l", 'l'),
    ("h", 'h'),
    ("f", 'f'),
    ("r", 'r'),
    ("y", 'y'),
    ("w", 'w'),
];

/// Finals, longest first, and one way to write them.
const FINALS: [(&str, &str); 44] = [
    ("iang", "iang"),
    ("iong", "iung"),
    ("iung", "iung"),
    ("uang", "uang"),
    ("ueng", "ung"),
    ("ang", "ang"),
    ("eng", "eng"),
    ("ong", "ung"),
    ("ung", "ung"),
    ("ing", "ing"),
    ("iao", "iao"),
    ("ian", "ien"),
    ("ien", "ien"),
    ("ieh", "ie"),
    ("uai", "uai"),
    ("uan", "uan"),
    ("uei", "ui"),
    ("ueh", "ue"),
    ("erh", "er"),
    ("ai", "ai"),
    ("ei", "ei"),
    ("ao", "ao"),
    ("ou", "ou"),
    ("an", "an"),
    ("en", "en"),
    ("er", "er"),
    ("ia", "ia"),
    ("ie", "ie"),
    ("iu", "iu"),
    ("in", "in"),
    ("ih", "i"),
    ("eh", "o"),
    ("ua", "ua"),
    ("uo", "o"),
    ("ui", "ui"),
    ("un", "un"),
    ("ue", "ue"),
    ("yu", "u"),
    ("a", "a"),
    ("o", "o"),
    ("e", "o"),
    ("i", "i"),
    ("u", "u"),
    ("v", "u"),
];

/// The most letters and syllables of a word that is looked at; longer ones are not Chinese.
const LONGEST: usize = 18;

/// The sound of a normalised word; none where it can't be Chinese.
pub(super) fn sound(word: &str) -> Option<String> {
    if word.len() < 2 || word.len() > LONGEST || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let mut sound = String::with_capacity(word.len());
    rest(word, &mut sound).then_some(sound)
}

/// Reads all of the word, syllable by syllable, the longest first; takes back what leads nowhere.
fn rest(word: &str, sound: &mut String) -> bool {
    if word.is_empty() {
        return true;
    }
    let before = sound.len();
    for (class, after) in read(word, &INITIALS) {
        for (written, after) in read(after, &FINALS) {
            sound.push(class);
            sound.push_str(written);
            if rest(after, sound) {
                return true;
            }
            sound.truncate(before);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_syllable_sounds_alike_in_every_system() {
        for (a, b) in [
            ("xi", "hsi"),
            ("xi", "shi"),
            ("zhang", "chang"),
            ("jinping", "chinping"),
            ("deng", "teng"),
            ("zhou", "chou"),
            ("song", "sung"),
        ] {
            assert_eq!(sound(a), sound(b), "{a} {b}");
            assert!(sound(a).is_some(), "{a}");
        }
        for (a, b) in [("li", "lu"), ("wang", "huang"), ("xi", "xu"), ("ming", "min")] {
            assert_ne!(sound(a), sound(b), "{a} {b}");
        }
        for word in ["smith", "kowalski", "b737", "x", "trade"] {
            assert_eq!(sound(word), None, "{word}");
        }
    }
}
