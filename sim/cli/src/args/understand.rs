//! What may be typed to understand a run: `wavetank explain`, `wavetank why`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Machine, Output, Shown};

/// Explains what happened in a run.
#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    Lookup(Lookup),
}

/// Tells how an operation searched, step by step, beside the truth.
///
/// The run is gone through again up to the operation's end: whom the peer asked, who
/// answered and named whom, who did not, why it stopped, and which of the peers that
/// were truly the closest it found. It ends with 16 if that run comes out differently
/// from the folder's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank explain lookup runs/hello/latest 17
  wavetank explain lookup runs/churn/latest 402 --format json --progress none")]
pub(crate) struct Lookup {
    /// The folder of a run
    pub(crate) run: PathBuf,

    /// The operation's number, as in operations.csv; puts and gets search too
    #[arg(value_name = "OP")]
    pub(crate) operation: u64,

    #[command(flatten)]
    pub(crate) machine: Machine,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Tells what led to an event, back to what began it.
///
/// An event is the handling of one input by one peer. `417.12` is the 13th that peer 417
/// handled: the number of the peer in peers.csv, a point, and a count from 0. So they are
/// called in events.jsonl.zst, in a verdict and by `wavetank replay --to`.
///
/// Each event is shown with the one that caused it: a message with what its sender was
/// handling, a timeout with what sent the request. A chain ends at an operation, at a
/// timer, or at the start of a peer. Events that the folder's log does not have come
/// from going through the run again; if it comes out differently, it ends with 16.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank why runs/hello/latest 3.40
  wavetank why runs/churn/latest 417.12 --format json")]
pub(crate) struct Why {
    /// The folder of a run
    pub(crate) run: PathBuf,

    /// The event: PEER.COUNT
    pub(crate) event: record::EventId,

    #[command(flatten)]
    pub(crate) machine: Machine,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}
