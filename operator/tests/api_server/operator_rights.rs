//! What the operator's own token can and can not do: where Secrets lie that are none of its business, and where it could make
//! itself a way to them.

use k8s_openapi::api::{
    core::v1::{Namespace, Secret},
    rbac::v1::{ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    installation::{ACCOUNT, SYSTEM, here, spare},
    policies::{self, CONFINEMENT, NAMESPACES, refusal, refused_by},
    requests::{Request, role_binding},
};

/// Everything that would show Secrets that are none of the operator's business.
const SECRETS: [Request; 13] = [
    Request::core("list", "secrets", ""),
    Request::core("watch", "secrets", ""),
    Request::core("list", "secrets", "").within("kube-system"),
    Request::core("watch", "secrets", "").within("kube-system"),
    Request::core("get", "secrets", "any").within("kube-system"),
    Request::core("list", "secrets", "").within("default"),
    Request::core("get", "secrets", "any").within("default"),
    Request::core("patch", "secrets", "any").within("default"),
    Request::core("delete", "secrets", "any").within("default"),
    Request::core("list", "secrets", "").within(SYSTEM),
    Request::core("get", "secrets", "kyb-root-key").within(SYSTEM),
    // In a tenant's namespaces it gets what it knows by name, and never looks what else is there.
    Request::core("list", "secrets", "").within("kyb-t-juno"),
    Request::core("get", "secrets", "any").within("kyb-t-juno--lending"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_no_secret_but_those_it_looks_after() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("rights-1").await?;
    here.tenant("juno", "rights-1", |_| ()).await?;
    here.found::<Secret>("kyb-t-juno", "kyb-key-default").await?;
    let operator = here.installation.operator().await?;
    for request in SECRETS {
        assert!(!request.is_allowed(&operator).await?, "{request:?}");
        // Refused for who asks, not for how.
        assert!(request.is_allowed(&here.client).await?, "{request:?}");
    }
    let own = Request::core("get", "secrets", "kyb-key-default").within("kyb-t-juno");
    assert!(own.is_allowed(&operator).await?);
    Ok(())
}

/// Binds one of the roles that the operator may bind to the operator itself.
async fn bind(client: &Client, namespace: &str, role: &str) -> kube::Result<RoleBinding> {
    let subject = json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM});
    let binding = serde_json::from_value(role_binding("a-way-in", role, &subject));
    let binding: RoleBinding = binding.map_err(kube::Error::SerdeError)?;
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &binding).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_binds_no_role_where_nobody_let_it_in() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("strangers-place", json!({"team": "theirs"})).await?;
    let operator = here.installation.operator().await?;
    for namespace in ["kube-system", "default", SYSTEM, "strangers-place"] {
        for role in kyb_operator::roles::all() {
            let Err(why) = bind(&operator, namespace, role).await else {
                panic!("bound {role} in {namespace}");
            };
            assert!(refused_by(&why, CONFINEMENT), "{why}");
            let message = format!("{why}");
            assert!(message.contains(namespace) && message.contains("label it kyb.dev/region="), "{message}");
        }
    }
    Ok(())
}

/// The twin: by RBAC alone it could, and then it would read what lies there.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_confinement_it_would_read_the_secrets_of_kube_system() -> anyhow::Result<()> {
    let here = spare().await?;
    let operator = here.installation.operator().await?;
    let secrets = Request::core("list", "secrets", "").within("kube-system");
    assert!(!secrets.is_allowed(&operator).await?);
    policies::unbind(&here.client, CONFINEMENT, async || {
        policies::tries_a_config_map(&operator, "kube-system").await
    })
    .await?;
    bind(&operator, "kube-system", "kyb-tenant-system-admin").await?;
    here.until("the way in to be open", || secrets.goes_through(&operator)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_makes_nobody_an_administrator() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("rights-2").await?;
    let operator = here.installation.operator().await?;
    for (namespace, role) in
        [("kyb-rights-2", "cluster-admin"), ("kyb-rights-2", "admin"), ("kube-system", "cluster-admin")]
    {
        let Err(why) = bind(&operator, namespace, role).await else {
            panic!("bound {role} in {namespace}");
        };
        let message = refusal(&why).map(|status| status.message.as_str()).unwrap_or_default();
        assert!(message.contains("attempting to grant RBAC permissions not currently held"), "{why}");
    }
    let subject = json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM});
    let everywhere: ClusterRoleBinding =
        serde_json::from_value(role_binding("a-way-in", "kyb-tenant-system-admin", &subject))?;
    let bound = Api::all(operator.clone()).create(&PostParams::default(), &everywhere).await;
    assert!(matches!(&bound, Err(why) if refusal(why).is_some()), "{bound:?}");
    // The control: where it belongs, and of what it may bind, the same request is granted.
    bind(&operator, "kyb-rights-2", "kyb-settings-reader").await?;
    Ok(())
}

async fn label(client: &Client, namespace: &str) -> kube::Result<Namespace> {
    let ours = json!({"metadata": {"labels": {"kyb.dev/tenant": "ours", "kyb.dev/owner-uid": "ours"}}});
    Api::all(client.clone()).patch(namespace, &PatchParams::default(), &Patch::Merge(ours)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_neither_labels_nor_deletes_a_namespace_that_it_did_not_make() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("rights-3").await?;
    here.namespace("kyb-t-theirs", json!({"team": "theirs"})).await?;
    let operator = here.installation.operator().await?;
    let namespaces: Api<Namespace> = Api::all(operator.clone());
    for namespace in ["kube-system", "default", "kyb-rights-3", "kyb-t-theirs"] {
        let labelled = label(&operator, namespace).await;
        assert!(matches!(&labelled, Err(why) if refused_by(why, NAMESPACES)), "{labelled:?}");
        let deleted = namespaces.delete(namespace, &DeleteParams::default()).await;
        assert!(matches!(&deleted, Err(why) if refusal(why).is_some()), "{deleted:?}");
    }
    let made: Namespace = serde_json::from_value(
        json!({"metadata": {"name": "elsewhere", "labels": {"kyb.dev/tenant": "ours"}}}),
    )?;
    let made = namespaces.create(&PostParams::default(), &made).await;
    assert!(matches!(&made, Err(why) if refused_by(why, NAMESPACES)), "{made:?}");
    Ok(())
}

/// The twin: by RBAC alone it could label any namespace, and so pass the other policy.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_second_policy_it_would_let_itself_in_anywhere() -> anyhow::Result<()> {
    let here = spare().await?;
    here.namespace("strangers-place", json!({"team": "theirs"})).await?;
    let operator = here.installation.operator().await?;
    assert!(label(&operator, "strangers-place").await.is_err());
    policies::unbind(&here.client, NAMESPACES, async || label(&operator, "strangers-place").await.map(drop))
        .await?;
    here.until("the label to be seen", || async {
        Ok(bind(&operator, "strangers-place", "kyb-tenant-system-admin").await.is_ok())
    })
    .await?;
    let secrets = Request::core("list", "secrets", "").within("strangers-place");
    here.until("the way in to be open", || secrets.goes_through(&operator)).await
}
