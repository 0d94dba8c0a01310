//! Values in a module's memory: how they are laid out, read (*lifted*) and written (*lowered*).
//!
//! A record's body holds its fields in order, without padding, little-endian. Strings, bytes and arrays stand in it as a
//! pointer and a length or a count of elements, records as a pointer. Empty arrays are (0, 0). Room for what is lowered is set
//! aside by the module itself; what is lifted is copied before anything else runs.
//!
//! # Invariants
//! - Nothing is set aside for a length that the module merely claims: a range is checked first, and what a value becomes in
//!   the host is counted against [`Lift::budget_bytes`], so that many pointers to one string cost what they hold.
//! - Recursion is as deep as the types are, which is bounded where interfaces are read.

use crate::memory::{GuestMemory, OutOfBounds};
use crate::value::{Record, Type, Value};

/// The kind of element that memory is set aside for, as the module's `allocate` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) i32);

impl Tag {
    /// Bytes of strings, of bytes and of records.
    pub(crate) const BYTES: Self = Self(1);
    /// Pointers: to strings, arrays and records in arrays.
    const POINTERS: Self = Self(3);

    fn of(ty: &Type) -> Self {
        match ty {
            Type::Bool => Self(0),
            Type::U8 => Self::BYTES,
            Type::U16 => Self(2),
            Type::U32 => Self(3),
            Type::U64 => Self(4),
            Type::S8 => Self(5),
            Type::S16 => Self(6),
            Type::S32 | Type::I32 => Self(7),
            Type::S64 | Type::I64 => Self(8),
            Type::F32 => Self(9),
            Type::F64 => Self(10),
            Type::String | Type::Bytes | Type::Array(_) | Type::Record(_) => Self::POINTERS,
        }
    }
}

/// How many bytes a value of this type takes in a record's body or in an array.
pub(crate) fn size_bytes(ty: &Type) -> u32 {
    match ty {
        Type::Bool | Type::S8 | Type::U8 => 1,
        Type::S16 | Type::U16 => 2,
        Type::S32 | Type::U32 | Type::F32 | Type::I32 | Type::Record(_) => 4,
        Type::S64 | Type::U64 | Type::F64 | Type::I64 | Type::String | Type::Bytes | Type::Array(_) => 8,
    }
}

/// What is wrong with a value in a module's memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// It points outside.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// A string is not UTF-8.
    #[error("a string at {at} is not UTF-8 from its byte {valid_up_to} on")]
    Utf8 {
        /// Where it begins.
        at: u32,
        /// How much of it is.
        valid_up_to: usize,
    },
    /// What it holds is more than a call may carry.
    #[error("a value of more than {limit_bytes} bytes")]
    TooLarge {
        /// What a call may carry.
        limit_bytes: u64,
    },
    /// A value is not of the type that a function declares. Callers of a service are told before; this is a module's lie.
    #[error("a value is not of its type, {0}")]
    Type(&'static str),
    /// A type names a record that is none.
    #[error("type {0} is no record")]
    NoRecord(u32),
}

/// Reads values.
pub(crate) struct Lift<'a, M> {
    pub(crate) memory: &'a M,
    pub(crate) records: &'a dyn Records,
    /// What may still be read, counting what values take in the host.
    pub(crate) budget_bytes: u64,
    /// What could be read at first.
    pub(crate) limit_bytes: u64,
}

/// The records of a module, by the index of their type.
pub(crate) trait Records {
    fn record(&self, index: u32) -> Option<&Record>;
}

