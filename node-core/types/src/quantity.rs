//! Quantities that people write with their units, parsed exactly and printed canonically.
//!
//! A number is decimal digits with an optional fraction; a space before the unit is allowed. The
//! result must be a whole number of the type's least unit, so nothing is rounded silently.

use alloc::string::{String, ToString};
use core::fmt;

/// One unit of a quantity, in multiples of the type's least unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) scale: u64,
}

impl Unit {
    pub(crate) const fn new(name: &'static str, scale: u64) -> Self {
        Self { name, scale }
    }
}

/// Why a text is not the quantity it should be. Messages are fragments: they follow "`TEXT` is not a duration:".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No digits where the number should be.
    #[error("it does not begin with a number; write {example}")]
    NoNumber {
        /// Well-formed examples.
        example: &'static str,
    },
    /// A number without its unit.
    #[error("the unit is missing; write {example}")]
    NoUnit {
        /// Well-formed examples.
        example: &'static str,
    },
    /// A unit that this quantity does not have.
    #[error("`{unit}` is no unit of a {quantity}; write {example}")]
    UnknownUnit {
        /// What was written.
        unit: String,
        /// The kind of quantity.
        quantity: &'static str,
        /// Well-formed examples.
        example: &'static str,
    },
    /// More digits than the least unit resolves, or more than fits.
    #[error("it is too large or too finely divided to be held exactly")]
    Inexact,
    /// More than the quantity's greatest value.
    #[error("it is more than {limit}")]
    OverLimit {
        /// The greatest value.
        limit: &'static str,
    },
}

pub(crate) fn parse_decimal(
    text: &str,
    quantity: &'static str,
    units: &[Unit],
    example: &'static str,
) -> Result<u64, ParseError> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(ParseError::NoNumber { example });
    }
    if unit.is_empty() {
        return Err(ParseError::NoUnit { example });
    }
    let Some(scale) = units.iter().find(|known| known.name == unit).map(|known| known.scale) else {
        return Err(ParseError::UnknownUnit { unit: unit.to_string(), quantity, example });
    };
    exact(whole, fraction, scale).ok_or(ParseError::Inexact)
}

/// `whole.fraction × scale`, if that is a whole number that fits.
fn exact(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let fraction = fraction.trim_end_matches('0');
    let whole: u64 = whole.parse().ok()?;
    let high = whole.checked_mul(scale)?;
    if fraction.is_empty() {
        return Some(high);
    }
    let divisor = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let product = fraction.parse::<u128>().ok()?.checked_mul(u128::from(scale))?;
    if !product.is_multiple_of(divisor) {
        return None;
    }
    high.checked_add(u64::try_from(product / divisor).ok()?)
}

/// Serde and schema of a quantity: a string, read by `FromStr` and written by `Display`.
macro_rules! serde_as_text {
    ($type:ty, $format:literal, $about:literal, $units:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str($about)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(|error| {
                            E::custom(alloc::format!("`{text}` is not a {}: {error}", $format))
                        })
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = crate::quantity::pattern($units);
                schemars::json_schema!({
                    "type": "string", "format": $format, "pattern": pattern, "description": $about,
                })
            }
        }
    };
}
pub(crate) use serde_as_text;

/// The form of a quantity with one of these units, as a regular expression.
#[cfg(feature = "schema")]
pub(crate) fn pattern(units: &[Unit]) -> String {
    let names: alloc::vec::Vec<_> = units.iter().map(|unit| unit.name).collect();
    alloc::format!(r"^\s*[0-9]+(\.[0-9]+)?\s*({})\s*$", names.join("|"))
}

/// A size in bytes: `512 B`, `64 KiB`, `1 MiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

const SIZE_UNITS: &[Unit] = &[
    Unit::new("GiB", 1 << 30),
    Unit::new("MiB", 1 << 20),
    Unit::new("KiB", 1 << 10),
    Unit::new("GB", 1_000_000_000),
    Unit::new("MB", 1_000_000),
    Unit::new("kB", 1_000),
    Unit::new("B", 1),
];

impl Size {
    /// `bytes` bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }
    /// `kib` times 1,024 bytes.
    #[must_use]
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1 << 10))
    }
    /// Whole bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_exact(f, self.0, SIZE_UNITS)
    }
}

impl core::str::FromStr for Size {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_decimal(text, "size", SIZE_UNITS, "`512 B`, `64 KiB` or `1 MiB`").map(Self)
    }
}

serde_as_text!(Size, "size", "a size in bytes with a unit, such as `512 B`, `64 KiB` or `1 MiB`", SIZE_UNITS);

/// A link's speed in bits per second: `20 Mbit/s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bandwidth(u64);

const BANDWIDTH_UNITS: &[Unit] = &[
    Unit::new("Gbit/s", 1_000_000_000),
    Unit::new("Mbit/s", 1_000_000),
    Unit::new("kbit/s", 1_000),
    Unit::new("bit/s", 1),
];

impl Bandwidth {
    /// `bits` bits per second.
    #[must_use]
    pub const fn from_bits_per_second(bits: u64) -> Self {
        Self(bits)
    }
    /// Bits per second.
    #[must_use]
    pub const fn as_bits_per_second(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_exact(f, self.0, BANDWIDTH_UNITS)
    }
}

impl core::str::FromStr for Bandwidth {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_decimal(text, "bandwidth", BANDWIDTH_UNITS, "`100 Mbit/s` or `512 kbit/s`").map(Self)
    }
}

serde_as_text!(
    Bandwidth,
    "bandwidth",
    "a speed in bits per second, such as `100 Mbit/s` or `512 kbit/s`",
    BANDWIDTH_UNITS
);

