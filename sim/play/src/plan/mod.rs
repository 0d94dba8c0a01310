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
//! | [`distribution`] | laws of random spans |
//!
//! Shapes are checked by their types; what concerns more than one part (an unknown group, a window beyond the
//! duration) is `crate::problems`'.

pub mod arrivals;
pub mod distribution;
pub mod fault;
pub mod group;
pub mod popularity;
pub mod select;
pub mod workload;

pub use arrivals::{Arrivals, Closed, Open, Puts, Recorded, Stage, Stages};
pub use distribution::{Distribution, Exponential, Lognormal, Weibull};
pub use fault::{Churn, Clog, Crash, Data, Division, Fault, Leave, Loss, Partition, Restart};
pub use group::{Group, Join, Start};
pub use popularity::{Popularity, Zipf};
pub use select::{Amount, GroupNames, Mode, Select, SelectError, Value};
pub use workload::{Lookups, Providers, Records, Target, Workload};
