//! The ladder: fingerprints at simulated instants, with the peers' shares of them as leaves.
//!
//! A tool that holds the ladders of two runs finds the first rung at which they differ and the peer
//! that differs there; replaying to that rung then finds the event. Rungs are simulated instants, so
//! they do not depend on windows. Every shard builds the ladder of its own peers; ladders add up.
//!
//! A rung at `t` covers everything that happened before `t`.

use alloc::vec::Vec;

use types::{Digest, Duration, Instant};

use crate::fingerprint::{Fingerprint, PeerDigest};

/// Leaves of a rung: 32 KiB each. Beyond that many peers, a leaf stands for several.
pub const MAX_LEAVES: u32 = 4096;

/// Fingerprints at simulated instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The distance of two rungs.
    pub every: Duration,
    /// How many peers there are.
    pub peers: u32,
    /// The rungs, from the earliest.
    pub rungs: Vec<Rung>,
}

/// The fingerprint of what happened before an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The instant.
    pub at: Instant,
    /// The fingerprint: the wrapping sum of the leaves.
    pub value: Fingerprint,
    /// What each peer adds to the fingerprint, by its number; of a large network, what the peers add
    /// whose numbers leave this remainder when divided by [`MAX_LEAVES`].
    pub leaves: Vec<u64>,
}

/// Builds the ladder of one shard's peers.
#[derive(Clone, Debug)]
pub struct LadderBuilder(Ladder);

impl LadderBuilder {
    /// A ladder without rungs, for a run of `peers` peers, of which this shard may have any.
    ///
    /// # Panics
    /// If `every` is zero.
    #[must_use]
    pub fn new(every: Duration, peers: u32) -> Self {
        assert!(every > Duration::ZERO, "rungs need a distance");
        Self(Ladder { every, peers, rungs: Vec::new() })
    }

    /// When the next rung is due: before anything at or after it is handled.
    #[must_use]
    pub const fn next_rung(&self) -> Instant {
        let count = self.0.rungs.len() as u64 + 1;
        Instant::from_nanos(self.0.every.saturating_mul(count).as_nanos())
    }

    /// Adds the next rung: this shard's peers by number, id and digest.
    pub fn rung(&mut self, peers: impl IntoIterator<Item = (u32, Digest, PeerDigest)>) {
        let at = self.next_rung();
        self.add_rung(at, peers);
    }

    /// Adds the last rung, at the run's end, unless a rung stands there already.
    ///
    /// # Panics
    /// If a rung was left out.
    pub fn last_rung(&mut self, end: Instant, peers: impl IntoIterator<Item = (u32, Digest, PeerDigest)>) {
        assert!(end <= self.next_rung(), "a rung before {end} was left out");
        if self.0.rungs.last().is_none_or(|last| last.at < end) {
            self.add_rung(end, peers);
        }
    }

    /// Adds another shard's ladder.
    ///
    /// # Panics
    /// If the two are not of one run.
    pub fn merge(&mut self, other: &Self) {
        let (mine, other) = (&mut self.0, &other.0);
        let same = mine.every == other.every && mine.peers == other.peers;
        assert!(same && mine.rungs.len() == other.rungs.len(), "shards of one run have the same rungs");
        for (mine, other) in mine.rungs.iter_mut().zip(&other.rungs) {
            assert!(mine.at == other.at, "shards of one run have the same rungs");
            mine.value.add(other.value);
            for (leaf, more) in mine.leaves.iter_mut().zip(&other.leaves) {
                *leaf = leaf.wrapping_add(*more);
            }
        }
    }

    /// The ladder.
    #[must_use]
    pub fn finish(self) -> Ladder {
        self.0
    }

    fn add_rung(&mut self, at: Instant, peers: impl IntoIterator<Item = (u32, Digest, PeerDigest)>) {
        let mut rung = Rung {
            at,
            value: Fingerprint::default(),
            leaves: alloc::vec![0; self.0.peers.min(MAX_LEAVES) as usize],
        };
        for (number, id, digest) in peers {
            assert!(number < self.0.peers, "peer {number} is not of the plan");
            let share = digest.share(id);
            rung.value.add(Fingerprint(share));
            if let Some(leaf) = rung.leaves.get_mut((number % MAX_LEAVES) as usize) {
                *leaf = leaf.wrapping_add(share);
            }
        }
        self.0.rungs.push(rung);
    }
}

/// Where two runs first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The rung before it, at which the runs still agreed.
    pub after: Instant,
    /// The rung at which they differ.
    pub before: Instant,
    /// The first leaf that differs.
    pub leaf: u32,
    /// How many leaves differ.
    pub differing: u32,
    /// How many peers the runs have.
    pub all_peers: u32,
}

