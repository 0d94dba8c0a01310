//! Providers: announced, found, forgotten, announced again; and peers that serve nobody.

use kad::{Announcement, Config, Event, Mode, Operation, Outcome, Refusal, Start};
use types::{Duration, PeerRef};

use crate::ring::{Ring, peer, target};

const NEVER: Duration = Duration::from_hours(10_000);

fn ring(config: Config) -> Ring {
    Ring::ideal(100, config, 1)
}

fn announce(ring: &mut Ring, number: u32) -> Outcome {
    ring.perform(peer(number), Operation::Announce(target("name"))).1
}

/// Who is found, in the order of their numbers.
fn found(ring: &mut Ring, by: u32, enough: u16) -> Vec<PeerRef> {
    let (report, outcome) =
        ring.perform(peer(by), Operation::FindProviders { target: target("name"), enough });
    assert_eq!(outcome == Outcome::NotFound, report.providers.is_empty());
    let mut providers = report.providers.to_vec();
    providers.sort();
    providers
}

fn count(ring: &Ring, wanted: impl Fn(&Event) -> bool) -> usize {
    ring.events.iter().filter(|(_, event)| wanted(event)).count()
}

fn refusals(ring: &Ring, reason: Refusal) -> usize {
    count(ring, |event| matches!(event, Event::Refused { reason: told, .. } if *told == reason))
}

#[test]
fn who_announces_is_found_by_any_other_peer() {
    let mut ring = ring(Config::default());
    for number in [3, 40, 77] {
        assert_eq!(announce(&mut ring, number), Outcome::Announced { told: 20 });
    }
    ring.run_for(Duration::from_secs(1));
    let knowing = ring.alive().into_iter().filter(|holder| ring.kad(*holder).provided() == (1, 3)).count();
    assert!(knowing >= 19, "the closest peers, each provider itself aside: {knowing}");
    for number in 0..100 {
        let others = [3, 40, 77].into_iter().filter(|other| *other != number).map(peer);
        assert_eq!(found(&mut ring, number, 20), others.collect::<Vec<_>>(), "by {number}");
    }
    let nobody = Operation::FindProviders { target: target("other"), enough: 1 };
    assert_eq!(ring.perform(peer(5), nobody).1, Outcome::NotFound);
    ring.check_all();
}

#[test]
fn a_search_ends_with_enough_providers() {
    let mut ring = ring(Config { k: 4, replication: 4, ..Config::default() });
    for number in 10..20 {
        announce(&mut ring, number);
    }
    ring.run_for(Duration::from_secs(1));
    let search = |ring: &mut Ring, enough| {
        let find = Operation::FindProviders { target: target("name"), enough };
        let (report, outcome) = ring.perform(peer(60), find);
        assert_eq!(outcome, Outcome::Providers);
        (report.providers.len(), report.messages)
    };
    let ((few, quick), (all, thorough)) = (search(&mut ring, 2), search(&mut ring, 20));
    assert_eq!((few, all), (2, 10));
    assert!(quick < thorough, "{quick} requests for two, {thorough} for all");
}

#[test]
fn a_peer_speaks_for_itself_alone() {
    let mut ring = ring(Config::default());
    let holder = ring.closest(&target("name"), 1, peer(0))[0];
    let says = |ring: &mut Ring, providers: &[u32]| {
        let providers = providers.iter().copied().map(peer).collect();
        let announcement = Announcement { target: target("name"), providers };
        ring.with(holder, |kad, cx| kad.notice(cx, peer(50), &announcement));
        ring.kad(holder).provided()
    };
    assert_eq!(says(&mut ring, &[51]), (0, 0));
    assert_eq!(says(&mut ring, &[]), (0, 0));
    assert_eq!(refusals(&ring, Refusal::NotTheProvider), 2);
    assert_eq!(says(&mut ring, &[51, 50]), (1, 1));
    assert_eq!(found(&mut ring, 7, 20), [peer(50)]);
}

#[test]
fn a_provider_that_is_gone_is_forgotten_and_one_that_lives_is_not() {
    let config = Config {
        provider_ttl: Duration::from_hours(3),
        announce_interval: Duration::from_hours(2),
        ..Config::default()
    };
    let mut ring = ring(config);
    announce(&mut ring, 3);
    announce(&mut ring, 4);
    ring.run_for(Duration::from_mins(1));
    ring.kill(peer(3));
    assert_eq!(found(&mut ring, 60, 20), [peer(3), peer(4)], "nobody knows yet");
    ring.run_for(Duration::from_hours(4));
    assert_eq!(found(&mut ring, 60, 20), [peer(4)]);
    let expired =
        |event: &Event| matches!(event, Event::ProviderExpired { provider, .. } if *provider == peer(3));
    assert!(count(&ring, expired) >= 19);
    ring.kill(peer(4));
    ring.run_for(Duration::from_hours(4));
    assert!(ring.alive().iter().all(|holder| ring.kad(*holder).provided() == (0, 0)));
    assert_eq!(found(&mut ring, 60, 20), []);
}

