//! Lives: what the plan makes of joins, churn, crashes and leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{MINUTES, Parts};
use play::plan::{Data, Fault, Join, Sessions};
use play::{Life, LifeEvent, Parting, Subject};
use proptest::prelude::*;
use types::{Duration, Instant};

fn minute(minutes: u64) -> Instant {
    Instant::START + Duration::from_mins(minutes)
}

const CHURN: &str = r#"{"churn": {"victims": {"group": "g1"}, "session": {"weibull": {"shape": 0.6, "scale": "90s"}},
    "downtime": {"exponential": {"mean": "40s"}}, "graceful": "30%", "begin": "2m", "end": "15m"}}"#;

fn crash(group: &str, percent: u32, at: u64, restart: &str) -> String {
    format!(
        r#"{{"crash": {{"victims": {{"group": "{group}", "mode": "percent", "value": "{percent}%"}}, "at": "{at}m"{restart}}}}}"#
    )
}

/// Plans whose faults overlap at will.
fn plans() -> impl Strategy<Value = Parts> {
    let join = prop_oneof![
        Just(Join::At(Duration::ZERO)),
        Just(Join::At(Duration::from_mins(3))),
        Just(Join::Ramp(Duration::from_mins(4))),
        Just(Join::Poisson(Duration::from_mins(4))),
    ];
    let fault = prop_oneof![
        Just(CHURN.to_string()),
        Just(CHURN.replace("g1", "g0").replace("15m", "18m")),
        (0..2u32, 1..100u32, 0..20u64).prop_map(|(group, share, at)| crash(
            &format!("g{group}"),
            share,
            at,
            ""
        )),
        (0..2u32, 1..100u32, 0..10u64).prop_map(|(group, share, at)| {
            let restart = r#", "restart": {"after": "90s", "data": "kept"}"#;
            crash(&format!("g{group}"), share, at, restart).replace("crash", "leave")
        }),
    ];
    (proptest::collection::vec((1..20u32, join), 2..4), proptest::collection::vec(fault, 0..4), any::<u64>())
        .prop_map(|(groups, faults, seed)| {
            let mut parts = Parts::of(&groups.iter().map(|(count, _)| *count).collect::<Vec<_>>());
            for ((_, group), (_, join)) in parts.groups.iter_mut().zip(groups) {
                group.join = join;
            }
            parts.seed = seed;
            faults.iter().fold(parts, |parts, fault| parts.fault(fault))
        })
}

