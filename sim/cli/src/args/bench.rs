//! What may be typed after `wavetank bench`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{OUTPUT, Output, Shown};

/// Measures how fast and how small this program is here.
///
/// Peers and messages are held against bare loops that do the same work, in turns of
/// one session: what counts is the ratios. Memory is measured in a process for each
/// figure. Figures mean something in a release build on a machine that does nothing
/// else.
///
/// It ends with 0 if all that is asked for holds, else with 10. Interrupted, it stops
/// at once and tells nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank bench --quick
  wavetank bench --full --out results.json
  wavetank bench --peers 1000,50000 --rounds 3 --no-memory --format json")]
pub(crate) struct Bench {
    /// A minute, for a first impression: 1,000 and 10,000 peers (default: also
    /// 100,000, in more rounds)
    #[arg(
        long, conflicts_with = "full", env = "WAVETANK_QUICK", value_parser = FalseyValueParser::new(),
        hide_env_values = true, help_heading = BENCH,
    )]
    pub(crate) quick: bool,

    /// All of it: up to 1,000,000 peers, which needs gigabytes and patience
    #[arg(long, env = "WAVETANK_FULL", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = BENCH)]
    pub(crate) full: bool,

    /// Other numbers of peers, each measured by itself; several are parted by
    /// `,`
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(MIN_PEERS..=MAX_PEERS),
        value_delimiter = ',', env = "WAVETANK_PEERS", hide_env_values = true, help_heading = BENCH,
    )]
    pub(crate) peers: Vec<u32>,

    /// Another number of rounds, of which the median is told
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_ROUNDS), env = "WAVETANK_ROUNDS",
        hide_env_values = true, help_heading = BENCH,
    )]
    pub(crate) rounds: Option<u32>,

    /// Another number of lookups in a round
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_LOOKUPS), env = "WAVETANK_LOOKUPS",
        hide_env_values = true, help_heading = BENCH,
    )]
    pub(crate) lookups: Option<u32>,

    /// Measure no memory
    #[arg(long, env = "WAVETANK_NO_MEMORY", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = BENCH)]
    pub(crate) no_memory: bool,

    /// Write the results to this file too; one that is there is replaced
    #[arg(long, value_name = "FILE", env = "WAVETANK_OUT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

const BENCH: &str = "Bench";

/// With fewer, a lookup has nobody left to ask and a peer's memory drowns in the program's own.
const MIN_PEERS: i64 = 20;
/// What the largest goal speaks of, and about what fits into a common machine.
const MAX_PEERS: i64 = 1_000_000;
/// More tell no more of the median.
const MAX_ROUNDS: i64 = 100;
/// All are asked within the same simulated span: more would be measured as memory of lookups under way.
const MAX_LOOKUPS: i64 = 10_000_000;

impl Bench {
    /// What is to be measured, memory aside.
    pub(crate) fn options(&self) -> bench::Options {
        let mut options = match self {
            Self { quick: true, .. } => bench::Options::quick(),
            Self { full: true, .. } => bench::Options::full(),
            _ => bench::Options::standard(),
        };
        if !self.peers.is_empty() {
            options.sizes.clone_from(&self.peers);
            options.sizes.sort_unstable();
            options.sizes.dedup();
        }
        options.repetitions = self.rounds.unwrap_or(options.repetitions);
        options.lookups = self.lookups.unwrap_or(options.lookups);
        options
    }
}

/// Takes one measurement for `wavetank bench`, which calls it in a process of its own.
#[derive(Debug, Args)]
pub(crate) struct BenchChild {
    /// A contestant, a number of peers, a number of lookups
    #[arg(required = true, num_args = 3, value_names = ["CONTESTANT", "PEERS", "LOOKUPS"])]
    pub(crate) task: Vec<String>,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn options(more: &[&str]) -> bench::Options {
        let cli = Cli::try_parse_from([&["wavetank", "bench"], more].concat()).unwrap();
        let Command::Bench(args) = cli.command else { panic!("{cli:?}") };
        args.options()
    }

    #[test]
    fn what_is_said_comes_before_what_is_chosen() {
        assert_eq!(options(&[]), bench::Options::standard());
        assert_eq!(options(&["--quick"]), bench::Options::quick());
        assert_eq!(options(&["--full"]), bench::Options::full());
        let said = options(&["--quick", "--peers", "500,30,500", "--rounds", "2"]);
        assert_eq!(
            said,
            bench::Options { sizes: vec![30, 500], repetitions: 2, ..bench::Options::quick() },
            "each size once, the smallest first"
        );
        assert_eq!(options(&["--lookups", "7"]).lookups, 7);
    }
}
