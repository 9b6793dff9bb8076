//! The parts of a region, as the label `app.kubernetes.io/component` names them.

/// The HTTP API.
pub(crate) const GATEWAY: &str = "gateway";
/// Queued and scheduled work.
pub(crate) const WORKER: &str = "worker";
/// The development database.
pub(crate) const DATABASE: &str = "database";
/// The development Redis.
pub(crate) const REDIS: &str = "redis";
/// The Job that changes the tables.
pub(crate) const MIGRATION: &str = "migration";
