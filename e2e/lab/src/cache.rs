//! Folders that take long to make, each made once and under a name that tells what it was made from.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use sha2::{Digest as _, Sha256};

use crate::{
    error::{LabError, Result},
    files,
};

/// The folder `<name>-<digest of made_from>` of the cache, filled by `fill` unless it is there. It appears complete or not at
/// all, and while one process fills it, others wait. Blocks.
pub(crate) fn folder(
    name: &str,
    what: &str,
    made_from: &[&str],
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    folder_in(&files::cache_folder(), name, what, made_from, fill)
}

fn folder_in(
    cache: &Path,
    name: &str,
    what: &str,
    made_from: &[&str],
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let wanted = cache.join(format!("{name}-{}", digest(made_from)));
    if wanted.is_dir() {
        return Ok(wanted);
    }
    files::make_folder(cache)?;
    let _lock = files::lock(&cache.join(format!(".{name}.lock")), &format!("makes {what}"))?;
    if wanted.is_dir() {
        return Ok(wanted);
    }
    let started = Instant::now();
    eprintln!("kyb-lab: making {what} …");
    let unfinished = tempfile::Builder::new().prefix(".building-").tempdir_in(cache);
    let unfinished = unfinished.map_err(LabError::file("make a folder in", cache))?;
    fill(unfinished.path())?;
    std::fs::rename(unfinished.path(), &wanted).map_err(LabError::file("rename to", &wanted))?;
    let _ = unfinished.keep(); // it has moved, so there is nothing to remove
    eprintln!("kyb-lab: made {name} in {:.0} s", started.elapsed().as_secs_f64());
    Ok(wanted)
}

/// Short: it only has to differ where the parts differ.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hex::encode(&digest.finalize()[..6])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_folder_is_made_once_even_if_many_want_it_at_once() {
        let cache = tempfile::tempdir().unwrap();
        let made = AtomicUsize::new(0);
        let fill = |folder: &Path| {
            made.fetch_add(1, Ordering::SeqCst);
            std::fs::write(folder.join("file"), "whole").map_err(LabError::file("write", folder))
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let folder = folder_in(cache.path(), "thing", "a thing", &["a", "b"], fill).unwrap();
                    assert_eq!(std::fs::read_to_string(folder.join("file")).unwrap(), "whole");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_filling_leaves_nothing_behind_and_is_tried_again() {
        let cache = tempfile::tempdir().unwrap();
        folder_in(cache.path(), "thing", "a thing", &["a"], |_| Err(LabError::NoGo)).unwrap_err();
        let left: Vec<_> =
            std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".thing.lock"]);
        folder_in(cache.path(), "thing", "a thing", &["a"], |_| Ok(())).unwrap();
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
