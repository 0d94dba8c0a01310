//! Random numbers for the yardsticks: splitmix64, a multiplication or two for each.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes the bits of a word.
#[inline]
pub(crate) const fn scramble(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The next state of a chain, which is its draw too.
#[inline]
pub(crate) const fn step(state: u64) -> u64 {
    scramble(state.wrapping_add(STEP))
}

/// From 32 random bits, a number below `bound`.
#[inline]
pub(crate) const fn scale(bits: u32, bound: u32) -> u32 {
    ((bits as u64 * bound as u64) >> 32) as u32
}

/// A chain of draws.
#[derive(Clone, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(scramble(seed))
    }

    #[inline]
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scramble(self.0)
    }

    #[inline]
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }
}
