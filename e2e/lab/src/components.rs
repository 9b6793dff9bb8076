//! The arguments of Kubernetes's components, for a control plane on its own and for a region alike.
//!
//! Pure: what is chosen (addresses, ports, folders) comes in as a [`Layout`], what comes out is a [`Program`].

use std::path::PathBuf;

use crate::{build::Binaries, certificates::Certificates};

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// Which names its log too.
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// What differs from one control plane to the next.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) binaries: Binaries,
    pub(crate) certificates: Certificates,
    /// Where the cluster keeps its data and kubeconfigs.
    pub(crate) folder: PathBuf,
    /// The address that the API server listens on and says it has.
    pub(crate) address: String,
    pub(crate) api_server_port: u16,
    pub(crate) etcd_port: u16,
    pub(crate) etcd_peer_port: u16,
    /// The addresses that ClusterIPs are taken from.
    pub(crate) service_range: String,
    /// The addresses of pods; none where there are no nodes.
    pub(crate) pod_range: Option<String>,
}

impl Layout {
    /// Where clients reach the API server.
    pub(crate) fn url(&self) -> String {
        format!("https://{}:{}", self.address, self.api_server_port)
    }

    /// The kubeconfig of a component, or of `admin`.
    pub(crate) fn kubeconfig(&self, name: &str) -> PathBuf {
        self.folder.join("kubeconfigs").join(name)
    }

    /// Every request, as the API server saw it.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    pub(crate) fn audit_policy(&self) -> PathBuf {
        self.folder.join("audit-policy.yaml")
    }

    fn has_nodes(&self) -> bool {
        self.pod_range.is_some()
    }

    fn program(&self, name: &'static str, arguments: Vec<String>) -> Program {
        Program { name, path: self.binaries.path(name), arguments }
    }

    fn certificate(&self, file: &str) -> String {
        self.certificates.path(file).display().to_string()
    }

    /// Without syncing to disk: nothing here has to outlive a power cut.
    pub(crate) fn etcd(&self) -> Program {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.etcd_peer_port);
        self.program(
            "etcd",
            vec![
                "--name=lab".into(),
                format!("--data-dir={}", self.folder.join("etcd").display()),
                format!("--listen-client-urls={client}"),
                format!("--advertise-client-urls={client}"),
                format!("--listen-peer-urls={peer}"),
                format!("--initial-advertise-peer-urls={peer}"),
                format!("--initial-cluster=lab={peer}"),
                "--unsafe-no-fsync".into(),
                "--log-level=warn".into(),
            ],
        )
    }

    pub(crate) fn api_server(&self, further: &[String]) -> Program {
        let mut arguments = vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
            format!("--bind-address={}", if self.has_nodes() { "0.0.0.0" } else { &self.address }),
            format!("--advertise-address={}", self.address),
            format!("--secure-port={}", self.api_server_port),
            format!("--service-cluster-ip-range={}", self.service_range),
            format!("--client-ca-file={}", self.certificate("ca.crt")),
            format!("--tls-cert-file={}", self.certificate("kube-apiserver.crt")),
            format!("--tls-private-key-file={}", self.certificate("kube-apiserver.key")),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-key-file={}", self.certificate("service-account.pub")),
            format!("--service-account-signing-key-file={}", self.certificate("service-account.key")),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--allow-privileged=true".into(),
            format!("--audit-policy-file={}", self.audit_policy().display()),
            format!("--audit-log-path={}", self.audit_log().display()),
            "--audit-log-mode=blocking".into(), // written before a request counts as done
            "--audit-log-maxsize=1000".into(), // MB; readers of the log keep their place in it, so no early turning
            "--audit-log-maxbackup=1".into(),
            "--profiling=false".into(),
        ];
        arguments.extend(self.aggregation());
        arguments.extend(if self.has_nodes() { self.kubelet_access() } else { no_endpoint() });
        arguments.extend_from_slice(further);
        self.program("kube-apiserver", arguments)
    }

    /// What lets another server, such as metrics-server, answer for a part of the API.
    fn aggregation(&self) -> Vec<String> {
        vec![
            format!("--requestheader-client-ca-file={}", self.certificate("front-proxy-ca.crt")),
            "--requestheader-allowed-names=front-proxy-client".into(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
            "--requestheader-group-headers=X-Remote-Group".into(),
            "--requestheader-username-headers=X-Remote-User".into(),
            format!("--proxy-client-cert-file={}", self.certificate("front-proxy-client.crt")),
            format!("--proxy-client-key-file={}", self.certificate("front-proxy-client.key")),
        ]
    }

    /// How the API server reaches kubelets, for logs and exec: by address, since nothing resolves a node's name.
    fn kubelet_access(&self) -> Vec<String> {
        vec![
            format!("--kubelet-client-certificate={}", self.certificate("kubelet-client.crt")),
            format!("--kubelet-client-key={}", self.certificate("kubelet-client.key")),
            format!("--kubelet-certificate-authority={}", self.certificate("ca.crt")),
            "--kubelet-preferred-address-types=InternalIP".into(),
        ]
    }

    /// Only once the API server is ready: before that the roles that it needs do not exist, and it gives up.
    pub(crate) fn controller_manager(&self) -> Program {
        let mut arguments = self.as_controller("kube-controller-manager");
        arguments.extend([
            "--use-service-account-credentials=true".into(),
            format!("--root-ca-file={}", self.certificate("ca.crt")),
            format!("--service-account-private-key-file={}", self.certificate("service-account.key")),
            format!("--cluster-signing-cert-file={}", self.certificate("ca.crt")),
            format!("--cluster-signing-key-file={}", self.certificate("ca.key")),
            format!("--service-cluster-ip-range={}", self.service_range),
            // Metrics come every 10 s here; looking every 15 s, as usual, would only make tests of autoscalers longer.
            "--horizontal-pod-autoscaler-sync-period=5s".into(),
        ]);
        if let Some(pods) = &self.pod_range {
            arguments.extend(["--allocate-node-cidrs=true".into(), format!("--cluster-cidr={pods}")]);
        }
        self.program("kube-controller-manager", arguments)
    }

    pub(crate) fn scheduler(&self) -> Program {
        self.program("kube-scheduler", self.as_controller("kube-scheduler"))
    }

    /// One of each, so no election; nobody asks for their metrics, so no port.
    fn as_controller(&self, name: &str) -> Vec<String> {
        let kubeconfig = self.kubeconfig(name).display().to_string();
        vec![
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            format!("--authorization-kubeconfig={kubeconfig}"),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            "--profiling=false".into(),
            // Tests make a hundred tenants at once; at the usual 20 requests a second they would wait for this.
            "--kube-api-qps=200".into(),
            "--kube-api-burst=400".into(),
        ]
    }
}

/// A server on loopback has no address that pods could use, so it doesn't try to publish one.
fn no_endpoint() -> Vec<String> {
    vec!["--endpoint-reconciler-type=none".into()]
}
