//! The checkers that ship, on peers as they should be and on others.

use judge::{CheckResult, NAMES, Status, checker};
use node::{Command, Event};
use types::{Duration, Instant, PeerRef};

use crate::common::*;

fn check<'a>(
    checks: &str,
    workloads: &[&str],
    faults: &[&str],
    answer: &'a Answer<'a>,
    queue: &'a dyn Fn(u32, Instant) -> usize,
    kads: &'a [kad::Kad],
) -> CheckResult {
    let play = play_of(workloads, faults);
    let plan = plan_of(checks, "{}", &play);
    let kad = |peer: u32| kads.get(peer as usize);
    let judgement = judge(&plan, &play, &Acting { answer, queue, kad: &kad, order: 0 });
    let [result] = judgement.verdict.checks.as_slice() else { panic!("{:?}", judgement.verdict.checks) };
    result.clone()
}

fn silent(_: u32, _: &Command, _: Instant) -> Option<(Instant, Event)> {
    None
}

#[test]
fn every_name_has_its_checker() {
    for (name, when) in NAMES {
        let found = checker(name).unwrap();
        assert_eq!((found.name(), found.when()), (*name, *when));
    }
    assert!(checker("nobody_is_sad").is_none());
}

#[test]
fn invariants_hold_of_sound_peers_and_cannot_be_told_of_peers_without_a_table() {
    let sound: Vec<_> =
        (0..PEERS).map(|peer| kad_of(peer, (0..PEERS).filter(move |other| *other != peer))).collect();
    for name in ["buckets_well_formed", "lookups_monotone", "no_self_in_table", "queues_bounded"] {
        let checks = format!(r#"{{"always": ["{name}"]}}"#);
        let status = |kads| check(&checks, &[], &[], &silent, &idle, kads).status;
        assert_eq!(status(&sound), Status::Pass, "{name}");
        let without = if name == "queues_bounded" { Status::Pass } else { Status::Unknown };
        assert_eq!(status(&[]), without, "{name}");
    }
}

#[test]
fn a_queue_beyond_its_limit_is_named_with_its_peer_and_time() {
    let queue = |peer: u32, at: Instant| if peer == 17 && at >= secs(50) { 129 } else { 128 };
    let result = check(r#"{"always": ["queues_bounded"]}"#, &[], &[], &silent, &queue, &[]);
    assert_eq!((result.status, result.at, result.peer), (Status::Fail, Some(secs(50)), Some(17)));
    assert_eq!(result.detail, "129 inputs wait, more than 128, and 55 times more");
}

#[test]
fn sightings_are_reached_or_reported() {
    let sighting = |name: &str, answer: &Answer<'_>, kads: &[kad::Kad]| {
        let checks = format!(r#"{{"sometimes": ["{name}"]}}"#);
        let result = check(&checks, &[LOOKUPS], &[], answer, &idle, kads);
        (result.status, result.at)
    };
    let timeouts = |timeouts: u32| {
        move |_: u32, command: &Command, at: Instant| {
            let ends = at + Duration::from_secs(1);
            Some((ends, ended(command.operation().unwrap(), kad::Outcome::NotFound, &[], timeouts)))
        }
    };
    assert_eq!(sighting("lookup_met_dead_peer", &timeouts(0), &[]), (Status::NeverReached, None));
    let (status, at) = sighting("lookup_met_dead_peer", &timeouts(1), &[]);
    assert!(status == Status::Pass && at.is_some_and(|at| at < secs(5)), "{at:?}");
    let evicts = |_: u32, _: &Command, at: Instant| {
        Some((at, Event::Kad(kad::Event::ContactEvicted { peer: PeerRef::shared(1) })))
    };
    assert_eq!(sighting("contact_evicted", &timeouts(1), &[]).0, Status::NeverReached);
    assert_eq!(sighting("contact_evicted", &evicts, &[]).0, Status::Pass);
    // Of forty peers some twenty are on the other half of the key space: the first bucket is full for many.
    let crowded: Vec<_> =
        (0..PEERS).map(|peer| kad_of(peer, (0..PEERS).filter(move |other| *other != peer))).collect();
    let lonely: Vec<_> = (0..PEERS).map(|peer| kad_of(peer, std::iter::once((peer + 1) % PEERS))).collect();
    assert_eq!(sighting("bucket_full", &silent, &crowded), (Status::Pass, Some(secs(10))));
    assert_eq!(sighting("bucket_full", &silent, &lonely).0, Status::NeverReached);
    assert_eq!(sighting("bucket_full", &silent, &[]).0, Status::Unknown);
}

const CONVERGES: &str = r#"{"eventually": {"within": "2m", "hold": ["routing_converged"]}}"#;
const FOUND: &str = r#"{"eventually": {"within": "2m", "hold": ["stored_records_found"]}}"#;
const CRASH: &str =
    r#"{"crash": {"victims": {"mode": "fixed", "value": 10}, "at": "2m", "restart": {"after": "1m"}}}"#;

#[test]
fn routing_has_converged_once_tables_hold_their_nearest_peers() {
    let play = play_of(&[], &[]);
    // The twenty nearest of the forty, in k-buckets of twenty, all fit.
    let key = |peer: u32| play.scene().book().keys()[peer as usize];
    let full: Vec<_> = (0..PEERS)
        .map(|peer| kad_of(peer, closest_online(&play, &key(peer), peer, secs(1)).into_iter()))
        .collect();
    let result = check(CONVERGES, &[], &[CRASH], &silent, &idle, &full);
    // The first sampling instant after the crashed have come back at three minutes.
    assert_eq!((result.status, result.at), (Status::Pass, Some(secs(190))), "{}", result.detail);
    let half: Vec<_> = (0..PEERS)
        .map(|peer| kad_of(peer, closest_online(&play, &key(peer), peer, secs(1)).into_iter().step_by(2)))
        .collect();
    let result = check(CONVERGES, &[], &[CRASH], &silent, &idle, &half);
    assert_eq!(result.status, Status::Fail);
    assert!(result.detail.starts_with("tables hold 50.00 %"), "{}", result.detail);
    assert_eq!(check(CONVERGES, &[], &[CRASH], &silent, &idle, &[]).status, Status::Unknown);
}

#[test]
fn stored_records_are_found_when_gets_stop_failing_in_time() {
    let play = play_of(&[RECORDS], &[CRASH]);
    let perfect = perfect(&play);
    // GETs fail between three minutes, when the faults are over, and `until`.
    let failing_until = |until: u64| {
        let perfect = &perfect;
        move |peer: u32, command: &Command, at: Instant| {
            let get = matches!(command, Command::Kad(kad::Command { operation: kad::Operation::Get(_), .. }));
            if get && at >= secs(180) && at < secs(until) {
                return Some((at, ended(command.operation().unwrap(), kad::Outcome::NotFound, &[], 0)));
            }
            perfect(peer, command, at)
        }
    };
    let result = |until: u64| check(FOUND, &[RECORDS], &[CRASH], &failing_until(until), &idle, &[]);
    assert_eq!(result(0).status, Status::Pass);
    // One of a hundred may stay unfound: of some 840 GETs the four or so of two seconds, but not the twenty of ten.
    let few = forgetting_at_last(&perfect, 2);
    let many = forgetting_at_last(&perfect, 10);
    let status = |answer| check(FOUND, &[RECORDS], &[CRASH], answer, &idle, &[]).status;
    assert_eq!((status(&few), status(&many)), (Status::Pass, Status::Fail));
    let late = result(240);
    assert!(
        late.status == Status::Pass && late.at.is_some_and(|at| at >= secs(240) && at < secs(245)),
        "{late:?}"
    );
    assert_eq!((result(330).status, result(600).status), (Status::Fail, Status::Fail));
    assert_eq!(check(FOUND, &[LOOKUPS], &[], &silent, &idle, &[]).status, Status::Unknown);
}

#[test]
fn providers_are_found_when_searches_name_who_still_provides() {
    const FOUND: &str = r#"{"eventually": {"within": "2m", "hold": ["providers_found"]}}"#;
    let play = play_of(&[PROVIDERS], &[CRASH]);
    let perfect = perfect(&play);
    let result = check(FOUND, &[PROVIDERS], &[CRASH], &perfect, &idle, &[]);
    assert_eq!(result.status, Status::Pass, "{}", result.detail);
    // Somebody is always named who never announced anything.
    let wrong = |peer: u32, command: &Command, at: Instant| match command {
        Command::Kad(kad::Command { id, operation: kad::Operation::FindProviders { target, .. } }) => {
            let providers = providers_of(&play, target.key(), at);
            let stranger = (0..PEERS).find(|other| *other != peer && !providers.contains(other)).unwrap();
            Some((at, ended(*id, kad::Outcome::Providers, &[stranger], 0)))
        }
        other => perfect(peer, other, at),
    };
    assert_eq!(check(FOUND, &[PROVIDERS], &[CRASH], &wrong, &idle, &[]).status, Status::Fail);
    assert_eq!(check(FOUND, &[LOOKUPS], &[], &silent, &idle, &[]).status, Status::Unknown);
}

/// GETs return nothing for so many of the run's last seconds.
fn forgetting_at_last<'a>(
    answer: &'a Answer<'a>,
    seconds: u64,
) -> impl Fn(u32, &Command, Instant) -> Option<(Instant, Event)> + 'a {
    move |peer, command, at| {
        let get = matches!(command, Command::Kad(kad::Command { operation: kad::Operation::Get(_), .. }));
        if get && at + Duration::from_secs(seconds) >= secs(600) {
            return Some((at, ended(command.operation()?, kad::Outcome::NotFound, &[], 0)));
        }
        answer(peer, command, at)
    }
}

