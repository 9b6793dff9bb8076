//! Takes part in the election against a real server.

use std::time::Duration;

use k8s_openapi::{api::coordination::v1::Lease, jiff::Timestamp};
use kube::{
    Client,
    api::{Api, PostParams},
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Action, Elector, Held, Input, Moment, Timing, TimingError, Write, object};

/// Which lease, and who we are.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub name: String,
    /// Who we are: unlike every other replica, and unlike this pod before a restart; a pod's name and something random.
    pub identity: String,
    /// How long it lasts.
    pub timing: Timing,
}

/// One replica's part in the election. It writes nothing but the Lease.
pub struct Election {
    api: Api<Lease>,
    settings: LeaseSettings,
    elector: Elector,
    held: Held,
    /// The Lease as last read or written, so that a renewal keeps what others put on it.
    last: Option<Lease>,
    start: Instant,
}

impl Election {
    /// `client` must not be a fenced one, since this is what opens the fence: `held` says when the lease is ours.
    pub fn new(client: Client, settings: LeaseSettings, held: Held) -> Result<Self, TimingError> {
        let timing = settings.timing.check()?;
        let api = Api::namespaced(client, &settings.namespace);
        let elector = Elector::new(settings.identity.clone(), timing);
        Ok(Self { api, settings, elector, held, last: None, start: Instant::now() })
    }

    /// Takes part until the lease is lost, or until `stop` fires: then it is given up when all writes under way have
    /// ended, so that another replica can take over at once. Stop reconciling before `stop` fires. `held.lost()` has
    /// fired when this returns.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut input = Input::Tick;
        loop {
            let action = self.elector.step(self.now(), input);
            self.publish();
            if stop.is_cancelled() && action != Action::Lost {
                return self.leave().await;
            }
            input = match action {
                Action::Lost => {
                    tracing::error!(lease = self.settings.name, "the lease is lost; this replica ends");
                    return self.held.end();
                }
                Action::Wait(until) => {
                    tokio::select! {
                        () = sleep_until(self.start + until) => (),
                        () = stop.cancelled() => (),
                    }
                    Input::Tick
                }
                Action::Read => self.read().await,
                Action::Write(write) => self.write(&write).await,
            };
        }
    }

    fn now(&self) -> Moment {
        self.start.elapsed()
    }

    fn publish(&self) {
        if let Some(until) = self.elector.held_until() {
            self.held.extend(self.start + until);
        }
    }

    /// How long a request may take now: not beyond the end of our own hold.
    fn limit(&self) -> Duration {
        let left = self.elector.held_until().map(|until| until.saturating_sub(self.now()));
        self.settings.timing.request_timeout.min(left.unwrap_or(Duration::MAX))
    }

    async fn read(&mut self) -> Input {
        match timeout(self.limit(), self.api.get_opt(&self.settings.name)).await {
            Ok(Ok(Some(lease))) => {
                let record = object::record(&lease);
                let version = lease.metadata.resource_version.clone().unwrap_or_default();
                self.last = Some(lease);
                Input::Seen { version, record }
            }
            Ok(Ok(None)) => {
                self.last = None;
                Input::Absent
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, lease = self.settings.name, "the lease could not be read");
                Input::ReadFailed
            }
            Err(_) => Input::ReadFailed,
        }
    }

    async fn write(&mut self, write: &Write) -> Input {
        let sent = self.now();
        match timeout(self.limit(), self.put(write)).await {
            Ok(Ok(lease)) => {
                let version = lease.metadata.resource_version.clone().unwrap_or_default();
                self.last = Some(lease);
                Input::Written { version, sent }
            }
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Input::Conflict,
            Ok(Err(error)) => {
                tracing::warn!(%error, lease = self.settings.name, "the lease could not be written");
                Input::WriteFailed
            }
            Err(_) => Input::WriteFailed,
        }
    }

    /// A replacement bound to the version that it replaces, or a creation that fails if there is one.
    async fn put(&self, write: &Write) -> Result<Lease, kube::Error> {
        let lease = object::lease(&self.settings.name, self.last.as_ref(), write, Timestamp::now());
        match write.over {
            Some(_) => self.api.replace(&self.settings.name, &PostParams::default(), &lease).await,
            None => self.api.create(&PostParams::default(), &lease).await,
        }
    }

    async fn leave(mut self) {
        let release = self.elector.release();
        self.held.end();
        let Some(write) = release else { return };
        self.held.quiet().await;
        let lease = self.settings.name.clone();
        if matches!(self.write(&write).await, Input::Written { .. }) {
            tracing::info!(lease, "the lease is given up");
        } else {
            tracing::warn!(lease, "the lease was not given up; it runs out by itself");
        }
    }
}
