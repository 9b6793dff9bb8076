//! The kit against a real API server: what the documentation of Kubernetes promises, seen to be so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod applying;
mod bench;
mod handing_over;
mod leading;
mod owners;
mod pruning;
mod rehearsing;
mod reporting;
mod strangers;
