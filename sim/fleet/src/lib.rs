//! Real node processes, and how the rest of the house reaches them.
//!
//! | module | what |
//! |---|---|
//! | [`client`] | [`Client`]: the admin API of one node, blocking; the stage and `wavetank node …` speak by it |
//!
//! The real stage comes beside it: the same play and the same judge as the simulated stage's, on processes.
//!
//! It is deliberately *not* a node: it knows no libp2p, no actor and no runtime. What it says to nodes and hears from
//! them are the types of `wire::admin`.
//!
//! Invariants:
//! - every question ends within its time, whatever answers;
//! - a body is read no further than a named limit.
#![forbid(unsafe_code)]

pub mod client;

pub use client::{Client, ClientError};
