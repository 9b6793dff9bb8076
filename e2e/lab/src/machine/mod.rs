//! What a region takes of the machine: network namespaces, cgroups, mounts, processes, packages.

pub(crate) mod cgroups;
pub(crate) mod daemon;
pub(crate) mod mounts;
pub(crate) mod network;
pub(crate) mod packages;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::error::{LabError, Result};

/// Fails unless this process is root's.
pub(crate) fn require_root() -> Result<()> {
    if geteuid().is_root() { Ok(()) } else { Err(LabError::NotRoot) }
}

/// Kills a process at once; one that has ended meanwhile is as good.
pub(crate) fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
