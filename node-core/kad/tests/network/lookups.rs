//! Lookups against brute force.

use kad::{Config, Operation, Outcome};
use types::{Duration, PeerRef};

use crate::ring::{Ring, peer, target};

/// Looks up `lookups` names from peers all over the network; the share of the k closest that were found.
fn recall(ring: &mut Ring, lookups: u32) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    let alive = ring.alive();
    for number in 0..lookups {
        let from = alive[number as usize * 7 % alive.len()];
        let (closest, truth) = look_up(ring, from, &format!("name {number}"));
        wanted += truth.len();
        found += truth.iter().filter(|peer| closest.contains(peer)).count();
    }
    found as f64 / wanted as f64
}

fn look_up(ring: &mut Ring, from: PeerRef, name: &str) -> (Vec<PeerRef>, Vec<PeerRef>) {
    let target = target(name);
    let k = usize::from(ring.kad(from).config().k);
    let truth = ring.closest(&target, k, from);
    let (report, outcome) = ring.perform(from, Operation::Lookup(target));
    assert_eq!(outcome, Outcome::Found);
    (report.closest.to_vec(), truth)
}

#[test]
fn a_static_network_of_full_tables_gives_exactly_the_k_closest() {
    for k in [5, 8, 20] {
        for (alpha, disjoint_paths) in [(1, 1), (3, 1), (10, 1), (1, 4), (3, 4)] {
            let config = Config { k, alpha, disjoint_paths, ..Config::default() };
            let mut ring = Ring::ideal(1_000, config, u64::from(k));
            for number in 0..67 {
                let (closest, truth) = look_up(&mut ring, peer(number * 13), &format!("name {number}"));
                assert_eq!(closest, truth, "k {k}, alpha {alpha}, d {disjoint_paths}");
            }
            ring.check_all();
        }
    }
}

#[test]
fn hops_and_messages_are_those_of_an_ideal_network() {
    // The closed form and Monte-Carlo for 1,000 peers, k = 20, alpha = 3: all of the closest known within two rounds
    // of asking in 99 %, 21.5 messages a lookup.
    let mut ring = Ring::ideal(1_000, Config::default(), 1);
    let lookups = 300;
    let (mut messages, mut deep) = (0, 0);
    for number in 0..lookups {
        let target = target(&format!("name {number}"));
        let (report, _) = ring.perform(peer(number * 3), Operation::Lookup(target));
        messages += report.messages;
        deep += u32::from(report.hops > 3);
    }
    let mean = f64::from(messages) / f64::from(lookups);
    assert!((mean - 21.5).abs() < 0.5, "{mean} messages a lookup");
    assert!(deep * 50 <= lookups, "{deep} of {lookups} deeper than three rounds");
}

#[test]
fn a_peer_that_is_looked_up_is_known_in_the_round_that_names_it() {
    // Rounds until the target is known: pmf .131, .801, .068 for 1,000 peers, k = 20, alpha = 1; mean 0.937.
    let config = Config { alpha: 1, ..Config::default() };
    let mut ring = Ring::ideal(1_000, config, 1);
    let lookups = 1_000;
    let mut rounds = [0; 4];
    for number in 0..lookups {
        let id = ring.book.id(peer(number)).unwrap().as_bytes().to_vec();
        let from = peer((number + 501) % 1_000);
        let target = std::sync::Arc::new(kad::Target::new(&id));
        let (report, _) = ring.perform(from, Operation::Lookup(target));
        assert_eq!(report.closest[0], peer(number));
        rounds[usize::from(report.known_in_round.unwrap())] += 1;
    }
    let mean = f64::from(rounds[1] + 2 * rounds[2] + 3 * rounds[3]) / f64::from(lookups);
    assert!((mean - 0.937).abs() < 0.05, "known after {mean} rounds, {rounds:?}");
}

#[test]
fn a_network_grown_by_joins_alone_finds_the_closest() {
    let mut ring = Ring::grown(300, Config::default(), 1);
    ring.run_for(Duration::from_secs(30));
    let recall = recall(&mut ring, 200);
    assert!(recall >= 0.98, "recall {recall}");
    ring.check_all();
}

#[test]
fn small_networks_and_small_buckets_are_found_whole() {
    for peers in [2, 3, 10] {
        let config = Config { disjoint_paths: 4, ..Config::default() };
        let mut ring = Ring::grown(peers, config, 1);
        ring.run_for(Duration::from_secs(60));
        assert_eq!(recall(&mut ring, 20), 1.0, "{peers} peers");
    }
}

#[test]
fn who_knows_nobody_is_isolated() {
    let mut ring = Ring::grown(1, Config::default(), 1);
    let (report, outcome) = ring.perform(peer(0), Operation::Lookup(target("anything")));
    assert_eq!((report.messages, outcome), (0, Outcome::Isolated));
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed, loss| {
        let mut ring = Ring::ideal(60, Config::default(), seed);
        ring.loss = types::Share::from_percent(loss);
        for number in 0..30 {
            ring.perform(peer(number), Operation::Lookup(target(&format!("name {number}"))));
        }
        ring.run_for(Duration::from_mins(10));
        (ring.history.finish(), ring.messages)
    };
    assert_eq!(history(1, 5), history(1, 5));
    assert_ne!(history(1, 5), history(2, 5));
}
