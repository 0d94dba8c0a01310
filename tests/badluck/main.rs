//! What goes wrong in and around a run ends in a word that says so: never in a pass, never in silence.
//!
//! | module | what it shows |
//! |---|---|
//! | [`panics`] | a peer that panics, wherever it does, and one that spins |
//! | [`inert`] | faults, workloads and thresholds that prove nothing |
//! | [`folders`] | folders that cannot be written |
//! | [`stopped`] | runs that somebody stops |
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod folders;
mod inert;
mod panics;
mod stopped;

use std::path::Path;

use run::{Driver, Scenario};

/// Twenty peers for two minutes; nothing goes wrong unless a test wants it.
pub(crate) fn hello() -> Scenario {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    run::scenario(house.join("scenarios/kademlia/hello.yaml"))
}

/// Both drivers, on one thread and on two.
pub(crate) const WAYS: [(Driver, usize); 4] =
    [(Driver::Actor, 1), (Driver::Actor, 2), (Driver::Inline, 1), (Driver::Inline, 2)];
