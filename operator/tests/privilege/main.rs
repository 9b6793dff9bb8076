//! Least privilege, against a real API server: what the chart grants is needed, nothing that is needed is missing, and nothing
//! reaches beyond its place.
//!
//! | module | the claim |
//! |---|---|
//! | `needed` | each grant of each role, taken away, is missed: [`table`] says by whom |
//! | `namespaced` | with `rbac.scope=namespaces` the operator works in the listed namespaces, and sees nothing of any other |
//! | `references` | whatever a spec names, the operator asks only in the namespaces that are the object's own |
//! | `pod_security` | the operator's pods, and all that it makes, run under the Pod Security level `restricted` |

#[path = "../api_server/here.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use all of it")]
mod here;
#[path = "../api_server/policies.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use all of it")]
mod policies;

mod grants;
mod installation;
mod namespaced;
mod needed;
mod pod_security;
mod references;
mod scenarios;
mod stage;
mod table;
