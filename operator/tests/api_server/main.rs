//! The operator as the charts install it, against a real API server with its controller-manager. There are no nodes, so no pod
//! ever runs: what is checked here are the objects, what the status says of them, and who may do what.

mod conditions;
mod cuts;
mod deletions;
mod delivery;
mod examples;
mod here;
mod installation;
mod kubectl_kyb;
mod operator_rights;
mod pausing;
mod planning;
mod pod_rights;
mod policies;
mod protection;
mod regions;
mod requests;
mod restarts;
mod templates;
mod tenants;
mod tools;
mod upgrades;
