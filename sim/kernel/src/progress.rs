//! What a stage says while its run goes and when it has ended: where it is, the event log of sampled peers, what each peer sent,
//! who panicked. Both stages say the same.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64};

use types::Instant;

use crate::event::EventId;

/// Where a run is; read and written by several threads, and part of nothing that is judged.
#[derive(Debug, Default)]
pub struct Progress {
    /// Nanoseconds of the run's own time that have passed.
    pub reached: AtomicU64,
    /// Inputs handled; on the real stage, events told.
    pub handled: AtomicU64,
    /// Peers that are up.
    pub online: AtomicU64,
    /// Set it to end the run where it is.
    pub stop: AtomicBool,
}

/// A shard's part of the event log, up to a moment of the run's time.
#[derive(Debug)]
pub struct Chapter {
    /// The shard.
    pub shard: usize,
    /// Everything before this moment is in it or in an earlier one of this shard.
    pub until: Instant,
    /// Its lines, in order.
    pub entries: Vec<LogEntry>,
}

/// One line of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub at: Instant,
    /// At which of the plan's peers.
    pub peer: u32,
    /// What it was handling: names the event.
    pub id: EventId,
    /// What caused that; for what a peer tells, the same as `id`.
    pub cause: EventId,
    /// What happened, in a word.
    pub kind: &'static str,
    /// The details.
    pub detail: String,
}

/// What one peer sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCount {
    /// Messages sent.
    pub sent: u64,
    /// Their bytes, in the exact encoded size.
    pub sent_bytes: u64,
    /// Messages received while up.
    pub received: u64,
}

/// A peer that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// When.
    pub at: Instant,
    /// Which.
    pub peer: u32,
    /// Its last words.
    pub message: String,
}
