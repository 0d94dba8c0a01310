//! Peers that leave, links that fail, networks that split.

use kad::{Config, Event, Operation, Outcome, Start};
use types::{Duration, PeerRef, Share};

use crate::ring::{Ring, peer, target};

/// The share of the k closest live peers that lookups find.
fn recall(ring: &mut Ring, lookups: u32) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    let alive = ring.alive();
    for number in 0..lookups {
        let from = alive[number as usize * 7 % alive.len()];
        let target = target(&format!("churn {number}"));
        let truth = ring.closest(&target, 20, from);
        let (report, outcome) = ring.perform(from, Operation::Lookup(target));
        assert_eq!(outcome, Outcome::Found);
        wanted += truth.len();
        found += truth.iter().filter(|peer| report.closest.contains(peer)).count();
    }
    found as f64 / wanted as f64
}

fn stale_share(ring: &Ring) -> f64 {
    let contacts: Vec<PeerRef> =
        ring.alive().iter().flat_map(|peer| ring.kad(*peer).table().contacts().to_vec()).collect();
    let stale = contacts.iter().filter(|contact| !ring.is_alive(**contact)).count();
    stale as f64 / contacts.len() as f64
}

#[test]
fn tables_heal_after_half_of_the_network_died() {
    let mut ring = Ring::ideal(200, Config::default(), 1);
    for number in 0..100 {
        ring.kill(peer(number * 2));
    }
    assert!(stale_share(&ring) > 0.4);
    ring.run_for(Duration::from_mins(30));
    assert!(stale_share(&ring) < 0.02, "{} of the contacts are dead", stale_share(&ring));
    let recall = recall(&mut ring, 100);
    assert!(recall >= 0.98, "recall {recall}");
    let evicted = ring.events.iter().filter(|(_, event)| matches!(event, Event::ContactEvicted { .. }));
    assert!(evicted.count() > 100);
    ring.check_all();
}

#[test]
fn lookups_bear_loss() {
    let mut ring = Ring::ideal(200, Config::default(), 1);
    ring.loss = Share::from_percent(5);
    let recall = recall(&mut ring, 100);
    // An exchange fails with a chance of 9.75 %: that share of the closest is not heard of.
    assert!((0.85..1.0).contains(&recall), "recall {recall}");
    ring.check_all();
}

#[test]
fn two_halves_that_lost_each_other_find_together_again() {
    let config = Config { refresh_interval: Duration::from_mins(5), ..Config::default() };
    let mut ring = Ring::grown(200, config, 1);
    ring.run_for(Duration::from_mins(6));
    ring.cut = Some(|peer| (peer.index().unwrap() % 2) as u8);
    ring.run_for(Duration::from_hours(1));
    let apart = recall(&mut ring, 50);
    assert!((0.4..0.6).contains(&apart), "the halves know nothing of each other: {apart}");
    ring.cut = None;
    ring.run_for(Duration::from_mins(20));
    let together = recall(&mut ring, 100);
    assert!(together >= 0.98, "recall {together}");
    ring.check_all();
}

#[test]
fn a_peer_that_comes_back_bootstraps_anew() {
    let mut ring = Ring::grown(50, Config::default(), 1);
    ring.run_for(Duration::from_secs(60));
    let bootstrapped = |ring: &Ring| {
        ring.events.iter().filter(|(_, event)| matches!(event, Event::Bootstrapped { .. })).count()
    };
    assert_eq!(bootstrapped(&ring), 50);
    ring.kill(peer(7));
    ring.run_for(Duration::from_secs(30));
    ring.begin(peer(7), Start::Join, &[peer(3)]);
    ring.run_for(Duration::from_secs(30));
    assert_eq!(bootstrapped(&ring), 51);
    assert!(ring.kad(peer(7)).table().len() >= 20);
}

#[test]
fn a_bootstrap_that_meets_nobody_is_tried_again() {
    let mut ring = Ring::new(3, Config::default(), 1);
    ring.begin(peer(0), Start::Join, &[peer(1)]);
    ring.run_for(Duration::from_mins(2));
    assert!(ring.kad(peer(0)).table().is_empty(), "who does not answer leaves the table");
    assert!(ring.events.iter().all(|(_, event)| !matches!(event, Event::Bootstrapped { .. })));
    ring.begin(peer(1), Start::Join, &[]);
    ring.run_for(Duration::from_mins(1));
    assert_eq!(ring.kad(peer(0)).table().contacts(), [peer(1)]);
    let told = Event::Bootstrapped { contacts: 1 };
    assert!(ring.events.contains(&(peer(0), told)));
}

#[test]
fn refreshes_of_a_network_do_not_fall_together() {
    let mut ring = Ring::ideal(100, Config::default(), 1);
    let due: std::collections::BTreeSet<_> = ring
        .alive()
        .into_iter()
        .map(|peer| ring.kad(peer).next_deadline().unwrap().as_millis() / 1_000)
        .collect();
    assert!(due.len() > 50, "a hundred peers refresh in {} different seconds", due.len());
    ring.run_for(Duration::from_secs(200));
    assert_eq!(ring.messages, 0, "a filled table needs no traffic before its first refresh");
}
