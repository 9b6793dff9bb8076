//! What the platform hands to a running workload, and its hot reload.
//!
//! ```text
//! folder  ─ source ──┐ looks again every interval; all of it comes into use or none of it
//!                    ├─► text ─ parsed ─► platform, tenant (checked) ─► Snapshot ─► Settings ─► whoever asks
//! cluster ─ board ───┘    bounds, serde       policies compiled         a set         newest good one
//!             watches; a file that is refused stays as it last was, all others go on
//! ```
//!
//! There is one `platform.yaml` and one `tenant-<id>.yaml` for each tenant; the format is in `docs/settings.md`.
//!
//! | module | what |
//! |---|---|
//! | [`files`], [`period`] | the files as they are written |
//! | [`platform`], [`cache`], [`tenant`] | what they mean, checked |
//! | [`parsed`] | one file, from its text to what it means; folder and cluster share it |
//! | [`key`], [`callers`] | API keys, and finding who sent one |
//! | [`snapshot`] | a whole, checked set |
//! | [`source`] | reading a folder and noticing that it changed |
//! | `cluster` | watching the ConfigMaps of a namespace (feature `cluster`, since it needs a Kubernetes client) |
//! | [`watch`] | the handle through which running code sees the newest good set |

mod bounds;
pub mod cache;
pub mod callers;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod files;
pub mod key;
pub mod parsed;
pub mod period;
pub mod platform;
pub mod refusal;
pub mod snapshot;
pub mod source;
pub mod tenant;
pub mod watch;

pub use cache::{CacheClass, CachePolicy};
pub use callers::{Caller, Callers};
pub use key::{ApiKey, KeyError, KeyHash};
pub use platform::{ListSettings, ListSource, Platform};
pub use refusal::SettingsError;
pub use snapshot::Snapshot;
pub use tenant::{RateLimit, Tenant};
pub use watch::Settings;
