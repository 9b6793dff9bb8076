use std::sync::Mutex;

use http::{Request, Response};
use kube::{Client, client::Body, runtime::reflector};
use kyb_kit::{Live, Wrote};
use serde_json::json;

use super::*;
use crate::{context::Stores, derive::RootKey};

/// A tenant whose second key came to be by rotation: only its status knows until when the first is good.
fn tenant(version: u64) -> KybTenant {
    let tenant = json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "KybTenant",
        "metadata": {"name": "acme", "uid": "uid-acme", "resourceVersion": version.to_string(), "generation": 1},
        "spec": {
            "id": "acme",
            "displayName": "Acme Payments",
            "plan": "enterprise",
            "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
            "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 2, "overlap": "24h"}],
        },
    });
    serde_json::from_value(tenant).unwrap()
}

/// A client whose server answers every request with version 10 of the tenant, and what it was asked for.
fn client() -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let asked_here = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        asked_here.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        let answer = serde_json::to_vec(&tenant(10)).unwrap();
        async move { Ok::<_, Infallible>(Response::new(Body::from(answer))) }
    });
    (Client::new(service, "default"), asked)
}

fn context(client: Client) -> Context {
    let stores = Stores {
        tenants: reflector::store().0,
        regions: reflector::store().0,
        policies: reflector::store().0,
        pods: reflector::store().0,
        namespaces: reflector::store().0,
    };
    let account = json!({"kind": "ServiceAccount", "name": "kyb-operator", "namespace": "kyb-system"});
    let root = RootKey::new(&[7; 32]).unwrap();
    Context::new(
        client,
        Live::new(TENANT_MARKS),
        stores,
        root,
        serde_json::from_value(account).unwrap(),
        "test",
    )
}

#[tokio::test]
async fn nothing_is_done_about_a_tenant_whose_status_is_newer_than_what_is_seen_of_it() {
    let (client, asked) = client();
    let context = Arc::new(context(client));
    let status = TenantStatus { observed_generation: Some(1), ..TenantStatus::default() };
    assert_eq!(context.statuses.write(&tenant(9), &status).await.unwrap(), Wrote::Yes);
    assert!(context.statuses.is_own(&tenant(10)), "a watch has brought it, so it is remembered no longer");
    asked.lock().unwrap().clear();

    let action = reconcile(Arc::new(tenant(9)), Arc::clone(&context)).await.unwrap();
    assert_eq!((action, asked.lock().unwrap().clone()), (Action::requeue(Duration::ZERO), vec![]));

    reconcile(Arc::new(tenant(10)), context).await.unwrap();
    assert!(!asked.lock().unwrap().is_empty());
}

#[test]
fn each_concern_that_went_well_says_what_is_in_place() {
    let valid = ValidTenant::of(&tenant(1));
    let said = |condition| {
        let concerns = [Concern::of(condition, [])];
        let applied = Applied::Done(Outcome::default());
        let verdicts = verdicts(&valid, &Facts::default(), &concerns, &applied);
        verdicts.into_iter().next().unwrap().message
    };
    assert_eq!(said(ConditionType::NamespacesReady), "namespaces, quota and network policies are in place");
    assert_eq!(said(ConditionType::AccessReady), "role bindings and service accounts are in place");
    assert_eq!(said(ConditionType::PolicyValid), "the rules compile");

    let left = Applied::Left(State::Stuck, Reason::InvalidSpec, "why".to_owned());
    let verdicts = verdicts(&valid, &Facts::default(), &[], &left);
    assert_eq!(
        verdicts,
        [Verdict::new(ConditionType::NamespacesReady, State::Stuck, Reason::InvalidSpec, "why")]
    );
}

#[test]
fn a_key_that_is_not_wanted_any_more_is_remembered_until_its_secret_is_gone() {
    let valid = ValidTenant::of(&tenant(1));
    let before: TenantStatus = serde_json::from_value(
        json!({"keys": [{"name": "old", "generation": 1}, {"name": "default", "generation": 1}]}),
    )
    .unwrap();
    let remembered = |facts: &Facts, applied: &Applied| -> Vec<String> {
        let lingering = lingering(&valid, &[], facts, &before, applied);
        lingering.into_iter().map(|key| key.name.to_string()).collect()
    };
    let done = Applied::Done(Outcome::default());
    assert!(remembered(&Facts::default(), &done).is_empty(), "its Secret was deleted just now");
    let left = Applied::Left(State::Stuck, Reason::InvalidSpec, "why".to_owned());
    assert_eq!(remembered(&Facts::default(), &left), ["old"], "nothing was written");
    let erasing = Facts { erasing: true, ..Facts::default() };
    assert_eq!(remembered(&erasing, &done), ["old"]);
}
