//! Seeded faults of people who type names.
#![allow(dead_code, reason = "each test file uses its part")]

/// A small generator (SplitMix64), so that figures are the same on every run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or_default()
    }
}

/// One fault of a random kind, and what kind; `None` where the name has no word that could bear it (a swap or a lost letter
/// needs a word of more than four letters, another order two words).
pub(crate) fn change(name: &str, chance: &mut Chance) -> Option<(&'static str, String)> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let long = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 4;
    let bearers: Vec<usize> = (0..words.len()).filter(|at| long(&words[*at])).collect();
    let kind = ["swapped letters", "dropped letter", "other order"][chance.below(3)];
    if kind == "other order" {
        let mut words = words;
        words.reverse();
        return (words.len() > 1).then(|| (kind, words.join(" ")));
    }
    let bearer = *bearers.get(chance.below(bearers.len().max(1)))?;
    let mut letters: Vec<char> = words[bearer].chars().collect();
    let places: Vec<usize> = (1..letters.len() - 1)
        .filter(|at| {
            letters[*at].is_alphabetic() && letters[at + 1].is_alphabetic() && letters[*at] != letters[at + 1]
        })
        .collect();
    let place = *places.get(chance.below(places.len().max(1)))?;
    if kind == "swapped letters" {
        letters.swap(place, place + 1);
    } else {
        letters.remove(place);
    }
    let changed: String = letters.into_iter().collect();
    let words = words.iter().enumerate().map(|(at, word)| if at == bearer { changed.as_str() } else { word });
    Some((kind, words.collect::<Vec<_>>().join(" ")))
}
