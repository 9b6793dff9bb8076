//! The Debian packages that regions need.

use std::process::{Command, Stdio};

use crate::error::{LabError, Result};

const PACKAGES: &str = include_str!("../../packages.txt");

/// Fails with the names of those that are missing.
pub(crate) fn require() -> Result<()> {
    let missing: Vec<String> = wanted().filter(|name| !is_installed(name)).map(str::to_owned).collect();
    if missing.is_empty() { Ok(()) } else { Err(LabError::Packages(missing)) }
}

fn wanted() -> impl Iterator<Item = &'static str> {
    PACKAGES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_installed(name: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", "--showformat=${db:Status-Status}", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    query.output().is_ok_and(|output| output.stdout == b"installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_packages() {
        assert!(wanted().any(|name| name == "containerd"));
        assert!(wanted().all(|name| !name.contains([' ', '#'])));
    }
}
