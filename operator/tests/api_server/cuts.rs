//! The operator's watches, which a test can end, as a server does that restarts: only then does the operator ask for new ones.

use std::sync::Arc;

use futures::StreamExt as _;
use http::Request;
use http_body_util::{BodyStream, StreamBody};
use kube::{Client, client::Body};
use tokio::sync::Notify;
use tower::{BoxError, service_fn};

/// Ends watches. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Cuts(Arc<Notify>);

impl Cuts {
    /// A client whose watches can be ended.
    pub(crate) fn around(&self, client: Client) -> Client {
        let (namespace, cuts) = (client.default_namespace().to_owned(), self.0.clone());
        let service = service_fn(move |request: Request<Body>| {
            let (client, cuts) = (client.clone(), cuts.clone());
            async move {
                let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
                let answer = client.send(request).await?;
                let cut = async move {
                    if is_watch {
                        cuts.notified().await;
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                let until_cut = |body| StreamBody::new(BodyStream::new(body).take_until(cut));
                Ok::<_, BoxError>(answer.map(until_cut))
            }
        });
        Client::new(service, namespace)
    }

    /// Ends all watches that there are now.
    pub(crate) fn cut(&self) {
        self.0.notify_waiters();
    }
}
