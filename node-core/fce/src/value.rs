//! Values of interface types, and the types.

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
    Array(Box<Type>),
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
    Array(Vec<Value>),
    /// Fields, in the order of the record's declaration.
    Record(Vec<Value>),
}
