//! Bad input: each a condition that says what to do, with the rest of the object reconciled.

use anyhow::Context as _;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, Service},
    networking::v1::NetworkPolicy,
    rbac::v1::{ClusterRole, RoleBinding},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment};
use serde_json::{Value, json};

use crate::{
    here::region_deployment,
    installation::{OPERATOR, here, spare},
    requests::Request,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_does_not_compile_stops_only_the_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-1").await?;
    let rule = |when: &str| json!({"policy": [{"name": "critical", "when": when, "then": "reject"}]});
    let key = |name: &str| json!({"name": name, "role": "ServiceAccount"});
    let of_trade = json!({"name": "trade", "role": "ServiceAccount", "contexts": ["trade"]});
    here.tenant("gale", "conditions-1", |spec| {
        spec["verification"] = rule("risk.score >= 85");
        spec["contexts"] = json!([{"name": "lending"}, {"name": "old"}]);
        spec["apiKeys"] = json!([key("default"), key("batch")]);
        spec["access"] =
            json!([{"name": "audit", "role": "Auditor", "subjects": [{"kind": "User", "name": "eve"}]}]);
    })
    .await?;
    here.found::<Secret>("kyb-t-gale", "kyb-key-batch").await?;
    let settings = async || -> anyhow::Result<Value> {
        let map: ConfigMap = here.found("kyb-conditions-1", "kyb-settings-tenant-gale").await?;
        Ok(serde_yaml::from_str(&map.data.context("settings")?["tenant-gale.yaml"])?)
    };
    let mut wanted = settings().await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let bad = json!({"spec": {
        "verification": rule("risk.scor >= 85"),
        "contexts": [{"name": "lending"}, {"name": "trade"}],
        "apiKeys": [key("default"), of_trade],
        "access": [],
        "rateLimit": {"requestsPerMinute": 1, "burst": 1},
    }});
    tenants.patch("gale", &PatchParams::default(), &Patch::Merge(bad)).await?;
    let message = here.tenant_says("gale", "PolicyValid", "InvalidPolicy").await?;
    assert!(message.contains("rule `critical`: `risk` has no field `scor`; it has"), "{message}");
    here.found::<ResourceQuota>("kyb-t-gale--trade", "kyb-tenant").await?;
    here.gone::<RoleBinding>("kyb-t-gale", "kyb-audit-auditor").await?;
    here.gone::<Secret>("kyb-t-gale", "kyb-key-batch").await?;
    wanted["api_keys"].as_array_mut().context("keys")?.truncate(1);
    assert_eq!(settings().await?, wanted, "the last good settings stay, but for the key that was revoked");
    let unreadable = json!({"spec": {"verification": rule("risk.score >= 85 &&")}});
    tenants.patch("gale", &PatchParams::default(), &Patch::Merge(unreadable)).await?;
    here.until("the place of the mistake", || async {
        let message = here.tenant_says("gale", "PolicyValid", "InvalidPolicy").await?;
        Ok(message.contains("rule `critical`: line 1, column 20"))
    })
    .await?;
    let old = Api::<Namespace>::all(here.client.clone()).get("kyb-t-gale--old").await?;
    assert_eq!(old.metadata.deletion_timestamp, None, "the settings that are in use name its context");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_ones_own_is_told_what_it_lacks_until_it_is_good() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-2").await?;
    here.tenant("hale", "conditions-2", |spec| {
        spec["apiKeys"] = json!([
            {"name": "default", "role": "ServiceAccount"},
            {"name": "own", "role": "Guest", "secretRef": {"name": "own-key", "key": "token"}},
        ]);
    })
    .await?;
    let message = here.tenant_says("hale", "KeysReady", "SecretNotFound").await?;
    assert!(message.contains("kyb-t-hale/own-key") && message.contains("create it with"), "{message}");
    here.found::<Secret>("kyb-t-hale", "kyb-key-default").await?;
    here.found::<ConfigMap>("kyb-conditions-2", "kyb-settings-tenant-hale").await?;
    let secret = |data: Value| json!({"metadata": {"name": "own-key"}, "stringData": data});
    here.create_in::<Secret>("kyb-t-hale", secret(json!({"other": "x"}))).await?;
    let message = here.tenant_says("hale", "KeysReady", "SecretKeyNotFound").await?;
    assert!(message.contains("no key `token`; add it, or correct spec.apiKeys"), "{message}");
    let secrets: Api<Secret> = Api::namespaced(here.client.clone(), "kyb-t-hale");
    let replace = async |text: String| {
        let change = Patch::Merge(secret(json!({"token": text})));
        secrets.patch("own-key", &PatchParams::default(), &change).await
    };
    replace("hunter2".to_owned()).await?;
    let message = here.tenant_says("hale", "KeysReady", "SecretInvalid").await?;
    assert!(message.contains("kyb_<env>_<key id>_<secret>") && !message.contains("hunter2"), "{message}");
    replace(format!("kyb_live_ownkey_{}", "a".repeat(43))).await?;
    here.tenant_says("hale", "KeysReady", "Ready").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_policy_that_does_not_exist_stops_only_the_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-conditions-4", json!({"kyb.dev/region": "conditions-4"})).await?;
    let mut deployment = region_deployment("conditions-4");
    deployment["spec"]["cachePolicy"] = json!({"name": "none"});
    here.create_in::<RegionDeployment>("kyb-conditions-4", deployment).await?;
    let message = here
        .region_says("kyb-conditions-4", "conditions-4", "SettingsDelivered", "ReferenceNotFound")
        .await?;
    assert!(
        message.contains(
            "CachePolicy kyb-conditions-4/none does not exist; create it, or take spec.cachePolicy out"
        ),
        "{message}"
    );
    here.found::<StatefulSet>("kyb-conditions-4", "kyb-postgres").await?;
    assert_eq!(here.names::<Job>("kyb-conditions-4").await?.len(), 1);
    assert_eq!(here.names::<NetworkPolicy>("kyb-conditions-4").await?.len(), 6);
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-conditions-4");
    assert!(settings.get_opt("kyb-settings-platform").await?.is_none(), "no half of the settings");
    let policy = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "none"}, "spec": {}});
    here.create_in::<CachePolicy>("kyb-conditions-4", policy).await?;
    here.found::<ConfigMap>("kyb-conditions-4", "kyb-settings-platform").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_or_key_that_does_not_exist_is_named_and_nothing_serves_without_it() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-conditions-5", json!({"kyb.dev/region": "conditions-5"})).await?;
    let mut deployment = region_deployment("conditions-5");
    let reference = |key: &str| json!({"name": "database", "key": key});
    deployment["spec"]["database"] = json!({"external": {
        "migrator": reference("migrator"), "runtime": reference("runtime"), "reader": reference("reader"),
    }});
    here.create_in::<RegionDeployment>("kyb-conditions-5", deployment).await?;
    let says = async |reason: &str| {
        here.region_says("kyb-conditions-5", "conditions-5", "DatabaseReady", reason).await
    };
    let message = says("SecretNotFound").await?;
    assert!(
        message.contains(
            "spec.database.external.migrator: Secret kyb-conditions-5/database does not exist; create it"
        ),
        "{message}"
    );
    here.found::<ConfigMap>("kyb-conditions-5", "kyb-settings-platform").await?;
    assert_eq!(here.names::<NetworkPolicy>("kyb-conditions-5").await?.len(), 6);
    assert_eq!(here.names::<Deployment>("kyb-conditions-5").await?, [""; 0]);
    let secret = json!({"metadata": {"name": "database"}, "stringData": {"migrator": "postgres://x"}});
    here.create_in::<Secret>("kyb-conditions-5", secret).await?;
    let message = says("SecretKeyNotFound").await?;
    assert!(
        message.contains(
            "spec.database.external.runtime: Secret kyb-conditions-5/database has no key `runtime`; add it"
        ),
        "{message}"
    );
    let whole = json!({"stringData": {"runtime": "postgres://x", "reader": "postgres://x"}});
    let secrets: Api<Secret> = Api::namespaced(here.client.clone(), "kyb-conditions-5");
    secrets.patch("database", &PatchParams::default(), &Patch::Merge(whole)).await?;
    says("NoReport").await?;

    // What runs goes on as it is, and says nothing for what it does not use.
    here.migration_succeeds("kyb-conditions-5").await?;
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-conditions-5");
    let gateway: Deployment = here.found("kyb-conditions-5", "kyb-gateway").await?;
    for component in ["gateway", "worker"] {
        here.pods_are_ready("kyb-conditions-5", component, true).await?;
    }
    here.region_says("kyb-conditions-5", "conditions-5", "GatewayReady", "Ready").await?;
    let other = json!({"spec": {"database": {"external": {"runtime": {"key": "other"}}}}});
    regions.patch("conditions-5", &PatchParams::default(), &Patch::Merge(other)).await?;
    let message = says("SecretKeyNotFound").await?;
    assert!(message.contains("has no key `other`"), "{message}");
    here.region_says("kyb-conditions-5", "conditions-5", "GatewayReady", "Progressing").await?;
    let now: Deployment = here.found("kyb-conditions-5", "kyb-gateway").await?;
    assert_eq!(now.spec, gateway.spec);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_leaves_no_room_stops_what_it_forbids_and_no_more() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-conditions-6", json!({"kyb.dev/region": "conditions-6"})).await?;
    let none = json!({"metadata": {"name": "of-the-administrator"}, "spec": {"hard": {"services": "0"}}});
    here.create_in::<ResourceQuota>("kyb-conditions-6", none).await?;
    let quotas: Api<ResourceQuota> = Api::namespaced(here.client.clone(), "kyb-conditions-6");
    here.until("the quota to be in force", || async {
        let quota = quotas.get("of-the-administrator").await?;
        Ok(quota.status.and_then(|status| status.hard).is_some())
    })
    .await?;
    here.create_in::<RegionDeployment>("kyb-conditions-6", region_deployment("conditions-6")).await?;
    let message =
        here.region_says("kyb-conditions-6", "conditions-6", "DatabaseReady", "QuotaExceeded").await?;
    for part in
        ["Service kyb-conditions-6/kyb-postgres", "of-the-administrator", "raise the quota, or ask for less"]
    {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    here.region_says("kyb-conditions-6", "conditions-6", "Stalled", "QuotaExceeded").await?;
    here.found::<ConfigMap>("kyb-conditions-6", "kyb-settings-platform").await?;
    here.found::<StatefulSet>("kyb-conditions-6", "kyb-postgres").await?;
    assert_eq!(here.names::<NetworkPolicy>("kyb-conditions-6").await?.len(), 6);
    assert_eq!(here.names::<Service>("kyb-conditions-6").await?, [""; 0]);
    // By now nothing else moves that would make anybody look.
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-conditions-6");
    here.until("it to be tried again and again", || async {
        let status = regions.get("conditions-6").await?.status.unwrap_or_default();
        Ok(status.failures >= Some(4))
    })
    .await?;
    quotas.delete("of-the-administrator", &DeleteParams::default()).await?;
    here.found::<Service>("kyb-conditions-6", "kyb-postgres").await?;
    Ok(())
}

