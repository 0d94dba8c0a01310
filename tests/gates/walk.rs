//! The walk to the k closest (G5): exact without failures, and how deep it goes.

use crate::numbers::{mean, shares, variation};
use crate::{at_least, full, gate, here, lookups};

/// Shares of the deepest contact of a walk (0, 1, 2, … rounds), simulated on real graphs with k = 20 and alpha = 3.
const DEPTHS: [(u32, &[f64], f64); 4] = [
    (100, &[0.0, 0.307, 0.693], 19.8),
    (1_000, &[0.0, 0.030, 0.847, 0.123], 21.5),
    (10_000, &[0.0, 0.003, 0.272, 0.722, 0.003], 22.9),
    (15_371, &[0.0, 0.001, 0.190, 0.799, 0.009], 23.2),
];

#[test]
fn g5_the_k_closest_are_all_found_within_three_rounds() {
    for (peers, depths, messages) in DEPTHS {
        if peers > 1_000 && !full() {
            continue;
        }
        let count = peers.to_string();
        for (target, asked) in [("present_peer", 2_000), ("random_key", 2_000)] {
            let rows = lookups(
                run::scenario(here("rounds.yaml"))
                    .set("peers.everybody.count", &count)
                    .set("workloads.0.lookups.target", target)
                    .set("workloads.0.lookups.arrivals.open.rate", &format!("{}/s", asked / 40)),
            );
            let what = |figure: &str| format!("{figure}, n = {peers}, {target}");
            let exact = mean(rows.iter().map(|row| f64::from(u8::from(row.recall == Some(1.0)))));
            at_least("G5", &what("share of walks that find exactly the k closest"), 1.0, exact);
            let shallow = mean(rows.iter().map(|row| f64::from(u8::from(row.hops.unwrap() <= 3))));
            at_least("G5", &what("share of walks within three rounds"), 0.98, shallow);
            if target == "random_key" {
                let found = shares(rows.iter().map(|row| row.hops.unwrap()));
                gate("G5", &what("depths: distance from the table"), 0.0, 0.08, variation(&found, depths));
                let sent = mean(rows.iter().map(|row| f64::from(row.messages.unwrap())));
                gate("G5", &what("requests a walk"), messages, messages * 0.02, sent);
            }
        }
    }
}
