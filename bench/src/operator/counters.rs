//! How many requests each side has counted by itself: the operator in `kyb_operator_api_requests_total`, the API server in
//! `apiserver_request_total`, there of all clients together.

use std::collections::BTreeMap;

use anyhow::Context as _;

/// Requests so far, by verb and resource, without watches and leases: those go on at rest, too.
pub(super) type Counted = BTreeMap<String, f64>;

/// Reads the requests out of the text form of metrics.
pub(super) fn counted(text: &str, metric: &str) -> anyhow::Result<Counted> {
    let mut counted = Counted::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(metric)) {
        let (labels, value) = line.rsplit_once(' ').context("a metric without a value")?;
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_lowercase())
        };
        let (verb, resource) = (label("verb").unwrap_or_default(), label("resource").unwrap_or_default());
        if verb != "watch" && resource.split('.').next() != Some("leases") {
            *counted.entry(format!("{verb} {resource}")).or_default() += value.parse::<f64>()?;
        }
    }
    Ok(counted)
}

/// What was counted between two looks.
pub(super) fn since(before: &Counted, now: &Counted) -> Counted {
    let more = now.iter().map(|(what, count)| (what.clone(), count - before.get(what).unwrap_or(&0.0)));
    more.filter(|(_, more)| *more > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_and_leases_are_left_out_on_both_sides() {
        let ours = r#"# TYPE kyb_operator_api_requests counter
kyb_operator_api_requests_total{verb="get",resource="secrets",code="200"} 3
kyb_operator_api_requests_total{verb="get",resource="secrets",code="404"} 1
kyb_operator_api_requests_total{verb="watch",resource="pods",code="200"} 9
kyb_operator_api_requests_total{verb="update",resource="leases.coordination.k8s.io",code="200"} 9"#;
        let ours = counted(ours, "kyb_operator_api_requests_total").unwrap();
        assert_eq!(ours, Counted::from([("get secrets".to_owned(), 4.0)]));
        let theirs = r#"apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="GET",version="v1"} 5
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="WATCH",version="v1"} 7
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 7"#;
        let theirs = counted(theirs, "apiserver_request_total").unwrap();
        assert_eq!(since(&ours, &theirs), Counted::from([("get secrets".to_owned(), 1.0)]));
    }
}
