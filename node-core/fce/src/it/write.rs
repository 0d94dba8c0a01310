//! Writes the section, as the published generator does.

use super::read::{ToCore, code_of};
use super::{Instruction, Named, Section, TypeDef};
use crate::value::Type;

/// What a section cannot say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A name's length is one byte.
    #[error("the name {0:?} is longer than 255 bytes")]
    Name(String),
    /// Published readers take one byte as the count of a list.
    #[error("{count} {what}, more than the 127 that a published reader understands")]
    List {
        /// How many.
        count: usize,
        /// Of what.
        what: &'static str,
    },
    /// A constant below zero takes more bytes than readers take.
    #[error("the constant {0} is below zero")]
    Negative(i64),
}

/// The most entries of a list that a published reader understands.
const LIST_MAX: usize = 127;

/// Writes a section.
///
/// # Errors
/// If published readers would not understand it.
pub fn write(section: &Section) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer(Vec::new());
    writer.0.push(5);
    writer.name(&section.version.to_string())?;
    writer.entries(0, &section.types, Writer::type_def)?;
    writer.entries(1, &section.imports, |writer, import| {
        writer.name(&import.namespace)?;
        writer.name(&import.name)?;
        writer.number(import.ty);
        Ok(())
    })?;
    writer.entries(2, &section.adapters, |writer, adapter| {
        writer.number(adapter.ty);
        writer.list("instructions", &adapter.instructions, Writer::instruction)
    })?;
    writer.entries(3, &section.exports, |writer, export| {
        writer.name(&export.name)?;
        writer.number(export.ty);
        Ok(())
    })?;
    writer.entries(4, &section.implementations, |writer, implementation| {
        writer.number(implementation.core);
        writer.number(implementation.adapter);
        Ok(())
    })?;
    Ok(writer.0)
}

struct Writer(Vec<u8>);

impl Writer {
    fn long(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, number: u32) {
        self.long(number.into());
    }

    fn name(&mut self, name: &str) -> Result<(), WriteError> {
        let size = u8::try_from(name.len()).map_err(|_| WriteError::Name(name.to_owned()))?;
        self.0.push(size);
        self.0.extend_from_slice(name.as_bytes());
        Ok(())
    }

    fn entries<T>(
        &mut self,
        kind: u8,
        entries: &[T],
        mut entry: impl FnMut(&mut Self, &T) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.0.push(kind);
        self.long(entries.len() as u64);
        entries.iter().try_for_each(|each| entry(self, each))
    }

    fn list<T>(
        &mut self,
        what: &'static str,
        entries: &[T],
        mut entry: impl FnMut(&mut Self, &T) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        if entries.len() > LIST_MAX {
            return Err(WriteError::List { count: entries.len(), what });
        }
        self.long(entries.len() as u64);
        entries.iter().try_for_each(|each| entry(self, each))
    }

    fn named(&mut self, named: &Named) -> Result<(), WriteError> {
        self.name(&named.name)?;
        self.ty(&named.ty)
    }

    fn type_def(&mut self, def: &TypeDef) -> Result<(), WriteError> {
        match def {
            TypeDef::Function { arguments, results } => {
                self.0.push(0);
                self.list("arguments", arguments, Self::named)?;
                self.list("results", results, Self::ty)
            }
            TypeDef::Record { name, fields } => {
                self.0.push(1);
                self.name(name)?;
                self.list("fields", fields, Self::named)
            }
        }
    }

    fn ty(&mut self, ty: &Type) -> Result<(), WriteError> {
        let mut ty = ty;
        while let Type::Array(element) = ty {
            self.0.push(0x36);
            ty = element;
        }
        self.0.push(match ty {
            Type::S8 => 0x00,
            Type::S16 => 0x01,
            Type::S32 => 0x02,
            Type::S64 => 0x03,
            Type::U8 => 0x04,
            Type::U16 => 0x05,
            Type::U32 => 0x06,
            Type::U64 => 0x07,
            Type::F32 => 0x08,
            Type::F64 => 0x09,
            Type::String => 0x0a,
            Type::Bool => 0x0b,
            Type::I32 => 0x0c,
            Type::I64 => 0x0d,
            Type::Record(_) => 0x0e,
            Type::Array(_) => 0x36,
            Type::Bytes => 0x3c,
        });
        if let Type::Record(index) = ty {
            self.number(*index);
        }
        Ok(())
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), WriteError> {
        let (code, operand) = match instruction {
            Instruction::ArgumentGet(index) => (0x00, Some(u64::from(*index))),
            Instruction::CallCore(index) => (0x01, Some(u64::from(*index))),
            Instruction::FromCore { from, to } => (code_of(*to, *from, ToCore::No), None),
            Instruction::ToCore { from, to } => (code_of(*from, *to, ToCore::Yes), None),
            Instruction::StringLift => (0x22, None),
            Instruction::StringLower => (0x23, None),
            Instruction::StringSize => (0x24, None),
            Instruction::Dup => (0x34, None),
            Instruction::Swap2 => (0x35, None),
            Instruction::ArrayLift(_) => (0x37, None),
            Instruction::ArrayLower(_) => (0x38, None),
            Instruction::RecordLift(index) => (0x3a, Some(u64::from(*index))),
            Instruction::RecordLower(index) => (0x3b, Some(u64::from(*index))),
            Instruction::BoolFromI32 => (0x3e, None),
            Instruction::I32FromBool => (0x3f, None),
            Instruction::PushI32(value) => (0x40, Some(positive(i64::from(*value))?)),
            Instruction::PushI64(value) => (0x41, Some(positive(*value)?)),
            Instruction::BytesLift => (0x43, None),
            Instruction::BytesLower => (0x44, None),
            Instruction::BytesSize => (0x45, None),
        };
        self.0.push(code);
        if let Some(operand) = operand {
            self.long(operand);
        }
        match instruction {
            Instruction::ArrayLift(element) | Instruction::ArrayLower(element) => self.ty(element),
            _ => Ok(()),
        }
    }
}

fn positive(value: i64) -> Result<u64, WriteError> {
    u64::try_from(value).map_err(|_| WriteError::Negative(value))
}
