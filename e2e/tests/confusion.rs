//! Forty listed parties with misspelt names and forty ordinary firms through the whole API: who is approved, who is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeMap;

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use kyb_domain::list::{Entry, EntryKind, ListFormat, Watchlist};
use kyb_e2e::{
    Client, ListPlan, Plan, Platform, TenantPlan, lists,
    names::{Change, ORDINARY_FIRMS},
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

const SEED: u64 = 20_190_614;
/// Of each of organisations and persons.
const LISTED: usize = 20;

/// A case: what is sent, and which entry it is.
struct Case {
    what: String,
    sent: String,
    business: Value,
    entry: Option<String>,
}

/// What came of it.
struct Outcome {
    decision: String,
    score: f64,
    best: String,
    best_entry: String,
    /// Whether the screening found the entry that was sent.
    found: bool,
}

impl Outcome {
    fn of(case: &Case, verification: &Value) -> Self {
        let matches: Vec<&Value> = verification["screenings"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|screening| screening["matches"].as_array().unwrap())
            .collect();
        let score = |found: &&&Value| found["score"].as_f64().unwrap();
        let best = matches.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            decision: text(Some(&verification["decision"]["outcome"])),
            score: best.map_or(0.0, |found| score(&found)),
            best: text(best.map(|found| &found["caption"])),
            best_entry: text(best.map(|found| &found["entry_id"])),
            found: matches.iter().any(|found| case.entry.as_deref() == found["entry_id"].as_str()),
        }
    }
}

/// Organisations by their own name, persons as owners of a firm; every second one with a country of the entry.
fn listed_cases(list: &Watchlist) -> Vec<Case> {
    let mut random = StdRng::seed_from_u64(SEED);
    let organisations = lists::sample(list, EntryKind::Organization, LISTED, SEED);
    let persons = lists::sample(list, EntryKind::Person, LISTED, SEED + 1);
    let case = |(at, entry): (usize, &Entry)| {
        let change = Change::ALL[at % Change::ALL.len()];
        let sent = change.apply(entry, &mut random);
        let country = entry.countries.first().filter(|_| at % 2 == 0);
        let business = match entry.kind {
            EntryKind::Person => {
                let party = json!({"type": "person", "name": sent, "countries": Vec::from_iter(country)});
                let owner = json!({"party": party, "role": "beneficial_owner", "percent": 100});
                json!({"name": ORDINARY_FIRMS[at].0, "country": ORDINARY_FIRMS[at].1, "owners": [owner]})
            }
            _ => json!({"name": sent, "country": country}),
        };
        let what = format!("{change}{}", if country.is_some() { ", country" } else { "" });
        Case { what, sent, business, entry: Some(entry.id.clone()) }
    };
    let entries = organisations.into_iter().enumerate().chain(persons.into_iter().enumerate());
    entries.map(case).collect()
}

fn ordinary_cases() -> Vec<Case> {
    let case = |(name, country): &(&str, &str)| {
        let owner = json!({"party": {"type": "business", "name": format!("{name} Holding")}, "role": "shareholder", "percent": 100});
        let business = json!({"name": name, "country": country, "owners": [owner]});
        Case { what: "ordinary".to_owned(), sent: (*name).to_owned(), business, entry: None }
    };
    ORDINARY_FIRMS.iter().map(case).collect()
}

async fn verify(client: &Client, cases: &[Case]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for case in cases {
        // JSON null stands for "not known" nowhere in the API, so a member without a value is left out.
        let mut business = case.business.clone();
        business.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        outcomes.push(Outcome::of(case, &client.verify(&business).await.unwrap()));
    }
    outcomes
}

fn print(cases: &[Case], outcomes: &[Outcome]) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(["sent", "as", "decision", "best", "entry", "listed name"]);
    for (case, outcome) in cases.iter().zip(outcomes) {
        let score = if outcome.score > 0.0 { format!("{:.2}", outcome.score) } else { String::new() };
        table.add_row([
            &case.sent,
            &case.what,
            &outcome.decision,
            &score,
            &outcome.best_entry,
            &outcome.best,
        ]);
    }
    println!("{table}");
}

/// How many of each decision.
fn counted(outcomes: &[Outcome]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::from([("approve", 0), ("review", 0), ("reject", 0)]);
    for outcome in outcomes {
        *counts.entry(outcome.decision.as_str()).or_default() += 1;
    }
    counts
}

fn print_matrix(rows: &[(&str, &[Outcome])]) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "",
        "approve",
        "review",
        "reject",
        "with a match",
        "entry found",
    ]);
    for (name, outcomes) in rows {
        let counts = counted(outcomes);
        let matched = outcomes.iter().filter(|outcome| outcome.score > 0.0).count();
        let found = outcomes.iter().filter(|outcome| outcome.found).count();
        let numbers = [counts["approve"], counts["review"], counts["reject"], matched, found];
        table.add_row(std::iter::once((*name).to_owned()).chain(numbers.map(|number| number.to_string())));
    }
    println!("{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_listed_party_is_approved_and_ordinary_firms_pass() {
    let folder = lists::test_data("ofac-2019").unwrap();
    let list = lists::read(&folder, "ofac-sdn", ListFormat::OfacCsv).unwrap();
    // No registry is asked yet, so the default policy approves nobody. This tenant trusts a clean screening.
    let trusting = TenantPlan::new("trusting").with_rule(
        "clean-enough",
        "screening.status == 'no_hit' && risk.score < 40",
        "approve",
    );
    let reckless = TenantPlan::new("reckless").with_rule("everybody", "true", "approve");
    let tenants = vec![trusting, reckless];
    let plan = Plan {
        tenants,
        lists: vec![ListPlan { refresh_seconds: 60, ..ListPlan::ofac(&folder) }],
        ..Plan::new()
    };
    let platform = Platform::start(plan).await.unwrap();
    let (trusting, reckless) = (platform.client("trusting").unwrap(), platform.client("reckless").unwrap());
    platform.fresh(&trusting).await.unwrap();

    let (listed, ordinary) = (listed_cases(&list), ordinary_cases());
    assert_eq!((listed.len(), ordinary.len()), (40, 40));
    let listed_outcomes = verify(&trusting, &listed).await;
    let ordinary_outcomes = verify(&trusting, &ordinary).await;
    let reckless_outcomes = verify(&reckless, &listed).await;
    print(&listed, &listed_outcomes);
    print(&ordinary, &ordinary_outcomes);
    print_matrix(&[
        ("listed", &listed_outcomes),
        ("ordinary", &ordinary_outcomes),
        ("listed, tenant approves everybody", &reckless_outcomes),
    ]);

    assert_eq!(counted(&listed_outcomes)["approve"], 0, "no listed entry is approved");
    assert_eq!(counted(&reckless_outcomes)["approve"], 0, "not even by a rule that approves everybody");
    assert!(listed_outcomes.iter().all(|outcome| outcome.found), "each listed entry is found");
    assert_eq!(counted(&ordinary_outcomes)["reject"], 0, "no ordinary firm is rejected");
    assert!(
        counted(&ordinary_outcomes)["approve"] >= 38,
        "at most two ordinary firms of forty need a person"
    );
}