proptest! {
    #[test]
    fn lives_alternate_are_counted_and_stay_within_the_run(parts in plans()) {
        let play = parts.play();
        let events: Vec<LifeEvent> = play.lives().collect();
        prop_assert!(events.windows(2).all(|pair| (pair[0].at, pair[0].peer) <= (pair[1].at, pair[1].peer)));
        prop_assert!(events.iter().all(|event| event.at < minute(MINUTES)));
        let mut by_peer: BTreeMap<u32, Vec<LifeEvent>> = BTreeMap::new();
        for event in events {
            by_peer.entry(event.peer).or_default().push(event);
        }
        for (peer, events) in &by_peer {
            for (place, event) in events.iter().enumerate() {
                prop_assert_eq!(event.is_up(), place % 2 == 0, "peer {} alternates", peer);
                if let Life::Up { incarnation, data } = event.what {
                    prop_assert_eq!(incarnation as usize, place / 2);
                    prop_assert!(incarnation > 0 || (data == Data::Lost && event.fault.is_none()));
                }
            }
            // Lives other than the first are given back by the fault that took the one before.
            for pair in events[1..].chunks_exact(2) {
                prop_assert_eq!(pair[0].fault, pair[1].fault);
                prop_assert!(pair[0].at < pair[1].at, "nobody is back at once");
            }
        }
        prop_assert_eq!(by_peer.len() as u32, play.roster().peers(), "everybody joins");
    }

    #[test]
    fn who_is_up_is_what_the_events_say(parts in plans(), probes in proptest::collection::vec(0..MINUTES * 60, 8)) {
        let play = parts.play();
        let mut lives = play.lives();
        let mut up = BTreeSet::new();
        let mut pending: Vec<LifeEvent> = Vec::new();
        let all: Vec<LifeEvent> = play.lives().collect();
        while let Some(event) = lives.next() {
            pending.push(event);
            // Once an instant is over, the set of those who are up is the one that is replayed.
            if lives.next_at() != Some(event.at) {
                for event in pending.drain(..) {
                    if event.is_up() { up.insert(event.peer); } else { up.remove(&event.peer); }
                }
                prop_assert_eq!(lives.online().count() as usize, up.len());
                for peer in 0..play.roster().peers() {
                    prop_assert_eq!(lives.online().is_up(peer), up.contains(&peer));
                    prop_assert_eq!(play.lifecycle().is_up(peer, event.at), up.contains(&peer));
                }
            }
        }
        for at in probes.into_iter().map(|secs| Instant::START + Duration::from_secs(secs)) {
            for peer in 0..play.roster().peers() {
                let last = all.iter().rfind(|event| event.peer == peer && event.at <= at);
                let since = last.filter(|event| event.is_up()).map(|event| event.at);
                prop_assert_eq!(play.lifecycle().up_since(peer, at), since);
            }
        }
    }

    #[test]
    fn newcomers_know_distinct_others_who_are_up(parts in plans(), wanted in 0..6u32) {
        let mut parts = parts;
        let select = format!(r#"{{"group": ["g0", "g1"], "mode": "fixed", "value": {wanted}}}"#);
        for (_, group) in &mut parts.groups {
            group.bootstrap = serde_json::from_str(&select).unwrap();
        }
        let play = parts.play();
        let mut lives = play.lives();
        let mut contacts = Vec::new();
        while let Some(event) = lives.next() {
            play.contacts(&lives, &event, &mut contacts);
            if !event.is_up() {
                prop_assert!(contacts.is_empty());
                continue;
            }
            let distinct: BTreeSet<_> = contacts.iter().copied().collect();
            let fits = |peer: &u32| *peer != event.peer && play.roster().group_of(*peer).is_some_and(|group| group < 2);
            let there = (0..play.roster().peers()).filter(|peer| fits(peer) && lives.online().is_up(*peer)).count();
            prop_assert_eq!(distinct.len(), contacts.len());
            prop_assert!(contacts.iter().all(|peer| fits(peer) && lives.online().is_up(*peer)));
            prop_assert_eq!(contacts.len(), there.min(wanted as usize));
        }
    }
}

#[test]
fn the_share_that_is_up_is_the_mean_session_over_the_mean_round() {
    let churn = r#"{"churn": {"session": {"exponential": {"mean": "60s"}}, "downtime": {"exponential": {"mean": "20s"}}, "end": "20m"}}"#;
    let play = Parts::of(&[2_000]).fault(churn).play();
    let moments = [10, 15, 19].map(minute);
    let up =
        |at: Instant| (0..2_000).filter(|peer| play.lifecycle().is_up(*peer, at)).count() as f64 / 2_000.0;
    for share in moments.map(up) {
        // Four standard errors of a share of 0.75 among 2,000.
        assert!((share - 0.75).abs() < 0.04, "{share} are up");
    }
}

#[test]
fn at_a_churn_s_end_everybody_is_back() {
    let play = Parts::of(&[5, 200]).fault(CHURN).play();
    let down = |at: Instant| (0..205).filter(|peer| !play.lifecycle().is_up(*peer, at)).count();
    assert!(down(minute(14)) > 20, "{} are down during the churn", down(minute(14)));
    assert_eq!((down(minute(2)), down(minute(15)), down(minute(19))), (0, 0, 0));
    let graceful = play.lives().filter(|event| event.what == Life::Down(Parting::Graceful)).count() as f64;
    let all = play.lives().filter(|event| !event.is_up()).count() as f64;
    assert!((graceful / all - 0.3).abs() < 0.06, "{graceful} of {all} say goodbye");
}

#[test]
fn who_is_down_is_not_taken_down_again() {
    // All crash at 2 min for good; half of them would leave at 3 min, and a churn would begin with the crash.
    let play = Parts::of(&[10])
        .fault(&crash("g0", 100, 2, ""))
        .fault(&crash("g0", 50, 3, "").replace("crash", "leave"))
        .fault(&CHURN.replace("g1", "g0"))
        .play();
    let downs: Vec<_> = play.lives().filter(|event| !event.is_up()).collect();
    assert_eq!(downs.len(), 10);
    assert!(downs.iter().all(|event| event.fault == Some(0) && event.at == minute(2)));
    let asked: Vec<_> =
        play.tallies().iter().map(|tally| (tally.subject, tally.unit, tally.asked, tally.got)).collect();
    assert_eq!(
        asked,
        [
            (Subject::Fault(0), "peers", Some(10), 0),
            (Subject::Fault(1), "peers", Some(5), 0),
            (Subject::Fault(2), "departures", Some(0), 0),
        ]
    );
}

#[test]
fn what_a_churn_is_asked_for_are_its_departures() {
    let play = Parts::of(&[5, 50]).fault(CHURN).fault(&crash("g1", 20, 5, "")).play();
    let departures = play.lives().filter(|event| !event.is_up() && event.fault == Some(0)).count() as u64;
    assert!(departures > 100);
    assert_eq!(play.tallies()[0].asked, Some(departures));
}

#[test]
fn a_crash_at_the_instant_of_a_start_ends_that_life() {
    let restart = r#", "restart": {"after": "1m"}"#;
    let play = Parts::of(&[1]).fault(&crash("g0", 100, 0, restart)).play();
    let events: Vec<_> = play.lives().map(|event| (event.at, event.is_up())).collect();
    assert_eq!(events, [(minute(0), true), (minute(0), false), (minute(1), true)]);
    // So does one at the instant of a return.
    let play = Parts::of(&[1]).fault(&crash("g0", 100, 0, restart)).fault(&crash("g0", 100, 1, "")).play();
    let events: Vec<_> = play.lives().map(|event| (event.at, event.is_up())).collect();
    assert_eq!(events[2..], [(minute(1), true), (minute(1), false)]);
}

#[test]
fn one_more_fault_elsewhere_moves_nobody_else() {
    let alone: Vec<_> = Parts::of(&[20, 20]).fault(CHURN).play().lives().collect();
    let play = Parts::of(&[20, 20]).fault(CHURN).fault(&crash("g0", 50, 7, "")).play();
    let (of_g0, of_g1): (Vec<_>, Vec<_>) = play.lives().partition(|event| event.peer < 20);
    assert_eq!(of_g0.len(), 30);
    assert_eq!(of_g1, alone.into_iter().filter(|event| event.peer >= 20).collect::<Vec<_>>());
}

/// Sessions in minutes, by recorded peer; 0 for one that did not end.
fn recorded(parts: Parts, victims: &str, sessions: &[(u32, u64, u64)]) -> Parts {
    let json = format!(
        r#"{{"recorded_churn": {{"victims": {victims}, "file": "any.csv", "graceful": "50%", "data": "kept"}}}}"#
    );
    let mut parts = parts.fault(&json);
    let down = |minutes| if minutes == 0 { Instant::NEVER } else { minute(minutes) };
    let rows: Vec<_> = sessions.iter().map(|(peer, up, end)| (*peer, (minute(*up), down(*end)))).collect();
    let Some(Fault::RecordedChurn(churn)) = parts.faults.last_mut() else { panic!() };
    churn.sessions = Sessions::new(&rows).unwrap();
    parts
}

#[test]
fn recorded_sessions_are_lived_as_they_were_recorded() {
    let sessions = [(70, 1, 3), (70, 5, 0), (7, 2, 4), (7, 6, 30), (9, 40, 50)];
    let mut parts = recorded(Parts::of(&[2, 3]), r#"{"group": "g1"}"#, &sessions);
    parts.groups[1].1.join = Join::Ramp(Duration::from_mins(9));
    let play = parts.play();
    let up = |peer: u32, minutes: u64| play.lifecycle().is_up(peer, minute(minutes));
    assert!(
        (0..MINUTES).all(|at| up(2, at) == ((2..4).contains(&at) || at >= 6)),
        "the first victim is peer 7"
    );
    assert!((0..MINUTES).all(|at| !up(3, at)), "peer 9 of the file comes up after the run");
    assert!((0..MINUTES).all(|at| up(4, at) == ((1..3).contains(&at) || at >= 5)));
    assert!((0..MINUTES).all(|at| up(0, at)), "who is no victim is left alone");
    let events: Vec<LifeEvent> = play.lives().filter(|event| event.peer >= 2).collect();
    assert_eq!(events.len(), 6, "{events:?}");
    let returns = |event: &&LifeEvent| matches!(event.what, Life::Up { data: Data::Kept, incarnation: 1 });
    assert_eq!(events.iter().filter(returns).count(), 2);
    let tally = play.tallies().iter().find(|tally| tally.kind == "recorded_churn").unwrap();
    assert_eq!((tally.asked, tally.unit, tally.end), (Some(2), "departures", Some(minute(6))));
}

#[test]
fn another_fault_in_a_recorded_session_has_its_way() {
    let crash = |restart: &str| crash("g0", 100, 2, restart);
    // Down at 2 min: until its next session, or until the fault brings it back; then to the end of a session.
    let recorded = |restart: &str| {
        recorded(Parts::of(&[1]), "{}", &[(0, 1, 3), (0, 6, 8), (0, 9, 10)]).fault(&crash(restart))
    };
    let ups = |parts: &Parts| {
        let play = parts.play();
        (0..MINUTES).filter(|at| play.lifecycle().is_up(0, minute(*at))).collect::<Vec<_>>()
    };
    assert_eq!(ups(&recorded("")), [1], "nobody brings it back");
    assert_eq!(ups(&recorded(r#", "restart": {"after": "2m"}"#)), [1, 4, 5, 6, 7, 9]);
}

#[test]
fn more_victims_than_were_recorded_are_refused() {
    let parts = recorded(Parts::of(&[3]), "{}", &[(0, 1, 3), (5, 1, 3)]);
    let found: Vec<_> =
        play::problems(&parts.inputs()).into_iter().map(|problem| (problem.path, problem.code)).collect();
    assert_eq!(found, [("faults.0.recorded_churn.victims".to_string(), "too_few_recorded")]);
    let parts = recorded(Parts::of(&[3]), r#"{"mode": "fixed", "value": 2}"#, &[(0, 1, 3), (5, 1, 3)]);
    assert_eq!(play::problems(&parts.inputs()), []);
}

#[test]
fn who_comes_back_within_a_range_does_so_at_a_moment_of_its_own() {
    let json = crash("g0", 100, 2, r#", "restart": {"after": "1m", "at_most": "5m"}"#);
    let play = Parts::of(&[400]).fault(&json).play();
    let returns: Vec<u64> = play
        .lives()
        .filter(|event| matches!(event.what, Life::Up { incarnation: 1, .. }))
        .map(|event| event.at.since(minute(2)).as_millis())
        .collect();
    assert_eq!(returns.len(), 400);
    assert!(returns.iter().all(|after| (60_000..=300_000).contains(after)));
    // Evenly: the mean of 400 draws of four minutes is off by 14 s at four standard errors.
    let mean = returns.iter().sum::<u64>() / 400;
    assert!(mean.abs_diff(180_000) < 14_000, "{mean} ms");
    assert_eq!(play.last_change(), Some(minute(7)));
}
