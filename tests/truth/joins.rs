//! A network that grew by joins alone.

use crate::{in_house, run, successes};

/// The least mean share of the true k closest that lookups find there.
const LEAST_RECALL: f64 = 0.98;

#[test]
fn lookups_of_a_grown_network_find_nearly_all_of_the_k_closest() {
    let scenario = run::scenario(in_house("scenarios/kademlia/join.yaml"));
    // So that the last one ends before the run does.
    let (_out, finished, folder) = run(scenario.set("workloads.0.lookups.end", "14m"));
    assert!(finished.passed(), "{finished}");
    let rows = successes(&folder);
    let recalls: Vec<f64> = rows.iter().map(|row| row.recall.unwrap()).collect();
    assert!(recalls.len() > 1_000, "{} lookups", recalls.len());
    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
    assert!(mean >= LEAST_RECALL, "the mean recall is {mean}");
}
