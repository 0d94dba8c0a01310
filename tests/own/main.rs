//! What users bring themselves, in Rust, by trait: a check, an operation, a peer. These tests are written as a user
//! would write them, against the public doors alone.
//!
//! | module | what is brought |
//! |---|---|
//! | [`check`] | a [`judge::Checker`] with its probe |
//! | [`operation`] | a [`play::OwnWorkload`] with its clients |
//! | [`peer`] | a [`run::Cast`] with a [`node::Peer`] of its own |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod check;
mod operation;
mod peer;

use std::path::Path;

use run::{Driver, Scenario};

/// Twenty peers for two minutes, all of which know each other by then.
pub(crate) fn hello() -> Scenario {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    run::scenario(house.join("scenarios/kademlia/hello.yaml"))
}

/// Both drivers, on one thread and on two.
pub(crate) const WAYS: [(Driver, usize); 4] =
    [(Driver::Actor, 1), (Driver::Actor, 2), (Driver::Inline, 1), (Driver::Inline, 2)];
