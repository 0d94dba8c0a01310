//! What a scenario says of peers, workloads and faults: plain values, as written and as read back.
//!
//! | module | what |
//! |---|---|
//! | [`group`] | groups of peers, how they join and start |
//! | [`select`] | which peers are meant |
//! | [`workload`] | what people ask |
//! | [`arrivals`] | when they ask |
//! | [`popularity`] | which of several names they ask for |
//! | [`fault`] | what goes wrong |
//! | [`links`] | what goes wrong between peers |
//! | [`process`] | what goes wrong with a peer's process |
//! | [`recorded`] | comings and goings as somebody recorded them |
//! | [`distribution`] | laws of random spans |
//!
//! Shapes are checked by their types; what concerns more than one part (an unknown group, a window beyond the
//! duration) is `crate::problems`'.

pub mod arrivals;
pub mod distribution;
pub mod fault;
pub mod group;
pub mod links;
pub mod popularity;
pub mod process;
pub mod recorded;
pub mod select;
pub mod workload;

pub use arrivals::{Arrivals, Closed, Open, Puts, Recorded, Stage, Stages};
pub use distribution::{Distribution, Exponential, Lognormal, Pareto, Weibull};
pub use fault::{Churn, Crash, Data, Fault, Leave, Restart};
pub use group::{Group, Join, Start};
pub use links::{Clog, Direction, Division, Duplicate, Loss, Partition, Reorder};
pub use popularity::{Popularity, Zipf};
pub use process::{Freeze, Skew, Wrong};
pub use recorded::{RecordedChurn, Session, SessionError, Sessions};
pub use select::{Amount, GroupNames, Mode, Select, SelectError, Value};
pub use workload::{Lookups, Providers, Records, Target, Workload};
