//! One screen: what is there, what is not ready, why, and since when.

use kube::{
    Api, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport};
use serde::Serialize;
use serde_json::Value;

use super::{
    Cluster, KubectlError,
    health::condition,
    output::{Answer, table},
};

/// All objects of ours, in all of the clusters.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    objects: Vec<Row>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// `True`, `False`, or `Unknown` where nothing is said yet, or of an older spec.
    ready: String,
    reason: String,
    message: String,
    since: Option<String>,
    paused: bool,
}

pub(crate) async fn status(clusters: &[Cluster]) -> Result<Status, KubectlError> {
    let mut objects = Vec::new();
    for cluster in clusters {
        for resource in kinds() {
            let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
            let list = api.list(&ListParams::default()).await;
            let list = list.map_err(KubectlError::request(format!("list {}", resource.plural)))?;
            objects.extend(list.into_iter().map(|object| Row::of(&cluster.name, &resource.kind, &object)));
        }
    }
    Ok(Status { objects })
}

/// Our kinds, in the order in which they are shown.
pub(crate) fn kinds() -> [ApiResource; 4] {
    [
        ApiResource::erase::<KybTenant>(&()),
        ApiResource::erase::<RegionDeployment>(&()),
        ApiResource::erase::<CachePolicy>(&()),
        ApiResource::erase::<RegionReport>(&()),
    ]
}

impl Row {
    fn of(cluster: &str, kind: &str, object: &DynamicObject) -> Self {
        let is_current = object.data["status"]["observedGeneration"].as_i64() >= object.metadata.generation;
        let ready = condition(&object.data, "Ready").cloned().unwrap_or(Value::Null);
        let text = |field: &str| ready[field].as_str().map(str::to_owned);
        let (status, reason) = match text("status") {
            None => ("Unknown".to_owned(), "NoStatus".to_owned()),
            Some(_) if !is_current && kind != "RegionReport" => {
                ("Unknown".to_owned(), "OlderSpec".to_owned())
            }
            Some(status) => (status, text("reason").unwrap_or_default()),
        };
        Self {
            cluster: cluster.to_owned(),
            kind: kind.to_owned(),
            namespace: object.namespace(),
            name: object.name_any(),
            ready: status,
            reason,
            message: text("message").unwrap_or_default(),
            since: text("lastTransitionTime"),
            paused: object.data["spec"]["paused"] == true,
        }
    }

    fn called(&self) -> String {
        let cluster = if self.cluster.is_empty() { String::new() } else { format!("{}: ", self.cluster) };
        let within = self.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
        format!("{cluster}{} {within}{}", self.kind, self.name)
    }
}

impl Answer for Status {
    fn text(&self) -> String {
        if self.objects.is_empty() {
            return "Nothing is there yet; see examples/quickstart.".to_owned();
        }
        let rows = self.objects.iter().map(|row| {
            let reason = if row.paused { format!("{} (paused)", row.reason) } else { row.reason.clone() };
            [row.called(), row.ready.clone(), reason, row.since.clone().unwrap_or_default()]
        });
        let unwell: Vec<_> = self.objects.iter().filter(|row| row.ready != "True").collect();
        let summary = format!("\n{} of {} ready", self.objects.len() - unwell.len(), self.objects.len());
        let why = unwell.iter().map(|row| format!("{}: {}: {}", row.called(), row.reason, row.message));
        let table = table(["OBJECT", "READY", "REASON", "SINCE"], rows);
        [table, summary].into_iter().chain(why).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(object: Value) -> Row {
        Row::of("", "KybTenant", &serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_status_of_an_older_spec_says_nothing_of_this_one() {
        let object = |observed: i64| {
            json!({
                "metadata": {"name": "acme", "generation": 2},
                "status": {"observedGeneration": observed, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}]},
            })
        };
        assert_eq!(row(object(2)).ready, "True");
        let older = row(object(1));
        assert_eq!((older.ready.as_str(), older.reason.as_str()), ("Unknown", "OlderSpec"));
        let new = row(json!({"metadata": {"name": "acme", "generation": 1}}));
        assert_eq!((new.ready.as_str(), new.reason.as_str()), ("Unknown", "NoStatus"));
    }

    #[test]
    fn a_row_says_what_the_condition_says_and_what_is_paused() {
        let object = json!({
            "metadata": {"name": "acme", "namespace": "one", "generation": 1},
            "spec": {"paused": true},
            "status": {"observedGeneration": 1, "conditions": [
                {"type": "Other", "status": "True", "reason": "No", "message": "no"},
                {"type": "Ready", "status": "False", "reason": "NoRegion", "message": "why", "lastTransitionTime": "then"},
            ]},
        });
        let stopped = row(object.clone());
        assert_eq!(
            (stopped.ready.as_str(), stopped.reason.as_str(), stopped.message.as_str()),
            ("False", "NoRegion", "why")
        );
        assert_eq!((stopped.since.as_deref(), stopped.paused), (Some("then"), true));
        assert_eq!(stopped.called(), "KybTenant one/acme");
        let mut going = object.clone();
        going["spec"]["paused"] = false.into();
        going["metadata"]["namespace"] = Value::Null;
        let going = Row { cluster: "eu".to_owned(), ..row(going) };
        assert_eq!((going.paused, going.called()), (false, "eu: KybTenant acme".to_owned()));
        // A worker writes reports of what it saw; they have no spec that could be newer.
        let mut report = object;
        report["metadata"]["generation"] = 9.into();
        let of = |kind: &str| Row::of("", kind, &serde_json::from_value(report.clone()).unwrap());
        assert_eq!((of("RegionReport").ready.as_str(), of("KybTenant").ready.as_str()), ("False", "Unknown"));

        let text = Status { objects: vec![stopped, going] }.text();
        assert!(text.contains("NoRegion (paused)") && text.contains("0 of 2 ready"), "{text}");
        assert!(
            text.ends_with("KybTenant one/acme: NoRegion: why\neu: KybTenant acme: NoRegion: why"),
            "{text}"
        );
    }
}
