//! Decision rules in CEL: compiled, checked, cost-limited and evaluated. No I/O.
//!
//! ```text
//! PolicySpec ─ compile ─► Policy ─ decide(Facts) ─► Decision
//!                │                   │
//!    source      │ bounds before the parser sees a rule      tenant's rules, in order ─► the first that holds
//!    check/      │ names, types and cost of its syntax tree  floor                    ─► may it be approved at all?
//!    samples     │ a trial on sample facts                   default_policy           ─► when no rule held
//! ```
//!
//! A rule is `{name, when, then, reason?}`; `when` is a CEL expression (<https://cel.dev>) that yields a bool. A policy
//! that compiles can't loop, can't fail to end in time, and names nothing that does not exist. Whatever a rule says,
//! nothing is approved unless the screening of the business and of everybody behind it found nothing on fresh lists:
//! that floor is in [`Policy::decide`], not in the rules.
//!
//! # What rules can see
//!
//! | variable | type | meaning |
//! |---|---|---|
//! | `risk.score` | int | 0 to 100 |
//! | `risk.level` | string | `low`, `medium`, `high` or `critical` |
//! | `risk.factors` | list of string | codes of the factors, heaviest first |
//! | `screening.status` | string | `in_review` if anyone matched, else `error` if anyone could not be screened in full, else `no_hit` |
//! | `screening.best_score` | double | the best match's score, 0 to 1; 0 without a match |
//! | `screening.second_evidence` | bool | whether some match has an attribute beside the name that agrees |
//! | `screening.matches` | list | at most 50, best first, each `{list, entry_id, score, second_evidence, programs}` |
//! | `checks.<name>` | string | `success`, `warning`, `failure`, `error` or `skipped`, for each of the ten checks |
//! | `business.country` | string | ISO 3166-1 alpha-2, `""` where not given |
//! | `business.name` | string | the registered name |
//! | `business.incorporated_on` | string | `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, `""` where not given |
//! | `business.legal_form` | string | as given, `""` where not given |
//! | `industry.code` | string | the best NAICS 2022 code, `""` where there is none |
//! | `industry.confidence` | double | 0 to 1; 0 without a code |
//!
//! Nothing is ever null: what is not known is an empty string, zero or an empty list.
//!
//! # Limits
//!
//! [`MOST_RULES`] rules; [`LONGEST_RULE`] characters each; [`MOST_OPERATORS`] operators and [`MOST_BRACKETS`] opening
//! brackets each; comprehensions nested [`DEEPEST_COMPREHENSION`] deep; [`RULE_COST`] cost units a rule and
//! [`POLICY_COST`] a policy. A unit is one step of the evaluation or 64 bytes copied or compared, about 0.1 µs.

mod check;
mod compile;
mod decide;
mod default_policy;
mod error;
mod facts;
mod floor;
mod samples;
mod source;
mod spec;
mod vocabulary;

pub use check::{DEEPEST_COMPREHENSION, RULE_COST};
pub use compile::{MOST_RULES, POLICY_COST};
pub use decide::Policy;
pub use default_policy::STRONG_NAME;
pub use error::{PolicyError, RuleProblem};
pub use facts::{Facts, MOST_MATCHES};
pub use source::{LONGEST_RULE, MOST_BRACKETS, MOST_OPERATORS};
pub use spec::{PolicySpec, Rule};
pub use vocabulary::{Variable, variables};
