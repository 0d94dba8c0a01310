//! What is asked for: ratios between contestants of the same round, and bounds of memory and time.

use serde::{Deserialize, Serialize};

use crate::contestant::Contestant;

/// A figure and what is asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Of what.
    pub what: String,
    /// Among how many peers.
    pub peers: u32,
    /// What was measured.
    pub value: f64,
    /// What is asked for, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Goal {
    /// Whether it is so; what nothing is asked of is so.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.bound {
            None => true,
            Some(Bound::AtLeast(least)) => self.value >= least,
            Some(Bound::AtMost(most)) => self.value <= most,
        }
    }
}

/// A ratio of two contestants' rates, and the least that is asked for by number of peers.
pub(crate) struct Ratio {
    pub(crate) of: Contestant,
    pub(crate) to: Contestant,
    pub(crate) least: &'static [(u32, f64)],
}

/// The first two say whether the yardsticks are long enough; the others hold ours against them.
pub(crate) const RATIOS: &[Ratio] = &[
    Ratio { of: Contestant::Wheel, to: Contestant::Heap, least: &[(100_000, 2.3), (1_000_000, 6.0)] },
    Ratio { of: Contestant::BareKademlia, to: Contestant::Wheel, least: &[(10_000, 0.05), (100_000, 0.12)] },
    Ratio {
        of: Contestant::Relay,
        to: Contestant::Wheel,
        least: &[(10_000, 0.5), (100_000, 0.5), (1_000_000, 0.5)],
    },
    Ratio { of: Contestant::Inline, to: Contestant::BareKademlia, least: &[(10_000, 0.45), (100_000, 0.45)] },
    Ratio { of: Contestant::Actor, to: Contestant::Inline, least: &[(10_000, 0.5), (100_000, 0.5)] },
];

/// Bytes of a peer in a mailbox, all in, at most.
pub(crate) const BYTES_PER_PEER: &[(u32, f64)] = &[(10_000, 6_000.0), (100_000, 4_000.0)];
/// Bytes of a whole run with the inline driver, at most.
pub(crate) const BYTES: &[(u32, f64)] = &[(1_000_000, 6e9)];
/// CPU seconds of a start with the actor driver, at most.
pub(crate) const START_S: &[(u32, f64)] = &[(100_000, 2.0)];
/// The busiest of two shards' CPU time, as a share of one shard's, at most; and among how many peers.
pub(crate) const SHARE_OF_TWO: (u32, f64) = (100_000, 0.65);

/// What is asked for with this many peers.
pub(crate) fn asked(bounds: &[(u32, f64)], peers: u32) -> Option<f64> {
    bounds.iter().find(|(of, _)| *of == peers).map(|(_, bound)| *bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_on_its_side() {
        let goal = |value, bound| Goal { what: String::new(), peers: 1, value, bound };
        assert!(goal(0.1, None).holds());
        assert!(
            goal(0.5, Some(Bound::AtLeast(0.5))).holds() && !goal(0.4, Some(Bound::AtLeast(0.5))).holds()
        );
        assert!(goal(0.5, Some(Bound::AtMost(0.5))).holds() && !goal(0.6, Some(Bound::AtMost(0.5))).holds());
        assert!(!goal(f64::NAN, Some(Bound::AtMost(0.5))).holds(), "what was not measured holds nothing");
    }
}