/// Of tests that change the operator's role one at a time does.
static ROLE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// API group and plural.
const LIMITS: (&str, &str) = ("", "limitranges");

/// Leaves the operator these verbs alone on a kind, and gives the role as it was, to be put back.
async fn with_only(
    roles: &Api<ClusterRole>,
    (group, kind): (&str, &str),
    verbs: &[&str],
) -> anyhow::Result<ClusterRole> {
    let whole = roles.get("kyb-operator").await?;
    let mut role = whole.clone();
    let granted = role.rules.get_or_insert_default();
    for rule in granted.iter_mut() {
        rule.resources.iter_mut().for_each(|kinds| kinds.retain(|granted| granted != kind));
    }
    granted.push(serde_json::from_value(json!({"apiGroups": [group], "resources": [kind], "verbs": verbs}))?);
    let replaced = roles.replace("kyb-operator", &PostParams::default(), &role).await?;
    Ok(ClusterRole { metadata: replaced.metadata, ..whole })
}

/// Without its right to one kind the operator goes on with all others.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named() -> anyhow::Result<()> {
    let here = spare().await?;
    let _alone = ROLE.lock().await;
    here.region("conditions-7").await?;
    let roles: Api<ClusterRole> = Api::all(here.client.clone());
    let whole = with_only(&roles, LIMITS, &["get", "list", "watch"]).await?;
    let operator = here.installation.operator().await?;
    let write = Request::core("patch", "limitranges", "any").within("default");
    here.until("the right to be gone", || async { Ok(!write.goes_through(&operator).await?) }).await?;

    here.tenant("nova", "conditions-7", |_| ()).await?;
    let message = here.tenant_says("nova", "NamespacesReady", "Forbidden").await?;
    for part in ["LimitRange kyb-t-nova", "cannot patch resource", "upgrade the chart kyb-operator"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    for place in ["kyb-t-nova", "kyb-t-nova--lending"] {
        here.found::<ResourceQuota>(place, "kyb-tenant").await?;
        here.found::<NetworkPolicy>(place, "kyb-deny-all").await?;
    }
    here.found::<Secret>("kyb-t-nova", "kyb-key-default").await?;
    here.found::<ConfigMap>("kyb-conditions-7", "kyb-settings-tenant-nova").await?;
    roles.replace("kyb-operator", &PostParams::default(), &whole).await?;
    here.tenant_says("nova", "NamespacesReady", "Ready").await?;
    Ok(())
}

