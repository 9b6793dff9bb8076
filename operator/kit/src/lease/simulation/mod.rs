//! Two and three replicas, a server, slow and lost requests, paused processes, clocks of other rates, leases deleted by
//! hand: never two that may write. Twins without a safeguard show that the simulation would notice.

mod world;

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::Timing;
use world::{Without, World};

/// Milliseconds of the world's time between two looks.
const STEP: u64 = 50;
const END: u64 = 90_000;

fn timing() -> Timing {
    let seconds = Duration::from_secs;
    Timing {
        duration: seconds(10),
        margin: seconds(3),
        request_timeout: Duration::from_millis(2400),
        renew_every: seconds(2),
        retry_every: seconds(1),
    }
}

/// What goes wrong in a run.
#[derive(Debug, Clone)]
struct Chaos {
    /// For each request in turn: milliseconds to the server and back; more than 8 s on either way is for ever.
    delays: Vec<(u64, u64)>,
    /// `(replica, from, for)` in milliseconds: the process is stopped.
    pauses: Vec<(usize, u64, u64)>,
    /// Each replica's clock: how far ahead, and how many millionths it runs fast.
    clocks: Vec<(u64, i64)>,
    /// `(replica, when)`: it is asked to stop.
    stops: Vec<(usize, u64)>,
    /// When somebody deletes the Lease, and whether something makes it again, empty, a second later.
    deletions: Vec<(u64, bool)>,
}

fn chaos() -> impl Strategy<Value = Chaos> {
    let delay = prop_oneof![8 => 0..100u64, 2 => 100..3000u64, 1 => 3000..10_000u64];
    let pause = (0..3usize, 0..END, 100..15_000u64);
    (
        prop::collection::vec((delay.clone(), delay), 1..60),
        prop::collection::vec(pause, 0..8),
        prop::collection::vec((0..1_000_000u64, -20_000..20_000i64), 2..=3),
        prop::collection::vec((0..3usize, 0..END), 0..3),
        prop::collection::vec((0..END, any::<bool>()), 0..3),
    )
        .prop_map(|(delays, pauses, clocks, stops, deletions)| Chaos {
            delays,
            pauses,
            clocks,
            stops,
            deletions,
        })
}

fn holds_under(without: Without, cases: u32) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
        .run(&chaos(), |chaos| World::new(&chaos, without).run())
        .map_err(|error| error.to_string())
}

#[test]
fn there_are_never_two_who_may_write() {
    timing().check().unwrap();
    assert_eq!(holds_under(Without::Nothing, 8000), Ok(()));
}

#[test]
fn without_the_version_as_a_precondition_there_are_two() {
    assert!(holds_under(Without::Precondition, 1500).is_err());
}

#[test]
fn without_a_deadline_of_ones_own_there_are_two() {
    assert!(holds_under(Without::Deadline, 1500).is_err());
}

#[test]
fn without_a_margin_a_late_request_meets_the_next_holder() {
    assert!(holds_under(Without::Margin, 1500).is_err());
}

#[test]
fn a_lease_that_is_made_again_and_claims_to_be_new_lets_two_in() {
    assert!(holds_under(Without::Modesty, 1500).is_err());
}

#[test]
fn somebody_holds_it_soon_and_again_soon_after_a_holder_is_gone() {
    let calm = Chaos {
        delays: vec![(10, 10)],
        pauses: vec![(0, 20_000, 60_000), (1, 20_000, 60_000)],
        clocks: vec![(0, 0), (500, 0), (900, 0)],
        stops: vec![],
        deletions: vec![],
    };
    // Whoever of the first two holds is stopped at 20 s; if the third held from the start, it simply goes on.
    let mut world = World::new(&calm, Without::Nothing);
    world.run().unwrap();
    let last = world.nodes.iter().filter_map(|node| node.last_held).max();
    assert_eq!(last, Some(END - STEP));
    assert!((1..=3).contains(&world.holds), "{} holds", world.holds);
}
