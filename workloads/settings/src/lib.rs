//! What the platform hands to a running workload, and its hot reload.
//!
//! ```text
//! folder ─ source ─► files (as written) ─► platform, tenant (checked) ─► Snapshot ─► Settings ─► whoever asks
//!            │            serde, bounds        policies compiled          whole set     newest good one
//!            └ looks again every interval; a changed folder that does not check is refused and changes nothing
//! ```
//!
//! A folder holds `platform.yaml` and one `tenant-<id>.yaml` for each tenant; the format is in `docs/settings.md`. It is
//! checked as a whole: either all of it comes into use or none of it.
//!
//! | module | what |
//! |---|---|
//! | [`files`], [`period`] | the files as they are written |
//! | [`platform`], [`tenant`] | what they mean, checked |
//! | [`key`], [`callers`] | API keys, and finding who sent one |
//! | [`snapshot`] | a whole, checked set |
//! | [`source`] | reading a folder and noticing that it changed |
//! | [`watch`] | the handle through which running code sees the newest good set |

mod bounds;
pub mod callers;
pub mod files;
pub mod key;
pub mod period;
pub mod platform;
pub mod refusal;
pub mod snapshot;
pub mod source;
pub mod tenant;
pub mod watch;

pub use callers::{Caller, Callers};
pub use key::{ApiKey, KeyError, KeyHash};
pub use platform::{ListSettings, ListSource, Platform};
pub use refusal::SettingsError;
pub use snapshot::Snapshot;
pub use tenant::{RateLimit, Tenant};
pub use watch::Settings;
