//! How numbers stand in the files: 64-bit seeds as text, digests as hex, whole floats without a fraction.

use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;

/// The largest integer up to which a float is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A seed as text: JSON readers lose integers above 2^53.
pub(crate) mod seed {
    use super::{Deserialize as _, Deserializer, Serializer};
    use types::Seed;

    pub(crate) fn serialize<S: Serializer>(seed: &Seed, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&seed.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seed, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Seed).map_err(serde::de::Error::custom)
    }
}

/// A finite number; a whole one without a fraction, so that counters read as integers.
pub(crate) mod number {
    use super::{Deserialize as _, Deserializer, EXACT, Serializer};
    use serde::ser::Error as _;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if !value.is_finite() {
            Err(S::Error::custom("a value that is no number has no row"))
        } else if value.fract() == 0.0 && value.abs() < EXACT {
            serializer.serialize_i64(*value as i64)
        } else {
            serializer.serialize_f64(*value)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        f64::deserialize(deserializer)
    }
}

/// A number that may be missing.
pub(crate) mod maybe_number {
    use super::{Deserialize as _, Deserializer, Serializer, number};

    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => number::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// Digests as one string of 16 hex digits each.
pub(crate) mod leaves {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;
    use std::fmt::Write as _;

    pub(crate) fn serialize<S: Serializer>(leaves: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(leaves.len() * 16);
        for leaf in leaves {
            write!(text, "{leaf:016x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if !text.len().is_multiple_of(16) {
            return Err(D::Error::custom("leaves are 16 hex digits each"));
        }
        text.as_bytes()
            .chunks(16)
            .map(|chunk| {
                let leaf = std::str::from_utf8(chunk).map_err(D::Error::custom)?;
                u64::from_str_radix(leaf, 16).map_err(D::Error::custom)
            })
            .collect()
    }
}
