//! Brings what the server has to what we want, with no request where that is so already.
//!
//! ```text
//! Wanted ─ Live ┬ absent ─────────► create (refused if anything of that name exists ─► read ─► decide); once children went
//!               │                   without our doing, only after asking whether their owner is still there
//!               ├ present ─ decide ┬ leave: no request
//!               │                  ├ update, bound to the uid; before it, hand over what others decide now
//!               │                  └ stranger, terminating: an error, untouched
//!               └ not watched ─ Remembered ┬ same digest: no request
//!                                          └ unknown: one read, then as above; absent beside others of its owner, it may have
//!                                            gone without our doing
//! ```
//!
//! One object's failure stops no other, except that nothing is written into a namespace which we wanted to make and
//! could not: it may be a stranger's.

mod decide;
mod error;
mod order;
mod requests;

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use kube::{Client, api::DynamicObject};

pub use error::{ApplyError, Class, Refusal};

use crate::{
    ChildKey, Live, Lookup, Names, Owner, Prune,
    children::{Children, Wanted},
    live::Moment,
    prune::{self, Surplus},
    remembered::{Memory, Remembered},
};
use decide::{Decision, Settled, decide, open};
use requests::Requests;

/// So many objects of one owner are written at a time.
const AT_A_TIME: usize = 8;

/// What came of applying a set.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects made.
    pub created: usize,
    /// Objects changed.
    pub updated: usize,
    /// Objects that needed nothing.
    pub unchanged: usize,
    /// Objects deleted because they are no longer wanted.
    pub pruned: usize,
    /// What could not be done, in no order.
    pub failures: Vec<ApplyError>,
}

impl Outcome {
    /// Whether all is as wanted now.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether anything was written.
    pub fn wrote(&self) -> bool {
        self.created + self.updated + self.pruned > 0
    }

    /// The failure to speak of first: one that needs a person before one that needs waiting, and among equals the one
    /// whose object comes first by key, so that the same failures always give the same message.
    pub fn worst(&self) -> Option<&ApplyError> {
        let weight = |failure: &&ApplyError| (std::cmp::Reverse(failure.class()), failure.child().clone());
        self.failures.iter().min_by_key(weight)
    }

    fn note(&mut self, result: Result<Did, ApplyError>) {
        match result {
            Ok(Did::Created) => self.created += 1,
            Ok(Did::Updated) => self.updated += 1,
            Ok(Did::Nothing) => self.unchanged += 1,
            Ok(Did::Deleted) => self.pruned += 1,
            Err(failure) => self.failures.push(failure),
        }
    }
}

/// What was done about one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Did {
    Created,
    Updated,
    Deleted,
    Nothing,
}

/// An owner, and whether some of its children may have gone unseen before applying began.
struct Known<'a> {
    owner: &'a Owner,
    may_have_lost: bool,
}

/// Applies sets of children. One for all reconciles of a controller: it remembers what it saw. Cheap to clone.
#[derive(Clone)]
pub struct Applier {
    requests: Requests,
    names: Names,
    live: Live,
    remembered: Remembered,
    settled: Settled,
}

impl Applier {
    /// Give it the fenced client (see [`lease`](crate::lease)) and the watches that its children's kinds have.
    pub fn new(client: Client, names: Names, live: Live) -> Self {
        let requests = Requests::new(client, names.manager);
        Self { requests, names, live, remembered: Remembered::default(), settled: Settled::default() }
    }

    /// Brings all children to what is wanted, and deletes what is no longer wanted as far as `prune` allows.
    pub async fn apply(&self, children: &Children, prune: &Prune) -> Outcome {
        let mut outcome = Outcome::default();
        let mut closed = BTreeSet::new();
        let may_have_lost = self.live.may_have_lost(children.owner_uid());
        let owner = Known { owner: children.owner(), may_have_lost };
        for wave in order::waves(children) {
            // Collected first: with the closure within the stream the whole future would not be `Send`.
            let work: Vec<_> = wave.into_iter().map(|wanted| self.one(wanted, &owner, &closed)).collect();
            let results: Vec<_> = stream::iter(work).buffer_unordered(AT_A_TIME).collect().await;
            for result in results {
                outcome.note(result);
            }
            closed = closed_namespaces(&outcome.failures);
        }
        for surplus in prune::surplus(children, &self.live.owned_by(children.owner_uid()), prune) {
            outcome.note(self.delete(&surplus).await);
        }
        for (key, resource) in prune.unwatched_surplus(children) {
            outcome.note(self.delete_unwatched(key, resource, children.owner_uid()).await);
        }
        if outcome.is_clean() {
            self.live.made_whole(children.owner_uid());
        }
        outcome
    }

