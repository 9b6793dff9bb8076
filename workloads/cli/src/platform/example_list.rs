//! The example list that `kyb serve` and `kyb demo` use where no list is given. `kyb verify` and `kyb screen` never do: an
//! example must not be mistaken for a real list.

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;

const FILES: [(&str, &[u8]); 3] = [
    ("sdn.csv", include_bytes!("../../../../examples/lists/sdn.csv")),
    ("alt.csv", include_bytes!("../../../../examples/lists/alt.csv")),
    ("add.csv", include_bytes!("../../../../examples/lists/add.csv")),
];

/// When the example was written, 2026-11-21, in hours of Unix time: the version of a list read from files is named by
/// their date, and the example's should be the same every time.
const WRITTEN: Duration = Duration::from_hours(498_672);

/// Writes the files into a new folder inside `scratch`, which is removed by whoever owns `scratch`.
pub(crate) fn lay_into(scratch: &Path) -> anyhow::Result<PathBuf> {
    let folder = scratch.join("example-list");
    let lay = || {
        fs::create_dir(&folder)?;
        // PostgreSQL's account, not root, owns `scratch` and cleans it up; nobody else can enter it
        fs::set_permissions(&folder, Permissions::from_mode(0o777))?;
        FILES.iter().try_for_each(|(name, bytes)| {
            let mut file = File::create_new(folder.join(name))?;
            file.write_all(bytes)?;
            file.set_modified(SystemTime::UNIX_EPOCH + WRITTEN)
        })
    };
    lay().with_context(|| format!("writing the example list to {}", folder.display()))?;
    Ok(folder)
}
