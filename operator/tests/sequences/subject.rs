//! A live object that changes are made to, with what it needs around it.

use anyhow::{Context as _, bail};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, names};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{change::full_spec, hints, schema::Kind};

/// A live object. Nothing else has its name in its own name or in that of its namespace.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Taken,
    Refused(String),
}

impl Subject {
    fn resource(kind: Kind) -> ApiResource {
        match kind {
            Kind::KybTenant => ApiResource::erase::<KybTenant>(&()),
            Kind::RegionDeployment => ApiResource::erase::<RegionDeployment>(&()),
            Kind::CachePolicy => ApiResource::erase::<CachePolicy>(&()),
        }
    }

    /// The namespace of its region.
    pub(crate) fn namespace(&self) -> String {
        format!("kyb-{}", self.name)
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        self.api_of(self.kind, client)
    }

    fn api_of(&self, kind: Kind, client: &Client) -> Api<DynamicObject> {
        match kind {
            Kind::KybTenant => Api::all_with(client.clone(), &Self::resource(kind)),
            _ => Api::namespaced_with(client.clone(), &self.namespace(), &Self::resource(kind)),
        }
    }

    fn object_name(&self, kind: Kind) -> &str {
        if kind == Kind::CachePolicy { hints::POLICY } else { &self.name }
    }

    /// A spec with this object's identity in place of the typical one.
    pub(crate) fn own(&self, kind: Kind, spec: &Value) -> Value {
        let (field, typical) = match kind {
            Kind::KybTenant => ("id", "acme"),
            Kind::RegionDeployment => ("region", hints::HOME),
            Kind::CachePolicy => return spec.clone(),
        };
        let mut spec = spec.clone();
        if spec[field] == typical {
            spec[field] = json!(self.name);
        }
        spec
    }

    fn object(&self, kind: Kind, spec: &Value) -> anyhow::Result<DynamicObject> {
        Ok(serde_json::from_value(json!({
            "apiVersion": names::API_VERSION, "kind": kind.name(),
            "metadata": {"name": self.object_name(kind)}, "spec": self.own(kind, spec),
        }))?)
    }

    /// Makes it with this spec, and what it needs: a region its namespace and Secrets, and region and policy each other.
    pub(crate) async fn make(&self, client: &Client, spec: &Value) -> anyhow::Result<()> {
        self.make_bare(client, spec).await?;
        match self.kind {
            Kind::KybTenant => self.bring_a_key(client).await,
            Kind::RegionDeployment => {
                self.make_one(Kind::CachePolicy, client, &full_spec(Kind::CachePolicy)).await
            }
            Kind::CachePolicy => {
                self.make_one(Kind::RegionDeployment, client, &full_spec(Kind::RegionDeployment)).await
            }
        }
    }

    /// Makes it, and of what it needs only the place.
    pub(crate) async fn make_bare(&self, client: &Client, spec: &Value) -> anyhow::Result<()> {
        self.make_its_place(client).await?;
        self.make_one(self.kind, client, spec).await
    }

    async fn make_one(&self, kind: Kind, client: &Client, spec: &Value) -> anyhow::Result<()> {
        self.api_of(kind, client).create(&PostParams::default(), &self.object(kind, spec)?).await?;
        Ok(())
    }

    /// Makes the namespace of a region, with the Secret that regions name; a tenant has none of its own.
    pub(crate) async fn make_its_place(&self, client: &Client) -> anyhow::Result<()> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        if self.kind == Kind::KybTenant || namespaces.get_opt(&self.namespace()).await?.is_some() {
            return Ok(());
        }
        let labels = json!({names::REGION_LABEL: self.name});
        create(&namespaces, json!({"metadata": {"name": self.namespace(), "labels": labels}})).await?;
        let values: Value =
            hints::CREDENTIAL_KEYS.iter().map(|key| ((*key).to_owned(), json!("x"))).collect();
        let secret = json!({"metadata": {"name": hints::CREDENTIALS}, "stringData": values});
        let secrets: Api<Secret> = Api::namespaced(client.clone(), &self.namespace());
        Ok(create(&secrets, secret).await?)
    }

    /// Puts a key of the tenant's own into its namespace, once there is one.
    async fn bring_a_key(&self, client: &Client) -> anyhow::Result<()> {
        let namespace = names::tenant_namespace(&self.name);
        let text = format!("kyb_live_ownkey_{}", "a".repeat(43));
        let secret = json!({"metadata": {"name": hints::OWN_KEY.0}, "stringData": {hints::OWN_KEY.1: text}});
        let api: Api<Secret> = Api::namespaced(client.clone(), &namespace);
        for _ in 0..600 {
            match create(&api, secret.clone()).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => (),
                answer => return Ok(answer?),
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await; // between two looks for the namespace
        }
        bail!("{namespace} never came")
    }

    /// Has it want something else.
    pub(crate) async fn change(&self, client: &Client, spec: &Value) -> anyhow::Result<Answer> {
        let api = self.api(client);
        loop {
            let mut object = api.get(self.object_name(self.kind)).await?;
            object.data["spec"] = self.own(self.kind, spec);
            match api.replace(self.object_name(self.kind), &PostParams::default(), &object).await {
                Ok(_) => return Ok(Answer::Taken),
                Err(kube::Error::Api(status)) if status.code == 409 => (), // its status was written meanwhile
                Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                    return Ok(Answer::Refused(status.message.clone()));
                }
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Asks whether an object with this spec could be made.
    pub(crate) async fn could_be_made(&self, client: &Client, spec: &Value) -> anyhow::Result<Answer> {
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        match self.api(client).create(&dry, &self.object(self.kind, spec)?).await {
            Ok(_) => Ok(Answer::Taken),
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                Ok(Answer::Refused(status.message.clone()))
            }
            Err(why) => Err(why.into()),
        }
    }

    /// Changes it in a way that means nothing.
    pub(crate) async fn touch(&self, client: &Client) -> anyhow::Result<()> {
        let now = chrono::Utc::now().to_rfc3339();
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/looked-at": now}}}));
        let name = self.object_name(self.kind);
        self.api(client).patch(name, &PatchParams::default(), &patch).await.context(self.name.clone())?;
        Ok(())
    }

    /// As it is now.
    pub(crate) async fn read(&self, client: &Client) -> anyhow::Result<DynamicObject> {
        Ok(self.api(client).get(self.object_name(self.kind)).await?)
    }

    /// What owns the objects that follow from it: of a policy its region.
    pub(crate) async fn owner(&self, client: &Client) -> anyhow::Result<DynamicObject> {
        let kind = if self.kind == Kind::CachePolicy { Kind::RegionDeployment } else { self.kind };
        Ok(self.api_of(kind, client).get(self.object_name(kind)).await?)
    }

    /// Takes it away with all that is around it.
    pub(crate) async fn remove(&self, client: &Client) -> anyhow::Result<()> {
        if self.kind == Kind::KybTenant {
            let unheld = Patch::Merge(json!({"spec": {"deletion": null}}));
            self.api(client).patch(&self.name, &PatchParams::default(), &unheld).await?;
            self.api(client).delete(&self.name, &DeleteParams::background()).await?;
        } else {
            let namespaces: Api<Namespace> = Api::all(client.clone());
            namespaces.delete(&self.namespace(), &DeleteParams::background()).await?;
        }
        Ok(())
    }

    pub(crate) fn uid(object: &DynamicObject) -> String {
        object.uid().unwrap_or_default()
    }
}

async fn create<K>(api: &Api<K>, object: Value) -> kube::Result<()>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    api.create(&PostParams::default(), &object).await.map(drop)
}
