//! What a region gets where its spec says nothing, by environment. Applied in memory and shown in status: nothing that the
//! user did not write appears in a spec.

use kyb_crds::Environment;

/// The defaults of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Gateways, where no autoscaler is asked for.
    pub gateways: i32,
    /// Workers.
    pub workers: i32,
    /// What a gateway's container asks for and may use.
    pub gateway: Resources,
    /// What a worker's container asks for and may use.
    pub worker: Resources,
    /// The autoscaler's targets in percent of what is asked for.
    pub cpu_percent: i32,
    /// The same for memory.
    pub memory_percent: i32,
    /// What is set aside for a development database.
    pub storage: &'static str,
}

/// Requests and limits of one container, as Kubernetes quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Asked-for CPU.
    pub cpu: &'static str,
    /// Asked-for memory.
    pub memory: &'static str,
    /// The most CPU.
    pub cpu_limit: &'static str,
    /// The most memory.
    pub memory_limit: &'static str,
}

const FULL: Resources = Resources { cpu: "200m", memory: "256Mi", cpu_limit: "500m", memory_limit: "512Mi" };
const HALF: Resources = Resources { cpu: "100m", memory: "128Mi", cpu_limit: "250m", memory_limit: "256Mi" };

/// One replica, minimal.
const DEVELOPMENT: Profile = Profile {
    gateways: 1,
    workers: 1,
    gateway: HALF,
    worker: HALF,
    cpu_percent: 80,
    memory_percent: 80,
    storage: "1Gi",
};

/// Two replicas of half the size.
const STAGING: Profile = Profile { gateways: 2, workers: 1, cpu_percent: 70, ..DEVELOPMENT };

/// Three replicas or more.
const PRODUCTION: Profile = Profile {
    gateways: 3,
    workers: 2,
    gateway: FULL,
    worker: FULL,
    cpu_percent: 60,
    memory_percent: 70,
    storage: "10Gi",
};

impl Profile {
    /// Of an environment.
    pub fn of(environment: Environment) -> Self {
        match environment {
            Environment::Development => DEVELOPMENT,
            Environment::Staging => STAGING,
            Environment::Production => PRODUCTION,
        }
    }
}
