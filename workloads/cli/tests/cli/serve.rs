//! `kyb serve` and `kyb demo`: what they say, and what they leave behind.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::program::{command, example_list, shared};

/// A running `kyb serve`.
pub(crate) struct Serving {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) key: String,
    /// The folder of its database.
    folder: PathBuf,
}

impl Serving {
    pub(crate) fn start(list: &str) -> Self {
        Self::start_with(&["--lists", list], None)
    }

    /// With a key that is known, or else with the one it prints.
    fn start_with(extra: &[&str], mut key: Option<String>) -> Self {
        let mut child = command(&[&["serve", "--listen", "127.0.0.1:0"], extra].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = None;
        while url.is_none() || key.is_none() {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended before it was ready");
            url = url
                .or_else(|| word_after(&line, "ready at ").map(|word| word.trim_end_matches(';').to_owned()));
            key = key.or_else(|| word_after(&line, "(shown once): ").map(str::to_owned));
        }
        let folder = database_folder(child.id()).expect("a PostgreSQL belongs to it");
        Self { child, stdout, url: url.unwrap(), key: key.unwrap(), folder }
    }

    fn verify(&self, body: &'static str) -> (u16, serde_json::Value) {
        let (url, key) = (format!("{}/v1/verifications", self.url), self.key.clone());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request =
                client.post(url).header("X-API-Key", key).header("Content-Type", "application/json");
            let answer = request.body(body).send().await.unwrap();
            (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
        })
    }

    fn signal(&self, name: &str) {
        let sent =
            Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }
}

fn word_after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split_whitespace().next()
}

/// `(pid, parent, command line)` of every process.
fn processes() -> Vec<(u32, u32, Vec<String>)> {
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    entries
        .filter_map(|pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let words =
                line.split(|b| *b == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            Some((pid, parent, words))
        })
        .collect()
}

/// The folder of the server among the descendants of `ancestor`.
fn database_folder(ancestor: u32) -> Option<PathBuf> {
    let processes = processes();
    let mut family = vec![ancestor];
    loop {
        let next = processes.iter().find(|(pid, parent, _)| family.contains(parent) && !family.contains(pid));
        let (pid, _, words) = next?;
        family.push(*pid);
        if let Some(at) = words.iter().position(|word| word == "-D") {
            return Path::new(&words[at + 1]).parent().map(Path::to_owned);
        }
    }
}

fn nothing_is_left(folder: &Path) -> bool {
    let name = folder.to_str().unwrap();
    !folder.exists() && !processes().iter().any(|(_, _, words)| words.iter().any(|word| word.contains(name)))
}

/// Asks again until it holds; a condition that never comes true is a failure.
fn within(limit: Duration, what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20)); // between two looks, so that looking does not slow it down
    }
}

const LISTED: &str = r#"{"business": {"name": "Rosoboroneksport OAO", "country": "RU"}}"#;

#[test]
fn serve_answers_and_after_ctrl_c_nothing_is_left() {
    let mut serving = Serving::start(&example_list());
    let (status, verification) = serving.verify(LISTED);
    assert_eq!((status, &verification["decision"]["outcome"]), (201, &"reject".into()), "{verification:#}");
    let (status, _) = serving.verify("{");
    assert_eq!(status, 400);
    assert!(!nothing_is_left(&serving.folder), "twin: while it runs, there is something to leave behind");
    serving.signal("INT");
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(nothing_is_left(&serving.folder), "all is gone before the program ends, not some time later");
    let mut rest = String::new();
    serving.stdout.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("curl") && rest.contains(&serving.url), "{rest}");
}

#[test]
fn nothing_is_left_after_a_kill_either() {
    for signal in ["TERM", "KILL"] {
        let mut serving = Serving::start(&shared("ofac-2019"));
        serving.signal(signal);
        serving.child.wait().unwrap();
        within(Duration::from_secs(20), signal, || nothing_is_left(&serving.folder));
    }
}

#[test]
fn an_interrupt_while_it_starts_leaves_nothing_either() {
    let mut child = command(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().unwrap();
    within(Duration::from_secs(30), "a PostgreSQL starts", || database_folder(child.id()).is_some());
    let folder = database_folder(child.id()).unwrap();
    assert!(
        Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success()
    );
    child.wait().unwrap();
    assert!(nothing_is_left(&folder));
}

#[test]
fn serve_takes_settings_from_a_folder() {
    let settings = tempfile::tempdir().unwrap();
    let key = kyb_settings::ApiKey::generate("test", &"acme1".parse().unwrap());
    let platform =
        format!("lists: [{{id: ofac-sdn, format: ofac-csv, source: {{directory: {}}}}}]", example_list());
    let tenant = format!(
        "{{id: acme, display_name: Acme, rate_limit: {{requests_per_minute: 600, burst: 60}}, \
         api_keys: [{{id: acme1, role: ServiceAccount, hash: '{}'}}]}}",
        key.hash()
    );
    fs::write(settings.path().join("platform.yaml"), platform).unwrap();
    fs::write(settings.path().join("tenant-acme.yaml"), tenant).unwrap();
    let mut serving = Serving::start_with(
        &["--settings", settings.path().to_str().unwrap()],
        Some(key.reveal().to_owned()),
    );
    assert_eq!(serving.verify(LISTED).0, 201);
    serving.signal("TERM");
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(settings.path().join("platform.yaml").exists(), "what is not its own stays");
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for arguments in [
        ["serve", "--listen", &address],
        ["serve", "--listen", "192.0.2.1:80"],
        ["serve", "--settings", "/nowhere"],
        ["serve", "--lists", "/nowhere"],
        ["demo", "--lists", "/nowhere"],
    ] {
        let ran = crate::program::kyb(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains("help: ") && !ran.stderr.contains("PostgreSQL…"), "{}", ran.stderr);
    }
}

#[test]
fn the_demo_comes_out_as_it_should_with_the_example_and_with_a_real_list() {
    for lists in [vec![], vec!["--lists".to_owned(), shared("ofac-2019")]] {
        let arguments = [vec!["demo".to_owned()], lists.clone()].concat();
        let output = command(&arguments).stdin(Stdio::null()).output().unwrap();
        let (said, notes) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{said}\n{notes}");
        for part in
            ["REJECT", "REVIEW", "18782", "3118", "POST http://127.0.0.1:", "every hash of the chain holds"]
        {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert_eq!(said.contains("EXAMPLE LIST"), lists.is_empty(), "an example is called one");
    }
}
