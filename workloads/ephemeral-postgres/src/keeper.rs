//! The shell script that owns the server and its folder, and the pipe to it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{StartError, account::Account};

const SCRIPT: &str = include_str!("keeper.sh");

/// The keeper's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Done,
    Failed,
}

/// A running keeper. Its end of the pipe is closed on exec, so no other child of ours keeps it alive.
pub(crate) struct Keeper {
    process: Child,
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Keeper {
    pub(crate) fn start(binaries: &Path, folder: &Path, account: Account) -> Result<Self, StartError> {
        let failed = |source| StartError::Keeper { what: "start", source };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "kyb-postgres-keeper"]).arg(binaries).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.current_dir("/").process_group(0); // out of reach of Ctrl-C
        let mut process = account.run(&mut command).spawn().map_err(failed)?;
        let (commands, replies) = (process.stdin.take(), process.stdout.take());
        let replies = replies.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { process, commands, replies: BufReader::new(replies) })
    }

    /// Gives a command and waits for the answer.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Reply, StartError> {
        let failed = |source| StartError::Keeper { what: "talk to", source };
        let closed = || failed(std::io::ErrorKind::BrokenPipe.into());
        writeln!(self.commands.as_mut().ok_or_else(closed)?, "{command}").map_err(failed)?;
        let mut reply = String::new();
        self.replies.read_line(&mut reply).map_err(failed)?;
        match reply.trim_end() {
            "done" => Ok(Reply::Done),
            "failed" => Ok(Reply::Failed),
            _ => Err(closed()),
        }
    }
}

/// Closes the pipe and waits until the keeper has cleaned up.
impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "could not wait for the end of a throw-away PostgreSQL");
        }
    }
}
