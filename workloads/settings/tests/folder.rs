//! What a folder of settings may hold, and what is said about one that may not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{fs, os::unix::fs::symlink, path::PathBuf, time::Duration};

use kyb_domain::tenant::{ContextName, TenantId};
use kyb_settings::{ListSource, Settings, SettingsError, Snapshot, files};
use tempfile::TempDir;

const HASH: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const PLATFORM: &str = "
lists:
  - {id: ofac-sdn, format: ofac-csv, source: {urls: ['https://example.org/sdn.csv', 'https://example.org/alt.csv']}, refresh: 30m}
  - {id: un-consolidated, format: un-xml, source: {directory: un}, max_age: 7d}
";

fn tenant(id: &str) -> String {
    format!(
        "
id: {id}
display_name: Acme Corporation
contexts: [{{name: lending}}, {{name: onboarding}}]
rate_limit: {{requests_per_minute: 600, burst: 50}}
api_keys:
  - id: {id}key1
    role: ServiceAccount
    hash: \"{HASH}\"
    expires_at: 2030-01-01T00:00:00Z
    contexts: [lending]
verification:
  policy:
    - {{name: critical, when: 'risk.score >= 85', then: reject, reason: RISK_CRITICAL}}
  required_checks: [address]
lists: [ofac-sdn]
threshold: 0.85
"
    )
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn refusal(files: &[(&str, &str)]) -> SettingsError {
    Snapshot::read(folder(files).path()).unwrap_err()
}

#[test]
fn a_whole_folder_is_read_as_the_docs_say() {
    let (acme, other) = (tenant("acme"), tenant("other"));
    let folder = folder(&[
        ("platform.yaml", PLATFORM),
        ("tenant-acme.yaml", &acme),
        ("tenant-other.yaml", &other),
        ("notes.txt", "not ours"),
        (".hidden.yaml", ": not: yaml: ["),
    ]);
    let snapshot = Snapshot::read(folder.path()).unwrap();
    let tenants: Vec<&str> = snapshot.tenants.keys().map(TenantId::as_str).collect();
    assert_eq!(tenants, ["acme", "other"]);
    assert_eq!(snapshot.callers.len(), 2);
    let acme = &snapshot.tenants[&"acme".parse().unwrap()];
    assert_eq!((acme.rate_limit.requests_per_minute, acme.rate_limit.burst), (600, 50));
    assert_eq!(acme.display_name, "Acme Corporation");
    assert_eq!(acme.contexts.iter().map(ContextName::as_str).collect::<Vec<_>>(), ["lending", "onboarding"]);
    assert_eq!(acme.threshold.unwrap().to_string(), "0.85");
    assert_eq!(acme.lists.as_ref().unwrap()[0].as_str(), "ofac-sdn");
    let [ofac, un] = &snapshot.platform.lists[..] else { panic!("two lists") };
    assert_eq!((ofac.refresh, ofac.max_age), (Duration::from_mins(30), Duration::from_hours(24)));
    assert_eq!((un.refresh, un.max_age), (Duration::from_hours(1), Duration::from_hours(7 * 24)));
    assert!(matches!(&ofac.source, ListSource::Urls(urls) if urls.len() == 2));
    let ListSource::Directory(directory) = &un.source else { panic!("a directory") };
    assert_eq!(*directory, folder.path().join("un"), "relative to the settings' folder");
}

#[test]
fn what_is_rendered_is_read_back_the_same() {
    let platform: files::PlatformFile = serde_yaml::from_str(PLATFORM).unwrap();
    let acme: files::TenantFile = serde_yaml::from_str(&tenant("acme")).unwrap();
    let folder = folder(&[
        ("platform.yaml", &serde_yaml::to_string(&platform).unwrap()),
        (&files::tenant_file_name(&acme.id), &serde_yaml::to_string(&acme).unwrap()),
    ]);
    let (read, made) =
        (Snapshot::read(folder.path()).unwrap(), Snapshot::of(&platform, &[acme], folder.path()).unwrap());
    let shown = |snapshot: &Snapshot| {
        format!("{:?} {:?} {:?}", snapshot.platform, snapshot.tenants, snapshot.callers)
    };
    assert_eq!(shown(&read), shown(&made));
}

/// Changes one thing in a good tenant's file; gives the refusal.
fn with(from: &str, to: &str) -> SettingsError {
    let text = tenant("acme");
    assert!(text.contains(from), "the test is out of date: {from}");
    let refusal = refusal(&[("platform.yaml", PLATFORM), ("tenant-acme.yaml", &text.replacen(from, to, 1))]);
    assert_eq!(refusal.file, "tenant-acme.yaml", "{refusal}");
    refusal
}

#[test]
fn a_bad_tenant_is_refused_with_its_place_and_what_to_do() {
    let table = [
        ("burst: 50", "burst: 0", "rate_limit: burst must be 1 to 1000000"),
        ("minute: 600", "minute: 10000001", "rate_limit: requests_per_minute must be 1 to 10000000"),
        ("burst: 50", "burst: -1", "rate_limit.burst: invalid type: integer `-1`, expected u32 at line 5"),
        (
            "burst: 50",
            "brust: 50",
            "unknown field `brust`, expected `requests_per_minute` or `burst` at line 5",
        ),
        (", burst: 50", "", "missing field `burst`"),
        ("id: acme\n", "id: acne\n", "id is `acne` but the file's name says `acme`"),
        (
            "id: acme\n",
            "id: Acme\n",
            "tenant id: must be 1 to 40 of a-z, 0-9 and `-`, starting and ending with a letter or digit at line 2",
        ),
        ("lists: [ofac-sdn]", "lists: [ofac]", "`ofac` is not among the lists of platform.yaml"),
        ("lists: [ofac-sdn]", "lists: []", "leave it out for all lists"),
        ("lists: [ofac-sdn]", "lists: [ofac-sdn, ofac-sdn]", "`ofac-sdn` is there twice"),
        ("threshold: 0.85", "threshold: 85", "must be a number from 0 to 1"),
        ("threshold: 0.85", "threshold: 0.85\nthreshold: 0.9", "duplicate field `threshold`"),
        ("threshold: 0.85", "treshold: 0.85", "unknown field `treshold`"),
        ("{name: onboarding}", "{name: lending}", "`lending` is there twice"),
        (
            "contexts: [lending]",
            "contexts: [trading]",
            "names the context `trading`, which the tenant does not have",
        ),
        ("contexts: [lending]", "contexts: []", "may act in no context"),
        ("ServiceAccount", "Root", "unknown variant `Root`"),
        ("2030-01-01T00:00:00Z", "tomorrow", "api_keys[0].expires_at"),
        ("risk.score >= 85", "risk.scor >= 85", "verification.policy: rule `critical`"),
        ("risk.score >= 85", "risk.score >=", "verification.policy: rule `critical`"),
        ("[address]", "[adress]", "unknown variant `adress`"),
    ];
    for (from, to, expected) in table {
        let refusal = with(from, to);
        assert!(refusal.problem.contains(expected), "{to}: {refusal}");
    }
}

#[test]
fn a_bad_platform_is_refused_with_its_place_and_what_to_do() {
    let table = [
        ("refresh: 30m", "refresh: 0s", "list `ofac-sdn`: refresh is 0s; it must be 1s to 7d"),
        ("refresh: 30m", "refresh: 8d", "refresh is 8d; it must be 1s to 7d"),
        ("refresh: 30m", "refresh: 1d", "max_age is 1d and refresh 1d; it must be longer"),
        (
            "refresh: 30m",
            "refresh: 1800",
            "lists[0]: a length of time must be a whole number and one of s, m, h, d, such as `90s` or `24h` at line 3",
        ),
        ("refresh: 30m", "refresh: half", "such as `90s` or `24h` at line 3"),
        ("max_age: 7d", "max_age: 366d", "it must be at most 365d"),
        ("id: un-consolidated", "id: ofac-sdn", "list `ofac-sdn` is there twice"),
        (
            "un-xml",
            "un-json",
            "unknown variant `un-json`, expected one of `ofac-csv`, `ofac-xml`, `eu-xml`, ",
        ),
        ("{directory: un}", "{}", "say either `urls` or `directory`"),
        ("{directory: un}", "{directory: un, urls: ['https://example.org/']}", "not both"),
        ("{directory: un}", "{directory: ''}", "`directory` is empty"),
        ("https://example.org/alt", "http://example.org/alt", "urls[1] is not encrypted; use https"),
        ("lists:\n", "list:\n", "unknown field `list`"),
        ("lists:\n", "lists:\n  -\n", "lists[0]"),
    ];
    for (from, to, expected) in table {
        assert!(PLATFORM.contains(from), "the test is out of date: {from}");
        let refusal = refusal(&[("platform.yaml", &PLATFORM.replacen(from, to, 1))]);
        assert_eq!(refusal.file, "platform.yaml");
        assert!(refusal.problem.contains(expected), "{to}: {refusal}");
    }
}

#[test]
fn no_refusal_repeats_a_key_or_a_hash() {
    let secret = "kyb_live_acmekey1_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";
    let digits = HASH.trim_start_matches("sha256:");
    for (from, to) in [
        (HASH, secret.to_owned()),
        (HASH, digits.to_owned()),
        (HASH, HASH[..HASH.len() - 1].to_owned()),
        ("ServiceAccount", secret.to_owned()),
        ("ServiceAccount", digits.to_owned()),
        ("role: ", format!("{secret}: ")),
        ("id: acmekey1", format!("id: {secret}")),
        ("lists: [ofac-sdn]", format!("lists: {secret}")),
        ("critical", secret.to_owned()),
        ("risk.score >= 85", format!("risk.score == {secret}")),
        ("risk.score >= 85", format!("risk.score == \"{digits}\"")),
    ] {
        let shown = with(from, &to).to_string();
        assert!(!shown.contains("AbCdEfGh") && !shown.contains(&digits[..16]), "{shown}");
    }
}

#[test]
fn a_key_belongs_to_one_tenant_only() {
    let other = tenant("other").replace("otherkey1", "acmekey1");
    let files =
        [("platform.yaml", PLATFORM), ("tenant-acme.yaml", &tenant("acme")), ("tenant-other.yaml", &other)];
    let refusal = refusal(&files);
    assert_eq!(refusal.file, "tenant-other.yaml");
    assert!(refusal.problem.contains("`acmekey1` is also a key of tenant-acme.yaml"), "{refusal}");
}

#[test]
fn files_that_are_none_are_refused_and_none_is_waited_for() {
    let good: [(&str, &str); 1] = [("platform.yaml", PLATFORM)];
    let read_with = |make: &dyn Fn(PathBuf)| {
        let folder = folder(&good);
        make(folder.path().to_owned());
        Snapshot::read(folder.path()).unwrap_err().to_string()
    };
    let check = |refusal: String, expected: &str| assert!(refusal.contains(expected), "{refusal}");
    check(
        read_with(&|path| fs::create_dir(path.join("tenant-a.yaml")).unwrap()),
        "tenant-a.yaml: is not a file",
    );
    check(
        read_with(&|path| symlink("nowhere", path.join("tenant-a.yaml")).unwrap()),
        "a link that leads nowhere",
    );
    check(
        read_with(&|path| fs::write(path.join("tenant-a.yaml"), [b'\n', 0xff]).unwrap()),
        "line 2 is not UTF-8",
    );
    check(
        read_with(&|path| fs::write(path.join("tenant-a.yaml"), vec![b'#'; 1024 * 1024 + 1]).unwrap()),
        "is larger than",
    );
    check(
        read_with(&|path| fs::write(path.join("tenants.yaml"), "").unwrap()),
        "neither `platform.yaml` nor",
    );
    check(
        read_with(&|path| fs::write(path.join("tenant-a.yml"), "").unwrap()),
        "neither `platform.yaml` nor",
    );
    check(
        read_with(&|path| fs::write(path.join("tenant-A.yaml"), "").unwrap()),
        "the file's name: tenant id: must be",
    );
    check(
        read_with(&|path| fs::remove_file(path.join("platform.yaml")).unwrap()),
        "platform.yaml: is missing",
    );
    check(read_with(&|path| fs::remove_dir_all(path).unwrap()), "the settings' folder");
    let pipe = |path: PathBuf| {
        let made = std::process::Command::new("mkfifo").arg(path.join("tenant-a.yaml")).status().unwrap();
        assert!(made.success());
    };
    check(read_with(&pipe), "tenant-a.yaml: is not a file");
}

#[test]
fn a_file_of_the_largest_size_is_read() {
    let mut text = PLATFORM.to_owned();
    text.extend(std::iter::repeat_n("#\n", 1024 * 1024 / 2).collect::<String>().get(PLATFORM.len()..));
    assert_eq!(text.len(), 1024 * 1024);
    assert!(Snapshot::read(folder(&[("platform.yaml", &text)]).path()).is_ok());
}

#[tokio::test]
async fn watching_a_bad_folder_fails_at_once() {
    let folder = folder(&[("platform.yaml", "lists: 1")]);
    assert_eq!(Settings::watch(folder.path(), Duration::from_millis(500)).unwrap_err().file, "platform.yaml");
}
