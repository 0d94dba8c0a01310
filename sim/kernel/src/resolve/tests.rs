//! What a network can mean, and what it is told when it means nothing.

use super::*;
use proptest::prelude::*;

fn network(text: &str) -> Network {
    serde_json::from_str(text).unwrap()
}

fn codes(text: &str) -> Vec<(String, &'static str)> {
    let problems = network(text).resolve().unwrap_err();
    problems.into_iter().map(|problem| (problem.path, problem.code)).collect()
}

const PLACES: &str = r#""places": {"eu": {"share": "50%"}, "us-east": {"share": "50%"}}"#;

#[test]
fn both_orders_of_a_pair_and_names_with_hyphens_are_understood() {
    let text = format!(
        r#"{{"regions": {{{PLACES}, "latency": {{"eu-eu": {{"one_way": "5ms"}}, "us-east-eu": {{"rtt": "90ms", "spread": "10%"}},
        "us-east-us-east": {{"one_way": "8ms", "jitter": "1ms"}}}}}}}}"#
    );
    let resolved = network(&text).resolve().unwrap();
    let across = Pair {
        base: Duration::from_millis(45),
        spread: Duration::from_micros(4_500),
        jitter: Duration::ZERO,
    };
    assert_eq!((resolved.pair(0, 1), resolved.pair(1, 0)), (across, across));
    assert_eq!(resolved.lookahead(), Duration::from_millis(5));
    assert_eq!(resolved.places().collect::<Vec<_>>(), ["eu", "us-east"]);
}

#[test]
fn the_floor_bounds_the_lookahead_from_below() {
    let text = r#"{"uniform": {"latency": {"one_way": "10ms", "spread": "100%"}, "floor": "2ms"}}"#;
    assert_eq!(network(text).resolve().unwrap().lookahead(), Duration::from_millis(2));
}

#[test]
fn every_mistake_is_named_where_it_stands() {
    let at = |path: &str, code| (path.to_string(), code);
    let text = r#"{"uniform": {"latency": {"jitter": "2h"}, "uplink": "0 bit/s", "floor": "0s"}}"#;
    assert_eq!(
        codes(text),
        [
            at("uniform.floor", "network-floor-zero"),
            at("uniform.uplink", "network-uplink-zero"),
            at("uniform.latency", "network-latency-missing"),
            at("uniform.latency.jitter", "network-too-long"),
        ]
    );
    let text = r#"{"uniform": {"latency": {"one_way": "1ms", "rtt": "2ms"}}}"#;
    assert_eq!(codes(text), [at("uniform.latency", "network-latency-twice")]);
    let text = format!(r#"{{"regions": {{{PLACES}, "latency": {{"eu-us": {{"one_way": "5ms"}}}}}}}}"#);
    assert_eq!(codes(&text), [at("regions.latency.eu-us", "network-pair-unknown")]);
    let text = format!(
        r#"{{"regions": {{{PLACES}, "latency": {{"eu-us-east": {{"one_way": "5ms"}}, "us-east-eu": {{"one_way": "5ms"}}}}}}}}"#
    );
    assert_eq!(
        codes(&text),
        [
            at("regions.latency.us-east-eu", "network-pair-twice"),
            at("regions.latency", "network-pair-missing"),
            at("regions.latency", "network-pair-missing"),
        ]
    );
    let text = r#"{"regions": {"places": {"a": {"share": "60%"}, "a-b": {"share": "40%"}, "b": {"share": "0.5%"}, "b-b": {"share": "0%"}},
        "latency": {"a-b-b": {"one_way": "5ms"}}}}"#;
    assert_eq!(
        codes(text),
        [at("regions.places", "network-shares"), at("regions.latency.a-b-b", "network-pair-ambiguous"),]
    );
}

#[test]
fn shares_say_what_is_missing() {
    let text =
        r#"{"regions": {"places": {"a": {"share": "60.5%"}}, "latency": {"a-a": {"one_way": "5ms"}}}}"#;
    let problems = network(text).resolve().unwrap_err();
    assert_eq!(problems[0].message, "the places' shares add up to 60.5%, not to 100%");
    assert_eq!(problems[0].help.as_deref(), Some("39.5% are missing"));
}

proptest! {
    #[test]
    fn as_many_live_in_a_place_as_its_share_says(cuts in proptest::collection::vec(0..=1_000_000u32, 0..8), peers in 0..500usize, seed: u64) {
        let mut cuts = cuts;
        cuts.extend([0, 1_000_000]);
        cuts.sort_unstable();
        let shares: Vec<u32> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let resolved = ResolvedNetwork {
            places: shares.iter().map(|share| (String::new(), Place { share: percent(u64::from(*share)).parse().unwrap(), uplink: None })).collect(),
            pairs: Vec::new(),
            loss: Share::ZERO,
            floor: Duration::ZERO,
        };
        let homes = resolved.settle(Seed(seed), peers);
        prop_assert_eq!(homes.len(), peers);
        for (place, share) in shares.iter().enumerate() {
            let count = homes.iter().filter(|home| usize::from(**home) == place).count() as u64;
            let exact = u64::from(*share) * peers as u64;
            prop_assert!(count * 1_000_000 < exact + 1_000_000 && (count + 1) * 1_000_000 > exact, "{count} of {peers} for {share}");
        }
    }
}

#[test]
fn the_seed_decides_who_lives_where() {
    let text = format!(
        r#"{{"regions": {{{PLACES}, "latency": {{"eu-eu": {{"one_way": "5ms"}}, "eu-us-east": {{"rtt": "90ms"}}, "us-east-us-east": {{"one_way": "8ms"}}}}}}}}"#
    );
    let resolved = network(&text).resolve().unwrap();
    assert_eq!(resolved.settle(Seed(1), 100), resolved.settle(Seed(1), 100));
    assert_ne!(resolved.settle(Seed(1), 100), resolved.settle(Seed(2), 100));
}

#[test]
fn the_largest_remainder_gets_the_peer_that_is_left() {
    let text = r#"{"regions": {"places": {"a": {"share": "60.6%"}, "b": {"share": "39.4%"}},
        "latency": {"a-a": {"one_way": "5ms"}, "a-b": {"one_way": "5ms"}, "b-b": {"one_way": "5ms"}}}}"#;
    let homes = network(text).resolve().unwrap().settle(Seed(1), 10);
    assert_eq!(homes.iter().filter(|home| **home == 0).count(), 6);
}
