//! `manifest.json`: all that is needed to run it again, and what the run cost.
//!
//! Every wall-clock figure, flag and path of a run stands here and in no other file, because the others
//! must be byte-equal between equal runs. It is written when the run starts, with the status `running`,
//! and replaced in one step when it ends: a killed run is told from a finished one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::Seed;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the folder's formats: [`FORMAT`](crate::FORMAT).
    pub format: u32,
    /// A name of this run that no other run has, where the caller has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// How far the run came.
    pub status: RunStatus,
    /// Which stage performed it: `sim`, `local`.
    pub backend: String,
    /// How the peers were driven: `actor`, `inline`.
    pub driver: String,
    /// The program.
    pub wavetank: Build,
    /// The scenario, by content.
    pub scenario: Scenario,
    /// The root of all chance; as text, because JSON readers lose integers above 2^53.
    #[serde(with = "crate::text::seed")]
    pub seed: Seed,
    /// The version of the random streams.
    pub streams: u32,
    /// What the command line changed in the scenario: `peers.edge.count=995`.
    pub set: Vec<String>,
    /// How real each part was: `crypto: modelled`, `links: dialled`.
    pub fidelity: BTreeMap<String, String>,
    /// How the network came to be.
    pub start: Start,
    /// What was computed, as a hash.
    pub fingerprint: Fingerprint,
    /// The run in simulated time.
    pub sim: Sim,
    /// The run in the machine's time.
    pub wall: Wall,
    /// How many threads drove the peers.
    pub threads: u32,
    /// The name of the verdict's file, once it is written.
    pub verdict: Option<String>,
    /// The machine.
    pub host: Host,
    /// How real processes and their stage did; none of a simulated run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Local>,
    /// What the report draws first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
}

impl Manifest {
    /// Whether the simulator performed it: then, and only then, it can be repeated exactly.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.backend == "sim"
    }
}

/// What a stage of real processes could not do as exactly as a simulated one does it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// Processes that were started, one for each life.
    pub processes: u64,
    /// What the peers of the beginning took to be there, before the run's time began.
    pub gathered_ms: f64,
    /// From when a life was to begin until its process answered, on average.
    pub start_ms_mean: f64,
    /// The same, at most.
    pub start_ms_max: f64,
    /// How late an operation was asked, at most.
    pub ask_lag_ms_max: f64,
    /// Things that were told so late that they are dated later than they happened.
    pub late: u64,
    /// By how much later, at most.
    pub late_ms_max: f64,
    /// Events that nodes forgot before they were asked for them.
    pub events_lost: u64,
    /// Operations of which no node said how they ended.
    pub unanswered: u64,
    /// Looks at a node that it did not answer in time.
    pub unseen: u64,
    /// Nodes that did not stop in time and were killed.
    pub overdue: u64,
}

/// One figure that the scenario asks its report for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// `line`, `cdf` or `histogram`.
    pub kind: String,
    /// The metric's name.
    pub metric: String,
    /// `all`, `group` or `region`: how operations are told apart.
    pub by: String,
}

/// How far a run came, and with what verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It has not ended; if nothing runs any more, it was killed.
    #[default]
    Running,
    /// It ended and passed.
    Pass,
    /// It ended and failed.
    Fail,
    /// It ended and proves nothing.
    Unknown,
    /// It was told to stop before its end.
    Interrupted,
}

impl RunStatus {
    /// The word that stands in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The program that ran it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its version.
    pub version: String,
    /// The commit it was built from, where that is known.
    pub git: Option<String>,
    /// The build profile: `release`, `debug`.
    pub profile: String,
    /// The target triple.
    pub target: String,
    /// The features it was built with.
    pub features: Vec<String>,
}

/// The scenario, by name and by content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The path that was given, if it came from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// SHA-256 of `scenario.yaml`, in hex.
    pub sha256: String,
    /// SHA-256 of `plan.yaml`, in hex.
    pub plan_sha256: String,
    /// SHA-256 of each file under `inputs/`, in hex, by its path there.
    pub inputs: BTreeMap<String, String>,
}

/// How the network came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Peers joined through the protocol.
    #[default]
    Join,
    /// Routing tables were filled from full knowledge before the first event.
    Oracle,
}

/// A hash over what each peer handled and emitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The version of its definition: values of different versions say nothing about each other.
    pub version: u32,
    /// The value at the end, in hex; none while the run goes on.
    pub value: Option<String>,
    /// Simulated time from rung to rung.
    pub every_ms: u64,
    /// The value at each rung; `ladder.jsonl.zst` holds the peers' parts.
    pub ladder: Vec<RungSummary>,
}

/// The fingerprint at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungSummary {
    /// Nanoseconds since the beginning.
    pub at_ns: u64,
    /// The value, in hex.
    pub value: String,
}

/// The run in simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sim {
    /// What lies before is left out of thresholds and distributions.
    pub warmup_ms: u64,
    /// How long the run was to be.
    pub planned_ms: u64,
    /// When it ended; none while it goes on.
    pub ended_ms: Option<u64>,
    /// Events that were handled.
    pub events: u64,
}

/// The run in the machine's time; nothing here follows from the seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wall {
    /// When it started, in UTC: `2026-11-22T06:45:00Z`.
    pub started: String,
    /// How long it took; none while it goes on.
    pub seconds: Option<f64>,
    /// Simulated time divided by real time.
    pub speedup: Option<f64>,
    /// Events per second of CPU time, all threads together.
    pub events_per_cpu_second: Option<f64>,
    /// The most memory that it held.
    pub peak_rss_bytes: Option<u64>,
}

/// The machine that ran it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Cores that the program could use.
    pub cores: u32,
    /// The operating system.
    pub os: String,
}
