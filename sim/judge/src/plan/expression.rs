//! One goal of a threshold: `>= 99%`, `p99 < 6s`, `mean <= 4.5`.
//!
//! A goal is a whole number of its metric's least unit, so that judging compares integers: nanoseconds for
//! times, bytes for sizes, millionths for shares and for things that are counted.

use alloc::string::{String, ToString};
use core::fmt;

use types::metric::{Kind, Metric, Unit};
use types::quantity::ParseError;
use types::{Duration, Share, Size};

/// One goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Which number of the metric is meant.
    pub statistic: Statistic,
    /// How it is to compare.
    pub comparison: Comparison,
    /// To what.
    pub goal: Goal,
}

/// A number of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// The metric itself: of a counter its sum, of a ratio its quotient.
    Value,
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// A percentile.
    Percentile(Percentile),
}

/// A percentile, in thousandths of a percent: `p50`, `p99.9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile(u32);

/// Thousandths of a percent in the whole.
const WHOLE_PERCENTILE: u32 = 100_000;

impl Percentile {
    /// The median.
    pub const P50: Self = Self(50_000);
    /// 90 of a hundred are below.
    pub const P90: Self = Self(90_000);
    /// 95 of a hundred are below.
    pub const P95: Self = Self(95_000);
    /// 99 of a hundred are below.
    pub const P99: Self = Self(99_000);

    /// The rank of this percentile among `count` numbers, from 1; 0 if there are none.
    #[must_use]
    pub const fn rank(self, count: u64) -> u64 {
        let whole = WHOLE_PERCENTILE as u128;
        let rank = (count as u128 * self.0 as u128).div_ceil(whole) as u64;
        if rank == 0 && count > 0 { 1 } else { rank }
    }
}

/// How two numbers are to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether `value` compares to `goal` as it should.
    #[must_use]
    pub const fn holds(self, value: u128, goal: u128) -> bool {
        match self {
            Self::Less => value < goal,
            Self::AtMost => value <= goal,
            Self::Greater => value > goal,
            Self::AtLeast => value >= goal,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// What is to be reached, in whole least units; see [`MILLION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// How many least units.
    pub value: u64,
    /// Of what.
    pub unit: Unit,
}

/// Shares and counted things are judged in millionths.
pub const MILLION: u64 = 1_000_000;

/// Why a text is no goal of its metric. Messages are fragments: they follow the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Nothing compares.
    #[error("has no comparison; write {example}")]
    NoComparison {
        /// A well-formed goal of this metric.
        example: &'static str,
    },
    /// A statistic that does not exist.
    #[error("asks for `{statistic}`, which is none of mean, min, max or a percentile such as p99")]
    UnknownStatistic {
        /// What was written.
        statistic: String,
    },
    /// A percentile beyond its range.
    #[error("asks for `{statistic}`; percentiles lie between p0 and p100")]
    PercentileRange {
        /// What was written.
        statistic: String,
    },
    /// A distribution or a gauge without statistic.
    #[error("does not say which number of the metric is meant; write {example}")]
    NeedsStatistic {
        /// A well-formed goal of this metric.
        example: &'static str,
    },
    /// A statistic of a single number.
    #[error("asks for `{statistic}` of a metric that is one number; write {example}")]
    NoStatistics {
        /// What was written.
        statistic: String,
        /// A well-formed goal of this metric.
        example: &'static str,
    },
    /// The goal is no time or no size.
    #[error("compares with `{goal}`: {reason}")]
    Quantity {
        /// What was written.
        goal: String,
        /// Why it is none.
        reason: ParseError,
    },
    /// The goal is no number.
    #[error("compares with `{goal}`, which is not a plain number; write {example}")]
    NotANumber {
        /// What was written.
        goal: String,
        /// A well-formed goal of this metric.
        example: &'static str,
    },
    /// The goal is no share.
    #[error("compares with `{goal}`, which is not a share: write 99% or 0.99")]
    NotAShare {
        /// What was written.
        goal: String,
    },
}

impl Expression {
    /// Reads `text` as a goal of `metric`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(metric: &Metric, text: &str) -> Result<Self, ExpressionError> {
        let example = example(metric);
        let at = text.find(['<', '>']).ok_or(ExpressionError::NoComparison { example })?;
        let (statistic, rest) = text.split_at(at);
        let (comparison, goal) = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find_map(|(symbol, comparison)| Some((comparison, rest.strip_prefix(symbol)?)))
        .ok_or(ExpressionError::NoComparison { example })?;
        let statistic = statistic.trim();
        let single = matches!(metric.kind, Kind::Counter | Kind::Ratio);
        let statistic = match (single, statistic) {
            (true, "") => Statistic::Value,
            (false, "") => return Err(ExpressionError::NeedsStatistic { example }),
            (true, named) => {
                return Err(ExpressionError::NoStatistics { statistic: named.to_string(), example });
            }
            (false, named) => named.parse()?,
        };
        let goal = Goal::parse(metric, goal.trim())?;
        Ok(Self { statistic, comparison, goal })
    }
}

