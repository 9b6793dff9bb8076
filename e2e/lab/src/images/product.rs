//! Images of this project's programs, and of the PostgreSQL and Redis that a development region runs.
//!
//! The Dockerfiles in `images/` serve users with Docker as well. Each wants its files in one folder, which is filled here.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest as _, Sha256};

use super::{
    Image,
    pack::{FORMAT, copy, pack},
};
use crate::{
    build::finish,
    cache,
    error::{LabError, Result},
    files,
};

/// What to build, and where from and to.
#[derive(Debug, Clone)]
pub struct Product {
    /// The folder with `<name>.Dockerfile` for each image.
    pub dockerfiles: PathBuf,
    /// The folder with the static programs.
    pub programs: PathBuf,
    /// The folder for the archives.
    pub output: PathBuf,
    /// What names begin with, such as `docker.io/kyb`.
    pub repository: String,
    /// The version that the images are tagged with.
    pub version: String,
    /// The images to build; all where empty.
    pub only: Vec<String>,
}

/// The authorities that programs trust when they fetch lists.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

const PROGRAMS: [&str; 3] = ["kyb-gateway", "kyb-worker", "kyb-operator"];

/// A Debian package as an image, under the name that the operator expects: the package, and what is done to the file system before
/// it is packed.
const PACKAGES: [(&str, &str, &[&str]); 2] = [
    (
        "kyb-postgres",
        "postgresql-15",
        &[
            // No database of the package's own.
            r#"--essential-hook=mkdir -p "$1/etc/postgresql-common" && echo 'create_main_cluster = false' >"$1/etc/postgresql-common/createcluster.conf""#,
            // The user that CloudNativePG expects; initdb wants to know its name.
            r#"--customize-hook=sed -i 's/^postgres:x:[0-9]*:[0-9]*:/postgres:x:26:26:/' "$1/etc/passwd""#,
        ],
    ),
    ("kyb-redis", "redis-server", &[]),
];

/// Builds the images and returns them. Blocks: a second each, and half a minute for PostgreSQL and Redis the first time.
pub fn build_product(product: &Product) -> Result<Vec<Image>> {
    files::make_folder(&product.output)?;
    let wanted = |name: &str| product.only.is_empty() || product.only.iter().any(|only| only == name);
    let programs = PROGRAMS.iter().filter(|name| wanted(name)).map(|name| program(product, name));
    let packages = PACKAGES.iter().filter(|(name, ..)| wanted(name));
    let packages = packages.map(|(name, package, hooks)| debian(product, name, package, hooks));
    programs.chain(packages).collect()
}

fn program(product: &Product, name: &str) -> Result<Image> {
    let binary = product.programs.join(name);
    let dockerfile = product.dockerfiles.join(format!("{name}.Dockerfile"));
    let full = format!("{}/{name}:{}", product.repository, product.version);
    let program = std::fs::read(&binary).map_err(LabError::file("read", &binary))?;
    require_static(&binary, &program)?;
    let made_from =
        digest_of(&[&program, &read(&dockerfile)?, &read(Path::new(AUTHORITIES))?, full.as_bytes()]);
    let note = product.output.join(format!(".{name}.made-from"));
    let archive = product.output.join(format!("{name}.tar"));
    if archive.exists() && files::read_if_any(&note)?.as_deref() == Some(&made_from) {
        return Ok(Image { name: full, archive });
    }
    let context = tempfile::tempdir().map_err(LabError::file("make a folder in", std::env::temp_dir()))?;
    // Names of functions stay, for backtraces; lines are three quarters of the file.
    let mut strip = Command::new("strip");
    strip.args(["--strip-debug", "-o"]).arg(context.path().join(name)).arg(&binary);
    finish(&format!("strip {name}"), strip)?;
    copy(Path::new(AUTHORITIES), context.path(), "ca-certificates.crt")?;
    let image = pack(&full, &dockerfile, context.path(), &product.output)?;
    files::write(&note, made_from, false)?;
    Ok(image)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(LabError::file("read", path))
}

fn digest_of(parts: &[&[u8]]) -> String {
    let all = parts.iter().map(Sha256::digest);
    hex::encode(all.fold(Sha256::new(), Sha256::chain_update).finalize())
}

