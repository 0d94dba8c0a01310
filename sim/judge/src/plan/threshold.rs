//! Numeric goals by metric, as a scenario's `thresholds:` block writes them.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use types::metric::{self, Metric};

use super::expression::Expression;

/// Goals by metric, in the order of the metrics' names. Keys are names of [`metric::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds(pub BTreeMap<&'static str, Expressions>);

/// One goal of a metric, or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expressions(pub Vec<Expression>);

impl Thresholds {
    /// Every goal, with its metric.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Metric, &Expression)> {
        self.0
            .iter()
            .filter_map(|(name, goals)| Some((metric::find(name)?, goals)))
            .flat_map(|(metric, goals)| goals.0.iter().map(move |goal| (metric, goal)))
    }
}

impl serde::Serialize for Thresholds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl serde::Serialize for Expressions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [goal] => serializer.collect_str(goal),
            goals => serializer.collect_seq(goals.iter().map(ToString::to_string)),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Thresholds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByMetric;
        impl<'de> serde::de::Visitor<'de> for ByMetric {
            type Value = Thresholds;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of metrics and their goals, such as `lookup.latency: p99 < 6s`")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Thresholds, A::Error> {
                let mut goals = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let Some(metric) = metric::find(&name) else {
                        return Err(serde::de::Error::custom(alloc::format!("`{name}` is no metric")));
                    };
                    let read = map.next_value_seed(GoalsOf(metric))?;
                    if goals.insert(metric.name, read).is_some() {
                        return Err(serde::de::Error::custom(alloc::format!("`{name}` has goals already")));
                    }
                }
                Ok(Thresholds(goals))
            }
        }
        deserializer.deserialize_map(ByMetric)
    }
}

/// Reads the goals of one metric, whose unit they are in.
struct GoalsOf(&'static Metric);

impl GoalsOf {
    fn parse<E: serde::de::Error>(&self, text: &str) -> Result<Expression, E> {
        Expression::parse(self.0, text).map_err(|error| E::custom(alloc::format!("`{text}` {error}")))
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for GoalsOf {
    type Value = Expressions;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Expressions, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for GoalsOf {
    type Value = Expressions;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a goal of `{}` or a list of them", self.0.name)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expressions, E> {
        Ok(Expressions(alloc::vec![self.parse(text)?]))
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut texts: A) -> Result<Expressions, A::Error> {
        let mut goals = Vec::new();
        while let Some(text) = texts.next_element::<String>()? {
            goals.push(self.parse(&text)?);
        }
        Ok(Expressions(goals))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Thresholds {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Thresholds".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let goals: BTreeMap<_, _> = metric::ALL
            .iter()
            .map(|metric| {
                let goal = schemars::json_schema!({
                    "description": metric.about,
                    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
                });
                (metric.name, goal)
            })
            .collect();
        schemars::json_schema!({
            "type": "object",
            "description": "goals by metric: mean, min, max or a percentile such as p99, a comparison, a quantity of the metric's unit",
            "additionalProperties": false,
            "properties": goals,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_read_in_their_metrics_units_and_written_back() {
        let text = r#"{"lookup.latency":["p50 < 1s","p99 < 6s"],"lookup.success_ratio":">= 99%"}"#;
        let read: Thresholds = serde_json::from_str(text).unwrap();
        assert_eq!(read.iter().count(), 3);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| serde_json::from_str::<Thresholds>(text).unwrap_err().to_string();
        assert!(error(r#"{"lookup.speed":"p50 < 1s"}"#).starts_with("`lookup.speed` is no metric"));
        assert!(
            error(r#"{"lookup.latency":["p50 < 1"]}"#)
                .starts_with("`p50 < 1` compares with `1`: the unit is missing")
        );
    }
}
