//! Rounds until a sought peer is known (G1-G4).
//!
//! All peers are as far from each other, so that answers come in rounds, as the law has it. Rounds are counted by ancestry:
//! a peer that an answer of round r names is asked in round r + 1.

use crate::numbers::{mean, mean_of, shares, variation};
use crate::{full, gate, here, law, lookups};

/// How far the mean may be off, as a share of it.
const MEAN_SLACK: f64 = 0.02;
/// How far the distribution may be off, in total variation.
const VARIATION_SLACK: f64 = 0.03;

/// The distribution of the rounds of lookups in networks of several seeds.
fn simulated(peers: u32, k: u32, alpha: u32, lookups_asked: u32) -> Vec<f64> {
    const NETWORKS: u32 = 4;
    let rate = lookups_asked / NETWORKS / 40;
    let of_seed = |seed: u32| {
        let scenario = run::scenario(here("rounds.yaml"))
            .seed(seed.into())
            .set("peers.everybody.count", &peers.to_string())
            .set("peers.everybody.node.kad.k", &k.to_string())
            .set("peers.everybody.node.kad.alpha", &alpha.to_string())
            .set("workloads.0.lookups.arrivals.open.rate", &format!("{rate}/s"));
        lookups(scenario).into_iter().map(|row| row.known_in_round.unwrap())
    };
    shares((1..=NETWORKS).flat_map(of_seed))
}

/// Compares a network with the law, and its mean with a published value.
fn compare(name: &str, (peers, k, alpha): (u32, u32, u32), asked: u32, published: Option<(f64, f64)>) -> f64 {
    let law = law::rounds(peers, k, alpha as usize);
    let shares = simulated(peers, k, alpha, asked);
    let what = |figure: &str| format!("{figure}, n = {peers}, k = {k}, alpha = {alpha}");
    let (mean, expected) = (mean_of(&shares), mean_of(&law));
    gate(name, &what("mean against the law"), expected, expected * MEAN_SLACK, mean);
    gate(name, &what("distance from the law"), 0.0, VARIATION_SLACK, variation(&shares, &law));
    if let Some((published, slack)) = published {
        gate(name, &what("mean against the table"), published, slack, mean);
    }
    mean
}

#[test]
fn g1_one_request_at_a_time() {
    compare("G1", (1_000, 20, 1), 8_000, Some((0.936, 0.03)));
    if full() {
        compare("G1", (10_000, 20, 1), 20_000, Some((1.53, 0.03)));
    }
}

#[test]
fn g2_three_requests_at_a_time() {
    compare("G2", (1_000, 20, 3), 8_000, None);
    if full() {
        compare("G2", (10_000, 20, 3), 20_000, Some((1.42, 0.03)));
    }
}

#[test]
fn g3_small_buckets() {
    compare("G3", (2_000, 8, 3), 8_000, None);
    if full() {
        compare("G3", (100_000, 8, 3), 20_000, Some((2.54, 0.05)));
    }
}

#[test]
fn g4_ten_times_as_many_peers_cost_a_constant() {
    let simulated = |peers, asked| mean_of(&simulated(peers, 20, 1, asked));
    let law = mean_of(&law::rounds(5_000, 20, 1)) - mean_of(&law::rounds(500, 20, 1));
    let slope = simulated(5_000, 8_000) - simulated(500, 8_000);
    gate("G4", "rounds a decade against the law, n = 500 to 5000, k = 20", law, 0.03, slope);
    if full() {
        // As n grows, the slope becomes log2(10) divided by the bits that a round gains: 0.584 for k = 20.
        let slope = (simulated(100_000, 20_000) - simulated(1_000, 20_000)) / 2.0;
        gate("G4", "rounds a decade, n = 1000 to 100000, k = 20", 0.584, 0.03, slope);
    }
}

#[test]
fn a_round_is_no_matter_of_distance() {
    // With latencies that differ, answers come one by one; the mean must still be near the law's.
    let scenario = run::scenario(here("rounds.yaml")).set("network.uniform.latency.spread", "50%");
    let expected = mean_of(&law::rounds(1_000, 20, 3));
    let rounds = lookups(scenario).into_iter().map(|row| f64::from(row.known_in_round.unwrap()));
    gate(
        "G2",
        "mean with latencies that differ by half, n = 1000, k = 20, alpha = 3",
        expected,
        0.1,
        mean(rounds),
    );
}
