//! Runs `kyb`, and lists to run it with.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Standard output as csv, without the header.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(self.stdout.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }
}

/// The program, in an environment of its own.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyb"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("RUST_LOG");
    command
}

/// Runs the program without input.
pub(crate) fn kyb<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Ran {
    kyb_reading("", arguments)
}

/// Runs the program with `input` on standard input.
pub(crate) fn kyb_reading<S: AsRef<std::ffi::OsStr>>(input: impl AsRef<[u8]>, arguments: &[S]) -> Ran {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_owned();
    // beside reading the output: both pipes may fill up; the program may also end without reading its input
    let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The list that comes with the project.
pub(crate) fn example_list() -> String {
    existing("../../examples/lists")
}

/// A file or folder of the shared test data.
pub(crate) fn shared(path: &str) -> String {
    existing(&format!("../../../shared/data/{path}"))
}

fn existing(path: &str) -> String {
    // Absolute, since settings are read from where they lie.
    let found = Path::new(path).canonicalize();
    let found = found.unwrap_or_else(|why| panic!("{path}: {why}; the tests need it"));
    found.to_str().unwrap().to_owned()
}

/// A copy of the example list, to be damaged.
pub(crate) fn copy_of_example_list() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sdn.csv", "alt.csv", "add.csv"] {
        std::fs::copy(Path::new(&example_list()).join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Cuts a file of a list after `bytes`.
pub(crate) fn cut(folder: &Path, name: &str, bytes: usize) {
    let path: PathBuf = folder.join(name);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..bytes]).unwrap();
}