/// A status that could not be written is written as soon as it can be, though nothing else happens.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_can_not_be_written_follows_when_it_can() -> anyhow::Result<()> {
    let here = spare().await?;
    let _alone = ROLE.lock().await;
    // Without a region: whatever happens to the children of one has the policies beside it looked at again.
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kyb-conditions-9"}});
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    namespaces.create(&PostParams::default(), &serde_json::from_value(namespace)?).await?;
    let policies: Api<CachePolicy> = Api::namespaced(here.client.clone(), "kyb-conditions-9");
    let policy = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "own"},
        "spec": {"memory": {"maxEntries": 500}},
    });
    here.create_in::<CachePolicy>("kyb-conditions-9", policy).await?;
    let told_of = |generation| {
        let policies = &policies;
        move || async move {
            let status = policies.get("own").await?.status;
            Ok(status.and_then(|status| status.observed_generation) == Some(generation))
        }
    };
    here.until("the policy's status", told_of(1)).await?;

    let roles: Api<ClusterRole> = Api::all(here.client.clone());
    let whole = with_only(&roles, ("kyb.dev", "cachepolicies/status"), &["get"]).await?;
    let operator = here.installation.operator().await?;
    let write = Request::ours("patch", "cachepolicies/status", "own").within("kyb-conditions-9");
    here.until("the right to be gone", || async { Ok(!write.goes_through(&operator).await?) }).await?;
    let plane = &here.installation.plane;
    let mark = plane.audit_mark().await?;
    let more = Patch::Merge(json!({"spec": {"memory": {"maxEntries": 700}}}));
    policies.patch("own", &PatchParams::default(), &more).await?;
    let refused = || async {
        let events = plane.audited_since(mark).await?;
        let ours = events.iter().filter(|event| event.username() == OPERATOR && event.code() == 403);
        Ok(ours.filter(|event| event.resource() == "cachepolicies").count() > 0)
    };
    here.until("the operator to be refused", refused).await?;

    roles.replace("kyb-operator", &PostParams::default(), &whole).await?;
    here.until("the policy's status to follow", told_of(2)).await
}

