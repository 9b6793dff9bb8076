//! Mounts below a region's folder: pods' volumes, file systems of containers, their network namespaces.

use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};

use crate::error::{LabError, Result};

/// Unmounts all that is mounted below a folder, the newest first.
pub(crate) fn unmount_below(folder: &Path) -> Result<()> {
    for place in mounted_below(folder)?.into_iter().rev() {
        unmount(&place, UnmountFlags::DETACH)
            .map_err(|error| LabError::file("unmount", place)(error.into()))?;
    }
    Ok(())
}

/// Unmounts a folder that is a mount by itself and is empty, such as what `ip netns` leaves.
pub(crate) fn unmount_if_empty(folder: &Path) {
    let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty && mounts().is_ok_and(|all| all.iter().any(|place| place == folder)) {
        let _ = unmount(folder, UnmountFlags::DETACH);
    }
}

/// In the order in which they were mounted.
pub(crate) fn mounted_below(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(mounts()?.into_iter().filter(|place| place.starts_with(folder) && place != folder).collect())
}

fn mounts() -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(LabError::file("read", "/proc/self/mountinfo"))?;
    Ok(text
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|place| PathBuf::from(unescape(place)))
        .collect())
}

/// Spaces and the like are written as three octal digits.
fn unescape(place: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(place.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_called() {
        assert_eq!(unescape("/a\\040b"), "/a b");
        assert!(mounts().unwrap().contains(&PathBuf::from("/proc")));
        assert_eq!(mounted_below(Path::new("/no/such/folder")).unwrap(), Vec::<PathBuf>::new());
    }
}
