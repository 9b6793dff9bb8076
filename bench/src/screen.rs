//! Screenings: in one thread of this process beside Jaro-Winkler over every listed name, and over HTTP beside the former.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use kyb_domain::{
    list::{EntryKind, Watchlist},
    party::{Party, PartyKind},
};
use kyb_e2e::{
    ListPlan, Plan, Platform, lists,
    names::{Change, ORDINARY_FIRMS},
};
use kyb_screening::{Screener, SearchOptions};
use rand::{SeedableRng as _, rngs::StdRng};
use rapidfuzz::distance::jaro_winkler;
use serde_json::json;

use crate::{
    Setup,
    figure::{Figure, print_pair},
    load::{self, Requests},
    loading,
    rounds::{alternate, median, percentile},
};

const SEED: u64 = 7;

/// Prints screenings per second and the 99th percentile of the time that one takes.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let list = Arc::new(loading::read(setup)?);
    let subjects = subjects(&list)?;
    let screener = Screener::build(&[Arc::clone(&list)]);
    let names: Vec<Vec<char>> = names(&list);
    eprintln!("screen: {} entries, {} names, {} subjects", list.entries.len(), names.len(), subjects.len());

    let mut p99s = Vec::new();
    let mut ours = async || -> anyhow::Result<f64> {
        let (per_second, p99) = in_turn(setup, &subjects, |subject| search(&screener, subject));
        p99s.push(p99);
        Ok(per_second)
    };
    let mut bare_p99s = Vec::new();
    let baseline = async || -> anyhow::Result<f64> {
        let (per_second, p99) = in_turn(setup, &subjects, |subject| brute_force(&names, subject));
        bare_p99s.push(p99);
        Ok(per_second)
    };
    let pair = alternate("screenings_per_second", setup.rounds, &mut ours, baseline).await?;
    print_pair("screenings_per_second", "1/s", &pair);
    let (p99, bare) = (median(p99s.iter().copied()), median(bare_p99s.into_iter()));
    Figure::new("screening_p99", p99, "us").beside(bare).print();
    over_http(setup, &subjects, &screener).await
}

/// The same subjects as `POST /v1/screenings`, recorded in a durable PostgreSQL.
async fn over_http(setup: &Setup, subjects: &[Party], screener: &Screener) -> anyhow::Result<()> {
    let plan = Plan {
        durable: true,
        lists: vec![ListPlan { refresh_seconds: 3600, ..ListPlan::ofac(&setup.lists) }],
        ..Plan::new()
    };
    let platform = Platform::start(plan).await?;
    let gateway = SocketAddr::from(([127, 0, 0, 1], platform.port()));
    let key = platform.settings.key("acme")?;
    let bodies: Vec<Vec<u8>> = subjects
        .iter()
        .map(|subject| load::post("/v1/screenings", key, &json!({ "subject": subject })))
        .collect();
    let requests: Requests =
        Arc::new(move |connection, number| bodies[(connection * 13 + number) % bodies.len()].clone());
    let mut p99s = Vec::new();
    let ours = async || -> anyhow::Result<f64> {
        let measured = load::run(gateway, setup.connections, setup.round, 201, &requests).await?;
        p99s.push(measured.p99_us);
        Ok(measured.per_second)
    };
    let name = "screenings_over_http_per_second";
    let baseline = async || Ok(in_turn(setup, subjects, |subject| search(screener, subject)).0);
    let pair = alternate(name, setup.rounds, ours, baseline).await?;
    print_pair(name, "1/s", &pair);
    Figure::new("screening_over_http_p99", median(p99s.into_iter()), "us").print();
    Ok(())
}

/// Half of them listed parties with changed names, half ordinary firms.
fn subjects(list: &Watchlist) -> anyhow::Result<Vec<Party>> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut subjects = Vec::new();
    for (kind, party) in
        [(EntryKind::Organization, PartyKind::Business), (EntryKind::Person, PartyKind::Person)]
    {
        for (at, entry) in lists::sample(list, kind, 20, SEED).into_iter().enumerate() {
            let name = Change::ALL[at % Change::ALL.len()].apply(entry, &mut random);
            subjects.push(Party::named(party, name.try_into()?));
        }
    }
    for (name, _) in ORDINARY_FIRMS {
        subjects.push(Party::named(PartyKind::Business, name.try_into()?));
    }
    Ok(subjects)
}

/// Every listed name in upper case.
pub(crate) fn names(list: &Watchlist) -> Vec<Vec<char>> {
    let all = list.entries.iter().flat_map(|entry| &entry.names);
    all.map(|name| name.text.to_uppercase().chars().collect()).collect()
}

pub(crate) fn search(screener: &Screener, subject: &Party) -> usize {
    screener.search(subject, &SearchOptions::default()).matches.len()
}

/// How many names are alike by Jaro-Winkler alone, every name compared.
pub(crate) fn brute_force(names: &[Vec<char>], subject: &Party) -> usize {
    let subject = subject.name.as_str().to_uppercase();
    let comparator = jaro_winkler::BatchComparator::new(subject.chars());
    names.iter().filter(|name| comparator.similarity(name.iter().copied()) >= 0.9).count()
}

/// Does `work` for one subject after the other until the round is over: how many in a second, and the 99th percentile in
/// microseconds.
pub(crate) fn in_turn(setup: &Setup, subjects: &[Party], work: impl Fn(&Party) -> usize) -> (f64, f64) {
    let began = Instant::now();
    let mut latencies = Vec::new();
    for subject in subjects.iter().cycle() {
        if began.elapsed() >= setup.round {
            break;
        }
        let one = Instant::now();
        std::hint::black_box(work(subject));
        latencies.push(one.elapsed().as_secs_f64() * 1e6);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of screenings")]
    let per_second = latencies.len() as f64 / began.elapsed().as_secs_f64();
    (per_second, percentile(&mut latencies, 0.99))
}
