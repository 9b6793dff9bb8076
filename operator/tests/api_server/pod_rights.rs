//! What the tokens of a region's pods can do: read the settings of their own region, and the worker says what it found. Nothing
//! else, and nothing anywhere else.

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use kyb_crds::RegionReport;
use serde_json::json;

use crate::{here::Here, installation::here, requests::Request};

const REGION: &str = "kyb-pods-1";
const OTHER_REGION: &str = "kyb-pods-2";
const GATEWAY: &str = "kyb-gateway";
const WORKER: &str = "kyb-worker";
const MIGRATION: &str = "kyb-migrate";

/// What some pods may do, and which.
const GRANTED: [(Request, &[&str]); 4] = [
    (Request::core("list", "configmaps", "").within(REGION), &[GATEWAY, WORKER]),
    (Request::core("watch", "configmaps", "").within(REGION), &[GATEWAY, WORKER]),
    (Request::ours("get", "regionreports", "pods-1").within(REGION), &[WORKER]),
    (Request::ours("patch", "regionreports/status", "pods-1").within(REGION), &[WORKER]),
];

/// What none of them may do.
const REFUSED: [Request; 28] = [
    // Secrets, not even those of the own namespace: what a pod needs is mounted.
    Request::core("list", "secrets", ""),
    Request::core("list", "secrets", "").within(REGION),
    Request::core("watch", "secrets", "").within(REGION),
    Request::core("get", "secrets", "kyb-postgres").within(REGION),
    Request::core("get", "secrets", "kyb-postgres").within(OTHER_REGION),
    Request::core("get", "secrets", "kyb-key-default").within("kyb-t-mike"),
    Request::core("get", "secrets", "kyb-root-key").within("kyb-system"),
    // Another region's settings, or a tenant's objects.
    Request::core("list", "configmaps", ""),
    Request::core("list", "configmaps", "").within(OTHER_REGION),
    Request::core("watch", "configmaps", "").within(OTHER_REGION),
    Request::core("list", "configmaps", "").within("kyb-t-mike"),
    Request::core("list", "configmaps", "").within("kyb-t-mike--lending"),
    Request::core("list", "configmaps", "").within("kyb-system"),
    Request::core("list", "pods", "").within("kyb-t-mike"),
    // Changing settings, or a single one by name: nobody needs that.
    Request::core("patch", "configmaps", "kyb-settings-platform").within(REGION),
    Request::core("delete", "configmaps", "kyb-settings-tenant-mike").within(REGION),
    // Reports but the own one's status.
    Request::ours("list", "regionreports", "").within(REGION),
    Request::ours("patch", "regionreports", "pods-1").within(REGION),
    Request::ours("delete", "regionreports", "pods-1").within(REGION),
    Request::ours("get", "regionreports", "pods-2").within(OTHER_REGION),
    Request::ours("patch", "regionreports/status", "pods-2").within(OTHER_REGION),
    // What people write.
    Request::ours("list", "kybtenants", ""),
    Request::ours("get", "kybtenants", "mike"),
    Request::ours("patch", "regiondeployments", "pods-1").within(REGION),
    Request::ours("patch", "regiondeployments/status", "pods-1").within(REGION),
    // Ways to more.
    Request::core("list", "pods", "").within(REGION),
    Request { api: "apps/v1", ..Request::core("patch", "deployments", "kyb-gateway").within(REGION) },
    Request {
        api: "rbac.authorization.k8s.io/v1",
        ..Request::core("list", "rolebindings", "").within(REGION)
    },
];

/// Two regions with a tenant in the first, as far as accounts and rights go.
async fn regions() -> anyhow::Result<Here> {
    let here = here().await?;
    here.region("pods-1").await?;
    here.region("pods-2").await?;
    here.tenant("mike", "pods-1", |_| ()).await?;
    for (namespace, account) in
        [(REGION, GATEWAY), (REGION, WORKER), (REGION, MIGRATION), ("kyb-t-mike", "kyb-tenant")]
    {
        here.found::<ServiceAccount>(namespace, account).await?;
    }
    here.found::<Secret>("kyb-t-mike", "kyb-key-default").await?;
    for region in ["pods-1", "pods-2"] {
        here.found::<Secret>(&format!("kyb-{region}"), "kyb-postgres").await?;
        here.found::<RegionReport>(&format!("kyb-{region}"), region).await?;
    }
    Ok(here)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pods_token_is_good_for_its_regions_settings_and_report() -> anyhow::Result<()> {
    let here = regions().await?;
    let accounts = [(REGION, GATEWAY), (REGION, WORKER), (REGION, MIGRATION), ("kyb-t-mike", "kyb-tenant")];
    for (namespace, account) in accounts {
        let client = here.installation.plane.client_for_service_account(namespace, account).await?;
        for (request, holders) in GRANTED {
            let expected = holders.contains(&account);
            if expected {
                here.until("the binding to be seen", || request.goes_through(&client)).await?;
            }
            assert_eq!(request.is_allowed(&client).await?, expected, "{account}: {request:?}");
        }
        for request in REFUSED {
            assert!(!request.is_allowed(&client).await?, "{account}: {request:?}");
        }
    }
    // The twin: each was refused for who asked, not for how it was asked.
    for request in REFUSED {
        assert!(request.is_allowed(&here.client).await?, "{request:?}");
    }
    // What the worker is there for, done, not only allowed.
    let worker = here.installation.plane.client_for_service_account(REGION, WORKER).await?;
    let reports: Api<RegionReport> = Api::namespaced(worker, REGION);
    let report = json!({"status": {"database": {"schemaVersion": 7}}});
    let written = reports.patch_status("pods-1", &PatchParams::default(), &Patch::Merge(report)).await?;
    assert_eq!(written.status.and_then(|status| status.database?.schema_version), Some(7));
    Ok(())
}
