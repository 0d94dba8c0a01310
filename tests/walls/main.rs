//! The walls of the house, checked by a machine.
//!
//! | module | which walls |
//! |---|---|
//! | [`house`] | the table: rooms, what each may import, where each outside crate is at home |
//! | [`manifest`] | what rooms import directly, and that all share the workspace's lints and versions |
//! | [`tree`] | what a pure room reaches through others: an allow-list over `cargo tree` |
//! | [`source`] | `no_std`, no unsafe code, no empty room, nothing else at the top level |
//! | [`clippy`] | clocks, random-state maps and platform floats, refused by each pure room's clippy configuration |
//!
//! Each check is a pure function over text, so that each module also plants breaches and sees them named. A check
//! finds all breaches, not the first.

mod clippy;
mod house;
mod manifest;
mod source;
mod tree;

use std::fmt;
use std::path::{Path, PathBuf};

/// A wall that does not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Breach {
    /// In which room, or file.
    place: String,
    /// What was found there.
    found: String,
    /// The wall that it breaks.
    wall: String,
}

impl Breach {
    fn new(place: impl Into<String>, found: impl Into<String>, wall: impl Into<String>) -> Self {
        Self { place: place.into(), found: found.into(), wall: wall.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (wall: {})", self.place, self.found, self.wall)
    }
}

/// The breaches, one a line; empty if there is none.
fn listed(breaches: &[Breach]) -> String {
    breaches.iter().map(|breach| format!("\n  {breach}")).collect()
}

/// Where the house stands.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the house.
fn read(path: impl AsRef<Path>) -> anyhow::Result<String> {
    use anyhow::Context as _;
    let path = root().join(path);
    std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
}
