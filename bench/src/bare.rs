//! A bare hyper server that answers every request with the same bytes, in a process of its own as the gateway is.

use std::{convert::Infallible, net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use kyb_e2e::program::Program;

/// Serves `body` until killed.
pub(crate) async fn serve(port: u16, body: Vec<u8>) -> anyhow::Result<()> {
    let body = Bytes::from(body);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            let mut response = Response::new(Full::new(body.clone()));
            response
                .headers_mut()
                .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
            std::future::ready(Ok::<_, Infallible>(response))
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Starts this program again as a bare server; it is gone when the value is dropped.
pub(crate) async fn start(folder: &Path, body: &str) -> anyhow::Result<(Program, SocketAddr)> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let file = folder.join("body");
    std::fs::write(&file, body)?;
    let arguments =
        ["--bare-server".to_owned(), port.to_string(), "--body".to_owned(), file.display().to_string()];
    let program = Program::start(&std::env::current_exe()?, &arguments, &[], &folder.join("bare.log"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    kyb_e2e::waiting::until("the bare server", Duration::from_secs(10), || async {
        Ok(tokio::net::TcpStream::connect(address).await.map(drop)?)
    })
    .await?;
    Ok((program, address))
}
