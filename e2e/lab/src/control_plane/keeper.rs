//! The shell script that owns the programs and their folder, and the pipe to it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::{
    command::quoted,
    components::Program,
    error::{LabError, Result},
    files,
};

const SCRIPT: &str = include_str!("keeper.sh");

/// A running keeper. Its end of the pipe is closed on exec, so no other child of ours keeps it alive.
#[derive(Debug)]
pub(crate) struct Keeper {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Keeper {
    /// Hands `folder` over to a new keeper.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        for part in ["run", "log", "pid"] {
            files::make_folder(&folder.join(part))?;
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "kyb-lab-keeper"]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.current_dir("/").process_group(0); // out of reach of Ctrl-C
        // Kubernetes's programs collect their garbage later than by themselves: they live for minutes, and time is dearer than memory.
        command.env("GOGC", "400");
        // Unless they hold so much that several of them would fill the machine, as with ten thousand tenants.
        command.env("GOMEMLIMIT", "4GiB");
        let mut process = command.spawn().map_err(broken)?;
        let (commands, answers) = (process.stdin.take(), process.stdout.take());
        let answers = BufReader::new(answers.ok_or_else(closed)?);
        Ok(Self { process, commands, answers, folder: folder.to_owned() })
    }

    /// Starts a program, which is known by its name from then on, and returns its process id.
    pub(crate) fn run(&mut self, program: &Program) -> Result<u32> {
        let words =
            std::iter::once(program.path.display().to_string()).chain(program.arguments.iter().cloned());
        let line: Vec<String> = words.map(|word| quoted(&word)).collect();
        files::write(
            &self.folder.join("run").join(program.name),
            format!("exec {}\n", line.join(" ")),
            false,
        )?;
        self.start_again(program.name)
    }

    /// Starts a program that ran before and was killed.
    pub(crate) fn start_again(&mut self, name: &str) -> Result<u32> {
        let answer = self.ask(&format!("start {name}"))?;
        answer.parse().map_err(|_| closed())
    }

    /// Kills a program and waits for its end.
    pub(crate) fn kill(&mut self, name: &str) -> Result<()> {
        self.ask(&format!("kill {name}")).map(|_| ())
    }

    /// Sends a signal, such as `STOP`.
    pub(crate) fn signal(&mut self, name: &str, signal: &str) -> Result<()> {
        match self.ask(&format!("signal {name} {signal}"))?.as_str() {
            "done" => Ok(()),
            _ => Err(LabError::Ended { program: name.into(), log: files::tail(&self.log(name)) }),
        }
    }

    /// Waits until a program that was sent SIGSTOP has stopped: each of its threads does so when its turn on a processor comes, and may
    /// answer somebody before.
    pub(crate) fn until_stopped(&self, name: &str) -> Result<()> {
        let Some(pid) = files::read_if_any(&self.folder.join("pid").join(name))? else { return Ok(()) };
        let threads = PathBuf::from(format!("/proc/{}/task", pid.trim()));
        loop {
            let entries = fs::read_dir(&threads).map_err(LabError::file("read", &threads))?;
            let mut states =
                entries.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
            // The state comes after the name, which stands in parentheses and may contain some (proc_pid_stat(5)).
            let has_stopped =
                |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'));
            if states.all(has_stopped) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Fails if a program that was started has ended by itself.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        let Some(pid) = files::read_if_any(&self.folder.join("pid").join(name))? else { return Ok(()) };
        if is_alive(pid.trim()) {
            return Ok(());
        }
        Err(LabError::Ended { program: name.into(), log: files::tail(&self.log(name)) })
    }

    /// Where a program writes what it has to say.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("log").join(format!("{name}.log"))
    }

    fn ask(&mut self, command: &str) -> Result<String> {
        let pipe = self.commands.as_mut().ok_or_else(closed)?;
        writeln!(pipe, "{command}").map_err(broken)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(broken)?;
        if answer.ends_with('\n') { Ok(answer.trim_end().to_owned()) } else { Err(closed()) }
    }
}

/// Closes the pipe and waits until the keeper has cleaned up.
impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.process.wait();
    }
}

/// Neither gone nor a zombie. The keeper reaps only what it kills, so the id can't be another's.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn broken(source: std::io::Error) -> LabError {
    LabError::Spawn { doing: "look after a control plane".into(), command: "/bin/sh".into(), source }
}

fn closed() -> LabError {
    broken(std::io::ErrorKind::BrokenPipe.into())
}
