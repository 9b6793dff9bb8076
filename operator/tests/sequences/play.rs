//! Plays many sequences at once, each on an object of its own, in rounds: all make their next change, all come to rest, all are
//! judged.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::Value;

use crate::{
    change::{Change, changes, full_spec, least_spec, unusable},
    ground::{AT_A_TIME, Ground},
    known,
    oracles::{Attempt, is_paused, not_as_new, not_mended},
    schema::Kind,
    state::{Children, State},
    subject::{Answer, Subject},
};

/// So many changes does a sequence have, apart from those that mend.
const STEPS: usize = 3;
/// So much of what is wrong with one object is shown.
const SHOWN: usize = 6;
/// So many sequences are played at a time.
pub(crate) const AT_ONCE: usize = 100;

/// A sequence of changes of one object.
pub(crate) struct Sequence {
    subject: Subject,
    spec: Value,
    steps: VecDeque<Change>,
    /// The spec and the state when all was well last.
    good: Option<(Value, State)>,
    state: Option<State>,
    story: Vec<String>,
    is_over: bool,
}

/// What came of playing.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) sequences: usize,
    pub(crate) changes: usize,
    pub(crate) refused: usize,
    pub(crate) reported: usize,
    pub(crate) mended: usize,
    pub(crate) compared: usize,
    pub(crate) looks: usize,
    pub(crate) classes: BTreeMap<String, usize>,
    /// What was wrong, each with the story of its sequence.
    pub(crate) complaints: Vec<String>,
}

/// Random sequences of all kinds; every change comes up before one comes up again.
pub(crate) struct Dealer {
    random: StdRng,
    decks: [Vec<Change>; 3],
    is_short: bool,
    dealt: usize,
}

impl Dealer {
    pub(crate) fn new(seed: u64, is_short: bool) -> Self {
        Self { random: StdRng::seed_from_u64(seed), decks: [vec![], vec![], vec![]], is_short, dealt: 0 }
    }

    /// The next sequence: of twenty fifteen are of tenants, three of regions, two of policies.
    fn deal(&mut self) -> Sequence {
        let kind = match self.dealt % 20 {
            0..15 => Kind::KybTenant,
            15..18 => Kind::RegionDeployment,
            _ => Kind::CachePolicy,
        };
        let (spec, begin) = if self.random.random_ratio(1, 3) {
            (full_spec(kind), "with every field")
        } else {
            (least_spec(kind), "with what is needed")
        };
        let steps = (0..STEPS).map(|_| self.card(kind)).collect();
        let subject = Subject { kind, name: format!("s{:05}a", self.dealt) };
        self.dealt += 1;
        let story = vec![begin.to_owned()];
        Sequence { subject, spec, steps, good: None, state: None, story, is_over: false }
    }

    fn card(&mut self, kind: Kind) -> Change {
        loop {
            if let Some(card) = self.decks[kind as usize].pop() {
                return card;
            }
            self.decks[kind as usize] = self.shuffled(kind);
        }
    }

    fn shuffled(&mut self, kind: Kind) -> Vec<Change> {
        let mut deck = changes(kind);
        deck.retain(|change| known::left_out(change, self.is_short).is_none());
        deck.shuffle(&mut self.random);
        deck.extend(unusable(kind)); // the first to be dealt
        deck
    }

    /// Plays so many sequences to their end.
    pub(crate) async fn play(&mut self, ground: &Ground, count: usize) -> anyhow::Result<Report> {
        let mut report = Report { sequences: count, ..Report::default() };
        let mut sequences: Vec<Sequence> = (0..count).map(|_| self.deal()).collect();
        let began = Instant::now();
        begin(ground, &mut sequences, &mut report).await?;
        println!("{count} objects made in {:.1?}", began.elapsed());
        while sequences.iter().any(|sequence| !sequence.is_over) {
            round(ground, &mut sequences, &mut report).await?;
        }
        let began = Instant::now();
        compare(ground, &sequences, &mut report).await?;
        println!("compared with new objects in {:.1?}", began.elapsed());
        Ok(report)
    }
}

async fn begin(ground: &Ground, sequences: &mut [Sequence], report: &mut Report) -> anyhow::Result<()> {
    let made = sequences.iter().map(|sequence| sequence.subject.make(&ground.client, &sequence.spec));
    stream::iter(made).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    settle(ground, sequences, report).await?;
    for (sequence, state) in states(ground, sequences).await? {
        if !state.is_well() {
            sequence.complain(report, &[format!("not well from the start: {:?}", state.complaints())]);
        }
        sequence.good = Some((sequence.spec.clone(), state.clone()));
        sequence.state = Some(state);
    }
    Ok(())
}

/// What a sequence does in a round.
enum Move {
    Try { change: Change, spec: Value, broken_rules: Vec<String> },
    Mend,
    GoOn,
}

async fn round(ground: &Ground, sequences: &mut [Sequence], report: &mut Report) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut moves: Vec<Option<(Move, Answer)>> = Vec::new();
    let made = sequences.iter_mut().map(|sequence| sequence.make_a_move(ground));
    let made: Vec<_> = made.collect();
    let mut made = stream::iter(made).buffered(AT_A_TIME);
    while let Some(one) = made.next().await {
        moves.push(one?);
    }
    drop(made);
    settle(ground, sequences, report).await?;
    for ((sequence, state), made) in states(ground, sequences).await?.into_iter().zip(moves) {
        if let Some((made, answer)) = made {
            sequence.judge(&made, &answer, state, report);
        }
    }
    let open = sequences.iter().filter(|sequence| !sequence.is_over).count();
    println!("a round of {:.1?}; {open} sequences go on", began.elapsed());
    Ok(())
}

