//! What people and misfortune do: workloads and faults, as values and as state machines.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | what a scenario says: groups, workloads, faults; plain values |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod plan;
