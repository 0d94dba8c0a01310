//! What is sampled: gauges of peers, the traffic between them, at the plan's sampling instants.
//!
//! Integers only, added up per shard and instant, so that the sum is the same however peers are spread over shards.

use alloc::collections::BTreeMap;

use types::{Duration, Instant};

/// A sampling instant, counted from the run's start in steps of the plan's gap; the first is 1. What happens belongs
/// to the next sampling instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u64);

/// The sampling instants of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The distance of two.
    pub gap: Duration,
    /// The run's end, which is one too.
    pub end: Instant,
}

impl Grid {
    /// The instant at which what happens at `at` is summed up. What happens on such an instant belongs to the next.
    #[must_use]
    pub fn slot(&self, at: Instant) -> Slot {
        Slot((at.as_nanos() / self.gap.as_nanos().max(1) + 1).min(self.last().0))
    }

    /// The slot of the sample that is taken at `at`.
    #[must_use]
    pub fn sampled(&self, at: Instant) -> Slot {
        Slot(at.as_nanos().div_ceil(self.gap.as_nanos().max(1)).min(self.last().0))
    }

    /// The last slot, at the run's end.
    #[must_use]
    pub fn last(&self) -> Slot {
        Slot(self.end.as_nanos().div_ceil(self.gap.as_nanos().max(1)).max(1))
    }

    /// When a slot is summed up.
    #[must_use]
    pub fn instant(&self, slot: Slot) -> Instant {
        (Instant::START + self.gap.saturating_mul(slot.0)).min(self.end)
    }
}

/// What was sampled at one instant, of some peers or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Peers that are up, of all; every shard knows that.
    pub online: u32,
    /// Peers that were looked at and have a table.
    pub tables: u64,
    /// Contacts in their tables.
    pub contacts: u64,
    /// Contacts who are down.
    pub stale: u64,
    /// The longest queue.
    pub queue: u64,
    /// Since the sample before.
    pub traffic: Traffic,
}

/// Messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Those that did not reach their peer.
    pub dropped: u64,
}

impl Traffic {
    /// What came since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(earlier.sent),
            sent_bytes: self.sent_bytes.saturating_sub(earlier.sent_bytes),
            dropped: self.dropped.saturating_sub(earlier.dropped),
        }
    }

    /// Adds more.
    pub const fn add(&mut self, more: &Self) {
        self.sent += more.sent;
        self.sent_bytes += more.sent_bytes;
        self.dropped += more.dropped;
    }
}

impl Sample {
    /// Adds what another shard sampled at the same instant.
    pub fn merge(&mut self, other: &Self) {
        self.online = self.online.max(other.online);
        self.tables += other.tables;
        self.contacts += other.contacts;
        self.stale += other.stale;
        self.queue = self.queue.max(other.queue);
        self.traffic.add(&other.traffic);
    }
}

/// All samples of a run, by slot.
pub type Samples = BTreeMap<Slot, Sample>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_belongs_to_the_next_sampling_instant() {
        let grid = Grid { gap: Duration::from_secs(10), end: Instant::START + Duration::from_secs(25) };
        let at = |secs| Instant::START + Duration::from_secs(secs);
        let slots = [0, 9, 10, 20, 25].map(|secs| grid.slot(at(secs)).0);
        assert_eq!(slots, [1, 1, 2, 3, 3]);
        assert_eq!([10, 20, 25].map(|secs| grid.sampled(at(secs)).0), [1, 2, 3]);
        assert_eq!([1, 2, 3].map(|slot| grid.instant(Slot(slot))), [at(10), at(20), at(25)]);
    }
}
