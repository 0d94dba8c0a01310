//! The fast mixing hash behind digests, random streams and fingerprints.
//!
//! A folded multiply (64 × 64 → 128 bits, both halves XORed) per word. It is not cryptographic: it
//! tells honest runs apart, it does not resist someone who searches for collisions. Its output is
//! part of the fingerprint's version and never changes within one.

use crate::Book;

const START: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER: u64 = 0xa076_1d64_78bd_642f;
const FINISH: u64 = 0xe703_7ed1_a0b4_28db;

const fn fold_multiply(a: u64, b: u64) -> u64 {
    let wide = (a as u128) * (b as u128);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// Mixes two words into one.
#[must_use]
pub const fn mix(a: u64, b: u64) -> u64 {
    fold_multiply(a ^ START, b ^ MULTIPLIER) ^ fold_multiply(b ^ FINISH, a ^ MULTIPLIER)
}

/// Mixes a name; usable in constants.
#[must_use]
pub const fn mix_name(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut state = mix(START, bytes.len() as u64);
    let mut at = 0;
    while at < bytes.len() {
        #[expect(clippy::indexing_slicing, reason = "const fn; `at` is below the length")]
        let byte = bytes[at];
        state = mix(state, byte as u64);
        at += 1;
    }
    state
}

/// An accumulator of words, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixer(u64);

impl Mixer {
    /// Starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ START)
    }

    /// Adds one word.
    pub const fn word(&mut self, word: u64) {
        self.0 = fold_multiply(self.0 ^ word, MULTIPLIER) ^ word.rotate_left(32);
    }

    /// Adds a byte string, its length included.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.word(u64::from_le_bytes(word));
        }
    }

    /// The hash of what was added so far.
    #[must_use]
    pub const fn finish(&self) -> u64 {
        mix(self.0, FINISH)
    }
}

/// What enters a fingerprint. Ids enter by the digests that `book` keeps, never by reference.
pub trait Fold {
    /// Adds this value to `mixer`.
    fn fold(&self, book: &Book, mixer: &mut Mixer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_changed_byte_changes_the_hash(bytes in proptest::collection::vec(any::<u8>(), 1..64), at in any::<usize>(), bit in 0..8u8) {
            let mut changed = bytes.clone();
            let at = at % bytes.len();
            changed[at] ^= 1 << bit;
            let hash = |bytes: &[u8]| { let mut mixer = Mixer::new(1); mixer.bytes(bytes); mixer.finish() };
            prop_assert_ne!(hash(&bytes), hash(&changed));
        }

        #[test]
        fn order_matters(a in any::<u64>(), b in any::<u64>()) {
            prop_assume!(a != b);
            let hash = |words: [u64; 2]| { let mut mixer = Mixer::new(1); for word in words { mixer.word(word); } mixer.finish() };
            prop_assert_ne!(hash([a, b]), hash([b, a]));
        }
    }

    #[test]
    fn the_hash_is_pinned() {
        let mut mixer = Mixer::new(7);
        mixer.word(1);
        mixer.bytes(b"wavetank");
        assert_eq!((mixer.finish(), mix_name("kad")), (PINNED.0, PINNED.1));
    }
    const PINNED: (u64, u64) = (13_288_869_349_338_951_940, 352_426_630_678_904_179);
}
