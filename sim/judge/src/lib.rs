//! Histories, checkers, thresholds and the verdict.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | what a scenario asks for: checks, thresholds, what to observe; plain values |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod plan;