/// What is no longer seen is not reported as if it were: the limits that somebody takes away do not come back, and the status says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_to_watch_that_is_taken_away_is_named() -> anyhow::Result<()> {
    let here = spare().await?;
    let _alone = ROLE.lock().await;
    here.region("conditions-8").await?;
    here.tenant("vega", "conditions-8", |_| ()).await?;
    here.tenant_says("vega", "NamespacesReady", "Ready").await?;
    let roles: Api<ClusterRole> = Api::all(here.client.clone());
    let whole = with_only(&roles, LIMITS, &["get", "create", "patch", "delete"]).await?;
    let operator: Api<LimitRange> = Api::all(here.installation.operator().await?);
    let list = ListParams::default();
    here.until("the right to be gone", || async { Ok(operator.list(&list).await.is_err()) }).await?;
    here.installation.cuts.cut();

    let conditions = || async {
        let tenant = Api::<KybTenant>::all(here.client.clone()).get("vega").await?;
        anyhow::Ok(tenant.status.unwrap_or_default().conditions)
    };
    let blind = || async {
        let conditions = conditions().await?;
        let says = |kind: &str| {
            let told = [
                "the kind LimitRange can no longer be watched",
                "cannot watch resource",
                "upgrade the chart",
            ];
            let mut of_kind = conditions.iter().filter(|condition| condition.type_ == kind);
            of_kind.any(|one| one.status == "False" && told.iter().all(|part| one.message.contains(part)))
        };
        Ok(says("Observed") && says("Ready"))
    };
    here.until("the tenant to say that its limits are not seen", blind).await?;

    roles.replace("kyb-operator", &PostParams::default(), &whole).await?;
    let limits: Api<LimitRange> = Api::namespaced(here.client.clone(), "kyb-t-vega");
    limits.delete("kyb-tenant", &DeleteParams::default()).await?;
    let seen = || async { Ok(!conditions().await?.iter().any(|condition| condition.type_ == "Observed")) };
    here.until("the tenant to be seen again", seen).await?;
    here.found::<LimitRange>("kyb-t-vega", "kyb-tenant").await?;
    Ok(())
}

