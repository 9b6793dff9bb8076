//! Which state a wanted list is in.

use chrono::{DateTime, TimeDelta, Utc};
use kyb_domain::list::{ListState, ListVersion, Stale};
use kyb_settings::ListSettings;
use kyb_store::lists::ListRow;

/// What is known of a wanted list.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the settings want.
    pub wanted: &'a ListSettings,
    /// What the store last said; `None` where it knows nothing of the list or was never reached.
    pub row: Option<&'a ListRow>,
    /// The version that is loaded and searched.
    pub loaded: Option<&'a ListVersion>,
    /// Why the active version could not be loaded.
    pub load_error: Option<&'a str>,
}

/// The state to show. A list is fresh only when it is loaded, its last refresh went well, and that was not longer ago than
/// the settings allow; everything else is stale, with the first reason that holds.
pub fn state(known: &Known<'_>, now: DateTime<Utc>) -> ListState {
    let checked_at = known.row.and_then(|row| row.checked_at);
    ListState {
        list: known.wanted.id.clone(),
        version: known.loaded.cloned(),
        checked_at,
        stale: why_stale(known, checked_at, now).map(|why| Stale { why }),
    }
}

fn why_stale(known: &Known<'_>, checked_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    if let Some(why) = known.load_error {
        return Some(format!("the active version can't be loaded: {why}"));
    }
    if let Some(why) = known.row.and_then(|row| row.last_error.as_deref()) {
        return Some(format!("the last refresh failed: {why}"));
    }
    if known.loaded.is_none() {
        return Some("no version was read yet".to_owned());
    }
    let Some(checked_at) = checked_at else {
        return Some("it is not known when its source was last read".to_owned());
    };
    let max_age = TimeDelta::from_std(known.wanted.max_age).unwrap_or(TimeDelta::MAX);
    let age = now - checked_at;
    (age > max_age).then(|| {
        let (hours, allowed) = (age.num_minutes() / 60, max_age.num_minutes() / 60);
        format!("its source was last read at {checked_at}, {hours} hours ago; {allowed} hours are allowed")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kyb_domain::list::{ListFormat, PublishedBy};
    use kyb_settings::ListSource;

    use super::*;

    fn wanted() -> ListSettings {
        ListSettings {
            id: "ofac-sdn".parse().unwrap(),
            format: ListFormat::OfacCsv,
            source: ListSource::Urls(vec![]),
            refresh: Duration::from_mins(1),
            max_age: Duration::from_hours(1),
            accept_shrink: None,
        }
    }

    fn version() -> ListVersion {
        ListVersion {
            list: "ofac-sdn".parse().unwrap(),
            format: ListFormat::OfacCsv,
            published: "2026-01-01".parse().unwrap(),
            published_by: PublishedBy::HttpHeader,
            sha256: "0".repeat(64),
            entries: 1,
        }
    }

    fn row(checked_at: &str, last_error: Option<&str>) -> ListRow {
        ListRow {
            list: "ofac-sdn".parse().unwrap(),
            active: Some(version()),
            checked_at: Some(checked_at.parse().unwrap()),
            last_error: last_error.map(str::to_owned),
            validators: None,
        }
    }

    fn at_noon(row: Option<&ListRow>, loaded: Option<&ListVersion>, load_error: Option<&str>) -> ListState {
        let wanted = wanted();
        state(&Known { wanted: &wanted, row, loaded, load_error }, "2026-01-02T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_list_that_was_loaded_and_read_in_time_is_fresh() {
        assert!(at_noon(Some(&row("2026-01-02T11:00:00Z", None)), Some(&version()), None).is_fresh());
    }

    #[test]
    fn whatever_went_wrong_makes_it_stale_and_says_why() {
        let version = version();
        let good = row("2026-01-02T11:59:00Z", None);
        let old = row("2026-01-02T10:59:59Z", None);
        let failed = row("2026-01-02T11:59:00Z", Some("HTTP 500"));
        let cases = [
            (None, None, None, "no version"),
            (Some(&good), None, None, "no version"),
            (None, Some(&version), None, "not known"),
            (Some(&old), Some(&version), None, "hours ago"),
            (Some(&failed), Some(&version), None, "HTTP 500"),
            (Some(&good), Some(&version), Some("half a file"), "half a file"),
        ];
        for (row, loaded, load_error, why) in cases {
            let state = at_noon(row, loaded, load_error);
            assert!(!state.is_fresh(), "{why}");
            let said = state.stale.unwrap().why;
            assert!(said.contains(why), "{said} should contain {why}");
        }
    }
}
