//! How fast and how small: what peers and messages cost here, held against bare loops in the same run.
//!
//! | module | what |
//! |---|---|
//! | [`session`] | [`run`]: all contestants, round by round, size by size |
//! | [`options`] | [`Options`]: what is to be measured |
//! | [`contestant`] | [`Contestant`]: who is measured |
//! | `calendar`, `wheel_reference` | the bare machine: a calendar queue, or a heap, that passes messages on |
//! | `kad_tables`, `kad_reference` | a bare Kademlia over it |
//! | `relay` | the same messages over our kernel |
//! | `kademlia` | our nodes on our stage |
//! | [`footprint`] | memory, in a process for each measurement: [`child`] |
//! | [`goal`] | what is asked for |
//! | [`results`] | [`Results`]: what is written and committed |
//! | [`table`] | what people read; [`compare`] |
//! | [`machine`] | clocks of the CPU, memory, load |
//!
//! Rates are messages per CPU-second, by the system's clock of the thread that does the work; wall time on a shared
//! machine tells of its other users. What counts is ratios of one session: contestants take turns, so that what disturbs
//! one disturbs all.
//!
//! It is deliberately no part of a run: it reads no scenario and writes no file.
//!
//! Invariants: the yardsticks share no code with what they measure and do honest work: equal runs give equal digests,
//! the two queues the same events in the same order, the bare Kademlia exactly the closest peers.
#![forbid(unsafe_code)]

mod calendar;
pub mod contestant;
mod draw;
pub mod footprint;
pub mod goal;
mod kad_reference;
mod kad_tables;
mod kademlia;
pub mod machine;
mod measure;
pub mod options;
mod relay;
pub mod results;
pub mod session;
pub mod table;
mod wheel_reference;

pub use contestant::Contestant;
pub use footprint::child;
pub use goal::{Bound, Goal};
pub use measure::BenchError;
pub use options::{Child, Options};
pub use results::{Results, committed};
pub use session::run;
pub use table::{Comparison, compare};
