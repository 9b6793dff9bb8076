//! What is there, with what the files change.

use std::fmt::Debug;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, PostParams},
    core::{NamespaceResourceScope, cel::Validator},
    runtime::{reflector, reflector::Store, watcher::Event},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, names};
use kyb_kit::{Live, compare::differences, objects_in};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ManifestError, PlanError, manifests::Manifests};
use crate::{
    context::{Stores, TENANT_MARKS},
    scope::{self, Scope},
};

/// Everything that the operator looks at.
#[derive(Default)]
pub(super) struct World {
    pub(super) tenants: Vec<KybTenant>,
    pub(super) regions: Vec<RegionDeployment>,
    policies: Vec<CachePolicy>,
    namespaces: Vec<Namespace>,
    pods: Vec<Pod>,
    children: Vec<(ApiResource, Vec<DynamicObject>)>,
}

impl World {
    /// What the cluster has, as far as an operator of this scope looks.
    pub(super) async fn of_cluster(client: &Client, scope: &Scope) -> Result<Self, PlanError> {
        let part_of = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
        let (all, ours) = (ListParams::default(), ListParams::default().labels(&part_of));
        let mut world =
            Self { tenants: listed(&Api::all(client.clone()), &all, "KybTenant").await?, ..Self::default() };
        for place in scope.places() {
            for resource in scope.child_kinds() {
                let api = objects_in(client, place.as_deref(), &resource);
                let found = listed(&api, &ours, &resource.kind).await?;
                world.children.push((resource, found));
            }
            let place = place.as_deref();
            world.regions.extend(listed(&scope::api(client, place), &all, "RegionDeployment").await?);
            world.policies.extend(listed(&scope::api(client, place), &all, "CachePolicy").await?);
            world.pods.extend(listed(&scope::api(client, place), &ours, "Pod").await?);
            let which =
                place.map_or(all.clone(), |name| all.clone().fields(&format!("metadata.name={name}")));
            world.namespaces.extend(listed(&Api::all(client.clone()), &which, "Namespace").await?);
        }
        Ok(world)
    }

    /// Leaves out what an operator of this scope does not look at, and names it.
    pub(super) fn confine(&mut self, scope: &Scope) -> Vec<String> {
        let mut beyond = Vec::new();
        keep_within(scope, &mut self.regions, &mut beyond);
        keep_within(scope, &mut self.policies, &mut beyond);
        beyond
    }

    /// Tries the files' objects, and takes in what would become of them. What the server would refuse stays as it is; the
    /// rehearsal has the refusal.
    pub(super) async fn submit(&mut self, manifests: &Manifests, client: &Client) -> Result<(), PlanError> {
        for manifest in &manifests.ours {
            let namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
            let namespace = namespace.unwrap_or(client.default_namespace());
            match manifest["kind"].as_str() {
                Some("Namespace") => {
                    submit(&Api::all(client.clone()), &mut self.namespaces, manifest).await?;
                }
                Some("CachePolicy") => {
                    submit(&within(client, namespace), &mut self.policies, manifest).await?;
                }
                Some("RegionDeployment") => {
                    submit(&within(client, namespace), &mut self.regions, manifest).await?;
                }
                _ => submit(&Api::all(client.clone()), &mut self.tenants, manifest).await?,
            }
        }
        Ok(())
    }

    /// As the operator's watches would have it.
    pub(super) fn stores(&self, scope: &Scope) -> Stores {
        let is_seen = |namespace: &&Namespace| match scope {
            Scope::Cluster => namespace.labels().contains_key(names::REGION_LABEL),
            Scope::Namespaces(_) => scope.covers(&namespace.name_any()),
        };
        Stores {
            tenants: store(&self.tenants),
            regions: store(&self.regions),
            policies: store(&self.policies),
            pods: store(&self.pods),
            namespaces: store(&self.namespaces.iter().filter(is_seen).cloned().collect::<Vec<_>>()),
        }
    }

    /// The children, as the operator's watches would have them.
    pub(super) fn live(&self, scope: &Scope) -> Live {
        let live = Live::rehearsed(TENANT_MARKS);
        for (place, resource) in scope
            .places()
            .iter()
            .flat_map(|place| scope.child_kinds().into_iter().map(move |kind| (place, kind)))
        {
            let feed = |event| drop(live.feed_in(&resource, place.as_deref(), event));
            feed(Event::Init);
            let objects =
                self.children.iter().filter(|(kind, _)| *kind == resource).flat_map(|(_, objects)| objects);
            for object in objects.filter(|object| place.is_none() || object.namespace() == *place) {
                feed(Event::InitApply(object.clone()));
            }
            feed(Event::InitDone);
        }
        live
    }
}

