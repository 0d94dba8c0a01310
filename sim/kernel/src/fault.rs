//! Misfortunes of links, known before the run begins: partitions, clogs, losses, duplicates and reordering.
//!
//! They are shared, read-only and timed by the plan, so every shard knows them without asking. A fault
//! acts on a message at the instant at which it leaves its sender; what is under way arrives.

use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, Instant, Share};

use crate::burst::Burst;

/// The side of a peer that a partition leaves alone.
pub const NO_SIDE: u8 = u8::MAX;

/// One misfortune of links.
#[derive(Clone, Debug)]
pub struct LinkFault {
    /// The plan's number of it.
    pub id: u32,
    /// When it begins.
    pub from: Instant,
    /// When it is over.
    pub until: Instant,
    /// What it does.
    pub effect: Effect,
}

/// What a fault does to messages.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Cuts what crosses from one side to another.
    Partition {
        /// The side of each peer, by its number; [`NO_SIDE`] for one that is not part of it.
        side: Arc<[u8]>,
        /// Which crossings it cuts.
        cut: Cut,
    },
    /// Holds back what a victim sends or is sent; it leaves, in order, when the clog is over.
    Clog {
        /// Who is one, by peer number.
        victims: Arc<[bool]>,
    },
    /// Loses requests and one-way messages from or to a victim, beyond the network's own loss.
    Loss {
        /// Which are lost.
        losing: Losing,
        /// Who is one, by peer number.
        victims: Arc<[bool]>,
    },
    /// Delivers requests and one-way messages from or to a victim twice. The copy leaves with the original and travels by
    /// itself, with its own jitter. A request that comes twice is handled and answered twice; of the answers the first ends
    /// the exchange.
    Duplicate {
        /// The share that is delivered twice.
        share: Share,
        /// Who is one, by peer number.
        victims: Arc<[bool]>,
    },
    /// Holds back some messages from or to a victim, each for a time of its own: later ones overtake them.
    Reorder {
        /// The share that is held back.
        share: Share,
        /// For how long at most; drawn evenly from zero.
        by: Duration,
        /// Who is one, by peer number.
        victims: Arc<[bool]>,
    },
}

/// Which messages a loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Losing {
    /// Each with this probability, whatever became of others.
    Share(Share),
    /// Those that leave while their pair of peers is in a burst.
    Bursts(Burst),
}

/// Which crossings a partition cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All.
    BothWays,
    /// Those that leave this side: it hears the others and is not heard.
    Leaving(u8),
}

impl LinkFault {
    /// Whether it is on at `at`.
    #[must_use]
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether it does anything to messages from `from` to `to`.
    #[must_use]
    pub fn concerns(&self, from: u32, to: u32) -> bool {
        let either = |victims: &[bool]| {
            let victim = |peer: u32| victims.get(peer as usize).copied().unwrap_or_default();
            victim(from) || victim(to)
        };
        match &self.effect {
            Effect::Partition { side, cut } => {
                let side = |peer: u32| side.get(peer as usize).copied().unwrap_or(NO_SIDE);
                let (from, to) = (side(from), side(to));
                let crosses = from != to && from != NO_SIDE && to != NO_SIDE;
                crosses && (*cut == Cut::BothWays || *cut == Cut::Leaving(from))
            }
            Effect::Clog { victims }
            | Effect::Loss { victims, .. }
            | Effect::Duplicate { victims, .. }
            | Effect::Reorder { victims, .. } => either(victims),
        }
    }
}

/// The faults of a run, and which of them are on: found anew only where one begins or ends.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    faults: Arc<[LinkFault]>,
    /// When a fault begins or ends, sorted.
    changes: Arc<[Instant]>,
    /// `active` holds from here ...
    since: Instant,
    /// ... to before here.
    until: Instant,
    /// Positions in `faults`.
    active: Vec<usize>,
}

impl Weather {
    pub(crate) fn new(faults: Vec<LinkFault>) -> Self {
        let mut changes: Vec<_> = faults.iter().flat_map(|fault| [fault.from, fault.until]).collect();
        changes.sort_unstable();
        changes.dedup();
        Self {
            faults: faults.into(),
            changes: changes.into(),
            since: Instant::START,
            until: Instant::START,
            active: Vec::new(),
        }
    }

    pub(crate) fn faults(&self) -> &[LinkFault] {
        &self.faults
    }

    /// Whether no fault is on at `at`.
    #[inline]
    pub(crate) fn is_calm(&mut self, at: Instant) -> bool {
        if at < self.since || at >= self.until {
            self.look(at);
        }
        self.active.is_empty()
    }

    /// The faults that are on at `at`, with their positions.
    pub(crate) fn at(&mut self, at: Instant) -> impl Iterator<Item = (usize, &LinkFault)> {
        let calm = self.is_calm(at);
        let Self { faults, active, .. } = self;
        let active = if calm { &[] } else { active.as_slice() };
        active.iter().filter_map(|position| Some((*position, faults.get(*position)?)))
    }

    fn look(&mut self, at: Instant) {
        let later = self.changes.partition_point(|change| *change <= at);
        let change = |position: Option<usize>| self.changes.get(position?).copied();
        self.since = change(later.checked_sub(1)).unwrap_or(Instant::START);
        self.until = change(Some(later)).unwrap_or(Instant::NEVER);
        self.active.clear();
        let on = self.faults.iter().enumerate().filter(|(_, fault)| fault.covers(at));
        self.active.extend(on.map(|(position, _)| position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clog(from: u64, until: u64) -> LinkFault {
        LinkFault {
            id: 0,
            from: Instant::from_nanos(from),
            until: Instant::from_nanos(until),
            effect: Effect::Clog { victims: Arc::new([true]) },
        }
    }

    proptest! {
        #[test]
        fn the_faults_that_are_on_are_those_that_cover_the_instant(
            spans in proptest::collection::vec((0..50u64, 0..50u64), 0..10),
            instants in proptest::collection::vec(0..60u64, 1..50),
        ) {
            let faults: Vec<_> = spans.iter().map(|(from, until)| clog(*from, *until)).collect();
            let mut weather = Weather::new(faults);
            for at in instants.into_iter().map(Instant::from_nanos) {
                let expected: Vec<_> = (0..spans.len()).filter(|position| weather.faults()[*position].covers(at)).collect();
                prop_assert_eq!(weather.is_calm(at), expected.is_empty());
                prop_assert_eq!(weather.at(at).map(|(position, _)| position).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn a_partition_cuts_exactly_what_crosses(sides in proptest::collection::vec(prop_oneof![0..3u8, Just(NO_SIDE)], 2..12)) {
            let partition = |cut| LinkFault {
                effect: Effect::Partition { side: sides.clone().into(), cut },
                ..clog(0, 1)
            };
            let (both, leaving) = (partition(Cut::BothWays), partition(Cut::Leaving(1)));
            for (from, a) in (0..).zip(&sides) {
                for (to, b) in (0..).zip(&sides) {
                    let crosses = a != b && *a != NO_SIDE && *b != NO_SIDE;
                    prop_assert_eq!(both.concerns(from, to), crosses);
                    prop_assert_eq!(leaving.concerns(from, to), crosses && *a == 1);
                }
            }
        }
    }
}