const fn example(metric: &Metric) -> &'static str {
    match (metric.kind, metric.unit) {
        (Kind::Counter | Kind::Ratio, Unit::Ratio) => "`>= 99%`",
        (Kind::Counter | Kind::Ratio, Unit::Bytes) => "`<= 64 MiB`",
        (Kind::Counter | Kind::Ratio, Unit::Time) => "`<= 30s`",
        (Kind::Counter | Kind::Ratio, Unit::Count) => "`>= 1000`",
        (Kind::Gauge | Kind::Distribution, Unit::Ratio) => "`mean >= 99%`",
        (Kind::Gauge | Kind::Distribution, Unit::Bytes) => "`p99 < 64 KiB`",
        (Kind::Gauge | Kind::Distribution, Unit::Time) => "`p99 < 6s`",
        (Kind::Gauge | Kind::Distribution, Unit::Count) => "`p99 <= 8`",
    }
}

impl core::str::FromStr for Statistic {
    type Err = ExpressionError;
    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        match text {
            "mean" => Ok(Self::Mean),
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            _ => {
                let unknown = || ExpressionError::UnknownStatistic { statistic: text.to_string() };
                let percent = text.strip_prefix('p').ok_or_else(unknown)?;
                let thousandths = parse_number(percent, 3).ok_or_else(unknown)?;
                u32::try_from(thousandths)
                    .ok()
                    .filter(|thousandths| *thousandths <= WHOLE_PERCENTILE)
                    .map(|thousandths| Self::Percentile(Percentile(thousandths)))
                    .ok_or_else(|| ExpressionError::PercentileRange { statistic: text.to_string() })
            }
        }
    }
}

impl Goal {
    fn parse(metric: &Metric, text: &str) -> Result<Self, ExpressionError> {
        let quantity = |reason| ExpressionError::Quantity { goal: text.to_string(), reason };
        let value = match metric.unit {
            Unit::Time => text.parse::<Duration>().map_err(quantity)?.as_nanos(),
            Unit::Bytes => text.parse::<Size>().map_err(quantity)?.as_bytes(),
            Unit::Count => parse_number(text, 6).ok_or_else(|| ExpressionError::NotANumber {
                goal: text.to_string(),
                example: example(metric),
            })?,
            Unit::Ratio => {
                parse_share(text).ok_or_else(|| ExpressionError::NotAShare { goal: text.to_string() })?
            }
        };
        Ok(Self { value, unit: metric.unit })
    }
}

/// `99%` or `0.99`, in millionths.
fn parse_share(text: &str) -> Option<u64> {
    match text.parse::<Share>() {
        Ok(share) => Some(u64::from(share.as_millionths())),
        Err(_) => parse_number(text, 6).filter(|millionths| *millionths <= MILLION),
    }
}

/// A plain decimal number times 10 to the `digits`, if that is whole and fits.
fn parse_number(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let decimal = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !decimal(whole) || !decimal(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > digits {
        return None;
    }
    let padded = alloc::format!("{whole}{fraction:0<digits$}");
    padded.parse().ok()
}

/// Writes millionths as a plain number: `4.5`.
fn write_number(f: &mut fmt::Formatter<'_>, value: u64, digits: usize) -> fmt::Result {
    let scale = 10u64.saturating_pow(u32::try_from(digits).unwrap_or(u32::MAX));
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return write!(f, "{whole}");
    }
    let fraction = alloc::format!("{rest:0digits$}");
    write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => f.write_str("value"),
            Self::Mean => f.write_str("mean"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Percentile(Percentile(thousandths)) => {
                f.write_str("p")?;
                write_number(f, u64::from(*thousandths), 3)
            }
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Time => Duration::from_nanos(self.value).fmt(f),
            Unit::Bytes => Size::from_bytes(self.value).fmt(f),
            Unit::Count => write_number(f, self.value, 6),
            // Millionths are ten-thousandths of a percent.
            Unit::Ratio => {
                write_number(f, self.value, 4)?;
                f.write_str("%")
            }
        }
    }
}

