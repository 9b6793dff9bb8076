//! What holds for every tenant: the watchlists and how fresh they must be, what may be cached, and which region this is.

use std::{
    collections::HashSet,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use kyb_domain::{
    list::{ListFormat, ListId},
    tenant::Residency,
};

use crate::{
    cache::{self, CachePolicy},
    files::{ListFile, PlatformFile, SourceFile},
    period::Period,
};

/// `platform.yaml`.
#[derive(Debug, Clone, Default)]
pub struct Platform {
    /// The wanted lists; unique by id.
    pub lists: Vec<ListSettings>,
    /// What may be kept in memory, and for how long.
    pub cache: CachePolicy,
    /// The region that this installation serves, where one is named.
    pub region: Option<String>,
    /// Where the rows of this installation's database may live, where that is named.
    pub residency: Option<Residency>,
}

/// One wanted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettings {
    /// Its id.
    pub id: ListId,
    /// Its format.
    pub format: ListFormat,
    /// Where it comes from.
    pub source: ListSource,
    /// How often the source is read; 1 s to 7 days, 1 hour where not said.
    pub refresh: Duration,
    /// How long after the last successful read the list counts as fresh; longer than `refresh`, 24 hours where not said.
    pub max_age: Duration,
    /// The SHA-256 (64 hexadecimal digits) of the one version that may be accepted though it lost more than a fifth of the
    /// entries: somebody looked at it and found it right.
    pub accept_shrink: Option<String>,
}

/// Where a list comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    /// One URL for each of the publisher's files, `https` unless the host is loopback.
    Urls(Vec<String>),
    /// A folder that holds the publisher's files.
    Directory(PathBuf),
}

/// More lists than any installation screens against; bounds what one file can make the worker hold.
const MOST_LISTS: usize = 100;
/// No publisher splits one list into more files.
const MOST_URLS: usize = 10;
const REFRESH: std::ops::RangeInclusive<Period> = Period::from_secs(1)..=Period::from_secs(7 * 86_400);
const LONGEST_MAX_AGE: Period = Period::from_secs(365 * 86_400);

impl Platform {
    /// Checks what was written; relative folders are below `folder`. The error says where and what to do.
    pub(crate) fn check(file: &PlatformFile, folder: &Path) -> Result<Self, String> {
        if file.lists.len() > MOST_LISTS {
            return Err(format!("lists: there may be at most {MOST_LISTS}"));
        }
        let mut ids = HashSet::new();
        let mut check = |list: &ListFile| {
            let place = format!("list `{}`", list.id);
            if !ids.insert(list.id.clone()) {
                return Err(format!("{place} is there twice; give each list an id of its own"));
            }
            ListSettings::check(list, folder).map_err(|problem| format!("{place}: {problem}"))
        };
        let lists = file.lists.iter().map(&mut check).collect::<Result<_, _>>()?;
        if file.region.as_ref().is_some_and(|region| !cache::is_name(region, 63)) {
            return Err("region must be 1 to 63 of a-z, 0-9 and `-`, such as `us-east-1`".to_owned());
        }
        let cache = file.cache.as_ref().map(CachePolicy::check).transpose()?.unwrap_or_default();
        Ok(Self { lists, cache, region: file.region.clone(), residency: file.residency.clone() })
    }

    /// Whether there is a list of this id.
    pub fn has(&self, list: &ListId) -> bool {
        self.lists.iter().any(|known| known.id == *list)
    }
}

impl ListSettings {
    fn check(file: &ListFile, folder: &Path) -> Result<Self, String> {
        if !REFRESH.contains(&file.refresh) {
            return Err(format!("refresh is {}; it must be 1s to 7d", file.refresh));
        }
        if file.max_age <= file.refresh {
            let rule = "it must be longer, or the list is stale between two readings";
            return Err(format!("max_age is {} and refresh {}; {rule}", file.max_age, file.refresh));
        }
        if file.max_age > LONGEST_MAX_AGE {
            return Err(format!("max_age is {}; it must be at most 365d", file.max_age));
        }
        let is_sha256 =
            |text: &String| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if file.accept_shrink.as_ref().is_some_and(|sha256| !is_sha256(sha256)) {
            return Err(
                "accept_shrink must be the SHA-256 that the refusal names, 64 of 0-9 and a-f".to_owned()
            );
        }
        Ok(Self {
            id: file.id.clone(),
            format: file.format,
            source: ListSource::check(&file.source, folder)?,
            refresh: file.refresh.get(),
            max_age: file.max_age.get(),
            accept_shrink: file.accept_shrink.clone(),
        })
    }
}

impl ListSource {
    fn check(file: &SourceFile, folder: &Path) -> Result<Self, String> {
        match (&file.urls[..], &file.directory) {
            ([], None) => Err("source: say either `urls` or `directory`".to_owned()),
            ([_, ..], Some(_)) => Err("source: say either `urls` or `directory`, not both".to_owned()),
            ([], Some(directory)) if directory.as_os_str().is_empty() => {
                Err("source: `directory` is empty; name a folder, `.` for the settings' own".to_owned())
            }
            ([], Some(directory)) => Ok(Self::Directory(folder.join(directory))),
            (urls, None) if urls.len() > MOST_URLS => Err(format!("source: at most {MOST_URLS} urls")),
            (urls, None) => {
                urls.iter().enumerate().try_for_each(|(at, url)| {
                    check_url(url, file.plain_http).map_err(|problem| format!("source: urls[{at}] {problem}"))
                })?;
                Ok(Self::Urls(urls.to_vec()))
            }
        }
    }
}

/// A list that somebody could change on its way is worth nothing, so plain HTTP stays on this machine unless it is asked for.
/// The URL is not repeated in the message: it may hold a password.
fn check_url(url: &str, plain_http: bool) -> Result<(), &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is no URL; write it as https://host/path")?;
    let authority = uri.authority().ok_or("lacks a host; write it as https://host/path")?;
    if authority.as_str().contains('@') {
        return Err("holds a user name or password; lists are public, take it out");
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok(()),
        Some(scheme) if *scheme == Scheme::HTTP && (plain_http || is_loopback(authority.host())) => Ok(()),
        Some(scheme) if *scheme == Scheme::HTTP => {
            Err("is not encrypted; use https, or set `plain_http` where nobody relies on the list")
        }
        _ => Err("must begin with https://"),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://sanctionslistservice.ofac.treas.gov/api/sdn.csv",
            "http://localhost:8080/sdn.csv",
            "http://127.0.0.1/sdn.csv",
            "http://127.9.9.9:1/sdn.csv?x=1",
            "http://[::1]:8080/sdn.csv",
        ] {
            assert_eq!(check_url(good, false), Ok(()), "{good}");
        }
        for bad in [
            "",
            "sdn.csv",
            "/sdn.csv",
            "file:///etc/passwd",
            "ftp://example.org/sdn.csv",
            "http://example.org/sdn.csv",
            "http://localhost.example.org/sdn.csv",
            "http://127.0.0.1.example.org/sdn.csv",
            "http://127.0.0.1@example.org/sdn.csv",
            "https://user:password@example.org/sdn.csv",
            "https://example.org/s dn.csv",
            "https://",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert_eq!(check_url("http://example.org/sdn.csv", true), Ok(()), "the twin");
    }
}
