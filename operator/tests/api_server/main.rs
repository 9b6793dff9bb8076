//! The operator as a process against a real API server with its controller-manager. There are no nodes, so no pod ever
//! runs: what is checked here are the objects and what the status says of them.

mod conditions;
mod installation;
mod regions;
mod restarts;
mod tenants;
