//! Spans arrive at a collector, without secrets: the sampled ones and every one that failed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use kyb_telemetry::traces;
use opentelemetry::trace::TracerProvider;
use tracing_subscriber::layer::SubscriberExt;

/// One request that the collector got.
struct Sent {
    head: String,
    body: Vec<u8>,
}

impl Sent {
    fn mentions(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// A collector on a free port that answers 200 to everything.
fn collector() -> (String, mpsc::Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || serve(&stream, &sender));
        }
    });
    (endpoint, received)
}

fn serve(stream: &TcpStream, sender: &mpsc::Sender<Sent>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let lower = head.to_ascii_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().trim().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let _ = sender.send(Sent { head, body }); // before the answer: who waits for that finds this
    let mut answer = stream;
    answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
}

/// Does something under a provider that samples `share`, flushes, and gives what arrived.
fn sent_while(share: f64, doing: impl FnOnce()) -> Vec<Sent> {
    let (endpoint, received) = collector();
    let provider = traces::provider("kyb-test", &endpoint, share).unwrap();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), doing);
    provider.shutdown_with_timeout(Duration::from_secs(10)).unwrap();
    received.try_iter().collect()
}

#[test]
fn a_sampled_span_arrives_whole() {
    let sent = sent_while(1.0, || {
        let _span = tracing::info_span!("verify business", tenant = "acme").entered();
        tracing::info!("looked at the lists");
    });
    let [sent] = &sent[..] else { panic!("one request") };
    assert!(sent.head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{}", sent.head);
    assert!(sent.head.to_ascii_lowercase().contains("content-type: application/x-protobuf"), "{}", sent.head);
    for text in ["kyb-test", "verify business", "acme", "looked at the lists"] {
        assert!(sent.mentions(text), "{text}");
    }
}

#[test]
fn what_is_not_sampled_is_sent_only_if_it_failed() {
    let sent = sent_while(0.0, || {
        tracing::info_span!("went well", status = 201).in_scope(|| tracing::info!("fine"));
        tracing::info_span!("refused", status = 404).in_scope(|| ());
        tracing::info_span!("logged an error").in_scope(|| tracing::error!("the store does not answer"));
        tracing::info_span!("answered badly", status = 503).in_scope(|| ());
    });
    let mentioned = |text: &str| sent.iter().any(|sent| sent.mentions(text));
    assert!(
        mentioned("logged an error") && mentioned("the store does not answer") && mentioned("answered badly")
    );
    assert!(!mentioned("went well") && !mentioned("refused"));
}

#[test]
fn nothing_failed_and_nothing_sampled_sends_nothing() {
    assert!(sent_while(0.0, || tracing::info_span!("went well").in_scope(|| ())).is_empty());
}

#[test]
fn no_secret_is_sent() {
    let key = "kyb_live_acme01_Zm9vYmFyMDEyMzQ1Njc4OS1hYmNkZWZnaGlqa2xtbm8";
    let sent = sent_while(1.0, || {
        let _span =
            tracing::info_span!("connect", db_password = "hunter2", url = "postgres://kyb:hunter2@db/kyb")
                .entered();
        tracing::error!(header = key, "refused {key}");
    });
    assert!(sent.iter().any(|sent| sent.mentions("kyb:[redacted]@db")));
    assert!(!sent.iter().any(|sent| sent.mentions("hunter2") || sent.mentions("Zm9v")));
}

#[test]
fn a_collector_that_is_not_there_costs_nobody_but_itself() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let provider = traces::provider("kyb-test", &format!("http://{free}"), 1.0).unwrap();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info_span!("lost").in_scope(|| ());
    });
    // Whether that counts as a failed shutdown is the library's business; it must come back.
    let _ = provider.shutdown_with_timeout(Duration::from_secs(10));
}

#[tokio::test]
async fn the_sender_can_be_made_and_ended_within_a_runtime() {
    let sent = sent_while(1.0, || tracing::info_span!("inside").in_scope(|| ()));
    assert!(sent.iter().any(|sent| sent.mentions("inside")));
}

#[test]
fn the_endpoint_may_be_given_with_or_without_its_path() {
    let (endpoint, received) = collector();
    for given in [endpoint.clone(), format!("{endpoint}/"), format!("{endpoint}/v1/traces")] {
        let provider = traces::provider("kyb-test", &given, 1.0).unwrap();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info_span!("hello").in_scope(|| ());
        });
        provider.shutdown_with_timeout(Duration::from_secs(10)).unwrap();
        assert!(received.try_recv().unwrap().head.starts_with("POST /v1/traces "), "{given}");
    }
    assert!(traces::provider("kyb-test", "no url at all", 1.0).is_err());
}
