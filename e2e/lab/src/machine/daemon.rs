//! Programs of a region that go on running after `kyb-lab up` has ended.
//!
//! Each has a script that runs it in the region's network namespace, a cgroup that says whether it is alive, and a log. A run of
//! `kyb-lab up` that is killed at any moment leaves each of them either running and known, or not running: the script waits for a
//! word from us, which we say once its process id is written down, and gives up when we are gone.

use std::{io::Write as _, path::PathBuf, process::Stdio, time::Duration};

use sha2::{Digest as _, Sha256};

use super::{cgroups, kill, network};
use crate::{
    command::quoted,
    components::Program,
    error::{LabError, Result},
    files,
    region::plan::RegionPlan,
    waiting::until,
};

/// How long a script may take to begin, and a program to end after SIGKILL.
const AT_MOST: Duration = Duration::from_secs(30);

/// A program of a region and the files that it reads at its start.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) region: RegionPlan,
    pub(crate) program: Program,
    /// A change of any of them starts it again.
    pub(crate) configuration: Vec<(PathBuf, String)>,
}

impl Daemon {
    /// Starts it, unless it runs with the same arguments and the same configuration.
    pub(crate) async fn ensure(&self) -> Result<()> {
        let script = self.script();
        let procs = cgroups::ensure_for_processes(&self.cgroup())?;
        let known = files::read_if_any(&self.path("run", "sh"))?;
        if let Some(pid) = self.running() {
            if known.as_deref() == Some(&script) {
                return Ok(());
            }
            self.stop(pid).await?;
        }
        for (path, text) in &self.configuration {
            files::write(path, text, true)?;
        }
        files::write(&self.path("run", "sh"), &script, false)?;
        files::make_folder(&self.region.folder().join("log"))?;
        self.launch(&procs).await
    }

    /// Its process id, if it runs.
    pub(crate) fn running(&self) -> Option<i32> {
        running(&self.region, self.program.name)
    }

    /// Fails if it has ended by itself.
    pub(crate) fn check(&self) -> Result<()> {
        match self.running() {
            Some(_) => Ok(()),
            None => Err(LabError::Ended {
                program: self.program.name.into(),
                log: files::tail(&self.path("log", "log")),
            }),
        }
    }

    async fn launch(&self, procs: &std::path::Path) -> Result<()> {
        let failed = |source| LabError::Spawn {
            doing: format!("start {}", self.program.name),
            command: format!("setsid sh {}", self.path("run", "sh").display()),
            source,
        };
        let mut command = std::process::Command::new("setsid"); // out of reach of Ctrl-C
        command.arg("sh").arg(self.path("run", "sh")).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let mut word = child.stdin.take().ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        let pid = i32::try_from(child.id()).unwrap_or_default();
        until("a program's start", AT_MOST, async || {
            let there = cgroups::processes_in(procs).contains(&pid);
            Ok(if there { Ok(()) } else { Err(format!("{} is not in its cgroup", self.program.name)) })
        })
        .await?;
        files::write(&self.path("run", "pid"), pid.to_string(), false)?;
        word.write_all(b"go\n").map_err(failed)
    }

    async fn stop(&self, pid: i32) -> Result<()> {
        until("a program's end", AT_MOST, async || {
            kill(pid);
            Ok(if self.running().is_none() { Ok(()) } else { Err(format!("process {pid}")) })
        })
        .await
    }

    fn script(&self) -> String {
        let mut digest = Sha256::new();
        for (path, text) in &self.configuration {
            digest.update(path.display().to_string());
            digest.update(text);
        }
        let procs = cgroups::procs(&self.cgroup());
        let network = network::namespace_path(&self.region.namespace());
        let words =
            std::iter::once(self.program.path.display().to_string()).chain(self.program.arguments.clone());
        let line: Vec<String> = words.map(|word| quoted(&word)).collect();
        let (log, procs) = (quoted(&self.path("log", "log").display().to_string()), procs.display());
        format!(
            "# configuration {}\necho $$ >{procs}\nread -r _ || exit 1\nexec </dev/null >>{log} 2>&1\nexec nsenter --net={} -- {}\n",
            hex::encode(digest.finalize()),
            network.display(),
            line.join(" ")
        )
    }

    fn cgroup(&self) -> String {
        cgroup(&self.region, self.program.name)
    }

    fn path(&self, folder: &str, extension: &str) -> PathBuf {
        self.region.folder().join(folder).join(format!("{}.{extension}", self.program.name))
    }
}

/// The process id of a region's program, if it runs: the one written down, as long as it is in the program's cgroup.
pub(crate) fn running(region: &RegionPlan, name: &str) -> Option<i32> {
    let written = files::read_if_any(&region.folder().join("run").join(format!("{name}.pid"))).ok()??;
    let pid: i32 = written.trim().parse().ok()?;
    cgroups::processes_in(&cgroups::procs(&cgroup(region, name))).contains(&pid).then_some(pid)
}

fn cgroup(region: &RegionPlan, name: &str) -> String {
    format!("{}/daemons/{name}", region.cgroup())
}
