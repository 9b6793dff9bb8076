//! Whole regions with pods: a network namespace, a control plane, containerd and a node each, joined by a bridge.
//!
//! [`Lab::up`] makes what is missing and leaves what is there; it can be killed at any moment and run again. [`Lab::down`] removes
//! everything, whatever state it finds. Both need root.
//!
//! | module | what |
//! |---|---|
//! | `plan` | names and addresses, pure |
//! | `up` | in which order a region comes up |
//! | `node` | containerd, kubelet, kube-proxy and their settings |
//! | `addons` | name server, metrics and the class of volumes |
//! | `provisioner` | folders for claims |
//! | `down` | how everything is found again and removed |
//! | `status` | what runs |
//! | `traces` | what is left, for tests |

mod addons;
mod down;
mod node;
pub(crate) mod plan;
mod provisioner;
mod status;
mod traces;
mod up;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

pub use plan::{LabName, REGIONS};
pub use provisioner::run as provision;
pub use status::RegionStatus;

use crate::{
    command::{command, run},
    error::{LabError, Result},
    files,
    machine::{network, packages, require_root},
    region::plan::{LABS, LabPlan, RegionPlan},
    steps::Steps,
};

/// Up to three regions that reach one another.
#[derive(Debug, Clone)]
pub struct Lab {
    name: LabName,
}

impl Lab {
    /// A lab of this name, whether it is there or not.
    pub fn new(name: LabName) -> Self {
        Self { name }
    }

    /// Makes the first `regions` regions (1 to 3) and waits until each has a Ready node and a name server. `program` is the
    /// program `kyb-lab`, which stays behind as each region's provisioner of volumes.
    pub async fn up(&self, regions: usize, program: &Path) -> Result<()> {
        require_root()?;
        packages::require()?;
        let steps = Steps::begin();
        let parts = steps.step("lab", "programs and images are there", up::parts(program)).await?;
        let _lock = self.lock("changes this lab")?;
        let plan = claim(&self.name)?;
        let regions = plan.regions(regions)?;
        steps.step("lab", "network between the regions", network::ensure_wan(&plan)).await?;
        futures::future::try_join_all(regions.iter().map(|region| up::up(region, &parts, steps))).await?;
        Ok(())
    }

    /// Removes everything that [`Lab::up`] made, also where that was killed half-way. Nothing there is no error.
    pub async fn down(&self) -> Result<()> {
        require_root()?;
        let _lock = self.lock("changes this lab")?;
        down::down(&self.name, Steps::begin()).await
    }

    /// What each region that was made is doing.
    pub async fn status(&self) -> Result<Vec<RegionStatus>> {
        let mut all = vec![];
        for region in self.regions()? {
            all.push(status::of(&region).await);
        }
        Ok(all)
    }

    /// Everything on this machine that belongs to the lab, each in words: processes, mounts, namespaces, cgroups, folders. Empty
    /// after [`Lab::down`].
    pub fn traces(&self) -> Result<Vec<String>> {
        traces::of(&self.name)
    }

    /// The kubeconfig of a region, for this machine: its administrator.
    pub fn kubeconfig(&self, region: &str) -> Result<PathBuf> {
        Ok(self.region(region)?.kubeconfig())
    }

    /// The address of a region's node, for NodePorts.
    pub fn address(&self, region: &str) -> Result<String> {
        Ok(self.region(region)?.address())
    }

    /// Imports an archive of images into every region that does not have it yet; whether any had not.
    pub async fn load(&self, archive: &Path) -> Result<bool> {
        let regions = self.regions()?;
        let loads = regions.iter().map(|region| up::import_once(region, archive));
        Ok(futures::future::try_join_all(loads).await?.contains(&true))
    }

    /// Cuts a region off: from everything, this machine included, or from one other region.
    pub async fn cut(&self, region: &str, from: Option<&str>) -> Result<()> {
        let region = self.region(region)?;
        match from {
            None => network::set_connected(&region, false).await,
            Some(other) => network::cut_from(&region, &self.region(other)?).await,
        }
    }

