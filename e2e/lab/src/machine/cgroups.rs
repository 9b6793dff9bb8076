//! Control groups, of which each region has one in every hierarchy: kubelet puts its pods below it, and it finds every process of
//! a region, whoever started it and whoever has died since.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use super::kill;
use crate::{
    error::{LabError, Result},
    files,
    waiting::until,
};

/// Where hierarchies are mounted.
const MOUNTED: &str = "/sys/fs/cgroup";

/// The hierarchy that our own processes are put into; they stay in the others where they are.
const PROCESSES: &str = "pids";

/// How long processes and folders may take to go away.
const GONE_AT_MOST: Duration = Duration::from_mins(1);

/// Makes a cgroup in every hierarchy. A new one may run on no processor until it is told on which.
pub(crate) fn ensure(cgroup: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        let mut folder = hierarchy;
        for part in cgroup.trim_matches('/').split('/') {
            let parent = folder.clone();
            folder.push(part);
            files::make_folder(&folder)?;
            inherit_processors(&parent, &folder)?;
        }
    }
    Ok(())
}

/// Makes a cgroup for processes of our own and returns its `cgroup.procs`.
pub(crate) fn ensure_for_processes(cgroup: &str) -> Result<PathBuf> {
    let procs = procs(cgroup);
    if let Some(folder) = procs.parent() {
        files::make_folder(folder)?;
    }
    Ok(procs)
}

/// The `cgroup.procs` of a cgroup for processes of our own.
pub(crate) fn procs(cgroup: &str) -> PathBuf {
    in_hierarchy(&Path::new(MOUNTED).join(PROCESSES), cgroup).join("cgroup.procs")
}

/// The processes directly in a cgroup.
pub(crate) fn processes_in(procs: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(procs).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Kills every process below a cgroup, and waits until there is none.
pub(crate) async fn kill_all(cgroup: &str) -> Result<()> {
    until("the end of a region's processes", GONE_AT_MOST, async || {
        let left = processes_below(cgroup)?;
        left.iter().copied().for_each(kill);
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("processes {left:?}")) })
    })
    .await
}

/// Every process below a cgroup, in whatever hierarchy.
pub(crate) fn processes_below(cgroup: &str) -> Result<Vec<i32>> {
    let folders = hierarchies()?.into_iter().flat_map(|hierarchy| below(&in_hierarchy(&hierarchy, cgroup)));
    let mut found: Vec<i32> = folders.flat_map(|folder| processes_in(&folder.join("cgroup.procs"))).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Removes a cgroup with all below it from every hierarchy.
pub(crate) async fn remove(cgroup: &str) -> Result<()> {
    until("the end of a region's cgroups", GONE_AT_MOST, async || {
        let mut last = Ok(());
        for hierarchy in hierarchies()? {
            // Leaves first: a cgroup with another one in it can't be removed.
            for folder in below(&in_hierarchy(&hierarchy, cgroup)).into_iter().rev() {
                match std::fs::remove_dir(&folder) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        last = Err(format!("{}: {error}", folder.display()));
                    }
                    _ => {}
                }
            }
        }
        Ok(last)
    })
    .await
}

/// Removes a cgroup that others may still use, if it is empty.
pub(crate) fn remove_if_empty(cgroup: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        let _ = std::fs::remove_dir(in_hierarchy(&hierarchy, cgroup));
    }
    Ok(())
}

fn in_hierarchy(hierarchy: &Path, cgroup: &str) -> PathBuf {
    hierarchy.join(cgroup.trim_start_matches('/'))
}

/// A folder and all folders below it, each after the one that it is in.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = if folder.is_dir() { vec![folder.to_owned()] } else { vec![] };
    let mut next = 0;
    while let Some(folder) = found.get(next).cloned() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        found.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
        next += 1;
    }
    found
}

fn hierarchies() -> Result<Vec<PathBuf>> {
    let mounts = std::fs::read_to_string("/proc/mounts").map_err(LabError::file("read", "/proc/mounts"))?;
    let is_cgroup = |kind: &str| kind == "cgroup" || kind == "cgroup2";
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    Ok(fields
        .filter(|(place, kind)| is_cgroup(kind) && place.starts_with(MOUNTED))
        .map(|(place, _)| place.into())
        .collect())
}

fn inherit_processors(parent: &Path, folder: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let Some(value) = files::read_if_any(&parent.join(file))? else { continue };
        let own = files::read_if_any(&folder.join(file))?.unwrap_or_default();
        if own.trim().is_empty() {
            let path = folder.join(file);
            std::fs::write(&path, value.trim()).map_err(LabError::file("write", path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_after_what_they_are_in() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b/c")).unwrap();
        std::fs::create_dir_all(root.path().join("d")).unwrap();
        let found = below(root.path());
        assert_eq!(found.len(), 5);
        for (index, folder) in found.iter().enumerate().skip(1) {
            assert!(found[..index].contains(&folder.parent().unwrap().to_owned()));
        }
        assert!(below(&root.path().join("missing")).is_empty());
    }
}
