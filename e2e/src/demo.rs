//! `make demo` in a lab of its own, and looking at what it made. Needs root.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use kyb_lab::{Binaries, Lab, LabName};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::binaries::workspace_root;

/// The region that the demo makes.
pub const REGION: &str = "us-east-1";
/// Where its pods are.
pub const NAMESPACE: &str = "kyb-us-east-1";
const NODE_PORT: u16 = 30080;

/// How long pods and controllers may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// The demo, taken down at the end, whatever that is.
#[derive(Debug)]
pub struct Demo {
    name: String,
    programs: Option<PathBuf>,
    lab: Lab,
    kubectl: PathBuf,
}

/// A condition as tools read it.
#[derive(Debug, Default, Deserialize)]
pub struct Condition {
    /// Its type.
    #[serde(rename = "type")]
    pub name: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, and what to do.
    pub message: String,
}

impl Demo {
    /// In a lab of this name, with nothing left of an earlier run. None where this process is not root's.
    ///
    /// It runs the static programs of that folder; None builds those that are shipped.
    pub fn new(name: &str, programs: Option<PathBuf>) -> anyhow::Result<Option<Self>> {
        if Command::new("id").arg("-u").output()?.stdout != b"0\n" {
            return Ok(None);
        }
        let demo = Self {
            name: name.to_owned(),
            programs,
            lab: Lab::new(LabName::new(name)?),
            kubectl: Binaries::ensure()?.path("kubectl"),
        };
        demo.script("down")?;
        Ok(Some(demo))
    }

    /// Runs `scripts/demo.sh up` or `down` as `make` does; what it said on standard output.
    pub fn script(&self, what: &str) -> anyhow::Result<String> {
        let mut command = Command::new(workspace_root()?.join("scripts/demo.sh"));
        command.arg(what).env("KYB_LAB", &self.name).env_remove("KUBECONFIG").stdin(Stdio::null());
        if let Some(programs) = &self.programs {
            command.env("PROGRAMS", programs);
        }
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

    /// What of the lab is on this machine: processes, mounts, namespaces, …
    pub fn traces(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.lab.traces()?)
    }

    /// The administrator's way to the region's API server.
    pub fn kubeconfig(&self) -> anyhow::Result<PathBuf> {
        Ok(self.lab.kubeconfig(REGION)?)
    }

    /// A way to the gateways from this machine, and its URL: a Service of the test's own, beside the operator's, which leaves it
    /// alone.
    pub fn open_door(&self) -> anyhow::Result<String> {
        let service = self.get("service/kyb-gateway")?;
        let (selector, port) = (&service["spec"]["selector"], &service["spec"]["ports"][0]["targetPort"]);
        let ports = json!([{"port": 80, "targetPort": port, "nodePort": NODE_PORT}]);
        let door = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "door", "namespace": NAMESPACE},
            "spec": {"type": "NodePort", "selector": selector, "ports": ports},
        });
        self.apply(&door.to_string())?;
        Ok(format!("http://{}:{NODE_PORT}", self.lab.address(REGION)?))
    }

    /// The API key that a tenant was given under the name `default`.
    pub fn key_of(&self, tenant: &str) -> anyhow::Result<String> {
        let namespace = format!("kyb-t-{tenant}");
        let said = self.kubectl(&[
            "-n",
            &namespace,
            "get",
            "secret",
            "kyb-key-default",
            "-o",
            "jsonpath={.data.key}",
        ])?;
        Ok(String::from_utf8(base64::engine::general_purpose::STANDARD.decode(said)?)?)
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.kubectl);
        command.arg(format!("--kubeconfig={}", self.kubeconfig()?.display())).args(arguments);
        Ok(command)
    }

    /// What kubectl said; an error with what it complained of where it failed.
    pub fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments)?.stdin(Stdio::null()).output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {complaint}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Applies a manifest.
    pub fn apply(&self, manifest: &str) -> anyhow::Result<()> {
        let mut child = self.command(&["apply", "-f", "-"])?.stdin(Stdio::piped()).spawn()?;
        child.stdin.take().context("kubectl has no input")?.write_all(manifest.as_bytes())?;
        ensure!(child.wait()?.success(), "kubectl apply: {manifest}");
        Ok(())
    }

    /// An object of the region's namespace, or of none.
    pub fn get(&self, object: &str) -> anyhow::Result<Value> {
        let words = ["-n", NAMESPACE, "get", object, "-o", "json", "--show-managed-fields"];
        Ok(serde_json::from_str(&self.kubectl(&words)?)?)
    }

    /// Changes an object of the region's namespace, or of none, by a merge patch.
    pub fn patch(&self, object: &str, patch: &Value) -> anyhow::Result<()> {
        self.kubectl(&["-n", NAMESPACE, "patch", object, "--type=merge", "-p", &patch.to_string()])
            .map(|_| ())
    }

    /// What an object says of itself under this condition.
    pub fn condition(&self, object: &str, name: &str) -> anyhow::Result<Condition> {
        condition_of(&self.get(object)?, name)
    }

    /// Waits until a condition is as wanted, and returns it.
    pub fn until_condition(&self, object: &str, name: &str, reason: &str) -> anyhow::Result<Condition> {
        self.until(|| {
            let found = self.condition(object, name)?;
            ensure!(found.reason == reason, "{object}: {found:?}");
            Ok(found)
        })
    }

    /// Looks until `look` is content; fails with what it said last.
    pub fn until<T>(&self, mut look: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
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

/// The condition of this type in an object.
pub fn condition_of(object: &Value, name: &str) -> anyhow::Result<Condition> {
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
