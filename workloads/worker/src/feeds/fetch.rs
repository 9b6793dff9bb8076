//! Gets a list's files: by conditional HTTP requests (RFC 9110 §13) within limits of size and time, or from a folder.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, NaiveDate, Utc};
use kyb_domain::list::{ListFormat, ListId, PublishedBy};
use kyb_lists::{ListError, Published, SourceFile};
use kyb_store::lists::StoredFile;
use reqwest::{StatusCode, Url, header};
use serde::{Deserialize, Serialize};

/// Bounds of one download.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The most bytes of one file.
    pub bytes: u64,
    /// The longest that one file may take, retries not counted.
    pub time: Duration,
    /// How often a file is tried again after a failure that may pass.
    pub retries: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { bytes: 256 << 20, time: Duration::from_mins(5), retries: 2 }
    }
}

/// What a source gave.
#[derive(Debug)]
pub enum Fetched {
    /// The publisher says that nothing changed.
    Unchanged,
    /// The files.
    Files {
        /// All files of the list.
        files: Vec<SourceFile>,
        /// The publisher's date.
        published: Published,
        /// To ask next time whether anything changed.
        validators: Option<serde_json::Value>,
    },
}

/// Why a source gave nothing. Messages name the URL without its query, which may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The HTTP client can't be made.
    #[error("can't set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Not an address.
    #[error("`{url}` is not an address; correct the list's `urls` in the settings")]
    Address {
        /// What the settings say.
        url: String,
    },
    /// No answer, or the answer broke off.
    #[error("{url} did not answer in full")]
    Transport {
        /// Which file.
        url: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// An answer that is no file.
    #[error("{url} answered {status}")]
    Status {
        /// Which file.
        url: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// Too large.
    #[error("{url} is larger than {limit} bytes; nothing of it was used")]
    TooLarge {
        /// Which file.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// Too slow.
    #[error("{url} was not complete after {seconds} s; nothing of it was used")]
    TooSlow {
        /// Which file.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// The program is stopping.
    #[error("the worker is stopping")]
    Stopped,
}

impl FetchError {
    /// Whether the same request may succeed a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

/// What to send along to learn whether a file changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Validator {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// Validators by URL, as they are stored beside the list. They hold only for these very URLs.
type Validators = BTreeMap<String, Validator>;

/// One file, or the word that it has not changed.
enum FileAnswer {
    Unchanged,
    New { bytes: Vec<u8>, validator: Validator },
}

/// Downloads lists. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    limits: Arc<FetchLimits>,
}

impl Client {
    /// A client within `limits`, with TLS by rustls (ring).
    pub fn new(limits: FetchLimits) -> Result<Self, FetchError> {
        // An error means that a provider is installed already, and there is only one in this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("kyb-worker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::custom(same_or_better_scheme))
            .build()
            .map_err(FetchError::Client)?;
        Ok(Self { http, limits: Arc::new(limits) })
    }

    /// Downloads every file, or learns that none changed. `stored` are the files of the active version by name: they stand
    /// in for those of a list of several files that alone did not change.
    pub async fn download(
        &self,
        urls: &[String],
        validators: Option<&serde_json::Value>,
        stored: &BTreeMap<String, StoredFile>,
    ) -> Result<Fetched, FetchError> {
        let mut validators: Validators =
            validators.and_then(|json| serde_json::from_value(json.clone()).ok()).unwrap_or_default();
        validators.retain(|url, _| urls.contains(url) && stored.contains_key(file_name(url)));
        let mut files = Vec::new();
        let mut changed = false;
        for url in urls {
            let name = file_name(url).to_owned();
            let bytes = match self.file(url, validators.get(url)).await? {
                FileAnswer::New { bytes, validator } => {
                    changed = true;
                    validators.insert(url.clone(), validator);
                    bytes
                }
                FileAnswer::Unchanged => stored.get(&name).map(|file| file.bytes.clone()).unwrap_or_default(),
            };
            files.push(SourceFile { name, bytes });
        }
        if !changed {
            return Ok(Fetched::Unchanged);
        }
        let published = published(validators.values());
        Ok(Fetched::Files { files, published, validators: serde_json::to_value(&validators).ok() })
    }

    /// One file, tried again after failures that may pass.
    async fn file(&self, url: &str, validator: Option<&Validator>) -> Result<FileAnswer, FetchError> {
        let address = Url::parse(url).map_err(|_| FetchError::Address { url: url.to_owned() })?;
        let backoff = ExponentialBuilder::default().with_max_times(self.limits.retries).with_jitter();
        let limit = self.limits.time;
        let attempt = || async {
            let answer = tokio::time::timeout(limit, self.attempt(&address, validator)).await;
            answer.unwrap_or_else(|_| {
                Err(FetchError::TooSlow { url: shown(&address), seconds: limit.as_secs() })
            })
        };
        attempt.retry(backoff).when(FetchError::may_pass).await
    }

    async fn attempt(&self, url: &Url, validator: Option<&Validator>) -> Result<FileAnswer, FetchError> {
        let transport =
            |source: reqwest::Error| FetchError::Transport { url: shown(url), source: source.without_url() };
        let mut request = self.http.get(url.clone());
        if let Some(etag) = validator.and_then(|v| v.etag.as_ref()) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = validator.and_then(|v| v.last_modified.as_ref()) {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        let mut response = request.send().await.map_err(transport)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if validator.is_some() => return Ok(FileAnswer::Unchanged),
            status => return Err(FetchError::Status { url: shown(url), status }),
        }
        let text =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let validator = Validator { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if (bytes.len() + chunk.len()) as u64 > self.limits.bytes {
                return Err(FetchError::TooLarge { url: shown(url), limit: self.limits.bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(FileAnswer::New { bytes, validator })
    }
}

/// Follows up to five redirects, never from TLS to none.
fn same_or_better_scheme(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let was_https = attempt.previous().first().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > 5 {
        attempt.error("more than five redirects")
    } else if was_https && attempt.url().scheme() != "https" {
        attempt.error("a redirect away from https")
    } else {
        attempt.follow()
    }
}

/// The URL as it may be shown: without user, password, query and fragment.
fn shown(url: &Url) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    plain.to_string()
}

/// The last part of a URL's path.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

/// The newest `Last-Modified`, or today where the publisher gives none.
fn published<'a>(validators: impl Iterator<Item = &'a Validator>) -> Published {
    let date = |validator: &Validator| -> Option<NaiveDate> {
        let at = httpdate::parse_http_date(validator.last_modified.as_deref()?).ok()?;
        Some(DateTime::<Utc>::from(at).date_naive())
    };
    match validators.filter_map(date).max() {
        Some(date) => Published { date, by: PublishedBy::HttpHeader },
        None => Published { date: Utc::now().date_naive(), by: PublishedBy::Download },
    }
}

/// Reads a folder that holds the publisher's files.
pub fn from_folder(folder: &Path, list: &ListId, format: ListFormat) -> Result<Fetched, ListError> {
    let found = kyb_lists::directory::files(folder, list, format)?;
    Ok(Fetched::Files { files: found.files, published: found.published, validators: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let url = Url::parse("https://user:pw@example.org/a/sdn.csv?token=x#y").unwrap();
        assert_eq!(shown(&url), "https://example.org/a/sdn.csv");
        assert_eq!(file_name("https://example.org/a/sdn.csv?token=x"), "sdn.csv");
    }

    #[test]
    fn the_newest_header_dates_the_list() {
        let at = |text: &str| Validator { etag: None, last_modified: Some(text.to_owned()) };
        let newest =
            published([at("Fri, 14 Jun 2019 10:00:00 GMT"), at("Thu, 13 Jun 2019 10:00:00 GMT")].iter());
        assert_eq!((newest.date, newest.by), ("2019-06-14".parse().unwrap(), PublishedBy::HttpHeader));
        assert_eq!(published([].iter()).by, PublishedBy::Download);
    }
}
