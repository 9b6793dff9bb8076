//! What people, and others beside the operator, do: stories of steps, each of which ends when nothing moves any more.
//!
//! Everything is written for a scope by the name `SCOPE`, and done for many at the same time.

mod policy;
mod region;
mod tenant;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http::{Request, header::CONTENT_TYPE};
use kube::Client;
use serde_json::{Value, json};

use crate::oracle::SCOPE;

/// How long anything that an act waits for may take: a namespace takes more than a minute to go on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A scope's story. Its first steps may only lead up to those that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
    /// What to delete in the end.
    pub(crate) leaves: Vec<&'static str>,
}

/// What happens between two moments at which nothing moves.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) acts: Vec<Act>,
    /// Whether faults befall it, or another story has it already.
    pub(crate) tested: bool,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Makes an object, in the collection of this path.
    Create(&'static str, Value),
    /// Changes the object of this path by a merge patch.
    Change(&'static str, Value),
    /// Deletes the object of this path, if it is there.
    Delete(&'static str),
    /// Waits until there is an object of this path, and not on its way out.
    Wait(&'static str),
    /// Waits until the object of this path has this value at this place.
    Until(&'static str, &'static str, &'static str),
    /// Waits until there is none any more but on its way out: the garbage collector takes its time.
    Gone(&'static str),
}

/// All stories.
pub(crate) fn stories() -> Vec<Story> {
    [tenant::stories(), region::stories(), policy::stories()].concat()
}

/// So many steps a story has at most, so that none takes much longer than others.
const CHAPTER: usize = 9;

/// The same story in parts, each with what leads up to it.
fn chapters(name: &'static str, leaves: &[&'static str], first: &[Step], steps: &[Step]) -> Vec<Story> {
    let part = |steps: &[Step]| Story { name, steps: [first, steps].concat(), leaves: leaves.to_vec() };
    steps.chunks(CHAPTER).map(part).collect()
}

/// The region that tenants of all stories share.
pub(crate) const HOME: &str = "home";

/// What that region consists of, for the scope `home`.
pub(crate) fn home() -> [Act; 2] {
    [namespace(), region(json!({}))]
}

/// A report whose region was never there, until it is collected: the garbage collector finds out about new kinds every half minute, and
/// before that it leaves what belongs to nobody.
pub(crate) fn orphan() -> [Act; 2] {
    const REPORTS: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/regionreports";
    const REPORT: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/regionreports/orphan";
    let nobody = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment", "name": "nobody",
        "uid": "00000000-0000-4000-8000-000000000000",
    });
    let object = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionReport",
        "metadata": {"name": "orphan", "ownerReferences": [nobody]}, "spec": {"region": "nobody"},
    });
    [Act::Create(REPORTS, object), Act::Gone(REPORT)]
}

/// That of a tenant that is made, deleted and made again.
pub(crate) fn coming_and_going() -> Story {
    tenant::comes_and_goes()
}

/// A step that faults befall.
fn step(name: &'static str, acts: impl IntoIterator<Item = Act>) -> Step {
    Step { name, acts: acts.into_iter().collect(), tested: true }
}

/// A step that leads up to others.
fn before(name: &'static str, acts: impl IntoIterator<Item = Act>) -> Step {
    Step { tested: false, ..step(name, acts) }
}

/// The region's namespace, which an administrator makes.
fn namespace() -> Act {
    let labels = json!({"kyb.dev/region": SCOPE});
    Act::Create(NAMESPACES, json!({"metadata": {"name": format!("kyb-{SCOPE}"), "labels": labels}}))
}

const NAMESPACES: &str = "/api/v1/namespaces";
const REGIONS: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/regiondeployments";
const REGION: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/regiondeployments/SCOPE";

/// A development region of the scope.
fn region(change: Value) -> Act {
    let mut object = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment", "metadata": {"name": SCOPE},
        "spec": {
            "region": SCOPE, "residency": "US", "environment": "development", "version": "0.1.0",
            "services": {"gateway": {"replicas": 1}, "worker": {"replicas": 1}},
            "database": {"development": {"storage": "1Gi"}},
            "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/", "refresh": "6h"}],
        },
    });
    if let (Some(spec), Value::Object(change)) = (object["spec"].as_object_mut(), change) {
        spec.extend(change);
    }
    Act::Create(REGIONS, object)
}

