//! The `interface-types` section: what a module says of its functions.
//!
//! It is the adapter proposal of 2020, not today's component model. A section holds types (functions and records), imports,
//! exports, adapters (lists of instructions that turn interface values into core ones and back), and implementations, which
//! tie an adapter to the core function that it wraps.

use semver::Version;

pub mod interface;
pub mod read;
pub mod sections;
pub mod write;

pub use crate::value::Named;
use crate::value::Type;

/// An entry of the table of types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeDef {
    /// A function.
    Function {
        /// What it takes.
        arguments: Vec<Named>,
        /// What it gives: at most one, in what is generated.
        results: Vec<Type>,
    },
    /// A record.
    Record {
        /// Its name.
        name: String,
        /// Its fields, at least one.
        fields: Vec<Named>,
    },
}

/// A function that the module wants of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The other module's configured name.
    pub namespace: String,
    /// The function.
    pub name: String,
    /// Its type, an index.
    pub ty: u32,
}

/// A core function that the module exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its type, an index.
    pub ty: u32,
}

/// The instructions that turn interface values into core ones, call, and turn the results back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its type, an index.
    pub ty: u32,
    /// What it does.
    pub instructions: Vec<Instruction>,
}

/// What ties an adapter to a core function: both by the indices of their types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Implementation {
    /// The core function's.
    pub core: u32,
    /// The adapter's.
    pub adapter: u32,
}

/// An instruction of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Pushes an argument of the invocation.
    ArgumentGet(u32),
    /// Calls a function of the instance's function space: exports in order, then the imports that have an implementation.
    CallCore(u32),
    /// Turns a core integer into an interface one.
    FromCore {
        /// What it comes from.
        from: Core,
        /// What it becomes.
        to: Integer,
    },
    /// Turns an interface integer into a core one.
    ToCore {
        /// What it comes from.
        from: Integer,
        /// What it becomes.
        to: Core,
    },
    /// Pops a size and a pointer, pushes a string.
    StringLift,
    /// Pops a string and a pointer, writes, pushes the pointer and the length.
    StringLower,
    /// Pops a string, pushes its length in bytes.
    StringSize,
    /// As for strings, with bytes.
    BytesLift,
    /// As for strings, with bytes.
    BytesLower,
    /// As for strings, with bytes.
    BytesSize,
    /// Pops a count of elements and a pointer, pushes an array.
    ArrayLift(Type),
    /// Pops an array, sets memory aside for it and writes it, pushes the pointer and the count.
    ArrayLower(Type),
    /// Pops a pointer, pushes the record of this type.
    RecordLift(u32),
    /// Pops a record, sets memory aside for it and writes it, pushes the pointer.
    RecordLower(u32),
    /// Any but zero is true.
    BoolFromI32,
    /// True is 1.
    I32FromBool,
    /// Pushes a core constant.
    PushI32(i32),
    /// Pushes a core constant.
    PushI64(i64),
    /// Pushes the topmost value again.
    Dup,
    /// Swaps the two topmost values.
    Swap2,
}

/// A core integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

/// An interface integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// Signed, 8 bits.
    S8,
    /// Signed, 16 bits.
    S16,
    /// Signed, 32 bits.
    S32,
    /// Signed, 64 bits.
    S64,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
}

/// A whole section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Of what wrote it.
    pub version: Version,
    /// The table of types.
    pub types: Vec<TypeDef>,
    /// What it wants.
    pub imports: Vec<Import>,
    /// The adapters.
    pub adapters: Vec<Adapter>,
    /// What it offers.
    pub exports: Vec<Export>,
    /// What ties them together.
    pub implementations: Vec<Implementation>,
}
