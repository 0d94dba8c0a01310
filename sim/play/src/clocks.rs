//! How wrong the wall clock of each peer is, and when which peers stand still: known ahead, the same for every shard.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, Instant, Share};

use crate::plan::{Fault, Wrong};
use crate::roster::{Chosen, Roster};

/// The wall clocks that faults move.
#[derive(Clone, Debug)]
pub struct Clocks {
    roster: Arc<Roster>,
    skews: Vec<Moved>,
}

/// One fault's.
#[derive(Clone, Debug)]
struct Moved {
    fault: u16,
    victims: Chosen,
    from: Instant,
    until: Instant,
    wrong: Wrong,
    offset: Duration,
    drift: Share,
}

/// A peer stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standstill {
    /// When it stops.
    pub at: Instant,
    /// Who.
    pub peer: u32,
    /// When it goes on.
    pub until: Instant,
    /// The fault that does it, by its place in the scenario's list.
    pub fault: u16,
}

impl Clocks {
    pub(crate) fn new(roster: &Arc<Roster>, faults: &[(Fault, String, Chosen)]) -> Self {
        let moved = |(place, (fault, _, victims)): (u16, &(Fault, String, Chosen))| {
            let Fault::Skew(skew) = fault else { return None };
            let (wrong, offset) = skew.offset()?;
            let (from, until) = (Instant::START + skew.begin, Instant::START + skew.end);
            let victims = victims.clone();
            Some(Moved { fault: place, victims, from, until, wrong, offset, drift: skew.drift })
        };
        Self { roster: Arc::clone(roster), skews: (0..).zip(faults).filter_map(moved).collect() }
    }

    /// Whether all clocks are right all the time.
    #[must_use]
    pub const fn are_right(&self) -> bool {
        self.skews.is_empty()
    }

    /// By how many milliseconds the clock of `peer` is fast at `at`, or slow where that is negative; `each` is told of
    /// every fault that moves it.
    pub fn error_ms(&self, peer: u32, at: Instant, mut each: impl FnMut(u16)) -> i64 {
        let mut error_ms = 0i64;
        for skew in self.skews.iter().filter(|skew| skew.from <= at && at < skew.until) {
            if !skew.victims.includes(peer, &self.roster) {
                continue;
            }
            each(skew.fault);
            let drifted = Duration::from_nanos(skew.drift.of(at.since(skew.from).as_nanos()));
            let moved = i64::try_from((skew.offset + drifted).as_millis()).unwrap_or(i64::MAX);
            error_ms = match skew.wrong {
                Wrong::Ahead => error_ms.saturating_add(moved),
                Wrong::Behind => error_ms.saturating_sub(moved),
            };
        }
        error_ms
    }
}

/// Who stands still and when, in the order of (instant, peer, fault).
pub(crate) fn standstills(roster: &Roster, faults: &[(Fault, String, Chosen)]) -> Vec<Standstill> {
    let mut all = Vec::new();
    for (place, (fault, _, victims)) in (0..).zip(faults) {
        let Fault::Freeze(freeze) = fault else { continue };
        let (at, until) = (Instant::START + freeze.begin, Instant::START + freeze.end);
        all.extend(roster.iter(victims).map(|peer| Standstill { at, peer, until, fault: place }));
    }
    all.sort_unstable_by_key(|standstill| (standstill.at, standstill.peer, standstill.fault));
    all
}
