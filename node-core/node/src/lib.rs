//! The sans-IO peer, and the seam that everything driving a peer speaks.
//!
//! | module | what |
//! |---|---|
//! | [`seam`] | [`Input`], [`Output`], [`Outbox`], the trait [`Peer`] |
//! | [`node`] | [`Node`], the honest peer: composes the layers and routes between them |
//! | [`message`] | what travels between peers |
//! | [`event`] | what a peer tells: the stuff of histories, metrics and logs |
//!
//! Whoever drives a peer (the simulator, a real node, a fuzzer, an attacker, a property test) does it through
//! this seam. It is deliberately not a transport, a store or a clock: those belong to stages.
//!
//! Invariants: `handle` is infallible and total; a request that was sent ends in exactly one answer or
//! failure, which the stage owes; an acknowledgement waits for its `Persisted`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod event;
pub mod message;
pub mod node;
pub mod seam;

pub use event::Event;
pub use message::Message;
pub use node::{Life, Node, Restored, Settings};
pub use seam::{
    CloseReason, Command, DecodeFailure, Detail, Direction, Inbound, Input, LinkState, Outbound, Outbox,
    Output, Peer, RecordChange, View,
};
