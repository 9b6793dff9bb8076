//! What there is of a lab on this machine, looked for in other ways than those by which it is removed: so a test can tell that
//! nothing is left.

use std::path::{Path, PathBuf};

use super::plan::LabName;
use crate::{error::Result, files, machine::network};

/// Processes, mounts, namespaces, cgroups and folders, each in words.
pub(super) fn of(lab: &LabName) -> Result<Vec<String>> {
    let folder = format!("{}/", lab.folder().display());
    let namespace = format!("{}/{lab}-", network::NAMESPACES);
    let mounts = files::read_if_any(Path::new("/proc/self/mountinfo"))?.unwrap_or_default();
    let mounts = mounts.lines().filter(|line| line.contains(&folder) || line.contains(&namespace));
    let groups = entries("/sys/fs/cgroup").map(|hierarchy| hierarchy.join(&lab.cgroup()[1..]));
    let namespaces =
        entries(network::NAMESPACES).filter(|path| path.display().to_string().starts_with(&namespace));
    let files = groups.chain(namespaces).chain([lab.folder()]).filter(|path| path.exists());
    let processes = entries("/proc").filter_map(|process| process_of(&process, &folder, &lab.cgroup()));
    Ok(processes
        .chain(mounts.map(|line| format!("mount {line}")))
        .chain(files.map(|path| path.display().to_string()))
        .collect())
}

/// A process that names the lab's folder or is in its cgroup, and has not ended.
fn process_of(process: &Path, folder: &str, cgroup: &str) -> Option<String> {
    let read = |file: &str| std::fs::read(process.join(file)).ok();
    let line = String::from_utf8_lossy(&read("cmdline")?).replace('\0', " ");
    let groups = String::from_utf8_lossy(&read("cgroup")?).into_owned();
    // One that only waits for its parent to take notice holds nothing any more.
    let ended = String::from_utf8_lossy(&read("stat")?).contains(") Z ");
    let ours = line.contains(folder) || groups.contains(&format!("{cgroup}/"));
    (ours && !ended).then(|| format!("process {} {line}", process.display()))
}

fn entries(folder: &str) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
