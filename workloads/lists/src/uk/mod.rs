//! The UK Sanctions List of the Foreign, Commonwealth & Development Office, as XML and as csv.
//!
//! | module | what |
//! |---|---|
//! | [`designation`] | what the fields of both mean |
//! | [`xml`] | one `Designation` element an entry |
//! | [`csv`] | several rows an entry, one for each name, address and so on |
//!
//! Source: "UK Sanctions List: change to the list's format" (`gov.uk/government/publications/uk-sanctions-list-change-in-format`)
//! and the format guide beside the list (`gov.uk/government/publications/the-uk-sanctions-list`). The list itself writes
//! `Primary Name` in several cases, unknown parts of dates as letters or zeros, and IMO numbers with and without their
//! prefix.

pub(crate) mod csv;
mod designation;
pub(crate) mod xml;