#[test]
fn a_get_that_returns_what_nobody_stored_has_failed() {
    let play = play_of(&[RECORDS], &[]);
    let plan = plan_of("{}", "{}", &play);
    let perfect = perfect(&play);
    let ratio = |answer: &Answer<'_>| {
        let judgement = judge(&plan, &play, &Acting { answer, queue: &idle, kad: &no_kad, order: 0 });
        let row = judgement.summary.iter().find(|row| row.metric.name == "record.get_success_ratio").unwrap();
        (row.mean.unwrap(), row.samples > 900)
    };
    assert_eq!(ratio(&perfect), (1.0, true));
    let forged = |peer: u32, command: &Command, at: Instant| match command {
        Command::Kad(kad::Command { id, operation: kad::Operation::Get(target) }) => {
            Some((at, ended(*id, value_of(target, b"forged"), &[], 0)))
        }
        other => perfect(peer, other, at),
    };
    assert_eq!(ratio(&forged), (0.0, true));
}

#[test]
fn peers_without_a_layer_are_nothing_to_be_told_of() {
    let tables: Vec<_> =
        (0..PEERS / 2).map(|peer| kad_of(peer, std::iter::once((peer + 1) % PEERS))).collect();
    let status = |checks: &str| check(checks, &[], &[], &silent, &idle, &tables).status;
    assert_eq!(status(r#"{"always": ["buckets_well_formed"]}"#), Status::Pass);
    assert_eq!(status(r#"{"sometimes": ["bucket_full"]}"#), Status::NeverReached);
}

#[test]
fn a_lookup_is_compared_with_the_truth_at_its_end() {
    let play = play_of(&[LOOKUPS], &[CHURN]);
    let plan = plan_of("{}", "{}", &play);
    let perfect = perfect(&play);
    let judgement = judge(&plan, &play, &Acting { answer: &perfect, queue: &idle, kad: &no_kad, order: 0 });
    let ended: Vec<_> =
        judgement.operations.iter().filter(|lookup| lookup.end.succeeded().is_some()).collect();
    assert!(ended.len() > 1_000, "{} ended", ended.len());
    assert!(ended.iter().all(|lookup| lookup.end == judge::End::Ok && lookup.hits == lookup.of));
    // Half of the truth is half the recall; without the nearest, and with the sought peer left out, it fails.
    let halved = |peer: u32, command: &Command, at: Instant| {
        let (at, event) = perfect(peer, command, at)?;
        let Event::Kad(kad::Event::OperationEnded { id, report, outcome }) = event else { return None };
        let kept: Vec<u32> =
            report.closest.iter().skip(1).step_by(2).filter_map(|peer| Some(peer.index()? as u32)).collect();
        Some((at, crate::common::ended(id, outcome, &kept, 0)))
    };
    let judgement = judge(&plan, &play, &Acting { answer: &halved, queue: &idle, kad: &no_kad, order: 0 });
    let ended = judgement.operations.iter().filter(|lookup| lookup.end.succeeded().is_some());
    assert!(ended.clone().all(|lookup| lookup.end == judge::End::Failed && lookup.hits == lookup.of / 2));
    let recall = judgement.summary.iter().find(|row| row.metric.name == "lookup.recall").unwrap();
    assert!((recall.mean.unwrap() - 0.5).abs() < 0.02, "{recall:?}");
}
