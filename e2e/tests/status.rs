//! What kstatus and Argo CD make of the platform's statuses: the tests of e2e/status, which run both as they are.

use std::process::Command;

use anyhow::ensure;

#[test]
fn tools_of_others_read_our_statuses_as_they_are_meant() -> anyhow::Result<()> {
    // What they read lies outside the module, where Go's cache of results does not look.
    let status = Command::new("go").args(["test", "-count=1", "./..."]).current_dir("status").status()?;
    ensure!(status.success(), "go test: {status}");
    Ok(())
}
