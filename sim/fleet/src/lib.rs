//! The real stage: the plan's peers as node processes on this machine, and the client by which anybody reaches a node.
//!
//! | module | what |
//! |---|---|
//! | [`stage`] | [`Fleet`]: a whole run, from what is given to what it leaves |
//! | [`client`] | [`Client`]: the admin API of one node, blocking; the stage and `wavetank node …` speak by it |
//! | `director` | has the play performed: lives, operations, samples, in the machine's time |
//! | `warden` | a thread for each peer, which starts, stops and watches its process |
//! | `process` | one node process, its files and signals |
//! | `heard` | what reaches the director, and the threads that ask nodes |
//! | `ledger` | what was seen, put in the order of time and shown to the judge |
//! | `links` | the plan's network as each node is told of it |
//! | `ground` | addresses of loopback and a folder for the nodes |
//! | `clock` | the run's time is the machine's |
//!
//! It performs the very play that the simulated stage performs, and shows the judge what it sees of it; it judges nothing.
//! A simulated instant is wall time since the common start, which comes once the peers of the beginning are there.
//!
//! It is deliberately *not* a node: it knows no libp2p, no actor and no runtime. What it says to nodes and hears from
//! them are the types of `wire::admin`.
//!
//! Invariants:
//! - every question ends within its time, whatever answers; a body is read no further than a named limit;
//! - processes are at most [`MAX_PROCESSES`], and none outlives the run, however that ends;
//! - what it could not see is told as unseen, and what came late is counted.
#![forbid(unsafe_code)]

pub mod client;
mod clock;
mod director;
mod ground;
mod heard;
mod ledger;
mod links;
mod process;
pub mod stage;
mod warden;

pub use client::{Client, ClientError};
pub use stage::{Conduct, Fleet, FleetError, MAX_PROCESSES, Outcome};
