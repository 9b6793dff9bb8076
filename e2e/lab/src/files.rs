//! Files that are whole or not there at all, so that a run that was killed leaves nothing half-written.

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::error::{LabError, Result};

/// Writes a file in one step: to a neighbour first, which then takes its name. Only the owner can read it where `secret`.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>, secret: bool) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let failed = || LabError::file("write", path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    file.write_all(content.as_ref()).map_err(failed())?;
    let mode = if secret { 0o600 } else { 0o644 };
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed())?;
    file.persist(path).map_err(|error| failed()(error.error))?;
    Ok(())
}

/// Makes a folder and what is above it, if missing.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(LabError::file("make the folder", path))
}

/// Reads a text, if there is one.
pub(crate) fn read_if_any(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LabError::file("read", path)(error)),
    }
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::file("remove the folder", path)(error))
        }
        _ => Ok(()),
    }
}

/// Waits until nobody else holds this lock, and holds it until dropped, or until the process ends in whatever way. Blocks;
/// `meanwhile` says what another holder does.
pub(crate) fn lock(path: &Path, meanwhile: &str) -> Result<std::fs::File> {
    let file = std::fs::File::create(path).map_err(LabError::file("make", path))?;
    if file.try_lock().is_err() {
        eprintln!("kyb-lab: waiting for another process that {meanwhile}");
        file.lock().map_err(LabError::file("lock", path))?;
    }
    Ok(file)
}

/// The last 20 lines of a log, for an error message.
pub(crate) fn tail(path: &Path) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    last_lines(&text)
}

/// The last 20 lines.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// `$XDG_CACHE_HOME/kyb/lab`, or the same below `~/.cache`: what takes long to make and can always be made again.
pub(crate) fn cache_folder() -> PathBuf {
    let given = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/root")).join(".cache");
    given.unwrap_or_else(home).join("kyb/lab")
}
