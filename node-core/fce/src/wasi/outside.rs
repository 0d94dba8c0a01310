//! What a service is told of the world outside: two clocks and a stream of entropy, all given by its host.
//!
//! It is not a clock: time passes in a call by the fuel that is used and by sleeping, which returns at once.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// Clocks and entropy of a service, with what it has taken of them: a value that can be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    wall_ns: u64,
    monotonic_ns: u64,
    slept_ns: u64,
    ps_per_fuel: u64,
    seed: [u8; 32],
    /// How many words of four bytes were taken of the stream.
    taken: u64,
}

impl Outside {
    /// A service's, before its first call. `ps_per_fuel` is how many picoseconds pass as one unit of fuel is used.
    pub const fn new(seed: [u8; 32], ps_per_fuel: u64) -> Self {
        Self { wall_ns: 0, monotonic_ns: 0, slept_ns: 0, ps_per_fuel, seed, taken: 0 }
    }

    /// Sets the clocks as a call begins, in nanoseconds: since 1970, and since anything. Nothing is slept yet.
    pub const fn begin(&mut self, wall_ns: u64, monotonic_ns: u64) {
        self.wall_ns = wall_ns;
        self.monotonic_ns = monotonic_ns;
        self.slept_ns = 0;
    }

    /// How long the service slept since [`Self::begin`]: the host owes it that time.
    pub const fn slept_ns(&self) -> u64 {
        self.slept_ns
    }

    /// What tells it from any other.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for number in [self.wall_ns, self.monotonic_ns, self.slept_ns, self.ps_per_fuel, self.taken] {
            hash.update(number.to_le_bytes());
        }
        hash.update(self.seed);
        hash.finalize().into()
    }

    /// The time that using `fuel` takes.
    pub(super) fn busy_ns(&self, fuel: u64) -> u64 {
        u64::try_from(u128::from(fuel) * u128::from(self.ps_per_fuel) / 1000).unwrap_or(u64::MAX)
    }

    /// The wall clock after `fuel` was used in this call.
    pub(super) fn wall_ns(&self, fuel: u64) -> u64 {
        self.wall_ns.saturating_add(self.slept_ns).saturating_add(self.busy_ns(fuel))
    }

    /// The clock that is never set back.
    pub(super) fn monotonic_ns(&self, fuel: u64) -> u64 {
        self.monotonic_ns.saturating_add(self.slept_ns).saturating_add(self.busy_ns(fuel))
    }

    /// The smallest step that clocks make.
    pub(super) const fn resolution_ns(&self) -> u64 {
        let step = self.ps_per_fuel.div_ceil(1000);
        if step == 0 { 1 } else { step }
    }

    /// Lets time pass.
    pub(super) const fn sleep(&mut self, ns: u64) {
        self.slept_ns = self.slept_ns.saturating_add(ns);
    }

    /// Takes entropy. What is left of a word is not given to anybody.
    pub(super) fn fill(&mut self, into: &mut [u8]) {
        let mut stream = ChaCha20Rng::from_seed(self.seed);
        stream.set_word_pos(u128::from(self.taken));
        stream.fill_bytes(into);
        self.taken = self.taken.wrapping_add((into.len() as u64).div_ceil(4));
    }
}
