//! Latencies in buckets of under 1 %, by integers only: equal on every machine, and as small for a billion
//! operations as for a thousand.

use std::collections::BTreeMap;

/// Mantissa bits: a bucket is at most 1/128 of its value wide.
const BITS: u32 = 7;

/// Counts by bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    buckets: BTreeMap<u32, u64>,
    count: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u64) {
        *self.buckets.entry(bucket(value)).or_default() += 1;
        self.count += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        self.count += other.count;
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The value at `per_mille` by the nearest rank; none without values.
    pub(crate) fn quantile(&self, per_mille: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(per_mille)).div_ceil(1_000).max(1);
        let mut below = 0;
        self.buckets.iter().find_map(|(bucket, count)| {
            below += u128::from(*count);
            (below >= rank).then(|| value(*bucket))
        })
    }

    /// Each bucket's value and how many values are in it or below.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().scan(0, |below, (bucket, count)| {
            *below += count;
            Some((value(*bucket), *below))
        })
    }
}

/// Small values have buckets of their own; then each power of two has 128.
const fn bucket(value: u64) -> u32 {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    (shift << BITS) + (value >> shift) as u32
}

/// The middle of a bucket.
const fn value(bucket: u32) -> u64 {
    let shift = (bucket >> BITS).saturating_sub(1);
    let mantissa = (bucket - (shift << BITS)) as u64;
    (mantissa << shift) + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_in_order() {
        let mut last = 0;
        for exponent in 0..63 {
            for step in 0..50 {
                let exact = (1_u64 << exponent) + ((1_u64 << exponent) / 50) * step;
                let at = bucket(exact);
                assert!(at >= last, "{exact}");
                last = at;
                assert!(value(at).abs_diff(exact) <= exact / 128, "{exact} {}", value(at));
            }
        }
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(500), None);
        (1..=100).for_each(|value| histogram.add(value));
        let at = |per_mille| histogram.quantile(per_mille).unwrap();
        assert_eq!((at(0), at(500), at(950), at(1_000)), (1, 50, 95, 100));
        assert_eq!(histogram.cumulative().last(), Some((100, 100)));
    }
}
