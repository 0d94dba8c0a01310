//! Values: stored, found, acknowledged, expired, kept alive.

use std::sync::Arc;

use kad::{Config, Event, Kad, Operation, Outcome, Record, Refusal, Request, Start};
use types::{Duration, ExchangeId, Instant, PeerRef, Share, Size};

use crate::ring::{Ring, peer, target};

const NEVER: Duration = Duration::from_hours(10_000);

fn ring(config: Config) -> Ring {
    Ring::ideal(100, config, 1)
}

/// Asks `to` to store a record as peer 99 would, and lets the answer, if any, go by.
fn send(ring: &mut Ring, to: PeerRef, record: Record) {
    let exchange = ExchangeId { opener: peer(99), incarnation: 7, count: 0 };
    ring.with(to, |kad, cx| kad.request(cx, peer(99), exchange, Request::PutValue(Arc::new(record))));
    ring.run_for(Duration::from_secs(1));
}

fn record(name: &str, value: &[u8], ttl_secs: u32) -> Record {
    Record { target: (*target(name)).clone(), value: value.into(), publisher: Some(peer(98)), ttl_secs }
}

fn refusals(ring: &Ring, reason: Refusal) -> usize {
    let refused = |event: &Event| matches!(event, Event::Refused { reason: told, .. } if *told == reason);
    ring.events.iter().filter(|(_, event)| refused(event)).count()
}

#[test]
fn what_was_put_is_found_through_any_peer() {
    let mut ring = ring(Config::default());
    assert_eq!(ring.put(peer(0), "name", b"value"), Outcome::Stored { acknowledged: 20, asked: 20 });
    let mut holders = ring.closest(&target("name"), 20, peer(0));
    holders.sort();
    assert_eq!(ring.peers_with_record("name"), holders);
    for number in 0..100 {
        assert_eq!(ring.get(peer(number), "name").as_deref(), Some(&b"value"[..]), "through {number}");
    }
    assert_eq!(ring.perform(peer(5), Operation::Get(target("other"))).1, Outcome::NotFound);
}

#[test]
fn a_put_is_acknowledged_once_it_is_persisted_and_not_before() {
    let mut ring = ring(Config::default());
    ring.disk_delay = Duration::from_secs(3);
    let id = ring.command(peer(0), Operation::Put { target: target("name"), value: b"value"[..].into() });
    ring.run_for(Duration::from_secs(3));
    assert!(!ring.ended.contains_key(&id), "no disk was done by then");
    assert_eq!(ring.peers_with_record("name"), []);
    ring.run_for(Duration::from_secs(3));
    assert_eq!(ring.ended[&id].1, Outcome::Stored { acknowledged: 20, asked: 20 });
}

#[test]
fn a_disk_that_fails_acknowledges_nothing() {
    let mut ring = ring(Config::default());
    let holders = ring.closest(&target("name"), 20, peer(0));
    ring.failing_disks = holders.iter().copied().take(7).collect();
    assert_eq!(ring.put(peer(0), "name", b"value"), Outcome::Stored { acknowledged: 13, asked: 20 });
    assert_eq!(refusals(&ring, Refusal::NotPersisted), 7);
    assert_eq!(ring.peers_with_record("name").len(), 13);
}

#[test]
fn a_record_s_life_ends() {
    let config =
        Config { record_ttl: Duration::from_hours(2), replicate_interval: NEVER, ..Config::default() };
    let mut ring = ring(config);
    let start = ring.now;
    ring.put(peer(0), "name", b"value");
    ring.kill(peer(0));
    ring.run_for((start + Duration::from_mins(119)).since(ring.now));
    assert_eq!(ring.get(peer(1), "name").as_deref(), Some(&b"value"[..]));
    ring.run_for(Duration::from_mins(2));
    assert_eq!(ring.perform(peer(1), Operation::Get(target("name"))).1, Outcome::NotFound);
    let count = |wanted: fn(&Event) -> bool| ring.events.iter().filter(|(_, event)| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::RecordStored { .. })), 20);
    assert_eq!(count(|event| matches!(event, Event::RecordExpired { .. })), 20);
}

