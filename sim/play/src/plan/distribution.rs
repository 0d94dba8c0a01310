//! Laws of random spans: sessions, downtimes, thinking.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use types::{Duration, Stream};

/// How a random span is distributed.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// Without memory.
    Exponential(Exponential),
    /// With a shape below 1: most are short, a few very long, as measured sessions are.
    Weibull(Weibull),
    /// Its logarithm is normal.
    Lognormal(Lognormal),
    /// No less than a minimum, with a tail that falls as a power: the heaviest of these tails.
    Pareto(Pareto),
}

/// Without memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Its mean.
    pub mean: Duration,
}

/// A Weibull law.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Weibull {
    /// Its shape: below 1 a heavy tail, 1 exponential, above 1 ageing.
    pub shape: f64,
    /// Its scale: 63 % are shorter.
    pub scale: Duration,
}

/// A lognormal law.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Its median: half are shorter.
    pub median: Duration,
    /// The standard deviation of its logarithm.
    pub sigma: f64,
}

/// A Pareto law.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pareto {
    /// Nothing is shorter.
    pub minimum: Duration,
    /// Its shape: a share of `(minimum / x)^shape` is longer than `x`. Up to 1 it has no mean, up to 2 no variance; 1 to 3
    /// is usual.
    pub shape: f64,
}

impl Distribution {
    /// A random span, by inversion of the law or of the normal one.
    pub fn draw(&self, stream: &mut Stream) -> Duration {
        match self {
            Self::Exponential(law) => stream.exponential(law.mean),
            Self::Weibull(law) => {
                let stretched = libm::pow(-libm::log(stream.unit_positive()), 1.0 / law.shape);
                Duration::from_secs_f64_rounded(law.scale.as_secs_f64() * stretched)
            }
            Self::Lognormal(law) => {
                let factor = libm::exp(law.sigma * stream.normal());
                Duration::from_secs_f64_rounded(law.median.as_secs_f64() * factor)
            }
            Self::Pareto(law) => {
                let stretched = libm::pow(stream.unit_positive(), -1.0 / law.shape);
                Duration::from_secs_f64_rounded(law.minimum.as_secs_f64() * stretched)
            }
        }
    }

    /// The mean; the longest span where there is none.
    #[must_use]
    pub fn mean(&self) -> Duration {
        match self {
            Self::Exponential(law) => law.mean,
            Self::Weibull(law) => {
                Duration::from_secs_f64_rounded(law.scale.as_secs_f64() * libm::tgamma(1.0 + 1.0 / law.shape))
            }
            Self::Lognormal(law) => Duration::from_secs_f64_rounded(
                law.median.as_secs_f64() * libm::exp(law.sigma * law.sigma / 2.0),
            ),
            Self::Pareto(law) if law.shape > 1.0 => {
                Duration::from_secs_f64_rounded(law.minimum.as_secs_f64() * law.shape / (law.shape - 1.0))
            }
            Self::Pareto(_) => Duration::MAX,
        }
    }

    /// The mean of what is cut off at `most`, where the whole has no mean or a far one; else the mean.
    pub(crate) fn mean_within(&self, most: Duration) -> Duration {
        let Self::Pareto(law) = self else { return self.mean() };
        let (least, most) = (law.minimum.as_secs_f64(), most.as_secs_f64());
        if most <= least {
            return law.minimum;
        }
        let beyond = law.shape - 1.0;
        let factor = if libm::fabs(beyond) < 1e-9 {
            1.0 + libm::log(most / least)
        } else {
            (law.shape - libm::pow(least / most, beyond)) / beyond
        };
        Duration::from_secs_f64_rounded(least * factor)
    }

