//! What may be typed after `wavetank scenario`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{OUTPUT, Output};
use crate::command::KINDS;

/// Lists the scenarios below a folder: what each asks for, and how large it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank scenario ls
  wavetank scenario ls tests --format json")]
pub(crate) struct Ls {
    /// The folder
    #[arg(default_value = "scenarios")]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Says what a key of a scenario does, or what the code of a mistake means.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank scenario explain churn
  wavetank scenario explain network.uniform.latency
  wavetank scenario explain unknown_key")]
pub(crate) struct Explain {
    /// A key, a path that ends with it, or a code
    pub(crate) word: String,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Prints the JSON schema of scenarios, for editors.
///
/// An editor that speaks the YAML language server completes and explains every key
/// of a file whose first line is `# yaml-language-server: $schema=FILE`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank scenario schema > scenario-v1.json")]
pub(crate) struct Schema {}

/// Writes a scenario of a kind, commented, to begin with.
///
/// It is valid as it is and passes; its comments say what to change next. A file that
/// is there already is left as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank scenario new churn
  wavetank scenario new lookups --out mine.yaml && wavetank run mine.yaml")]
pub(crate) struct New {
    /// The kind
    #[arg(value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name)))]
    pub(crate) kind: String,

    /// Write it into this file, which must not be there yet (default: print it)
    #[arg(long, value_name = "FILE", env = "WAVETANK_OUT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}
