//! A replica that is cut off in the middle of a write: what it gave up must not arrive when the network is back, by which time
//! somebody else holds the lease. The kernel goes on sending what it was handed, even of a closed connection, unless it was
//! told for how long.
//!
//! The network is the loopback of a namespace of its own, which is taken down and up again.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use http::Request;
use kube::{Client, Config};
use kyb_kit::{Held, fenced_client};
use rustix::process::geteuid;
use serde_json::Value;

/// Says to this program that it is in the namespace already.
const INSIDE: &str = "KYB_LEADER_INSIDE";
const LIMIT: Duration = Duration::from_secs(1);
/// The kernel doubles the time between two tries, so this much later it has tried again.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_write_that_was_given_up_does_not_arrive_when_the_network_is_back() -> anyhow::Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return tokio::runtime::Runtime::new()?.block_on(cut_off());
    }
    let name = "cut_off::a_write_that_was_given_up_does_not_arrive_when_the_network_is_back";
    // Only root may make a namespace without becoming root in one of users before it.
    let as_root: &[_] = if geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
    let output = Command::new("unshare")
        .args(as_root)
        .arg("--net")
        .arg(std::env::current_exe()?)
        .args(["--exact", name])
        .env(INSIDE, "1")
        .output()
        .context("can't run `unshare`; install util-linux")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

async fn cut_off() -> anyhow::Result<()> {
    loopback("up")?;
    let server = Server::start()?;
    let client = client(server.address)?;
    let mut unlimited = TcpStream::connect(server.address)?;
    write(&client, "/early").await.context("while the network is there")?;
    unlimited.write_all(b"unlimited-early")?;
    until("the server to see what came early", || Ok(server.saw("unlimited-early") && server.saw("/early")))?;

    loopback("down")?;
    unlimited.write_all(b"unlimited-late")?;
    ensure!(write(&client, "/late").await.is_err(), "answered without a network");
    drop((unlimited, client)); // given up, both of them
    loopback("up")?;

    // The twin, without a limit, arrives; and then the kernel has nothing left that could.
    until("what was sent without a limit", || Ok(server.saw("unlimited-late")))?;
    until("the kernel to have nothing left to send", || Ok(unsent()? == 0))?;
    ensure!(!server.saw("/late"), "it arrived after all");
    Ok(())
}

fn client(server: SocketAddr) -> anyhow::Result<Client> {
    let config = Config::new(format!("http://{server}").parse()?);
    Ok(fenced_client(&config, &Held::always(), LIMIT)?)
}

async fn write(client: &Client, path: &str) -> Result<Value, kube::Error> {
    let request = Request::put(path).body(b"{}".to_vec()).map_err(kube::Error::HttpError)?;
    client.request(request).await
}

/// Answers each request with an empty object, and remembers what it was sent.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<String>>,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, seen) = (listener.local_addr()?, Arc::new(Mutex::new(String::new())));
        let writes = seen.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = writes.clone();
                thread::spawn(move || answer(connection, &seen));
            }
        });
        Ok(Self { address, seen })
    }

    fn saw(&self, text: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(text)
    }
}

fn answer(mut connection: TcpStream, seen: &Mutex<String>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = connection.read(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]);
        if text.contains("HTTP/1.1") {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); // it may be gone by now
        }
        seen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
    }
}

fn loopback(state: &str) -> anyhow::Result<()> {
    let status = Command::new("ip").args(["link", "set", "lo", state]).status();
    ensure!(status.context("can't run `ip`; install iproute2")?.success(), "can't take loopback {state}");
    Ok(())
}

/// Bytes that the kernel of this namespace still means to send.
fn unsent() -> anyhow::Result<u64> {
    let sockets = std::fs::read_to_string("/proc/net/tcp")?;
    let queue = |line: &str| {
        let queues = line.split_whitespace().nth(4)?; // tx_queue:rx_queue, in hexadecimal digits
        u64::from_str_radix(queues.split(':').next()?, 16).ok()
    };
    Ok(sockets.lines().skip(1).filter_map(queue).sum())
}

fn until(what: &str, mut so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !so()? {
        ensure!(began.elapsed() < PATIENCE, "waited for {what} in vain");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