fn keep_within<K: Resource<DynamicType = ()>>(scope: &Scope, objects: &mut Vec<K>, beyond: &mut Vec<String>) {
    objects.retain(|object| {
        let namespace = object.namespace().unwrap_or_default();
        let is_within = scope.covers(&namespace);
        if !is_within {
            beyond.push(format!("{} {} in {namespace}", K::kind(&()), object.name_any()));
        }
        is_within
    });
}

fn within<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(
    client: &Client,
    namespace: &str,
) -> Api<K> {
    Api::namespaced(client.clone(), namespace)
}

async fn listed<K: Clone + DeserializeOwned + Debug>(
    api: &Api<K>,
    which: &ListParams,
    kind: &str,
) -> Result<Vec<K>, PlanError> {
    /// A page of this many is some megabytes at most.
    const PAGE: u32 = 500;
    let mut found = Vec::new();
    let mut page = which.clone().limit(PAGE);
    loop {
        let list = match api.list(&page).await {
            Ok(list) => list,
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                return Err(PlanError::NotInstalled(kind.to_owned()));
            }
            Err(source) => return Err(PlanError::List { kind: kind.to_owned(), source: Box::new(source) }),
        };
        found.extend(list.items);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(found),
        }
    }
}

fn store<K>(objects: &[K]) -> Store<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&Event::Init);
    for object in objects {
        writer.apply_watcher_event(&Event::InitApply(object.clone()));
    }
    writer.apply_watcher_event(&Event::InitDone);
    store
}

/// Tries one object, and takes in what would become of it.
async fn submit<K>(api: &Api<K>, known: &mut Vec<K>, manifest: &Value) -> Result<(), PlanError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned,
{
    let wanted: K = typed(manifest)?;
    let failed =
        |source: kube::Error| PlanError::Submit { object: called(manifest), source: Box::new(source) };
    let there = api.get_opt(&wanted.name_any()).await.map_err(failed)?;
    let tried = match there {
        None => api.create(&PostParams::default(), &wanted).await,
        Some(there) => {
            api.replace(&wanted.name_any(), &PostParams::default(), &onto(&there, manifest)?).await
        }
    };
    let after = match tried {
        Ok(after) => after,
        Err(kube::Error::Api(_)) => return Ok(()), // refused, which the rehearsal has noted
        Err(other) => return Err(failed(other)),
    };
    let is_it = |other: &K| other.name_any() == after.name_any() && other.namespace() == after.namespace();
    known.retain(|other| !is_it(other));
    known.push(after);
    Ok(())
}

/// What is there, with the manifest's spec, labels and annotations. Nobody but whoever wrote the manifest writes specs of ours, so
/// what the manifest does not say is not wanted.
fn onto<K: Serialize + DeserializeOwned>(there: &K, manifest: &Value) -> Result<K, ManifestError> {
    let misfit =
        |why: serde_json::Error| ManifestError::Misfit { object: called(manifest), why: why.to_string() };
    let mut object = serde_json::to_value(there).map_err(misfit)?;
    if let Some(spec) = manifest.get("spec") {
        object["spec"] = spec.clone();
    }
    for map in ["labels", "annotations"] {
        for (name, value) in manifest["metadata"][map].as_object().into_iter().flatten() {
            object["metadata"][map][name] = value.clone();
        }
    }
    serde_json::from_value(object).map_err(misfit)
}

/// Checks the rules that the kind's definition brings along, which a server would check: those in CEL, not ranges and lengths.
pub(super) fn obeys_rules(manifest: &Value) -> Result<(), ManifestError> {
    let definitions = kyb_crds::definitions();
    let Some(definition) =
        definitions.iter().find(|definition| manifest["kind"] == *definition.spec.names.kind)
    else {
        return Ok(());
    };
    let schema = definition.spec.versions.first().and_then(|version| version.schema.as_ref());
    let schema = serde_json::to_value(schema.map(|schema| &schema.open_api_v3_schema)).unwrap_or_default();
    Validator::new()
        .validate(&schema, manifest, None)
        .map_err(|why| ManifestError::Misfit { object: called(manifest), why: why.to_string() })
}

