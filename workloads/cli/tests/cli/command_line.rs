//! What holds for every command: help, completions, exit codes, pipes that break.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::program::{command, example_list, kyb, shared};

#[test]
fn help_shows_examples_and_exit_codes() {
    for arguments in
        [vec!["verify"], vec!["screen"], vec!["classify"], vec!["serve"], vec!["demo"], vec!["completions"]]
    {
        let ran = kyb(&[arguments.clone(), vec!["--help"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}");
        assert!(ran.stdout.contains("Example"), "{arguments:?}: {}", ran.stdout);
    }
    for part in ["Exit codes:", "review; in_review", "verify", "screen", "classify", "serve", "demo"] {
        assert!(kyb(&["--help"]).stdout.contains(part), "{part}");
    }
    assert!(kyb(&["--version"]).stdout.starts_with("kyb "));
}

#[test]
fn wrong_arguments_end_with_2_and_say_what_is_wrong() {
    let list = example_list();
    let cases: [(&[&str], &str); 9] = [
        (&["verify", "--lists", &list], "--name"),
        (&["verify", "--name", "X1"], "--lists"),
        (&["verify", "--name", "...", "--lists", &list], "must contain a letter"),
        (&["verify", "--name", "X1", "--country", "ZZ", "--lists", &list], "ISO 3166-1"),
        (&["verify", "--name", "X1", "--input", "-", "--lists", &list], "cannot be used with"),
        (&["screen"], "--name"),
        (&["screen", "--name", "X1"], "--lists"),
        (&["classify"], "--description"),
        (&["serve", "--listen", "0.0.0.0:0"], "loopback"),
    ];
    for (arguments, said) in cases {
        let ran = kyb(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {said} is not in {}", ran.stderr);
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = kyb(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("verify") && ran.stdout.contains("completions"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let pairs = shared("names/name_pairs_dev.csv");
    let many = tempfile::NamedTempFile::new().unwrap();
    let rows = std::fs::read_to_string(&pairs).unwrap();
    let (header, body) = rows.split_once('\n').unwrap();
    std::fs::write(many.path(), format!("{header}\n{}", body.repeat(200))).unwrap();
    let file = many.path().to_str().unwrap();
    for arguments in [vec!["completions", "zsh"], vec!["screen", "pairs", "--input", file]] {
        let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap(); // then it is dropped
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "", "{arguments:?}");
        assert!(matches!(output.status.code(), Some(0 | 141)), "{arguments:?}: {:?}", output.status);
    }
}
