//! A lab for a test, and what there is to see of it on this machine.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_mins(2);

/// One lab at a time: two cores are few for more.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A lab of a name that no person uses; removed at the end, also of a test that fails.
pub(crate) struct TestLab {
    name: &'static str,
    _turn: MutexGuard<'static, ()>,
}

impl TestLab {
    /// With nothing left of an earlier run. None where this process is not root's.
    pub(crate) fn new(name: &'static str) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_root() {
            eprintln!("skipped: regions need root");
            return None;
        }
        let lab = Self { name, _turn: turn };
        lab.run(&["down"]);
        Some(lab)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kyb-lab"));
        command.args(["--lab", self.name]).args(arguments).stdin(Stdio::null());
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it printed on standard output; it must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "kyb-lab {arguments:?}: {said}\n{complained}");
        eprint!("{complained}");
        said.trim_end().to_owned()
    }

    pub(crate) fn kubectl(&self, region: &str, arguments: &[&str]) -> String {
        self.run(&[&["kubectl", region], arguments].concat())
    }

    pub(crate) fn try_kubectl(&self, region: &str, arguments: &[&str]) -> Output {
        self.output(&[&["kubectl", region], arguments].concat())
    }

    pub(crate) fn apply(&self, region: &str, manifest: &str) {
        let mut child =
            self.command(&["kubectl", region, "apply", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(crate) fn folder(&self) -> PathBuf {
        Path::new("/var/lib/kyb-lab").join(self.name)
    }

    /// Everything on this machine that belongs to the lab.
    pub(crate) fn traces(&self) -> Vec<String> {
        kyb_lab::Lab::new(kyb_lab::LabName::new(self.name).unwrap()).traces().unwrap()
    }

    pub(crate) fn daemons(&self, region: &str) -> Vec<(String, String)> {
        let run = entries(self.folder().join(region).join("run"));
        let files = run.filter(|path| path.extension().is_some_and(|extension| extension == "pid"));
        let mut all: Vec<_> = files
            .map(|path| {
                (
                    path.file_stem().unwrap().to_string_lossy().into_owned(),
                    std::fs::read_to_string(&path).unwrap(),
                )
            })
            .collect();
        all.sort();
        all
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let output = self.output(&["down"]);
        if !std::thread::panicking() {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

pub(crate) fn entries(folder: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(100)); // between two looks
    }
    eprintln!("{what}: {:.1} s", started.elapsed().as_secs_f64());
    started.elapsed()
}

/// The status line of `GET /` by plain HTTP.
pub(crate) fn get(address: &str, port: u64) -> std::io::Result<String> {
    let to = format!("{address}:{port}").parse().unwrap();
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
