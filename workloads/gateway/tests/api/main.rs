//! The whole gateway over HTTP, on a real PostgreSQL.

mod businesses;
mod harness;
mod idempotency;
mod isolation;
mod lifecycle;
mod problems;
mod protection;
mod verifications;
