//! # FCE: Wasm services
//!
//! Loads and runs services of one or several Wasm modules, built by the published Marine toolchain, on wasmer: modules call
//! each other through interface types, see files, clocks and entropy that their host gives them, and pay fuel for every
//! operator.
//!
//! ## Map
//! - [`it`]: the interface-types section: what a module says of its functions, read and written.
//! - [`value`]: values of interface types, and their types; [`json`]: as JSON.
//! - [`meter`]: what is checked of a module before it is compiled, and what is woven into it: fuel, counted depth.
//! - [`wasi`]: WASI preview 1 over a disk in memory, a clock and entropy that are given.
//! - [`memory`]: what host code sees of a module's memory.
//!
//! ## What it is not
//! It knows no node, no network and no thread: a service runs where it is called, and returns.
//!
//! ## Invariants
//! - The same calls from the same state give the same results, fuel and state, on every machine and in every build.
//! - Nothing that a module does harms its host: what it may use is bounded by [`limits`], and what it does wrong is an error.

mod abi;
mod adapter;
mod artefact;
pub mod binaries;
pub mod blueprint;
pub mod config;
mod cost;
pub mod embed;
pub mod engine;
pub mod fault;
mod guest;
mod host;
mod image;
pub mod info;
pub mod it;
pub mod json;
pub mod limits;
pub mod memory;
pub mod meter;
pub mod module;
pub mod parameters;
pub mod service;
pub mod snapshot;
pub mod spec;
pub mod value;
pub mod wasi;
