//! Bootstrap and refresh of the table: when, and with which lookups.
//!
//! A round is what rust-libp2p does: a lookup of the own id, then one of a random key in each bucket that the first
//! did not cover, one after the other; besides, the least recently seen contact of every bucket is checked. The first
//! round of a life that starts empty is its bootstrap.
//!
//! A lookup travels by name, so a key in a bucket must be found by hashing: names are drawn until every bucket wanted
//! has one, at most [`MAX_DRAWS`]. The deepest buckets may go without in a round; the lookup of the own id looks
//! there anyway.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, Instant, PeerRef, Purpose, Stream, Streams};

use crate::event::Outcome;
use crate::message::Target;
use crate::table::Table;

/// Contacts kept to start anew from when the table has run empty or is cut off.
pub const MAX_SEEDS: usize = 8;
/// Names drawn for one round of refreshes. Bucket i is hit by a draw in 2^(i+1): buckets 0 to 5 are nearly
/// always found. libp2p draws 16 for each bucket.
pub const MAX_DRAWS: u32 = 256;
/// How soon a bootstrap that met nobody is tried again.
pub const RETRY: Duration = Duration::from_secs(15);

const JITTER: Purpose = Purpose::new("jitter");
const NAMES: Purpose = Purpose::new("refresh name");
const SEED: Purpose = Purpose::new("refresh seed");

/// Where the table's upkeep stands.
#[derive(Debug)]
pub(crate) struct Maintenance {
    /// When the next round begins.
    pub(crate) due: Instant,
    /// The lookup under way.
    pub(crate) running: Option<u32>,
    pub(crate) stage: Stage,
    /// Whether the table was filled in this life.
    pub(crate) bootstrap: Bootstrap,
    seeds: Box<[PeerRef]>,
    targets: Vec<Arc<Target>>,
    rounds: u64,
}

/// What a round is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Between rounds.
    Idle,
    /// Looking up the own id.
    OwnId,
    /// Nobody answered that.
    Alone,
    /// Looking up a key in each bucket.
    Buckets,
}

/// Whether the table was filled in this life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bootstrap {
    Wanted,
    Done,
}

impl Maintenance {
    pub(crate) fn new(contacts: &[PeerRef]) -> Self {
        let step = contacts.len().div_ceil(MAX_SEEDS).max(1);
        Self {
            due: Instant::NEVER,
            running: None,
            stage: Stage::Idle,
            bootstrap: Bootstrap::Wanted,
            seeds: contacts.iter().copied().step_by(step).collect(),
            targets: Vec::new(),
            rounds: 0,
        }
    }

    pub(crate) fn seeds(&self) -> &[PeerRef] {
        &self.seeds
    }

    /// The contacts of old that this round asks beside the table: all if it is empty, else one, so that two parts of
    /// a network that have lost each other find together again.
    pub(crate) fn begin(&mut self, table: &Table, streams: &Streams) -> Vec<PeerRef> {
        self.stage = Stage::OwnId;
        self.rounds += 1;
        if table.is_empty() {
            return self.seeds.to_vec();
        }
        let drawn = streams.stream(SEED, self.rounds).index(self.seeds.len());
        drawn.and_then(|at| self.seeds.get(at)).copied().into_iter().collect()
    }

    /// Draws a name for each of the buckets 0 to `buckets` (excluded). Returns how many draws that took.
    pub(crate) fn draw_targets(&mut self, buckets: usize, table: &Table, streams: &Streams) -> u32 {
        self.stage = Stage::Buckets;
        let mut names = streams.stream(NAMES, self.rounds);
        let mut found: Vec<Option<Target>> = Vec::new();
        found.resize_with(buckets, || None);
        let (mut missing, mut draws) = (buckets, 0);
        while missing > 0 && draws < MAX_DRAWS {
            draws += 1;
            let target = Target::new(&names.bytes32());
            let bucket = table.own().common_prefix(target.key()) as usize;
            if let Some(free @ None) = found.get_mut(bucket) {
                *free = Some(target);
                missing -= 1;
            }
        }
        // Taken from the end: the farthest bucket, which most peers fall into, goes first.
        self.targets = found.into_iter().rev().flatten().map(Arc::new).collect();
        draws
    }

    /// The lookup under way has ended.
    pub(crate) fn lookup_ended(&mut self, outcome: &Outcome) {
        self.running = None;
        if self.stage == Stage::OwnId && *outcome == Outcome::Isolated {
            self.stage = Stage::Alone;
        }
    }

    pub(crate) fn next_target(&mut self) -> Option<Arc<Target>> {
        self.targets.pop()
    }

    /// Ends a round.
    pub(crate) fn finish(&mut self, due: Instant) {
        self.stage = Stage::Idle;
        self.targets = Vec::new();
        self.due = due;
    }
}

/// About `span`: between 3/4 and 5/4 of it, so that what began together does not go on in step.
pub(crate) fn jittered(span: Duration, stream: &mut Stream) -> Duration {
    let quarter = span.as_nanos() / 4;
    Duration::from_nanos(quarter * 3) + Duration::from_nanos(stream.below(quarter.saturating_mul(2)))
}

/// The stream of the `count`-th jitter.
pub(crate) fn jitter(streams: &Streams, count: u64) -> Stream {
    streams.stream(JITTER, count)
}
