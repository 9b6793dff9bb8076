//! `make demo` in a lab of its own, and looking at what it made.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use kyb_lab::{Binaries, Lab, LabName};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const NAMESPACE: &str = "kyb-us-east-1";

/// How long pods and controllers may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// The demo, taken down at the end, whatever that is.
pub(crate) struct Demo {
    name: String,
    lab: Lab,
    kubectl: std::path::PathBuf,
}

/// A condition as tools read it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Demo {
    /// In a lab of this name, with nothing left of an earlier run. None where this process is not root's.
    pub(crate) fn new(name: &str) -> anyhow::Result<Option<Self>> {
        if Command::new("id").arg("-u").output()?.stdout != b"0\n" {
            return Ok(None);
        }
        let demo = Self {
            name: name.to_owned(),
            lab: Lab::new(LabName::new(name)?),
            kubectl: Binaries::ensure()?.path("kubectl"),
        };
        demo.script("down")?;
        Ok(Some(demo))
    }

    /// Runs `scripts/demo.sh up` or `down` as `make` does; what it said on standard output.
    pub(crate) fn script(&self, what: &str) -> anyhow::Result<String> {
        let mut command = Command::new(Path::new("../scripts/demo.sh"));
        command.arg(what).env("KYB_LAB", &self.name).env_remove("KUBECONFIG").stdin(Stdio::null());
        // Cargo tells its tests where it builds and how; the script builds another flavour elsewhere.
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME")
        {
            command.env_remove(name);
        }
        let output = command.stderr(Stdio::inherit()).output().context("scripts/demo.sh")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprint!("{said}");
        ensure!(output.status.success(), "scripts/demo.sh {what}: {}", output.status);
        Ok(said)
    }

    pub(crate) fn traces(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.lab.traces()?)
    }

    pub(crate) fn address(&self) -> anyhow::Result<String> {
        Ok(self.lab.address(REGION)?)
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.kubectl);
        command.arg(format!("--kubeconfig={}", self.lab.kubeconfig(REGION)?.display())).args(arguments);
        Ok(command)
    }

    /// What kubectl said; an error with what it complained of where it failed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments)?.stdin(Stdio::null()).output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {complaint}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn apply(&self, manifest: &str) -> anyhow::Result<()> {
        let mut child = self.command(&["apply", "-f", "-"])?.stdin(Stdio::piped()).spawn()?;
        child.stdin.take().context("kubectl has no input")?.write_all(manifest.as_bytes())?;
        ensure!(child.wait()?.success(), "kubectl apply: {manifest}");
        Ok(())
    }

    /// An object of the region's namespace, or of none.
    pub(crate) fn get(&self, object: &str) -> anyhow::Result<Value> {
        let words = ["-n", NAMESPACE, "get", object, "-o", "json", "--show-managed-fields"];
        Ok(serde_json::from_str(&self.kubectl(&words)?)?)
    }

    pub(crate) fn patch(&self, object: &str, patch: &Value) -> anyhow::Result<()> {
        self.kubectl(&["-n", NAMESPACE, "patch", object, "--type=merge", "-p", &patch.to_string()])
            .map(|_| ())
    }

    pub(crate) fn condition(&self, object: &str, name: &str) -> anyhow::Result<Condition> {
        condition_of(&self.get(object)?, name)
    }

    /// Waits until a condition is as wanted, and returns it.
    pub(crate) fn until_condition(
        &self,
        object: &str,
        name: &str,
        reason: &str,
    ) -> anyhow::Result<Condition> {
        self.until(|| {
            let found = self.condition(object, name)?;
            ensure!(found.reason == reason, "{object}: {found:?}");
            Ok(found)
        })
    }

    /// Looks until `look` is content; fails with what it said last.
    pub(crate) fn until<T>(&self, mut look: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            match look() {
                Ok(value) => return Ok(value),
                Err(why) if Instant::now() > end => {
                    let all = self.kubectl(&["get", "kyb,pods", "-A"]).unwrap_or_default();
                    bail!("waited {PATIENCE:?} in vain: {why:#}\n{all}");
                }
                Err(_) => std::thread::sleep(Duration::from_millis(200)), // between two looks
            }
        }
    }
}

pub(crate) fn condition_of(object: &Value, name: &str) -> anyhow::Result<Condition> {
    let all =
        Vec::<Condition>::deserialize(object.pointer("/status/conditions").context("no conditions yet")?)?;
    all.into_iter()
        .find(|condition| condition.name == name)
        .with_context(|| format!("no condition {name} yet"))
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Err(why) = self.script("down") {
            eprintln!("the demo can't be taken down: {why:#}");
        }
    }
}
