//! A name taken apart: its words with their classes, and its legal forms.

use crate::{
    article,
    legal_form::{self, FormNumber},
    meaning::{self, Meaning},
    normalise::Words,
    numbers,
    ordinary::Information,
    spelling::{Spelling, consonants, key},
    syllables::{self, Sound},
    word_class::{Class, Style, classify},
};

/// One word of a name that is to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NameWord {
    pub(crate) text: String,
    pub(crate) key: String,
    /// Of the key and of the text.
    pub(crate) consonants: [u64; 2],
    pub(crate) class: Class,
    pub(crate) information: Information,
    pub(crate) meanings: &'static [Meaning],
    /// See [`syllables`].
    pub(crate) sounds: Vec<Sound>,
    /// Whether it was written in a script that leaves vowels out, see [`crate::abjad`].
    pub(crate) is_abjad: bool,
}

impl NameWord {
    pub(crate) fn new(text: String, class: Class, is_abjad: bool) -> Self {
        let key = key(&text);
        let consonants = [consonants(&key), consonants(&text)];
        let information = Information::of(&text);
        let (meanings, sounds) = (meaning::of(&text), syllables::sounds(&text));
        Self { text, key, consonants, class, information, meanings, sounds, is_abjad }
    }

    pub(crate) fn spelling(&self) -> Spelling<'_> {
        Spelling { text: &self.text, key: &self.key, consonants: self.consonants }
    }
}

/// A name taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) words: Vec<NameWord>,
    pub(crate) forms: Vec<FormNumber>,
}

impl Name {
    /// Takes `text` apart as a name of the given style. There are no words only where there is no letter or digit.
    pub(crate) fn parse(text: &str, style: Style) -> Self {
        let words = Words::of(text);
        let (words, forms) = match style {
            Style::Person => (article::apart(words.words), vec![]),
            Style::Organisation => {
                let words = words.with_initials_joined();
                let split = legal_form::split(&words);
                let forms = split.forms.iter().map(|found| found.form).collect();
                let rest = words.words.into_iter().skip(split.rest.start).take(split.rest.len()).collect();
                (numbers::joined(rest), forms)
            }
        };
        let is_article: Vec<bool> =
            words.windows(2).map(|pair| article::is_assimilated(&pair[0], &pair[1])).collect();
        let classified = (0..).zip(words).map(|(position, word)| {
            let is_article = is_article.get(position).copied().unwrap_or(false);
            let class = if is_article { Class::Particle } else { classify(&word.letters, position, style) };
            NameWord::new(word.letters, class, word.is_abjad)
        });
        let mut name = Self { words: classified.collect(), forms };
        if style == Style::Organisation {
            name.words
                .iter_mut()
                .filter(|word| legal_form::is_spelling(&word.text))
                .for_each(|word| word.class = Class::Generic);
        }
        name.promote();
        name
    }

    /// A name that has nothing but common words is told from others by them: `General Trading Company`.
    fn promote(&mut self) {
        for class in [Class::Number, Class::Generic, Class::Particle, Class::Title, Class::Initial] {
            if self.words.iter().any(|word| word.class == Class::Core) {
                return;
            }
            let of_class = |word: &&mut NameWord| word.class == class;
            self.words.iter_mut().filter(of_class).for_each(|word| word.class = Class::Core);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str, style: Style) -> Vec<(String, Class)> {
        Name::parse(text, style).words.into_iter().map(|word| (word.text, word.class)).collect()
    }

    #[test]
    fn a_name_of_common_words_only_keeps_its_words() {
        let core = |text: &str| (text.to_owned(), Class::Core);
        assert_eq!(shape("General Trading Company", Style::Organisation), [core("general"), core("trading")]);
        assert_eq!(shape("Bin Abu", Style::Person), [core("bin"), core("abu")]);
        assert_eq!(shape("LLC", Style::Organisation), [core("llc")]);
    }
}