fn debian(product: &Product, name: &str, package: &str, hooks: &[&str]) -> Result<Image> {
    let dockerfile = product.dockerfiles.join(format!("{name}.Dockerfile"));
    let text = std::fs::read_to_string(&dockerfile).map_err(LabError::file("read", &dockerfile))?;
    let full = format!("{}/{name}:{}", product.repository, product.version);
    let made_from = [text.as_str(), &full, package, &hooks.join("\n"), FORMAT];
    let what = format!("the image {full} (about half a minute, once)");
    let folder = cache::folder(&format!("image-{name}"), &what, &made_from, |folder| {
        let context =
            tempfile::tempdir().map_err(LabError::file("make a folder in", std::env::temp_dir()))?;
        root_file_system(package, hooks, &context.path().join("rootfs.tar"))?;
        pack(&full, &dockerfile, context.path(), folder).map(|_| ())
    })?;
    let archive = product.output.join(format!("{name}.tar"));
    link(&folder.join(format!("{name}.tar")), &archive)?;
    Ok(Image { name: full, archive })
}

/// Gives a large file another name, or copies it where that can't be.
fn link(from: &Path, to: &Path) -> Result<()> {
    let fresh = to.with_extension("fresh");
    let _ = std::fs::remove_file(&fresh); // of a run that was killed
    if std::fs::hard_link(from, &fresh).is_err() {
        std::fs::copy(from, &fresh).map_err(LabError::file("copy", from))?;
    }
    std::fs::rename(&fresh, to).map_err(LabError::file("rename to", to))?;
    // Renaming a file to another name of the same file does nothing.
    let _ = std::fs::remove_file(&fresh);
    Ok(())
}

/// The essential packages, since start scripts need a shell, and the wanted one, without its documentation.
fn root_file_system(package: &str, hooks: &[&str], tar: &Path) -> Result<()> {
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--mode=root", "--variant=essential", "--quiet"])
        .arg(format!("--include={package}"))
        .args(hooks);
    for folder in ["doc", "man", "info", "locale", "lintian"] {
        command.arg(format!("--dpkgopt=path-exclude=/usr/share/{folder}/*"));
    }
    command.arg(release()?).arg(tar);
    finish(&format!("lay out the file system of {package}"), command)
}

/// The machine's own release of Debian, such as `bookworm`.
fn release() -> Result<String> {
    let path = Path::new("/etc/os-release");
    let text = std::fs::read_to_string(path).map_err(LabError::file("read", path))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    line.map(|name| name.trim_matches('"').to_owned()).ok_or_else(|| LabError::Garbled {
        what: path.display().to_string(),
        why: "it names no release of Debian".into(),
    })
}

/// A program that needs a loader starts in no image that is `FROM scratch`, and the error there says only "no such file".
fn require_static(binary: &Path, bytes: &[u8]) -> Result<()> {
    if wants_loader(bytes) != Some(false) {
        return Err(LabError::Garbled {
            what: binary.display().to_string(),
            why: "it is no static program; build it with RUSTFLAGS=\"-C target-feature=+crt-static\" and --target".into(),
        });
    }
    Ok(())
}

/// Whether a 64-bit little-endian ELF file has a program header of type `PT_INTERP`; none for anything else. Offsets as in the
/// System V ABI, chapter 4 ("ELF Header") and 5 ("Program Header").
fn wants_loader(bytes: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let first = usize::try_from(u64::from_le_bytes(bytes.get(32..40)?.try_into().ok()?)).ok()?;
    let (size, count) = (usize::from(u16_at(54)?), usize::from(u16_at(56)?));
    let kinds: Option<Vec<u32>> = (0..count).map(|index| u32_at(first + index * size)).collect();
    Some(kinds?.contains(&PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        // Debian's own programs are dynamic; tests are what they are built as.
        let shell = std::fs::read("/bin/sh").unwrap();
        assert_eq!(wants_loader(&shell), Some(true));
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(wants_loader(&own), Some(!cfg!(target_feature = "crt-static")));
        let mut without = shell;
        without[56..58].copy_from_slice(&0_u16.to_le_bytes()); // no program headers at all
        assert_eq!(wants_loader(&without), Some(false));
        assert_eq!(wants_loader(b"#!/bin/sh"), None);
    }

    #[test]
    fn every_image_has_a_dockerfile_that_starts_from_nothing() {
        let folder = Path::new("../../images");
        for name in PROGRAMS.iter().copied().chain(PACKAGES.map(|(name, ..)| name)) {
            let text = std::fs::read_to_string(folder.join(format!("{name}.Dockerfile"))).unwrap();
            let first = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
            assert_eq!(first, Some("FROM scratch"), "{name}");
        }
    }
}
