//! What may be typed. The comments here are the help.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit_code;

mod bench;
mod demo;
pub(crate) mod doctor;
pub(crate) mod fce;
mod hunt;
pub(crate) mod node;
pub(crate) mod runs;
pub(crate) mod scenario;
pub(crate) mod understand;
pub(crate) use bench::{Bench, BenchChild};
pub(crate) use demo::Demo;
pub(crate) use hunt::Hunt;

const EXAMPLES: &str = "\
Examples:
  wavetank demo
  wavetank run scenarios/kademlia/hello.yaml
  wavetank run scenarios/kademlia/churn.yaml --seed 7 --set peers.edge.count=200
  wavetank replay runs/hello/latest
  wavetank hunt scenarios/kademlia/churn.yaml --seeds 1..1001

Every flag has a twin in the environment, named beside it.
`wavetank help COMMAND` says more; `--help` lists the exit codes.";

/// Simulates peer-to-peer compute networks, deterministically.
///
/// A scenario in YAML becomes a run of real node code in a simulated network, a
/// verdict, and a folder with everything that is needed to see and to repeat it.
#[derive(Debug, Parser)]
#[command(
    name = "wavetank",
    version,
    max_term_width = 80,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", exit_code::help()),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(Demo),
    Run(Run),
    Check(Check),
    Replay(Replay),
    Hunt(Hunt),
    #[command(subcommand, arg_required_else_help = true)]
    Explain(understand::Explain),
    Why(understand::Why),
    Report(Report),
    Bench(Bench),
    #[command(hide = true)]
    BenchChild(BenchChild),
    /// Helps to write scenarios.
    #[command(subcommand, arg_required_else_help = true)]
    Scenario(Scenario),
    /// Runs a node on a real network, and asks one that runs.
    #[command(subcommand, arg_required_else_help = true)]
    Node(node::Node),
    /// Looks at Wasm modules, and calls services of them.
    #[command(subcommand, arg_required_else_help = true)]
    Fce(fce::Fce),
    Doctor(doctor::Doctor),
    Completions(Completions),
    Man(Man),
    /// Looks at several runs.
    #[command(subcommand, arg_required_else_help = true)]
    Runs(Runs),
}

