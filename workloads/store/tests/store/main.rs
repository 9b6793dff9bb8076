//! The store against a real PostgreSQL, one server for all tests, one database for each.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod audit;
mod batches;
mod businesses;
mod erasure;
mod faults;
mod heartbeats;
mod hits;
mod idempotency;
mod isolation;
mod leaks;
mod lists;
mod migrations;
mod monitors;
mod queue;
mod startup;
mod support;
mod tenant_erasure;
mod verifications;