impl Difference {
    /// The peers for which the leaf stands.
    pub fn peers(&self) -> impl Iterator<Item = u32> + use<> {
        (self.leaf..self.all_peers).step_by(MAX_LEAVES as usize)
    }
}

/// Two ladders that say nothing about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ladders have different rungs or peers and cannot be compared")]
pub struct Incomparable;

/// Where two runs first differ; `None` if they agree as far as both go.
///
/// # Errors
/// If the ladders do not compare.
pub fn first_difference(a: &Ladder, b: &Ladder) -> Result<Option<Difference>, Incomparable> {
    if (a.every, a.peers) != (b.every, b.peers) {
        return Err(Incomparable);
    }
    let mut after = Instant::START;
    for (a_rung, b_rung) in a.rungs.iter().zip(&b.rungs) {
        // Only a last rung may stand elsewhere: one of the runs ended there.
        if a_rung.at != b_rung.at {
            break;
        }
        if a_rung.leaves.len() != b_rung.leaves.len() {
            return Err(Incomparable);
        }
        let leaves = a_rung.leaves.iter().zip(&b_rung.leaves);
        let mut differing = (0..).zip(leaves).filter(|(_, (a, b))| a != b).map(|(leaf, _)| leaf);
        if let Some(leaf) = differing.next() {
            return Ok(Some(Difference {
                after,
                before: a_rung.at,
                leaf,
                differing: differing.count() as u32 + 1,
                all_peers: a.peers,
            }));
        }
        after = a_rung.at;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVERY: Duration = Duration::from_secs(1);

    /// Every peer folds one word between two rungs; the peers of one shard are those that `mine` names.
    fn climb(
        peers: u32,
        rungs: u64,
        changed: Option<(u64, u32)>,
        mine: impl Fn(u32) -> bool,
    ) -> LadderBuilder {
        let mut builder = LadderBuilder::new(EVERY, peers);
        let mut digests = alloc::vec![PeerDigest::new(); peers as usize];
        for rung in 0..rungs {
            for (number, digest) in (0..).zip(&mut digests) {
                digest.fold(rung + u64::from(changed == Some((rung, number))));
            }
            let all = (0..).zip(&digests);
            let shard = all.filter(|(number, _)| mine(*number));
            builder.rung(shard.map(|(number, digest)| (number, Digest(u64::from(number)), *digest)));
        }
        builder
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn shards_add_up_to_the_whole(peers in 1..200u32, rungs in 0..5u64, shards in 1..5u32) {
            let whole = climb(peers, rungs, None, |_| true).finish();
            let mut sum = climb(peers, rungs, None, |number| number % shards == 0);
            for shard in 1..shards {
                sum.merge(&climb(peers, rungs, None, |number| number % shards == shard));
            }
            prop_assert_eq!(sum.finish(), whole);
        }

        #[test]
        fn one_changed_word_is_found_at_its_rung_and_peer(peers in prop_oneof![1..300u32, 9_000..9_100u32], rung in 0..4u64, number in any::<u32>()) {
            let number = number % peers;
            let original = climb(peers, 4, None, |_| true).finish();
            let changed = climb(peers, 4, Some((rung, number)), |_| true).finish();
            let found = first_difference(&original, &changed).unwrap().unwrap();
            prop_assert_eq!(found.before, Instant::START + EVERY.saturating_mul(rung + 1));
            prop_assert_eq!(found.after, Instant::START + EVERY.saturating_mul(rung));
            prop_assert_eq!(found.differing, 1);
            prop_assert!(found.peers().any(|peer| peer == number));
            prop_assert!(found.peers().count() <= 1 + (peers / MAX_LEAVES) as usize);
        }
    }

    #[test]
    fn a_rung_is_the_sum_of_its_leaves_and_the_last_the_fingerprint() {
        let ladder = climb(5000, 2, None, |_| true).finish();
        for rung in &ladder.rungs {
            let sum = rung.leaves.iter().fold(0u64, |sum, leaf| sum.wrapping_add(*leaf));
            assert_eq!(rung.value, Fingerprint(sum));
        }
    }

    #[test]
    fn a_run_that_was_interrupted_agrees_as_far_as_it_goes() {
        let whole = climb(10, 4, None, |_| true).finish();
        let mut part = climb(10, 2, None, |_| true);
        part.last_rung(Instant::START + EVERY.saturating_mul(2), []);
        assert_eq!(part.0.rungs.len(), 2, "a rung stands there already");
        part.last_rung(Instant::START + Duration::from_millis(2_500), []);
        assert_eq!(first_difference(&whole, &part.finish()), Ok(None));
        let other = climb(11, 4, None, |_| true).finish();
        assert_eq!(first_difference(&whole, &other), Err(Incomparable));
    }
}
