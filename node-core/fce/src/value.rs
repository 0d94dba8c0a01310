//! Values of interface types, and the types.

use crate::abi::Records;

/// A named type: an argument of a function or a field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name, of at most 255 bytes.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A record: named fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its fields, in the order of their declaration.
    pub fields: Vec<Named>,
}

/// A type of an argument, a result, a field or an element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A boolean: one byte in memory.
    Bool,
    /// A signed byte.
    S8,
    /// A signed 16-bit integer.
    S16,
    /// A signed 32-bit integer.
    S32,
    /// A signed 64-bit integer.
    S64,
    /// An unsigned byte.
    U8,
    /// An unsigned 16-bit integer.
    U16,
    /// An unsigned 32-bit integer.
    U32,
    /// An unsigned 64-bit integer.
    U64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A core 32-bit integer, in signatures of what lies beneath an adapter.
    I32,
    /// A core 64-bit integer, in signatures of what lies beneath an adapter.
    I64,
    /// UTF-8.
    String,
    /// Bytes; interchangeable with an array of [`Type::U8`].
    Bytes,
    /// Elements of one type.
    Array(Box<Self>),
    /// The record of this index in the module's own table of types.
    Record(u32),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// A signed byte.
    S8(i8),
    /// A signed 16-bit integer.
    S16(i16),
    /// A signed 32-bit integer.
    S32(i32),
    /// A signed 64-bit integer.
    S64(i64),
    /// An unsigned byte.
    U8(u8),
    /// An unsigned 16-bit integer.
    U16(u16),
    /// An unsigned 32-bit integer.
    U32(u32),
    /// An unsigned 64-bit integer.
    U64(u64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A core 32-bit integer.
    I32(i32),
    /// A core 64-bit integer.
    I64(i64),
    /// UTF-8.
    String(String),
    /// Bytes, and an array of [`Type::U8`].
    Bytes(Vec<u8>),
    /// Elements of one type, other than bytes.
    Array(Vec<Self>),
    /// Fields, in the order of the record's declaration.
    Record(Vec<Self>),
}

/// A value that is not of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// There are more or fewer arguments.
    #[error("{given} arguments, of the {wanted} that it takes")]
    Count {
        /// How many there are.
        given: usize,
        /// How many it takes.
        wanted: usize,
    },
    /// Something in it is of another type.
    #[error("{path} is {found}, not {wanted}")]
    Type {
        /// Where: an argument's name, and from there fields and elements.
        path: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
}

/// Checks arguments against what a function takes.
///
/// # Errors
/// What does not fit, and where.
pub(crate) fn arguments_conform(
    arguments: &[Value],
    wanted: &[Named],
    records: &dyn Records,
) -> Result<(), Mismatch> {
    if arguments.len() != wanted.len() {
        return Err(Mismatch::Count { given: arguments.len(), wanted: wanted.len() });
    }
    arguments
        .iter()
        .zip(wanted)
        .try_for_each(|(value, named)| conforms(value, &named.ty, records, &named.name))
}

fn conforms(value: &Value, ty: &Type, records: &dyn Records, path: &str) -> Result<(), Mismatch> {
    match (ty, value) {
        (Type::Bool, Value::Bool(_))
        | (Type::S8, Value::S8(_))
        | (Type::S16, Value::S16(_))
        | (Type::S32, Value::S32(_))
        | (Type::S64, Value::S64(_))
        | (Type::U8, Value::U8(_))
        | (Type::U16, Value::U16(_))
        | (Type::U32, Value::U32(_))
        | (Type::U64, Value::U64(_))
        | (Type::F32, Value::F32(_))
        | (Type::F64, Value::F64(_))
        | (Type::I32, Value::I32(_))
        | (Type::I64, Value::I64(_))
        | (Type::String, Value::String(_))
        | (Type::Bytes, Value::Bytes(_)) => Ok(()),
        (Type::Bytes, Value::Array(elements)) => elements_conform(elements, &Type::U8, records, path),
        (Type::Array(element), Value::Bytes(_)) if **element == Type::U8 => Ok(()),
        (Type::Array(element), Value::Array(elements)) => elements_conform(elements, element, records, path),
        (Type::Record(index), Value::Record(fields)) => {
            let Some(record) = records.record(*index) else { return Ok(()) };
            if record.fields.len() != fields.len() {
                let path = path.to_owned();
                return Err(Mismatch::Type { path, found: "a record of other fields", wanted: "the record" });
            }
            let mut pairs = record.fields.iter().zip(fields);
            pairs.try_for_each(|(field, value)| {
                conforms(value, &field.ty, records, &format!("{path}.{}", field.name))
            })
        }
        _ => Err(Mismatch::Type { path: path.to_owned(), found: value.kind(), wanted: ty.kind() }),
    }
}

fn elements_conform(
    elements: &[Value],
    ty: &Type,
    records: &dyn Records,
    path: &str,
) -> Result<(), Mismatch> {
    let mut numbered = elements.iter().enumerate();
    numbered.try_for_each(|(index, value)| conforms(value, ty, records, &format!("{path}[{index}]")))
}

impl Type {
    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::S8 => "an s8",
            Self::S16 => "an s16",
            Self::S32 => "an s32",
            Self::S64 => "an s64",
            Self::U8 => "a u8",
            Self::U16 => "a u16",
            Self::U32 => "a u32",
            Self::U64 => "a u64",
            Self::F32 => "an f32",
            Self::F64 => "an f64",
            Self::I32 => "an i32",
            Self::I64 => "an i64",
            Self::String => "a string",
            Self::Bytes => "bytes",
            Self::Array(_) => "an array",
            Self::Record(_) => "a record",
        }
    }
}

impl Value {
    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::S8(_) => "an s8",
            Self::S16(_) => "an s16",
            Self::S32(_) => "an s32",
            Self::S64(_) => "an s64",
            Self::U8(_) => "a u8",
            Self::U16(_) => "a u16",
            Self::U32(_) => "a u32",
            Self::U64(_) => "a u64",
            Self::F32(_) => "an f32",
            Self::F64(_) => "an f64",
            Self::I32(_) => "an i32",
            Self::I64(_) => "an i64",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Record(_) => "a record",
        }
    }
}
