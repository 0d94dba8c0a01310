//! Reads the section.

use semver::Version;

use super::{Adapter, Core, Export, Implementation, Import, Instruction, Integer, Named, Section, TypeDef};
use crate::value::Type;

/// The longest section that is read: the AIR interpreter's has two kilobytes, sqlite3's six.
pub const SECTION_BYTES_MAX: usize = 1 << 20;
/// The most entries of one kind. Every one takes at least two bytes, so that this is also what a section can hold.
pub const ENTRIES_MAX: usize = 1 << 16;
/// How deep arrays may stand in arrays where one type is written.
pub const ARRAY_DEPTH_MAX: usize = 64;

/// What is wrong with a section, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interface types, byte {at}: {why}")]
pub struct ReadError {
    /// The offset in the section.
    pub at: usize,
    /// What is wrong.
    pub why: Wrong,
}

/// What is wrong with a section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is longer than any.
    #[error("the section has {size_bytes} bytes, more than the limit of {SECTION_BYTES_MAX}")]
    TooLong {
        /// How long it is.
        size_bytes: usize,
    },
    /// It ends too early.
    #[error("the section ends where {0} should be")]
    Ends(&'static str),
    /// A number is longer than any.
    #[error("a number of more than 32 bits where {0} should be")]
    Number(&'static str),
    /// A count is more than there can be.
    #[error("{count} {what}, more than the rest of the section can hold")]
    Count {
        /// How many.
        count: u32,
        /// Of what.
        what: &'static str,
    },
    /// A name is not UTF-8.
    #[error("a name that is not UTF-8")]
    Utf8,
    /// A byte means nothing.
    #[error("{byte:#04x} is no {what}")]
    Unknown {
        /// The byte.
        byte: u8,
        /// What it should be.
        what: &'static str,
    },
    /// Arrays of arrays of arrays.
    #[error("arrays in arrays, deeper than the limit of {ARRAY_DEPTH_MAX}")]
    Depth,
    /// A record without fields.
    #[error("the record {0} has no fields")]
    NoFields(String),
    /// No version.
    #[error(
        "no version: interface types of 2020 and 2021, which are not supported, have none; build the module anew with a newer SDK"
    )]
    Legacy,
    /// Two versions.
    #[error("a second version")]
    Versions,
    /// The version is not one.
    #[error("{0:?} is no version")]
    Version(String),
}

