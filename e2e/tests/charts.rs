//! Charts, overlays and `install.yaml` hold together, as far as that can be told without a cluster.

use std::{path::Path, process::Command};

use anyhow::ensure;
use kyb_lab::{Binaries, Tool};

#[test]
fn what_installs_the_operator_is_whole_and_refuses_what_it_should() -> anyhow::Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let script = Path::new("../charts/test.sh");
    let status = Command::new(script)
        .env("HELM", Tool::Helm.ensure()?)
        .env("PATH", format!("{}:{path}", Binaries::ensure()?.folder().display()))
        .status()?;
    ensure!(status.success(), "charts/test.sh: {status}");
    Ok(())
}
