//! One folder or file a kind. Each goes the same way: dereference (all reads), validate, build (pure), apply, status.

pub(crate) mod cache_policy;
mod leftovers;
pub(crate) mod region;
pub(crate) mod tenant;
