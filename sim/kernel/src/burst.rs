//! Losses that come in bursts: on each pair of peers, spells in which everything is lost.
//!
//! A pair's time is cut into slots of equal length, and each slot is bad with the probability of the share, whatever the
//! slots before it were. That is the channel of Gilbert and Elliott (a good state that loses nothing, a bad one that
//! loses all) with the chances of going `good -> bad` of `share` and `bad -> good` of `1 - share` a slot: it is stationary
//! from the first moment on, the share of time that is bad is `share`, and the mean length of a bad spell is
//! `slot / (1 - share)`. So a slot of `mean burst * (1 - share)` gives the burst that was asked for. Each pair's slots
//! begin at an offset of their own, so that a network's pairs do not change all at once.
//!
//! Whether a slot is bad is a hash of the fault, the pair and the slot's number: nothing is kept per pair, and a message
//! that leaves earlier may be asked about later. Both directions of a pair share one state.

use types::mix::mix;
use types::{Digest, Duration, Instant, Share};

use crate::links::{happens, up_to};

/// A channel whose losses come in bursts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    share: Share,
    slot: Duration,
}

impl Burst {
    /// Loses `share` of the time, in bursts of `mean` length.
    #[must_use]
    pub fn new(share: Share, mean: Duration) -> Self {
        let slot = mean.saturating_sub(Duration::from_nanos(share.of(mean.as_nanos())));
        Self { share, slot: slot.max(Duration::from_nanos(1)) }
    }

    /// Whether the pair of `a` and `b` is in a burst at `at`, under a fault whose draws begin with `root`.
    pub(crate) fn is_on(&self, root: u64, a: Digest, b: Digest, at: Instant) -> bool {
        let pair = mix(mix(root, a.min(b).0), a.max(b).0);
        // No run is so long that it had a slot of this number.
        let offset = up_to(mix(pair, u64::MAX), self.slot);
        let slot = (at + offset).as_nanos() / self.slot.as_nanos().max(1);
        // Mixed twice: the numbers of slots follow one another.
        happens(mix(root, mix(pair, slot)), self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const ROOT: u64 = 7;

    fn square(x: f64) -> f64 {
        x * x
    }

    /// Lengths of the bad spells of one pair that begin and end within `span`, and the share of time that is bad, by
    /// looking every `step`.
    fn look(burst: Burst, pair: (u64, u64), span: Duration, step: Duration) -> (Vec<Duration>, f64) {
        let looks = span.as_nanos() / step.as_nanos();
        let (mut spells, mut bad, mut since) = (Vec::new(), 0, None);
        let mut was_good = false;
        for look in 0..looks {
            let at = Instant::from_nanos(look * step.as_nanos());
            if burst.is_on(ROOT, Digest(pair.0), Digest(pair.1), at) {
                bad += 1;
                since = since.or(was_good.then_some(at));
                was_good = false;
            } else {
                spells.extend(since.take().map(|since| at.since(since)));
                was_good = true;
            }
        }
        (spells, f64::from(bad) / looks as f64)
    }

    #[test]
    fn the_share_and_the_mean_burst_are_those_that_were_asked_for() {
        for (percent, mean_ms) in [(1, 500), (10, 2_000), (50, 1_000)] {
            let (share, mean) = (Share::from_percent(percent), Duration::from_millis(mean_ms));
            let burst = Burst::new(share, mean);
            let (mut spells, mut bad) = (Vec::new(), 0.0);
            for pair in 0..20 {
                let (found, share) =
                    look(burst, (pair, 1_000 + pair), mean.saturating_mul(4_000), mean.divided(50));
                spells.extend(found);
                bad += share / 20.0;
            }
            let asked = f64::from(percent) / 100.0;
            // 80,000 slots and more: within four standard errors of the share, and of the mean of so many spells, whose
            // number of slots is geometric and so has the square of its relative deviation at the share.
            let variance = asked * (1.0 - asked) / 80_000.0;
            assert!(square(bad - asked) < 16.0 * variance, "{bad} of the time is bad, {asked} was asked for");
            let measured = spells.iter().map(|spell| spell.as_secs_f64()).sum::<f64>() / spells.len() as f64;
            let variance = asked / spells.len() as f64;
            assert!(
                square(measured / mean.as_secs_f64() - 1.0) < 16.0 * variance + square(0.005),
                "bursts of {measured} s, {mean} was asked for, {} of them",
                spells.len()
            );
        }
    }

    #[test]
    fn it_is_stationary_from_the_first_moment_on() {
        let burst = Burst::new(Share::from_percent(20), Duration::from_secs(1));
        for at in [0, 1, 499_999_999, 800_000_000, 3_600_000_000_000] {
            let bad = (0..20_000u64).filter(|pair| {
                burst.is_on(ROOT, Digest(*pair), Digest(u64::MAX - *pair), Instant::from_nanos(at))
            });
            let share = bad.count() as f64 / 20_000.0;
            assert!(square(share - 0.2) < 16.0 * 0.16 / 20_000.0, "{share} at {at} ns");
        }
    }

    #[test]
    fn both_directions_share_a_state_and_pairs_do_not_change_at_once() {
        let burst = Burst::new(Share::from_percent(50), Duration::from_secs(2));
        let mut edges = alloc::collections::BTreeSet::new();
        for pair in 0..200u64 {
            let on = |at| burst.is_on(ROOT, Digest(pair), Digest(pair + 500), Instant::from_nanos(at));
            for at in 0..1_000u64 {
                let at = at * 10_000_000;
                assert_eq!(
                    on(at),
                    burst.is_on(ROOT, Digest(pair + 500), Digest(pair), Instant::from_nanos(at))
                );
                if on(at) != on(at + 10_000_000) {
                    edges.insert(at);
                }
            }
        }
        assert!(edges.len() > 500, "{} moments of change among 1,000", edges.len());
    }

    #[test]
    fn all_may_be_lost_and_the_shortest_burst_is_a_slot() {
        let all = Burst::new(Share::WHOLE, Duration::from_secs(1));
        let none = Burst::new(Share::ZERO, Duration::from_nanos(1));
        for at in 0..1_000 {
            let at = Instant::from_nanos(at * 1_000_003);
            assert!(all.is_on(ROOT, Digest(1), Digest(2), at));
            assert!(!none.is_on(ROOT, Digest(1), Digest(2), at));
        }
    }
}
