//! The operator: makes the platform run as custom resources say.
//!
//! ```text
//!              ┌─ watches: custom resources, our children, pods, labelled namespaces
//!  run ────────┤
//!              └─ election ─► fence ─► controllers ─ one object at a time ─► dereference ─► validate ─► build ─► apply ─► status
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`config`], [`run`], [`server`] | flags, the process, its probes and metrics |
//! | `requests` | what is asked of the API server, counted |
//! | `controllers` | one folder a kind, one file a step |
//! | `context` | what all controllers share |
//! | `concern`, `verdict` | the parts of an object that can go wrong on their own, and what became of them |
//! | `scope` | whether the operator works in the whole cluster or is held to single namespaces |
//! | `watches`, `gathered`, `triggers` | what is watched, how it is kept, and which objects to look at again when another one changes |
//! | `deletion` | what is said of an object that is held on its way out |
//! | [`kubectl`] | the plugin `kubectl kyb` |
//! | [`mod@plan`] | what applying files would do |
//! | [`mod@derive`] | secrets that every region arrives at by itself |
//! | [`profile`] | defaults by environment |
//! | [`roles`] | the ClusterRoles that may be bound |
//!

mod component;
mod concern;
pub mod config;
mod context;
mod controllers;
mod deletion;
pub mod derive;
mod gathered;
pub mod kubectl;
pub mod metrics;
pub mod plan;
pub mod profile;
mod requests;
pub mod roles;
pub mod run;
mod scope;
pub mod server;
mod sight;
#[cfg(test)]
mod testing;
mod triggers;
mod verdict;
mod watches;
