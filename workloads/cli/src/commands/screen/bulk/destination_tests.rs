//! An interrupted run, resumed from whatever a kill or a loss of power can leave.

use super::*;
use crate::commands::screen::bulk::Found;

fn run() -> Run {
    Run {
        program: "1".into(),
        algorithm: "names/1".into(),
        input_sha256: Some("ab".into()),
        threshold: None,
        limit: 10,
        lists: vec!["ofac-sdn 2019-06-14 sha256:12".into()],
    }
}

fn answers() -> Vec<Answer> {
    let found = |number| if number % 3 == 0 { Found::Error(String::new()) } else { Found::Nothing };
    (0..9)
        .map(|number| Answer { id: format!("a\n\"{number}\"").into(), line: number, found: found(number) })
        .collect()
}

/// Writes the answers that are not there yet, but at most `most` in all, each with a checkpoint. Ends as a kill would where
/// these are not all.
fn write(path: &Path, resume: bool, most: usize) {
    let (mut destination, mut counts) = match open_with(path, resume, &run(), Duration::ZERO).unwrap() {
        Opened::Rows(destination, counts) => (destination, counts),
        Opened::Finished(counts) => return assert_eq!(counts.rows(), 9),
    };
    let done = usize::try_from(counts.rows()).unwrap();
    for answer in answers().iter().take(most).skip(done) {
        match answer.found {
            Found::Error(_) => counts.errors += 1,
            _ => counts.clear += 1,
        }
        destination.write(answer, &counts).unwrap();
    }
    if most == 9 {
        destination.finish(&counts).unwrap();
    }
}

fn whole() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 9);
    assert!(!part_of(&path).exists());
    fs::read(path).unwrap()
}

fn refusal(path: &Path, resume: bool, run: &Run) -> String {
    match open_with(path, resume, run, Duration::ZERO) {
        Ok(_) => panic!("it was let through"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn wherever_output_and_journal_are_torn_the_outcome_is_that_of_a_run_without_interruption() {
    let whole = whole();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 5);
    let (part, journal) = (fs::read(part_of(&path)).unwrap(), fs::read(journal::beside(&path)).unwrap());
    assert!(!path.exists() && whole.starts_with(&part));
    let first_line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in first_line..=journal.len() {
        for torn in [&b""[..], b"\"a\n\"\"5", b"\0\0\0\0\0\0\0\0", b"\"a\n\"\"5\"\"\",no_hit,0,,,,\n\"a"] {
            fs::write(part_of(&path), [&part, torn].concat()).unwrap();
            fs::write(journal::beside(&path), &journal[..length]).unwrap();
            let _ = fs::remove_file(&path);
            write(&path, true, 9);
            assert_eq!(
                fs::read(&path).unwrap(),
                whole,
                "journal cut at {length}, output followed by {torn:?}"
            );
            let said = journal::read(&journal::beside(&path)).unwrap().unwrap();
            assert!(is_finished(said.checkpoint.as_ref()) && !part_of(&path).exists());
        }
    }
}

/// Twin of the test above: the rows that were missing, put after what was left instead of after the last checkpoint.
#[test]
fn without_cutting_what_was_torn_the_outcome_is_another() {
    let whole = whole();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 5);
    let part = fs::read(part_of(&path)).unwrap();
    let missing = &whole[part.len()..];
    assert_eq!([&part, missing].concat(), whole);
    assert_ne!([&part, &b"\"a\n\"\"5"[..], missing].concat(), whole);
    // and a journal to which is added after its torn line can't be read any more
    let journal = journal::beside(&path);
    let sound = fs::read(&journal).unwrap();
    let last = sound.split_inclusive(|byte| *byte == b'\n').next_back().unwrap();
    fs::write(&journal, [&sound, &b"{\"counts\":{\"hi"[..], last].concat()).unwrap();
    assert!(refusal(&path, true, &run()).contains("journal can't be read"));
}

#[test]
fn a_run_that_was_all_written_but_not_named_is_finished_without_work() {
    let whole = whole();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 9);
    fs::rename(&path, part_of(&path)).unwrap();
    write(&path, true, 9);
    assert_eq!(fs::read(&path).unwrap(), whole);
    write(&path, true, 9);
    assert_eq!(fs::read(&path).unwrap(), whole, "and once more, with nothing to do");
    assert!(!part_of(&path).exists());
    write(&path, false, 4);
    assert_eq!(
        fs::read(&path).unwrap(),
        whole,
        "a run that begins anew leaves the old outcome until its own is whole"
    );
}

#[test]
fn whatever_the_outcome_depends_on_must_be_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 5);
    let others = [
        ("program", Run { program: "2".into(), ..run() }),
        ("algorithm was names/1 and is names/2 now", Run { algorithm: "names/2".into(), ..run() }),
        ("input", Run { input_sha256: Some("cd".into()), ..run() }),
        ("threshold was the usual one and is 0.9 now", Run { threshold: Some("0.9".into()), ..run() }),
        ("limit", Run { limit: 9, ..run() }),
        ("searched", Run { lists: vec!["ofac-sdn 2019-06-15 sha256:13".into()], ..run() }),
    ];
    for (what, other) in others {
        assert!(refusal(&path, true, &other).contains(what), "{what}");
    }
    write(&path, true, 9);
}

#[test]
fn what_was_written_must_have_been_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    write(&path, false, 5);
    let part = fs::read(part_of(&path)).unwrap();
    let mut changed = part.clone();
    changed[40] ^= 1;
    for other in [&changed[..], &part[..part.len() - 1], b""] {
        fs::write(part_of(&path), other).unwrap();
        assert!(refusal(&path, true, &run()).contains("was changed since"));
    }
    fs::write(part_of(&path), &part).unwrap();
    write(&path, true, 9);
}

#[test]
fn nothing_is_thrown_away_that_nobody_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits.csv");
    fs::write(&path, "somebody's own").unwrap();
    assert!(refusal(&path, true, &run()).contains("no journal says what made it"));
    assert!(!part_of(&path).exists());
    write(&path, false, 5);
    assert!(refusal(&path, false, &run()).contains("there is an interrupted run"));
    let _held = open_with(&path, true, &run(), Duration::ZERO).unwrap();
    assert!(refusal(&path, true, &run()).contains("another process is writing"));
}
