//! S/Kademlia as a sans-IO state machine: XOR metric, k-buckets, iterative lookups over disjoint
//! paths, value and provider records.
//!
//! | module | what |
//! |---|---|
//! | [`message`] | what peers say to each other |
//! | [`config`] | the knobs |
//! | [`effects`] | the boundary: what the DHT wants done |
//! | [`event`] | what a client asks, and what the DHT tells |
//! | [`machine`] | [`Kad`]: what comes in, and what it changes |
//! | [`upkeep`] | the same type: what is due of its own accord |
//! | [`search`] | the same type: lookups driven, values stored |
//! | [`lookup`] | one lookup: whom to ask next, and when it is over |
//! | [`table`] | the routing table, flat |
//! | [`rank`] | peers in the order of their distance |
//! | [`records`] | values held for others, values published |
//! | [`providers`] | who provides what, for others and of one's own |
//! | [`maintenance`] | when the table is refreshed, and with which lookups |
//! | [`trace`] | how a search goes, step by step, for whoever listens; the searches under way |
//! | [`exchanges`] | requests that wait for an answer |
//! | [`oracle`] | the table that an ideal network would give a peer |
//! | [`violation`] | the invariants by name, for probes |
//!
//! It is deliberately *not* a transport (no addresses, no links), a codec (`wire`), a disk, or a judge of who deserves
//! trust.
//!
//! Invariants, checked by [`Kad::check`]: buckets are well-formed; the distance of a lookup's nearest answer never
//! grows; every exchange that was opened ends once. Besides: the same inputs give the same outputs; no input makes it
//! panic; whatever grows at a stranger's will has a named limit; a value is served and acknowledged only once it is
//! persisted.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod effects;
pub mod event;
mod exchanges;
pub mod lookup;
mod machine;
pub mod maintenance;
pub mod message;
pub mod oracle;
pub mod providers;
mod rank;
pub mod records;
mod search;
pub mod table;
#[cfg(test)]
mod testing;
pub mod trace;
mod upkeep;
pub mod violation;

pub use config::{Config, Mode};
pub use effects::{Context, Effects, RecordChange};
pub use event::{Command, Event, LookupReport, Operation, Outcome, Refusal};
pub use lookup::MAX_CANDIDATES;
pub use machine::{Kad, Start};
pub use message::{Announcement, Message, Providers, Record, Request, Response, Target};
pub use oracle::OracleIndex;
pub use providers::{MAX_ANNOUNCED, MAX_SOUGHT};
pub use records::{MAX_PUBLISHED, MAX_WRITES};
pub use table::Table;
pub use trace::{Search, Trace};
pub use violation::Violation;

/// Lookups that one peer runs at a time, its own refreshes included; a further operation is refused as busy.
/// 256 lookups of a thousand candidates are 4 MiB.
pub const MAX_LOOKUPS: usize = 256;
/// Of these, kept for passing on and storing again records, and for announcing again.
pub const RECORD_LOOKUPS: usize = 15;
/// Of these, kept for refreshing the table: its lookups run one after the other.
pub const REFRESH_LOOKUPS: usize = 1;