impl<M: GuestMemory> Lift<'_, M> {
    fn spend(&mut self, bytes: u64) -> Result<(), AbiError> {
        let left = self.budget_bytes.checked_sub(bytes);
        self.budget_bytes = left.ok_or(AbiError::TooLarge { limit_bytes: self.limit_bytes })?;
        Ok(())
    }

    /// The bytes at a pointer. Where there are none, the pointer is not looked at.
    pub(crate) fn bytes(&mut self, at: u32, size_bytes: u32) -> Result<Vec<u8>, AbiError> {
        if size_bytes == 0 {
            return Ok(Vec::new());
        }
        self.memory.check(at, u64::from(size_bytes))?;
        self.spend(u64::from(size_bytes))?;
        let mut bytes = vec![0; size_bytes as usize];
        self.memory.read(at, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn string(&mut self, at: u32, size_bytes: u32) -> Result<String, AbiError> {
        String::from_utf8(self.bytes(at, size_bytes)?)
            .map_err(|error| AbiError::Utf8 { at, valid_up_to: error.utf8_error().valid_up_to() })
    }

    /// `count` elements.
    pub(crate) fn array(&mut self, at: u32, count: u32, element: &Type) -> Result<Value, AbiError> {
        if *element == Type::U8 {
            return self.bytes(at, count).map(Value::Bytes);
        }
        let step = size_bytes(element);
        let whole = self.fields(at, u64::from(count) * u64::from(step))?;
        self.spend(u64::from(count) * size_of::<Value>() as u64)?;
        let elements = whole.chunks_exact(step as usize).map(|bytes| self.value(bytes, element));
        elements.collect::<Result<_, _>>().map(Value::Array)
    }

    pub(crate) fn record(&mut self, at: u32, index: u32) -> Result<Value, AbiError> {
        let record = self.records.record(index).ok_or(AbiError::NoRecord(index))?;
        let size: u64 = record.fields.iter().map(|field| u64::from(size_bytes(&field.ty))).sum();
        let whole = self.fields(at, size)?;
        self.spend(record.fields.len() as u64 * size_of::<Value>() as u64)?;
        let mut rest = whole.as_slice();
        let fields = record.fields.iter().map(|field| {
            let (bytes, after) =
                rest.split_at_checked(size_bytes(&field.ty) as usize).ok_or(AbiError::Type("a field"))?;
            rest = after;
            self.value(bytes, &field.ty)
        });
        fields.collect::<Result<_, _>>().map(Value::Record)
    }

    /// A run of fields or elements.
    fn fields(&mut self, at: u32, size_bytes: u64) -> Result<Vec<u8>, AbiError> {
        if size_bytes == 0 {
            return Ok(Vec::new());
        }
        self.memory.check(at, size_bytes)?;
        self.spend(size_bytes)?;
        let mut bytes = vec![0; size_bytes as usize];
        self.memory.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// The value whose bytes, as many as its type takes, are these.
    fn value(&mut self, bytes: &[u8], ty: &Type) -> Result<Value, AbiError> {
        let lies = AbiError::Type("a field");
        Ok(match ty {
            Type::Bool => Value::Bool(u8::from_le_bytes(exactly(bytes)?) != 0),
            Type::S8 => Value::S8(i8::from_le_bytes(exactly(bytes)?)),
            Type::S16 => Value::S16(i16::from_le_bytes(exactly(bytes)?)),
            Type::S32 => Value::S32(i32::from_le_bytes(exactly(bytes)?)),
            Type::S64 => Value::S64(i64::from_le_bytes(exactly(bytes)?)),
            Type::U8 => Value::U8(u8::from_le_bytes(exactly(bytes)?)),
            Type::U16 => Value::U16(u16::from_le_bytes(exactly(bytes)?)),
            Type::U32 => Value::U32(u32::from_le_bytes(exactly(bytes)?)),
            Type::U64 => Value::U64(u64::from_le_bytes(exactly(bytes)?)),
            Type::F32 => Value::F32(f32::from_le_bytes(exactly(bytes)?)),
            Type::F64 => Value::F64(f64::from_le_bytes(exactly(bytes)?)),
            Type::I32 => Value::I32(i32::from_le_bytes(exactly(bytes)?)),
            Type::I64 => Value::I64(i64::from_le_bytes(exactly(bytes)?)),
            Type::Record(index) => self.record(u32::from_le_bytes(exactly(bytes)?), *index)?,
            Type::String | Type::Bytes | Type::Array(_) => {
                let (at, size) = bytes.split_at_checked(4).ok_or(lies)?;
                let (at, size) = (u32::from_le_bytes(exactly(at)?), u32::from_le_bytes(exactly(size)?));
                match ty {
                    Type::String => Value::String(self.string(at, size)?),
                    Type::Array(element) => self.array(at, size, element)?,
                    _ => Value::Bytes(self.bytes(at, size)?),
                }
            }
        })
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], AbiError> {
    bytes.try_into().map_err(|_| AbiError::Type("a field"))
}

/// Where values are written: a module's memory, and the module's own function that sets room aside in it.
pub(crate) trait Room {
    /// What goes wrong.
    type Error: From<AbiError>;

    /// Sets `size_bytes` bytes aside for elements of this kind.
    fn allocate(&mut self, size_bytes: u32, tag: Tag) -> Result<u32, Self::Error>;

    /// Puts `bytes` there.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Writes values.
pub(crate) struct Lower<'a, R> {
    pub(crate) room: &'a mut R,
    pub(crate) records: &'a dyn Records,
}

impl<R: Room> Lower<'_, R> {
    /// Room for `bytes`, and them in it.
    pub(crate) fn bytes(&mut self, bytes: &[u8], tag: Tag) -> Result<(u32, u32), R::Error> {
        let size = u32::try_from(bytes.len())
            .map_err(|_| AbiError::TooLarge { limit_bytes: u64::from(u32::MAX) })?;
        if size == 0 {
            return Ok((0, 0));
        }
        let at = self.room.allocate(size, tag)?;
        self.room.write(at, bytes)?;
        Ok((at, size))
    }

    /// A pointer and a count of elements.
    pub(crate) fn array(&mut self, value: &Value, element: &Type) -> Result<(u32, u32), R::Error> {
        let elements = match value {
            Value::Bytes(bytes) if *element == Type::U8 => return self.bytes(bytes, Tag::BYTES),
            Value::Array(elements) => elements,
            _ => return Err(AbiError::Type("an array").into()),
        };
        let mut whole = Vec::with_capacity(elements.len() * size_bytes(element) as usize);
        for value in elements {
            self.value(value, element, &mut whole)?;
        }
        let (at, _) = self.bytes(&whole, Tag::of(element))?;
        Ok((at, elements.len() as u32))
    }

    /// A pointer.
    pub(crate) fn record(&mut self, value: &Value, index: u32) -> Result<u32, R::Error> {
        let record = self.records.record(index).ok_or(AbiError::NoRecord(index))?;
        let Value::Record(fields) = value else { return Err(AbiError::Type("a record").into()) };
        if fields.len() != record.fields.len() {
            return Err(AbiError::Type("a record of as many fields").into());
        }
        let mut whole = Vec::new();
        for (value, field) in fields.iter().zip(&record.fields) {
            self.value(value, &field.ty, &mut whole)?;
        }
        self.bytes(&whole, Tag::BYTES).map(|(at, _)| at)
    }

    /// Appends the bytes of a value, once what it points to is written.
    fn value(&mut self, value: &Value, ty: &Type, into: &mut Vec<u8>) -> Result<(), R::Error> {
        match (ty, value) {
            (Type::Bool, Value::Bool(value)) => into.push(u8::from(*value)),
            (Type::S8, Value::S8(value)) => into.extend(value.to_le_bytes()),
            (Type::S16, Value::S16(value)) => into.extend(value.to_le_bytes()),
            (Type::S32, Value::S32(value)) | (Type::I32, Value::I32(value)) => {
                into.extend(value.to_le_bytes());
            }
            (Type::S64, Value::S64(value)) | (Type::I64, Value::I64(value)) => {
                into.extend(value.to_le_bytes());
            }
            (Type::U8, Value::U8(value)) => into.push(*value),
            (Type::U16, Value::U16(value)) => into.extend(value.to_le_bytes()),
            (Type::U32, Value::U32(value)) => into.extend(value.to_le_bytes()),
            (Type::U64, Value::U64(value)) => into.extend(value.to_le_bytes()),
            (Type::F32, Value::F32(value)) => into.extend(value.to_le_bytes()),
            (Type::F64, Value::F64(value)) => into.extend(value.to_le_bytes()),
            (Type::Record(index), value) => into.extend(self.record(value, *index)?.to_le_bytes()),
            (Type::String, Value::String(string)) => {
                let pair = self.bytes(string.as_bytes(), Tag::BYTES)?;
                extend_pair(into, pair);
            }
            (Type::Bytes, value) => {
                let pair = self.array(value, &Type::U8)?;
                extend_pair(into, pair);
            }
            (Type::Array(element), value) => {
                let pair = self.array(value, element)?;
                extend_pair(into, pair);
            }
            _ => return Err(AbiError::Type("a field").into()),
        }
        Ok(())
    }
}

fn extend_pair(into: &mut Vec<u8>, (at, size): (u32, u32)) {
    into.extend(at.to_le_bytes());
    into.extend(size.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Named;

    struct Table(Vec<Record>);

    impl Records for Table {
        fn record(&self, index: u32) -> Option<&Record> {
            self.0.get(index as usize)
        }
    }

    fn field(name: &str, ty: Type) -> Named {
        Named { name: name.to_owned(), ty }
    }

    /// Two records, the second of which holds the first.
    fn table() -> Table {
        let inner = vec![field("flag", Type::Bool), field("text", Type::String), field("n", Type::S64)];
        let outer = vec![
            field("inner", Type::Record(0)),
            field("many", Type::Array(Box::new(Type::Record(0)))),
            field("bytes", Type::Bytes),
        ];
        Table(vec![
            Record { name: "Inner".to_owned(), fields: inner },
            Record { name: "Outer".to_owned(), fields: outer },
        ])
    }

    /// A memory that sets room aside by moving a mark.
    struct Bump {
        memory: Vec<u8>,
        mark: u32,
    }

    impl Room for Bump {
        type Error = AbiError;

        fn allocate(&mut self, size_bytes: u32, _tag: Tag) -> Result<u32, AbiError> {
            let at = self.mark;
            self.mark += size_bytes;
            Ok(at)
        }

        fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), AbiError> {
            Ok(self.memory.write(at, bytes)?)
        }
    }

    fn inner() -> impl Strategy<Value = Value> {
        (any::<bool>(), ".{0,9}", any::<i64>()).prop_map(|(flag, text, n)| {
            Value::Record(vec![Value::Bool(flag), Value::String(text), Value::S64(n)])
        })
    }

    fn outer() -> impl Strategy<Value = Value> {
        let many = proptest::collection::vec(inner(), 0..5).prop_map(Value::Array);
        let bytes = proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes);
        (inner(), many, bytes).prop_map(|(inner, many, bytes)| Value::Record(vec![inner, many, bytes]))
    }

    fn lift(memory: &Vec<u8>, limit_bytes: u64) -> Lift<'_, Vec<u8>> {
        // The table outlives the tests.
        let records: &'static Table = Box::leak(Box::new(table()));
        Lift { memory, records, budget_bytes: limit_bytes, limit_bytes }
    }

    proptest! {
        #[test]
        fn what_is_lowered_is_lifted(value in outer()) {
            let mut bump = Bump { memory: vec![0; 1 << 12], mark: 8 };
            let at = Lower { room: &mut bump, records: &table() }.record(&value, 1).unwrap();
            prop_assert_eq!(lift(&bump.memory, 1 << 16).record(at, 1).unwrap(), value);
        }

        #[test]
        fn any_memory_is_lifted_or_refused(memory in proptest::collection::vec(any::<u8>(), 0..200), at in 0_u32..250) {
            let _ = lift(&memory, 1 << 12).record(at, 1);
            let _ = lift(&memory, 1 << 12).array(at, 3, &Type::String);
        }
    }

    #[test]
    fn a_record_has_no_padding() {
        let mut bump = Bump { memory: vec![0; 64], mark: 16 };
        let value = Value::Record(vec![Value::Bool(true), Value::String("ab".to_owned()), Value::S64(-2)]);
        let at = Lower { room: &mut bump, records: &table() }.record(&value, 0).unwrap();
        assert_eq!(at, 18);
        assert_eq!(bump.memory[16..18], *b"ab");
        assert_eq!(bump.memory[18..35], [1, 16, 0, 0, 0, 2, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn a_range_that_ends_with_the_memory_is_inside() {
        let memory = b"xyab".to_vec();
        assert_eq!(lift(&memory, 99).string(2, 2).unwrap(), "ab");
        let outside = OutOfBounds { at: 2, size_bytes: 3, memory_bytes: 4 };
        assert_eq!(lift(&memory, 99).string(2, 3), Err(outside.into()));
        assert_eq!(lift(&memory, 99).string(u32::MAX, 0).unwrap(), "");
    }

    #[test]
    fn a_string_that_is_not_utf8_is_refused() {
        assert_eq!(lift(&vec![b'a', 0xff], 99).string(0, 2), Err(AbiError::Utf8 { at: 0, valid_up_to: 1 }));
    }

    #[test]
    fn many_pointers_to_one_string_cost_what_they_hold() {
        // A hundred strings, all of them the same fifty bytes.
        let mut memory = vec![b'a'; 50];
        (0..100).for_each(|_| extend_pair(&mut memory, (0, 50)));
        let cost = 100 * 8 + 100 * size_of::<Value>() as u64 + 100 * 50;
        assert!(lift(&memory, cost).array(50, 100, &Type::String).is_ok());
        let refused = Err(AbiError::TooLarge { limit_bytes: cost - 1 });
        assert_eq!(lift(&memory, cost - 1).array(50, 100, &Type::String), refused);
    }

    #[test]
    fn a_count_that_memory_cannot_hold_sets_nothing_aside() {
        let found = lift(&vec![0; 16], u64::MAX).array(0, u32::MAX, &Type::U64);
        let outside = OutOfBounds { at: 0, size_bytes: u64::from(u32::MAX) * 8, memory_bytes: 16 };
        assert_eq!(found, Err(outside.into()));
    }
}