#[test]
fn announcing_again_outlives_the_loss_of_all_who_knew() {
    let config = Config { announce_interval: Duration::from_hours(1), ..Config::default() };
    let mut ring = ring(config);
    announce(&mut ring, 0);
    ring.run_for(Duration::from_secs(1));
    for holder in ring.alive() {
        if holder != peer(0) && ring.kad(holder).provided() != (0, 0) {
            ring.kill(holder);
        }
    }
    let knowing = |ring: &Ring| {
        let others = ring.alive().into_iter().filter(|holder| *holder != peer(0));
        others.filter(|holder| ring.kad(*holder).provided() != (0, 0)).count()
    };
    assert_eq!(knowing(&ring), 0);
    ring.run_for(Duration::from_mins(80));
    assert!(knowing(&ring) >= 19);
    let by = ring.alive()[1].index().unwrap() as u32;
    assert_eq!(found(&mut ring, by, 20), [peer(0)]);
}

#[test]
fn only_so_many_providers_are_remembered() {
    let config = Config { max_providers: 5, announce_interval: NEVER, ..Config::default() };
    let mut ring = ring(config);
    for number in 0..12 {
        announce(&mut ring, number);
    }
    ring.run_for(Duration::from_secs(1));
    assert!(ring.alive().iter().all(|holder| ring.kad(*holder).provided().1 <= 5));
    assert!(refusals(&ring, Refusal::ProvidersFull) >= 20 * 6);
    ring.check_all();
}

/// A hundred peers, of which the last thirty serve nobody; they know the others and nobody knows them.
fn with_clients() -> Ring {
    let mut ring = Ring::new(100, Config::default(), 1);
    ring.let_be_clients(70..100);
    ring.begin(peer(0), Start::Join, &[]);
    for number in 1..100 {
        if number == 70 {
            ring.configure(Config { mode: Mode::Client, ..Config::default() });
        }
        ring.run_for(Duration::from_millis(500));
        ring.begin(peer(number), Start::Join, &[peer(number % 20 % number)]);
    }
    ring.run_for(Duration::from_mins(10));
    ring
}

#[test]
fn a_client_asks_and_stands_in_nobody_s_table() {
    let mut ring = with_clients();
    for number in 0..100 {
        let contacts = ring.kad(peer(number)).table().contacts();
        assert!(contacts.iter().all(|contact| contact.index().unwrap() < 70), "in the table of {number}");
        assert!(contacts.len() > 20);
    }
    // It finds, stores, fetches and provides as everybody does.
    let (report, _) = ring.perform(peer(80), Operation::Lookup(target("name")));
    let mut servers = ring.closest(&target("name"), 100, peer(80));
    servers.retain(|server| server.index().unwrap() < 70);
    assert_eq!(*report.closest, servers[..20]);
    assert_eq!(ring.put(peer(90), "name", b"value"), Outcome::Stored { acknowledged: 20, asked: 20 });
    assert_eq!(ring.get(peer(91), "name").as_deref(), Some(&b"value"[..]));
    assert_eq!(announce(&mut ring, 92), Outcome::Announced { told: 20 });
    ring.run_for(Duration::from_secs(1));
    assert_eq!(found(&mut ring, 93, 20), [peer(92)]);
    assert!((70..100).all(|number| ring.kad(peer(number)).record_count() == 0));
    assert_eq!(refusals(&ring, Refusal::NotServing), 0, "nobody asks who serves nobody");
    ring.check_all();
}

#[test]
fn a_client_that_is_asked_says_at_once_that_it_does_not_serve() {
    let mut ring = with_clients();
    // One who does not know better: the only contact of a newcomer is a client.
    ring.kill(peer(5));
    ring.configure(Config::default());
    let begun = ring.now;
    ring.begin(peer(5), Start::Join, &[peer(80)]);
    ring.run_for(Duration::from_millis(500));
    assert!(refusals(&ring, Refusal::NotServing) > 0);
    assert_eq!(ring.kad(peer(5)).requests_in_flight(), 0, "nobody waits for a timeout since {begun}");
    let notice = Announcement { target: target("name"), providers: [peer(9)].into() };
    ring.with(peer(80), |kad, cx| kad.notice(cx, peer(9), &notice));
    assert_eq!(ring.kad(peer(80)).provided(), (0, 0));
}

#[test]
fn a_put_that_is_turned_down_ends_without_waiting_and_costs_nobody_its_place() {
    let mut ring =
        ring(Config { max_records: 0, request_timeout: NEVER, lookup_timeout: NEVER, ..Config::default() });
    let begun = ring.now;
    assert_eq!(ring.put(peer(0), "name", b"value"), Outcome::Stored { acknowledged: 0, asked: 20 });
    assert!(ring.now.since(begun) < Duration::from_secs(5));
    assert_eq!(count(&ring, |event| matches!(event, Event::ContactEvicted { .. })), 0);
}
