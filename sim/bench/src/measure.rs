//! One measurement of one contestant.

use std::time::Duration;

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The network that all is measured on does not resolve: a defect of ours.
    #[error("the network of the benchmark does not resolve; this is a defect of wavetank")]
    Network,
    /// A simulated run failed.
    #[error("a run failed: {0}")]
    World(#[from] world::WorldError),
    /// Equal runs gave different outcomes.
    #[error("{what} with {peers} peers: two runs of the same gave different outcomes")]
    Different {
        /// Which.
        what: &'static str,
        /// Its peers.
        peers: u32,
    },
    /// A process for measuring memory did not do its part.
    #[error("cannot measure memory in a process of its own: {0}")]
    Child(String),
    /// Results that cannot be read.
    #[error("results cannot be read: {0}")]
    Results(#[from] serde_json::Error),
}

/// What a contestant did, and what it cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// Messages handled or sent: what the rate counts.
    pub(crate) events: u64,
    /// CPU time, the start aside.
    pub(crate) cpu: Duration,
    /// What tells this outcome from others.
    pub(crate) digest: u64,
    /// Lookups that ended, where there are any.
    pub(crate) lookups: u64,
    /// CPU time of the start.
    pub(crate) start_cpu: Duration,
}

impl Measured {
    /// Messages per CPU-second.
    pub(crate) fn rate(&self) -> f64 {
        self.events as f64 / self.cpu.as_secs_f64()
    }
}

/// The middle one; the mean of the two middle ones of an even number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

/// To four significant digits: more would be noise, and these are read back as they were written.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let magnitude = value.abs().log10().floor() as i32;
    if magnitude >= 3 {
        let scale = 10f64.powi(magnitude - 3);
        (value / scale).round() * scale
    } else {
        // Divided by a power of ten, which is exact: the result is the number nearest to its decimal digits.
        let scale = 10f64.powi(3 - magnitude);
        (value * scale).round() / scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn figures_keep_four_digits() {
        assert_eq!(rounded(0.012_345_6), 0.012_35);
        assert_eq!(rounded(4.56789), 4.568);
        assert_eq!(rounded(38_000_416.3), 38_000_000.0);
        assert_eq!((rounded(0.0), rounded(9_999.6)), (0.0, 10_000.0));
        assert!(rounded(f64::NAN).is_nan());
    }
}