#[test]
fn a_life_given_with_the_record_is_kept_to_if_it_is_shorter() {
    let mut ring = ring(Config::default());
    let [short, unsaid] = ["short", "unsaid"].map(|name| ring.closest(&target(name), 1, peer(99))[0]);
    send(&mut ring, short, record("short", b"value", 60));
    send(&mut ring, unsaid, record("unsaid", b"value", 0));
    let lives = |ring: &Ring| ring.kad(short).record_count() + ring.kad(unsaid).record_count();
    assert_eq!(lives(&ring), 2);
    ring.run_for(Duration::from_secs(61));
    assert_eq!(lives(&ring), 1);
}

#[test]
fn republishing_outlives_the_loss_of_all_holders() {
    let config = Config {
        republish_interval: Duration::from_hours(1),
        replicate_interval: NEVER,
        ..Config::default()
    };
    let mut ring = ring(config);
    ring.put(peer(0), "name", b"value");
    for holder in ring.peers_with_record("name") {
        ring.kill(holder);
    }
    assert_eq!(ring.peers_with_record("name"), []);
    ring.run_for(Duration::from_mins(80));
    assert_eq!(ring.peers_with_record("name").len(), 20);
    assert_eq!(ring.get(ring.alive()[1], "name").as_deref(), Some(&b"value"[..]));
}

#[test]
fn holders_pass_a_record_on_when_its_publisher_and_they_themselves_leave() {
    let mut ring = ring(Config::default());
    ring.put(peer(0), "name", b"value");
    ring.kill(peer(0));
    for _ in 0..4 {
        // All holders but one.
        for holder in ring.peers_with_record("name").into_iter().skip(1) {
            if ring.alive().len() > 25 {
                ring.kill(holder);
            }
        }
        ring.run_for(Duration::from_mins(80));
    }
    assert!(ring.alive().len() < 40, "three sets of holders are gone");
    let from = ring.alive()[0];
    assert_eq!(ring.get(from, "name").as_deref(), Some(&b"value"[..]));
    assert!(ring.peers_with_record("name").len() >= 15);
}

#[test]
fn one_holder_passes_on_for_all() {
    // Who is given a record again assumes that the others were, too. A lookup and its stores are some 80 messages.
    let config = Config { refresh_interval: NEVER, ..Config::default() };
    let mut ring = ring(config);
    ring.put(peer(0), "name", b"value");
    let before = ring.messages;
    ring.run_for(Duration::from_mins(70));
    let spent = ring.messages - before;
    assert!((70..400).contains(&spent), "{spent} messages: more than one holder or a few");
}

#[test]
fn limits_turn_strangers_away() {
    let config = Config { max_records: 2, max_record_size: Size::from_bytes(10), ..Config::default() };
    let mut ring = ring(config);
    send(&mut ring, peer(0), record("large", &[0; 11], 100));
    for name in ["a", "b", "c", "a"] {
        send(&mut ring, peer(0), record(name, b"value", 100));
    }
    assert_eq!(ring.kad(peer(0)).record_count(), 2);
    assert_eq!(refusals(&ring, Refusal::RecordTooLarge), 1);
    assert_eq!(refusals(&ring, Refusal::StoreFull), 1);
}

#[test]
fn puts_and_gets_survive_loss() {
    let mut ring = ring(Config::default());
    ring.loss = Share::from_percent(10);
    for number in 0..10 {
        let name = format!("name {number}");
        let outcome = ring.put(peer(number), &name, b"value");
        assert!(matches!(outcome, Outcome::Stored { acknowledged: 10.., .. }), "{outcome:?}");
        assert_eq!(ring.get(peer(50 + number), &name).as_deref(), Some(&b"value"[..]));
    }
    ring.check_all();
}

#[test]
fn what_a_former_life_persisted_is_held_until_it_expires() {
    let ring = ring(Config::default());
    let expires = [10, 20].map(|secs| Instant::START + Duration::from_secs(secs));
    let records = vec![
        (Arc::new(record("a", b"value", 10)), expires[0]),
        (Arc::new(record("b", b"value", 20)), expires[1]),
    ];
    let kad = Kad::new(
        peer(0),
        Config::default(),
        types::Streams::global(types::Seed(1), types::Domain::new("kad")),
        Start::Join,
        &[],
        records,
        &ring.book,
    );
    assert_eq!(kad.record_count(), 2);
    assert_eq!(kad.next_deadline(), Some(expires[0]));
}
