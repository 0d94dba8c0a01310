//! Values of interface types as JSON, and back.
//!
//! Arguments are an array by position, an object by name, null where there are none, or a single value where there is one.
//! Numbers are checked against the range of their type, and an integer is written without a fraction. Bytes are an array of
//! numbers, in both directions; records an object by field, or an array by position. Where one value is expected, an array of
//! that one value is taken for it: callers that used JSON paths wrote so.
//!
//! # Invariants
//! - A value that is written is read back as the same value, but for floats that are no number, which JSON has not.

use serde_json::{Map, Number, Value as Json};

use crate::it::interface::Interface;
use crate::value::{Named, Type, Value};

/// What JSON does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is of another kind.
    #[error("{path} is {found}, not {wanted}")]
    Kind {
        /// Where: an argument's name, and from there fields and elements.
        path: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A number is out of range.
    #[error("{path} is {number}, which does not fit {wanted}")]
    Range {
        /// Where.
        path: String,
        /// The number.
        number: String,
        /// The type.
        wanted: &'static str,
    },
    /// There are more or fewer than there should be.
    #[error("{path} has {found} {what}, not {wanted}")]
    Count {
        /// Where.
        path: String,
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A field is not there.
    #[error("{path} lacks {name}")]
    Missing {
        /// Where.
        path: String,
        /// Which.
        name: String,
    },
    /// A field is there that should not be.
    #[error("{path} has {name}, which is not among {known}")]
    Unknown {
        /// Where.
        path: String,
        /// Which.
        name: String,
        /// Which there are.
        known: String,
    },
    /// A type names a record that is none.
    #[error("{path} is of a record that the interface does not have")]
    NoRecord {
        /// Where.
        path: String,
    },
    /// A float that JSON cannot write.
    #[error("a float that is no number, which JSON cannot write")]
    NotANumber,
}

/// The arguments of a function, of JSON.
///
/// # Errors
/// What does not fit, and where.
pub fn arguments(json: &Json, wanted: &[Named], interface: &Interface) -> Result<Vec<Value>, JsonError> {
    let read = Read { interface };
    match json {
        Json::Array(elements) => {
            count("the call", "arguments", elements.len(), wanted.len())?;
            elements
                .iter()
                .zip(wanted)
                .map(|(json, named)| read.value(json, &named.ty, &named.name))
                .collect()
        }
        Json::Object(fields) => read.fields(fields, wanted, "the call"),
        Json::Null => count("the call", "arguments", 0, wanted.len()).map(|()| Vec::new()),
        single => match wanted {
            [named] => Ok(vec![read.value(single, &named.ty, &named.name)?]),
            _ => Err(JsonError::Count {
                path: "the call".to_owned(),
                what: "arguments",
                found: 1,
                wanted: wanted.len(),
            }),
        },
    }
}

/// A value as JSON; nothing is null.
///
/// # Errors
/// If it holds a float that is no number, or is not of its type.
pub fn result(value: Option<&Value>, ty: Option<&Type>, interface: &Interface) -> Result<Json, JsonError> {
    match (value, ty) {
        (Some(value), Some(ty)) => write(value, ty, interface),
        _ => Ok(Json::Null),
    }
}

fn count(path: &str, what: &'static str, found: usize, wanted: usize) -> Result<(), JsonError> {
    if found == wanted {
        Ok(())
    } else {
        Err(JsonError::Count { path: path.to_owned(), what, found, wanted })
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

struct Read<'a> {
    interface: &'a Interface,
}

impl Read<'_> {
    fn value(&self, json: &Json, ty: &Type, path: &str) -> Result<Value, JsonError> {
        let json = match (json, ty) {
            (Json::Array(elements), ty) if !matches!(ty, Type::Array(_) | Type::Bytes | Type::Record(_)) => {
                match elements.as_slice() {
                    [single] => single,
                    _ => json,
                }
            }
            _ => json,
        };
        match (ty, json) {
            (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
            (Type::String, Json::String(value)) => Ok(Value::String(value.clone())),
            (Type::Array(element), Json::Array(elements)) if **element == Type::U8 => {
                self.bytes(elements, path)
            }
            (Type::Bytes, Json::Array(elements)) => self.bytes(elements, path),
            (Type::Array(element), Json::Array(elements)) => {
                let read = |(index, json)| self.value(json, element, &format!("{path}[{index}]"));
                elements.iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::Array)
            }
            (Type::Record(index), json) => self.record(json, *index, path),
            (_, Json::Number(number)) if is_number(ty) => self::number(number, ty).ok_or_else(|| {
                JsonError::Range { path: path.to_owned(), number: number.to_string(), wanted: ty.kind() }
            }),
            _ => Err(JsonError::Kind { path: path.to_owned(), found: kind(json), wanted: ty.kind() }),
        }
    }

    fn bytes(&self, elements: &[Json], path: &str) -> Result<Value, JsonError> {
        let read =
            |(index, json): (usize, &Json)| match self.value(json, &Type::U8, &format!("{path}[{index}]"))? {
                Value::U8(byte) => Ok(byte),
                other => Err(JsonError::Kind { path: path.to_owned(), found: other.kind(), wanted: "a u8" }),
            };
        elements.iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::Bytes)
    }

    fn record(&self, json: &Json, index: u32, path: &str) -> Result<Value, JsonError> {
        let record = self.interface.records().get(&index);
        let record = record.ok_or_else(|| JsonError::NoRecord { path: path.to_owned() })?;
        let fields = match json {
            Json::Object(fields) => self.fields(fields, &record.fields, path)?,
            Json::Array(elements) => {
                count(path, "fields", elements.len(), record.fields.len())?;
                let pairs = elements.iter().zip(&record.fields);
                pairs
                    .map(|(json, field)| self.value(json, &field.ty, &format!("{path}.{}", field.name)))
                    .collect::<Result<_, _>>()?
            }
            _ => {
                return Err(JsonError::Kind { path: path.to_owned(), found: kind(json), wanted: "a record" });
            }
        };
        Ok(Value::Record(fields))
    }

    fn fields(
        &self,
        fields: &Map<String, Json>,
        wanted: &[Named],
        path: &str,
    ) -> Result<Vec<Value>, JsonError> {
        let known = |name: &String| wanted.iter().any(|named| named.name == *name);
        if let Some(name) = fields.keys().find(|name| !known(name)) {
            let known = wanted.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(JsonError::Unknown { path: path.to_owned(), name: name.clone(), known });
        }
        let read = |named: &Named| {
            let json = fields.get(&named.name);
            let json =
                json.ok_or_else(|| JsonError::Missing { path: path.to_owned(), name: named.name.clone() })?;
            self.value(json, &named.ty, &format!("{path}.{}", named.name))
        };
        wanted.iter().map(read).collect()
    }
}

