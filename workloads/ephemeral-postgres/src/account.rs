//! Which user runs the server. PostgreSQL refuses to run as root, so root hands it to the user of Debian's package, or
//! to `nobody`.

use std::{
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use crate::StartError;

/// The user that runs the server and owns its folder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// Whoever runs this process.
    Own,
    /// Another one, since this process is root.
    Other { uid: u32, gid: u32 },
}

impl Account {
    pub(crate) fn choose() -> Result<Self, StartError> {
        if !is_root()? {
            return Ok(Self::Own);
        }
        let passwd =
            std::fs::read_to_string("/etc/passwd").map_err(StartError::folder("read /etc/passwd"))?;
        ["postgres", "nobody"].iter().find_map(|name| look_up(&passwd, name)).ok_or(StartError::NoAccount)
    }

    /// Makes `command` run as this user. Root's supplementary groups go too (std drops them together with the uid).
    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        match self {
            Self::Own => command,
            Self::Other { uid, gid } => command.uid(uid).gid(gid),
        }
    }

    /// A new folder that only this user can open.
    pub(crate) fn make_folder(self) -> Result<PathBuf, StartError> {
        let what = "make a folder for the data";
        let folder = tempfile::Builder::new()
            .prefix("kyb-postgres-")
            .tempdir_in(self.parent_folder())
            .map_err(StartError::folder(what))?;
        self.own(folder.path()).map_err(StartError::folder(what))?;
        Ok(folder.keep())
    }

    /// A new file that only this user can read.
    pub(crate) fn write_file(self, path: &Path, text: &str) -> Result<(), StartError> {
        let write = || {
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            self.own(path)
        };
        write().map_err(StartError::folder("write the server's settings"))
    }

    fn own(self, path: &Path) -> std::io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// The folder for temporary files; where root's own is closed to others, a public one.
    fn parent_folder(self) -> PathBuf {
        let usual = std::env::temp_dir();
        match self {
            Self::Own => usual,
            Self::Other { .. } => [usual.clone(), "/tmp".into(), "/var/tmp".into()]
                .into_iter()
                .find(|folder| others_can_pass(folder))
                .unwrap_or(usual),
        }
    }
}

/// Whether every folder on the way can be passed by everybody.
fn others_can_pass(folder: &Path) -> bool {
    let passable = |part: &Path| part.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0);
    folder.is_absolute() && folder.ancestors().all(passable)
}

/// A new file belongs to whoever makes it, which tells the user without a system call of our own.
fn is_root() -> Result<bool, StartError> {
    let probe = tempfile::tempfile().map_err(StartError::folder("make a temporary file"))?;
    Ok(probe.metadata().map_err(StartError::folder("look at a temporary file"))?.uid() == 0)
}

/// A user's line of /etc/passwd: `name:password:uid:gid:…`.
fn look_up(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    let (uid, gid) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (uid != 0).then_some(Account::Other { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name_and_is_never_root() {
        let passwd = "postgresql:x:1:2::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\nnobody:x:0:0::/:/bin/sh\n";
        assert!(matches!(look_up(passwd, "postgres"), Some(Account::Other { uid: 101, gid: 104 })));
        assert!(look_up(passwd, "nobody").is_none(), "uid 0");
        assert!(look_up(passwd, "somebody").is_none());
    }
}
