//! What tells two runs apart: a digest per peer and their commutative sum.
//!
//! A peer's digest folds what it handled and emitted, in its own order; the run's fingerprint adds up
//! the peers' digests, each mixed with the digest of its id. So it depends neither on the order in
//! which independent peers were executed nor on the sharding, and any changed word changes it.

use core::fmt;

use types::Digest;
use types::mix::{Mixer, mix};

/// Goes up whenever what enters a fingerprint, or how, changes: fingerprints of two versions do not compare.
pub const FINGERPRINT_VERSION: u32 = 1;

/// The running digest of one peer, over all its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerDigest(Mixer);

impl PeerDigest {
    /// Of a peer that did nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mixer::new(FINGERPRINT_VERSION as u64))
    }

    /// Folds one word.
    pub const fn fold(&mut self, word: u64) {
        self.0.word(word);
    }

    /// For what implements [`types::Fold`].
    pub const fn mixer(&mut self) -> &mut Mixer {
        &mut self.0
    }

    /// What this peer, whose id has the digest `id`, adds to a fingerprint.
    #[must_use]
    pub const fn share(&self, id: Digest) -> u64 {
        mix(id.0, self.0.finish())
    }
}

impl Default for PeerDigest {
    fn default() -> Self {
        Self::new()
    }
}

/// The fingerprint of a run, or of some of its peers: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Adds what one peer, or other peers, contribute.
    pub const fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// Of these peers, each with the digest of its id.
    pub fn of(peers: impl IntoIterator<Item = (Digest, PeerDigest)>) -> Self {
        let mut all = Self::default();
        for (id, digest) in peers {
            all.add(Self(digest.share(id)));
        }
        all
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 16 hexadecimal digits")]
pub struct NoFingerprint;

impl core::str::FromStr for Fingerprint {
    type Err = NoFingerprint;
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u64::from_str_radix(text, 16).map_err(|_| NoFingerprint)?;
        digits.then_some(Self(value)).ok_or(NoFingerprint)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = alloc::string::String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn digest(words: &[u64]) -> PeerDigest {
        let mut digest = PeerDigest::new();
        for word in words {
            digest.fold(*word);
        }
        digest
    }

    proptest! {
        #[test]
        fn neither_order_nor_sharding_shows(
            peers in proptest::collection::vec((any::<u64>(), proptest::collection::vec(any::<u64>(), 0..8)), 1..20), cut in any::<usize>(), seed: u64,
        ) {
            let peers: Vec<_> = peers.iter().map(|(id, words)| (Digest(*id), digest(words))).collect();
            let whole = Fingerprint::of(peers.clone());
            let mut shuffled = peers.clone();
            let streams = types::Streams::global(types::Seed(seed), types::Domain::new("test"));
            streams.stream(types::Purpose::new("order"), 0).shuffle(&mut shuffled);
            let (here, there) = shuffled.split_at(cut % peers.len());
            let mut sum = Fingerprint::of(there.iter().copied());
            sum.add(Fingerprint::of(here.iter().copied()));
            prop_assert_eq!(sum, whole);
        }

        #[test]
        fn one_changed_word_shows(words in proptest::collection::vec(any::<u64>(), 1..20), at in any::<usize>(), bit in 0..64u32, id: u64) {
            let mut changed = words.clone();
            let at = at % words.len();
            changed[at] ^= 1 << bit;
            prop_assert_ne!(Fingerprint::of([(Digest(id), digest(&words))]), Fingerprint::of([(Digest(id), digest(&changed))]));
        }

        #[test]
        fn two_peers_that_swap_their_histories_show(a: u64, b: u64) {
            prop_assume!(a != b);
            let (one, other) = ((Digest(1), digest(&[a])), (Digest(2), digest(&[b])));
            let swapped = [(one.0, other.1), (other.0, one.1)];
            prop_assert_ne!(Fingerprint::of([one, other]), Fingerprint::of(swapped));
        }

        #[test]
        fn fingerprints_print_and_parse_back(value: u64) {
            let fingerprint = Fingerprint(value);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "0", "+123456789abcdef", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint), "{text}");
        }
    }

    #[test]
    fn the_fingerprint_is_pinned_within_its_version() {
        assert_eq!(FINGERPRINT_VERSION, 1);
        let fingerprint = Fingerprint::of([(Digest(7), digest(&[1, 2])), (Digest(8), digest(&[]))]);
        assert_eq!(fingerprint.to_string(), PINNED);
    }
    const PINNED: &str = "afff8002631ce8cd";
}
