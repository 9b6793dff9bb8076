//! Sequences of changes, made from the schemas, on live objects under a running operator.
//!
//! ```text
//! schema ─► fields ─► values of each class ─► changes ─► sequences ─► API server, operator ─► states ─► oracles
//!             └───────── hints: what no schema says ─┘
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod boundaries;
mod change;
mod coverage;
mod ground;
mod hints;
mod known;
mod oracles;
mod play;
mod schema;
mod stand_in;
mod state;
mod subject;
mod text;
mod twins;
mod values;

use std::time::Instant;

use anyhow::Context as _;

use change::full_spec;
use ground::Ground;
use play::{AT_ONCE, Dealer};
use schema::Kind;
use subject::Subject;

/// How many sequences are played, where the environment does not say.
const SEQUENCES: usize = 100;
/// Runs up to this long leave out what takes long.
const SHORT: usize = 100;
/// Which ones, where it does not say: the same each time, so that a failure is of the change that came, not of luck.
const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn sequences_of_changes_end_where_a_new_object_begins() -> anyhow::Result<()> {
    let seed = from_environment("KYB_SEQUENCES_SEED")?.unwrap_or(SEED);
    let count = from_environment("KYB_SEQUENCES")?.map_or(Ok(SEQUENCES), usize::try_from)?;
    println!("KYB_SEQUENCES={count} KYB_SEQUENCES_SEED={seed}");
    known::all().for_each(|known| println!("{known}"));
    let began = Instant::now();
    let ground = Ground::start().await?;
    let home = Subject { kind: Kind::RegionDeployment, name: hints::HOME.to_owned() };
    home.make(&ground.client, &full_spec(Kind::RegionDeployment)).await?;
    let playing = async {
        let mut dealer = Dealer::new(seed, count <= SHORT);
        let mut left = count;
        let mut complaints = Vec::new();
        while left > 0 {
            let report = dealer.play(&ground, left.min(AT_ONCE)).await?;
            left -= report.sequences;
            println!("{:?}: {report:#?}", began.elapsed());
            complaints.extend(report.complaints);
        }
        anyhow::Ok(complaints)
    };
    let complaints = tokio::select! {
        complaints = playing => complaints?,
        why = stand_in::work(&ground.client) => return Err(why),
    };
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    Ok(())
}

fn from_environment(name: &str) -> anyhow::Result<Option<u64>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{name}={text}"))?)),
        Err(_) => Ok(None),
    }
}