/// Reads a section.
///
/// # Errors
/// If it is malformed.
pub fn read(bytes: &[u8]) -> Result<Section, ReadError> {
    if bytes.len() > SECTION_BYTES_MAX {
        return Err(ReadError { at: 0, why: Wrong::TooLong { size_bytes: bytes.len() } });
    }
    let mut reader = Reader { bytes, at: 0 };
    let mut version = None;
    let (mut types, mut imports, mut adapters) = (Vec::new(), Vec::new(), Vec::new());
    let (mut exports, mut implementations) = (Vec::new(), Vec::new());
    while !reader.is_at_end() {
        let at = reader.at;
        match reader.byte("a kind of entries")? {
            0 => types.extend(reader.entries("types", Reader::type_def)?),
            1 => imports.extend(reader.entries("imports", Reader::import)?),
            2 => adapters.extend(reader.entries("adapters", Reader::adapter)?),
            3 => exports.extend(reader.entries("exports", Reader::export)?),
            4 => implementations.extend(reader.entries("implementations", Reader::implementation)?),
            5 => {
                let text = reader.name()?;
                let read = Version::parse(&text).map_err(|_| ReadError { at, why: Wrong::Version(text) })?;
                if version.replace(read).is_some() {
                    return Err(ReadError { at, why: Wrong::Versions });
                }
            }
            byte => return Err(ReadError { at, why: Wrong::Unknown { byte, what: "kind of entries" } }),
        }
    }
    let version = version.ok_or(ReadError { at: bytes.len(), why: Wrong::Legacy })?;
    Ok(Section { version, types, imports, adapters, exports, implementations })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn wrong(&self, why: Wrong) -> ReadError {
        ReadError { at: self.at, why }
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, ReadError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.wrong(Wrong::Ends(what)))?;
        self.at += 1;
        Ok(byte)
    }

    /// An unsigned LEB128, of at most nine bytes as in the published reader.
    fn long(&mut self, what: &'static str) -> Result<u64, ReadError> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte(what)?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.wrong(Wrong::Number(what)))
    }

    fn number(&mut self, what: &'static str) -> Result<u32, ReadError> {
        let at = self.at;
        u32::try_from(self.long(what)?).map_err(|_| ReadError { at, why: Wrong::Number(what) })
    }

    fn name(&mut self) -> Result<String, ReadError> {
        let size = usize::from(self.byte("a name")?);
        let bytes =
            self.bytes.get(self.at..self.at + size).ok_or_else(|| self.wrong(Wrong::Ends("a name")))?;
        let name = core::str::from_utf8(bytes).map_err(|_| self.wrong(Wrong::Utf8))?;
        self.at += size;
        Ok(name.to_owned())
    }

    /// So many of them. Each takes at least a byte, so that no more is set aside than the section has.
    fn entries<T>(
        &mut self,
        what: &'static str,
        mut entry: impl FnMut(&mut Self) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let at = self.at;
        let count = self.number(what)?;
        if count as usize > (self.bytes.len() - self.at).min(ENTRIES_MAX) {
            return Err(ReadError { at, why: Wrong::Count { count, what } });
        }
        (0..count).map(|_| entry(self)).collect()
    }

    fn named(&mut self) -> Result<Named, ReadError> {
        let name = self.name()?;
        Ok(Named { name, ty: self.ty()? })
    }

    fn type_def(&mut self) -> Result<TypeDef, ReadError> {
        let at = self.at;
        match self.byte("a kind of type")? {
            0 => {
                let arguments = self.entries("arguments", Self::named)?;
                Ok(TypeDef::Function { arguments, results: self.entries("results", Self::ty)? })
            }
            1 => {
                let name = self.name()?;
                let fields = self.entries("fields", Self::named)?;
                if fields.is_empty() {
                    return Err(ReadError { at, why: Wrong::NoFields(name) });
                }
                Ok(TypeDef::Record { name, fields })
            }
            byte => Err(ReadError { at, why: Wrong::Unknown { byte, what: "kind of type" } }),
        }
    }

    fn ty(&mut self) -> Result<Type, ReadError> {
        let mut arrays = 0;
        let mut ty = loop {
            let at = self.at;
            break match self.byte("a type")? {
                0x00 => Type::S8,
                0x01 => Type::S16,
                0x02 => Type::S32,
                0x03 => Type::S64,
                0x04 => Type::U8,
                0x05 => Type::U16,
                0x06 => Type::U32,
                0x07 => Type::U64,
                0x08 => Type::F32,
                0x09 => Type::F64,
                0x0a => Type::String,
                0x0b => Type::Bool,
                0x0c => Type::I32,
                0x0d => Type::I64,
                0x0e => Type::Record(self.number("the index of a record")?),
                0x36 if arrays < ARRAY_DEPTH_MAX => {
                    arrays += 1;
                    continue;
                }
                0x36 => return Err(ReadError { at, why: Wrong::Depth }),
                0x3c => Type::Bytes,
                byte => return Err(ReadError { at, why: Wrong::Unknown { byte, what: "type" } }),
            };
        };
        for _ in 0..arrays {
            ty = Type::Array(Box::new(ty));
        }
        Ok(ty)
    }

    fn import(&mut self) -> Result<Import, ReadError> {
        let (namespace, name) = (self.name()?, self.name()?);
        Ok(Import { namespace, name, ty: self.number("the index of a type")? })
    }

    fn export(&mut self) -> Result<Export, ReadError> {
        let name = self.name()?;
        Ok(Export { name, ty: self.number("the index of a type")? })
    }

    fn implementation(&mut self) -> Result<Implementation, ReadError> {
        let core = self.number("the index of a core type")?;
        Ok(Implementation { core, adapter: self.number("the index of an adapter's type")? })
    }

    fn adapter(&mut self) -> Result<Adapter, ReadError> {
        let ty = self.number("the index of a type")?;
        Ok(Adapter { ty, instructions: self.entries("instructions", Self::instruction)? })
    }

    fn instruction(&mut self) -> Result<Instruction, ReadError> {
        let at = self.at;
        let code = self.byte("an instruction")?;
        if let Some(conversion) = conversion(code) {
            return Ok(conversion);
        }
        Ok(match code {
            0x00 => Instruction::ArgumentGet(self.number("the index of an argument")?),
            0x01 => Instruction::CallCore(self.number("the index of a function")?),
            0x22 => Instruction::StringLift,
            0x23 => Instruction::StringLower,
            0x24 => Instruction::StringSize,
            0x34 => Instruction::Dup,
            0x35 => Instruction::Swap2,
            0x37 => Instruction::ArrayLift(self.ty()?),
            0x38 => Instruction::ArrayLower(self.ty()?),
            0x3a => Instruction::RecordLift(self.number("the index of a record")?),
            0x3b => Instruction::RecordLower(self.number("the index of a record")?),
            0x3e => Instruction::BoolFromI32,
            0x3f => Instruction::I32FromBool,
            // A number below zero is written as its 64 bits, which a reader of nine bytes refuses, here as in the published one.
            0x40 => Instruction::PushI32(self.long("a constant")? as i32),
            0x41 => Instruction::PushI64(self.long("a constant")? as i64),
            0x43 => Instruction::BytesLift,
            0x44 => Instruction::BytesLower,
            0x45 => Instruction::BytesSize,
            byte => return Err(ReadError { at, why: Wrong::Unknown { byte, what: "instruction" } }),
        })
    }
}

