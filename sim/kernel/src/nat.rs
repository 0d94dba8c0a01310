//! Whom a peer hears that can call and cannot be called: those with whom it spoke lately.
//!
//! A NAT lets in what comes from somebody to whom something went out before, and forgets that after a while. Where links
//! are dialled, a link does the same: the peer dials, the others use the link until it is closed. Where they are free,
//! [`Openings`] stands for those links: a peer is heard until nothing has gone back or forth for as long as an idle link
//! lives.
//!
//! It deliberately knows no kinds of NAT: nobody punches holes, and nobody relays.
//!
//! Invariant: no more openings than links that the peer may have; the one that was used longest ago gives way.

use alloc::collections::BTreeMap;

use types::{Duration, Instant};

/// What one peer's NAT lets in, in one of its lives.
#[derive(Clone, Debug)]
pub struct Openings {
    idle: Duration,
    most: usize,
    /// When each was used last.
    used: BTreeMap<u32, Instant>,
}

impl Openings {
    /// None yet. Each closes when it was not used for `idle`; there are `most` at a time.
    #[must_use]
    pub const fn new(idle: Duration, most: u32) -> Self {
        Self { idle, most: most as usize, used: BTreeMap::new() }
    }

    /// Something goes out to `peer` at `at`.
    pub fn speak(&mut self, at: Instant, peer: u32) {
        if self.used.len() >= self.most && !self.used.contains_key(&peer) {
            let idle = self.idle;
            self.used.retain(|_, used| *used + idle > at);
            let oldest = self.used.iter().map(|(peer, used)| (*used, *peer)).min();
            if let (Some((_, oldest)), true) = (oldest, self.used.len() >= self.most) {
                self.used.remove(&oldest);
            }
        }
        let used = self.used.entry(peer).or_default();
        *used = at.max(*used);
    }

    /// Something comes from `peer` at `at`: whether it is let in.
    pub fn hear(&mut self, at: Instant, peer: u32) -> bool {
        match self.used.get_mut(&peer) {
            Some(used) if at < *used + self.idle => {
                *used = at.max(*used);
                true
            }
            Some(_) => {
                self.used.remove(&peer);
                false
            }
            None => false,
        }
    }

    /// How many there are, forgotten ones among them until they give way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        /// Against a list of everything that was ever said and let in.
        #[test]
        fn who_is_heard_is_whom_it_spoke_with_lately(
            steps in proptest::collection::vec((0..20u64, 0..6u32, any::<bool>()), 1..300), idle in 1..60u64,
        ) {
            let mut openings = Openings::new(Duration::from_nanos(idle), 6);
            let mut uses: Vec<(u64, u32)> = Vec::new();
            let mut now = 0;
            for (gap, peer, speaks) in steps {
                now += gap;
                let lately = uses.iter().any(|(at, other)| *other == peer && now < at + idle);
                if speaks {
                    openings.speak(Instant::from_nanos(now), peer);
                    uses.push((now, peer));
                } else {
                    prop_assert_eq!(openings.hear(Instant::from_nanos(now), peer), lately);
                    if lately {
                        uses.push((now, peer));
                    }
                }
            }
        }

        #[test]
        fn there_are_never_more_than_may_be(peers in proptest::collection::vec(0..1_000u32, 1..300), most in 1..20u32) {
            let mut openings = Openings::new(Duration::from_secs(1), most);
            for (at, peer) in (0..).zip(peers) {
                openings.speak(Instant::from_nanos(at), peer);
                prop_assert!(openings.len() <= most as usize);
                prop_assert!(openings.hear(Instant::from_nanos(at), peer), "the last one has an opening");
            }
        }
    }

    #[test]
    fn the_one_used_longest_ago_gives_way() {
        let at = Instant::from_nanos;
        let mut openings = Openings::new(Duration::from_secs(1), 2);
        openings.speak(at(1), 1);
        openings.speak(at(2), 2);
        assert!(openings.hear(at(3), 1));
        openings.speak(at(4), 3);
        assert_eq!([1, 2, 3].map(|peer| openings.hear(at(5), peer)), [true, false, true]);
    }
}
