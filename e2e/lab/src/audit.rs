//! The API server's own record of every request: what the tests of "no write", "no read" and "no late write" look at.
//!
//! Writes are recorded with what was sent and what came back, reads without; the reads of Kubernetes's own components are left
//! out. The log is written before a request counts as done, one JSON object a line.

use std::{
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::error::{LabError, Result};

/// The policy that [`AuditLog`] is written by.
pub(crate) const POLICY: &str = include_str!("audit-policy.yaml");

/// The file that an API server records its requests in.
#[derive(Debug, Clone)]
pub struct AuditLog {
    path: PathBuf,
}

/// A place in an audit log, to look only at what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// One request and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The same in all events of one request.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// `ResponseComplete`; `ResponseStarted` for a watch that has begun; `Panic`.
    pub stage: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`. A server-side apply is `patch`, even
    /// where it creates.
    pub verb: String,
    /// With its query, which names the field manager of an apply and says whether it was a dry run.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Who asked.
    pub user: AuditUser,
    /// In whose name, if in another's.
    pub impersonated_user: Option<AuditUser>,
    /// How the client calls itself.
    #[serde(default)]
    pub user_agent: String,
    /// What about; none for a path such as `/version`.
    pub object_ref: Option<ObjectRef>,
    /// The answer's code.
    pub response_status: Option<ResponseStatus>,
    /// What was sent with a write.
    pub request_object: Option<Value>,
    /// What came back from a write.
    pub response_object: Option<Value>,
    /// RFC 3339 with microseconds: when the request came in.
    pub request_received_timestamp: String,
    /// RFC 3339 with microseconds: when it was answered.
    pub stage_timestamp: String,
}

/// Who asked for something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AuditUser {
    /// Such as `system:serviceaccount:kyb-system:kyb-operator`.
    #[serde(default)]
    pub username: String,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// What a request was about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// The plural, such as `configmaps`.
    pub resource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty for lists, and for names that the server generates.
    pub name: String,
    /// Empty for the core group.
    pub api_group: String,
    /// Such as `v1`.
    pub api_version: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// Of the object that was sent, if it said one.
    pub uid: String,
    /// Of the object that was sent, if it said one.
    pub resource_version: String,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ResponseStatus {
    /// An HTTP status.
    #[serde(default)]
    pub code: u16,
}

impl AuditEvent {
    /// Whether it asked for a change; a dry run does not.
    pub fn is_write(&self) -> bool {
        let writes = ["create", "update", "patch", "delete", "deletecollection"];
        writes.contains(&self.verb.as_str()) && !self.is_dry_run() && !self.is_question()
    }

    /// Of a deletion that sends options the server reads those alone, whatever its query says.
    fn is_dry_run(&self) -> bool {
        let options = self.request_object.as_ref().filter(|object| object["kind"] == "DeleteOptions");
        match options {
            Some(options) => {
                options["dryRun"].as_array().is_some_and(|stages| stages.iter().any(|stage| stage == "All"))
            }
            None => self.request_uri.contains("dryRun=All"),
        }
    }

    /// In whose name it was made.
    pub fn username(&self) -> &str {
        &self.impersonated_user.as_ref().unwrap_or(&self.user).username
    }

    /// The plural of the kind, empty where there is none.
    pub fn resource(&self) -> &str {
        self.object_ref.as_ref().map_or("", |object| &object.resource)
    }

    /// The answer's code; 0 while there is none.
    pub fn code(&self) -> u16 {
        self.response_status.map_or(0, |status| status.code)
    }

    /// Reviews are created, but only ask: whether a token is good, whether something is allowed.
    fn is_question(&self) -> bool {
        self.resource().ends_with("reviews")
    }
}

impl AuditLog {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The end of the last whole line as of now. A request that was just answered may still be missing: see
    /// `ControlPlane::audit_mark`.
    pub fn mark(&self) -> Result<Mark> {
        let mut file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Mark(0)),
            Err(error) => return Err(LabError::file("look at", &self.path)(error)),
        };
        last_line_end(&mut file).map(Mark).map_err(LabError::file("read", &self.path))
    }

    /// All events so far.
    pub fn events(&self) -> Result<Vec<AuditEvent>> {
        self.since(Mark(0))
    }

    /// The events after a mark, in the order in which they were answered.
    pub fn since(&self, mark: Mark) -> Result<Vec<AuditEvent>> {
        let failed = || LabError::file("read", &self.path);
        let mut file = std::fs::File::open(&self.path).map_err(failed())?;
        file.seek(SeekFrom::Start(mark.0)).map_err(failed())?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed())?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]); // the last line may be half-written
        whole.lines().map(parse).collect()
    }
}

/// Behind the last newline; 0 where there is none.
fn last_line_end(file: &mut (impl Read + Seek)) -> std::io::Result<u64> {
    const STEP: u64 = 64 * 1024;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        file.by_ref().take(end - start).read_to_end(&mut part)?;
        if let Some(newline) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn parse(line: &str) -> Result<AuditEvent> {
    serde_json::from_str(line).map_err(|error| LabError::Garbled {
        what: "a line of the audit log".into(),
        why: format!("{error}: {line}"),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(verb: &str, resource: &str, uri: &str) -> String {
        format!(
            r#"{{"kind":"Event","auditID":"1","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}","user":{{"username":"eve"}},"objectRef":{{"resource":"{resource}","name":"x"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"2026-01-01T00:00:00.000001Z"}}"#
        )
    }

    #[test]
    fn reads_questions_and_dry_runs_are_no_writes() {
        let is_write = |verb, resource, uri| parse(&line(verb, resource, uri)).unwrap().is_write();
        assert!(is_write(
            "patch",
            "configmaps",
            "/api/v1/namespaces/a/configmaps/x?fieldManager=kyb&force=true"
        ));
        assert!(is_write("create", "leases", "/"));
        assert!(is_write("deletecollection", "secrets", "/"));
        assert!(!is_write("watch", "configmaps", "/"));
        assert!(!is_write("patch", "configmaps", "/api/v1/namespaces/a/configmaps/x?dryRun=All"));
        assert!(!is_write("create", "selfsubjectaccessreviews", "/"));
    }

    #[test]
    fn a_deletion_with_options_is_dry_only_where_they_say_so() {
        let deletion = |options: &str| {
            let line = line("delete", "configmaps", "/api/v1/namespaces/a/configmaps/x?dryRun=All");
            parse(&line.replace(r#""verb""#, &format!(r#""requestObject":{options},"verb""#))).unwrap()
        };
        assert!(deletion(r#"{"kind":"DeleteOptions"}"#).is_write());
        assert!(!deletion(r#"{"kind":"DeleteOptions","dryRun":["All"]}"#).is_write());
    }

    #[test]
    fn only_whole_lines_after_the_mark_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog::at(folder.path().join("audit.log"));
        assert_eq!(log.mark().unwrap(), Mark(0), "no file yet");
        let mut file = std::fs::File::create(log.path()).unwrap();
        writeln!(file, "{}", line("get", "pods", "/first")).unwrap();
        let mark = log.mark().unwrap();
        writeln!(file, "{}", line("get", "pods", "/second")).unwrap();
        write!(file, "{{\"half").unwrap();
        let uris =
            |events: Vec<AuditEvent>| events.into_iter().map(|event| event.request_uri).collect::<Vec<_>>();
        assert_eq!(uris(log.since(mark).unwrap()), ["/second"]);
        assert_eq!(uris(log.events().unwrap()), ["/first", "/second"]);
    }
}