/// Prints what lets a shell complete commands, flags and their values.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank completions bash > wavetank.bash
  wavetank completions zsh > ~/.zfunc/_wavetank
  wavetank completions fish > ~/.config/fish/completions/wavetank.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Prints the page of a command for `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank man | man -l -
  wavetank man runs diff > wavetank-runs-diff.1")]
pub(crate) struct Man {
    /// The command, as it is typed (default: the program itself)
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    New(scenario::New),
    Ls(scenario::Ls),
    Explain(scenario::Explain),
    Schema(scenario::Schema),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    Ls(runs::Ls),
    Show(runs::Show),
    Diff(Diff),
    Compare(runs::Compare),
}

/// Runs a scenario and leaves a folder.
///
/// The verdict goes to stdout, progress to stderr. Interrupted once, the run ends
/// where it is and writes what there is; interrupted twice, it stops at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank run scenarios/kademlia/hello.yaml
  wavetank run churn.yaml --seed 7 --threads 2 --out /tmp/churn-7
  wavetank run churn.yaml --set peers.edge.count=200 --set duration=10m
  wavetank run churn.yaml --repeat 10 --out /tmp/ten
  wavetank run hello.yaml --backend local
  wavetank run churn.yaml --format json --progress none")]
pub(crate) struct Run {
    /// The scenario, a YAML file
    pub(crate) scenario: PathBuf,

    /// Another seed than the scenario's own
    #[arg(long, value_name = "N", env = "WAVETANK_SEED", hide_env_values = true, help_heading = SCENARIO)]
    pub(crate) seed: Option<u64>,

    /// Run so many seeds, one after another from this one on, and say how much
    /// the figures vary with the seed; each has a folder, with `--out` below it
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_REPEAT),
        env = "WAVETANK_REPEAT", hide_env_values = true, help_heading = SCENARIO,
    )]
    pub(crate) repeat: Option<u16>,

    #[command(flatten)]
    pub(crate) changes: Changes,

    /// Who performs it
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_BACKEND", hide_env_values = true, help_heading = SCENARIO)]
    pub(crate) backend: Backend,

    #[command(flatten)]
    pub(crate) machine: Machine,

    #[command(flatten)]
    pub(crate) kept: Kept,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Who performs a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The simulator: exact, repeatable, as fast as it goes
    #[default]
    Sim,
    /// Node processes on this machine, one for each peer, in real time
    Local,
}

/// Checks scenarios and runs nothing.
///
/// All mistakes of a file are shown at once, each with its line and column.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank check scenarios/kademlia/*.yaml
  wavetank check churn.yaml --plan --set peers.edge.count=200")]
pub(crate) struct Check {
    /// The scenarios, YAML files
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,

    /// Print what would be run, with everything said that was left open
    #[arg(long, env = "WAVETANK_PLAN", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(crate) plan: bool,

    #[command(flatten)]
    pub(crate) changes: Changes,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Runs what a folder holds again, and compares.
///
/// The folder's scenario, changes and seed are run once more; the fingerprints
/// must be equal. If they are not, it says from when on and at which peers.
///
/// With `--to` it stops at that moment, just before anything happens then, and shows
/// what a peer had been through and looked like: its table, records, links, lookups.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank replay runs/hello/latest
  wavetank replay runs/hello/latest --driver inline --threads 2
  wavetank replay runs/hello/latest --out /tmp/again
  wavetank replay runs/hello/latest --to 90s --peer everybody-3")]
pub(crate) struct Replay {
    /// The folder of a run
    pub(crate) run: PathBuf,

    /// Stop at this moment of simulated time, and look: `90s`, `1h30m`
    #[arg(
        long, value_name = "TIME", value_parser = moment, env = "WAVETANK_TO", hide_env_values = true,
        conflicts_with = "out", help_heading = LOOK,
    )]
    pub(crate) to: Option<types::Duration>,

    /// At this peer: its number, its name (`edge-3`), its id or the beginning of
    /// it, as in peers.csv
    #[arg(
        long, value_name = "PEER", requires = "to", env = "WAVETANK_PEER", hide_env_values = true,
        help_heading = LOOK,
    )]
    pub(crate) peer: Option<String>,

    /// Show so many of its events, the last ones
    #[arg(
        long, value_name = "N", default_value_t = 40, env = "WAVETANK_LAST", hide_env_values = true,
        help_heading = LOOK,
    )]
    pub(crate) last: usize,

    #[command(flatten)]
    pub(crate) machine: Machine,

    /// Keep the second run in this folder, which must not hold anything
    /// (default: a temporary one, kept if the runs diverge)
    #[arg(long, value_name = "DIR", env = "WAVETANK_OUT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Writes the plots and the page of a run again, and prints the page's path.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank report runs/hello/latest")]
pub(crate) struct Report {
    /// The folder of a run
    pub(crate) run: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Compares two runs: what was put in, and where they part.
///
/// Ends with 0 if the runs are equal, 13 if equal inputs gave different runs, 16 if
/// different inputs did, 17 if the folders do not allow an answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank runs diff runs/hello/latest /tmp/again")]
pub(crate) struct Diff {
    /// The folder of a run
    pub(crate) first: PathBuf,

    /// The folder of another
    pub(crate) second: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

const SCENARIO: &str = "Scenario";
const MACHINE: &str = "Machine (changes no result)";
const OUTPUT: &str = "Output";
const LOOK: &str = "Look";

fn moment(text: &str) -> Result<types::Duration, String> {
    text.parse().map_err(|error: types::quantity::ParseError| error.to_string())
}

/// What is left of a run.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// The run's folder, which must not hold anything (default: a new one
    /// below `runs`)
    #[arg(long, value_name = "DIR", env = "WAVETANK_OUT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) out: Option<PathBuf>,

    /// Write no plots and no page; `wavetank report` can do so later
    #[arg(long, env = "WAVETANK_NO_REPORT", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// Another value at a path of the scenario: `peers.edge.count=200`; may be
    /// repeated, or hold several, parted by `;`
    #[arg(
        long, value_name = "PATH=VALUE", value_parser = change, value_delimiter = ';', env = "WAVETANK_SET",
        hide_env_values = true, help_heading = SCENARIO,
    )]
    pub(crate) set: Vec<(String, String)>,
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("it is not PATH=VALUE, such as `peers.edge.count=200`".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Machine {
    /// Threads that drive the peers (default: as many as pay)
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS),
        env = "WAVETANK_THREADS", hide_env_values = true, help_heading = MACHINE,
    )]
    pub(crate) threads: Option<u16>,

    /// How peers are driven
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_DRIVER", hide_env_values = true, help_heading = MACHINE)]
    pub(crate) driver: Driver,
}

/// More seeds than this are a hunt's: their folders alone would fill a disk.
const MAX_REPEAT: i64 = 1_000;
/// More shards than this the simulated stage does not make.
const MAX_THREADS: i64 = 256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Driver {
    /// Each in a mailbox, as a deployed node lives
    #[default]
    Actor,
    /// Each called where it stands: faster, and smaller
    Inline,
}

impl Driver {
    /// As it is typed.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Inline => "inline",
        }
    }
}

impl From<Driver> for run::Driver {
    fn from(driver: Driver) -> Self {
        match driver {
            Driver::Actor => Self::Actor,
            Driver::Inline => Self::Inline,
        }
    }
}

/// How much is said while something runs, and after.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// How stderr shows where the run is
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_PROGRESS", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) progress: Progress,

    /// Say only what came of it
    #[arg(short, long, env = "WAVETANK_QUIET", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) quiet: bool,

    /// Say more: what is run, and what it cost
    #[arg(short, long, conflicts_with = "quiet", env = "WAVETANK_VERBOSE", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar in a terminal, else a line every few seconds
    #[default]
    Auto,
    /// A bar in a terminal, else nothing
    Bar,
    /// Nothing
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// What stdout carries
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_FORMAT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Human,
    /// One JSON document
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_contradict_nothing() {
        Cli::command().debug_assert();
    }

    /// The flags of a command and of those below it, with the names of their twins.
    fn twins(command: &clap::Command) -> Vec<(String, Option<String>)> {
        let own = command.get_arguments().filter(|arg| !arg.is_positional()).map(|arg| {
            let name = arg.get_long().map_or_else(|| arg.get_id().to_string(), |long| long.replace('-', "_"));
            (name, arg.get_env().map(|name| name.to_string_lossy().into_owned()))
        });
        own.chain(command.get_subcommands().flat_map(twins)).collect()
    }

    #[test]
    fn every_flag_has_a_twin_in_the_environment() {
        let twins = twins(&Cli::command());
        assert!(twins.len() > 20, "{twins:?}");
        for (flag, twin) in twins {
            assert_eq!(twin, Some(format!("WAVETANK_{}", flag.to_uppercase())), "{flag}");
        }
    }

    #[test]
    fn a_driver_is_typed_by_its_word() {
        for driver in Driver::value_variants() {
            assert_eq!(Driver::from_str(driver.word(), false), Ok(*driver));
        }
    }

    #[test]
    fn a_change_is_a_path_and_a_value() {
        assert_eq!(change("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        for text in ["", "a", "=1", " =1"] {
            assert!(change(text).is_err(), "{text}");
        }
    }
}
