//! Who is measured.

use serde::{Deserialize, Serialize};
use world::Driver;

use crate::kad_reference::{self, Rule};
use crate::kademlia::{self, ASKING, Setup};
use crate::measure::{BenchError, Measured};
use crate::{relay, wheel_reference};

/// Who is measured: yardsticks and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contestant {
    /// A bare calendar queue that passes messages on.
    Wheel,
    /// The same over the standard library's binary heap.
    Heap,
    /// The same over our kernel: wheel, links, fingerprint.
    Relay,
    /// A bare Kademlia over the bare calendar queue.
    BareKademlia,
    /// The same, where a lookup ends when its target was named.
    BareFirstHit,
    /// Our nodes on our stage, called where they stand.
    Inline,
    /// Our nodes on our stage, in mailboxes.
    Actor,
}

/// How much each is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) peers: u32,
    pub(crate) lookups: u32,
    /// Messages that are passed on.
    pub(crate) relayed: u64,
}

/// More peers than this are not driven through mailboxes here: a million took gigabytes and minutes to show what a
/// hundred thousand show.
const MOST_ACTORS: u32 = 200_000;

impl Contestant {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Wheel,
        Self::Heap,
        Self::Relay,
        Self::BareKademlia,
        Self::BareFirstHit,
        Self::Inline,
        Self::Actor,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wheel => "bare wheel",
            Self::Heap => "bare heap",
            Self::Relay => "kernel relay",
            Self::BareKademlia => "bare kademlia",
            Self::BareFirstHit => "bare kademlia, first hit",
            Self::Inline => "kademlia, inline",
            Self::Actor => "kademlia, actor",
        }
    }

    pub(crate) fn takes_part(self, peers: u32) -> bool {
        self != Self::Actor || peers <= MOST_ACTORS
    }

    pub(crate) fn run(self, task: Task) -> Result<Measured, BenchError> {
        let Task { peers, lookups, relayed } = task;
        let bare = |rule| {
            let within_ns = ASKING.as_nanos();
            Ok(kad_reference::run(kad_reference::Lookups { peers, lookups, within_ns, rule }))
        };
        let ours = |driver| Ok(kademlia::run(Setup { peers, lookups, driver, shards: 1 })?.measured);
        match self {
            Self::Wheel => Ok(wheel_reference::over_calendar(peers, relayed)),
            Self::Heap => Ok(wheel_reference::over_heap(peers, relayed)),
            Self::Relay => relay::run(peers, relayed),
            Self::BareKademlia => bare(Rule::AllClosest),
            Self::BareFirstHit => bare(Rule::FirstHit),
            Self::Inline => ours(Driver::Inline),
            Self::Actor => ours(Driver::Actor),
        }
    }
}
