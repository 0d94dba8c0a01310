//! `verdict.json`: what the run proved, and from how many samples.
//!
//! Byte-equal between equal runs: no time of the machine, no flag, no path. Lists keep the order in which
//! the scenario names their items.

use serde::{Deserialize, Serialize};
use types::Seed;

use crate::{EventId, RunStatus};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict in one word.
    pub status: VerdictStatus,
    /// What the program exits with.
    pub exit_code: u8,
    /// Everything that speaks against a pass, the gravest first, in words.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The root of all chance, as text.
    #[serde(with = "crate::text::seed")]
    pub seed: Seed,
    /// The fingerprint, in hex; a run on real processes has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What went wrong first in simulated time.
    pub first_failure: Option<FirstFailure>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The numeric goals.
    pub thresholds: Vec<Threshold>,
    /// What faults and workloads were asked to do, against what they did.
    pub tallies: Vec<Tally>,
}

/// The verdict in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictStatus {
    /// Everything held.
    Pass,
    /// Something did not.
    Fail,
    /// The run proves nothing.
    #[default]
    Unknown,
    /// It was told to stop before its end.
    Interrupted,
}

impl From<VerdictStatus> for RunStatus {
    fn from(status: VerdictStatus) -> Self {
        match status {
            VerdictStatus::Pass => Self::Pass,
            VerdictStatus::Fail => Self::Fail,
            VerdictStatus::Unknown => Self::Unknown,
            VerdictStatus::Interrupted => Self::Interrupted,
        }
    }
}

/// What went wrong first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstFailure {
    /// Which check or goal, or `panic`.
    pub what: String,
    /// What was seen, for people.
    pub detail: String,
    /// When, in simulated time.
    pub at_ms: Option<u64>,
    /// At which peer.
    pub peer: Option<String>,
    /// With which event.
    pub event: Option<EventId>,
}

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name in the scenario.
    pub name: String,
    /// When it must hold.
    pub kind: CheckKind,
    /// What came of it.
    pub status: CheckStatus,
    /// What was seen, for people; empty if there is nothing to say.
    pub detail: String,
    /// When it failed or was first reached.
    pub at_ms: Option<u64>,
    /// At which peer.
    pub peer: Option<String>,
}

/// When a check must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// At every moment.
    Always,
    /// At one moment at least.
    Sometimes,
    /// From some moment on, within the time that the scenario gives.
    Eventually,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It held.
    Pass,
    /// It did not.
    Fail,
    /// A `sometimes` that never came true: a run reports it, a hunt fails on it.
    NeverReached,
    /// It could not be asked.
    Unknown,
}

/// One numeric goal and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The metric's name, from the table in `types`.
    pub metric: String,
    /// The goal as the scenario writes it: `p99 < 4s`.
    pub expression: String,
    /// What was measured, in the metric's unit in files; none without samples.
    pub value: Option<f64>,
    /// What came of it.
    pub status: ThresholdStatus,
    /// How many samples the value rests on.
    pub samples: u64,
    /// What a share is a share of, for people: `1482 lookups that ended after warm-up`.
    pub denominator: String,
}

/// What came of a numeric goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdStatus {
    /// Reached.
    Pass,
    /// Missed.
    Fail,
    /// Too few samples to tell.
    Unknown,
}

/// What one fault or workload was asked to do, against what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Fault or workload.
    pub kind: TallyKind,
    /// Its place in the scenario's list, counted from 0.
    pub index: u32,
    /// Its name there: `churn`, `lookups`.
    pub name: String,
    /// How much it was asked for, where the plan says so.
    pub asked: Option<u64>,
    /// How much it did.
    pub got: u64,
    /// What is counted: `departures`, `lookups`.
    pub unit: String,
    /// What that means.
    pub status: TallyStatus,
}

/// Whose tally it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TallyKind {
    /// An injected misfortune.
    Fault,
    /// Legitimate operations.
    Workload,
}

/// What a tally means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TallyStatus {
    /// It did what was asked.
    Met,
    /// It did something, but not what was asked.
    Off,
    /// It did nothing: the run proves nothing about it.
    Inert,
}
