//! A child process that can't outlive us: a small shell (the *keeper*) runs it and kills it when our end of a pipe closes,
//! which also happens when this process is killed.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

const KEEPER: &str = include_str!("keeper.sh");

/// A running program, its log and its exit code; killed on drop.
#[derive(Debug)]
pub struct Program {
    keeper: Child,
    pipe: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

impl Program {
    /// Starts `binary`; what it prints is appended to `log`.
    pub fn start(
        binary: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "kyb-e2e-keeper"]).arg(log).arg(binary).args(arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.process_group(0); // Ctrl-C is for us; the pipe tells the rest
        let mut keeper = command.spawn().context("can't start a shell")?;
        let pipe = keeper.stdin.take();
        let output = keeper.stdout.take().context("the keeper has no output")?;
        let mut first = String::new();
        BufReader::new(output).read_line(&mut first).context("the keeper said nothing")?;
        let pid = first.trim().parse().with_context(|| format!("can't start {}", binary.display()))?;
        Ok(Self { keeper, pipe, pid, log: log.to_owned() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Everything that it printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.keeper.try_wait(), Ok(None))
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.signal("KILL")?;
        self.wait(Duration::from_secs(10)).map(|_| ())
    }

    /// Asks it to end (SIGTERM) and waits for its exit code.
    pub fn stop(&mut self) -> anyhow::Result<i32> {
        self.signal("TERM")?;
        self.wait(Duration::from_secs(40))
    }

    /// Its exit code, once it ends; a signal counts as 128 and its number. Blocks.
    pub fn wait(&mut self, at_most: Duration) -> anyhow::Result<i32> {
        let until = Instant::now() + at_most;
        loop {
            if let Some(status) = self.keeper.try_wait()? {
                return status.code().context("the keeper was killed");
            }
            if Instant::now() > until {
                bail!("process {} did not end within {at_most:?}; its log:\n{}", self.pid, self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The id is ours as long as the keeper has not ended, since only the keeper can reap it.
    fn signal(&mut self, signal: &str) -> anyhow::Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        let sent = Command::new("/bin/kill").arg(format!("-{signal}")).arg(self.pid.to_string()).status()?;
        ensure!(sent.success() || self.has_ended(), "can't send SIG{signal} to process {}", self.pid);
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.keeper.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Program) {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-c".to_owned(), script.to_owned()];
        let program =
            Program::start(Path::new("/bin/sh"), &arguments, &[], &folder.path().join("log")).unwrap();
        (folder, program)
    }

    fn is_alive(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn its_exit_code_and_output_are_ours() {
        let (_folder, mut program) = shell("echo said; exit 7");
        assert_eq!(program.wait(Duration::from_secs(10)).unwrap(), 7);
        assert_eq!(program.log(), "said\n");
    }

    #[test]
    fn it_is_gone_after_the_drop() {
        let (_folder, program) = shell("exec sleep 60");
        let pid = program.pid();
        assert!(is_alive(pid));
        drop(program);
        assert!(!is_alive(pid));
    }

    #[test]
    fn it_is_gone_when_whoever_started_it_is_killed() {
        // A stand-in for the test process: a shell that holds the pipe of a keeper, and is killed.
        let folder = tempfile::tempdir().unwrap();
        let (log, pids) = (folder.path().join("log"), folder.path().join("pids"));
        let script = r#"mkfifo "$1.pipe"; /bin/sh -c "$3" keeper "$1" sleep 60 <"$1.pipe" >"$2" & exec sleep 61 >"$1.pipe""#;
        let mut parent = Command::new("/bin/sh");
        parent.args(["-c", script, "parent"]).arg(&log).arg(&pids).arg(KEEPER);
        let mut parent = parent.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        let pid: u32 = loop {
            match std::fs::read_to_string(&pids).unwrap_or_default().trim().parse() {
                Ok(pid) => break pid,
                Err(_) => assert!(Instant::now() < until, "the keeper never said a process id"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(is_alive(pid));
        parent.kill().unwrap();
        parent.wait().unwrap();
        while is_alive(pid) {
            assert!(Instant::now() < until, "process {pid} outlived its parent");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
