//! What every reconciler shares and no Kubernetes library gives. It knows no kind of ours: labels, annotations and
//! field managers come in as [`Names`].
//!
//! ```text
//!   build (pure) ─► Vec<Child> ─ Children::of(owner) ─► Children ─┐
//!                                                                 ├─ Applier::apply ─► Outcome ─► conditions ─► status
//!   watches ─► Live (what the server has, kept up to date) ───────┘        │                          └► events
//!                                                                          ▼
//!                            lease: Held ─► fence (a client that refuses to write once the lease has passed) ─► server
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`names`], [`owner`] | what tells our objects from others' |
//! | [`child`], [`children`] | desired objects, and a checked set of them |
//! | [`live`], [`unbroken`](mod@unbroken), [`remembered`] | what is known of live objects without asking the server |
//! | [`compare`], [`digest`] | would applying change anything? |
//! | [`apply`], [`prune`], [`handover`] | making it so, with no request where nothing would change |
//! | [`conditions`], [`status`], [`events`] | saying what came of it, only where that changed |
//! | [`backoff`], [`retries`] | when to try again, and which look at an object is a try |
//! | [`rehearsal`] | what a reconcile would do, without doing it |
//! | [`lease`] | at most one writer, even one that was paused |
//!
//! # A reconcile
//!
//! ```ignore
//! let owner = Owner::of(&*tenant)?;
//! let children = Children::of(&owner, &NAMES, build(&validated))?;       // Vec<Child>: pure, no I/O
//! let outcome = applier.apply(&children, &Prune::default()).await;       // never short-circuits: see Outcome::failures
//!
//! let ready = Fact::new("Ready", Is::from(outcome.is_clean()), reason, message);
//! let conditions = ConditionSet::new(generation, ready)
//!     .reconciling("Applying", "3 of 14 objects are not there yet")     // or .stalled(…); neither when all is well
//!     .onto(&old_conditions, now);
//! let wrote = statuses.write(&tenant, &Status { conditions, ..status }).await?;
//! announcer.announce(&tenant.object_ref(&()), changes_of_mind(&old_conditions, &new_conditions, as_it_should)).await;
//! ```
//!
//! Once for the process:
//!
//! ```ignore
//! let held = Held::nothing();                                            // nobody's yet
//! let client = fenced_client(&config, &held, timeout)?;                  // reads always, writes only while held
//! let election = Election::new(unfenced, lease_settings, held.clone())?;
//! let (lost, stop) = (held.lost(), CancellationToken::new());
//! tokio::spawn(election.run(stop));                                      // then: held.acquired().await; exit on lost
//! let live = Live::new(NAMES);
//! let touched = live.follow(&client, ApiResource::erase::<ConfigMap>(&()));  // one stream a kind: poll them all
//! live.synced().await;                                                   // before the first apply
//! let applier = Applier::new(client, NAMES, live.clone());               // shared: cheap to clone
//! ```
//!
//! # Why nothing is made for an owner that is gone
//!
//! The watch of the owners may be behind that of their children: then the garbage collector's work looks like somebody's deletions. Once
//! children went without our doing, [`Applier`] asks whether their owner is still there, and not on its way out, before it makes one again.
//! Of kinds that are not watched nobody sees anything go: what is neither remembered nor found is asked about wherever its owner has other
//! children.
//!
//! # Why nothing of others is ever written
//!
//! An object that is not known to exist is created by a server-side apply that carries a `resourceVersion` which no
//! object can have: the server ignores it when it creates, and refuses with a conflict when anything of that name is
//! there. An object that is known, and carries our owner's uid, is applied with its own `metadata.uid`: the server
//! refuses when it has been replaced or has gone. So no stranger is adopted, whenever it appears, and all of our fields
//! are owned by one field manager from the first request on.

pub mod apply;
pub mod backoff;
pub mod child;
pub mod children;
pub mod compare;
pub mod conditions;
pub mod digest;
pub mod events;
pub mod handover;
pub mod lease;
pub mod live;
pub mod names;
mod objects;
pub mod owner;
pub mod prune;
pub mod rehearsal;
pub mod remembered;
pub mod retries;
pub mod status;
pub mod unbroken;

pub use apply::{Applier, ApplyError, Class, Outcome, Refusal};
pub use backoff::Backoff;
pub use child::{Child, ChildKey};
pub use children::{Children, ChildrenError};
pub use conditions::{ConditionSet, Fact, Is};
pub use events::{Announcement, Announcer, News, changes_of_mind};
pub use lease::{Election, Held, LeaseSettings, Timing, fenced_client};
pub use live::{Live, Lookup, Touched};
pub use names::Names;
pub use objects::objects_in;
pub use owner::{Owner, OwnerError};
pub use prune::Prune;
pub use retries::Retries;
pub use status::{Outdated, StatusWriter, Wrote};
pub use unbroken::unbroken;
