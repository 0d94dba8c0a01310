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

/// Compares the figures of two runs, or of two sets of runs, and says how much they differ.
///
/// A folder of a run is one side; a folder of runs, as `wavetank run --repeat --out`
/// leaves it, is a side of several. Runs of one seed are pairs, and of several pairs the
/// mean difference has an interval; two single runs are a pair whatever their seeds.
///
/// It ends with 10 if a figure differs by more than is tolerated, which is said in parts
/// of the first side's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank runs compare runs/churn/latest /tmp/tuned
  wavetank runs compare before after --tolerance 2% --out differences.html
  wavetank runs compare before after --tolerance lookup.latency=20%")]
pub(crate) struct Compare {
    /// The folder of a run, or of runs
    pub(crate) first: PathBuf,

    /// The folder of another, or of others
    pub(crate) second: PathBuf,

    /// How much may differ, of one metric (`lookup.latency=5%`) or of all others
    /// (`5%`); may be repeated, or hold several, parted by `;`
    #[arg(
        long, value_name = "[METRIC=]SHARE", value_parser = tolerance, value_delimiter = ';',
        default_value = "5%", env = "WAVETANK_TOLERANCE", hide_env_values = true,
    )]
    pub(crate) tolerance: Vec<(Option<String>, types::Share)>,

    /// Write a page with the table and both sides over time into this file
    #[arg(
        long, value_name = "FILE", env = "WAVETANK_OUT", hide_env_values = true, help_heading = super::OUTPUT,
    )]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

fn tolerance(text: &str) -> Result<(Option<String>, types::Share), String> {
    let (metric, share) = match text.rsplit_once('=') {
        Some((metric, share)) => (Some(metric.trim().to_owned()), share),
        None => (None, text),
    };
    let share = share.trim().parse().map_err(|error: types::quantity::ParseError| error.to_string())?;
    Ok((metric, share))
}
