//! Builds Kubernetes and a few tools from source, once a machine.
//!
//! Go's module proxy is the only source. [`Binaries::ensure`] builds the one program of `kubernetes/main.go`, [`Tool::ensure`]
//! one of the tools; both keep the result in the cache folder under a digest of everything that it was made from, so another
//! version is another file, and return at once the next time. Two processes never build the same thing at once.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    cache,
    error::{LabError, Result},
    files,
};

/// The version of Kubernetes; the same as in `kubernetes/go.mod`.
pub const KUBERNETES_VERSION: &str = "v1.35.4";

const MAIN_GO: &str = include_str!("../kubernetes/main.go");
const GO_MOD: &str = include_str!("../kubernetes/go.mod");
const GO_SUM: &str = include_str!("../kubernetes/go.sum");

/// The names that the one program is called by, and how it knows what to be.
const COMPONENTS: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
];

/// Where the components of Kubernetes are.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Builds them unless they are in the cache: about four minutes on two cores the first time, and 3 GB for Go's own
    /// cache. Says so on standard error. Blocks.
    pub fn ensure() -> Result<Self> {
        let flags = kubernetes_flags();
        let made_from = [MAIN_GO, GO_MOD, GO_SUM, &flags.join("\n")];
        let what = format!("Kubernetes {KUBERNETES_VERSION} (about 4 minutes on 2 cores, once)");
        let folder =
            cache::folder("kubernetes", &what, &made_from, |folder| build_kubernetes(folder, &flags))?;
        Ok(Self { folder })
    }

    /// The program of a component: `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kube-proxy`,
    /// `kubelet` or `kubectl`.
    pub fn path(&self, component: &str) -> PathBuf {
        self.folder.join(component)
    }

    /// The folder with all of them, for a `PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A tool that is built as its authors publish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The cluster's name server.
    CoreDns,
    /// Live CPU and memory of pods, for autoscalers and `kubectl top`.
    MetricsServer,
    /// Installs charts.
    Helm,
}

impl Tool {
    /// Builds it unless it is in the cache, about two minutes on two cores. Blocks.
    pub fn ensure(self) -> Result<PathBuf> {
        let (name, package, version) = self.origin();
        let wanted = format!("{package}@{version}");
        let what = format!("{name} {version} (about 2 minutes on 2 cores, once)");
        let folder = cache::folder(name, &what, &[&wanted], |folder| {
            let mut command = go(folder)?;
            command.env("GOBIN", folder).args(["install", "-trimpath", "-ldflags=-s -w", &wanted]);
            finish(&format!("build {name}"), command)
        })?;
        Ok(folder.join(name))
    }

    /// What its program is called, and the version.
    pub fn name_and_version(self) -> (&'static str, &'static str) {
        let (name, _, version) = self.origin();
        (name, version)
    }

    /// Its name, the package that is built, and the version.
    fn origin(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CoreDns => ("coredns", "github.com/coredns/coredns", "v1.15.0"),
            Self::MetricsServer => {
                ("metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server", "v0.9.0")
            }
            Self::Helm => ("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1"),
        }
    }
}

fn kubernetes_flags() -> Vec<String> {
    let mut parts = KUBERNETES_VERSION.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let version = "k8s.io/component-base/version";
    let link = format!(
        "-s -w -X {version}.gitVersion={KUBERNETES_VERSION} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    );
    vec!["-trimpath".into(), "-tags=providerless".into(), format!("-ldflags={link}")]
}

fn build_kubernetes(folder: &Path, flags: &[String]) -> Result<()> {
    let source = tempfile::tempdir().map_err(LabError::file("make a folder in", std::env::temp_dir()))?;
    for (name, text) in [("main.go", MAIN_GO), ("go.mod", GO_MOD), ("go.sum", GO_SUM)] {
        files::write(&source.path().join(name), text, false)?;
    }
    let mut command = go(source.path())?;
    command.arg("build").args(flags).arg("-o").arg(folder.join("kubernetes")).arg(".");
    finish("build Kubernetes", command)?;
    for name in COMPONENTS {
        let link = folder.join(name);
        std::os::unix::fs::symlink("kubernetes", &link).map_err(LabError::file("make the link", &link))?;
    }
    Ok(())
}

/// The compiler, working in `folder`, making static programs. Nice, since tests of others may run meanwhile.
fn go(folder: &Path) -> Result<Command> {
    let found = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        return Err(LabError::NoGo);
    }
    let mut command = Command::new("nice");
    command.arg("go").current_dir(folder).env("CGO_ENABLED", "0").env_remove("GOOS").env_remove("GOARCH");
    Ok(command)
}

/// Runs a program that takes long to its end.
pub(crate) fn finish(doing: &str, mut command: Command) -> Result<()> {
    let line = format!("{command:?}");
    let failed = |source| LabError::Spawn { doing: doing.into(), command: line.clone(), source };
    let output = command.stdin(Stdio::null()).output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = files::last_lines(&String::from_utf8_lossy(&output.stderr));
    Err(LabError::Command {
        doing: doing.into(),
        command: line,
        status: output.status.to_string(),
        output: said,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_is_stamped_is_the_one_that_is_built() {
        assert!(GO_MOD.contains(&format!("k8s.io/kubernetes {KUBERNETES_VERSION}\n")));
        let staging = KUBERNETES_VERSION.replacen("v1", "v0", 1);
        let replaced: Vec<_> = GO_MOD.lines().filter(|line| line.contains("=> k8s.io/")).collect();
        assert!(!replaced.is_empty() && replaced.iter().all(|line| line.ends_with(&staging)), "{replaced:?}");
    }

    #[test]
    fn every_component_is_one_that_the_program_knows() {
        for name in COMPONENTS {
            assert!(
                MAIN_GO.contains(&format!("\"{name}\":")) || MAIN_GO.contains(&format!("case \"{name}\":")),
                "{name}"
            );
        }
    }
}
