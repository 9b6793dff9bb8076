//! A publisher that fails costs freshness, never the last good version, and says so everywhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use kyb_e2e::{
    Client, Fault, Host, ListOrigin, ListPlan, Plan, Platform, Publisher,
    lists::{self, ListFile, made_up_names, ofac_trio},
    waiting::until,
};
use kyb_worker::{WorkerOptions, feeds::fetch::FetchLimits};
use serde_json::{Value, json};

/// How soon a fault must show everywhere: one refresh with its retries, and a second for the gateway.
const SHOWS_WITHIN: Duration = Duration::from_secs(40);
const ENTRIES: u32 = 100;

/// The platform with an OFAC and a UN list from a publisher of our own, and a worker with small limits.
struct Feeds {
    platform: Platform,
    publisher: Publisher,
    acme: Client,
    un: Vec<ListFile>,
}

impl Feeds {
    async fn start() -> anyhow::Result<Self> {
        let publisher = Publisher::start().await?;
        let mut un = lists::files(&lists::test_data("un")?)?;
        un.retain(|file| file.bytes.trim_ascii_start().starts_with(b"<"));
        let name = un.first().context("no XML file in the test data of the UN")?.name.clone();
        publisher.publish(&ofac(ENTRIES), day(14))?;
        publisher.publish(&un, day(14))?;
        let list = |id: &str, format, files: &[&str]| {
            let urls = files.iter().map(|file| publisher.url(file)).collect();
            ListPlan { id: id.to_owned(), format, origin: ListOrigin::Urls(urls), refresh_seconds: 1 }
        };
        let lists = vec![
            list("ofac-sdn", "ofac-csv", &["sdn.csv", "alt.csv", "add.csv"]),
            list("un-sc", "un-xml", &[&name]),
        ];
        let fetch = FetchLimits { bytes: 1 << 20, time: Duration::from_secs(2), retries: 1 };
        let worker = Host::Inside(WorkerOptions { fetch, ..WorkerOptions::default() });
        let platform = Platform::start(Plan { lists, worker, ..Plan::new() }).await?;
        let acme = platform.client("acme")?;
        platform.fresh(&acme).await?;
        Ok(Self { platform, publisher, acme, un })
    }

    async fn list(&self, id: &str) -> anyhow::Result<Value> {
        let lists = self.platform.watchlists(&self.acme).await?;
        lists.into_iter().find(|list| list["list"] == id).with_context(|| format!("list {id} is not shown"))
    }

    /// Everything is published as it should be.
    fn heal(&self) -> anyhow::Result<()> {
        self.publisher.misbehave(Fault::None);
        self.publisher.publish(&ofac(ENTRIES), day(14))?;
        self.publisher.publish(&self.un, day(14))
    }

    /// The list is stale for a reason that holds `why`, is still in use as `version`, and everything says so.
    async fn shows(&self, id: &str, version: &Value, why: &str) -> anyhow::Result<()> {
        let list = until("the fault to show", SHOWS_WITHIN, || async {
            let list = self.list(id).await?;
            ensure!(list["fresh"] == false && list["stale"]["why"].to_string().contains(why), "{list}");
            Ok(list)
        })
        .await?;
        ensure!(list["version"] == *version, "the last good version stays: {list}");
        ensure!(
            self.platform.metric("kyb_watchlist_stale", id).await? > 0.5,
            "the metric of {id} says fresh"
        );
        let unlisted =
            self.acme.screen(&json!({"type": "business", "name": "Copper Kettle Tea Rooms"})).await?;
        ensure!(unlisted["status"] == "error", "no_hit on a stale list: {unlisted}");
        ensure!(unlisted["reasons"].to_string().contains("LIST_STALE"), "{unlisted}");
        let listed =
            self.acme.screen(&json!({"type": "business", "name": "Zorvex Maritime Company"})).await?;
        ensure!(listed["status"] == "in_review", "the last good version is searched: {listed}");
        let state =
            listed["list_versions"].as_array().into_iter().flatten().find(|state| state["list"] == id);
        ensure!(
            state.is_some_and(|state| !state["stale"].is_null()),
            "the answer names the stale list: {listed}"
        );
        let verified =
            self.acme.verify(&json!({"name": "Copper Kettle Tea Rooms Ltd", "country": "GB"})).await?;
        ensure!(verified["decision"]["outcome"] != "approve", "{verified}");
        Ok(())
    }

