//! Histories, checkers, thresholds and the verdict.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | what a scenario asks for: checks, thresholds, what to observe; plain values |
//! | [`problems`](mod@problems) | what is wrong with that |
//! | [`judge`] | [`Plan`]: what is to be judged of a play; [`Plan::conclude`] judges it |
//! | [`observer`] | [`Observer`]: what one shard sees; [`Findings`], which add up |
//! | [`oracle`] | [`Oracle`]: the true closest peers that are up |
//! | [`history`] | [`Operation`]: what clients asked, how it ended, how that compares with the truth |
//! | [`sample`] | gauges and traffic at sampling instants |
//! | [`tables`] | who has whom in its routing table |
//! | [`metrics`] | the numbers of each metric, over time and over the measured part |
//! | [`check`] | what a checker is: probe, facts, conclusion |
//! | [`checkers`] | those that ship |
//! | [`verdict`] | the verdict and its exit code |
//!
//! How it flows: a stage gives each shard an observer and tells it what happens to the shard's peers; observers become
//! findings; findings of all shards add up and are judged.
//!
//! It is deliberately no stage and no file format: it sees peers through [`node::View`] and hands out plain rows.
//!
//! Invariants: the judgement of a run does not depend on how its peers were spread over shards, to the last byte;
//! nothing is judged by floats; what could not be asked is never a pass.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod check;
pub mod checkers;
pub mod history;
pub mod judge;
pub mod metrics;
pub mod observer;
pub mod oracle;
pub mod plan;
pub mod problems;
pub mod sample;
pub mod tables;
pub mod verdict;

pub use check::{
    CheckResult, Checker, Concern, Evidence, Fact, Facts, Flaw, Moment, Probe, Sight, Status, Timeline,
    Watch, When,
};
pub use checkers::{NAMES, checker};
pub use history::{End, Kind, Operation};
pub use judge::{Judgement, Plan};
pub use metrics::{SeriesRow, SummaryRow};
pub use observer::{Findings, Observer};
pub use oracle::Oracle;
pub use problems::{problems, without_source};
pub use sample::Traffic;
pub use tables::Tables;
pub use verdict::{
    Circumstances, Completeness, FirstFailure, MIN_SAMPLES, Panic, Reason, ThresholdResult, Verdict,
    VerdictStatus,
};