    async fn one(
        &self,
        wanted: &Wanted,
        known: &Known<'_>,
        closed: &BTreeSet<String>,
    ) -> Result<Did, ApplyError> {
        let owner_uid = known.owner.uid.as_str();
        if wanted.key.namespace.as_ref().is_some_and(|namespace| closed.contains(namespace)) {
            return Err(ApplyError::Blocked { child: wanted.key.clone() });
        }
        let did = match self.live.lookup(&wanted.key) {
            Lookup::NotSynced => Err(ApplyError::Unsynced { child: wanted.key.clone() }),
            Lookup::Absent => {
                if self.live.is_bereft(owner_uid) {
                    self.requests.owner_stands(&wanted.key, known.owner).await?;
                }
                self.make(wanted, owner_uid).await
            }
            Lookup::Present(live) => self.bring(wanted, owner_uid, &live).await,
            Lookup::NotWatched => self.unwatched(wanted, known).await,
        }?;
        if did != Did::Nothing {
            tracing::debug!(child = %wanted.key, ?did, "applied");
        }
        Ok(did)
    }

    /// Makes an object that is not known to exist; if one does after all, it is looked at first.
    async fn make(&self, wanted: &Wanted, owner_uid: &str) -> Result<Did, ApplyError> {
        let began = self.live.now(&wanted.key);
        match self.requests.create(wanted).await {
            Err(ApplyError::Behind { child }) => {
                self.read(wanted, owner_uid).await?.ok_or(ApplyError::Behind { child })
            }
            Err(error) => Err(error),
            Ok(made) => Ok(self.learn(wanted, made, began, Did::Created)),
        }
    }

    /// Brings an object that exists to what is wanted.
    async fn bring(&self, wanted: &Wanted, owner_uid: &str, live: &DynamicObject) -> Result<Did, ApplyError> {
        match decide(wanted, owner_uid, live, &self.names, &self.settled)? {
            Decision::Leave => Ok(Did::Nothing),
            Decision::Update { uid, before } => {
                if let Some(step) = before {
                    self.requests.hand_over(wanted, &step).await?;
                }
                let began = self.live.now(&wanted.key);
                let updated = self.requests.update(wanted, &uid).await?;
                Ok(self.learn(wanted, updated, began, Did::Updated))
            }
        }
    }

    /// The same for an object that has to be read first; none if there is none.
    async fn read(&self, wanted: &Wanted, owner_uid: &str) -> Result<Option<Did>, ApplyError> {
        let began = self.live.now(&wanted.key);
        let Some(read) = self.requests.get(&wanted.key, &wanted.resource).await? else { return Ok(None) };
        let did = self.bring(wanted, owner_uid, &read).await?;
        if did == Did::Nothing {
            self.keep(wanted, read, began);
        }
        Ok(Some(did))
    }

    /// An object of a kind that is not watched.
    async fn unwatched(&self, wanted: &Wanted, known: &Known<'_>) -> Result<Did, ApplyError> {
        let owner_uid = known.owner.uid.as_str();
        match self.remembered.get(&wanted.key) {
            Some(Memory::Present { digest, .. }) if digest == wanted.digest => Ok(Did::Nothing),
            Some(Memory::Present { uid, .. }) => match self.requests.update(wanted, &uid).await {
                Err(error) => {
                    self.remembered.forget(&wanted.key);
                    Err(error)
                }
                Ok(updated) => Ok(self.learn(wanted, updated, self.live.now(&wanted.key), Did::Updated)),
            },
            Some(Memory::Absent) => self.make(wanted, owner_uid).await,
            None => match self.read(wanted, owner_uid).await? {
                Some(did) => Ok(did),
                None => self.make_unseen(wanted, known).await,
            },
        }
    }

