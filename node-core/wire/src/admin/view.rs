//! What a node looks like from within.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use kad::violation::Violation;
use serde::{Deserialize, Serialize};
use types::PeerId;

/// What a node looks like from within, as far as checks ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// When.
    pub unix_ns: u64,
    /// The contacts of its table, those of the farthest bucket first.
    pub contacts: Vec<PeerId>,
    /// Peers that it is connected to.
    pub links: Vec<PeerId>,
    /// Requests that wait for it.
    pub queue: u32,
    /// Records that it holds for others.
    pub records: u32,
    /// Messages that it sent since it started: requests, answers and one-way ones.
    pub sent: u64,
    /// Their bytes, frames and all.
    pub sent_bytes: u64,
    /// Messages that it received.
    pub received: u64,
    /// Messages that were lost on purpose: a network was emulated that loses them.
    pub dropped: u64,
    /// The first of its DHT's invariants that does not hold, if one does not.
    pub flaw: Option<Flaw>,
}

/// An invariant of the DHT that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// What it is about.
    pub about: About,
    /// What was seen.
    pub what: String,
}

/// What an invariant of the DHT is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Its table.
    Table,
    /// Its lookups.
    Lookups,
    /// Its exchanges and limits.
    Limits,
}

impl From<Violation> for Flaw {
    fn from(violation: Violation) -> Self {
        let about = match violation {
            Violation::WrongBucket { .. }
            | Violation::Duplicate { .. }
            | Violation::Overfull { .. }
            | Violation::Torn => About::Table,
            Violation::UnsoundLookup => About::Lookups,
            Violation::Exchanges | Violation::Limit(_) => About::Limits,
        };
        Self { about, what: violation.to_string() }
    }
}
