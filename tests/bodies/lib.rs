//! What fuzzers do with bytes: the bodies of the targets in `tests/fuzz`, here so that stable tests replay them.
//!
//! | module | what |
//! |---|---|
//! | [`codec`] | bytes as a frame: what is read is written and read back the same |
//! | [`seam`] | bytes as a sequence of inputs of a node: every request ends once, its invariants hold |
//!
//! A violated law is a failed assertion. It is deliberately no fuzzer: it draws nothing.
#![forbid(unsafe_code)]

pub mod codec;
pub mod seam;
