//! A throw-away PostgreSQL from the machine's own binaries, for tests and `kyb serve`.
//!
//! [`EphemeralPostgres::start`] makes a folder, starts a small shell script in a process group of its own (the
//! *keeper*, `keeper`) and asks it over a pipe to make a database cluster in the folder and to run a server on it.
//! The keeper owns server and folder. Whatever ends the process that holds the value, be it a drop, an abort or SIGKILL,
//! closes the pipe, and the keeper then stops the server and removes the folder. Ctrl-C reaches neither keeper nor
//! server, so a program can finish its requests before its database goes away.
//!
//! | module | what |
//! |---|---|
//! | `binaries` | which PostgreSQL of the machine |
//! | `account` | which user runs it (PostgreSQL refuses root) |
//! | `keeper` | the script and the pipe |

mod account;
mod binaries;
mod keeper;

use std::{
    fmt::Write as _,
    io::Read as _,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use account::Account;
use keeper::{Keeper, Reply};

/// The superuser's name.
const SUPERUSER: &str = "postgres";

/// How many ports to try: another process may take a free one between our looking and the server's binding.
const PORTS_TO_TRY: u32 = 5;

/// A running server on a free loopback port with a data folder of its own; both are gone when this value is dropped, or when
/// the process that holds it dies in whatever way.
pub struct EphemeralPostgres {
    keeper: Mutex<Keeper>,
    folder: PathBuf,
    port: u16,
    password: String,
}

/// Without the password.
impl std::fmt::Debug for EphemeralPostgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EphemeralPostgres")
            .field("folder", &self.folder)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why no server could be started, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No PostgreSQL binaries.
    #[error(
        "no PostgreSQL 15 or later found; install it, such as with `apt-get install postgresql`, or set KYB_POSTGRES_BIN to the folder that holds `initdb`"
    )]
    NotInstalled,
    /// This process is root, PostgreSQL refuses to run as root, and there is no other account to use.
    #[error(
        "PostgreSQL does not run as root and neither a user `postgres` nor `nobody` exists; run this as an ordinary user"
    )]
    NoAccount,
    /// A folder or file of the server can't be made.
    #[error("can't {what}; look at the permissions and the free space of the folder for temporary files")]
    Folder {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The shell that looks after the server can't be started or went away.
    #[error("can't {what} the shell that looks after PostgreSQL")]
    Keeper {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// PostgreSQL itself refused.
    #[error("PostgreSQL's `{step}` failed:\n{log}")]
    Refused {
        /// `initdb` or `postgres`.
        step: &'static str,
        /// The end of its log.
        log: String,
    },
}

impl StartError {
    fn folder(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Folder { what, source }
    }
}

/// How to run it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether commits reach the disk before they are acknowledged; tests of durability and benchmarks need it.
    pub durable: bool,
    /// Connections the server accepts.
    pub max_connections: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: true, max_connections: 100 }
    }
}

impl EphemeralPostgres {
    /// Starts a server and waits until it accepts connections. Blocks for about 2 s.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        let binaries = binaries::find().ok_or(StartError::NotInstalled)?;
        let account = Account::choose()?;
        let password = random_password()?;
        let folder = account.make_folder()?;
        // From here on the keeper removes the folder, also when a later step fails: dropping it closes its pipe.
        let mut keeper = Keeper::start(&binaries, &folder, account).inspect_err(|_| {
            std::fs::remove_dir_all(&folder).ok();
        })?;
        account.write_file(&folder.join("password"), &password)?;
        account.write_file(&folder.join("settings"), &settings(options))?;
        if keeper.ask("init")? != Reply::Done {
            return Err(StartError::Refused { step: "initdb", log: end_of_log(&folder) });
        }
        let port = start_on_a_free_port(&mut keeper, &folder)?;
        tracing::debug!(port, folder = %folder.display(), "started a throw-away PostgreSQL");
        Ok(Self { keeper: Mutex::new(keeper), folder, port, password })
    }

    /// The superuser's connection URL, password included.
    pub fn superuser_url(&self) -> String {
        self.url(SUPERUSER, &self.password, "postgres")
    }

    /// A connection URL for another role or database.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        let [role, password, database] = [role, password, database].map(percent_encoded);
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds the data and the log (`log`), for as long as this value lives.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills every server process at once (SIGKILL), as a crash would.
    pub fn crash(&self) {
        self.order("crash");
    }

    /// Starts it again on the same port and data after [`Self::crash`] or [`Self::stop`].
    pub fn restart(&self) -> Result<(), StartError> {
        match self.ask(&format!("start {}", self.port))? {
            Reply::Done => Ok(()),
            Reply::Failed => Err(StartError::Refused { step: "postgres", log: end_of_log(&self.folder) }),
        }
    }

    /// Stops it in good order.
    pub fn stop(&self) {
        self.order("stop");
    }

    fn order(&self, command: &str) {
        if let Err(error) = self.ask(command) {
            tracing::warn!(error = %error, command, "the throw-away PostgreSQL did not answer");
        }
    }

    fn ask(&self, command: &str) -> Result<Reply, StartError> {
        // A panic elsewhere while the lock was held leaves the pipe usable.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).ask(command)
    }
}

fn start_on_a_free_port(keeper: &mut Keeper, folder: &Path) -> Result<u16, StartError> {
    for _ in 0..PORTS_TO_TRY {
        let port = free_port().map_err(StartError::folder("find a free port"))?;
        if keeper.ask(&format!("start {port}"))? == Reply::Done {
            return Ok(port);
        }
        if !end_of_log(folder).contains("in use") {
            break;
        }
    }
    Err(StartError::Refused { step: "postgres", log: end_of_log(folder) })
}

fn free_port() -> std::io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}

/// Shared memory lies in the folder (`mmap`), not in /dev/shm, so that nothing is left of a server that was killed.
fn settings(options: &Options) -> String {
    let mut lines = format!(
        "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = {}\n\
         dynamic_shared_memory_type = mmap\nlogging_collector = off\nlog_min_messages = warning\n",
        options.max_connections
    );
    if !options.durable {
        lines.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
    }
    lines
}

fn random_password() -> Result<String, StartError> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(StartError::folder("read /dev/urandom"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
        text
    }))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String can't fail
        }
        encoded
    })
}

/// The last lines of the server's log.
fn end_of_log(folder: &Path) -> String {
    let log = std::fs::read(folder.join("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().rev().take(15).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