impl Act {
    /// Does it for a scope.
    pub(crate) async fn done(&self, client: &Client, scope: &str) -> anyhow::Result<()> {
        let told = || format!("{scope}: {self:?}");
        match self {
            Self::Create(path, object) => {
                Ok(send(client, "POST", &named(path, scope), Some(object), scope).await?)
            }
            Self::Change(path, change) => {
                Ok(send(client, "PATCH", &named(path, scope), Some(change), scope).await?)
            }
            Self::Delete(path) => delete(client, path, scope).await,
            Self::Wait(path) => wait(client, &named(path, scope), true, |_| true).await,
            Self::Until(path, place, value) => {
                let has = |object: &Value| object.pointer(place).is_some_and(|found| found == value);
                wait(client, &named(path, scope), true, has).await
            }
            Self::Gone(path) => wait(client, &named(path, scope), false, |_| true).await,
        }
        .with_context(told)
    }
}

/// Deletes the object of a path, if it is there.
pub(crate) async fn delete(client: &Client, path: &str, scope: &str) -> anyhow::Result<()> {
    match send(client, "DELETE", &named(path, scope), None, scope).await {
        Err(error) if is_absent(&error) => Ok(()),
        answer => Ok(answer?),
    }
}

fn named(text: &str, scope: &str) -> String {
    text.replace(SCOPE, scope)
}

async fn send(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<&Value>,
    scope: &str,
) -> kube::Result<()> {
    let body = body.map(|body| named(&body.to_string(), scope).into_bytes()).unwrap_or_default();
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, kind).body(body);
    client.request_text(request.map_err(kube::Error::HttpError)?).await.map(drop)
}

/// Waits until there is, or is not, an object of a path for which this holds, and which is not on its way out.
async fn wait(
    client: &Client,
    path: &str,
    until_there: bool,
    holds: impl Fn(&Value) -> bool,
) -> anyhow::Result<()> {
    let (began, mut free_since) = (Instant::now(), Instant::now());
    loop {
        let (there, going) = match client.request::<Value>(Request::get(path).body(vec![])?).await {
            Ok(object) => {
                let going = object.pointer("/metadata/deletionTimestamp").is_some();
                (!going && holds(&object), going || is_bereft(client, &object).await?)
            }
            Err(error) if is_absent(&error) => (false, false),
            Err(error) => return Err(error.into()),
        };
        if there == until_there {
            return Ok(());
        }
        if going {
            free_since = Instant::now(); // until then it was not the operator's turn
        }
        ensure!(!going || began.elapsed() < PATIENCE, StillGoing);
        ensure!(free_since.elapsed() < PATIENCE, "in vain");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether the garbage collector has to take an object away, since the tenant or region that owned it is gone.
async fn is_bereft(client: &Client, object: &Value) -> anyhow::Result<bool> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    for owner in owners.into_iter().flatten() {
        let (kind, name) =
            (owner["kind"].as_str().unwrap_or_default(), owner["name"].as_str().unwrap_or_default());
        let path = match (kind, object.pointer("/metadata/namespace").and_then(Value::as_str)) {
            ("KybTenant", _) => format!("/apis/kyb.dev/v1alpha1/kybtenants/{name}"),
            ("RegionDeployment", Some(namespace)) => {
                format!("/apis/kyb.dev/v1alpha1/namespaces/{namespace}/regiondeployments/{name}")
            }
            _ => return Ok(false),
        };
        match client.request::<Value>(Request::get(path).body(vec![])?).await {
            Ok(found) if found.pointer("/metadata/uid") == Some(&owner["uid"]) => return Ok(false),
            Err(error) if !is_absent(&error) => return Err(error.into()),
            _ => (),
        }
    }
    Ok(owners.is_some())
}

/// An object has been on its way out for too long, which is Kubernetes's own controllers' affair: a busy machine starves them.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("its predecessor is still on its way out")]
pub(crate) struct StillGoing;

fn is_absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