/// Waits for rest, and has everything looked at once more: nothing may be written then.
async fn settle(ground: &Ground, sequences: &[Sequence], report: &mut Report) -> anyhow::Result<()> {
    ground.rest().await?;
    let subjects: Vec<&Subject> = sequences.iter().map(|sequence| &sequence.subject).collect();
    report.looks += subjects.len();
    let needless = ground.look_again(&subjects).await?;
    report.complaints.extend(needless.into_iter().map(|write| format!("written though at rest: {write}")));
    Ok(())
}

async fn states<'a>(
    ground: &Ground,
    sequences: &'a mut [Sequence],
) -> anyhow::Result<Vec<(&'a mut Sequence, State)>> {
    let children = Children::read(&ground.client).await?;
    let read = sequences.iter_mut().map(|sequence| async {
        let state = State::of(&sequence.subject, &children, &ground.client).await?;
        anyhow::Ok((sequence, state))
    });
    stream::iter(read).buffered(AT_A_TIME).try_collect().await
}

impl Sequence {
    fn next_move(&mut self) -> Option<Move> {
        let is_well = self.good.as_ref().is_some_and(|(spec, _)| *spec == self.spec);
        if !is_well && !is_paused(&self.spec) {
            return Some(Move::Mend);
        }
        let Some(change) = self.steps.pop_front() else {
            return is_paused(&self.spec).then_some(Move::GoOn);
        };
        let spec = change.of_spec(&self.spec);
        let kind = self.subject.kind;
        let (own, before) = (self.subject.own(kind, &spec), self.subject.own(kind, &self.spec));
        let broken_rules = kind.broken_rules(&own, Some(&before));
        Some(Move::Try { change, spec, broken_rules })
    }

    async fn make_a_move(&mut self, ground: &Ground) -> anyhow::Result<Option<(Move, Answer)>> {
        let Some(made) = self.next_move() else {
            self.is_over = true;
            return Ok(None);
        };
        let good = self.good.as_ref().map_or(&self.spec, |(spec, _)| spec);
        let unpaused = without_pause(&self.spec);
        let spec = match &made {
            Move::Try { spec, .. } => spec,
            Move::Mend => good,
            Move::GoOn => &unpaused,
        };
        let answer = self.subject.change(&ground.client, spec).await?;
        self.story.push(match &made {
            Move::Try { change, .. } => change.to_string(),
            Move::Mend => "back to what was good".to_owned(),
            Move::GoOn => "paused no longer".to_owned(),
        });
        if answer == Answer::Taken {
            self.spec = spec.clone();
        }
        Ok(Some((made, answer)))
    }

    fn judge(&mut self, made: &Move, answer: &Answer, state: State, report: &mut Report) {
        let Some(before) = self.state.replace(state.clone()) else { return };
        let complaints = match made {
            Move::Try { change, broken_rules, .. } => {
                report.changes += 1;
                report.refused += usize::from(*answer != Answer::Taken);
                report.reported += usize::from(!state.is_well());
                *report.classes.entry(change.class.to_string()).or_default() += 1;
                let is_paused = is_paused(&self.spec);
                let broken_rules = broken_rules.clone();
                Attempt { change, broken_rules, answer, before: &before, after: &state, is_paused }
                    .complaints()
            }
            Move::Mend => {
                report.mended += 1;
                self.good.as_ref().map(|(_, good)| not_mended(answer, good, &state)).unwrap_or_default()
            }
            Move::GoOn => vec![],
        };
        self.complain(report, &complaints);
        if state.is_well() && !is_paused(&self.spec) {
            self.good = Some((self.spec.clone(), state));
        } else if matches!(made, Move::Mend) {
            self.is_over = true; // there is nothing to go on from
        }
    }

    fn complain(&self, report: &mut Report, complaints: &[String]) {
        if !complaints.is_empty() {
            let (kind, name, story) =
                (self.subject.kind.name(), &self.subject.name, self.story.join("\n  → "));
            let wrong = complaints[..complaints.len().min(SHOWN)].join("\n      ");
            report.complaints.push(format!("{kind} {name}: {story}\n    ✗ {wrong}"));
        }
    }
}

fn without_pause(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.remove("paused");
    }
    spec
}

/// Makes a new object with the spec that each sequence came to, and compares.
async fn compare(ground: &Ground, sequences: &[Sequence], report: &mut Report) -> anyhow::Result<()> {
    let ended_well = |sequence: &&Sequence| {
        sequence.state.as_ref().is_some_and(State::is_well) && !is_paused(&sequence.spec)
    };
    let olds: Vec<&Sequence> = sequences.iter().filter(ended_well).collect();
    let mut news: Vec<Sequence> = olds.iter().map(|old| old.anew()).collect();
    let made = news.iter().map(|new| new.subject.make(&ground.client, &new.spec));
    stream::iter(made).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    settle(ground, &news, report).await?;
    for (old, (_, new)) in olds.iter().zip(states(ground, &mut news).await?) {
        let Some(state) = &old.state else { continue };
        report.compared += 1;
        let wrong: Vec<_> = not_as_new(state, &new).iter().map(|it| format!("not as new: {it}")).collect();
        old.complain(report, &wrong);
    }
    let all = sequences.iter().chain(&news).map(|sequence| sequence.subject.remove(&ground.client));
    stream::iter(all).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    Ok(())
}

impl Sequence {
    /// A new object with the spec that this one came to.
    fn anew(&self) -> Self {
        let name = self.subject.name.replace('a', "z");
        Self {
            subject: Subject { kind: self.subject.kind, name },
            spec: self.spec.clone(),
            steps: VecDeque::new(),
            good: None,
            state: None,
            story: vec![],
            is_over: true,
        }
    }
}
