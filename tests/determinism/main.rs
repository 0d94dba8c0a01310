//! The same scenario and the same seed give the same run, however it is carried out.
//!
//! | module | what it shows |
//! |---|---|
//! | [`ways`] | threads, drivers, the form of messages and neighbours in the process do not show, for many seeds |
//! | [`crowd`] | the same of providers, clients and arrivals of every kind; a run's folder repeats it by itself |
//! | [`golden`] | fingerprints that were written down: they hold in debug and in release |
//! | [`tampering`] | the comparison can fail: one message, one nanosecond, one byte is seen, and where it was |
//!
//! Equal means equal to the last byte: every file of a run's folder, and all of the manifest that says what the run
//! was.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod crowd;
mod golden;
mod tampering;
mod ways;

use std::path::{Path, PathBuf};

/// Everything that can happen at once, in 40 seconds of 60 peers.
pub(crate) const STORM: &str = "tests/determinism/storm.yaml";
/// What else goes wrong with links and processes, in as much.
pub(crate) const GALE: &str = "tests/determinism/gale.yaml";
/// Comings and goings from a file.
pub(crate) const RECORDED: &str = "scenarios/kademlia/recorded.yaml";
/// Providers, peers that do not serve, arrivals in stages and from a file.
pub(crate) const CROWD: &str = "tests/determinism/crowd.yaml";
/// What a newcomer runs first.
pub(crate) const HELLO: &str = "scenarios/kademlia/hello.yaml";

/// A file of the house.
pub(crate) fn in_house(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
