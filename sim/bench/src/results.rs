//! What was measured, as it is written, read and compared.

use serde::{Deserialize, Serialize};

use crate::contestant::Contestant;
use crate::goal::Goal;
use crate::machine::Machine;
use crate::measure::{BenchError, median, rounded};

/// Goes up when the format changes.
pub const FORMAT: u32 = 1;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The format: [`FORMAT`].
    pub format: u32,
    /// On what.
    pub machine: Machine,
    /// Of what.
    pub build: Build,
    /// The load averages of a minute, before and after; none where the system does not tell.
    pub load: [Option<f64>; 2],
    /// Rounds.
    pub repetitions: u32,
    /// What is asked for, and whether it is so.
    pub goals: Vec<Goal>,
    /// Messages per CPU-second.
    pub rates: Vec<Rate>,
    /// Memory and start.
    pub footprints: Vec<Footprint>,
}

/// What program was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The version.
    pub version: String,
    /// `release`, or `debug`, whose figures mean nothing.
    pub profile: String,
}

impl Build {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), profile: profile.to_owned() }
    }
}

/// How fast a contestant was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Who.
    pub contestant: Contestant,
    /// Among how many peers.
    pub peers: u32,
    /// Messages of a round.
    pub messages: u64,
    /// Lookups of a round.
    pub lookups: u64,
    /// Messages per CPU-second.
    pub per_cpu_s: Spread,
}

/// A figure of several rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        Self {
            median: rounded(median(values)),
            low: rounded(values.iter().copied().fold(f64::INFINITY, f64::min)),
            high: rounded(values.iter().copied().fold(0.0, f64::max)),
        }
    }
}

/// What a contestant's peers cost, measured in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footprint {
    /// Who.
    pub contestant: Contestant,
    /// How many peers.
    pub peers: u32,
    /// Lookups that were done.
    pub lookups: u64,
    /// The most memory held.
    pub peak_rss_bytes: u64,
    /// The same less that of a 20-peer run, by peer.
    pub bytes_per_peer: f64,
    /// CPU seconds until tables were filled and peers stood.
    pub start_cpu_s: f64,
}

impl Results {
    /// Reads results.
    ///
    /// # Errors
    /// If they are not of this format.
    pub fn from_json(text: &str) -> Result<Self, BenchError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Writes them.
    ///
    /// # Errors
    /// If a figure is no number.
    pub fn to_json(&self) -> Result<String, BenchError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Whether all that is asked for is so.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.goals.iter().all(Goal::holds)
    }
}

/// The results that stand in the repository.
///
/// # Errors
/// If they are not of this format: a defect of the repository.
pub fn committed() -> Result<Results, BenchError> {
    Results::from_json(include_str!("../results.json"))
}
