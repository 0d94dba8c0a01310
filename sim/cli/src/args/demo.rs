//! What may be typed after `wavetank demo`.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{Kept, Machine, Output, SCENARIO, Shown};

/// Runs a scenario that needs no file: a thousand peers in bad weather.
///
/// A fifth of them vanishes at once, and later the network is bad for half a minute.
/// It takes some seconds and says what to try next.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank demo
  wavetank demo --seed 7 --driver inline
  wavetank demo --yaml > demo.yaml")]
pub(crate) struct Demo {
    /// Print the scenario and run nothing
    #[arg(long, env = "WAVETANK_YAML", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = SCENARIO)]
    pub(crate) yaml: bool,

    /// Another seed than the scenario's own
    #[arg(long, value_name = "N", env = "WAVETANK_SEED", hide_env_values = true, help_heading = SCENARIO)]
    pub(crate) seed: Option<u64>,

    #[command(flatten)]
    pub(crate) machine: Machine,

    #[command(flatten)]
    pub(crate) kept: Kept,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}
