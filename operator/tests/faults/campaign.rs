//! Many plans: which of them, in which stories, and what came of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kyb_faults::{Fault, Plan};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::{
    matrix::{Count, Matrix},
    run::{Reference, Runner, Verdict},
    scenario::Story,
};

/// Stories with how their steps end when nothing goes wrong.
pub(crate) struct Repertoire {
    pub(crate) stories: Vec<Story>,
    pub(crate) references: Vec<Vec<Reference>>,
}

/// A plan for a step of a story.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    story: usize,
    step: usize,
    pub(crate) plan: Plan,
}

/// What came of trials.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) matrix: Matrix,
    pub(crate) divergences: Vec<String>,
    unreached: Vec<Trial>,
    verdicts: usize,
}

/// Progress is told whenever so many trials have had their verdict.
const TELL_EVERY: usize = 500;
/// So many others of its cell stand in for a trial whose cell nothing has struck.
const STAND_INS: usize = 6;

impl Repertoire {
    /// Plays each story without faults, all at the same time.
    pub(crate) async fn of(runner: &Runner, stories: Vec<Story>) -> anyhow::Result<Self> {
        let played = stories.iter().map(|story| runner.reference(story));
        let references = futures::future::try_join_all(played).await?;
        Ok(Self { stories, references })
    }

    /// Every plan for every step.
    pub(crate) fn trials(&self) -> Vec<Trial> {
        let mut trials = Vec::new();
        for (story, steps) in self.references.iter().enumerate() {
            for (step, reference) in
                steps.iter().enumerate().filter(|(step, _)| self.stories[story].steps[*step].tested)
            {
                let plans = crate::plans::of_step(&reference.targets);
                trials.extend(plans.into_iter().map(|plan| Trial { story, step, plan }));
            }
        }
        trials
    }

    fn row(&self, story: usize, step: usize) -> String {
        let story = &self.stories[story];
        format!("{}: {}", story.name, story.steps[step].name)
    }

    /// What a trial's divergence is headed with.
    pub(crate) fn heading(&self, trial: &Trial) -> String {
        format!("{}, {}", self.row(trial.story, trial.step), trial.plan)
    }

    /// So many of them: first one for each fault of each step, then whichever come. And those that are left.
    pub(crate) fn sample(&self, mut trials: Vec<Trial>, size: usize, seed: u64) -> (Vec<Trial>, Vec<Trial>) {
        trials.shuffle(&mut StdRng::seed_from_u64(seed));
        let mut cells = BTreeSet::new();
        let (mut first, others): (Vec<_>, Vec<_>) =
            trials.into_iter().partition(|trial| cells.insert(self.cell(trial)));
        first.extend(others);
        let left = first.split_off(size.min(first.len()));
        (first, left)
    }

    /// Some of `left` for each cell that trials were meant for and none has struck: their points do not come in every run.
    pub(crate) fn stand_ins(&self, left: Vec<Trial>, matrix: &Matrix) -> Vec<Trial> {
        let mut wanted: BTreeMap<_, _> = matrix.holes().into_iter().map(|hole| (hole, STAND_INS)).collect();
        let mut stands_in = |trial: &Trial| match wanted.get_mut(&self.cell(trial)) {
            Some(more @ 1..) => {
                *more -= 1;
                true
            }
            _ => false,
        };
        left.into_iter().filter(|trial| stands_in(trial)).collect()
    }

    /// How many cells of the matrix trials belong to.
    pub(crate) fn cells(&self, trials: &[Trial]) -> usize {
        trials.iter().map(|trial| self.cell(trial)).collect::<BTreeSet<_>>().len()
    }

    fn cell(&self, trial: &Trial) -> (String, Fault) {
        (self.row(trial.story, trial.step), trial.plan.fault)
    }

    /// Plays stories until each trial has had its turn, so many at a time; what was not reached gets a second turn.
    pub(crate) async fn perform(
        &self,
        runner: &Runner,
        trials: &[Trial],
        seats: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for trial in trials {
            report.matrix.count(&self.row(trial.story, trial.step), trial.plan.fault, Count::Tried);
        }
        self.round(runner, trials, seats, report).await?;
        let again = std::mem::take(&mut report.unreached);
        self.round(runner, &again, seats, report).await?;
        for trial in std::mem::take(&mut report.unreached) {
            report.matrix.count(&self.row(trial.story, trial.step), trial.plan.fault, Count::Unreached);
        }
        Ok(())
    }

    async fn round(
        &self,
        runner: &Runner,
        trials: &[Trial],
        seats: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let shared = Mutex::new(report);
        let plays = self.plays(trials).into_iter().map(|(story, plans)| {
            let shared = &shared;
            async move {
                let tell = |step: usize, plan: Option<&Plan>, scope: &str, verdict| {
                    let report = &mut shared.lock().unwrap_or_else(PoisonError::into_inner);
                    match plan {
                        Some(plan) => {
                            self.take(&Trial { story, step, plan: plan.clone() }, scope, verdict, report);
                        }
                        None => self.take_other(story, step, scope, &verdict, report),
                    }
                };
                runner.story(&self.stories[story], &self.references[story], &plans, tell).await
            }
        });
        let plays: Vec<_> = plays.collect();
        stream::iter(plays).buffer_unordered(seats).try_collect::<()>().await
    }

    /// How often each story is played, and under which plan each step is then.
    fn plays(&self, trials: &[Trial]) -> Vec<(usize, Vec<Option<Plan>>)> {
        let mut of_steps: BTreeMap<(usize, usize), Vec<Plan>> = BTreeMap::new();
        for trial in trials {
            of_steps.entry((trial.story, trial.step)).or_default().push(trial.plan.clone());
        }
        let mut plays = Vec::new();
        for (place, story) in self.stories.iter().enumerate() {
            let of_step = |step: usize| of_steps.get(&(place, step)).map_or(&[][..], Vec::as_slice);
            let times = (0..story.steps.len()).map(|step| of_step(step).len()).max().unwrap_or(0);
            let play =
                |turn: usize| (0..story.steps.len()).map(|step| of_step(step).get(turn).cloned()).collect();
            plays.extend((0..times).map(|turn| (place, play(turn))));
        }
        plays
    }

    fn take(&self, trial: &Trial, scope: &str, verdict: Verdict, report: &mut Report) {
        let (row, fault) = self.cell(trial);
        report.verdicts += 1;
        if report.verdicts.is_multiple_of(TELL_EVERY) {
            crate::say(&format!("{} verdicts", report.verdicts));
        }
        match verdict {
            Verdict::Same => report.matrix.count(&row, fault, Count::Struck),
            Verdict::Unreached | Verdict::Unjudged => report.unreached.push(trial.clone()),
            Verdict::Diverged(how) => {
                report.matrix.count(&row, fault, Count::Diverged);
                report.diverged(&self.heading(trial), scope, &how);
            }
        }
    }

    /// A step without a plan, which has to end as it did the first time.
    fn take_other(&self, story: usize, step: usize, scope: &str, verdict: &Verdict, report: &mut Report) {
        if let Verdict::Diverged(how) = verdict {
            report.diverged(&format!("{}, without a fault", self.row(story, step)), scope, how);
        }
    }
}

impl Report {
    fn diverged(&mut self, what: &str, scope: &str, how: &[String]) {
        let mut text = format!("{what} ({scope}):");
        for line in how {
            let _ = write!(text, "\n    {line}");
        }
        crate::say(&text);
        self.divergences.push(text);
    }
}

impl Trial {
    pub(crate) fn is_of_process(&self) -> bool {
        self.plan.fault.is_of_process()
    }
}