    async fn recovers(&self, id: &str) -> anyhow::Result<()> {
        self.heal()?;
        self.platform.fresh(&self.acme).await?;
        ensure!(
            self.platform.metric("kyb_watchlist_stale", id).await? < 0.5,
            "the metric of {id} says stale"
        );
        let unlisted =
            self.acme.screen(&json!({"type": "business", "name": "Copper Kettle Tea Rooms"})).await?;
        ensure!(unlisted["status"] == "no_hit", "{unlisted}");
        Ok(())
    }
}

fn ofac(entries: u32) -> Vec<ListFile> {
    let names = made_up_names(entries);
    ofac_trio(&names.iter().map(|(id, name)| (*id, name.as_str())).collect::<Vec<_>>())
}

fn day(day: u32) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2019, 6, day).unwrap()
}

/// The same files, one of them changed.
fn with(mut files: Vec<ListFile>, name: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<ListFile> {
    files.iter_mut().filter(|file| file.name == name).for_each(|file| change(&mut file.bytes));
    files
}

/// A way to go wrong.
enum Wrong {
    /// In the transfer.
    Transfer(Fault),
    /// In what is published.
    Content(Vec<ListFile>, chrono::NaiveDate),
}

/// What goes wrong, which list it meets, and what the reason must name.
fn faults(un: &[ListFile]) -> Vec<(&'static str, Wrong, &'static str, &'static str)> {
    let half = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    let garbage = |bytes: &mut Vec<u8>| drop(bytes.splice(.., *b"<html><body>Come back later</body></html>"));
    let half_csv = with(ofac(ENTRIES), "sdn.csv", half);
    let half_xml = with(un.to_vec(), &un[0].name, half);
    let page = with(ofac(ENTRIES), "alt.csv", garbage);
    vec![
        ("status 500", Wrong::Transfer(Fault::Status(500)), "ofac-sdn", "500"),
        ("cut short", Wrong::Transfer(Fault::CutShort), "ofac-sdn", "did not answer in full"),
        ("endless body", Wrong::Transfer(Fault::Endless), "ofac-sdn", "larger than 1048576 bytes"),
        ("slow drip", Wrong::Transfer(Fault::Drip), "ofac-sdn", "not complete after"),
        ("half a csv", Wrong::Content(half_csv, day(15)), "ofac-sdn", "sdn.csv"),
        ("half an XML", Wrong::Content(half_xml, day(15)), "un-sc", ".xml"),
        ("garbage", Wrong::Content(page, day(15)), "ofac-sdn", "alt.csv"),
        ("30 % fewer", Wrong::Content(ofac(ENTRIES * 7 / 10), day(15)), "ofac-sdn", "70"),
        ("older", Wrong::Content(ofac(ENTRIES + 1), day(13)), "ofac-sdn", "2019-06-13"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_publisher_does_the_last_good_version_stays_and_everything_says_list_stale() {
    let feeds = Feeds::start().await.unwrap();
    let faults = faults(&feeds.un);
    for (fault, wrong, list, why) in &faults {
        let version = feeds.list(list).await.unwrap()["version"].clone();
        match wrong {
            Wrong::Transfer(fault) => feeds.publisher.misbehave(*fault),
            Wrong::Content(files, day) => feeds.publisher.publish(files, *day).unwrap(),
        }
        feeds.shows(list, &version, why).await.with_context(|| (*fault).to_owned()).unwrap();
        feeds.recovers(list).await.with_context(|| format!("after {fault}")).unwrap();
        assert_eq!(feeds.list(list).await.unwrap()["version"], version, "after {fault}");
    }
    let not_modified = feeds.publisher.not_modified();
    until("conditional requests", SHOWS_WITHIN, || async {
        ensure!(feeds.publisher.not_modified() > not_modified + 4);
        Ok(())
    })
    .await
    .unwrap();
    println!(
        "{} faults, each kept the last good version; {} of {} requests answered 304",
        faults.len(),
        feeds.publisher.not_modified(),
        feeds.publisher.requests()
    );
}

/// The names that entry 1 has in turn.
const IN_TURN: [&str; 2] = ["ZORVEX HOLDING", "QUNTAL HOLDING"];

/// `sdn.csv` alone, entry 1 with the name of this edition: one file, so that a folder holds one edition or the other.
fn edition(number: usize) -> Vec<ListFile> {
    let mut names = made_up_names(ENTRIES);
    IN_TURN[number % 2].clone_into(&mut names[0].1);
    let mut files = ofac_trio(&names.iter().map(|(id, name)| (*id, name.as_str())).collect::<Vec<_>>());
    files.retain(|file| file.name == "sdn.csv");
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_under_load_never_shows_a_mixture() {
    const EDITIONS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    lists::write(folder.path(), &ofac(ENTRIES)).unwrap();
    lists::write(folder.path(), &edition(0)).unwrap();
    let platform =
        Platform::start(Plan { lists: vec![ListPlan::ofac(folder.path())], ..Plan::new() }).await.unwrap();
    let acme = platform.client("acme").unwrap();
    platform.fresh(&acme).await.unwrap();

    // Which name belongs to which version, as it was published.
    let mut expected = vec![(version(&platform, &acme).await.unwrap(), IN_TURN[0])];
    let stop = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..4).map(|_| tokio::spawn(ask(acme.clone(), stop.clone()))).collect();
    for number in 1..=EDITIONS {
        let before = version(&platform, &acme).await.unwrap();
        lists::write(folder.path(), &edition(number)).unwrap();
        let now = until("the swap", SHOWS_WITHIN, || async {
            let now = version(&platform, &acme).await?;
            ensure!(now != before, "still {now}");
            Ok(now)
        })
        .await
        .unwrap();
        expected.push((now, IN_TURN[number % 2]));
    }
    stop.store(true, Ordering::Relaxed);
    let mut answers = Vec::new();
    for asker in askers {
        answers.extend(asker.await.unwrap().unwrap());
    }
    for (sha256, caption) in &answers {
        assert!(
            expected.iter().any(|(version, name)| version == sha256 && name == caption),
            "{caption} of {sha256}"
        );
    }
    let seen: std::collections::BTreeSet<_> = answers.iter().map(|(sha256, _)| sha256).collect();
    println!("{EDITIONS} swaps, {} answers, {} versions seen, no mixture", answers.len(), seen.len());
    assert!(seen.len() >= 2, "the load saw the swaps");
}

async fn version(platform: &Platform, client: &Client) -> anyhow::Result<String> {
    let lists = platform.watchlists(client).await?;
    Ok(lists[0]["version"]["sha256"].as_str().context("no version in use")?.to_owned())
}

/// Screens both names until told to stop: version and caption of each answer.
async fn ask(client: Client, stop: Arc<AtomicBool>) -> anyhow::Result<Vec<(String, String)>> {
    let subject = json!({"type": "business", "name": "Zorvex Holding", "aliases": ["Quntal Holding"]});
    let mut answers = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let screening = client.screen(&subject).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let first = &screening["matches"][0];
        ensure!(first["entry_id"] == "1", "entry 1 is always listed: {screening}");
        answers.push((text(&screening["list_versions"][0]["version"]["sha256"]), text(&first["caption"])));
    }
    Ok(answers)
}
