//! What kind of name a published name is, and how its parts are put together.

use kyb_domain::list::NameKind;

/// The kind of a name that its publisher calls `stated`: a plain alias that is not written in Latin letters is the name in
/// its original script. What is primary, weak or former stays so: that says more.
pub(crate) fn kind(stated: NameKind, text: &str) -> NameKind {
    if stated == NameKind::Alias && is_foreign(text) { NameKind::OriginalScript } else { stated }
}

/// Whether most of its letters are not Latin. Names mix scripts: `АО «РТК» JSC`.
pub(crate) fn is_foreign(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic() && !is_modifier(*c));
    let (latin, foreign): (Vec<char>, Vec<char>) = letters.partition(|c| is_latin(*c));
    foreign.len() > latin.len()
}

/// The parts of one name in their order, with blanks between them; without where the script writes none (Han, kana).
pub(crate) fn joined<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
    let unspaced = parts.iter().flat_map(|part| part.chars()).all(is_han_or_kana);
    parts.join(if unspaced { "" } else { " " })
}

/// The name that stands for the entry: the first that `wanted` prefers, else the first at all; the others keep their order.
pub(crate) fn primary_first(names: &mut [(NameKind, String)], wanted: impl Fn(&(NameKind, String)) -> bool) {
    if let Some(at) = names.iter().position(wanted) {
        names[..=at].rotate_right(1);
    }
}

/// Letters of the Unicode blocks that hold Latin, full-width forms included.
fn is_latin(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}'
            | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{ff21}'..='\u{ff5a}'
    )
}

/// Letters that modify others in any script, as in `Baʼath`.
fn is_modifier(c: char) -> bool {
    matches!(c, '\u{2b0}'..='\u{2ff}')
}

fn is_han_or_kana(c: char) -> bool {
    matches!(
        c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_in_other_letters_is_the_original_script() {
        use NameKind::{Alias, Former, OriginalScript, Primary, Weak};
        for (stated, text, expected) in [
            (Alias, "Ağrı Çelik A.Ş.", Alias),
            (Alias, "Baʼath", Alias),
            (Alias, "Đỗ Văn", Alias),
            (Alias, "АО «Волга» JSC", OriginalScript),
            (Alias, "Volga ВТ", Alias),
            (Alias, "金铁三", OriginalScript),
            (Alias, "شركة", OriginalScript),
            (Alias, "4711", Alias),
            (Weak, "Волга", Weak),
            (Former, "Волга", Former),
            (Primary, "Волга", Primary),
        ] {
            assert_eq!(kind(stated, text), expected, "{text}");
        }
    }

    #[test]
    fn parts_are_joined_as_the_script_writes_them() {
        assert_eq!(joined(["金", " 铁三 "]), "金铁三");
        assert_eq!(joined(["Иван", "", "Волгин"]), "Иван Волгин");
        assert_eq!(joined([]), "");
    }

    #[test]
    fn the_preferred_name_comes_first_and_the_others_stay_in_order() {
        let mut names = ["a", "b", "c"].map(|text| (NameKind::Alias, text.to_owned()));
        primary_first(&mut names, |(_, text)| text == "c");
        assert_eq!(names.map(|(_, text)| text), ["c", "a", "b"]);
    }
}