    /// Makes an object that is neither watched nor remembered: it may have gone together with its owner.
    async fn make_unseen(&self, wanted: &Wanted, known: &Known<'_>) -> Result<Did, ApplyError> {
        if known.may_have_lost {
            self.requests.owner_stands(&wanted.key, known.owner).await?;
        }
        self.make(wanted, &known.owner.uid).await
    }

    /// Takes in what the server made of what was applied.
    fn learn(&self, wanted: &Wanted, written: DynamicObject, began: Moment, did: Did) -> Did {
        self.settled.note(wanted, open(wanted, &written));
        self.keep(wanted, written, began);
        did
    }

    fn keep(&self, wanted: &Wanted, object: DynamicObject, began: Moment) {
        match self.live.lookup(&wanted.key) {
            Lookup::NotWatched => {
                let uid = object.metadata.uid.unwrap_or_default();
                self.remembered.note(&wanted.key, Memory::Present { digest: wanted.digest.clone(), uid });
            }
            _ => self.live.answered(&wanted.key, object, began),
        }
    }

    async fn delete(&self, surplus: &Surplus) -> Result<Did, ApplyError> {
        let Surplus { key, object } = surplus;
        let Some(resource) = self.live.resource(key) else { return Ok(Did::Nothing) };
        let began = self.live.now(key);
        match self.requests.delete(key, &resource, object, prune::propagation(&key.kind)).await? {
            Some(going) => self.live.answered(key, going, began),
            None => self.live.deleted(key, object.metadata.uid.as_deref().unwrap_or_default()),
        }
        tracing::debug!(child = %key, "pruned");
        Ok(Did::Deleted)
    }

    async fn delete_unwatched(
        &self,
        key: &ChildKey,
        resource: &kube::api::ApiResource,
        owner_uid: &str,
    ) -> Result<Did, ApplyError> {
        if self.remembered.get(key) == Some(Memory::Absent) {
            return Ok(Did::Nothing);
        }
        let found = self.requests.get(key, resource).await?;
        let did = match found.filter(|object| prune::may_go(object, owner_uid, &self.names)) {
            None => Did::Nothing,
            Some(object) => {
                self.requests.delete(key, resource, &object, prune::propagation(&key.kind)).await?;
                Did::Deleted
            }
        };
        self.remembered.note(key, Memory::Absent);
        Ok(did)
    }
}

/// Namespaces that we wanted to make ours and could not.
fn closed_namespaces(failures: &[ApplyError]) -> BTreeSet<String> {
    let namespaces = failures.iter().map(ApplyError::child).filter(|child| child.kind == "Namespace");
    namespaces.map(|child| child.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use kube::api::ApiResource;

    use super::*;

    fn blocked(key: ChildKey) -> ApplyError {
        ApplyError::Blocked { child: key }
    }

    #[test]
    fn an_outcome_counts_what_was_done() {
        let mut outcome = Outcome::default();
        assert!(outcome.is_clean() && !outcome.wrote());
        for did in [Did::Nothing, Did::Created, Did::Created, Did::Updated, Did::Deleted] {
            outcome.note(Ok(did));
        }
        let Outcome { created, updated, unchanged, pruned, .. } = outcome;
        assert_eq!((created, updated, unchanged, pruned), (2, 1, 1, 1));
        assert!(outcome.is_clean() && outcome.wrote());

        let key = ChildKey::new(&ApiResource::erase::<ConfigMap>(&()), Some("here"), "one");
        outcome.note(Err(blocked(key.clone())));
        assert!(!outcome.is_clean());
        assert_eq!(outcome.worst().map(ApplyError::child), Some(&key));
    }

    #[test]
    fn whatever_was_done_was_written_but_nothing() {
        let wrote = |did| {
            let mut outcome = Outcome::default();
            outcome.note(Ok(did));
            outcome.wrote()
        };
        assert!([Did::Created, Did::Updated, Did::Deleted].into_iter().all(wrote));
        assert!(!wrote(Did::Nothing));
    }

    #[test]
    fn a_namespace_that_could_not_be_made_is_closed() {
        let namespace = ChildKey::new(&ApiResource::erase::<Namespace>(&()), None, "theirs");
        let other = ChildKey::new(&ApiResource::erase::<ConfigMap>(&()), Some("here"), "one");
        let closed = closed_namespaces(&[blocked(other), blocked(namespace)]);
        assert_eq!(closed, BTreeSet::from(["theirs".to_owned()]));
    }
}
