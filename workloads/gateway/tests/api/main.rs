//! The whole gateway over HTTP, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that can't set itself up has failed")]

mod batches;
mod businesses;
mod cache;
mod clients;
mod harness;
mod hits;
mod idempotency;
mod isolation;
mod lifecycle;
mod monitors;
mod problems;
mod protection;
mod verifications;
mod watchman;
mod without_key;
mod yente;
