//! A load client for HTTP/1.1 on loopback: keep-alive connections, one request under way on each. It does as little as
//! possible, so that what it costs is small and the same for every server.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::rounds::percentile;

/// What the requests are: the bytes of request `number` on connection `connection`.
pub(crate) type Requests = Arc<dyn Fn(usize, usize) -> Vec<u8> + Send + Sync>;

/// What a round of load gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Answers in a second, all connections together.
    pub(crate) per_second: f64,
    /// 99 of 100 answers took at most so many microseconds.
    pub(crate) p99_us: f64,
}

/// Loads a server for `time`; every answer must have `status`.
pub(crate) async fn run(
    server: SocketAddr,
    connections: usize,
    time: Duration,
    status: u16,
    requests: &Requests,
) -> anyhow::Result<Measured> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for connection in 0..connections {
        let requests = Arc::clone(requests);
        tasks.spawn(async move {
            let mut connected = Connection::open(server).await?;
            let mut latencies = Vec::new();
            for number in 0_usize.. {
                if began.elapsed() >= time {
                    break;
                }
                let request = requests(connection, number);
                let sent = Instant::now();
                connected.exchange(&request, status).await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1e6);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(task) = tasks.join_next().await {
        latencies.extend(task??);
    }
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let per_second = latencies.len() as f64 / seconds;
    Ok(Measured { per_second, p99_us: percentile(&mut latencies, 0.99) })
}

/// The bytes of a GET.
pub(crate) fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n\r\n").into_bytes()
}

/// The bytes of a POST of JSON.
pub(crate) fn post(path: &str, key: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n"
    );
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads the whole answer.
    async fn exchange(&mut self, request: &[u8], status: u16) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.receive().await?;
        };
        let text = std::str::from_utf8(&self.received[..head]).context("an answer's head that is no text")?;
        if !text.starts_with(&format!("HTTP/1.1 {status}")) {
            bail!("not answered with {status}: {}", String::from_utf8_lossy(&self.received));
        }
        let length: usize = header(text, "content-length").context("an answer without a length")?.parse()?;
        while self.received.len() < head + length {
            self.receive().await?;
        }
        ensure!(self.received.len() == head + length, "more than the answer came");
        Ok(())
    }

    async fn receive(&mut self) -> anyhow::Result<()> {
        ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the server closed the connection");
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let of_name = |line: &'a str| line.split_once(':').filter(|(found, _)| found.eq_ignore_ascii_case(name));
    head.lines().find_map(of_name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_whatever_its_case() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y:z\r\n\r\n";
        assert_eq!(
            (header(head, "content-length"), header(head, "X"), header(head, "no")),
            (Some("12"), Some("y:z"), None)
        );
    }
}
