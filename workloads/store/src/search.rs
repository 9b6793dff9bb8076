//! What a business is found by: folded words of its names, and hashes of its tax numbers.

use std::collections::BTreeSet;

use kyb_domain::{
    business::BusinessProfile,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    tenant::TenantId,
};
use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Words beyond this many of one text are left out; a business has at most 51 names of at most 500 characters.
const MOST_WORDS: usize = 1000;

/// Longer words are cut, so that an index entry stays far below a page.
const LONGEST_WORD: usize = 100;

/// The different words of a text, in lower case and without accents: `Bäckerei Müller` and `BACKEREI  MULLER` agree.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    let folded: String =
        text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let cut = |word: &str| word.chars().take(LONGEST_WORD).collect();
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(cut)
        .take(MOST_WORDS)
        .collect()
}

/// The different words of a business's names.
pub(crate) fn words_of(profile: &BusinessProfile) -> Vec<String> {
    let names = std::iter::once(&profile.name).chain(&profile.trading_names);
    names.flat_map(|name| words(name.as_str())).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The hashes of a business's tax numbers.
pub(crate) fn tax_hashes_of(tenant: &TenantId, profile: &BusinessProfile) -> Vec<Vec<u8>> {
    let numbers = profile.identifiers.iter().filter(|identifier| identifier.kind == IdentifierKind::TaxId);
    numbers.map(|number| tax_hash(tenant, number)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The hash to look a tax number up by; `None` where the text can't be a number.
pub(crate) fn tax_hash_of_text(tenant: &TenantId, text: &str) -> Option<Vec<u8>> {
    let value = IdentifierValue::try_from(text).ok()?;
    Some(tax_hash(tenant, &Identifier { kind: IdentifierKind::TaxId, value, country: None }))
}

/// SHA-256 over tenant, a separator that no tenant id contains, and the number without separators and case. It keeps
/// numbers out of indexes and tells tenants' rows apart; it is no anonymisation, since tax numbers can be enumerated.
fn tax_hash(tenant: &TenantId, number: &Identifier) -> Vec<u8> {
    Sha256::digest(format!("{tenant}:{}", number.normalised())).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_do_not_tell_words_apart() {
        assert_eq!(words("Bäckerei MÜLLER & Söhne, K.G."), words("backerei  muller sohne k g"));
        assert_eq!(words("東京 Ltd"), BTreeSet::from(["ltd".to_owned(), "東京".to_owned()]));
        assert!(words(" -- ").is_empty());
    }

    #[test]
    fn a_tax_number_hashes_alike_in_every_spelling_and_differently_for_every_tenant() {
        let [acme, other] = ["acme", "other"].map(|id| TenantId::try_from(id).unwrap());
        assert_eq!(tax_hash_of_text(&acme, "de 123-456"), tax_hash_of_text(&acme, "DE123456"));
        assert_ne!(tax_hash_of_text(&acme, "DE123456"), tax_hash_of_text(&other, "DE123456"));
        assert_eq!(tax_hash_of_text(&acme, "--"), None);
    }
}