/// Interface integers in the order of their conversions' codes.
const SIGNED: [Integer; 4] = [Integer::S8, Integer::S16, Integer::S32, Integer::S64];
const UNSIGNED: [Integer; 4] = [Integer::U8, Integer::U16, Integer::U32, Integer::U64];
/// Where the conversions of signed integers begin, and those of unsigned ones.
const FIRST_SIGNED: u8 = 0x02;
const FIRST_UNSIGNED: u8 = 0x12;

/// The conversion of this code. From core: alternately of 32 and 64 bits. To core: all of 32 bits, then all of 64.
fn conversion(code: u8) -> Option<Instruction> {
    let (integers, place) = match code {
        FIRST_SIGNED..=0x11 => (SIGNED, usize::from(code - FIRST_SIGNED)),
        FIRST_UNSIGNED..=0x21 => (UNSIGNED, usize::from(code - FIRST_UNSIGNED)),
        _ => return None,
    };
    let pick = |at: usize| integers.get(at).copied();
    Some(match place {
        0..8 => {
            let from = if place % 2 == 0 { Core::I32 } else { Core::I64 };
            Instruction::FromCore { from, to: pick(place / 2)? }
        }
        _ => {
            let to = if place < 12 { Core::I32 } else { Core::I64 };
            Instruction::ToCore { from: pick(place % 4)?, to }
        }
    })
}

/// The code of a conversion.
pub(super) fn code_of(integer: Integer, core: Core, to_core: ToCore) -> u8 {
    let place = |integers: [Integer; 4]| integers.iter().position(|other| *other == integer);
    let (first, place) = match place(SIGNED) {
        Some(place) => (FIRST_SIGNED, place),
        None => (FIRST_UNSIGNED, place(UNSIGNED).unwrap_or(0)),
    };
    let wide = usize::from(core == Core::I64);
    let offset = match to_core {
        ToCore::No => 2 * place + wide,
        ToCore::Yes => 8 + 4 * wide + place,
    };
    first + offset as u8
}

/// The direction of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToCore {
    Yes,
    No,
}
