//! Which PostgreSQL of the machine to run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest major version that the schema runs on.
const OLDEST: u32 = 15;

/// The folder that holds `initdb` and `postgres`: `KYB_POSTGRES_BIN`, else the newest of Debian's, else from `PATH`.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("KYB_POSTGRES_BIN") {
        return Some(PathBuf::from(folder)).filter(|folder| is_usable(folder));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian_folders().into_iter().chain(std::env::split_paths(&path)).find(|folder| is_usable(folder))
}

/// `/usr/lib/postgresql/<major>/bin`, newest first.
fn debian_folders() -> Vec<PathBuf> {
    let Ok(majors) = std::fs::read_dir("/usr/lib/postgresql") else { return vec![] };
    let mut found: Vec<(u32, PathBuf)> = majors
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn is_usable(folder: &Path) -> bool {
    folder.join("initdb").is_file() && major_version(folder).is_some_and(|major| major >= OLDEST)
}

/// Asks the server, since a folder's name says little on other systems than Debian.
fn major_version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    major_in(&String::from_utf8_lossy(&output.stdout))
}

/// The `15` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_in(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_in("something else"), None);
    }
}
