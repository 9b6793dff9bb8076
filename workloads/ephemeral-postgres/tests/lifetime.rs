//! A throw-away server leaves nothing behind, however its owner ends.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use kyb_ephemeral_postgres::{EphemeralPostgres, Options};

/// Enough to meet a process in the making.
const CRASHES: usize = 20;

const QUICK: Options = Options { durable: false, max_connections: 10 };

/// Server processes work inside the data folder, whatever they call themselves.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc").expect("these tests look into /proc");
    let links = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path().join("cwd")).ok());
    links.filter(|cwd| cwd.starts_with(folder)).collect()
}

fn await_that(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        // Between two looks, so that looking does not slow down what is waited for.
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn accepts_connections(server: &EphemeralPostgres) -> bool {
    TcpStream::connect(("127.0.0.1", server.port())).is_ok()
}

/// A child process that has started a server, and the server's folder.
fn holder() -> (Child, PathBuf) {
    let mut command = Command::new(holder_program());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut folder = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut folder).unwrap();
    (child, folder.trim_end().into())
}

/// Cargo builds examples together with the tests, next to the folder of the test programs.
fn holder_program() -> PathBuf {
    let test_program = std::env::current_exe().unwrap();
    let profile = test_program.parent().and_then(Path::parent).unwrap();
    profile.join("examples/hold_until_killed")
}

fn signal(name: &str, target: &str) {
    assert!(
        Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", name, target]).status().unwrap().success()
    );
}

#[test]
fn a_dropped_server_leaves_neither_process_nor_folder() {
    let server = EphemeralPostgres::start(&QUICK).unwrap();
    let folder = server.folder().to_owned();
    assert!(!processes_in(&folder).is_empty(), "the check sees a running server");
    drop(server);
    assert!(!folder.exists());
    assert!(processes_in(&folder).is_empty());
}

#[test]
fn a_killed_owner_leaves_neither_process_nor_folder() {
    let (mut child, folder) = holder();
    assert!(!processes_in(&folder).is_empty(), "the check sees a running server");
    child.kill().unwrap();
    child.wait().unwrap();
    await_that("the folder is removed", || !folder.exists());
    await_that("the processes are gone", || processes_in(&folder).is_empty());
}

#[test]
fn ctrl_c_in_the_owners_group_does_not_reach_the_server() {
    let (mut child, folder) = holder();
    let before = processes_in(&folder).len();
    // What a terminal does; the holder has no handler and dies of it, the server must be ended by the keeper alone.
    signal("STOP", &child.id().to_string());
    signal("INT", &format!("-{}", child.id()));
    assert_eq!(
        processes_in(&folder).len(),
        before,
        "the stopped owner has not died yet, so the server must live"
    );
    signal("CONT", &child.id().to_string());
    child.wait().unwrap();
    await_that("the folder is removed", || !folder.exists());
}

#[test]
fn a_crashed_server_is_gone_at_once_and_can_be_started_again() {
    let server = EphemeralPostgres::start(&Options { durable: true, max_connections: 10 }).unwrap();
    for _ in 0..3 {
        server.crash();
        assert!(!accepts_connections(&server));
        await_that("no process is left", || processes_in(server.folder()).is_empty());
        server.restart().unwrap();
        assert!(accepts_connections(&server));
    }
    server.stop();
    assert!(!accepts_connections(&server));
    server.restart().unwrap();
    assert!(accepts_connections(&server));
}

/// For each connection the server starts a process; one that it is just starting when it is killed has to go, too.
#[test]
fn a_server_that_crashes_while_clients_connect_leaves_no_process_either() {
    let server = EphemeralPostgres::start(&Options { durable: false, max_connections: 100 }).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    accepts_connections(&server);
                }
            });
        }
        for crash in 0..CRASHES {
            server.crash();
            let left = processes_in(server.folder());
            let again = server.restart();
            // Before anything can panic, since the scope waits for the clients.
            over.store(!left.is_empty() || again.is_err() || crash + 1 == CRASHES, Ordering::Relaxed);
            assert!(left.is_empty(), "crash {crash} left {left:?}");
            again.unwrap();
        }
    });
}

#[test]
fn a_server_that_crashed_and_was_not_restarted_is_cleaned_up_too() {
    let server = EphemeralPostgres::start(&QUICK).unwrap();
    let folder = server.folder().to_owned();
    server.crash();
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn servers_do_not_share_ports_or_folders() {
    let servers = [(); 3].map(|()| std::thread::spawn(|| EphemeralPostgres::start(&QUICK).unwrap()));
    let servers = servers.map(|thread| thread.join().unwrap());
    let [a, b, c] = servers.each_ref().map(|server| (server.port(), server.folder().to_owned()));
    assert!(a != b && b != c && a != c);
    assert!(servers.iter().all(accepts_connections));
}

#[test]
fn passwords_and_names_are_encoded_in_urls_and_hidden_in_debug() {
    let server = EphemeralPostgres::start(&QUICK).unwrap();
    let url = server.url("a role", "p@ss/w?rd", "db");
    assert!(url.starts_with("postgres://a%20role:p%40ss%2Fw%3Frd@127.0.0.1:"), "{url}");
    let password = server.superuser_url();
    let password = password.split(['@', ':']).nth(2).unwrap().to_owned();
    assert!(!format!("{server:?}").contains(&password));
}
