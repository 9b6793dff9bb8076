//! Regions run real pods, can be broken and mended, and go without a trace. These tests need root; elsewhere they say so and pass.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod test_lab;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use test_lab::{TestLab, entries, get, until};

/// A shell command that prints what `GET /` answers, by a name or an address, from a pod.
fn ask(host: &str, port: u16) -> String {
    format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {host} {port}")
}

/// Three pods that answer, behind a Service with a NodePort, with the limits and the security that ours have.
const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: docker.io/lab/tools:1
          imagePullPolicy: Never
          command: [sh, -c, "echo hello >/data/index.html && exec httpd -f -p 8080 -h /data"]
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 32Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
"#;

const CLAIM: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  restartPolicy: Never
  securityContext: {runAsNonRoot: true, runAsUser: 1234}
  containers:
    - name: writer
      image: docker.io/lab/tools:1
      imagePullPolicy: Never
      command: [sh, -c, "echo kept >/data/file"]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"#;

#[test]
fn regions_run_pods_are_cut_apart_and_go_without_a_trace() {
    let Some(lab) = TestLab::new("test-regions") else { return };
    let started = Instant::now();
    lab.run(&["up", "--regions", "2"]);
    eprintln!("two regions up: {:.1} s", started.elapsed().as_secs_f64());
    lab.run(&["status"]);
    for region in ["us-east-1", "us-west-2"] {
        pods_answer(&lab, region);
    }
    claims_get_a_folder(&lab, "us-east-1");
    cutting_and_mending(&lab);
    metrics_come(&lab, "us-east-1");
    a_second_up_starts_only_what_is_missing(&lab);
    a_cable_that_was_not_plugged_in_is(&lab);
    assert!(!lab.traces().is_empty(), "the check sees a lab");
    lab.run(&["down"]);
    assert_eq!(lab.traces(), Vec::<String>::new());
    assert!(!lab.output(&["status"]).status.success());
    lab.run(&["down"]);
}

fn pods_answer(lab: &TestLab, region: &str) {
    lab.apply(region, WEB);
    until("three pods ready", || {
        lab.kubectl(region, &["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"]) == "3"
    });
    let address = lab.run(&["address", region]);
    until("an answer on the NodePort", || get(&address, 30080).is_ok_and(|line| line.contains("200")));
    let from_pod =
        |command: &str| lab.kubectl(region, &["exec", "deployment/web", "--", "sh", "-c", command]);
    // Many times, so that each of the pods is asked, the asking one too.
    let service = ask("web.default.svc.cluster.local", 80);
    let said = from_pod(&format!("for i in 1 2 3 4 5 6 7 8 9 10; do {service} || exit 1; done"));
    assert_eq!(said.matches("hello").count(), 10, "{said}");
    let west = from_pod("nslookup us-west-2.lab");
    assert!(west.contains(&lab.run(&["address", "us-west-2"])), "{west}");
    let outside = lab.try_kubectl(region, &["exec", "deployment/web", "--", "nslookup", "example.invalid"]);
    assert!(String::from_utf8_lossy(&outside.stdout).contains("NXDOMAIN"), "at once, rather than a timeout");
    assert!(lab.kubectl(region, &["logs", "deployment/coredns", "-n", "kube-system"]).contains("CoreDNS"));
}

fn claims_get_a_folder(lab: &TestLab, region: &str) {
    lab.apply(region, CLAIM);
    let phase = || lab.kubectl(region, &["get", "pod", "writer", "-o", "jsonpath={.status.phase}"]);
    until("a pod that wrote into its volume", || phase() == "Succeeded");
    let volumes = lab.folder().join(region).join("volumes");
    let volume = entries(&volumes).next().unwrap();
    assert_eq!(std::fs::read_to_string(volume.join("file")).unwrap(), "kept\n");
    lab.kubectl(region, &["delete", "pod/writer", "pvc/data"]);
    until("the end of the volume", || entries(&volumes).next().is_none());
    until("the end of its object", || lab.kubectl(region, &["get", "pv", "-o", "name"]).is_empty());
}

fn cutting_and_mending(lab: &TestLab) {
    let west = lab.run(&["address", "us-west-2"]);
    let ask = ask("us-west-2.lab", 30080);
    let reaches = || {
        let output = lab.try_kubectl("us-east-1", &["exec", "deployment/web", "--", "sh", "-c", &ask]);
        String::from_utf8_lossy(&output.stdout).contains("hello")
    };
    assert!(reaches());
    lab.run(&["cut", "us-east-1", "--from", "us-west-2"]);
    assert!(!reaches());
    assert!(get(&west, 30080).is_ok(), "this machine still reaches it");
    lab.run(&["mend", "us-east-1"]);
    assert!(reaches());

    lab.run(&["cut", "us-west-2"]);
    assert!(!reaches() && get(&west, 30080).is_err());
    assert!(!lab.output(&["status"]).status.success());
    lab.kubectl("us-west-2", &["get", "nodes"]); // from inside
    lab.run(&["mend", "us-west-2"]);
    until("a region that is back", || get(&west, 30080).is_ok());
    lab.run(&["status"]);
}

