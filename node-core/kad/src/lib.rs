//! S/Kademlia as a sans-IO state machine: XOR metric, k-buckets, iterative lookups over disjoint
//! paths, value records.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod effects;
pub mod event;
pub mod message;

pub use config::Config;
pub use effects::{Context, Effects, RecordChange};
pub use event::{Command, Event, LookupReport, Operation, Outcome, Refusal};
pub use message::{Message, Record, Request, Response, Target};

/// Lookups that one peer runs at a time, its own refreshes included; a further operation is refused as busy.
/// 256 lookups of a thousand candidates are 4 MiB.
pub const MAX_LOOKUPS: usize = 256;
