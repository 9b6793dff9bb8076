use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use tower::{ServiceExt, service_fn};

use super::*;

const LIMIT: Duration = Duration::from_secs(4);

fn request(method: Method, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::from(b"{}".to_vec())).unwrap()
}

/// Sends a request through the fence to a server that answers at once; what it saw of it, if anything.
async fn send(held: &Held, method: Method) -> Result<String, BoxError> {
    let seen = Arc::new(Mutex::new(String::new()));
    let written = seen.clone();
    let server = service_fn(move |request: Request<Body>| {
        *written.lock().unwrap() = request.uri().to_string();
        std::future::ready(Ok::<_, Infallible>(Response::new(())))
    });
    let request = request(method, "https://server/api/v1/pods?&force=true");
    Fence::new(server.clone(), server, held.clone(), LIMIT).oneshot(request).await?;
    Ok(seen.lock().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn writes_pass_while_the_lease_is_ours_and_carry_their_time_limit() {
    let held = Held::nothing();
    held.extend(tokio::time::Instant::now() + LIMIT);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(
            send(&held, method).await.unwrap(),
            "https://server/api/v1/pods?&force=true&timeout=3000ms"
        );
    }
    tokio::time::advance(LIMIT).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert!(send(&held, method).await.unwrap_err().is::<NotHeld>());
    }
}

#[tokio::test]
async fn reads_pass_always() {
    assert_eq!(send(&Held::nothing(), Method::GET).await.unwrap(), "https://server/api/v1/pods?&force=true");
}

#[test]
fn a_refusal_by_the_connection_is_known_however_deep_it_is_wrapped() {
    let refused = io::Error::other(io::Error::other(NotHeld));
    assert!(was_refused(&refused) && was_refused(&NotHeld));
    assert!(!was_refused(&io::Error::other("the server is gone")));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_given_up_in_time_and_a_watch_is_not() {
    let slow = service_fn(|_: Request<Body>| async {
        tokio::time::sleep(Duration::from_mins(5)).await;
        Ok::<_, Infallible>(Response::new(()))
    });
    let fence = Fence::new(slow, slow, Held::always(), LIMIT);
    let error = fence.clone().oneshot(request(Method::PUT, "/api/v1/pods/one")).await.unwrap_err();
    assert_eq!(error.downcast_ref::<TooSlow>(), Some(&TooSlow(LIMIT)));
    assert!(fence.clone().oneshot(request(Method::GET, "/api/v1/pods?&watch=true")).await.is_ok());
    assert!(fence.oneshot(request(Method::GET, "/api/v1/pods")).await.is_err());
}
