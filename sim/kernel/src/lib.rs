//! The discrete-event kernel: what a simulated network is made of, below the peers.
//!
//! | module | what |
//! |---|---|
//! | [`event`] | [`Event`], what happens to a peer at an instant, and the [`EventId`] of its cause |
//! | [`wheel`] | [`Wheel`], the calendar queue that yields events in their total order |
//! | `deal` | sorts a slot of the wheel |
//! | [`network`] | [`Network`], as people write it: latencies, places, uplinks, loss |
//! | [`matrix`] | the same with distances from a file or a profile |
//! | [`resolve`] | [`ResolvedNetwork`], checked and in tables; who lives where; the lookahead |
//! | [`fault`] | [`LinkFault`]: partitions, clogs, losses, duplicates, reordering, known ahead |
//! | [`burst`] | [`Burst`]: losses that come in bursts |
//! | [`links`] | [`Links`]: when a message arrives, or why it does not |
//! | [`nat`] | [`Openings`]: whom a peer hears that cannot be called |
//! | `overtaking` | arrivals on a link in the order of sending |
//! | [`connections`] | [`Connections`]: one peer's dialled links as a state machine |
//! | [`fingerprint`] | [`PeerDigest`] and the [`Fingerprint`] of a run |
//! | [`ladder`] | [`Ladder`]: fingerprints at simulated instants, to find the first difference |
//! | [`conservation`] | no event is lost or invented |
//! | [`progress`] | [`Progress`] and [`LogEntry`]: what any stage says while its run goes |
//!
//! The kernel is conservative and parallel: all events in `[t, t + lookahead)` can be handled without
//! hearing from other peers, so a shard takes a window from its wheel ([`Wheel::take_until`]), has its
//! peers handle it, sends what they say through its [`Links`], and meets the other shards at the
//! window's end.
//!
//! It deliberately knows no node, no message, no thread and no actor: `sim/world` owns those. It makes
//! no file and reads no scenario.
//!
//! Invariants: every draw follows from the seed, the digests of the peers and the sender's sequence
//! number, never from the order of execution nor the sharding; no arithmetic on floats; no state per
//! pair of peers beyond what is in flight; no delay is shorter than the lookahead.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod burst;
pub mod connections;
pub mod conservation;
mod deal;
pub mod event;
pub mod fault;
pub mod fingerprint;
pub mod ladder;
pub mod links;
pub mod matrix;
pub mod nat;
pub mod network;
mod overtaking;
pub mod progress;
pub mod resolve;
pub mod wheel;

pub use burst::Burst;
pub use connections::{Connections, Dialling};
pub use conservation::{Conserved, assert_conserved};
pub use event::{Event, EventId};
pub use fault::{Cut, LinkFault, Losing};
pub use fingerprint::{FINGERPRINT_VERSION, Fingerprint, PeerDigest};
pub use ladder::{Ladder, LadderBuilder, first_difference};
pub use links::{Carried, Fate, Links, Loss, Tally};
pub use matrix::{Matrix, Profile, ProfileName};
pub use nat::Openings;
pub use network::{Latency, Network, Place, Regions, Uniform};
pub use progress::{Chapter, LogEntry, Panic, PeerCount, Progress};
pub use resolve::{Problem, ResolvedNetwork};
pub use wheel::{Key, Timed, Wheel};
