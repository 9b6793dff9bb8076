//! Real Kubernetes on one machine, without Docker and without a registry.
//!
//! [`ControlPlane`] is for tests of controllers: the real API server, ready in seconds, gone with the value. Whole regions with
//! pods are made by the program `kyb-lab`; what is below serves both.
//!
//! | module | what |
//! |---|---|
//! | [`build`] | builds Kubernetes and a few tools, once a machine |
//! | [`audit`] | the API server's record of every request |
//! | [`control_plane`] | a control plane for one test binary |
//! | [`region`] | whole regions with pods |
//! | [`images`] | images without a registry |
//! | [`error`] | what can go wrong |
//! | `components` | the arguments of etcd, kube-apiserver and the others |
//! | `certificates`, `kubeconfig` | who is who |
//! | `machine` | what a region takes of the machine: namespaces, cgroups, mounts, processes |

pub mod audit;
pub mod build;
pub mod control_plane;
pub mod error;
pub mod images;
pub mod region;

mod cache;
mod certificates;
mod command;
mod components;
mod files;
mod kubeconfig;
mod machine;
mod requests;
mod steps;
mod waiting;

pub use audit::{AuditEvent, AuditLog, Mark};
pub use build::{Binaries, Tool};
pub use control_plane::{ControlPlane, Options, Process};
pub use error::{LabError, Result};
pub use region::{Lab, LabName, REGIONS, RegionStatus};
