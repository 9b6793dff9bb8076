//! At most one replica writes: a `coordination.k8s.io/v1` Lease, and a client that refuses to write without it.
//!
//! ```text
//! Election ─ read, write (bound to a resourceVersion) ─► Lease
//!    │ Elector: what to do next, without I/O
//!    ▼
//!  Held ─ until when, on our own monotonic clock ─► fenced client: is it still ours? ─ as late as possible ─► server
//! ```
//!
//! # Why there are never two
//!
//! Nobody compares clocks; each replica only measures spans on its own.
//! - Whoever holds, holds until `sent + duration − margin`, `sent` being the moment before the last renewal that
//!   succeeded was *sent*. A stopped process finds that moment passed when it goes on.
//! - Whoever wants to take over must have seen the same version of the Lease for its whole `duration`, and replaces
//!   exactly that version. Had the holder renewed meanwhile, the version would be another one, and the server refuses.
//!   What was seen was sent before it was seen; so the holder's time ended at least `margin` before.
//! - A request sent in the last moment must have ended by then: each write is given up after `request_timeout`, which is
//!   shorter than the margin, and carries that as the server's own time limit too (`timeout=` in the query), so that it
//!   does not wait in the server's queues and take effect later. What remains is a request that the network itself
//!   delays by more than the margin without breaking its connection.
//! - The margin also covers clocks that do not run equally fast: see [`Timing`].
//! - A Lease that does not exist may have been deleted while somebody holds it. Whoever finds it missing makes one that
//!   nobody holds, and it is waited out like any other; so is one that never had a holder, which may have been made again
//!   by whatever installed it. The first start therefore waits once, unless the Lease is installed with
//!   `spec: {leaseTransitions: 0}`, which says that nobody has ever held it: do that only where nothing makes it again.
//!
//! The wall clock serves as a second opinion that can only end a hold early: it goes on while a machine sleeps, which a
//! monotonic clock need not.

mod elector;
mod fence;
mod held;
mod object;
mod run;
mod timing;

#[cfg(test)]
mod simulation;

pub use elector::{Action, Elector, Input, Moment, NOBODY_YET, Record, Write};
pub use fence::{Fence, FencedBody, NotHeld, TooSlow, fenced_client};
pub use held::Held;
pub use run::{Election, LeaseSettings};
pub use timing::{Timing, TimingError};
