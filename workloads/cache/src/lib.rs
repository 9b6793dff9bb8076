//! Results kept in memory, each tenant's for itself, under a policy that can change at any time.
//!
//! ```text
//! tenant, what was asked ── Key ──► Class ── hit ──► the result as it was made
//!                                     │   └─ miss ─► make it, keep it
//! settings ── CachePolicy ────────────┘ other terms: what was kept under the old ones is forgotten
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`key`] | who asked what; the tenant is a part of it, so nobody gets another tenant's result |
//! | [`class`] | one kind of results, with its own time to live and room |
//! | [`rate`] | how often it hits |
//!
//! A key must hold everything that the result depends on: a result is never looked at again while its key is the same.

pub mod class;
pub mod key;
pub mod rate;

pub use class::{Class, Found};
pub use key::Key;
pub use rate::Lookups;
