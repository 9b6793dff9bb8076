//! What it costs to make one word of another, letter by letter; of one word, and of sixteen at once.

use crate::normalise::LONGEST_WORD;

/// Costs of edits, in tenths: any, two neighbours swapped, a vowel lost or added, a vowel for another one.
pub(super) const EDIT: u8 = 10;
pub(super) const SWAP: u8 = 8;
pub(super) const VOWEL_LOST: u8 = 7;
const VOWEL_FOR_VOWEL: u8 = 5;

/// More than any budget.
const FAR: u8 = 100;

/// Optimal string alignment (edits and swaps of neighbours) with cheaper edits of vowels, because transliteration and
/// dictation lose vowels first. In tenths; `None` above `budget`. Only cells near enough to the diagonal are computed.
pub(super) fn edit_cost(a: &[u8], b: &[u8], budget: u8) -> Option<u8> {
    let (a, b) = (&a[..a.len().min(LONGEST_WORD)], &b[..b.len().min(LONGEST_WORD)]);
    let band = usize::from(budget / VOWEL_LOST);
    if a.len().abs_diff(b.len()) > band {
        return None;
    }
    let mut rows = [[FAR; LONGEST_WORD + 1]; 3];
    rows[0][0] = 0;
    for (column, letter) in b.iter().enumerate().take(band) {
        rows[0][column + 1] = rows[0][column] + indel(*letter);
    }
    let mut cheapest_before = 0;
    for (row, &x) in a.iter().enumerate() {
        let [before, last, now] = rotated(&mut rows, row);
        let first = (row + 1).saturating_sub(band);
        now[first.saturating_sub(1)] = FAR;
        if first == 0 {
            now[0] = last[0].saturating_add(indel(x));
        }
        let mut cheapest = if first == 0 { now[0] } else { FAR };
        for column in first.max(1)..=b.len().min(row + 1 + band) {
            let y = b[column - 1];
            let edit = (last[column - 1] + substitution(x, y))
                .min(last[column] + indel(x))
                .min(now[column - 1] + indel(y));
            let swaps = row > 0 && column > 1 && x == b[column - 2] && y == a[row - 1];
            now[column] = if swaps { edit.min(before[column - 2] + SWAP) } else { edit }.min(FAR);
            cheapest = cheapest.min(now[column]);
        }
        // A swap reaches two rows back, so only two hopeless rows are the end.
        if cheapest > budget && cheapest_before > budget {
            return None;
        }
        cheapest_before = cheapest;
    }
    let cost = rows[a.len() % 3][b.len()];
    (cost <= budget).then_some(cost)
}

/// The rows before last, last and now, for the letter `row` of the first word.
fn rotated<T, const N: usize>(rows: &mut [[T; N]; 3], row: usize) -> [&mut [T; N]; 3] {
    let [zero, one, two] = rows;
    match row % 3 {
        0 => [two, zero, one],
        1 => [zero, one, two],
        _ => [one, two, zero],
    }
}

fn indel(letter: u8) -> u8 {
    if kinds(letter) & VOWEL == 0 { EDIT } else { VOWEL_LOST }
}

fn substitution(a: u8, b: u8) -> u8 {
    if a == b {
        0
    } else if kinds(a) & kinds(b) != 0 {
        VOWEL_FOR_VOWEL
    } else {
        EDIT
    }
}

/// The kinds of letters that stand for each other more easily than others, one bit each.
const VOWEL: u8 = 1;
const GLIDE: u8 = 2;

/// By letter.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < b"aeou".len() {
        kinds[b"aeou"[at] as usize] = VOWEL;
        at += 1;
    }
    kinds[b'i' as usize] = VOWEL | GLIDE;
    kinds[b'j' as usize] = GLIDE;
    kinds[b'y' as usize] = GLIDE;
    kinds
};

fn kinds(letter: u8) -> u8 {
    KINDS[usize::from(letter)]
}

/// How many words [`Sixteen`] holds.
const LANES: usize = 16;
/// One figure for each of them: as wide as what every 64-bit processor calculates in one step.
type Lanes = [u8; LANES];

/// Up to sixteen words that wait to be compared with one: what [`edit_cost`] does of one letter and one, this does of one letter and
/// sixteen.
pub(crate) struct Sixteen<'a> {
    wanted: &'a [u8],
    budget: u8,
    /// The first letters of all words, the second ones, and so on.
    letters: [Letters; LONGEST_WORD],
    lengths: [usize; LANES],
    numbers: [u32; LANES],
    held: usize,
}

impl<'a> Sixteen<'a> {
    /// Words that at most `budget` makes `wanted` are to be found.
    pub(crate) fn new(wanted: &'a str, budget: u8) -> Self {
        let wanted = &wanted.as_bytes()[..wanted.len().min(LONGEST_WORD)];
        let letters = [Letters::default(); LONGEST_WORD];
        Self { wanted, budget, letters, lengths: [0; LANES], numbers: [0; LANES], held: 0 }
    }

    /// Takes a word in, and once there are sixteen adds those within the budget to `found`, by the numbers they were given.
    pub(crate) fn offer(&mut self, number: u32, word: &[u8], found: &mut Vec<u32>) {
        let word = &word[..word.len().min(LONGEST_WORD)];
        if word.len().abs_diff(self.wanted.len()) > self.band() {
            return;
        }
        for (letters, letter) in self.letters.iter_mut().zip(word) {
            letters.letters[self.held] = *letter;
            letters.kinds[self.held] = kinds(*letter);
        }
        self.lengths[self.held] = word.len();
        self.numbers[self.held] = number;
        self.held += 1;
        if self.held == LANES {
            self.finish(found);
        }
    }

