//! What people and misfortune do: workloads and faults, as values and as state machines.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | what a scenario says: groups, workloads, faults; plain values |
//! | [`problems`](mod@problems) | what is wrong with them together |
//! | [`play`] | [`Play`]: a plan, resolved; the way to all that follows |
//! | [`roster`] | peers by number and group, and who is meant by a selection |
//! | [`lifecycle`] | when each peer is up: joins, churn, crashes, returns, known ahead |
//! | [`lives`] | the same as it unfolds: every life event in order, and who is up by then |
//! | [`online`] | who is up, and a random pick among them |
//! | [`script`] | arrivals that wait for nobody: what is asked of whom and when, in the order of time |
//! | [`client`] | closed arrivals: clients that wait for their answer; users' own workloads |
//! | [`scene`] | what all of these share, read-only |
//! | [`clocks`] | whose wall clock is wrong, and who stands still |
//! | [`links`] | partitions, clogs and loss, in the words of the kernel |
//! | [`serial`] | ids of operations, which say who asked |
//! | [`tally`] | asked against got |
//!
//! It is deliberately no stage: it sends nothing, keeps no clock and touches no peer. A stage performs what it says;
//! clients run beside their peer and are the only part that waits for what peers do.
//!
//! Invariants: everything follows from the plan, the seed and the identities of the peers, never from the sharding nor
//! the order of calls; every draw is named (by peer and life, or by workload and count), so that one more in one place
//! moves nothing elsewhere; what only follows from a group costs a peer nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod client;
pub mod clocks;
pub mod lifecycle;
pub mod links;
pub mod lives;
pub mod online;
pub mod plan;
pub mod play;
pub mod problems;
pub mod roster;
pub mod scene;
pub mod script;
pub mod serial;
pub mod tally;

pub use client::{Act, Client, Happening, OwnWorkload};
pub use clocks::{Clocks, Standstill};
pub use lifecycle::{Life, LifeEvent, Lifecycle, Parting};
pub use lives::Lives;
pub use online::Online;
pub use plan::{Data, Fault, Group, Select, Start, Workload};
pub use play::{Inputs, Play};
pub use problems::{Problem, problems};
pub use roster::{Roster, clients};
pub use scene::Scene;
pub use script::{Asked, Script};
pub use serial::{Part, Serials};
pub use tally::{Subject, Tally};

use types::Domain;

/// The domain of all draws here.
const PLAY: Domain = Domain::new("play");