    /// Undoes every cut of a region.
    pub async fn mend(&self, region: &str) -> Result<()> {
        let region = self.region(region)?;
        network::mend(&region).await?;
        network::set_connected(&region, true).await
    }

    /// A program that runs in a region's network, where it reaches the region even when that is cut off.
    pub fn inside(&self, region: &str, program: &str) -> Result<std::process::Command> {
        let path = network::namespace_path(&self.region(region)?.namespace());
        let mut namespace = OsString::from("--net=");
        namespace.push(path);
        let mut command = std::process::Command::new("nsenter");
        command.arg(namespace).arg("--").arg(program);
        Ok(command)
    }

    fn region(&self, name: &str) -> Result<RegionPlan> {
        let region = self.plan()?.region(name)?;
        if region.folder().is_dir() {
            return Ok(region);
        }
        Err(LabError::Region(format!("the region {name} is not up: kyb-lab up --regions 3")))
    }

    fn regions(&self) -> Result<Vec<RegionPlan>> {
        let Ok(plan) = self.plan() else { return Ok(vec![]) };
        let all = plan.regions(REGIONS.len())?;
        Ok(all.into_iter().filter(|region| region.folder().is_dir()).collect())
    }

    fn plan(&self) -> Result<LabPlan> {
        let number = number_of(&self.name)?;
        let number =
            number.ok_or_else(|| LabError::Region(format!("the lab {} is not up: kyb-lab up", self.name)))?;
        Ok(LabPlan { name: self.name.clone(), number })
    }

    fn lock(&self, meanwhile: &str) -> Result<std::fs::File> {
        let path = self.name.lock();
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        files::lock(&path, meanwhile)
    }
}

/// The number of a lab, which it is given when it first comes up.
fn claim(name: &LabName) -> Result<LabPlan> {
    let labs = all_labs()?;
    if let Some(number) = number_of(name)? {
        return Ok(LabPlan { name: name.clone(), number });
    }
    let number = (0..LABS).find(|number| !labs.taken.contains(number));
    let number = number.ok_or_else(|| {
        LabError::Region(format!("there are {LABS} labs already; take one down: kyb-lab down"))
    })?;
    files::write(&number_file(name), number.to_string(), false)?;
    Ok(LabPlan { name: name.clone(), number })
}

/// The numbers of all labs. For as long as this lives, none is given.
struct AllLabs {
    taken: Vec<u8>,
    _lock: std::fs::File,
}

fn all_labs() -> Result<AllLabs> {
    let folder = Path::new(plan::STATE);
    let lock = files::lock(&folder.join(".lock"), "starts or removes a lab")?;
    let entries = std::fs::read_dir(folder).map_err(LabError::file("read", folder))?;
    let labs = entries.flatten().filter_map(|entry| LabName::new(entry.file_name().to_str()?).ok());
    let taken = labs.filter_map(|lab| number_of(&lab).ok().flatten()).collect();
    Ok(AllLabs { taken, _lock: lock })
}

fn number_of(name: &LabName) -> Result<Option<u8>> {
    let Some(text) = files::read_if_any(&number_file(name))? else { return Ok(None) };
    let number = text.trim().parse().map_err(|error: std::num::ParseIntError| LabError::Garbled {
        what: number_file(name).display().to_string(),
        why: error.to_string(),
    })?;
    Ok(Some(number))
}

fn number_file(name: &LabName) -> PathBuf {
    name.folder().join("number")
}

/// containerd's own client.
async fn ctr(region: &RegionPlan, doing: &str, arguments: &[&str]) -> Result<String> {
    let socket = region.containerd_socket().display().to_string();
    let words = ["--address", &socket, "--namespace", "k8s.io"].into_iter().chain(arguments.iter().copied());
    run(doing, command("ctr", words)).await
}
