//! Stories under plans: many scopes at a time, one operator, one API server.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use kube::Client;
use kyb_faults::{Faults, Plan, Record, Target};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    oracle::{self, State},
    scenario::{self, Step, StillGoing, Story},
    stage::Stage,
    world::{Key, World},
};

/// A scope has come to rest when it has not changed for so long, and nothing was written for it.
const REST: Duration = Duration::from_millis(1200);
/// The same where there is no reference yet: longer than the wait after a first failure.
const LONG_REST: Duration = Duration::from_millis(2500);
/// Between two looks at a scope.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After so long without rest a scope is stuck.
const PATIENCE: Duration = Duration::from_secs(100);

/// The same for a reference: all stories are played at once then.
const REFERENCE_AT_MOST: Duration = Duration::from_mins(5);

/// So many differences are told.
const DIFFERENCES: usize = 6;

/// Every scope's name begins so.
const PREFIX: &str = "zeta-";

/// Whose a request or an event is, and what it is called in any scope.
pub(crate) fn attribute(target: &Target) -> Option<(String, Target)> {
    let scope = [&target.namespace, &target.name].into_iter().flatten().find_map(|text| scope_in(text))?;
    let any = |text: &Option<String>| text.as_ref().map(|text| oracle::for_any(&scope, text));
    let mut known_as =
        Target { namespace: any(&target.namespace), name: any(&target.name), ..target.clone() };
    if target.resource == "events" {
        let about = known_as.name.as_deref().and_then(|name| name.rsplit_once('.'));
        known_as.name = about.map(|(about, _random)| about.to_owned());
    }
    Some((scope, known_as))
}

/// The scope that a name belongs to.
pub(crate) fn scope_in(text: &str) -> Option<String> {
    let begin = text.find(PREFIX)?;
    text.get(begin..begin + PREFIX.len() + 4).map(str::to_owned)
}

/// How a step ends when nothing goes wrong.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) state: State,
    /// What is asked for and told on the way.
    pub(crate) targets: BTreeMap<Target, usize>,
    created: BTreeMap<Target, usize>,
    deleted: BTreeMap<Target, usize>,
}

impl Reference {
    fn of(state: State, record: &Record) -> Self {
        let mut created = record.created();
        created.retain(|target, _| target.resource != "events"); // they tell what happens on the way
        Self { state, targets: record.targets(), created, deleted: record.deleted() }
    }

    /// What was made or deleted more often than here.
    fn surplus(&self, found: &Self) -> Vec<String> {
        let more = |what: &str, wanted: &BTreeMap<Target, usize>, found: &BTreeMap<Target, usize>| {
            let allowed = |target: &Target| wanted.get(target).copied().unwrap_or(0);
            let surplus = found.iter().filter(|(target, times)| **times > allowed(target));
            surplus
                .map(|(target, times)| {
                    format!("{what} {times} times instead of {}: {target}", allowed(target))
                })
                .collect::<Vec<_>>()
        };
        let made = more("made", &self.created, &found.created);
        [made, more("deleted", &self.deleted, &found.deleted)].concat()
    }
}

/// What came of a step under a plan.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// As in the reference.
    Same,
    /// The same, but the plan's point did not come: in this run there was no such request.
    Unreached,
    /// Kubernetes's own controllers did not do their part in time.
    Unjudged,
    /// Not as in the reference: how.
    Diverged(Vec<String>),
}

/// What runs stories.
#[derive(Clone)]
pub(crate) struct Runner {
    client: Client,
    faults: Faults,
    world: World,
    scopes: Arc<AtomicUsize>,
    patience: Duration,
}

impl Runner {
    pub(crate) fn new(stage: &Stage) -> Self {
        let (client, world) = (stage.client.clone(), stage.world.clone());
        Self { client, faults: stage.faults.clone(), world, scopes: Arc::default(), patience: PATIENCE }
    }

