//! What everybody in Wavetank speaks: ids, the two times, named random streams, units.
//!
//! | module | what |
//! |---|---|
//! | [`id`] | [`PeerId`], its Kademlia [`Key`], XOR [`Distance`], the 64-bit [`Digest`] |
//! | [`book`] | [`PeerRef`], four bytes, and the [`Book`] that resolves it |
//! | [`exchange`] | ids of exchanges, operations and writes, and how they fail |
//! | [`time`] | [`Instant`], [`Duration`], [`UnixMillis`] and [`Now`], which holds both times |
//! | [`stream`] | random streams, named and derived, never shared |
//! | [`mix`] | the fast mixing hash behind digests, streams and fingerprints |
//! | [`quantity`] | what people write with units: durations, sizes, rates, shares |
//! | [`metric`] | the table of metric names, in scenarios, CSV files and Prometheus |
//!
//! It is deliberately *not* a place for protocol messages, configuration or anything that only one
//! layer needs.
//!
//! Invariants: nothing here reads a clock, entropy or the environment; every conversion from text
//! is total and exact; every order that can be observed is defined.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod book;
pub mod exchange;
pub mod id;
pub mod metric;
pub mod mix;
pub mod quantity;
pub mod stream;
pub mod time;

pub use book::{Book, PeerRef, SharedBook};
pub use exchange::{ExchangeId, OperationId, SendFailure, StoreFailure, StoreResult, Work, WriteId};
pub use id::{Digest, Distance, Key, PeerId};
pub use mix::{Fold, Mixer};
pub use quantity::{Bandwidth, Rate, Share, Size};
pub use stream::{Domain, Purpose, Seed, Stream, Streams};
pub use time::{Duration, Instant, Now, UnixMillis};
