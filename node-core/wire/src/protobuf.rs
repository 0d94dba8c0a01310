//! Reading and writing of protobuf fields, borrowed and bounded.
//!
//! Only what messages need: varints, byte strings and embedded messages. Fixed-width fields are skipped, groups
//! (deprecated, and recursive to skip) are refused.
//!
//! Invariant: each `…_len` is what its `put_…` appends.

use alloc::vec::Vec;

use node::DecodeFailure;

const WIRE_VARINT: u64 = 0;
const WIRE_FIXED64: u64 = 1;
const WIRE_BYTES: u64 = 2;
const WIRE_FIXED32: u64 = 5;

/// Bytes of `value` as a varint.
pub(crate) const fn varint_len(value: u64) -> usize {
    // Seven bits a byte; zero takes one.
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

const fn tag_len(field: u32) -> usize {
    varint_len((field as u64) << 3)
}

/// Bytes of a number; zero, the default, is left out.
pub(crate) const fn number_len(field: u32, value: u64) -> usize {
    if value == 0 { 0 } else { tag_len(field) + varint_len(value) }
}

/// Bytes of a byte string of `len` bytes; the empty one, the default, is left out.
pub(crate) const fn bytes_len(field: u32, len: usize) -> usize {
    if len == 0 { 0 } else { embedded_len(field, len) }
}

/// Bytes of an embedded message of `len` bytes, which is there even if it is empty.
pub(crate) const fn embedded_len(field: u32, len: usize) -> usize {
    tag_len(field) + varint_len(len as u64) + len
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(field) << 3 | WIRE_VARINT);
        put_varint(out, value);
    }
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_embedded(out, field, bytes.len());
        out.extend_from_slice(bytes);
    }
}

/// The head of an embedded message of `len` bytes; the message follows.
pub(crate) fn put_embedded(out: &mut Vec<u8>, field: u32, len: usize) {
    put_varint(out, u64::from(field) << 3 | WIRE_BYTES);
    put_varint(out, len as u64);
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A number.
    Number(u64),
    /// A byte string or an embedded message.
    Bytes(&'a [u8]),
    /// Of fixed width: no field that we know.
    Fixed,
}

impl<'a> Value<'a> {
    /// The number, its upper half dropped as protobuf does for fields of 32 bits.
    pub(crate) const fn number(self) -> Result<u32, DecodeFailure> {
        match self {
            Self::Number(value) => Ok(value as u32),
            Self::Bytes(_) | Self::Fixed => Err(DecodeFailure::Invalid),
        }
    }

    pub(crate) const fn bytes(self) -> Result<&'a [u8], DecodeFailure> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) | Self::Fixed => Err(DecodeFailure::Invalid),
        }
    }
}

/// Reads bytes from the front.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not yet read.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field and its number; `None` at the end.
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeFailure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| DecodeFailure::Invalid)?;
        let field = tag >> 3;
        if field == 0 {
            return Err(DecodeFailure::Invalid);
        }
        let value = match u64::from(tag & 7) {
            WIRE_VARINT => Value::Number(self.varint()?),
            WIRE_BYTES => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            WIRE_FIXED64 => {
                self.take(8)?;
                Value::Fixed
            }
            WIRE_FIXED32 => {
                self.take(4)?;
                Value::Fixed
            }
            _ => return Err(DecodeFailure::Invalid),
        };
        Ok(Some((field, value)))
    }

    /// A number of at most 64 bits, hence ten bytes.
    pub(crate) fn varint(&mut self) -> Result<u64, DecodeFailure> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(DecodeFailure::Truncated)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(DecodeFailure::Invalid);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeFailure::Invalid)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], DecodeFailure> {
        let len = usize::try_from(len).map_err(|_| DecodeFailure::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeFailure::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_are_read_back_and_have_the_length_foretold(value in any::<u64>(), shift in 0..64u32) {
            let value = value >> shift;
            let mut bytes = vec![];
            put_varint(&mut bytes, value);
            prop_assert_eq!(bytes.len(), varint_len(value));
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.rest().is_empty());
        }
    }

    #[test]
    fn a_varint_of_more_than_64_bits_is_refused() {
        let mut bytes = vec![0xff; 9];
        bytes.push(0x01);
        assert_eq!(Reader::new(&bytes).varint(), Ok(u64::MAX));
        for last in [0x02, 0x81] {
            bytes[9] = last;
            assert_eq!(Reader::new(&bytes).varint(), Err(DecodeFailure::Invalid));
        }
    }

    #[test]
    fn fields_of_fixed_width_are_skipped_and_groups_refused() {
        let bytes = [0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.field(), Ok(Some((1, Value::Fixed))));
        assert_eq!(reader.field(), Ok(Some((2, Value::Fixed))));
        assert_eq!(reader.field(), Ok(Some((3, Value::Number(7)))));
        assert_eq!(reader.field(), Ok(None));
        for group in [0x0b, 0x0c] {
            assert_eq!(Reader::new(&[group]).field(), Err(DecodeFailure::Invalid));
        }
    }

    #[test]
    fn field_numbers_start_at_one() {
        assert_eq!(Reader::new(&[0x00, 1]).field(), Err(DecodeFailure::Invalid));
    }
}
