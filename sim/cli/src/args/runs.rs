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
///
/// A run in simulation and one on real processes are compared as `conformance`: the few
/// figures of lookups that say whether the simulation tells the truth, before the first
/// fault and from there on, each with a tolerance of its own. It ends with 17 if there are
/// fewer than 30 lookups of a side.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank runs compare runs/churn/latest /tmp/tuned
  wavetank runs compare before after --tolerance 2% --out differences.html
  wavetank runs compare before after --tolerance lookup.latency=20%
  wavetank runs compare sim real --phase quiet=30s..90s --tolerance rounds=5%")]
pub(crate) struct Compare {
    /// The folder of a run, or of runs
    pub(crate) first: PathBuf,

    /// The folder of another, or of others
    pub(crate) second: PathBuf,

    /// What is compared [default: conformance between simulation and real processes,
    /// else figures]
    #[arg(long = "as", value_enum, value_name = "WHAT", env = "WAVETANK_AS", hide_env_values = true)]
    pub(crate) what: Option<Compared>,

    /// How much may differ, of one metric (`lookup.latency=5%`) or of all others
    /// (`5%`); may be repeated, or hold several, parted by `;` [default: 5%, or what each
    /// figure of conformance has]
    #[arg(
        long, value_name = "[METRIC=]SHARE", value_parser = tolerance, value_delimiter = ';',
        env = "WAVETANK_TOLERANCE", hide_env_values = true,
    )]
    pub(crate) tolerance: Vec<(Option<String>, types::Share)>,

    /// A stretch of the runs that is compared by itself, as `conformance`; may be repeated,
    /// or hold several, parted by `;` [default: before the first fault, and from there on]
    #[arg(
        long, value_name = "NAME=FROM..UNTIL", value_parser = phase, value_delimiter = ';',
        env = "WAVETANK_PHASE", hide_env_values = true,
    )]
    pub(crate) phase: Vec<report::conformance::Span>,

    /// Keep what came of it in this file: the calibration that reports show
    #[arg(
        long, value_name = "FILE", env = "WAVETANK_WRITE_CALIBRATION", hide_env_values = true,
        help_heading = super::OUTPUT,
    )]
    pub(crate) write_calibration: Option<PathBuf>,

    /// Write a page with the table and both sides over time into this file
    #[arg(
        long, value_name = "FILE", env = "WAVETANK_OUT", hide_env_values = true, help_heading = super::OUTPUT,
    )]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// What of two runs is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Compared {
    /// Every metric of the summaries, in pairs of one seed
    Figures,
    /// How lookups fared, stretch by stretch: does the simulation tell the truth?
    Conformance,
}

fn phase(text: &str) -> Result<report::conformance::Span, String> {
    let form = || "a phase is written NAME=FROM..UNTIL, such as `quiet=30s..90s`".to_owned();
    let (name, span) = text.split_once('=').ok_or_else(form)?;
    let (from, until) = span.split_once("..").ok_or_else(form)?;
    let instant = |text: &str| {
        let parsed = text.trim().parse::<types::Duration>().map_err(|error| error.to_string());
        parsed.map(types::Duration::as_millis)
    };
    let (name, from_ms, until_ms) = (name.trim().to_owned(), instant(from)?, instant(until)?);
    if name.is_empty() || from_ms >= until_ms {
        return Err(form());
    }
    Ok(report::conformance::Span { name, from_ms, until_ms })
}

fn tolerance(text: &str) -> Result<(Option<String>, types::Share), String> {
    let (metric, share) = match text.rsplit_once('=') {
        Some((metric, share)) => (Some(metric.trim().to_owned()), share),
        None => (None, text),
    };
    let share = share.trim().parse().map_err(|error: types::quantity::ParseError| error.to_string())?;
    Ok((metric, share))
}
