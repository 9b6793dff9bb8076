//! Risk factors whose points add up to a score from 0 to 100.
//!
//! [`assess`] asks each factor of one table ([`FACTORS`]) whether it applies and why, puts the ones that do in order, heaviest
//! first, and cuts the last so that the points listed add up to the score exactly. A factor says how bad something is; how
//! sure a match is says the screening. Ignorance adds points: what was not checked is not taken to be in order.

mod assess;
mod countries;
mod factors;
mod industries;
mod ownership;

pub use assess::{MODEL, RiskInput, assess};
pub use countries::{CALL_FOR_ACTION, FATF_DATE, INCREASED_MONITORING};
pub use factors::{FACTORS, Factor};
pub use industries::{HIGH_RISK_INDUSTRIES, HighRiskIndustry};
pub use ownership::{KNOWN_ENOUGH, Shares, shares};
