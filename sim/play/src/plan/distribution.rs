//! Laws of random spans: sessions, downtimes, thinking.

use types::Duration;

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
