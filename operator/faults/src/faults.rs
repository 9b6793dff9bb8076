//! Plans and records by scope, and the lives of the process under test.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::Client;
use tokio::{sync::watch, time::Instant};
use tower::{Layer, ServiceBuilder};

use crate::{Fault, Plan, Record, Target, record::Request, service::Faulty};

/// Whose a request or an event is, and how it is called there; None for what is nobody's, which nothing befalls.
type Attribute = dyn Fn(&Target) -> Option<(String, Target)> + Send + Sync;

/// Plans and records, by scope. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Faults {
    attribute: Arc<Attribute>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    scopes: HashMap<String, Scope>,
    /// The version that the next list of a kind goes back to.
    rewinds: HashMap<Kind, String>,
}

/// Group and plural.
type Kind = (String, String);

#[derive(Default)]
struct Scope {
    plan: Option<Plan>,
    /// Of what the plan counts.
    counted: usize,
    struck: usize,
    record: Record,
    frozen_until: Option<Instant>,
    held_until: HashMap<Kind, Instant>,
}

impl Scope {
    /// Counts, and tells what befalls this one.
    fn strikes(&mut self, target: &Target, is_event: bool) -> Option<Fault> {
        let plan = self.plan.as_ref()?;
        let from = plan.at.counts(target, is_event)?;
        self.counted += 1;
        let strikes = self.counted >= from
            && self.counted - from < plan.times
            && plan.fault.is_of_watches() == is_event;
        self.struck += usize::from(strikes);
        strikes.then_some(plan.fault)
    }

    /// Until when events of a kind wait.
    fn wait(&self, kind: &Kind) -> Option<Instant> {
        self.frozen_until.max(self.held_until.get(kind).copied()).filter(|until| *until > Instant::now())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    /// Nothing goes wrong yet. `attribute` tells to which scope a request or an event belongs, mostly by the names in it, and what it
    /// is called there: without the scope's name and anything random, one scope's plan fits every other, and records compare.
    pub fn new(attribute: impl Fn(&Target) -> Option<(String, Target)> + Send + Sync + 'static) -> Self {
        Self { attribute: Arc::new(attribute), state: Arc::default() }
    }

    /// Begins a new record of a scope, in which this goes wrong, or nothing. What still waits comes when it is due.
    pub fn begin(&self, scope: &str, plan: Option<Plan>) {
        self.state().scopes.insert(scope.to_owned(), Scope { plan, ..Scope::default() });
    }

    /// Lets nothing further go wrong in a scope; its record goes on.
    pub fn lift(&self, scope: &str) {
        if let Some(scope) = self.state().scopes.get_mut(scope) {
            scope.plan = None;
        }
    }

    /// How often the scope's plan has struck.
    pub fn struck(&self, scope: &str) -> usize {
        self.state().scopes.get(scope).map_or(0, |scope| scope.struck)
    }

    /// What the scope has asked for and was told since its record began.
    pub fn record(&self, scope: &str) -> Record {
        self.state().scopes.get(scope).map(|scope| scope.record.clone()).unwrap_or_default()
    }

    /// When the scope asked for a write last.
    pub fn last_write(&self, scope: &str) -> Option<Instant> {
        self.state().scopes.get(scope)?.record.last_write()
    }

    /// One life of the process under test: give each its own.
    pub fn life(&self) -> Life {
        Life { faults: self.clone(), over: Arc::new(watch::Sender::new(false)) }
    }

    pub(crate) fn attribute(&self, target: &Target) -> Option<(String, Target)> {
        (self.attribute)(target)
    }

    /// Records a request, and tells what befalls it.
    pub(crate) fn request(&self, scope: &str, target: Target) -> (Request, Option<Fault>) {
        let request = Request::now(target);
        let mut state = self.state();
        let scope = state.scopes.entry(scope.to_owned()).or_default();
        scope.record.requests.push(request.clone());
        let fault = scope.strikes(&request.target, false);
        (request, fault)
    }

    /// Records an event, and tells what befalls it and until when it waits.
    pub(crate) fn event(&self, scope: &str, target: &Target) -> (Option<Fault>, Option<Instant>) {
        let mut state = self.state();
        let scope = state.scopes.entry(scope.to_owned()).or_default();
        scope.record.events.push(target.clone());
        let (fault, kind) = (scope.strikes(target, true), kind(target));
        match fault {
            Some(Fault::Frozen(span)) => scope.frozen_until = Some(Instant::now() + span),
            Some(Fault::Held(span)) => drop(scope.held_until.insert(kind.clone(), Instant::now() + span)),
            _ => (),
        }
        (fault, scope.wait(&kind))
    }

    /// For how long a read waits that the server may answer from any state.
    pub(crate) fn frozen(&self, scope: &str) -> Option<Duration> {
        let until = self.state().scopes.get(scope)?.frozen_until?;
        until.checked_duration_since(Instant::now())
    }

    pub(crate) fn rewind(&self, target: &Target, to: String) {
        self.state().rewinds.insert(kind(target), to);
    }

    pub(crate) fn take_rewind(&self, target: &Target) -> Option<String> {
        self.state().rewinds.remove(&kind(target))
    }

    /// The lock is held for look-ups and insertions only.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kind(target: &Target) -> Kind {
    (target.group.clone(), target.resource.clone())
}

/// One life of the process under test, as a tower layer. Once it is over nothing of it is sent or answered any more; whoever waits for
/// [`Life::crashed`] then drops all of it and starts the next.
#[derive(Debug, Clone)]
pub struct Life {
    faults: Faults,
    over: Arc<watch::Sender<bool>>,
}

impl Life {
    /// A client whose requests go through this life's faults to `client`.
    pub fn around(&self, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let service = ServiceBuilder::new().layer(self.clone()).service_fn(move |request| {
            let client = client.clone();
            async move { client.send(request).await }
        });
        Client::new(service, namespace)
    }

    /// Waits until a plan has ended it.
    pub async fn crashed(&self) {
        let mut over = self.over.subscribe();
        let _ = over.wait_for(|over| *over).await; // the sender is ours
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }
}

impl<S> Layer<S> for Life {
    type Service = Faulty<S>;

    fn layer(&self, server: S) -> Faulty<S> {
        Faulty::new(server, self.clone())
    }
}
