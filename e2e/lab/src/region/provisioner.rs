//! Gives claims of the class `standard` a folder of the region.
//!
//! Everybody may write into it: pods run as whatever user their image says. (Kubernetes's own provisioner for host paths makes
//! folders that only root can write.) It watches claims and volumes; each event is handled by itself and may come again.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::json;

use crate::{
    error::{LabError, Result},
    files, kubeconfig,
};

/// The class in `manifests/storage.yaml`, and who provides it.
const CLASS: &str = "standard";
const PROVISIONER: &str = "lab.kyb.dev/folders";

/// Where a volume says who made it.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// Runs until killed.
pub async fn run(kubeconfig: &Path, folders: &Path) -> Result<()> {
    let client = kubeconfig::client(kubeconfig).await?;
    let provisioner = Provisioner { client: client.clone(), folders: folders.to_owned() };
    let claims = watcher(Api::<PersistentVolumeClaim>::all(client.clone()), watcher::Config::default());
    let volumes = watcher(Api::<PersistentVolume>::all(client), watcher::Config::default());
    let claims = claims.default_backoff().applied_objects().for_each(async |claim| match claim {
        Ok(claim) => complain(provisioner.provide(&claim).await),
        Err(error) => eprintln!("watching claims: {error}"),
    });
    let volumes = volumes.default_backoff().applied_objects().for_each(async |volume| match volume {
        Ok(volume) => complain(provisioner.take_back(&volume).await),
        Err(error) => eprintln!("watching volumes: {error}"),
    });
    Box::pin(futures::future::join(claims, volumes)).await;
    Ok(())
}

fn complain(result: Result<()>) {
    if let Err(error) = result {
        eprintln!("{error}");
    }
}

struct Provisioner {
    client: Client,
    folders: PathBuf,
}

impl Provisioner {
    async fn provide(&self, claim: &PersistentVolumeClaim) -> Result<()> {
        let Some(name) = wanted_volume(claim) else { return Ok(()) };
        let folder = self.folders.join(&name);
        files::make_folder(&folder)?;
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&folder, everybody).map_err(LabError::file("open", &folder))?;
        let volume = volume(&name, claim, &folder)?;
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        match volumes.create(&PostParams::default(), &volume).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            other => other.map(|_| ()).map_err(LabError::api(format!("make the volume {name}"))),
        }
    }

    /// A volume whose claim is gone: its data goes first, so that a run that is killed in between does it again.
    async fn take_back(&self, volume: &PersistentVolume) -> Result<()> {
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
        let ours = volume.annotations().get(PROVISIONED_BY).is_some_and(|by| by == PROVISIONER);
        let name = volume.name_any();
        if !ours || phase != Some("Released") || volume.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        files::remove_folder(&self.folders.join(&name))?;
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        volumes
            .delete(&name, &DeleteParams::default())
            .await
            .map_err(LabError::api(format!("delete the volume {name}")))?;
        Ok(())
    }
}

/// The name of the volume that a claim waits for, if it waits for one of ours.
fn wanted_volume(claim: &PersistentVolumeClaim) -> Option<String> {
    let spec = claim.spec.as_ref()?;
    let waits = spec.volume_name.as_deref().unwrap_or_default().is_empty()
        && claim.metadata.deletion_timestamp.is_none();
    (waits && spec.storage_class_name.as_deref() == Some(CLASS))
        .then(|| format!("pvc-{}", claim.uid().unwrap_or_default()))
}

fn volume(name: &str, claim: &PersistentVolumeClaim, folder: &Path) -> Result<PersistentVolume> {
    let spec = claim.spec.as_ref();
    let size =
        spec.and_then(|spec| spec.resources.as_ref()).and_then(|resources| resources.requests.as_ref());
    let value = json!({
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": size,
            "accessModes": spec.and_then(|spec| spec.access_modes.as_ref()),
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "hostPath": {"path": folder, "type": "Directory"},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace(), "name": claim.name_any(), "uid": claim.uid(),
            },
        },
    });
    serde_json::from_value(value)
        .map_err(|error| LabError::Garbled { what: "a claim".into(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(class: &str, volume: Option<&str>) -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": {"name": "data", "namespace": "a", "uid": "1-2"},
            "spec": {"storageClassName": class, "volumeName": volume, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }))
        .unwrap()
    }

    #[test]
    fn only_claims_of_our_class_without_a_volume_get_one() {
        assert_eq!(wanted_volume(&claim("standard", None)), Some("pvc-1-2".into()));
        assert_eq!(wanted_volume(&claim("standard", Some("taken"))), None);
        assert_eq!(wanted_volume(&claim("other", None)), None);
    }

    #[test]
    fn a_volume_is_bound_to_its_claim_alone() {
        let made =
            serde_json::to_value(volume("pvc-1-2", &claim("standard", None), Path::new("/f")).unwrap())
                .unwrap();
        assert_eq!(made["spec"]["claimRef"]["uid"], "1-2");
        assert_eq!(made["spec"]["capacity"]["storage"], "1Gi");
    }
}
