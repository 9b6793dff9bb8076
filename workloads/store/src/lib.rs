//! PostgreSQL: migrations, row-level security, queue, audit.
//!
//! Everything that the platform keeps is kept here. The tables and functions are SQL in `migrations/`; this crate
//! embeds them, connects as a role that owns nothing, and calls the functions.
//!
//! ```text
//! Store ── tenant("acme") ──▶ TenantStore ── SELECT kyb.record_verification('acme', …) ──▶ function:
//!   sets kyb.tenant for this transaction ▸ claims the idempotency key ▸ inserts ▸ appends the audit event ▸ commit
//! then SELECT kyb.make_durable(): on disk, and only now acknowledged
//! ```
//!
//! Every call about a tenant's rows is one statement, so one transaction of its own; the tenant is set inside it and
//! nothing stays set on the pooled connection. Which rows the statement sees is decided by row-level
//! security alone. `docs/data-store.md` explains tables, roles and what each fence guards against.
//!
//! | module | what |
//! |---|---|
//! | [`setup`] | migrating, and making a database with its roles for development |
//! | [`pool`] | connecting; the doors to rows; the check at start-up |
//! | [`verifications`], [`businesses`], [`queue`], [`hits`], [`audit`], [`usage`] | a tenant's rows |
//! | [`batches`] | many subjects in one request, and their slices |
//! | [`monitors`] | subjects that are looked at whenever a list changes, and their alerts |
//! | [`idempotency`] | the first write wins |
//! | [`lists`] | watchlists, the same for every tenant |
//! | [`tenant_erasure`] | deleting a tenant, for good |
//! | [`heartbeats`] | what every running process says of itself |

pub mod audit;
pub mod batches;
pub mod businesses;
mod codes;
mod connect;
mod erasure;
pub mod error;
mod findings;
pub mod heartbeats;
pub mod hits;
pub mod idempotency;
mod listen;
pub mod lists;
pub mod monitors;
pub mod pool;
pub mod queue;
mod role_check;
mod search;
pub mod setup;
pub mod tenant_erasure;
pub mod usage;
pub mod verifications;

pub use error::StoreError;
pub use idempotency::{Idempotency, StoredResponse, Write};
pub use pool::{ConnectOptions, Store, TenantStore};
