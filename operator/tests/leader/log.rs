//! The audit log as it grows, and the policy that keeps it small: a long burst would else fill a disk.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use kyb_lab::AuditEvent;

/// What is recorded: writes, with the Lease itself where it is one.
const POLICY: &str = "
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
  - level: Metadata
    nonResourceURLs: ['/version*']
  - level: None
    verbs: [get, list, watch]
  - level: RequestResponse
    resources: [{group: coordination.k8s.io, resources: [leases]}]
  - level: Metadata
";

/// Writes the policy and gives the flags of the API server that follow from it.
pub(crate) fn flags(folder: &Path) -> anyhow::Result<Vec<String>> {
    let policy = folder.join("audit-policy.yaml");
    std::fs::write(&policy, POLICY)?;
    // Never turned over: whoever reads along keeps one file open.
    Ok(vec![format!("--audit-policy-file={}", policy.display()), "--audit-log-maxsize=100000".into()])
}

/// A reader of the log that goes on where it stopped.
pub(crate) struct Log {
    path: PathBuf,
    file: Option<File>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Log {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, rest: Vec::new() }
    }

    /// What was added since the last time.
    pub(crate) fn read_on(&mut self) -> anyhow::Result<Vec<AuditEvent>> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path).context("there is no audit log")?),
        };
        file.read_to_end(&mut self.rest)?;
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
    }
}
