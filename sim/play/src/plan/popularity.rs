//! Which of several names people ask for: each as often, or a few of them much more often than the rest.

use types::Stream;

/// Which of several names is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Popularity {
    /// Each as often.
    #[default]
    Even,
    /// A few very often, most seldom: the n-th as often as 1 / n^exponent. They rank in the order in which they were first
    /// stored or announced.
    Zipf(Zipf),
}

/// A Zipf law.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Zipf {
    /// Its exponent: near 1 for what people ask of the web; a higher one favours the first names more. From 0.01 to 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.01, max = 10.0)))]
    pub exponent: f64,
}

/// The least exponent of a Zipf law: below it all names are asked for alike.
pub const LEAST_EXPONENT: f64 = 0.01;
/// The greatest: nearly all ask for the first name.
pub const MOST_EXPONENT: f64 = 10.0;

impl Popularity {
    /// One of `count` names, by its place; `None` if there are none.
    #[must_use]
    pub fn draw(&self, count: usize, stream: &mut Stream) -> Option<usize> {
        match self {
            Self::Even => stream.index(count),
            Self::Zipf(law) => (count > 0).then(|| law.draw(count, stream)),
        }
    }
}

impl Zipf {
    /// By rejection from the area under the law's continuous relative, which can be inverted (Hörmann and Derflinger
    /// 1996): the number of names may be another at every draw, and none costs more than a few logarithms.
    fn draw(&self, count: usize, stream: &mut Stream) -> usize {
        let low = self.area(1.5) - 1.0;
        let high = self.area(count as f64 + 0.5);
        loop {
            let area = high + stream.unit() * (low - high);
            let rank = libm::round(self.inverse(area)).clamp(1.0, count as f64);
            if area >= self.area(rank + 0.5) - libm::pow(rank, -self.exponent) {
                return rank as usize - 1;
            }
        }
    }

    /// The integral of x^-exponent from 1 to `x`.
    fn area(&self, x: f64) -> f64 {
        let power = 1.0 - self.exponent;
        let log = libm::log(x);
        if power == 0.0 { log } else { libm::expm1(power * log) / power }
    }

    /// Where the integral is `area`.
    fn inverse(&self, area: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power == 0.0 { libm::exp(area) } else { libm::exp(libm::log1p((area * power).max(-1.0)) / power) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use types::{Domain, Purpose, Seed, Streams};

    #[test]
    fn names_are_asked_for_as_often_as_their_rank_says() {
        const DRAWS: u32 = 100_000;
        let streams = Streams::global(Seed(1), Domain::new("popularity"));
        for (index, (exponent, count)) in
            [(0.01, 50), (0.8, 100), (1.0, 2), (1.0, 200), (1.2, 1_000), (3.0, 30), (10.0, 5)]
                .into_iter()
                .enumerate()
        {
            let law = Popularity::Zipf(Zipf { exponent });
            let mut stream = streams.stream(Purpose::new("draw"), index as u64);
            let mut drawn = vec![0u32; count];
            for _ in 0..DRAWS {
                drawn[law.draw(count, &mut stream).unwrap()] += 1;
            }
            let weights: alloc::vec::Vec<f64> =
                (1..=count).map(|rank| libm::pow(rank as f64, -exponent)).collect();
            let whole: f64 = weights.iter().sum();
            // Pearson's test; ranks that are expected less than five times are taken together.
            let (mut statistic, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
            let mut cell = |expected: f64, got: f64| {
                statistic += (got - expected) * (got - expected) / expected;
                cells += 1.0;
            };
            for (weight, got) in weights.iter().zip(&drawn) {
                let expected = f64::from(DRAWS) * weight / whole;
                if expected < 5.0 {
                    rest = (rest.0 + expected, rest.1 + f64::from(*got));
                } else {
                    cell(expected, f64::from(*got));
                }
            }
            if rest.0 >= 5.0 {
                cell(rest.0, rest.1);
            }
            // Chi square beyond its mean by four standard deviations: p is some 0.0005.
            let freedom: f64 = cells - 1.0;
            assert!(
                statistic < freedom + 4.0 * libm::sqrt(2.0 * freedom) + 4.0,
                "{exponent} of {count}: {statistic} of {freedom}"
            );
        }
    }

    #[test]
    fn of_nothing_nothing_is_drawn_and_of_one_that() {
        let mut stream = Streams::global(Seed(1), Domain::new("popularity")).stream(Purpose::new("draw"), 0);
        for law in [Popularity::Even, Popularity::Zipf(Zipf { exponent: 1.0 })] {
            assert_eq!((law.draw(0, &mut stream), law.draw(1, &mut stream)), (None, Some(0)));
        }
    }
}
