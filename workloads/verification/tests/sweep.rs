//! A sweep over what changed of a list comes to what screening everybody anew would.
#![allow(clippy::unwrap_used, reason = "a test stops where its own input is wrong")]

use std::{collections::BTreeSet, path::Path, sync::Arc};

use chrono::{DateTime, TimeZone, Utc};
use kyb_domain::{
    list::{Entry, ListState, Watchlist},
    monitor::Outcome,
    party::{Party, PartyKind},
    screening::Screening,
};
use kyb_lists::delta::Delta;
use kyb_screening::{DEFAULT_THRESHOLD, Screener};
use kyb_verification::{EntryKey, ScreeningOptions, Sweep, Watchlists, screen};

/// How far from the threshold a score may be that passes it because words got rarer or commoner.
const DRIFT: f64 = 0.01;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap()
}

/// OFAC's list of June 2019.
fn published() -> Watchlist {
    let lists = kyb_lists::directory::load(Path::new("../../../shared/data/ofac-2019")).unwrap();
    lists.into_iter().next().unwrap().watchlist
}

fn loaded(list: &Watchlist) -> Watchlists {
    let state = ListState {
        list: list.version.list.clone(),
        version: Some(list.version.clone()),
        checked_at: Some(now()),
        stale: None,
    };
    Watchlists { screener: Arc::new(Screener::build(&[Arc::new(list.clone())])), states: vec![state] }
}

/// Numbers that look random, the same every time (an LCG of Knuth's).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Another version: some entries gone, some with the name of another, some with another remark, some under a new id.
fn changed(list: &Watchlist, numbers: &mut Numbers, each: usize) -> Watchlist {
    let mut entries = list.entries.clone();
    for _ in 0..each {
        entries.remove(numbers.below(entries.len()));
        let (from, to) = (numbers.below(entries.len()), numbers.below(entries.len()));
        let names = entries[from].names.clone();
        entries[to].names = names;
        let at = numbers.below(entries.len());
        entries[at].remarks = Some("Reworded.".to_owned());
        let at = numbers.below(entries.len());
        entries[at].id = format!("new-{}", entries[at].id);
    }
    Watchlist { version: list.version.clone(), entries }
}

/// The names of every so many entries, of both versions, and some of nobody on the list.
fn subjects(versions: [&Watchlist; 2], delta: &Delta) -> Vec<Party> {
    let is_touched = |entry: &&Entry| {
        [&delta.added, &delta.changed, &delta.removed].iter().any(|ids| ids.binary_search(&entry.id).is_ok())
    };
    let of_touched = versions.into_iter().flat_map(|list| list.entries.iter().filter(is_touched));
    let of_others = versions[0].entries.iter().step_by(61);
    let named = |text: &str| Party::named(PartyKind::Unknown, text.try_into().unwrap());
    let listed = of_touched.chain(of_others).map(|entry| named(entry.caption()));
    let nobody = (0..50).map(|number| named(&format!("Backhaus Morgenrot {number} GmbH")));
    listed.chain(nobody).collect()
}

fn screened(lists: &Watchlists, subject: &Party) -> Screening {
    screen(lists, subject.clone(), &options(), now()).unwrap()
}

fn options() -> ScreeningOptions {
    ScreeningOptions { limit: Some(100), ..ScreeningOptions::default() }
}

fn keys<'a>(list: &Watchlist, ids: impl IntoIterator<Item = &'a Vec<String>>) -> BTreeSet<EntryKey> {
    ids.into_iter().flatten().map(|id| (list.version.list.clone(), id.clone())).collect()
}

/// What a sweep leaves standing although screening anew comes to something else.
fn missed(sweep: &Sweep, before: &Screening, after: &Screening) -> bool {
    let (old, new) = (Outcome::of(before), Outcome::of(after));
    !sweep.concerns(&before.subject, &options(), &old) && new.differs(&old)
}

/// Whether the outcomes differ only by entries that stayed as they were and are as alike as the threshold asks, just so or
/// just not.
fn is_drift(touched: &BTreeSet<EntryKey>, before: &Screening, after: &Screening) -> bool {
    let of = |screening: &Screening| {
        screening.matches.iter().map(|one| (one.list.clone(), one.entry_id.clone())).collect::<BTreeSet<_>>()
    };
    let (old, new) = (of(before), of(after));
    let near = |key: &EntryKey| {
        let found = before.matches.iter().chain(&after.matches);
        let mut found = found.filter(|one| (&one.list, &one.entry_id) == (&key.0, &key.1));
        !touched.contains(key) && found.all(|one| one.score.get() - DEFAULT_THRESHOLD.get() < DRIFT)
    };
    old.symmetric_difference(&new).all(near)
}

#[test]
fn a_sweep_comes_to_what_screening_everybody_anew_does() {
    let old = published();
    let mut numbers = Numbers(7);
    let (mut changes, mut screenings, mut drifted, mut of_changed, mut asked) = (0, 0, 0, 0, 0);
    for each in [1, 5, 20] {
        let new = changed(&old, &mut numbers, each);
        let delta = kyb_lists::delta::between(&old, &new);
        let touched = keys(&new, [&delta.added, &delta.changed, &delta.removed]);
        let (lists_before, lists_after) = (loaded(&old), loaded(&new));
        let sweep = Sweep::of(&lists_after, touched.clone());
        let without_changed = Sweep::of(&lists_after, keys(&new, [&delta.added, &delta.removed]));
        for subject in subjects([&old, &new], &delta) {
            let (before, after) = (screened(&lists_before, &subject), screened(&lists_after, &subject));
            asked += 1;
            changes += usize::from(Outcome::of(&after).differs(&Outcome::of(&before)));
            screenings += usize::from(sweep.concerns(&subject, &options(), &Outcome::of(&before)));
            of_changed += usize::from(missed(&without_changed, &before, &after));
            if missed(&sweep, &before, &after) {
                assert!(is_drift(&touched, &before, &after), "{subject:?}");
                drifted += 1;
            }
        }
    }
    println!(
        "{asked} asked, {changes} changed, {screenings} screened anew, {drifted} drifted; {of_changed} missed by the twin"
    );
    assert!(changes > 50, "{changes}");
    assert!(drifted * 50 <= asked, "{drifted} of {asked}");
    assert!(screenings < asked * 3 / 4, "{screenings} of {asked}: those that nothing touches are left alone");
    assert!(of_changed > 10, "the twin: without the entries that changed, {of_changed} changes were missed");
}

#[test]
fn what_is_gone_concerns_only_those_who_matched_it() {
    let old = published();
    let entry = old.entries[100].clone();
    let mut new = old.clone();
    new.entries.remove(100);
    let sweep = Sweep::of(&loaded(&new), keys(&new, [&vec![entry.id.clone()]]));
    assert_eq!(sweep.len(), 1);
    let lists = loaded(&old);
    let named = |text: &str| Party::named(PartyKind::Unknown, text.try_into().unwrap());
    let [matched, other] = [named(entry.caption()), named("Backhaus Morgenrot GmbH")];
    for (subject, concerned) in [(matched, true), (other, false)] {
        let before = Outcome::of(&screened(&lists, &subject));
        assert_eq!(sweep.concerns(&subject, &options(), &before), concerned, "{subject:?}");
    }
}
