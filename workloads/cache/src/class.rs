//! One kind of results.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwapOption;
use kyb_domain::tenant::TenantId;
use kyb_settings::{CacheClass, CachePolicy};
use moka::sync::Cache;

use crate::{Key, Lookups, rate::Rate};

/// One kind of results: kept for as long and as many as the policy says, and not at all before it says anything.
#[derive(Debug)]
pub struct Class<V: Clone + Send + Sync + 'static> {
    name: &'static str,
    kept: ArcSwapOption<Kept<V>>,
    rate: Rate,
}

/// What is kept under one set of terms.
#[derive(Debug)]
struct Kept<V: Clone + Send + Sync + 'static> {
    terms: CacheClass,
    entries: Cache<Key, V>,
}

/// A result, and whether it was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<V> {
    /// The result.
    pub value: V,
    /// It was made for an earlier request.
    pub hit: bool,
}

impl<V: Clone + Send + Sync + 'static> Class<V> {
    /// A class of this name in the policy; keeps nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, kept: ArcSwapOption::empty(), rate: Rate::new(Instant::now()) }
    }

    /// Its name in the policy.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Obeys a policy from now on. Under other terms than before, everything kept is forgotten: an entry that was made to
    /// live for a week must not outlive the change to a minute.
    pub fn obey(&self, policy: &CachePolicy) {
        let terms = policy.classes.get(self.name).copied();
        let current = self.kept.load();
        if current.as_ref().map(|kept| kept.terms) != terms {
            self.kept.store(terms.map(Kept::new).map(Arc::new));
        }
    }

    /// The result of `key`, made now if it is not there. Where results are not kept it is made each time, and not counted as
    /// a look-up. An error is never kept.
    pub fn get_or_make<E>(&self, key: &Key, make: impl FnOnce() -> Result<V, E>) -> Result<Found<V>, E> {
        // Held until the result is in: one that was made under old terms must not come in under new ones.
        let Some(kept) = self.kept.load_full() else {
            return Ok(Found { value: make()?, hit: false });
        };
        if let Some(value) = kept.entries.get(key) {
            self.rate.count(true);
            return Ok(Found { value, hit: true });
        }
        self.rate.count(false);
        let value = make()?;
        kept.entries.insert(key.clone(), value.clone());
        Ok(Found { value, hit: false })
    }

    /// Forgets the results of every tenant but those that `stays` names.
    pub fn retain(&self, stays: impl Fn(&TenantId) -> bool) {
        let Some(kept) = self.kept.load_full() else { return };
        for (key, _) in kept.entries.iter().filter(|(key, _)| !stays(key.tenant())) {
            kept.entries.invalidate(&*key);
        }
    }

    /// The look-ups of the last five to ten minutes; `None` while results are not kept.
    pub fn lookups(&self, now: Instant) -> Option<Lookups> {
        self.kept.load().as_ref().map(|_| self.rate.lately(now))
    }
}

