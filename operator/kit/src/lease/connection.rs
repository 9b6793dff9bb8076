//! Connections that let no byte out once the lease has passed.
//!
//! A write that was let through may still lie in a buffer of ours when the process is stopped: in the client's queue, in
//! the HTTP connection's, in TLS's. So the lease is looked at once more by the socket itself, right before the call that
//! hands bytes over to the kernel. What the kernel has, the network gets, however long this process is stopped; and
//! where the network does not take it within the request's time, the kernel drops it with its connection
//! (`TCP_USER_TIMEOUT`, RFC 5482). Without that, a request that was given up would still be sent again and again, and
//! arrive when the network is back, long after somebody else took over.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower::{BoxError, Service};

use super::{Held, NotHeld};

/// Connects; what it connects lets bytes out only while `held`, or always where there is nothing to hold.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    held: Option<Held>,
}

impl Connector {
    /// Connections for reads.
    pub(super) fn open(tcp: HttpConnector) -> Self {
        Self { tcp, held: None }
    }

    /// Connections for writes, each of which has `limit` to get to the server.
    pub(super) fn fenced(mut tcp: HttpConnector, held: Held, limit: Duration) -> Self {
        tcp.set_nodelay(true); // nothing is kept back to be sent with something else
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(limit));
        Self { tcp, held: Some(held) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<FencedStream<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let (connecting, held) = (self.tcp.call(server), self.held.clone());
        async move { Ok(TokioIo::new(FencedStream { stream: connecting.await?.into_inner(), held })) }.boxed()
    }
}

/// A connection that fails as soon as it is to send something that it may not.
#[derive(Debug)]
pub(super) struct FencedStream<S> {
    stream: S,
    held: Option<Held>,
}

impl<S> FencedStream<S> {
    fn check(&self) -> io::Result<()> {
        match &self.held {
            Some(held) if !held.still_held() => Err(io::Error::other(NotHeld)),
            _ => Ok(()),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FencedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FencedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: Connection> Connection for FencedStream<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        net::TcpListener,
        time::Instant,
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);

    /// Bytes that were taken from us while the lease was ours, but did not leave yet.
    #[tokio::test(start_paused = true)]
    async fn bytes_that_wait_in_a_buffer_do_not_leave_after_the_lease_has_passed() {
        let held = Held::nothing();
        held.extend(Instant::now() + LIMIT);
        let (ours, mut servers) = duplex(1024);
        let mut stream = tokio::io::BufWriter::new(FencedStream { stream: ours, held: Some(held) });
        stream.write_all(b"in time").await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(b"late").await.unwrap();
        tokio::time::advance(LIMIT).await;
        let error = stream.flush().await.unwrap_err();
        assert!(error.get_ref().unwrap().is::<NotHeld>());
        drop(stream);
        let mut seen = String::new();
        servers.read_to_string(&mut seen).await.unwrap();
        assert_eq!(seen, "in time");
    }

    #[tokio::test]
    async fn connections_for_reads_are_not_fenced() {
        let (ours, mut servers) = duplex(1024);
        let mut stream = FencedStream { stream: ours, held: None };
        stream.write_all(b"read").await.unwrap();
        drop(stream);
        let mut seen = String::new();
        servers.read_to_string(&mut seen).await.unwrap();
        assert_eq!(seen, "read");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_kernel_keeps_a_write_no_longer_than_it_may_take() {
        use rustix::net::sockopt::{tcp_nodelay, tcp_user_timeout};
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri: Uri = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
        let mut fenced = Connector::fenced(HttpConnector::new(), Held::always(), LIMIT);
        let stream = fenced.call(uri.clone()).await.unwrap().into_inner().stream;
        assert_eq!(tcp_user_timeout(&stream).unwrap(), 4000);
        assert!(tcp_nodelay(&stream).unwrap());
        let stream = Connector::open(HttpConnector::new()).call(uri).await.unwrap().into_inner().stream;
        assert_eq!(tcp_user_timeout(&stream).unwrap(), 0);
    }
}
