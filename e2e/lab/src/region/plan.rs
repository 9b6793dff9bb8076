//! Which regions there are, and their addresses. Pure.
//!
//! A *lab* is a set of up to three regions that reach one another over a bridge and nothing else. Several labs can run on one
//! machine: each has a name and a number, from which everything that must not clash is derived.

use std::path::PathBuf;

use crate::error::{LabError, Result};

/// The regions that a lab can have, in the order in which they are added.
pub const REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

/// How many labs fit on one machine.
pub(crate) const LABS: u8 = 16;

/// Where labs keep their state.
pub(crate) const STATE: &str = "/var/lib/kyb-lab";

/// The port of each region's API server.
pub(crate) const API_SERVER_PORT: u16 = 6443;

/// The name of a lab: part of the names of namespaces, folders and cgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabName(String);

impl LabName {
    /// At most 20 lower-case letters, digits and hyphens, beginning with a letter.
    pub fn new(name: &str) -> Result<Self> {
        let fits = name.len() <= 20 && name.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits && plain && !name.ends_with('-') {
            return Ok(Self(name.to_owned()));
        }
        Err(LabError::Region(format!(
            "{name:?} is no name for a lab: use at most 20 lower-case letters, digits and hyphens, a letter first"
        )))
    }

    /// Where this lab keeps its state.
    pub(crate) fn folder(&self) -> PathBuf {
        PathBuf::from(STATE).join(&self.0)
    }

    /// Held by whoever changes this lab. Beside its folder, which goes away.
    pub(crate) fn lock(&self) -> PathBuf {
        PathBuf::from(STATE).join(format!(".{self}.lock"))
    }

    /// The network namespace with the bridge that joins the regions.
    pub(crate) fn wan(&self) -> String {
        format!("{self}-wan")
    }

    /// The cgroup that holds all of its processes, in every hierarchy.
    pub(crate) fn cgroup(&self) -> String {
        format!("/kyb-lab/{self}")
    }
}

impl std::fmt::Display for LabName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A lab and its number, below [`LABS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabPlan {
    pub(crate) name: LabName,
    pub(crate) number: u8,
}

impl LabPlan {
    /// An address of the bridge's network, 172.30.`number`.0/24: 1 to 3 are the regions.
    fn address(&self, last: u8) -> String {
        format!("172.30.{}.{last}", self.number)
    }

    /// The bridge itself: the default route of the regions, which ends there.
    pub(crate) fn bridge_address(&self) -> String {
        self.address(254)
    }

    /// This machine, as the regions see it.
    pub(crate) fn host_address(&self) -> String {
        self.address(253)
    }

    /// This machine's end of its cable to the bridge.
    pub(crate) fn host_link(&self) -> String {
        format!("kyblab{}", self.number)
    }

    /// One of its regions.
    pub(crate) fn region(&self, name: &str) -> Result<RegionPlan> {
        let number =
            REGIONS.iter().position(|known| *known == name).and_then(|index| u8::try_from(index + 1).ok());
        let number = number.ok_or_else(|| {
            LabError::Region(format!("there is no region {name:?}: the lab knows {}", REGIONS.join(", ")))
        })?;
        Ok(RegionPlan { lab: self.clone(), name: name.to_owned(), number })
    }

    /// The first `count` regions.
    pub(crate) fn regions(&self, count: usize) -> Result<Vec<RegionPlan>> {
        if !(1..=REGIONS.len()).contains(&count) {
            return Err(LabError::Region(format!("a lab has 1 to {} regions, not {count}", REGIONS.len())));
        }
        REGIONS[..count].iter().map(|name| self.region(name)).collect()
    }
}

/// A region of a lab: one node with its own control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegionPlan {
    pub(crate) lab: LabPlan,
    pub(crate) name: String,
    /// 1 to 3.
    pub(crate) number: u8,
}

impl RegionPlan {
    pub(crate) fn address(&self) -> String {
        self.lab.address(self.number)
    }

    /// All addresses of pods, of which the one node gets the first /24.
    pub(crate) fn pod_range(&self) -> String {
        format!("10.{}0.0.0/16", self.number)
    }

    pub(crate) fn node_pod_range(&self) -> String {
        format!("10.{}0.0.0/24", self.number)
    }

    pub(crate) fn service_range(&self) -> String {
        format!("10.{}1.0.0/16", self.number)
    }

    /// The ClusterIP of the API server: always the first of the range.
    pub(crate) fn api_service_address(&self) -> String {
        format!("10.{}1.0.1", self.number)
    }

    pub(crate) fn dns_address(&self) -> String {
        format!("10.{}1.0.10", self.number)
    }

    pub(crate) fn namespace(&self) -> String {
        format!("{}-{}", self.lab.name, self.name)
    }

    pub(crate) fn cgroup(&self) -> String {
        format!("{}/{}", self.lab.name.cgroup(), self.name)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.lab.name.folder().join(&self.name)
    }

    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.folder().join("containerd/containerd.sock")
    }

    /// The kubeconfig for people on this machine.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfigs/admin")
    }

    /// The names and addresses that clients call the API server by.
    pub(crate) fn api_server_names(&self) -> Vec<String> {
        let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let mut all: Vec<String> = names.map(str::to_owned).into();
        all.extend([
            "kubernetes.default.svc.cluster.local".into(),
            self.address(),
            self.api_service_address(),
        ]);
        all.push(self.lab_name());
        all
    }

    /// What the regions' name servers call this region's node.
    pub(crate) fn lab_name(&self) -> String {
        format!("{}.lab", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_regions_share_a_range_an_address_or_a_name() {
        let mut seen = HashSet::new();
        for (name, number) in [("one", 0), ("two", 1)] {
            let lab = LabPlan { name: LabName::new(name).unwrap(), number };
            for region in lab.regions(3).unwrap() {
                for value in [
                    region.address(),
                    region.namespace(),
                    region.cgroup(),
                    region.folder().display().to_string(),
                ] {
                    assert!(seen.insert(value.clone()), "{value} twice");
                }
            }
        }
        let lab = LabPlan { name: LabName::new("one").unwrap(), number: 0 };
        let ranges: HashSet<_> = lab
            .regions(3)
            .unwrap()
            .iter()
            .flat_map(|region| [region.pod_range(), region.service_range()])
            .collect();
        assert_eq!(ranges.len(), 6);
    }

    #[test]
    fn names_of_links_fit_the_kernel() {
        let lab = LabPlan { name: LabName::new("one").unwrap(), number: LABS - 1 };
        let links = REGIONS.iter().map(|name| (*name).to_owned()).chain([lab.host_link()]);
        assert!(links.clone().all(|link| link.len() <= 15), "{:?}", links.collect::<Vec<_>>());
    }

    #[test]
    fn odd_names_and_numbers_are_refused() {
        for name in ["", "1st", "-a", "a-", "A", "a/b", "a name", "a.b", "abcdefghijklmnopqrstu"] {
            assert!(LabName::new(name).is_err(), "{name}");
        }
        let lab = LabPlan { name: LabName::new("a").unwrap(), number: 0 };
        assert!(lab.regions(0).is_err() && lab.regions(4).is_err() && lab.region("mars").is_err());
    }
}
