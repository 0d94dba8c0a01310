//! What the report of a run draws first.

use std::borrow::Cow;

use types::metric::{self, Kind, Metric};

/// One figure of the report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Figure {
    /// A metric over time, with the faults behind it.
    Line(Line),
    /// Which share of the operations stays below each value of a metric.
    Cdf(Cdf),
    /// How many operations have each value of a metric.
    Histogram(Histogram),
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which metric.
    pub metric: Any,
}

/// The distribution of a metric, summed up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cdf {
    /// Which metric; one that each operation has a number of.
    pub metric: Measured,
    /// One curve for all operations, or one for each group or region of the peers that asked. Default: `all`.
    #[serde(default)]
    pub by: By,
}

/// The distribution of a metric.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    /// Which metric; one that each operation has a number of.
    pub metric: Measured,
}

/// How operations are told apart.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Not at all.
    #[default]
    All,
    /// By the group of the peer that asked.
    Group,
    /// By the region of the peer that asked.
    Region,
}

macro_rules! named {
    ($(#[$about:meta])* $name:ident $takes:expr) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub &'static Metric);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.name)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let metric = metric::find(&name).filter($takes);
                metric.map(Self).ok_or_else(|| serde::de::Error::custom(format!("no such metric: {name}")))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let takes = $takes;
                let names: Vec<_> =
                    metric::ALL.iter().filter(|metric| takes(metric)).map(|metric| metric.name).collect();
                schemars::json_schema!({"type": "string", "description": "a metric", "enum": names})
            }
        }
    };
}

named! {
    /// A metric.
    Any |_: &&Metric| true
}
named! {
    /// A metric that each operation has a number of.
    Measured |metric: &&Metric| metric.kind == Kind::Distribution
}

impl Figure {
    /// The metric that it draws.
    #[must_use]
    pub const fn metric(&self) -> &'static Metric {
        match self {
            Self::Line(Line { metric: Any(metric) })
            | Self::Cdf(Cdf { metric: Measured(metric), .. })
            | Self::Histogram(Histogram { metric: Measured(metric) }) => metric,
        }
    }

    /// Its kind, as a scenario writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Line(_) => "line",
            Self::Cdf(_) => "cdf",
            Self::Histogram(_) => "histogram",
        }
    }
}
