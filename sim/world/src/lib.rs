//! The simulated stage: peers as actix actors over the kernel, in shards and windows.
//!
//! | module | what |
//! |---|---|
//! | [`stage`] | [`World`]: a whole run, from what is given to what it leaves |
//! | [`driver`] | [`Driver`]: peers in mailboxes, or called where they stand |
//! | `shard` | one arbiter's peers, and the loop over windows |
//! | `cell` | what the peers of a shard share |
//! | `meeting` | where shards meet at a window's end |
//! | `host` | the simulated side of one peer: merges by time, performs outputs |
//! | `agenda` | what a peer has before it: inputs that wait for a core, timeouts, writes |
//! | `parcel` | messages on their way, typed or encoded |
//! | `imprint` | what enters a peer's digest |
//! | [`cast`] | peers other than honest nodes |
//! | [`watch`] | who watches, and what they see |
//! | `log` | the event log of sampled peers |
//!
//! It joins `play` (what is asked and what goes wrong) with peers; it judges nothing, and who watches changes
//! nothing.
//!
//! Invariants: the outcome depends on the scenario and the seed alone, not on the number of shards, the driver or
//! the order in which a shard drives its peers; a peer that panics is caught, counted and gone; no event is lost
//! between shards.
#![forbid(unsafe_code)]

mod agenda;
pub mod cast;
mod cell;
pub mod driver;
mod host;
mod imprint;
mod log;
mod meeting;
mod parcel;
mod shard;
pub mod stage;
pub mod watch;

pub use cast::Cast;
pub use cell::Drops;
pub use driver::{Driver, max_awake};
pub use parcel::Wire;
pub use stage::{MAX_SHARDS, Outcome, World, WorldError, honest};
pub use watch::{Counted, LinksUp, Moment, Watch};