fn is_number(ty: &Type) -> bool {
    !matches!(ty, Type::Bool | Type::String | Type::Bytes | Type::Array(_) | Type::Record(_))
}

/// A number of this type, if it fits.
fn number(number: &Number, ty: &Type) -> Option<Value> {
    let signed = || number.as_i64();
    let unsigned = || number.as_u64();
    Some(match ty {
        Type::S8 => Value::S8(signed()?.try_into().ok()?),
        Type::S16 => Value::S16(signed()?.try_into().ok()?),
        Type::S32 => Value::S32(signed()?.try_into().ok()?),
        Type::S64 => Value::S64(signed()?),
        Type::U8 => Value::U8(unsigned()?.try_into().ok()?),
        Type::U16 => Value::U16(unsigned()?.try_into().ok()?),
        Type::U32 => Value::U32(unsigned()?.try_into().ok()?),
        Type::U64 => Value::U64(unsigned()?),
        Type::I32 => Value::I32(signed()?.try_into().ok()?),
        Type::I64 => Value::I64(signed()?),
        Type::F32 => Value::F32(number.as_f64()? as f32),
        Type::F64 => Value::F64(number.as_f64()?),
        _ => return None,
    })
}

fn write(value: &Value, ty: &Type, interface: &Interface) -> Result<Json, JsonError> {
    Ok(match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::S8(value) => (*value).into(),
        Value::S16(value) => (*value).into(),
        Value::S32(value) | Value::I32(value) => (*value).into(),
        Value::S64(value) | Value::I64(value) => (*value).into(),
        Value::U8(value) => (*value).into(),
        Value::U16(value) => (*value).into(),
        Value::U32(value) => (*value).into(),
        Value::U64(value) => (*value).into(),
        // As the shortest digits that give this float, not as those of the wider one that it becomes.
        Value::F32(value) => {
            let digits = value.to_string().parse::<f64>().ok();
            Json::Number(digits.and_then(Number::from_f64).ok_or(JsonError::NotANumber)?)
        }
        Value::F64(value) => Json::Number(Number::from_f64(*value).ok_or(JsonError::NotANumber)?),
        Value::String(value) => Json::String(value.clone()),
        Value::Bytes(bytes) => Json::Array(bytes.iter().map(|byte| (*byte).into()).collect()),
        Value::Array(elements) => {
            let element = match ty {
                Type::Array(element) => element,
                _ => &Type::U8,
            };
            let written = elements.iter().map(|value| write(value, element, interface));
            Json::Array(written.collect::<Result<_, _>>()?)
        }
        Value::Record(values) => {
            let lacks = || JsonError::NoRecord { path: "the result".to_owned() };
            let record = match ty {
                Type::Record(index) => interface.records().get(index).ok_or_else(lacks)?,
                _ => return Err(lacks()),
            };
            let pairs = values.iter().zip(&record.fields);
            let written =
                pairs.map(|(value, field)| Ok((field.name.clone(), write(value, &field.ty, interface)?)));
            Json::Object(written.collect::<Result<_, JsonError>>()?)
        }
    })
}
