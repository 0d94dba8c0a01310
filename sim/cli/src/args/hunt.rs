//! What may be typed after `wavetank hunt`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use types::{Duration, Share};

use super::{Changes, Driver, MACHINE, MAX_THREADS, Output, SCENARIO, Shown};

/// Runs a scenario with many seeds, in search of those that fail.
///
/// Seeds are run side by side, each on one thread, in ascending order, and leave no
/// folders. Each that fails is shown with the command that runs it again. A share of
/// them is run again at once, in a fresh process, and must come out the same. A
/// `sometimes` check must be reached in one seed at least.
///
/// It ends with the gravest of what was found: 1, 14, 13, 11, 12, 10, 17. Interrupted
/// once, it ends what runs and says what was found; interrupted twice, it stops at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank hunt scenarios/kademlia/churn.yaml --seeds 1..1001
  wavetank hunt churn.yaml --seeds 1..=99 --keep-going --set duration=10m
  wavetank hunt churn.yaml --for 10m --max-failures 5 --recheck 20%")]
pub(crate) struct Hunt {
    /// The scenario, a YAML file
    pub(crate) scenario: PathBuf,

    /// The seeds: `A..B` without B, `A..=B` with it, or `A..` (default, with
    /// `--for`: `1..`)
    #[arg(
        long, value_name = "A..B", value_parser = seeds, required_unless_present = "for", env = "WAVETANK_SEEDS",
        hide_env_values = true, help_heading = SCENARIO,
    )]
    pub(crate) seeds: Option<RangeInclusive<u64>>,

    #[command(flatten)]
    pub(crate) changes: Changes,

    /// Begin no seed when so much real time has passed: `10m`, `8h`
    #[arg(
        id = "for", long = "for", value_name = "TIME", value_parser = budget, env = "WAVETANK_FOR",
        hide_env_values = true, help_heading = HUNT,
    )]
    pub(crate) budget: Option<Duration>,

    /// Begin no seed when one has failed; this is the default, for one seed
    /// that fails answers whether there is one
    #[arg(
        long, env = "WAVETANK_FAIL_FAST", value_parser = FalseyValueParser::new(), hide_env_values = true,
        conflicts_with_all = ["keep_going", "max_failures"], help_heading = HUNT,
    )]
    pub(crate) fail_fast: bool,

    /// Run all seeds, however many fail: how many of them do is another
    /// question
    #[arg(
        long, env = "WAVETANK_KEEP_GOING", value_parser = FalseyValueParser::new(), hide_env_values = true,
        conflicts_with = "max_failures", help_heading = HUNT,
    )]
    pub(crate) keep_going: bool,

    /// Begin no seed when so many have failed
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), env = "WAVETANK_MAX_FAILURES",
        hide_env_values = true, help_heading = HUNT,
    )]
    pub(crate) max_failures: Option<u64>,

    /// The share of seeds that is run again in a fresh process: of all these
    /// one at least, and each that fails; `0%` for none
    #[arg(
        long, value_name = "SHARE", value_parser = share, default_value = "5%", env = "WAVETANK_RECHECK",
        hide_env_values = true, help_heading = HUNT,
    )]
    pub(crate) recheck: Share,

    /// Seeds that run side by side (default: one for each core)
    #[arg(
        short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS),
        env = "WAVETANK_JOBS", hide_env_values = true, help_heading = MACHINE,
    )]
    pub(crate) jobs: Option<u16>,

    /// How peers are driven
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_DRIVER", hide_env_values = true, help_heading = MACHINE)]
    pub(crate) driver: Driver,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

const HUNT: &str = "Hunt";

impl Hunt {
    /// The seeds; from 1 on if only the time is limited.
    pub(crate) fn seeds(&self) -> RangeInclusive<u64> {
        self.seeds.clone().unwrap_or(1..=u64::MAX)
    }

    /// How many may fail before no other seed is begun.
    pub(crate) const fn max_failures(&self) -> Option<u64> {
        match self.max_failures {
            None if self.keep_going => None,
            None => Some(1),
            most => most,
        }
    }
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let form = || "it is not `A..B`, `A..=B` or `A..`, such as `1..1001`".to_owned();
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| form());
    let (first, last) = text.split_once("..").ok_or_else(form)?;
    let first = number(first)?;
    let last = match last.strip_prefix('=') {
        Some(last) => Some(number(last)?),
        None if last.trim().is_empty() => Some(u64::MAX),
        None => number(last)?.checked_sub(1),
    };
    match last {
        Some(last) if first <= last => Ok(first..=last),
        _ => Err("there is no seed in it; `A..B` is without B".to_owned()),
    }
}

fn budget(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(Duration::ZERO) => Err("in no time nothing is found".to_owned()),
        Ok(budget) => Ok(budget),
        Err(error) => Err(error.to_string()),
    }
}

fn share(text: &str) -> Result<Share, String> {
    text.parse().map_err(|error: types::quantity::ParseError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_or_without_its_end() {
        for (text, expected) in [
            ("1..11", 1..=10),
            ("0..1", 0..=0),
            ("1..=10", 1..=10),
            ("7..", 7..=u64::MAX),
            ("18446744073709551615..=18446744073709551615", u64::MAX..=u64::MAX),
        ] {
            assert_eq!(seeds(text), Ok(expected), "{text}");
        }
        for text in ["", "1", "..", "..5", "1..x", "1...5", "-1..5", "5..5", "0..0", "5..=4", "9..2"] {
            assert!(seeds(text).is_err(), "{text}");
        }
    }
}
