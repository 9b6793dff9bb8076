//! The programs under test. Cargo builds no other package's binaries for a test, so they are built here, once in a process,
//! in the profile and target folder of the running test. Nothing is compiled if they are up to date. `KYB_BINARIES` names a
//! folder with programs that were built before; then nothing is built here.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::Context as _;

/// The workspace that this process was started in: the nearest folder above with a `Cargo.lock`. Not where it was compiled, since
/// several clones share what is built.
pub fn workspace_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.map(Path::to_owned).context("start this in the repository")
}

/// Builds `kyb-gateway` and `kyb-worker` unless this process did already, and says in which folder they are. Blocks, the
/// first time for as long as the build takes.
pub fn ensure_built() -> anyhow::Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(folder) => Ok(folder),
        Err(why) => Err(anyhow::anyhow!("{why}")),
    }
}

fn build() -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("KYB_BINARIES") {
        return Ok(folder.into());
    }
    let folder = profile_folder()?;
    let (within, name) = (folder.parent(), folder.file_name().and_then(|name| name.to_str()));
    let (within, name) = within.zip(name).context("the test runs from no target folder")?;
    let profile = if name == "debug" { "dev" } else { name };
    // Where a platform is named, cargo builds into a folder of its name.
    let platform = std::env::var_os("CARGO_BUILD_TARGET").filter(|name| within.ends_with(name));
    let target = if platform.is_some() { within.parent().unwrap_or(within) } else { within };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells a test about its package must not reach the build: build scripts such as ring's look at it, and all that needs
    // them would be built anew here, and once more by the next run of the tests.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_package(name)) {
        cargo.env_remove(name);
    }
    let output = cargo
        // The whole workspace: with `-p` cargo would choose other features and build everything once more.
        .args(["build", "--quiet", "--locked", "--workspace", "--bins", "--profile", profile])
        // So it would without an example, since only then dependencies get the features that tests ask of them; but what is
        // measured has none of those.
        .args(if profile == "dev" { &["--example", "kyb-crds-yaml"][..] } else { &[] })
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace_root()?)
        .output()
        .context("can't run cargo to build kyb-gateway and kyb-worker")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "can't build kyb-gateway and kyb-worker:\n{said}");
    Ok(folder)
}

/// Whether cargo sets this variable for the package whose test it runs
/// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html>).
fn is_of_a_package(variable: &OsStr) -> bool {
    let of_packages = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    variable.to_str().is_some_and(|name| of_packages.iter().any(|prefix| name.starts_with(prefix)))
}

/// `target/<profile>`, where tests (in `deps`) and binaries lie.
fn profile_folder() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe().context("can't tell which program this is")?;
    let beside_deps = executable.ancestors().skip(1).find(|folder| folder.join("deps").is_dir());
    beside_deps.map(Path::to_owned).context("this program was not built by cargo")
}
