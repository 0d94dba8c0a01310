//! Which properties are checked, and what is observed.

use alloc::string::String;
use alloc::vec::Vec;

use play::plan::Select;
use types::Duration;

/// Properties, each by the name of its checker.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// What must hold at every sample.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<String>,
    /// What should be seen at least once; reported, never failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sometimes: Vec<String>,
    /// What must come to hold, and hold until the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eventually: Option<Eventually>,
}

/// What must come to hold, and hold until the end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Eventually {
    /// How long it may take.
    pub within: Duration,
    /// From when on.
    #[serde(default)]
    pub after: After,
    /// The properties.
    pub hold: Vec<String>,
}

/// From when on a property is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// The end of the last fault; of the warmup, if there is none.
    #[default]
    Faults,
}

/// What is observed, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Observe {
    /// How often gauges are read and states checked. Default: a 120th of the duration, at least a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_every: Option<Duration>,
    /// The peers whose events go to the event log. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Select>,
}

/// Samples of a run unless the scenario says otherwise: as many as a plot shows apart.
const DEFAULT_SAMPLES: u64 = 120;
/// The shortest default gap between samples.
const LEAST_DEFAULT_GAP: Duration = Duration::from_secs(1);

impl Observe {
    /// The gap between samples in a run of `duration`.
    #[must_use]
    pub fn gap(&self, duration: Duration) -> Duration {
        self.sample_every
            .unwrap_or_else(|| duration.divided(DEFAULT_SAMPLES).max(LEAST_DEFAULT_GAP))
            .max(Duration::from_nanos(1))
    }
}
