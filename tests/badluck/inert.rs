//! A run that proves nothing says so, and what it is that proves nothing.

use record::{TallyStatus, ThresholdStatus, VerdictStatus};
use run::Finished;

use crate::hello;

/// Runs `hello` with these changes; it proves nothing, for a reason that says all of `words`.
fn proves_nothing(changes: &[(&str, &str)], words: &[&str]) -> Finished {
    let finished = changes.iter().fold(hello(), |run, (path, value)| run.set(path, value)).run().unwrap();
    let verdict = &finished.verdict;
    assert_eq!((verdict.status, verdict.exit_code), (VerdictStatus::Unknown, 17), "{finished}");
    let said = |reason: &String| words.iter().all(|word| reason.contains(word));
    assert!(verdict.reasons.iter().any(said), "{words:?} in {:?}", verdict.reasons);
    finished
}

#[test]
fn churn_by_which_nobody_leaves() {
    let churn = "[{churn: {name: calm, session: {exponential: {mean: 365d}}, \
                  downtime: {exponential: {mean: 1s}}, end: 40s}}]";
    let finished = proves_nothing(&[("faults", churn)], &["fault `calm` touched nobody", "departures"]);
    let tally = finished.verdict.tallies.iter().find(|tally| tally.name == "calm").unwrap();
    assert_eq!((tally.got, tally.status), (0, TallyStatus::Inert));
}

#[test]
fn a_crash_of_peers_that_are_not_there_yet() {
    let late = [
        ("peers.late", "{count: 1, join: {at: 100s}}"),
        ("faults", "[{crash: {name: early, victims: {group: late}, at: 50s}}]"),
    ];
    proves_nothing(&late, &["fault `early` touched nobody", "of 1 peers"]);
}

#[test]
fn a_partition_while_nobody_speaks() {
    // A millisecond before anybody has joined but the first peer.
    let partition = "[{partition: {name: unseen, split: 50%, begin: 1ms, end: 2ms}}]";
    proves_nothing(&[("faults", partition)], &["fault `unseen` touched nobody", "messages"]);
}

#[test]
fn a_workload_that_asks_nothing() {
    let idle = "[{lookups: {name: busy, arrivals: {open: {rate: 5/s}}, target: present_peer}}, \
                 {lookups: {name: idle, from: {group: late}, arrivals: {open: {rate: 5/s}}, \
                 target: present_peer, end: 90s}}]";
    let late = [("peers.late", "{count: 1, join: {at: 100s}}"), ("workloads", idle)];
    proves_nothing(&late, &["workload `idle` asked nothing", "operations"]);
}

#[test]
fn a_threshold_that_rests_on_too_few_samples() {
    let few = [("workloads.0.lookups.begin", "40s"), ("workloads.0.lookups.end", "43s")];
    let finished = proves_nothing(&few, &["lookup.latency p99 < 2s rests on ", " samples, fewer than 30"]);
    for threshold in &finished.verdict.thresholds {
        assert!((1..30).contains(&threshold.samples), "{threshold:?}");
        assert_eq!(threshold.status, ThresholdStatus::Unknown, "{threshold:?}");
    }
}
