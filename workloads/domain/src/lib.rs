//! The platform's vocabulary.
//!
//! Every other crate speaks in these types; this one knows nothing of files, sockets, clocks or databases. A value that
//! exists is valid: newtypes are made by checked constructors (`TryFrom`, `FromStr`, serde), so code further in never
//! checks again.
//!
//! | module | what |
//! |---|---|
//! | [`id`], [`tenant`] | identifiers of our objects; tenants, contexts, keys |
//! | [`score`], [`country`], [`date`] | numbers and codes with ranges |
//! | [`identifier`] | identifiers that others issue: LEI, registry and tax numbers |
//! | [`party`], [`business`], [`ownership`] | who is asked about |
//! | [`list`] | sanctions lists: versions, entries, names, freshness |
//! | [`screening`], [`classification`], [`risk`] | what each engine answers |
//! | [`batch`] | many subjects in one request |
//! | [`monitor`] | subjects that are looked at whenever a list changes, and what came of it |
//! | [`verification`], [`decision`], [`reason`] | checks, the decision, and why |
//! | [`fingerprint`], [`suppression`] | what was decided about, and decisions that hold for later screenings |
//! | [`audit`] | what is written down for good |

pub mod audit;
pub mod batch;
pub mod business;
pub mod classification;
pub mod country;
pub mod date;
pub mod decision;
pub mod fingerprint;
pub mod id;
pub mod identifier;
pub mod invalid;
pub mod list;
pub mod monitor;
mod openapi;
pub mod ownership;
pub mod party;
pub mod reason;
pub mod risk;
pub mod score;
pub mod screening;
pub mod suppression;
pub mod tenant;
pub mod text;
pub mod verification;

pub use invalid::Invalid;
