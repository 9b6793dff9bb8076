//! The HTTP API.
//!
//! ```text
//! socket ─► server ─► observe ─► admit ─► routes ─► engines, store
//!           limits     id, span,  key, role,  one file for each kind of object
//!           drain      metrics,   context,
//!                      headers    rate
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`config`] | flags and environment of `kyb-gateway` |
//! | [`state`] | what every request shares |
//! | [`server`] | accepts connections, bounds them, drains in good order |
//! | `observe` | what happens to every request: id, span, metrics, security headers, the body of a problem |
//! | `admit` | what happens to every request for a tenant's data: key, role, context, rate, time limit |
//! | `engine`, `cached` | the engines as this gateway runs them, and what it keeps of their results |
//! | `extract` | bodies, ids, cursors, preconditions and preferences of a request, checked |
//! | `compat` | the interfaces of yente and Watchman, where they are switched on |
//! | `idempotency` | `Idempotency-Key` |
//! | `problem` | every error that a caller can get (RFC 9457) |
//! | `routes` | the routes; the OpenAPI document is made from them |
//! | `heartbeat` | what this process says of itself in the database |
//! | `usage` | requests counted per tenant, hour and endpoint |
//!
//! Nothing is acknowledged unless it is stored. Whatever a caller gets wrong is answered with a problem that says what to do.

mod admit;
mod auth;
mod cached;
mod compat;
pub mod config;
mod engine;
mod extract;
mod heartbeat;
mod idempotency;
mod limits;
mod observe;
mod openapi;
mod problem;
mod reply;
mod routes;
pub mod server;
pub mod state;
mod usage;

pub use compat::{Compat, Dialect};
pub use server::{Gateway, GatewayError, serve};
pub use state::{AppState, GatewayOptions};
