//! Chinese and Korean words in Latin letters, which several systems write in several ways. A word that is made of such syllables alone
//! has a sound, in which these ways are one; some words have one in either language.

mod chinese;
mod korean;

/// How a word sounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sound {
    Chinese(Box<str>),
    Korean(Box<str>),
}

/// The sounds of a normalised word; most have none.
pub(crate) fn sounds(word: &str) -> Vec<Sound> {
    let chinese = chinese::sound(word).map(|sound| Sound::Chinese(sound.into_boxed_str()));
    let korean = korean::sound(word).map(|sound| Sound::Korean(sound.into_boxed_str()));
    chinese.into_iter().chain(korean).collect()
}

/// Whether two words have a sound in common.
pub(crate) fn sound_alike(a: &[Sound], b: &[Sound]) -> bool {
    a.iter().any(|sound| b.contains(sound))
}

/// Whether a word is made of Chinese syllables, each of which is a name of its own.
pub(crate) fn is_chinese(sounds: &[Sound]) -> bool {
    sounds.iter().any(|sound| matches!(sound, Sound::Chinese(_)))
}

/// What of a table the word begins with, and what is left of it then.
fn read<'a, T: Copy>(word: &'a str, table: &'a [(&str, T)]) -> impl Iterator<Item = (T, &'a str)> {
    let first = word.as_bytes().first();
    // Most of a table is passed over by the first letter.
    let begins = move |letters: &str| letters.is_empty() || letters.as_bytes().first() == first;
    let likely = table.iter().filter(move |(letters, _)| begins(letters));
    likely.filter_map(move |(letters, sound)| Some((*sound, word.strip_prefix(letters)?)))
}