    /// One that gives a scope up earlier or later.
    pub(crate) fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The client of those who write beside the operator.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A name that no scope has had.
    pub(crate) fn scope(&self) -> String {
        format!("{PREFIX}{:04}", self.scopes.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a story without faults.
    pub(crate) async fn reference(&self, story: &Story) -> anyhow::Result<Vec<Reference>> {
        let scope = self.scope();
        let mut references = Vec::new();
        for step in &story.steps {
            self.act(step, None, &scope).await?;
            let state = self
                .rested(&scope)
                .await
                .with_context(|| format!("{}, {}, without a fault", story.name, step.name))?;
            references.push(Reference::of(state, &self.faults.record(&scope)));
        }
        self.leave(story, &scope).await?;
        Ok(references)
    }

    /// Runs a story, each step under its plan, and tells each step's verdict as soon as it has one. A scope that has diverged is
    /// left where it is, since what it would do next proves nothing.
    pub(crate) async fn story(
        &self,
        story: &Story,
        references: &[Reference],
        plans: &[Option<Plan>],
        mut tell: impl FnMut(usize, Option<&Plan>, &str, Verdict),
    ) -> anyhow::Result<()> {
        let scope = self.scope();
        for (place, (step, reference)) in story.steps.iter().zip(references).enumerate() {
            if plans[place..].iter().all(Option::is_none) {
                break;
            }
            let plan = plans[place].as_ref();
            let mut verdict = self.step(step, reference, plan, &scope).await;
            if let Verdict::Diverged(how) = &mut verdict {
                let before = story.steps.iter().zip(plans).take(place);
                how.extend(
                    before
                        .filter_map(|(step, plan)| Some(format!("after {}: {}", step.name, plan.as_ref()?))),
                );
                how.extend(self.workloads(&scope));
            }
            let ends = matches!(verdict, Verdict::Diverged(_) | Verdict::Unjudged);
            tell(place, plan, &scope, verdict);
            if ends {
                break;
            }
        }
        self.leave(story, &scope).await
    }

    /// One step under a plan.
    pub(crate) async fn step(
        &self,
        step: &Step,
        reference: &Reference,
        plan: Option<&Plan>,
        scope: &str,
    ) -> Verdict {
        match self.act(step, plan, scope).await {
            Err(why) if why.is::<StillGoing>() => Verdict::Unjudged,
            Err(why) => Verdict::Diverged([vec![format!("{why:#}")], self.conditions(scope)].concat()),
            Ok(()) => self.verdict(reference, plan, scope).await,
        }
    }

    /// How a scope comes to rest.
    pub(crate) async fn verdict(&self, reference: &Reference, plan: Option<&Plan>, scope: &str) -> Verdict {
        let differences = self.rests_as(reference, scope).await;
        let record = self.faults.record(scope);
        let found = Reference::of(State::new(), &record);
        let mut wrong = [differences, reference.surplus(&found)].concat();
        wrong.truncate(DIFFERENCES);
        match plan {
            _ if !wrong.is_empty() => Verdict::Diverged(wrong),
            Some(_) if self.faults.struck(scope) == 0 => Verdict::Unreached,
            _ => Verdict::Same,
        }
    }

    /// Begins a step under a plan.
    pub(crate) async fn act(&self, step: &Step, plan: Option<&Plan>, scope: &str) -> anyhow::Result<()> {
        self.faults.begin(scope, plan.cloned());
        for act in &step.acts {
            act.done(&self.client, scope).await?;
        }
        Ok(())
    }

    /// Ends a story.
    pub(crate) async fn leave(&self, story: &Story, scope: &str) -> anyhow::Result<()> {
        self.faults.begin(scope, None);
        for path in &story.leaves {
            scenario::delete(&self.client, path, scope).await?;
        }
        Ok(())
    }

    /// The scope's objects now.
    pub(crate) fn state(&self, scope: &str) -> State {
        oracle::state(scope, self.world.of(Some(scope)))
    }

    /// What the operator says of a scope that is not as it should be, a line each.
    fn conditions(&self, scope: &str) -> Vec<String> {
        let objects = self.world.of(Some(scope));
        let line = |(kind, name): (&str, &str), status: &Value, condition: &Value| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            let (what, is, reason, message) = (text("type"), text("status"), text("reason"), text("message"));
            format!("{kind} {name}: {} failures, {what} {is} {reason}: {message}", status["failures"])
        };
        let of = |((kind, _, name), object): (&Key, &Value)| {
            let status = &object["status"];
            let all = status["conditions"].as_array().into_iter().flatten();
            let bad = all.filter(|condition| condition["reason"] != "Ready");
            bad.map(|condition| line((kind, name), status, condition)).collect::<Vec<_>>()
        };
        objects.iter().filter(|((kind, ..), _)| is_ours(kind)).flat_map(of).collect()
    }

    /// How its workloads are in the words of Kubernetes's own controllers, a line each, which are not compared.
    fn workloads(&self, scope: &str) -> Vec<String> {
        let objects = self.world.of(Some(scope));
        let runs = |kind: &str| matches!(kind, "Deployment" | "StatefulSet" | "Job");
        let line = |((kind, _, name), object): (&Key, &Value)| {
            let generation = &object["metadata"]["generation"];
            format!("{kind} {name}: generation {generation}, {}", oracle::brief(&object["status"]))
        };
        objects.iter().filter(|((kind, ..), _)| runs(kind)).map(line).collect()
    }

    /// Waits until nothing of a scope has changed for a while and it is as the reference is; tells what is different if that never
    /// comes.
    async fn rests_as(&self, reference: &Reference, scope: &str) -> Vec<String> {
        let began = Instant::now();
        let mut stillness = Stillness::default();
        let (mut looked_at, mut differences) = (None, Vec::new());
        loop {
            // Comparing takes much longer than asking whether something moves.
            if let Some(changes) = stillness.of(self, scope, REST) {
                if looked_at.replace(changes) != Some(changes) {
                    differences = oracle::differences(&reference.state, &self.state(scope));
                }
                if differences.is_empty() {
                    return Vec::new();
                }
            }
            if began.elapsed() > self.patience {
                let restless = vec![format!("{scope} goes on changing")];
                return if differences.is_empty() { restless } else { differences };
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until nothing of a scope has changed for a while and all of it says that it is done.
    async fn rested(&self, scope: &str) -> anyhow::Result<State> {
        let began = Instant::now();
        let mut stillness = Stillness::default();
        let mut looked_at = None;
        loop {
            if let Some(changes) = stillness.of(self, scope, LONG_REST)
                && looked_at.replace(changes) != Some(changes)
            {
                let state = self.state(scope);
                if state.values().all(is_done) {
                    return Ok(state);
                }
            }
            if began.elapsed() > REFERENCE_AT_MOST {
                let going = self.state(scope).into_iter().filter(|(_, object)| !is_done(object));
                let going: Vec<_> = going
                    .map(|(key, object)| format!("{key:?}: {}", oracle::brief(&object["status"])))
                    .collect();
                let lines = [going, self.workloads(scope)].concat().join("\n    ");
                anyhow::bail!("{scope} has not come to rest after {REFERENCE_AT_MOST:?}:\n    {lines}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Since when nothing of a scope has changed.
#[derive(Default)]
struct Stillness(Option<(u64, Instant)>);

impl Stillness {
    /// How often the scope has changed so far, if nothing of it has for so long, and the operator has written nothing.
    fn of(&mut self, runner: &Runner, scope: &str, rest: Duration) -> Option<u64> {
        let changes = runner.world.changes(scope);
        let (_, since) = *self.0.insert(match self.0 {
            Some(before) if before.0 == changes => before,
            _ => (changes, Instant::now()),
        });
        let quiet = runner.faults.last_write(scope).is_none_or(|at| at.elapsed() > rest);
        (quiet && since.elapsed() > rest).then_some(changes)
    }
}

/// Whether the operator is done with an object, where it is one that it says so of.
fn is_done(object: &Value) -> bool {
    if !object["kind"].as_str().is_some_and(is_ours) {
        return true;
    }
    let is_observed = object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation");
    let mut conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let goes_on = conditions.any(|condition| condition["type"] == "Reconciling");
    // One that is held on its way out goes on until it is gone.
    is_observed && (!goes_on || object.pointer("/metadata/deletionTimestamp").is_some())
}

/// The kinds whose conditions the operator writes.
fn is_ours(kind: &str) -> bool {
    matches!(kind, "KybTenant" | "RegionDeployment" | "CachePolicy")
}
