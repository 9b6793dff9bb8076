//! `kyb screen bulk --output FILE --resume`: killed at many points, the outcome is that of a run without interruption.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::program::{Ran, command, copy_of_example_list, example_list, kyb, shared};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(rows: usize) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.at("in.csv"), people(rows)).unwrap();
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn arguments(&self, lists: &str, extra: &[&str]) -> Vec<String> {
        let (input, output) = (self.at("in.csv"), self.at("out.csv"));
        let fixed = ["screen", "bulk", "--input", text(&input), "--output", text(&output), "--lists", lists];
        fixed.iter().chain(extra).map(ToString::to_string).collect()
    }

    fn run(&self, lists: &str, extra: &[&str]) -> Ran {
        kyb(&self.arguments(lists, extra))
    }

    fn out(&self) -> Vec<u8> {
        fs::read(self.at("out.csv")).unwrap()
    }

    fn checkpoints(&self) -> usize {
        fs::read_to_string(self.at("out.csv.journal"))
            .map_or(0, |text| text.lines().count().saturating_sub(1))
    }

    /// Begins or resumes, and kills once there are `more` checkpoints and some time has passed. `false`: it was done before.
    fn killed(&self, lists: &str, more: usize, after: Duration) -> bool {
        let there = self.checkpoints();
        let mut child = command(&self.arguments(lists, &["--resume"])).stderr(Stdio::null()).spawn().unwrap();
        while self.checkpoints() < there + more && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(after);
        child.kill().unwrap(); // SIGKILL
        !child.wait().unwrap().success() && !self.at("out.csv").exists()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// People and companies, some of them listed, one row of them unusable.
fn people(rows: usize) -> String {
    let mut reader = csv::Reader::from_path(shared("names/negatives_us_1000.csv")).unwrap();
    let names: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
    let mut input = "id,type,name\n".to_owned();
    for number in 0..rows {
        let name = &names[number % names.len()];
        let _ = match number % 100 {
            50 => writeln!(input, "{number},business,Rosoboroneksport OAO"),
            70 => writeln!(input, "\"{number}\nof many\",vegetable,{name}"),
            _ => writeln!(input, "{number},person,\"{name}\""),
        };
    }
    input
}

#[test]
fn killed_at_many_points_and_resumed_the_outcome_is_the_same_byte_for_byte() {
    let (list, rows) = (example_list(), 150_000);
    let (straight, broken) = (Folder::new(rows), Folder::new(rows));
    let at_once = straight.run(&list, &[]);
    assert_eq!((at_once.code, at_once.stdout.as_str()), (1, ""), "{}", at_once.stderr.len());
    let standard = kyb(&["screen", "bulk", "--input", text(&straight.at("in.csv")), "--lists", &list]);
    assert_eq!(standard.stdout.as_bytes(), straight.out(), "a file holds what standard output would");
    let mut kills = 0;
    for point in 0..40_u64 {
        // before the first checkpoint, soon after one, long after one
        if !broken.killed(&list, usize::from(point % 4 > 0), Duration::from_millis(point * 37 % 200)) {
            break;
        }
        kills += 1;
    }
    let resumed = broken.run(&list, &["--resume"]);
    assert_eq!(
        resumed.code, 1,
        "the rows that can't be used count, whoever answered them: {}",
        resumed.stderr
    );
    assert!(broken.out() == straight.out(), "after {kills} kills");
    assert!(kills >= 3, "it was killed {kills} times only; more rows are needed");
    let again = broken.run(&list, &["--resume"]);
    assert!(again.code == 1 && again.stderr.contains("is finished"), "{}", again.stderr);
    assert!(broken.out() == straight.out() && !broken.at("out.csv.part").exists());
}

/// Twin: with the digests of the journal forged, a run on other lists goes on, and its outcome is that of neither list.
#[test]
fn other_lists_are_refused_since_the_outcome_would_be_of_both() {
    let other = copy_of_example_list();
    let names = fs::read_to_string(other.path().join("sdn.csv")).unwrap();
    fs::write(other.path().join("sdn.csv"), names.replace("ROSOBORONEKSPORT", "SOMEBODYELSE")).unwrap();
    let (list, other) = (example_list(), text(other.path()).to_owned());
    let folder = Folder::new(150_000);
    assert!(folder.killed(&list, 2, Duration::ZERO), "it must be killed before it is done");
    let refused = folder.run(&other, &["--resume"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("what was searched was ofac-sdn"), "{}", refused.stderr);
    assert!(refused.stderr.contains("help: resume with what it was begun with"), "{}", refused.stderr);
    let threshold = folder.run(&list, &["--resume", "--threshold", "0.9"]);
    assert!(threshold.code == 2 && threshold.stderr.contains("the threshold was"), "{}", threshold.stderr);

    let outcome_of = |lists: &str| {
        let straight = Folder::new(150_000);
        straight.run(lists, &[]);
        (straight.out(), fs::read_to_string(straight.at("out.csv.journal")).unwrap())
    };
    let ((of_the_first, _), (of_the_other, journal)) = (outcome_of(&list), outcome_of(&other));
    assert!(of_the_first != of_the_other);
    let (first_line, path) = (journal.lines().next().unwrap(), folder.at("out.csv.journal"));
    let said = fs::read_to_string(&path).unwrap();
    fs::write(&path, [first_line, "\n", said.split_once('\n').unwrap().1].concat()).unwrap();
    assert_eq!(folder.run(&other, &["--resume"]).code, 1);
    assert!(folder.out() != of_the_first && folder.out() != of_the_other);
}

#[test]
fn what_can_be_read_only_once_can_be_written_to_a_file_but_not_resumed() {
    let (folder, list) = (Folder::new(10), example_list());
    let output = folder.at("out.csv");
    let streamed = ["screen", "bulk", "--input", "-", "--output", text(&output), "--lists", &list];
    let input = fs::read(folder.at("in.csv")).unwrap();
    assert_eq!(crate::program::kyb_reading(&input, &streamed).code, 0);
    assert_eq!(fs::read_to_string(&output).unwrap().lines().count(), 11);
    let resumed = crate::program::kyb_reading(&input, &[&streamed[..], &["--resume"]].concat());
    assert!(
        resumed.code == 2 && resumed.stderr.contains("can't be read a second time"),
        "{}",
        resumed.stderr
    );
    assert_eq!(
        kyb(&["screen", "bulk", "--input", "x", "--lists", &list, "--resume"]).code,
        2,
        "--resume of what?"
    );
}