fn metrics_come(lab: &TestLab, region: &str) {
    let path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods";
    let mut last = Value::Null;
    until("live metrics of three pods", || {
        let output = lab.try_kubectl(region, &["get", "--raw", path]);
        last = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        last["items"].as_array().is_some_and(|items| items.len() >= 3)
    });
    assert!(last["items"][0]["containers"][0]["usage"]["cpu"].is_string(), "{last}");
}

fn a_second_up_starts_only_what_is_missing(lab: &TestLab) {
    let before = lab.daemons("us-east-1");
    assert_eq!(before.len(), 8, "{before:?}");
    let started = Instant::now();
    lab.run(&["up", "--regions", "2"]);
    eprintln!("two regions up that were up: {:.1} s", started.elapsed().as_secs_f64());
    assert_eq!(lab.daemons("us-east-1"), before);

    let (_, kubelet) = before.iter().find(|(name, _)| name == "kubelet").unwrap();
    assert!(Command::new("kill").args(["-KILL", kubelet]).status().unwrap().success());
    until("kubelet's end", || !Path::new("/proc").join(kubelet).exists());
    assert!(lab.output(&["status"]).stdout.windows(7).any(|word| word == b"kubelet"));
    lab.run(&["up", "--regions", "2"]);
    let after = lab.daemons("us-east-1");
    let same = before.iter().filter(|daemon| after.contains(daemon)).count();
    assert_eq!((after.len(), same), (8, 7), "{after:?}");
    lab.run(&["status"]);
}

/// A cable as a run leaves it that is killed once it has made it.
fn a_cable_that_was_not_plugged_in_is(lab: &TestLab) {
    let unplug = ["-n", "test-regions-wan", "link", "set", "us-west-2", "nomaster", "down"];
    assert!(Command::new("ip").args(unplug).status().unwrap().success());
    assert!(!lab.output(&["status"]).status.success());
    lab.run(&["up", "--regions", "2"]);
    lab.run(&["status"]);
}

/// Starts `kyb-lab` and kills it once it has said so many lines; none if it ended before.
fn killed_after_lines(lab: &TestLab, arguments: &[&str], lines: usize) -> Option<()> {
    let mut child = lab.command(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let said =
        BufReader::new(child.stderr.take().unwrap()).lines().take(lines).filter_map(Result::ok).count();
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    (said == lines && !ended).then_some(())
}

/// Starts `kyb-lab` and kills it after so long; none if it ended before.
fn killed_after(lab: &TestLab, arguments: &[&str], time: Duration) -> Option<()> {
    let mut child = lab.command(arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(time); // the moment is what is tested
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    (!ended).then_some(())
}

#[test]
fn a_lab_comes_up_and_goes_after_having_been_killed_at_any_step() {
    let Some(lab) = TestLab::new("test-killed") else { return };
    let up = ["up", "--regions", "1"];
    let mut kills = 0;
    for moment in [5, 15, 30, 50, 80, 120, 200, 400].map(Duration::from_millis) {
        kills += u32::from(killed_after(&lab, &up, moment).is_some());
    }
    for lines in 0.. {
        if killed_after_lines(&lab, &up, lines).is_none() {
            break;
        }
        kills += 1;
    }
    eprintln!("killed {kills} times on its way up");
    assert!(kills >= 12, "{kills}");
    lab.run(&up);
    lab.run(&["status"]);
    assert_eq!(lab.daemons("us-east-1").len(), 8);
    assert_no_daemon_runs_twice(&lab);

    let mut kills = 0;
    for moment in [5, 10, 20, 40, 80, 160].map(Duration::from_millis) {
        kills += u32::from(killed_after(&lab, &["down"], moment).is_some());
    }
    assert!(kills >= 3, "{kills}");
    lab.run(&["down"]);
    assert_eq!(lab.traces(), Vec::<String>::new());

    // What is there after a kill on the way up is found by `down` alone.
    killed_after_lines(&lab, &up, 7).expect("a lab has more than seven steps");
    lab.run(&["down"]);
    assert_eq!(lab.traces(), Vec::<String>::new());
}

fn assert_no_daemon_runs_twice(lab: &TestLab) {
    let folder = format!("{}/", lab.folder().display());
    for (name, pid) in lab.daemons("us-east-1") {
        let of_this_lab = |process: &Path| {
            let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(&folder)
                && line
                    .split(' ')
                    .next()
                    .is_some_and(|program| program.ends_with(&format!("/{name}")) || program == name)
        };
        let others: Vec<_> = entries("/proc")
            .filter(|process| !process.ends_with(pid.trim()))
            .filter(|path| of_this_lab(path))
            .collect();
        assert_eq!(others, Vec::<PathBuf>::new(), "{name} beside {pid}");
    }
}
