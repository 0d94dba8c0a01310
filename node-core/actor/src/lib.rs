//! The actix actor around a [`Peer`]: the one shell in which a peer lives, in both worlds.
//!
//! | module | what |
//! |---|---|
//! | [`body`] | [`Body`]: what lives in an actor, and lies outside of it while the peer sleeps |
//! | [`host`] | [`Host`]: what feeds a peer and performs its outputs |
//! | [`participant`] | [`Participant`]: the actor, generic over its context |
//! | [`inline`] | [`Inline`]: a context without a mailbox |
//!
//! In actix's own `Context` the actor has a mailbox on an arbiter: the simulator's *actor* driver and the real
//! node. In [`Inline`] its owner calls `Handler::handle` itself: the simulator's *inline* driver. Both run the
//! same `impl Handler`, so they cannot drift apart.
//!
//! It is deliberately no supervisor: a peer that panics is gone until its host starts another.
//!
//! Invariant: a handler returns, and its host is told that the delivery is done, whatever the peer does.
#![forbid(unsafe_code)]

pub mod body;
pub mod host;
pub mod inline;
pub mod participant;

pub use body::Body;
pub use host::{Host, Step};
pub use inline::Inline;
pub use participant::{Called, Deliver, Mailbox, Participant, Rest};

pub use node::Peer;
