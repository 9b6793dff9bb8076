//! Whole-product tests: the API with real servers, faults included.
//!
//! ```text
//! test ──► Platform ──► EphemeralPostgres, SettingsFolder, kyb-gateway, kyb-worker
//!   │                       ▲ crash, restart, stop            ▲ kill, replace
//!   ├──► Client ── HTTP ──► kyb-gateway
//!   └──► Publisher ◄─ HTTP ─ kyb-worker      (told to misbehave)
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`platform`] | the whole platform on loopback, as real programs or inside this process |
//! | [`program`], [`binaries`] | child processes that can't outlive the test; building what they run |
//! | [`database`], [`settings`] | PostgreSQL with roles and schema; tenants, keys and lists |
//! | [`demo`] | what `make demo` makes: the platform on a Kubernetes with pods |
//! | [`client`], [`waiting`] | HTTP; waiting for a condition |
//! | [`publisher`], [`lists`] | a list publisher that misbehaves; lists to publish |
//! | [`names`] | listed names misspelt, ordinary firms |
//! | [`ledger`] | what was acknowledged, and whether it is still there |
//!
//! Each file in `tests` is one story about the product; `kyb-bench` uses the same harness.

pub mod binaries;
pub mod client;
pub mod database;
pub mod demo;
mod inside;
pub mod ledger;
pub mod lists;
pub mod names;
pub mod platform;
pub mod program;
pub mod publisher;
pub mod settings;
pub mod waiting;

pub use client::{Answer, Client};
pub use database::Database;
pub use demo::Demo;
pub use ledger::Ledger;
pub use platform::{Host, Plan, Platform};
pub use publisher::{Fault, Publisher};
pub use settings::{ListOrigin, ListPlan, TenantPlan};