impl<V: Clone + Send + Sync + 'static> Kept<V> {
    fn new(terms: CacheClass) -> Self {
        let entries = Cache::builder().max_capacity(terms.max_entries).time_to_live(terms.ttl).build();
        Self { terms, entries }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible, time::Duration};

    use super::*;

    fn policy(ttl: Duration, max_entries: u64) -> CachePolicy {
        let classes = BTreeMap::from([("risk".to_owned(), CacheClass { ttl, max_entries })]);
        CachePolicy { classes, max_entries, hit_rate_target_percent: None }
    }

    fn hourly() -> CachePolicy {
        policy(Duration::from_hours(1), 100)
    }

    fn key(tenant: &str, asked: &str) -> Key {
        Key::new(&tenant.try_into().unwrap(), [asked.as_bytes()])
    }

    fn ask(class: &Class<u32>, key: &Key, value: u32) -> (u32, bool) {
        let Ok(found) = class.get_or_make(key, || Ok::<_, Infallible>(value));
        (found.value, found.hit)
    }

    fn class() -> Class<u32> {
        let class = Class::new("risk");
        class.obey(&hourly());
        class
    }

    #[test]
    fn a_result_is_made_once() {
        let class = class();
        assert_eq!(ask(&class, &key("acme", "x"), 1), (1, false));
        assert_eq!(ask(&class, &key("acme", "x"), 2), (1, true));
        assert_eq!(ask(&class, &key("acme", "y"), 3), (3, false));
        assert_eq!(class.lookups(Instant::now()), Some(Lookups { hits: 1, all: 3 }));
    }

    #[test]
    fn nobody_gets_another_tenants_result() {
        let class = class();
        ask(&class, &key("acme", "x"), 1);
        assert_eq!(ask(&class, &key("other", "x"), 2), (2, false));
        assert_eq!(ask(&class, &key("acme", "x"), 3), (1, true));
    }

    #[test]
    fn without_the_tenant_in_the_key_one_would() {
        let class = class();
        let asked_by_anybody = |_tenant: &str, asked: &str| key("anybody", asked);
        ask(&class, &asked_by_anybody("acme", "x"), 1);
        assert_eq!(ask(&class, &asked_by_anybody("other", "x"), 2), (1, true));
    }

    #[test]
    fn nothing_is_kept_before_a_policy_and_after_one_without_the_class() {
        let class = Class::new("risk");
        assert_eq!(
            (ask(&class, &key("acme", "x"), 1), ask(&class, &key("acme", "x"), 2)),
            ((1, false), (2, false))
        );
        assert_eq!(class.lookups(Instant::now()), None);
        class.obey(&hourly());
        ask(&class, &key("acme", "x"), 3);
        class.obey(&CachePolicy::default());
        assert_eq!(ask(&class, &key("acme", "x"), 4), (4, false));
        class.obey(&hourly());
        assert_eq!(ask(&class, &key("acme", "x"), 5), (5, false), "what was kept before does not come back");
    }

    #[test]
    fn other_terms_forget_what_was_kept_and_the_same_terms_do_not() {
        let class = class();
        ask(&class, &key("acme", "x"), 1);
        class.obey(&hourly());
        assert_eq!(ask(&class, &key("acme", "x"), 2), (1, true));
        class.obey(&policy(Duration::from_mins(1), 100));
        assert_eq!(ask(&class, &key("acme", "x"), 3), (3, false));
    }

    #[test]
    fn a_result_made_while_the_terms_change_is_not_kept_under_the_new_ones() {
        let class = class();
        let Ok(_) = class.get_or_make(&key("acme", "x"), || {
            class.obey(&policy(Duration::from_mins(1), 100));
            Ok::<_, Infallible>(1)
        });
        assert_eq!(ask(&class, &key("acme", "x"), 2), (2, false));
    }

    #[test]
    fn an_error_is_not_kept() {
        let class = class();
        assert_eq!(class.get_or_make(&key("acme", "x"), || Err("no")), Err("no"));
        assert_eq!(ask(&class, &key("acme", "x"), 1), (1, false));
    }

    #[test]
    fn a_tenant_that_is_gone_leaves_nothing() {
        let class = class();
        ask(&class, &key("acme", "x"), 1);
        ask(&class, &key("other", "x"), 2);
        class.retain(|tenant| tenant.as_str() == "other");
        assert_eq!(ask(&class, &key("acme", "x"), 3), (3, false));
        assert_eq!(ask(&class, &key("other", "x"), 4), (2, true));
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let class = Class::new("risk");
        class.obey(&policy(Duration::from_hours(1), 10));
        for number in 0..1_000 {
            ask(&class, &key("acme", &number.to_string()), number);
        }
        let kept = class.kept.load_full().unwrap();
        kept.entries.run_pending_tasks();
        assert!(kept.entries.entry_count() <= 10, "{}", kept.entries.entry_count());
    }
}