/// The rules themselves are tested beside the types; this is what a person sees.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_shows_what_the_definitions_refuse() -> anyhow::Result<()> {
    let here = here().await?;
    let tenant = |id: &str| {
        json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "refused"},
            "spec": {
                "id": id, "displayName": " ", "plan": "starter",
                "placement": {"home": "a", "regions": ["b"], "residency": "US"},
            },
        })
    };
    let mut region = region_deployment("refused");
    region["metadata"]["namespace"] = "default".into();
    region["spec"]["environment"] = "production".into();
    region["spec"]["watchlists"][0]["url"] = "http://lists.example/".into();
    for (object, messages) in [
        (
            tenant("kube-x"),
            &[
                "id is reserved",
                "displayName must not be empty",
                "placement.home must be one of placement.regions",
            ][..],
        ),
        (tenant("a--b"), &["id must not contain `--`"]),
        (region, &["a production region reads watchlists over https only"]),
    ] {
        let mut file = tempfile::NamedTempFile::new()?;
        serde_json::to_writer(&mut file, &object)?;
        let path = file.path().display().to_string();
        let Err(why) = here.installation.kubectl(&["apply", "-f", &path]) else {
            panic!("accepted {object}")
        };
        let why = why.to_string();
        for message in messages {
            assert!(why.contains(message), "{message} is not in {why}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_of_one_id_are_told_apart_by_age() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-3").await?;
    here.tenant("iris", "conditions-3", |_| ()).await?;
    here.found::<Secret>("kyb-t-iris", "kyb-key-default").await?;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // ages are told in whole seconds
    let second: KybTenant = serde_json::from_value(json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "iris-again"},
        "spec": {"id": "iris", "displayName": "Acme", "plan": "starter", "placement": {"home": "conditions-3", "regions": ["conditions-3"], "residency": "US"}},
    }))?;
    Api::all(here.client.clone()).create(&PostParams::default(), &second).await?;
    let message = here.tenant_says("iris-again", "Ready", "DuplicateTenant").await?;
    assert!(message.contains("KybTenant iris "), "{message}");
    Ok(())
}
