#![doc = include_str!("../README.md")]

mod answer;
mod faults;
mod plan;
mod record;
mod service;
mod target;
mod watch;

pub use faults::{Faults, Life};
pub use plan::{Fault, Plan, Point};
pub use record::{Record, Request};
pub use service::Faulty;
pub use target::{Target, Verb};
