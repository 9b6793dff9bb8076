//! One verification from input to decision: the checks, then risk, then policy. No I/O, no clock, no async.
//!
//! ```text
//! request ─┬─ screen: the business and everybody behind it ─┐
//!          └─ classify: name and description ───────────────┼─ checks ─ risk ─ policy ─► findings
//! ```
//!
//! [`screen`] turns a search into an answer that never says `no_hit` while a wanted list is missing or stale; [`verify`] does all of
//! it. The ten checks are one file each in `checks/`, in the order of an answer. In this version no registry, tax or web
//! site source is configured; those checks say so and are `skipped`.

mod checks;
mod lists;
mod screen;
mod verify;

pub use lists::{Watchlists, list_problems};
pub use screen::{MOST_MATCHES, ScreeningError, ScreeningOptions, screen};
pub use verify::verify;
