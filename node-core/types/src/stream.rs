//! Random streams: named, derived when used, never shared.
//!
//! A [`Stream`] follows from (seed, domain, peer, incarnation, purpose, count) alone, so one more draw
//! in one place moves nothing elsewhere, a restarted peer does not repeat its draws, and no peer
//! keeps generator state. The generator is PCG64-DXSM; floats come from `libm`, so they are the same
//! on every platform.

use rand_core::Rng as _;
use rand_pcg::Pcg64Dxsm;

use crate::mix::{Mixer, mix_name};
use crate::{Digest, Duration};

/// The root of all chance in a run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Seed(pub u64);

/// A part of the system that draws: `node`, `links`, `play`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain(u64);

impl Domain {
    /// The domain of this name.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        Self(mix_name(name))
    }
}

/// What a stream is drawn for, within its domain: `lookup target`, `jitter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(u64);

impl Purpose {
    /// The purpose of this name.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        Self(mix_name(name))
    }
}

/// Where one participant's streams come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    root: u64,
}

impl Streams {
    /// The streams of `peer` in its `incarnation`-th life, within `domain`.
    #[must_use]
    pub fn new(seed: Seed, domain: Domain, peer: Digest, incarnation: u32) -> Self {
        let mut mixer = Mixer::new(seed.0);
        mixer.word(domain.0);
        mixer.word(peer.0);
        mixer.word(u64::from(incarnation));
        Self { root: mixer.finish() }
    }

    /// Streams that belong to no peer.
    #[must_use]
    pub fn global(seed: Seed, domain: Domain) -> Self {
        Self::new(seed, domain, Digest(0), 0)
    }

    /// The `count`-th stream for `purpose`.
    #[must_use]
    pub fn stream(&self, purpose: Purpose, count: u64) -> Stream {
        let mut mixer = Mixer::new(self.root);
        mixer.word(purpose.0);
        mixer.word(count);
        let low = mixer.finish();
        mixer.word(low);
        let high = mixer.finish();
        Stream(Pcg64Dxsm::new((u128::from(high) << 64) | u128::from(low), u128::from(self.root)))
    }
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Dxsm);

impl Stream {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 32 random bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `bound`, each as likely, by Lemire's multiplication with rejection; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.bits()) * u128::from(bound);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// An index of a slice of `len` elements; `None` if it is empty.
    pub fn index(&mut self, len: usize) -> Option<usize> {
        (len > 0).then(|| self.below(len as u64) as usize)
    }

    /// Between 0 (included) and 1 (excluded), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Between 0 (excluded) and 1 (included): fit for a logarithm.
    pub fn unit_positive(&mut self) -> f64 {
        1.0 - self.unit()
    }

    /// True with the probability of `share`.
    pub fn happens(&mut self, share: crate::Share) -> bool {
        self.below(1_000_000) < u64::from(share.as_millionths())
    }

    /// A standard normal number, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.unit_positive()));
        radius * libm::cos(2.0 * core::f64::consts::PI * self.unit())
    }

    /// An exponentially distributed span.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        Duration::from_secs_f64_rounded(-libm::log(self.unit_positive()) * mean.as_secs_f64())
    }

    /// Puts `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const DOMAIN: Domain = Domain::new("test");

    #[test]
    fn a_stream_depends_on_every_part_of_its_name() {
        let first = |seed, domain, peer, incarnation, purpose, count| {
            Streams::new(Seed(seed), domain, Digest(peer), incarnation).stream(purpose, count).bits()
        };
        let a = Purpose::new("a");
        let all = [
            first(1, DOMAIN, 1, 1, a, 1),
            first(2, DOMAIN, 1, 1, a, 1),
            first(1, Domain::new("other"), 1, 1, a, 1),
            first(1, DOMAIN, 2, 1, a, 1),
            first(1, DOMAIN, 1, 2, a, 1),
            first(1, DOMAIN, 1, 1, Purpose::new("b"), 1),
            first(1, DOMAIN, 1, 1, a, 2),
        ];
        let distinct: alloc::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(first(1, DOMAIN, 1, 1, a, 1), first(1, DOMAIN, 1, 1, a, 1));
    }

    #[test]
    fn draws_have_the_moments_they_claim() {
        let mut stream = Streams::global(Seed(1), DOMAIN).stream(Purpose::new("moments"), 0);
        let n = 100_000;
        let mean = |draws: Vec<f64>| draws.iter().sum::<f64>() / n as f64;
        assert!((mean((0..n).map(|_| stream.unit()).collect()) - 0.5).abs() < 0.005);
        assert!(mean((0..n).map(|_| stream.normal()).collect()).abs() < 0.015);
        assert!((mean((0..n).map(|_| libm::pow(stream.normal(), 2.0)).collect()) - 1.0).abs() < 0.03);
        let exponential = (0..n).map(|_| stream.exponential(Duration::from_secs(2)).as_secs_f64()).collect();
        assert!((mean(exponential) - 2.0).abs() < 0.04);
        assert!((mean((0..n).map(|_| stream.below(10) as f64).collect()) - 4.5).abs() < 0.05);
    }
}
