//! The gates of truth: what the simulator says about Kademlia agrees with what is published or follows by calculation.
//!
//! | module | gates | what it shows |
//! |---|---|---|
//! | [`rounds`] | G1-G4 | rounds until a sought peer is known, against the law of a perfect network |
//! | [`walk`] | G5 | the walk to the k closest: exact, and how deep it goes |
//! | [`buckets`] | G8 | how full buckets are, ideal ones against binomials, churned ones against measured ones |
//! | [`sessions`] | G9 | the lives that churn makes, and whom one meets at a random moment |
//! | [`survival`] | G10 | how long a record outlives its holders, by their lives alone and in a network |
//! | [`law`] | | the Markov chain behind G1-G4 |
//! | [`numbers`] | | statistics |
//!
//! `GATES.md` is the table of all values. Everything here follows from seeds: a gate that holds, holds again. At CI's size
//! each gate has an analytic value of its own; `WAVETANK_FULL=1` runs the published sizes too.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod buckets;
mod law;
mod numbers;
mod rounds;
mod sessions;
mod survival;
mod walk;

use std::path::{Path, PathBuf};

use record::{OperationRow, Outcome};
use run::{Driver, Out, Scenario};

/// Whether the published sizes are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("WAVETANK_FULL").is_some_and(|value| value != "0")
}

/// A file of this folder.
pub(crate) fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("gates").join(file)
}

/// Runs a scenario in which nothing may go wrong, and returns its lookups, all of which succeeded.
pub(crate) fn lookups(scenario: Scenario) -> Vec<OperationRow> {
    let out = tempfile::tempdir().unwrap();
    let finished = scenario.driver(Driver::Inline).out(Out::Folder(out.path().join("run"))).run().unwrap();
    assert!(finished.passed(), "{finished}");
    let folder = record::Run::open(finished.folder.as_deref().unwrap()).unwrap();
    let rows = folder.table::<OperationRow>(1_000_000).unwrap();
    assert!(rows.iter().all(|row| row.outcome == Outcome::Ok && row.timeouts == Some(0)));
    rows
}

/// Prints a row of `GATES.md`: which gate, what, the goal, and what was measured.
#[expect(clippy::print_stdout, reason = "the table in GATES.md is made of what is printed")]
fn tell(gate: &str, what: &str, goal: &str, measured: f64) {
    println!("| {gate} | {what} | {goal} | {measured:.4} |");
}

/// Tells what was measured beside a value that it need not meet.
pub(crate) fn beside(gate: &str, what: &str, value: f64, measured: f64) {
    tell(gate, what, &format!("(beside {value:.4})"), measured);
}

/// Tells, and fails if what was measured is farther from what is expected than `slack`.
pub(crate) fn gate(gate: &str, what: &str, expected: f64, slack: f64, measured: f64) {
    tell(gate, what, &format!("{expected:.4} ± {slack:.4}"), measured);
    let off = measured - expected;
    assert!(off.abs() <= slack, "{gate}: {what} is {measured}, not {expected} within {slack}");
}

/// Tells, and fails if what was measured is less than `least`.
pub(crate) fn at_least(gate: &str, what: &str, least: f64, measured: f64) {
    tell(gate, what, &format!("≥ {least:.4}"), measured);
    assert!(measured >= least, "{gate}: {what} is {measured}, less than {least}");
}

/// Tells, and fails if what was measured is more than `most`.
pub(crate) fn at_most(gate: &str, what: &str, most: f64, measured: f64) {
    tell(gate, what, &format!("≤ {most:.4}"), measured);
    assert!(measured <= most, "{gate}: {what} is {measured}, more than {most}");
}
