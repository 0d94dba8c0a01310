//! What may be typed after `wavetank doctor`.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// Checks whether this machine is fit for runs, and says what to do if not.
///
/// It looks at the build, the machine, the terminal and the folder for runs, and runs a
/// tiny scenario twice, once with each driver: both must have the same fingerprint. It
/// ends with 0 if nothing failed, though warnings may have been given; with 13 if the
/// fingerprints differ; with 18 if the folder cannot be written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank doctor
  wavetank doctor --runs /data/runs --format json")]
pub(crate) struct Doctor {
    /// The folder for runs
    #[arg(
        long, value_name = "DIR", default_value = crate::command::RUNS, env = "WAVETANK_RUNS", hide_env_values = true,
    )]
    pub(crate) runs: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}
