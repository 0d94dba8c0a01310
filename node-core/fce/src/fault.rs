//! What goes wrong while a service runs.

use crate::abi::AbiError;
use crate::memory::OutOfBounds;

/// Why a call ended without a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It used all the fuel that it was given.
    #[error("out of fuel")]
    OutOfFuel,
    /// Its functions call each other deeper than they may.
    #[error("calls are nested too deep")]
    TooDeep,
    /// It called its host more often than it may.
    #[error("more than {limit} calls of the host")]
    HostCalls {
        /// How often it may.
        limit: u64,
    },
    /// Its calls of the host call it again, deeper than they may.
    #[error("calls of the host within calls of the host, deeper than {limit}")]
    NestedCalls {
        /// How deep they may be.
        limit: u32,
    },
    /// It ended its process. That is a fault where a function should have returned.
    #[error("exited with code {0}")]
    Exited(u32),
    /// It ended its process by a signal to itself.
    #[error("raised signal {0}")]
    Raised(u8),
    /// It asked for memory beyond its limit, and then failed.
    #[error("{trap}, after {refused} refusals of memory beyond the limit of {limit_bytes} bytes")]
    OutOfMemory {
        /// How it failed.
        trap: Trap,
        /// How often it asked for more than is left.
        refused: u64,
        /// What the service's memories and tables may hold together.
        limit_bytes: u64,
    },
    /// It did what Wasm does not allow.
    #[error("{0}")]
    Trap(Trap),
    /// A value that it passed or returned is malformed.
    #[error(transparent)]
    Value(#[from] AbiError),
    /// An adapter does not fit what it adapts.
    #[error("an adapter is at odds with its function: {0}")]
    Adapter(String),
    /// It lacks an export that its interface needs.
    #[error("it does not export {0}")]
    NotExported(String),
    /// The host could not do its part: what a service sees as a failure of the machine.
    #[error("the host failed: {0}")]
    Host(String),
}

impl From<OutOfBounds> for Fault {
    fn from(error: OutOfBounds) -> Self {
        Self::Value(AbiError::OutOfBounds(error))
    }
}

/// What Wasm does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trap {
    /// `unreachable`: how Rust's `panic` ends.
    #[error("unreachable code was reached")]
    Unreachable,
    /// A memory access outside.
    #[error("memory was accessed out of bounds")]
    Memory,
    /// A table access outside.
    #[error("a table was accessed out of bounds")]
    Table,
    /// An indirect call of nothing.
    #[error("an empty table slot was called")]
    Null,
    /// An indirect call of a function of another type.
    #[error("a function was called as one of another type")]
    Signature,
    /// An integer that does not fit.
    #[error("an integer overflowed")]
    Overflow,
    /// Division by zero.
    #[error("an integer was divided by zero")]
    DivisionByZero,
    /// A float that no integer is.
    #[error("a float was turned into an integer that it is not")]
    Conversion,
    /// The native stack. Depth is counted so that this does not come first.
    #[error("the native stack overflowed")]
    Stack,
    /// What the engine has no other word for.
    #[error("the engine stopped it")]
    Other,
}

/// A fault, and where: the modules and functions that were being called, the outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// Module and function.
    pub path: Vec<(String, String)>,
    /// What went wrong in the innermost.
    pub fault: Fault,
}

impl CallError {
    /// This error, as seen by whoever called `function` of `module`.
    pub(crate) fn through(mut self, module: &str, function: &str) -> Self {
        self.path.insert(0, (module.to_owned(), function.to_owned()));
        self
    }
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        Self { path: Vec::new(), fault }
    }
}

impl From<AbiError> for CallError {
    fn from(error: AbiError) -> Self {
        Fault::from(error).into()
    }
}

impl From<OutOfBounds> for CallError {
    fn from(error: OutOfBounds) -> Self {
        Fault::from(error).into()
    }
}

impl std::error::Error for CallError {}

impl core::fmt::Display for CallError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (module, function) in &self.path {
            write!(f, "{module}.{function}: ")?;
        }
        self.fault.fmt(f)
    }
}
