//! `kyb-operator run` as a process.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// One life of a replica; killed with this value.
pub(crate) struct Replica {
    /// The pod's name, another one in each life, so that the Lease and the audit log tell lives apart.
    pub(crate) name: String,
    process: Child,
}

/// Where and how replicas run.
pub(crate) struct Post<'a> {
    pub(crate) kubeconfig: &'a Path,
    /// Holds the root key, and takes the logs.
    pub(crate) folder: &'a Path,
    pub(crate) lease_seconds: u64,
}

impl Replica {
    pub(crate) fn start(post: &Post<'_>, name: String) -> anyhow::Result<Self> {
        let log = File::create(post.folder.join(format!("{name}.log")))?;
        let process = Command::new(env!("CARGO_BIN_EXE_kyb-operator"))
            .args(["run", "--listen", "127.0.0.1:0", "--pod-name", &name])
            .args(["--lease-seconds", &post.lease_seconds.to_string(), "--root-key-file"])
            .arg(post.folder.join("root-key"))
            .env("KUBECONFIG", post.kubeconfig)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self { name, process })
    }

    /// Whether an identity is that of this life: a pod's name with something random behind it.
    pub(crate) fn is(&self, identity: &str) -> bool {
        identity.rsplit_once('_').is_some_and(|(name, _)| name == self.name)
    }

    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Stops it in its tracks.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::STOP)?)
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.kill(); // it may have ended by itself
    }
}
