//! The two times: a monotonic [`Instant`] that orders events, and [`UnixMillis`], the wall clock that
//! particles and certificates carry. [`Now`] holds both. Nothing here asks the machine for either.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

use crate::quantity::{ParseError, Unit, parse_decimal};

/// A moment of a run: nanoseconds since it began. 584 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The run's beginning.
    pub const START: Self = Self(0);
    /// Later than every moment of a run.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `nanos` nanoseconds after the beginning.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the beginning, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Seconds since the beginning: for people and plots, never for decisions.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time from `earlier` to this moment; zero if it lies in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::NEVER`].
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration(self.0).fmt(f)
    }
}

/// A span of time in whole nanoseconds. People write it with a unit: `250ms`, `1.5s`, `10m`, `2h`, `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

const DURATION_UNITS: &[Unit] = &[
    Unit::new("ns", 1),
    Unit::new("us", 1_000),
    Unit::new("µs", 1_000),
    Unit::new("ms", 1_000_000),
    Unit::new("s", 1_000_000_000),
    Unit::new("m", 60_000_000_000),
    Unit::new("min", 60_000_000_000),
    Unit::new("h", 3_600_000_000_000),
    Unit::new("d", 86_400_000_000_000),
];

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);

    /// `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// `micros` microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }
    /// `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// `secs` seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }
    /// `mins` minutes.
    #[must_use]
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }
    /// `hours` hours.
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_secs(hours.saturating_mul(3_600))
    }
    /// Whole nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// Seconds: for people and plots, never for decisions.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// The nearest whole nanosecond to `secs`; negative, infinite and NaN become the nearest bound or zero.
    /// Where a model's float (a drawn latency or session) becomes time.
    #[must_use]
    pub fn from_secs_f64_rounded(secs: f64) -> Self {
        Self(libm::round(secs * 1e9) as u64)
    }
    /// This span `times` over, saturating.
    #[must_use]
    pub const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
    /// This span divided, rounded down; by zero: the longest span.
    #[must_use]
    pub const fn divided(self, by: u64) -> Self {
        match self.0.checked_div(by) {
            Some(nanos) => Self(nanos),
            None => Self::MAX,
        }
    }
    /// What is left after `other`; zero if nothing is.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::START`].
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }
}

impl fmt::Display for Duration {
    /// The largest unit that states the span exactly: `90s`, `1500us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let exact = ["d", "h", "m", "s", "ms", "us", "ns"].iter().find_map(|name| {
            let unit = DURATION_UNITS.iter().find(|unit| unit.name == *name)?;
            self.0.is_multiple_of(unit.scale).then(|| (self.0 / unit.scale, *name))
        });
        let (count, unit) = exact.unwrap_or((self.0, "ns"));
        write!(f, "{count}{unit}")
    }
}

impl core::str::FromStr for Duration {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_decimal(text, "duration", DURATION_UNITS, "`250ms`, `30s`, `10m` or `2h`").map(Self)
    }
}

crate::quantity::serde_as_text!(
    Duration,
    "duration",
    "a span of time with a unit, such as `250ms`, `30s`, `10m`, `2h` or `7d`",
    DURATION_UNITS
);

/// Wall-clock time in milliseconds since 1970-01-01 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

/// The two times of one moment, as a peer is told them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic; orders events and measures spans.
    pub instant: Instant,
    /// The peer's wall clock, which may be skewed; for times that travel between peers.
    pub unix: UnixMillis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn durations_print_and_parse_back(nanos in any::<u64>()) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
        }
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, nanos) in
            [("250ms", 250_000_000), ("1.5 s", 1_500_000_000), ("2h", 7_200_000_000_000), ("0s", 0)]
        {
            assert_eq!(text.parse::<Duration>(), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }
}
