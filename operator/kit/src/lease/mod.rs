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
//! - A write that was let through in the last moment must have had its effect by then. It is checked once more when its
//!   bytes leave the process, so one that a stopped process had prepared stays where it is. From then on it has
//!   `request_timeout`, which is shorter than the margin: a quarter of it to get to the server, after which the kernel
//!   drops it, and the rest in the server, which gets it as its own time limit (`timeout=` in the query), so that it does
//!   not wait in the server's queues and take effect later.
//! - The margin also covers clocks that do not run equally fast: see [`Timing`].
//! - A Lease that does not exist may have been deleted while somebody holds it. Whoever finds it missing makes one that
//!   nobody holds, and it is waited out like any other; so is one that never had a holder, which may have been made again
//!   by whatever installed it. The first start therefore waits once, unless the Lease is installed with
//!   `spec: {leaseTransitions: 0}`, which says that nobody has ever held it: do that only where nothing makes it again.
//!
//! # What is not covered
//!
//! - Between the last look at the clock and the call that hands the bytes to the kernel lie some ten instructions. A
//!   process that is stopped just there, for longer than the margin, sends one write late. The operator's test `leader`
//!   stops it at a hundred random points of a burst and met none.
//! - A server, something between us and it that takes connections over (a load balancer), or our whole machine, which has
//!   a write in its buffers, is stopped for longer than the margin, and then goes on with it.
//!
//! A Kubernetes request can carry no precondition on another object, so the server can't refuse either for the Lease's
//! sake. What limits the damage is that each write to an object that exists is bound to its uid, and that the new holder
//! sees what changed and puts it right.
//!
//! The wall clock serves as a second opinion that can only end a hold early: it goes on while a machine sleeps, which a
//! monotonic clock need not.

mod connection;
mod elector;
mod fence;
mod held;
mod object;
mod run;
mod timing;

#[cfg(test)]
mod simulation;

pub use elector::{Action, Elector, Input, Moment, NOBODY_YET, Record, Write};
pub use fence::{Fence, NotHeld, TooSlow, fenced_client};
pub use held::Held;
pub use run::{Election, LeaseSettings};
pub use timing::{Timing, TimingError};