/// The object as its kind; fields that the kind does not have are an error, as they are for kubectl.
fn typed<K: Serialize + DeserializeOwned>(manifest: &Value) -> Result<K, ManifestError> {
    let misfit = |why: String| ManifestError::Misfit { object: called(manifest), why };
    let typed: K = serde_json::from_value(manifest.clone()).map_err(|why| misfit(why.to_string()))?;
    let again = serde_json::to_value(&typed).map_err(|why| misfit(why.to_string()))?;
    let lost = differences(manifest, &again).into_iter().find(|lost| lost.found.is_none());
    match lost {
        None => Ok(typed),
        Some(lost) => {
            Err(misfit(format!("unknown field {}", lost.pointer.trim_start_matches('/').replace('/', "."))))
        }
    }
}

fn called(manifest: &Value) -> String {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

/// What the operator knows where these objects are all that there is.
#[cfg(test)]
pub(crate) fn known(objects: &[Value], scope: &Scope) -> (Live, Stores) {
    fn all<K: DeserializeOwned>(objects: &[Value], kind: &str) -> Vec<K> {
        let of_kind = objects.iter().filter(|object| object["kind"] == kind);
        of_kind.map(|object| serde_json::from_value(object.clone()).unwrap()).collect()
    }
    let children = scope.child_kinds().into_iter().map(|kind| {
        let found = all(objects, &kind.kind);
        (kind, found)
    });
    let world = World {
        tenants: all(objects, "KybTenant"),
        regions: all(objects, "RegionDeployment"),
        policies: all(objects, "CachePolicy"),
        namespaces: all(objects, "Namespace"),
        pods: all(objects, "Pod"),
        children: children.collect(),
    };
    (world.live(scope), world.stores(scope))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tenant() -> Value {
        json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "acme"},
            "spec": {
                "id": "acme", "displayName": "Acme", "plan": "starter", "contexts": [{"name": "lending"}],
                "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
            },
        })
    }

    #[test]
    fn a_field_that_the_kind_does_not_have_is_named() {
        assert!(typed::<KybTenant>(&tenant()).is_ok());
        let mut wrong = tenant();
        wrong["spec"]["contexts"][0]["nmae"] = "typo".into();
        let error = typed::<KybTenant>(&wrong).unwrap_err();
        assert_eq!(error.to_string(), "KybTenant acme: unknown field spec.contexts.0.nmae");
    }

    #[test]
    fn a_rule_that_is_broken_is_told_in_its_words() {
        assert!(obeys_rules(&tenant()).is_ok());
        let mut wrong = tenant();
        wrong["spec"]["placement"]["home"] = "eu-west-1".into();
        let error = obeys_rules(&wrong).unwrap_err().to_string();
        assert!(error.contains("placement.home must be one of placement.regions"), "{error}");
    }

    #[test]
    fn what_the_manifest_does_not_say_is_not_wanted_but_metadata_of_others_stays() {
        let mut there = tenant();
        there["metadata"]["annotations"] = json!({"of": "others"});
        there["spec"]["paused"] = true.into();
        let there: KybTenant = serde_json::from_value(there).unwrap();
        let mut manifest = tenant();
        manifest["metadata"]["labels"] = json!({"team": "one"});
        let after = onto(&there, &manifest).unwrap();
        assert_eq!(after.spec.paused, None);
        assert_eq!(after.annotations()["of"], "others");
        assert_eq!(after.labels()["team"], "one");
    }

    #[test]
    fn what_lies_beyond_the_scope_is_left_out_and_named() {
        let policy = |namespace: &str| -> CachePolicy {
            let object = json!({
                "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy",
                "metadata": {"name": "own", "namespace": namespace}, "spec": {},
            });
            serde_json::from_value(object).unwrap()
        };
        let world = || World { policies: vec![policy("one"), policy("two")], ..World::default() };
        let mut all = world();
        assert_eq!((all.confine(&Scope::Cluster), all.policies.len()), (vec![], 2));
        let mut some = world();
        let beyond = some.confine(&Scope::of(&["two".to_owned()]));
        assert_eq!(beyond, ["CachePolicy own in one"]);
        assert_eq!(some.policies, [policy("two")]);
    }
}
