//! What is checked of a module before it is compiled, and what is woven into it.
//!
//! A module is validated against a fixed set of features, measured against [`ModuleLimits`], and rewritten: its functions
//! count the *fuel* that they use, and those that can call themselves count how *deep* they are. Both counters are globals that
//! the host owns and all modules of a service share.
//!
//! # What it costs
//! Each operator costs what [`cost`] says; the operators of a stretch of code that runs as a whole are charged together, at its
//! beginning. Fuel is checked where code can go on for long: as a function that calls others is entered, and as a loop goes
//! round. So a module uses up at most what one straight stretch of its code costs beyond what it was given, and what it is
//! charged depends on the way that it took and on nothing else.
//!
//! # Invariants
//! - Rewriting changes what a module costs, never what it does.
//! - When a counter is below zero, the module has been stopped, and only then.

use wasmparser::BinaryReaderError;

use crate::limits::ModuleLimits;

mod check;
pub mod cost;
mod graph;
mod weave;

#[cfg(test)]
mod tests;

pub use check::Facts;
pub use cost::COST_VERSION;

/// The namespace of what is woven in. A module that imports from it is refused.
pub const NAMESPACE: &str = "wavetank";
/// The global of what is left of the fuel: 64 bits. Below zero, it is used up.
pub const FUEL: &str = "fuel";
/// The global of how deep calls may still go: 32 bits. Below zero, they went too deep.
pub const DEPTH: &str = "depth";
/// What a module's start function is exported as: it runs once the module is linked, not as it is instantiated.
pub const START: &str = "wavetank-start";

/// Whether a module counts what it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    /// It does.
    On,
    /// It does not, and may run for ever: for measuring what counting costs.
    Off,
}

/// A module that was checked.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What is compiled.
    pub wasm: Vec<u8>,
    /// What was found.
    pub facts: Facts,
}

/// Why a module is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no valid Wasm of the features that are on.
    #[error("the module is invalid at byte {at}: {why}")]
    Invalid {
        /// Where.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// It exceeds a limit.
    #[error("the module has {found} {what}, more than the limit of {limit}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A function of it exceeds a limit.
    #[error("function {function} has {found} {what}, more than the limit of {limit}")]
    FunctionLimit {
        /// Its index.
        function: u32,
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// It imports what no host offers.
    #[error("the module imports {namespace}.{name}, {why}")]
    Import {
        /// From where.
        namespace: String,
        /// What.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It exports what is the host's.
    #[error("the module exports {0}, a name that is the host's")]
    Export(String),
}

impl From<BinaryReaderError> for Refusal {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid { at: error.offset(), why: error.message().to_owned() }
    }
}

/// Checks a module, and weaves counting into it.
///
/// # Errors
/// If it is invalid, or more than it may be.
pub fn prepare(wasm: &[u8], limits: &ModuleLimits, metering: Metering) -> Result<Prepared, Refusal> {
    let checked = check::check(wasm, limits)?;
    let wasm = match metering {
        Metering::On => weave::weave(wasm, &checked, limits.table_slots)?,
        Metering::Off => wasm.to_vec(),
    };
    Ok(Prepared { wasm, facts: checked.facts })
}
