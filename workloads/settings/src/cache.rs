//! What may be kept in memory, and for how long.

use std::{
    collections::{BTreeMap, HashSet},
    ops::RangeInclusive,
    time::Duration,
};

use crate::{
    files::{CacheClassFile, CacheFile, CachePriority},
    period::Period,
};

/// `cache` of `platform.yaml`, checked. The default keeps nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CachePolicy {
    /// The kinds of results that are kept, by name; disabled ones and those without room are not here.
    pub classes: BTreeMap<String, CacheClass>,
    /// The most entries of all kinds together, up to 10,000,000.
    pub max_entries: u64,
    /// The share of look-ups that should be hits, in percent from 1 to 100, where one was set.
    pub hit_rate_target_percent: Option<u8>,
}

/// One kind of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheClass {
    /// How long a result stays in memory: the kind's own time to live, or the memory's where that is shorter. 1 s to 7 days.
    pub ttl: Duration,
    /// How many entries this kind may have: its share of [`CachePolicy::max_entries`], at least 1.
    pub max_entries: u64,
}

/// More kinds than there are; bounds what one file can make a process hold.
const MOST_CLASSES: usize = 32;
const MOST_ENTRIES: u64 = 10_000_000;
const TTL: RangeInclusive<Period> = Period::from_secs(1)..=Period::from_secs(365 * 86_400);
const MEMORY_TTL: RangeInclusive<Period> = Period::from_secs(1)..=Period::from_secs(7 * 86_400);
const PERCENT: RangeInclusive<u8> = 1..=100;

impl CachePolicy {
    /// Checks what was written. The error says where and what to do.
    pub(crate) fn check(file: &CacheFile) -> Result<Self, String> {
        if file.memory.max_entries > MOST_ENTRIES {
            return Err("cache.memory: max_entries must be 0 to 10000000".to_owned());
        }
        if !MEMORY_TTL.contains(&file.memory.ttl) {
            return Err(format!("cache.memory: ttl is {}; it must be 1s to 7d", file.memory.ttl));
        }
        if file.hit_rate_target_percent.is_some_and(|percent| !PERCENT.contains(&percent)) {
            return Err("cache: hit_rate_target_percent must be 1 to 100".to_owned());
        }
        if file.classes.len() > MOST_CLASSES {
            return Err(format!("cache.classes: there may be at most {MOST_CLASSES}"));
        }
        Ok(Self {
            classes: classes(file)?,
            max_entries: file.memory.max_entries,
            hit_rate_target_percent: file.hit_rate_target_percent,
        })
    }
}

/// Each kind that is enabled gets room by its priority.
fn classes(file: &CacheFile) -> Result<BTreeMap<String, CacheClass>, String> {
    let mut names = HashSet::new();
    for class in &file.classes {
        check_class(class)?;
        if !names.insert(&class.name) {
            return Err(format!("cache.classes: `{}` is there twice; take one out", class.name));
        }
    }
    let enabled: Vec<_> = file.classes.iter().filter(|class| class.enabled).collect();
    let all: u64 = enabled.iter().map(|class| shares(class.priority)).sum();
    let room =
        |class: &CacheClassFile| (file.memory.max_entries * shares(class.priority) / all.max(1)).max(1);
    let checked = |class: &&CacheClassFile| {
        let ttl = class.ttl.min(file.memory.ttl).get();
        (class.name.clone(), CacheClass { ttl, max_entries: room(class) })
    };
    Ok(enabled.iter().filter(|_| file.memory.max_entries > 0).map(checked).collect())
}

fn check_class(class: &CacheClassFile) -> Result<(), String> {
    if !is_name(&class.name, 40) {
        let rule = "a name must be 1 to 40 of a-z, 0-9 and `-`, such as `classification`";
        return Err(format!("cache.classes: `{}` can't be used; {rule}", class.name));
    }
    if !TTL.contains(&class.ttl) {
        return Err(format!("cache.classes: `{}`: ttl is {}; it must be 1s to 365d", class.name, class.ttl));
    }
    Ok(())
}

/// Whether `text` is 1 to `longest` of `a-z`, `0-9` and `-`.
pub(crate) fn is_name(text: &str, longest: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed)
}

const fn shares(priority: CachePriority) -> u64 {
    match priority {
        CachePriority::Low => 1,
        CachePriority::Normal => 2,
        CachePriority::High => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<CachePolicy, String> {
        let file: CacheFile = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
        CachePolicy::check(&file)
    }

    #[test]
    fn room_is_shared_by_priority_and_the_shorter_time_to_live_holds() {
        let policy = read(
            "classes:
  - {name: classification, ttl: 7d, priority: High}
  - {name: sanctions, ttl: 60s, priority: High}
  - {name: risk, ttl: 24h, priority: Low, enabled: false}
  - {name: website, ttl: 7d}
memory: {max_entries: 1000, ttl: 5m}
hit_rate_target_percent: 95",
        )
        .unwrap();
        let class = |seconds, max_entries| CacheClass { ttl: Duration::from_secs(seconds), max_entries };
        let expected = [
            ("classification", class(300, 400)),
            ("sanctions", class(60, 400)),
            ("website", class(300, 200)),
        ];
        assert_eq!(policy.classes, expected.map(|(name, class)| (name.to_owned(), class)).into());
        assert_eq!((policy.max_entries, policy.hit_rate_target_percent), (1000, Some(95)));
    }

    #[test]
    fn a_bad_policy_is_refused_with_its_place_and_what_to_do() {
        let table = [
            ("classes: [{name: Risk, ttl: 1h}]", "1 to 40 of a-z"),
            ("classes: [{name: risk, ttl: 0s}]", "`risk`: ttl is 0s; it must be 1s to 365d"),
            ("classes: [{name: risk, ttl: 1h}, {name: risk, ttl: 2h}]", "`risk` is there twice"),
            ("classes: [{name: risk, ttl: 1h, priority: Highest}]", "unknown variant `Highest`"),
            ("memory: {max_entries: 10000001}", "max_entries must be 0 to 10000000"),
            ("memory: {ttl: 8d}", "ttl is 8d; it must be 1s to 7d"),
            ("hit_rate_target_percent: 101", "must be 1 to 100"),
            ("memory: {max_entry: 5}", "unknown field `max_entry`"),
        ];
        for (yaml, expected) in table {
            let refusal = read(yaml).unwrap_err();
            assert!(refusal.contains(expected), "{yaml}: {refusal}");
        }
    }

    #[test]
    fn no_policy_and_no_room_keep_nothing() {
        assert_eq!(CachePolicy::default().classes, BTreeMap::new());
        let none = read("{classes: [{name: risk, ttl: 1h}], memory: {max_entries: 0}}").unwrap();
        assert_eq!(none.classes, BTreeMap::new());
    }
}