    /// What is wrong with its parameters, by their names.
    pub(crate) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let span = |name, span: Duration| {
            (span == Duration::ZERO).then(|| (name, "must be longer than 0s".to_string()))
        };
        let within = |name, value: f64, least: f64, most: f64| {
            (!(least..=most).contains(&value))
                .then(|| (name, alloc::format!("is {value}, outside {least} to {most}")))
        };
        match self {
            Self::Exponential(law) => span("exponential.mean", law.mean).into_iter().collect(),
            Self::Weibull(law) => span("weibull.scale", law.scale)
                .into_iter()
                .chain(within("weibull.shape", law.shape, LEAST_SHAPE, MOST_SHAPE))
                .collect(),
            Self::Lognormal(law) => span("lognormal.median", law.median)
                .into_iter()
                .chain(within("lognormal.sigma", law.sigma, 0.0, MOST_SIGMA))
                .collect(),
            Self::Pareto(law) => span("pareto.minimum", law.minimum)
                .into_iter()
                .chain(within("pareto.shape", law.shape, LEAST_SHAPE, MOST_SHAPE))
                .collect(),
        }
    }
}

/// The least shape of a Weibull or Pareto law: measured sessions have 0.34 and more; below this, half are shorter than a
/// fortieth of the scale and the mean is millions of times the scale.
pub const LEAST_SHAPE: f64 = 0.1;
/// The greatest shape of a Weibull or Pareto law: all but equal spans.
pub const MOST_SHAPE: f64 = 100.0;
/// The greatest sigma of a lognormal law: its mean is already 10^5 times the median.
pub const MOST_SIGMA: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use types::{Domain, Purpose, Seed, Streams};

    const N: usize = 10_000;
    /// Kolmogorov and Smirnov's bound for p = 0.01, times the root of n.
    const KS_01: f64 = 1.628;

    fn laws() -> Vec<Distribution> {
        let weibull = |shape, scale| Distribution::Weibull(Weibull { shape, scale });
        vec![
            Distribution::Exponential(Exponential { mean: Duration::from_mins(5) }),
            // BitTorrent sessions (Stutzbach and Rejaie, 2006) and IPFS sessions (two points of RFM2).
            weibull(0.38, Duration::from_secs(2_544)),
            weibull(0.59, Duration::from_secs(2_514)),
            weibull(0.608, Duration::from_mins(219)),
            weibull(2.0, Duration::from_mins(1)),
            Distribution::Lognormal(Lognormal { median: Duration::from_mins(30), sigma: 1.2 }),
            Distribution::Pareto(Pareto { minimum: Duration::from_mins(10), shape: 3.5 }),
            // Without a variance, and without a mean.
            Distribution::Pareto(Pareto { minimum: Duration::from_mins(10), shape: 1.5 }),
            Distribution::Pareto(Pareto { minimum: Duration::from_secs(1), shape: 0.8 }),
        ]
    }

    /// The probability of a span up to `secs`.
    fn cumulative(law: &Distribution, secs: f64) -> f64 {
        match law {
            Distribution::Exponential(law) => 1.0 - libm::exp(-secs / law.mean.as_secs_f64()),
            Distribution::Weibull(law) => {
                1.0 - libm::exp(-libm::pow(secs / law.scale.as_secs_f64(), law.shape))
            }
            Distribution::Lognormal(law) => {
                let z = libm::log(secs / law.median.as_secs_f64()) / law.sigma;
                0.5 * libm::erfc(-z / core::f64::consts::SQRT_2)
            }
            Distribution::Pareto(law) => 1.0 - libm::pow(law.minimum.as_secs_f64() / secs, law.shape),
        }
    }

    /// The laws that have a variance.
    fn tame_laws() -> impl Iterator<Item = Distribution> {
        laws().into_iter().filter(|law| second_moment(law).is_finite())
    }

    /// The mean of the squared span.
    fn second_moment(law: &Distribution) -> f64 {
        let square = |x: f64| x * x;
        match law {
            Distribution::Exponential(law) => 2.0 * square(law.mean.as_secs_f64()),
            Distribution::Weibull(law) => {
                square(law.scale.as_secs_f64()) * libm::tgamma(1.0 + 2.0 / law.shape)
            }
            Distribution::Lognormal(law) => {
                square(law.median.as_secs_f64()) * libm::exp(2.0 * square(law.sigma))
            }
            Distribution::Pareto(law) if law.shape > 2.0 => {
                square(law.minimum.as_secs_f64()) * law.shape / (law.shape - 2.0)
            }
            Distribution::Pareto(_) => f64::INFINITY,
        }
    }

    fn draws(law: &Distribution, seed: u64, count: usize) -> Vec<f64> {
        let mut stream = Streams::global(Seed(seed), Domain::new("test")).stream(Purpose::new("draws"), 0);
        (0..count).map(|_| law.draw(&mut stream).as_secs_f64()).collect()
    }

    #[test]
    fn draws_follow_their_law() {
        for law in laws() {
            let mut draws = draws(&law, 1, N);
            draws.sort_by(f64::total_cmp);
            let n = N as f64;
            let worst = draws.iter().zip(0..).fold(0.0f64, |worst, (secs, below)| {
                let expected = cumulative(&law, *secs);
                let (low, high) = (f64::from(below) / n, f64::from(below + 1) / n);
                worst.max((expected - low).abs()).max((expected - high).abs())
            });
            assert!(worst * libm::sqrt(n) < KS_01, "{law:?} is off by {worst}");
        }
    }

    #[test]
    fn means_are_those_of_the_draws() {
        for law in tame_laws() {
            let (mean, second) = (law.mean().as_secs_f64(), second_moment(&law));
            let count = 200_000;
            let measured = draws(&law, 2, count).iter().sum::<f64>() / count as f64;
            // Four standard errors.
            let slack = 4.0 * libm::sqrt((second - mean * mean) / count as f64);
            assert!((measured - mean).abs() < slack, "{law:?}: {measured} is not {mean} within {slack}");
        }
    }

    #[test]
    fn who_is_met_at_random_has_a_length_biased_age() {
        // One peer's sessions, end to end; at random moments its age and its residual life have mean E[L²]/2E[L].
        for law in tame_laws().filter(|law| !matches!(law, Distribution::Weibull(law) if law.shape < 0.5)) {
            let sessions = draws(&law, 3, 400_000);
            let whole: f64 = sessions.iter().sum();
            let age: f64 = sessions.iter().map(|length| length * length / 2.0).sum::<f64>() / whole;
            let expected = second_moment(&law) / (2.0 * law.mean().as_secs_f64());
            assert!((age / expected - 1.0).abs() < 0.05, "{law:?}: {age} is not {expected}");
        }
    }
    #[test]
    fn the_mean_of_what_is_cut_off_is_that_of_the_draws() {
        let most = Duration::from_mins(100);
        for shape in [0.8, 1.0, 1.5, 3.5] {
            let law = Distribution::Pareto(Pareto { minimum: Duration::from_secs(1), shape });
            let cut: Vec<f64> =
                draws(&law, 5, N).into_iter().map(|secs| secs.min(most.as_secs_f64())).collect();
            let n = N as f64;
            let mean = cut.iter().sum::<f64>() / n;
            let variance = cut.iter().map(|secs| (secs - mean) * (secs - mean)).sum::<f64>() / n;
            let expected = law.mean_within(most).as_secs_f64();
            assert!(
                (mean - expected).abs() < 4.0 * libm::sqrt(variance / n),
                "{shape}: {mean} is not {expected}"
            );
        }
        let law = Distribution::Pareto(Pareto { minimum: Duration::from_secs(1), shape: 0.8 });
        assert_eq!(law.mean_within(Duration::ZERO), Duration::from_secs(1));
    }

    #[test]
    fn a_pareto_law_without_a_mean_says_so_and_still_has_its_median() {
        let law = |shape| Distribution::Pareto(Pareto { minimum: Duration::from_secs(1), shape });
        assert_eq!((law(1.0).mean(), law(0.8).mean()), (Duration::MAX, Duration::MAX));
        assert_eq!(law(2.0).mean(), Duration::from_secs(2));
        let mut draws = draws(&law(1.0), 4, N);
        draws.sort_by(f64::total_cmp);
        // Half are longer than twice the minimum: four standard errors of an order statistic.
        assert!((draws[N / 2] - 2.0).abs() < 0.08, "{}", draws[N / 2]);
        assert!(draws[0] >= 1.0);
    }
}