    /// The same for the words that are held yet.
    pub(crate) fn finish(&mut self, found: &mut Vec<u32>) {
        let costs = self.costs();
        let held = std::mem::take(&mut self.held);
        let lanes = (0..held).filter(|lane| costs[self.lengths[*lane]][*lane] <= self.budget);
        found.extend(lanes.map(|lane| self.numbers[lane]));
    }

    /// How many letters two words may differ in length.
    fn band(&self) -> usize {
        usize::from(self.budget / VOWEL_LOST)
    }

    /// By length, what the words of that length cost. What stands in the lane of a word beyond its length means nothing, and
    /// nothing up to its length is made of it.
    fn costs(&self) -> [Lanes; LONGEST_WORD + 1] {
        let band = self.band();
        let longest = self.lengths[..self.held].iter().copied().max().unwrap_or(0);
        let mut rows = [[[FAR; LANES]; LONGEST_WORD + 1]; 3];
        rows[0][0] = [0; LANES];
        for column in 0..band.min(longest) {
            rows[0][column + 1] = each(|lane| rows[0][column][lane] + self.letters[column].indel(lane));
        }
        for (row, &letter) in self.wanted.iter().enumerate() {
            let letter_before = if row == 0 { 0 } else { self.wanted[row - 1] };
            let [before, last, now] = rotated(&mut rows, row);
            let first = (row + 1).saturating_sub(band);
            now[first.saturating_sub(1)] = [FAR; LANES];
            if first == 0 {
                now[0] = each(|lane| (last[0][lane] + indel(letter)).min(FAR));
            }
            for column in first.max(1)..=longest.min(row + 1 + band) {
                let other = &self.letters[column - 1];
                let edit = other.edit(letter, [&last[column - 1], &last[column], &now[column - 1]]);
                now[column] = if row > 0 && column > 1 {
                    let swap = [letter, letter_before];
                    other.swap(&self.letters[column - 2], swap, &before[column - 2], &edit)
                } else {
                    edit
                };
            }
        }
        rows[self.wanted.len() % 3]
    }
}

/// A letter of each of sixteen words.
#[derive(Clone, Copy, Default)]
struct Letters {
    letters: Lanes,
    kinds: Lanes,
}

impl Letters {
    #[inline]
    fn indel(&self, lane: usize) -> u8 {
        if self.kinds[lane] & VOWEL == 0 { EDIT } else { VOWEL_LOST }
    }

    /// The cheapest way here but by a swap, from the row before and the column before (both one back, the row, the column).
    fn edit(&self, letter: u8, [both, row, column]: [&Lanes; 3]) -> Lanes {
        let (kinds, indel) = (kinds(letter), indel(letter));
        each(|lane| {
            let other = if self.kinds[lane] & kinds == 0 { EDIT } else { VOWEL_FOR_VOWEL };
            let substitution = if self.letters[lane] == letter { 0 } else { other };
            let substituted = both[lane] + substitution;
            substituted.min(row[lane] + indel).min(column[lane] + self.indel(lane)).min(FAR)
        })
    }

    /// The cheaper of `edit` and of swapping this letter and the one before, which are [now, before] in the wanted word.
    fn swap(
        &self,
        other_before: &Self,
        [letter, letter_before]: [u8; 2],
        two_back: &Lanes,
        edit: &Lanes,
    ) -> Lanes {
        each(|lane| {
            let swaps = letter == other_before.letters[lane] && self.letters[lane] == letter_before;
            let swapped = if swaps { two_back[lane] + SWAP } else { FAR };
            swapped.min(edit[lane])
        })
    }
}

/// Compiles to a step on all lanes at once.
#[inline]
fn each(one: impl Fn(usize) -> u8) -> Lanes {
    let mut all = [0; LANES];
    for (lane, place) in all.iter_mut().enumerate() {
        *place = one(lane);
    }
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The whole table, without band or early end.
    pub(crate) fn full_cost(a: &[u8], b: &[u8]) -> u8 {
        let mut table = vec![vec![0_u8; b.len() + 1]; a.len() + 1];
        for row in 0..=a.len() {
            for column in 0..=b.len() {
                let mut options = vec![];
                if row > 0 {
                    options.push(table[row - 1][column] + indel(a[row - 1]));
                }
                if column > 0 {
                    options.push(table[row][column - 1] + indel(b[column - 1]));
                }
                if row > 0 && column > 0 {
                    options.push(table[row - 1][column - 1] + substitution(a[row - 1], b[column - 1]));
                }
                if row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1] {
                    options.push(table[row - 2][column - 2] + SWAP);
                }
                table[row][column] = options.into_iter().min().unwrap_or(0);
            }
        }
        table[a.len()][b.len()]
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_band_and_the_early_end_change_no_cost_within_the_budget(a in "[abcei]{1,10}", b in "[abcei]{1,10}", budget in 1_u8..31) {
            let full = full_cost(a.as_bytes(), b.as_bytes());
            let expected = (full <= budget).then_some(full);
            proptest::prop_assert_eq!(edit_cost(a.as_bytes(), b.as_bytes(), budget), expected);
        }


        #[test]
        fn sixteen_at_once_cost_what_each_costs(
            wanted in "[abceij]{1,10}",
            words in proptest::collection::vec("[abceij]{1,12}", 1..40),
            budget in 0_u8..31,
        ) {
            let (mut sixteen, mut found) = (Sixteen::new(&wanted, budget), vec![]);
            for (number, word) in (0..).zip(&words) {
                sixteen.offer(number, word.as_bytes(), &mut found);
            }
            sixteen.finish(&mut found);
            let is_near = |word: &String| full_cost(wanted.as_bytes(), word.as_bytes()) <= budget;
            let expected: Vec<u32> = (0..).zip(&words).filter(|(_, word)| is_near(word)).map(|(number, _)| number).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
