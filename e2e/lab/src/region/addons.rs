//! What every region runs in pods of its own: a name server, metrics, and the class of volumes.

use super::plan::{REGIONS, RegionPlan};
use crate::{
    build::Binaries,
    command::{command, run},
    error::Result,
    files,
    images::AddonImages,
};

const STORAGE: &str = include_str!("../../manifests/storage.yaml");
const DNS: &str = include_str!("../../manifests/dns.yaml");
const METRICS: &str = include_str!("../../manifests/metrics.yaml");

/// Applies them; what is there already stays as it is.
pub(crate) async fn apply(region: &RegionPlan, binaries: &Binaries, images: &AddonImages) -> Result<()> {
    let path = region.folder().join("addons.yaml");
    files::write(&path, manifest(region, images)?, false)?;
    let kubeconfig = format!("--kubeconfig={}", region.kubeconfig().display());
    let file = format!("--filename={}", path.display());
    let words =
        [&kubeconfig, "apply", "--server-side", "--force-conflicts", "--field-manager=kyb-lab", &file];
    run("apply the region's own pods", command(binaries.path("kubectl"), words)).await.map(|_| ())
}

fn manifest(region: &RegionPlan, images: &AddonImages) -> Result<String> {
    let hosts = hosts(region)?;
    let values = [
        ("    {{hosts}}", hosts.as_str()),
        ("{{hosts-digest}}", &crate::cache::digest(&[&hosts])),
        ("{{dns-address}}", &region.dns_address()),
        ("{{coredns}}", &images.coredns.name),
        ("{{metrics-server}}", &images.metrics_server.name),
    ];
    let all = [STORAGE, DNS, METRICS].join("---\n");
    Ok(values.iter().fold(all, |text, (key, value)| text.replace(key, value)))
}

/// Every region that the lab could have, indented as the Corefile is.
fn hosts(region: &RegionPlan) -> Result<String> {
    let mut lines = vec![format!("            {} host.lab", region.lab.host_address())];
    for name in REGIONS {
        let other = region.lab.region(name)?;
        lines.push(format!("            {} {}", other.address(), other.lab_name()));
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::Value;

    use super::*;
    use crate::{
        images::Image,
        region::plan::{LabName, LabPlan},
    };

    #[test]
    fn the_manifest_is_yaml_without_open_places_and_every_image_is_ours() {
        let region = LabPlan { name: LabName::new("lab").unwrap(), number: 3 }.region("us-west-2").unwrap();
        let image = |name: &str| Image { name: format!("docker.io/lab/{name}:1"), archive: "/x".into() };
        let images = AddonImages {
            pause: image("pause"),
            tools: image("tools"),
            coredns: image("coredns"),
            metrics_server: image("metrics-server"),
        };
        let text = manifest(&region, &images).unwrap();
        assert!(!text.contains("{{"), "{text}");
        let objects: Vec<Value> =
            serde_yaml::Deserializer::from_str(&text).map(|part| Value::deserialize(part).unwrap()).collect();
        let named: Vec<_> = objects
            .iter()
            .filter(|object| object["kind"] == "Deployment")
            .map(|object| {
                object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(named, ["docker.io/lab/coredns:1", "docker.io/lab/metrics-server:1"]);
        let map = objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap();
        let corefile = map["data"]["Corefile"].as_str().unwrap();
        assert!(corefile.contains("\n        172.30.3.2 us-west-2.lab\n"), "{corefile}");
    }
}
