//! One Dockerfile and its files to one archive. All Dockerfiles start `FROM scratch`, so nothing is pulled.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use super::Image;
use crate::{
    build::finish,
    error::{LabError, Result},
};

/// How layers are written; a part of the digests of archives that are kept. They stay on this machine, so packing them small would
/// only cost time, here and where they are loaded.
pub(super) const FORMAT: &str = "--disable-compression";

/// Builds `dockerfile` with the files in `context` and writes `<folder>/<last part of the name>.tar`. What buildah keeps meanwhile
/// is thrown away. Blocks, for a second where the files are small.
pub(super) fn pack(name: &str, dockerfile: &Path, context: &Path, folder: &Path) -> Result<Image> {
    let store = tempfile::tempdir_in(folder).map_err(LabError::file("make a folder in", folder))?;
    let archive = folder.join(format!("{}.tar", short_name(name)));
    let unfinished = store.path().join("image.tar");
    let mut build = buildah(store.path());
    build.args(["build", "--isolation=chroot", "--tag", name, "--file"]).arg(dockerfile).arg(context);
    finish(&format!("build the image {name}"), build)?;
    let mut push = buildah(store.path());
    push.args(["push", FORMAT, name]).arg(format!("oci-archive:{}:{name}", unfinished.display()));
    finish(&format!("write the image {name}"), push)?;
    std::fs::rename(&unfinished, &archive).map_err(LabError::file("rename to", &archive))?;
    Ok(Image { name: name.to_owned(), archive })
}

/// With a store of its own, and without mounts that a run that is killed would leave.
fn buildah(store: &Path) -> Command {
    let mut command = Command::new("buildah");
    command.arg("--root").arg(store.join("root")).arg("--runroot").arg(store.join("run"));
    command.arg("--storage-driver=vfs");
    command
}

/// `kyb-gateway` of `docker.io/kyb/kyb-gateway:0.1.0`.
fn short_name(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

/// Copies a file into a folder, under its own name or another.
pub(super) fn copy(from: &Path, folder: &Path, name: impl AsRef<OsStr>) -> Result<PathBuf> {
    let to = folder.join(name.as_ref());
    std::fs::copy(from, &to).map_err(LabError::file("copy", from))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_called_as_its_program() {
        assert_eq!(short_name("docker.io/kyb/kyb-gateway:0.1.0"), "kyb-gateway");
        assert_eq!(short_name("localhost:5000/a/b"), "b");
    }
}