/// A share of a whole, in millionths: `30%`, `0.5%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// `percent` hundredths, at most the whole.
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        let millionths = percent.saturating_mul(10_000);
        Self(if millionths > 1_000_000 { 1_000_000 } else { millionths })
    }
    /// So many millionths; at most the whole.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self(if millionths > 1_000_000 { 1_000_000 } else { millionths })
    }
    /// Millionths.
    #[must_use]
    pub const fn as_millionths(self) -> u32 {
        self.0
    }
    /// Between 0 and 1: for models and plots.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1e6
    }
    /// This share of `whole`, rounded down.
    #[must_use]
    pub const fn of(self, whole: u64) -> u64 {
        ((whole as u128 * self.0 as u128) / 1_000_000) as u64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(f, "{percent}%");
        }
        let digits = alloc::format!("{rest:04}");
        write!(f, "{percent}.{}%", digits.trim_end_matches('0'))
    }
}

impl core::str::FromStr for Share {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let millionths = parse_decimal(text, "share", SHARE_UNITS, "`30%` or `0.5%`")?;
        u32::try_from(millionths)
            .ok()
            .filter(|millionths| *millionths <= 1_000_000)
            .map(Self)
            .ok_or(ParseError::OverLimit { limit: "100%" })
    }
}

serde_as_text!(Share, "share", "a share of a whole in percent, such as `30%` or `0.5%`", SHARE_UNITS);

const SHARE_UNITS: &[Unit] = &[Unit::new("%", 10_000)];

/// How often something happens: `50/s`, `10/m`, `3/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    thousandths: u64,
    per: &'static str,
}

const RATE_UNITS: &[(&str, u64)] =
    &[("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000)];

/// A rate's number, in thousandths, and what it is per.
const PER_UNITS: &[Unit] =
    &[Unit::new("/s", 1_000), Unit::new("/m", 1_000), Unit::new("/h", 1_000), Unit::new("/d", 1_000)];

impl Rate {
    /// `count` times a second.
    #[must_use]
    pub const fn per_second(count: u64) -> Self {
        Self { thousandths: count.saturating_mul(1_000), per: "s" }
    }
    /// The mean gap between two occurrences; [`crate::Duration::MAX`] for a rate of zero.
    #[must_use]
    pub fn mean_gap(self) -> crate::Duration {
        let unit = RATE_UNITS.iter().find(|(name, _)| *name == self.per).map_or(0, |(_, nanos)| *nanos);
        let nanos = (u128::from(unit) * 1_000).checked_div(u128::from(self.thousandths));
        nanos
            .and_then(|nanos| u64::try_from(nanos).ok())
            .map_or(crate::Duration::MAX, crate::Duration::from_nanos)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.thousandths / 1_000, self.thousandths % 1_000);
        if rest == 0 {
            return write!(f, "{whole}/{}", self.per);
        }
        let digits = alloc::format!("{rest:03}");
        write!(f, "{whole}.{}/{}", digits.trim_end_matches('0'), self.per)
    }
}

impl core::str::FromStr for Rate {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        const EXAMPLE: &str = "`50/s`, `10/m` or `3/h`";
        let thousandths = parse_decimal(text, "rate", PER_UNITS, EXAMPLE)?;
        let per = RATE_UNITS.iter().map(|(name, _)| *name).find(|name| text.trim_end().ends_with(name));
        per.map(|per| Self { thousandths, per }).ok_or(ParseError::NoUnit { example: EXAMPLE })
    }
}

serde_as_text!(Rate, "rate", "how often something happens, such as `50/s`, `10/m` or `3/h`", PER_UNITS);

fn write_exact(f: &mut fmt::Formatter<'_>, value: u64, units: &[Unit]) -> fmt::Result {
    let unit = units.iter().find(|unit| value != 0 && value.is_multiple_of(unit.scale));
    match (unit, units.last()) {
        (Some(unit), _) => write!(f, "{} {}", value / unit.scale, unit.name),
        (None, Some(least)) => write!(f, "{value} {}", least.name),
        (None, None) => write!(f, "{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantities_print_and_parse_back(value in any::<u64>(), millionths in 0..=1_000_000u32, thousandths in any::<u64>()) {
            prop_assert_eq!(Size(value).to_string().parse::<Size>(), Ok(Size(value)));
            prop_assert_eq!(Bandwidth(value).to_string().parse::<Bandwidth>(), Ok(Bandwidth(value)));
            prop_assert_eq!(Share(millionths).to_string().parse::<Share>(), Ok(Share(millionths)));
            let rate = Rate { thousandths, per: "m" };
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Size>();
            let _ = text.parse::<Share>();
            let _ = text.parse::<Rate>();
            let _ = text.parse::<crate::Duration>();
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!("101%".parse::<Share>(), Err(ParseError::OverLimit { limit: "100%" }));
        assert!(matches!("5 Mbit".parse::<Size>(), Err(ParseError::UnknownUnit { .. })));
        assert!(matches!("5".parse::<Size>(), Err(ParseError::NoUnit { .. })));
        assert!(matches!("ten B".parse::<Size>(), Err(ParseError::NoNumber { .. })));
        assert_eq!("1.5 B".parse::<Size>(), Err(ParseError::Inexact));
    }

    #[test]
    fn a_rate_is_a_mean_gap() {
        assert_eq!("50/s".parse::<Rate>().unwrap().mean_gap(), crate::Duration::from_millis(20));
        assert_eq!("3/h".parse::<Rate>().unwrap().mean_gap(), crate::Duration::from_mins(20));
        assert_eq!("0/s".parse::<Rate>().unwrap().mean_gap(), crate::Duration::MAX);
    }
}
