//! Who is let in, and that nothing sent or written can make this crate fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{fmt::Write as _, fs};

use chrono::{DateTime, Duration, Utc};
use kyb_domain::tenant::{KeyId, Role};
use kyb_settings::{ApiKey, KeyError, Snapshot, files};
use proptest::prelude::*;

fn key(id: &str) -> ApiKey {
    ApiKey::generate("live", &KeyId::try_from(id).unwrap())
}

fn now() -> DateTime<Utc> {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

fn tenant_with(keys: &[(&ApiKey, &str)]) -> String {
    let line = |(key, more): &(&ApiKey, &str)| {
        format!("  - {{id: {}, role: ContextManager, hash: '{}'{more}}}\n", key.id(), key.hash())
    };
    let keys: String = keys.iter().map(line).collect();
    format!(
        "id: acme\ndisplay_name: Acme\ncontexts: [{{name: lending}}, {{name: cards}}]\n\
         rate_limit: {{requests_per_minute: 60, burst: 5}}\napi_keys:\n{keys}"
    )
}

fn snapshot(keys: &[(&ApiKey, &str)]) -> Snapshot {
    let tenant: files::TenantFile = serde_yaml::from_str(&tenant_with(keys)).unwrap();
    Snapshot::of(&files::PlatformFile::default(), &[tenant], std::path::Path::new(".")).unwrap()
}

#[test]
fn a_key_names_its_tenant_its_role_and_its_contexts() {
    let (all, one) = (key("every"), key("lend"));
    let snapshot = snapshot(&[(&all, ""), (&one, ", contexts: [lending]")]);
    let caller = snapshot.authenticate(one.reveal(), now()).unwrap();
    assert_eq!(
        (caller.tenant_id().as_str(), caller.key.as_str(), caller.role),
        ("acme", "lend", Role::ContextManager)
    );
    let (lending, cards, unknown) =
        ("lending".parse().unwrap(), "cards".parse().unwrap(), "other".parse().unwrap());
    assert!(caller.may_use(&lending) && !caller.may_use(&cards) && !caller.may_use(&unknown));
    let caller = snapshot.authenticate(all.reveal(), now()).unwrap();
    assert!(caller.may_use(&lending) && caller.may_use(&cards) && !caller.may_use(&unknown));
}

#[test]
fn an_unknown_id_and_a_wrong_secret_are_told_apart_by_nobody() {
    let (known, unknown) = (key("known"), key("stranger"));
    let snapshot = snapshot(&[(&known, "")]);
    let impostor = key("known"); // the right id, another secret
    let other_environment = known.reveal().replacen("live", "test", 1);
    for text in [unknown.reveal(), impostor.reveal(), &other_environment] {
        assert_eq!(snapshot.authenticate(text, now()).unwrap_err(), KeyError::Refused);
    }
    assert_eq!(snapshot.authenticate("Bearer x", now()).unwrap_err(), KeyError::Malformed);
}

#[test]
fn a_key_is_refused_from_its_end_on() {
    let key = key("brief");
    let snapshot = snapshot(&[(&key, ", expires_at: 2026-05-01T12:00:00Z")]);
    assert!(snapshot.authenticate(key.reveal(), now() - Duration::milliseconds(1)).is_ok());
    assert_eq!(snapshot.authenticate(key.reveal(), now()).unwrap_err(), KeyError::Refused);
}

#[test]
fn debug_output_of_settings_shows_no_hash() {
    let key = key("quiet");
    let shown = format!("{:?} {:?}", snapshot(&[(&key, "")]), tenant_file(&key));
    let digits = key.hash().replace("sha256:", "");
    assert!(!shown.contains(&digits[..8]) && !shown.contains(key.reveal()), "{shown}");
}

fn tenant_file(key: &ApiKey) -> files::TenantFile {
    serde_yaml::from_str(&tenant_with(&[(key, "")])).unwrap()
}

/// Reads a folder whose files are these; must come back, with whatever answer.
fn read(platform: &str, tenant: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("platform.yaml"), platform).unwrap();
    fs::write(folder.path().join("tenant-acme.yaml"), tenant).unwrap();
    Snapshot::read(folder.path()).is_ok()
}

#[test]
fn yaml_that_is_made_to_exhaust_the_reader_is_refused_in_good_time() {
    let started = std::time::Instant::now();
    let deep = format!("lists: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        writeln!(aliases, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]").unwrap();
    }
    aliases.push_str("lists: *a59\n");
    let looped = "lists: &a [*a]\n";
    let digits = format!(
        "lists: [{{id: a, format: un-xml, source: {{directory: x}}, refresh: {}s}}]",
        "9".repeat(1_000)
    );
    for text in
        [&deep, &aliases, looped, &digits, "lists: !!binary x", "--- \n--- \nlists: []", "\u{feff}lists: 1"]
    {
        assert!(!read(text, ""), "{text:.40}");
    }
    assert!(!read("lists: []", &"- ".repeat(200_000)));
    assert!(!read("lists: []", &format!("{}\n", "? ".repeat(32_000)).repeat(16)));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "took {:?}", started.elapsed());
}

const PLATFORM: &str = "lists:\n  - {id: ofac-sdn, format: ofac-csv, source: {urls: ['https://example.org/sdn.csv']}, refresh: 30m, max_age: 7d}\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_key_that_anybody_sends_is_fatal_or_let_in(text in ".{0,120}", shaped in "kyb_[a-z]{2,4}_[a-z0-9]{4,6}_[A-Za-z0-9_-]{43}") {
        let known = key("known");
        let snapshot = snapshot(&[(&known, "")]);
        prop_assert_eq!(snapshot.authenticate(&text, now()).is_ok(), text == known.reveal());
        prop_assert_eq!(snapshot.authenticate(&shaped, now()).unwrap_err(), KeyError::Refused);
    }

    #[test]
    fn no_text_in_a_file_is_fatal(platform in "[ -~\n\t\u{80}-\u{10ffff}]{0,200}", tenant in "[a-z_:{}\\[\\]&*!|>'\", \n-]{0,200}") {
        read(&platform, &tenant);
        read(PLATFORM, &tenant);
    }

    #[test]
    fn no_damage_to_a_good_file_is_fatal(from in 0_usize..400, length in 0_usize..40, put in "[ -~\n]{0,6}") {
        let damaged = |text: &str| {
            let (from, to) = (from.min(text.len()), (from + length).min(text.len()));
            format!("{}{put}{}", &text[..from], &text[to..])
        };
        read(&damaged(PLATFORM), &damaged(&tenant_with(&[(&key("key1"), "")])));
    }
}
