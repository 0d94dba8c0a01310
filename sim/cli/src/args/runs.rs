//! What may be typed after `wavetank runs`.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// Lists the runs below a folder: when, with which seed, and what came of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank runs ls
  wavetank runs ls /tmp/nightly --format json")]
pub(crate) struct Ls {
    /// The folder
    #[arg(default_value = crate::command::RUNS)]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Shows what a run ended with, from its folder.
///
/// It ends with 0 whatever the run's verdict was: that is in what it shows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank runs show runs/hello/latest
  wavetank runs show runs/hello/latest --format json")]
pub(crate) struct Show {
    /// The folder of a run
    pub(crate) run: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}