/// A measured quantity for people: two decimals of a unit that suits it, rounded down, so that what fell short of the whole is
/// never shown as the whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About(pub(crate) Goal);

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Goal { value, unit } = self.0;
        match (unit, value) {
            (Unit::Time, 1_000_000_000..) => {
                write_number(f, value / 10_000_000, 2)?;
                f.write_str("s")
            }
            (Unit::Time, 1_000_000..) => {
                write_number(f, value / 10_000, 2)?;
                f.write_str("ms")
            }
            (Unit::Ratio, _) => {
                write_number(f, value / 100, 2)?;
                f.write_str("%")
            }
            (Unit::Count, _) => write_number(f, value / 10_000, 2),
            (Unit::Time | Unit::Bytes, _) => self.0.fmt(f),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.statistic != Statistic::Value {
            write!(f, "{} ", self.statistic)?;
        }
        write!(f, "{} {}", self.comparison.symbol(), self.goal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn what_was_measured_is_said_to_two_decimals_and_never_rounded_up() {
        let about = |unit, value| About(Goal { value, unit }).to_string();
        assert_eq!(about(Unit::Time, 2_641_271_225), "2.64s");
        assert_eq!(about(Unit::Time, 160_045_999), "160.04ms");
        assert_eq!(about(Unit::Time, 12_000), "12us");
        assert_eq!(about(Unit::Ratio, 999_999), "99.99%");
        assert_eq!(about(Unit::Count, 2_500_000), "2.5");
    }
    use types::metric;

    fn parse(metric: &Metric, text: &str) -> Result<Expression, ExpressionError> {
        Expression::parse(metric, text)
    }

    #[test]
    fn goals_read_as_people_write_them() {
        let goal =
            |metric, text| parse(metric, text).map(|read| (read.statistic, read.comparison, read.goal.value));
        assert_eq!(
            goal(&metric::LOOKUP_SUCCESS_RATIO, ">= 99%"),
            Ok((Statistic::Value, Comparison::AtLeast, 990_000))
        );
        assert_eq!(
            goal(&metric::LOOKUP_RECALL, "mean>0.98"),
            Ok((Statistic::Mean, Comparison::Greater, 980_000))
        );
        assert_eq!(
            goal(&metric::LOOKUP_LATENCY, "p99 < 6s"),
            Ok((Statistic::Percentile(Percentile::P99), Comparison::Less, 6_000_000_000))
        );
        assert_eq!(
            goal(&metric::LOOKUP_HOPS, " max <= 4.5 "),
            Ok((Statistic::Max, Comparison::AtMost, 4_500_000))
        );
        assert_eq!(
            goal(&metric::MESSAGES_SENT_BYTES, "< 1 MiB"),
            Ok((Statistic::Value, Comparison::Less, 1 << 20))
        );
    }

    #[test]
    fn mistakes_are_named() {
        let error = |metric, text| parse(metric, text).unwrap_err().to_string();
        assert_eq!(error(&metric::LOOKUP_LATENCY, "p99 6s"), "has no comparison; write `p99 < 6s`");
        assert_eq!(
            error(&metric::LOOKUP_LATENCY, "< 6s"),
            "does not say which number of the metric is meant; write `p99 < 6s`"
        );
        assert_eq!(
            error(&metric::LOOKUP_LATENCY, "median < 6s"),
            "asks for `median`, which is none of mean, min, max or a percentile such as p99"
        );
        assert_eq!(
            error(&metric::LOOKUP_LATENCY, "p101 < 6s"),
            "asks for `p101`; percentiles lie between p0 and p100"
        );
        assert_eq!(
            error(&metric::LOOKUP_LATENCY, "p99 < 6"),
            "compares with `6`: the unit is missing; write `250ms`, `30s`, `10m` or `2h`"
        );
        assert_eq!(
            error(&metric::LOOKUP_SUCCESS_RATIO, "mean >= 99%"),
            "asks for `mean` of a metric that is one number; write `>= 99%`"
        );
        assert_eq!(
            error(&metric::LOOKUP_SUCCESS_RATIO, ">= 990 per mille"),
            "compares with `990 per mille`, which is not a share: write 99% or 0.99"
        );
        assert_eq!(
            error(&metric::LOOKUP_SUCCESS_RATIO, "=> 99%"),
            "asks for `=` of a metric that is one number; write `>= 99%`"
        );
        assert_eq!(
            error(&metric::LOOKUP_HOPS, "p99 <= 8s"),
            "compares with `8s`, which is not a plain number; write `p99 <= 8`"
        );
        assert_eq!(
            error(&metric::LOOKUP_RECALL, "mean >= 101%"),
            "compares with `101%`, which is not a share: write 99% or 0.99"
        );
    }

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!((Percentile::P50.rank(0), Percentile::P50.rank(1)), (0, 1));
        assert_eq!((Percentile::P50.rank(10), Percentile::P99.rank(100)), (5, 99));
        assert_eq!((Percentile(0).rank(7), Percentile(WHOLE_PERCENTILE).rank(7)), (1, 7));
    }

    proptest! {
        #[test]
        fn goals_print_and_parse_back(which in 0..metric::ALL.len(), value in 0..MILLION, pick in 0..5u8, thousandths in 0..=WHOLE_PERCENTILE, comparison in 0..4u8) {
            let metric = &metric::ALL[which];
            let statistic = if matches!(metric.kind, Kind::Counter | Kind::Ratio) { Statistic::Value } else {
                match pick { 0 => Statistic::Mean, 1 => Statistic::Min, 2 => Statistic::Max, _ => Statistic::Percentile(Percentile(thousandths)) }
            };
            let comparison = [Comparison::Less, Comparison::AtMost, Comparison::Greater, Comparison::AtLeast][usize::from(comparison)];
            let goal = Goal { value, unit: metric.unit };
            let expression = Expression { statistic, comparison, goal };
            prop_assert_eq!(parse(metric, &expression.to_string()), Ok(expression));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", which in 0..metric::ALL.len()) {
            let _ = parse(&metric::ALL[which], &text);
        }
    }
}
