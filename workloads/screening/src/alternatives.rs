//! Names that hold other names: `NAME A / NAME B`, `NAME A a.k.a. NAME B`, `NAME A (NAME B COMPANY)`.
//!
//! Publishers and registries put several names of one party into one field. A part is a name of its own only where each part could
//! stand alone: it has two words or more. And only a part that says enough about who is meant is looked for. So `Import/Export` is one name, as are
//! `Industries of Isfahan/Esfahan` (another spelling of its last word) and `Blue Star (Singapore)`. What is compared with a part
//! counts a little less than what is compared with the whole.

use crate::{
    name::{Name, NameWord},
    normalise::composed,
    word_class::{Class, Style},
};

/// What a name counts that is one of several in a field.
pub(crate) const ONE_OF_SEVERAL: f64 = 0.97;

/// Fields with more parts are lists of something else.
const MOST_PARTS: usize = 4;
/// What a part must say about who is meant, in bits: as much as one word that no table has.
const ENOUGH_BITS: f64 = 18.0;
/// Also known as, formerly or now known as, doing business as, trading as; written with dots or slashes or without.
const MARKERS: [&str; 4] = ["aka", "fka", "nka", "dba"];

/// The names of which `text` is made up; none where it is one name.
pub(crate) fn of(text: &str, style: Style) -> Vec<String> {
    if !may_have_parts(text) {
        return vec![];
    }
    let text = composed(text);
    let splits = [at_marks(&text), at_tight_slashes(&text, style), at_final_brackets(&text, style)];
    let stand_alone = |parts: &Vec<String>| {
        (2..=MOST_PARTS).contains(&parts.len()) && parts.iter().all(|part| stands_alone(part, style))
    };
    let parts = splits.into_iter().find(stand_alone).unwrap_or_default();
    parts.into_iter().filter(|part| says_enough(part, style)).collect()
}

/// A cheap test, since hardly a name has parts.
fn may_have_parts(text: &str) -> bool {
    text.contains(['/', '／', '(', '（']) || text.split_whitespace().any(is_marker)
}

fn is_marker(token: &str) -> bool {
    let letters = token.bytes().filter(u8::is_ascii_alphabetic);
    let is = |marker: &str| letters.clone().map(|letter| letter.to_ascii_lowercase()).eq(marker.bytes());
    (3..=7).contains(&token.len()) && MARKERS.iter().any(|marker| is(marker))
}

/// Cut at slashes with white space beside them, and at words such as `a.k.a.`
fn at_marks(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for token in text.split_whitespace() {
        let (before, after) = (token.starts_with('/'), token.ends_with('/'));
        let is_marker = is_marker(token);
        if (before || is_marker) && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| !is_marker) {
            part.push_str(token.trim_matches('/'));
            part.push(' ');
        }
        if after && token.len() > 1 {
            parts.push(String::new());
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Cut at slashes between words, unless what stands before is the word after `of` or the like: then the slash is between two
/// words for one thing.
fn at_tight_slashes(text: &str, style: Style) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_of = |part: &&str| ends_with_an_addition(part, style);
    if parts.split_last().is_none_or(|(_, before)| before.iter().any(is_of)) {
        return vec![];
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// `… of Syria`, `… for the Call`; Arabic articles belong to the word.
fn ends_with_an_addition(part: &str, style: Style) -> bool {
    let name = Name::parse(part, style);
    let before_last = name.words.iter().rev().nth(1);
    before_last
        .is_some_and(|word| word.class == Class::Particle && !matches!(word.text.as_str(), "al" | "el"))
}

/// What stands before brackets at the end and what stands in them, where that is called like a body: places and branches stand in
/// brackets too.
fn at_final_brackets(text: &str, style: Style) -> Vec<String> {
    let inside = text.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once('('));
    let Some((before, inside)) = inside.filter(|(before, _)| !before.contains(['(', ')'])) else {
        return vec![];
    };
    let name = Name::parse(inside, style);
    let begins_with_a_particle = name.words.first().is_some_and(|word| word.class == Class::Particle);
    let is_of_a_body = name.words.iter().any(|word| word.class == Class::Generic);
    if begins_with_a_particle || !(is_of_a_body || name.words.len() > 2) {
        return vec![];
    }
    vec![before.trim().to_owned(), inside.trim().to_owned()]
}

/// Two words, of a person both of them names.
fn stands_alone(part: &str, style: Style) -> bool {
    let name = Name::parse(part, style);
    let least_telling = if style == Style::Person { 2 } else { 1 };
    name.words.len() >= 2 && telling(&name).count() >= least_telling
}

fn says_enough(part: &str, style: Style) -> bool {
    let name = Name::parse(part, style);
    telling(&name).map(|word| word.class.bits(word.information)).sum::<f64>() >= ENOUGH_BITS
}

fn telling(name: &Name) -> impl Iterator<Item = &NameWord> {
    name.words.iter().filter(|word| word.class == Class::Core && word.text.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_one_field_are_told_apart() {
        let table: &[(&str, &[&str])] = &[
            ("Zorkan Front/Velunda Army", &["Zorkan Front", "Velunda Army"]),
            ("Zorkan Front/Islamic Army", &["Zorkan Front"]),
            ("AL-ZORKAN/EL VELUNDA", &["AL-ZORKAN", "EL VELUNDA"]),
            ("Zorkan Trading LLC / Velunda Shipping", &["Zorkan Trading LLC", "Velunda Shipping"]),
            ("Zorkan Trading ／ Velunda Shipping", &["Zorkan Trading", "Velunda Shipping"]),
            ("Zorkan Trading a.k.a. Velunda Shipping", &["Zorkan Trading", "Velunda Shipping"]),
            ("Zorkan Trading LLC d/b/a Velunda Shipping", &["Zorkan Trading LLC", "Velunda Shipping"]),
            ("Zorkan-e Sepah (Velunda Force of Mirath)", &["Zorkan-e Sepah", "Velunda Force of Mirath"]),
        ];
        for (text, expected) in table {
            assert_eq!(of(text, Style::Organisation), *expected, "{text}");
        }
    }

    #[test]
    fn what_could_not_stand_alone_stays_in_its_name() {
        for text in [
            "Zorkan Import/Export Corporation",
            "Zorkan Industries of Isfahan/Esfahan",
            "Front for the Conquest of Syria/the Levant",
            "Zorkan Movement/Army",
            "A/S Zorkan Velunda",
            "M/S Zorkan Trading",
            "DHKP/C",
            "Zorkan Trading (Singapore)",
            "Zorkan (Eastern Europe) Ltd",
            "Zorkan Bank (of Iran)",
            "Zorkan Trading Company (ZTC)",
            "Smith/Jones Consulting",
            "Zorkan Velunda/",
            "/ / /",
            "a.k.a.",
            "(((",
        ] {
            assert_eq!(of(text, Style::Organisation), Vec::<String>::new(), "{text}");
        }
        assert_eq!(of("ZORKAN / ZORQAN, Velunda", Style::Person), Vec::<String>::new());
        assert_eq!(of("Mirath Zorkan / Velunda Qesh", Style::Person), ["Mirath Zorkan", "Velunda Qesh"]);
        let many = ["Zorkan Velunda"; 9].join(" / ");
        assert_eq!(of(&many, Style::Organisation), Vec::<String>::new());
    }
}
