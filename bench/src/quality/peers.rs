//! Engines that are written in Python, where it can install them: an environment of their own, made once.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::Scored;

/// What is installed, each at one version, so that figures can be repeated.
const PACKAGES: [&str; 2] = ["nomenklatura==4.17.4", "rapidfuzz==3.14.6"];
const PROGRAM: &str = include_str!("peers.py");

/// What they make of the pairs in a file.
pub(crate) async fn scores(pairs: &Path) -> anyhow::Result<Vec<Scored>> {
    let python = environment().await?;
    let output = Command::new(python).arg("-c").arg(PROGRAM).arg(pairs).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "{}", last_line(&output.stderr));
    output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(read).collect()
}

fn read(line: &[u8]) -> anyhow::Result<Scored> {
    serde_json::from_slice(line).context("what the engines printed is not understood")
}

/// The interpreter of the environment, which is made unless it is there.
async fn environment() -> anyhow::Result<PathBuf> {
    let programs = std::env::current_exe()?;
    let target = programs.ancestors().nth(2).context("the program lies in no target folder")?;
    let folder = target.join("peers").join(PACKAGES.join("+").replace("==", "-"));
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    if !ready.exists() {
        eprintln!("quality: installs {} for Python", PACKAGES.join(" and "));
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES)).await?;
        std::fs::write(ready, "")?;
    }
    Ok(python)
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "{}", last_line(&output.stderr));
    Ok(())
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().last().unwrap_or("it failed without a word").to_owned()
}
