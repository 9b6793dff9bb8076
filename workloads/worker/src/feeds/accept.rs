//! Whether what was fetched may replace what is in use.

use kyb_domain::list::{ListVersion, PublishedBy};
use kyb_lists::{ListError, Published, SourceFile};
use kyb_settings::ListSettings;
use kyb_store::lists::StoredFile;

/// A version that may be activated, and the files it was read from.
#[derive(Debug)]
pub struct Accepted {
    /// The version.
    pub version: ListVersion,
    /// The publisher's files.
    pub files: Vec<StoredFile>,
}

/// Why a version may not replace the one in use.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is not whole or not consistent.
    #[error(transparent)]
    Invalid(#[from] ListError),
    /// It lost too many entries.
    #[error("{source}. To accept exactly this version, set the list's `accept_shrink` to {sha256}")]
    Shrunken {
        /// How many.
        source: ListError,
        /// Which version it is.
        sha256: String,
    },
    /// It is older than what is in use: a mirror that lags, or a replayed download.
    #[error(
        "the source gave a version of {offered}, but one of {active} is in use already; check which address the settings name"
    )]
    Older {
        /// The date of what was fetched.
        offered: chrono::NaiveDate,
        /// The date of what is in use.
        active: chrono::NaiveDate,
    },
    /// The program is stopping.
    #[error("the worker is stopping")]
    Stopped,
}

/// Reads the files as a whole and compares them with what is in use.
pub async fn accept(
    list: &ListSettings,
    files: Vec<SourceFile>,
    published: Published,
    active: Option<&ListVersion>,
) -> Result<Accepted, Refused> {
    let (id, format) = (list.id.clone(), list.format);
    let parse = move || (kyb_lists::parse(&id, format, &files, published), files);
    let (parsed, files) = tokio::task::spawn_blocking(parse).await.map_err(|_| Refused::Stopped)?;
    let parsed = parsed?;
    for (what, times) in &parsed.not_understood {
        tracing::debug!(list = %list.id, what, times, "not understood in a list");
    }
    let version = parsed.watchlist.version;
    if let Some(active) = active {
        not_older(&version, active)?;
        not_shrunken(list, &version, active)?;
    }
    let files = files.into_iter().map(|file| StoredFile { name: file.name, bytes: file.bytes }).collect();
    Ok(Accepted { version, files })
}

fn not_shrunken(list: &ListSettings, offered: &ListVersion, active: &ListVersion) -> Result<(), Refused> {
    let checked = kyb_lists::shrink::check(active.entries, offered.entries);
    if list.accept_shrink.as_ref() == Some(&offered.sha256) {
        return Ok(());
    }
    checked.map_err(|source| Refused::Shrunken { source, sha256: offered.sha256.clone() })
}

/// Dates are compared only where the publisher itself gave both, in the same way.
fn not_older(offered: &ListVersion, active: &ListVersion) -> Result<(), Refused> {
    let by_publisher = matches!(offered.published_by, PublishedBy::Document | PublishedBy::HttpHeader);
    if by_publisher && offered.published_by == active.published_by && offered.published < active.published {
        return Err(Refused::Older { offered: offered.published, active: active.published });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kyb_domain::list::ListFormat;
    use kyb_settings::ListSource;

    use super::*;

    fn list() -> ListSettings {
        ListSettings {
            id: "ofac-sdn".parse().unwrap(),
            format: ListFormat::OfacCsv,
            source: ListSource::Urls(vec![]),
            refresh: Duration::from_mins(1),
            max_age: Duration::from_mins(1),
            accept_shrink: None,
        }
    }

    /// A trio of `entries` companies in OFAC's format.
    fn trio(entries: u32) -> Vec<SourceFile> {
        let rows = |row: &dyn Fn(u32) -> String| (1..=entries).map(row).collect::<String>() + "\u{1a}";
        let null = "-0- ";
        let primary =
            |n: u32| format!("{n},\"FIRM {n} LLC\",{null},\"IRAN\"{}\r\n", format!(",{null}").repeat(8));
        let file = |name: &str, text: String| SourceFile { name: name.to_owned(), bytes: text.into_bytes() };
        vec![
            file("sdn.csv", rows(&primary)),
            file("alt.csv", rows(&|n| format!("{n},{n},\"aka\",\"ALIAS {n}\",{null}\r\n"))),
            file("add.csv", rows(&|n| format!("{n},{n},\"1 Street\",\"Tehran\",\"Iran\",{null}\r\n"))),
        ]
    }

    async fn offered(entries: u32, date: &str, active: Option<&ListVersion>) -> Result<Accepted, Refused> {
        let published = Published { date: date.parse().unwrap(), by: PublishedBy::HttpHeader };
        accept(&list(), trio(entries), published, active).await
    }

    #[tokio::test]
    async fn a_list_may_grow_but_not_lose_more_than_a_fifth() {
        let active = offered(100, "2026-01-01", None).await.unwrap().version;
        assert_eq!(active.entries, 100);
        for entries in [80, 100, 500] {
            assert!(offered(entries, "2026-01-02", Some(&active)).await.is_ok(), "{entries}");
        }
        assert!(matches!(offered(79, "2026-01-02", Some(&active)).await, Err(Refused::Shrunken { .. })));
    }

    #[tokio::test]
    async fn a_shrunken_version_is_accepted_only_by_its_own_hash() {
        let active = offered(100, "2026-01-01", None).await.unwrap().version;
        let Err(Refused::Shrunken { sha256, .. }) = offered(10, "2026-01-02", Some(&active)).await else {
            panic!("ten of a hundred is a fifth and more");
        };
        let published = Published { date: "2026-01-02".parse().unwrap(), by: PublishedBy::HttpHeader };
        let list = ListSettings { accept_shrink: Some(sha256), ..list() };
        assert!(accept(&list, trio(10), published, Some(&active)).await.is_ok());
        assert!(
            accept(&list, trio(11), published, Some(&active)).await.is_err(),
            "another version is another question"
        );
    }

    #[tokio::test]
    async fn an_older_version_does_not_replace_a_newer_one() {
        let active = offered(100, "2026-01-02", None).await.unwrap().version;
        assert!(matches!(offered(101, "2026-01-01", Some(&active)).await, Err(Refused::Older { .. })));
        assert!(
            offered(101, "2026-01-02", Some(&active)).await.is_ok(),
            "the same day may bring two versions"
        );
    }

    #[tokio::test]
    async fn half_a_list_is_refused_whatever_was_there_before() {
        let mut files = trio(100);
        let half = files[0].bytes.len() / 2;
        files[0].bytes.truncate(half);
        let published = Published { date: "2026-01-01".parse().unwrap(), by: PublishedBy::HttpHeader };
        assert!(matches!(accept(&list(), files, published, None).await, Err(Refused::Invalid(_))));
    }
}
