//! Which peers are meant: of which groups, and how many of them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use types::Share;

/// A selection of peers. Who exactly is drawn once per run, from the run's seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Of this group, or of these. Default: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupNames>,
    /// How the number is given.
    #[serde(default)]
    pub mode: Mode,
    /// The number (`mode: fixed`) or the share (`mode: percent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// How many peers of a selection are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All of them.
    #[default]
    All,
    /// One, drawn at random.
    One,
    /// As many as `value` says.
    Fixed,
    /// The share that `value` says, rounded to the nearest whole peer.
    Percent,
}

/// Why a mode and a value do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A value where none belongs.
    #[error("mode `all` and mode `one` take no value")]
    NeedlessValue,
    /// `fixed` without a number.
    #[error("mode `fixed` needs a whole number as value, such as 10")]
    NeedsNumber,
    /// `percent` without a share.
    #[error("mode `percent` needs a share as value, such as 10%")]
    NeedsShare,
}

/// Mode and value, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// All of them.
    All,
    /// This many, or all if there are fewer.
    Number(u32),
    /// This share of them.
    Share(Share),
}

impl Select {
    /// Every peer.
    #[must_use]
    pub const fn all() -> Self {
        Self { group: None, mode: Mode::All, value: None }
    }

    /// Mode and value, read together.
    ///
    /// # Errors
    /// If they do not go together.
    pub const fn amount(&self) -> Result<Amount, SelectError> {
        match (self.mode, self.value) {
            (Mode::All, None) => Ok(Amount::All),
            (Mode::One, None) => Ok(Amount::Number(1)),
            (Mode::All | Mode::One, Some(_)) => Err(SelectError::NeedlessValue),
            (Mode::Fixed, Some(Value::Number(number))) => Ok(Amount::Number(number)),
            (Mode::Fixed, _) => Err(SelectError::NeedsNumber),
            (Mode::Percent, Some(Value::Share(share))) => Ok(Amount::Share(share)),
            (Mode::Percent, _) => Err(SelectError::NeedsShare),
        }
    }
}

/// One group's name or several: `edge` or `[boot, edge]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupNames(pub Vec<String>);

impl serde::Serialize for GroupNames {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [name] => serializer.serialize_str(name),
            names => serializer.collect_seq(names),
        }
    }
}

impl<'de> serde::Deserialize<'de> for GroupNames {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> serde::de::Visitor<'de> for OneOrMany {
            type Value = GroupNames;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a group's name or a list of them")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<GroupNames, E> {
                Ok(GroupNames(alloc::vec![name.to_string()]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut names: A) -> Result<GroupNames, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(GroupNames(all))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for GroupNames {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "GroupNames".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a group's name or a list of them",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        })
    }
}

/// A number of peers or a share of them: `10` or `10%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// So many.
    Number(u32),
    /// Such a share.
    Share(Share),
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u32(*number),
            Self::Share(share) => share.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrShare;
        impl serde::de::Visitor<'_> for NumberOrShare {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number such as 10, or a share such as 10%")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
                u32::try_from(number)
                    .map(Value::Number)
                    .map_err(|_| E::custom(alloc::format!("{number} peers are more than a run can have")))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::custom(alloc::format!("{number} peers are fewer than none"))),
                }
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                text.parse()
                    .map(Value::Share)
                    .map_err(|error| E::custom(alloc::format!("`{text}` is not a share: {error}")))
            }
        }
        deserializer.deserialize_any(NumberOrShare)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Value {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "SelectValue".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let share = generator.subschema_for::<Share>();
        schemars::json_schema!({
            "description": "a number of peers, or a share of them in percent",
            "anyOf": [{"type": "integer", "minimum": 0}, share],
        })
    }
}
