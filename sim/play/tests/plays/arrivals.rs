//! Arrivals in stages and from a file, names of unequal popularity, providers, and peers that serve nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::common::Parts;
use play::plan::{Arrivals, Workload};
use types::{Duration, Instant};

const STAGED: &str = r#"{"lookups": {"arrivals": {"staged": [
    {"for": "2m", "rate": "4/s"}, {"for": "1m", "rate": "0/s"}, {"for": "4m", "from": "0/s", "rate": "20/s"},
    {"for": "3m", "rate": "60/m"}]}, "target": "random_key", "begin": "2m"}}"#;

/// Moments of the only workload, in seconds.
fn moments(parts: &Parts) -> Vec<f64> {
    parts.play().script().map(|asked| asked.at.as_secs_f64()).collect()
}

#[test]
fn stages_have_the_rates_they_name() {
    let moments = moments(&Parts::of(&[40]).workload(STAGED));
    let within = |from: f64, until: f64| {
        moments.iter().filter(|at| (from * 60.0..until * 60.0).contains(*at)).count() as f64
    };
    // Four standard deviations of a Poisson count.
    for (from, until, expected) in
        [(2.0, 4.0, 480.0), (5.0, 7.0, 600.0), (7.0, 9.0, 1_800.0), (9.0, 12.0, 180.0_f64)]
    {
        let got = within(from, until);
        assert!((got - expected).abs() < 4.0 * libm::sqrt(expected), "{got} from {from} to {until}");
    }
    assert_eq!((within(0.0, 2.0), within(4.0, 5.0), within(12.0, 20.0)), (0.0, 0.0, 0.0));
}

#[test]
fn a_rising_rate_is_the_law_that_it_says() {
    let rising = r#"{"lookups": {"arrivals": {"staged": [{"for": "20m", "from": "0/s", "rate": "10/s"}]},
        "target": "random_key"}}"#;
    let moments = moments(&Parts::of(&[40]).workload(rising));
    let count = moments.len() as f64;
    // Kolmogorov and Smirnov's bound for p = 0.01: by t of 20 minutes, (t / 20m)² have come.
    let farthest = moments.iter().enumerate().map(|(place, at)| {
        let expected = (at / 1_200.0) * (at / 1_200.0);
        (expected - place as f64 / count).abs().max((expected - (place as f64 + 1.0) / count).abs())
    });
    let farthest = farthest.fold(0.0, f64::max);
    assert!(farthest * libm::sqrt(count) < 1.63, "{farthest} of {count}");
}

#[test]
fn recorded_moments_are_kept_to_the_nanosecond() {
    let recorded = r#"{"lookups": {"arrivals": {"recorded": {"file": "a.csv"}}, "target": "random_key",
        "begin": "2m", "end": "10m"}}"#;
    let mut parts = Parts::of(&[40]).workload(recorded);
    let spans = [0, 1, 1, 5_000_000_001, 480_000_000_000, 500_000_000_000].map(Duration::from_nanos);
    let [Workload::Lookups(lookups)] = parts.workloads.as_mut_slice() else { panic!("one workload") };
    let Arrivals::Recorded(recorded) = &mut lookups.arrivals else { panic!("recorded") };
    recorded.moments = Arc::new(spans);
    let play = parts.play();
    let asked: Vec<_> = play.script().map(|asked| asked.at).collect();
    let begin = Instant::START + Duration::from_mins(2);
    assert_eq!(
        asked,
        spans.iter().take(4).map(|span| begin + *span).collect::<Vec<_>>(),
        "those before the end"
    );
    assert_eq!(play.tallies()[0].asked, Some(4));
}

#[test]
fn what_was_stored_first_is_fetched_most_by_zipf() {
    let records = |gets: &str| {
        format!(
            r#"{{"records": {{"puts": {{"open": {{"rate": "2/s"}}}}, "gets": {gets}, "keys": 100,
            "popularity": {{"zipf": {{"exponent": 1.0}}}}}}}}"#
        )
    };
    let parts = Parts::of(&[40]).workload(&records(r#"{"open": {"rate": "20/s"}}"#));
    let play = parts.play();
    let mut script = play.script();
    let (mut order, mut fetched) = (Vec::new(), BTreeMap::<_, u32>::new());
    while let Some(asked) = script.next() {
        match script.command(&asked) {
            node::Command::Kad(kad::Command { operation: kad::Operation::Put { target, .. }, .. })
                if !order.contains(target.key()) =>
            {
                order.push(*target.key());
            }
            // By then all names are settled.
            node::Command::Kad(kad::Command { operation: kad::Operation::Get(target), .. })
                if asked.at > Instant::START + Duration::from_mins(3) =>
            {
                *fetched.entry(*target.key()).or_default() += 1;
            }
            _ => {}
        }
    }
    let by_rank: Vec<_> = order.iter().map(|key| f64::from(fetched.get(key).copied().unwrap_or(0))).collect();
    let (whole, law): (f64, f64) = (by_rank.iter().sum(), (1..=100).map(|rank| 1.0 / f64::from(rank)).sum());
    for (rank, got) in by_rank.iter().enumerate().take(20) {
        let expected = whole / law / (rank as f64 + 1.0);
        assert!((got - expected).abs() < 4.5 * libm::sqrt(expected), "rank {rank}: {got} for {expected}");
    }
}

const PROVIDERS: &str = r#"{"providers": {"from": {"group": "g1"}, "by": {"group": "g0"}, "announces": {"open": {"rate": "1/s"}},
    "finds": {"open": {"rate": "3/s"}}, "enough": 7, "settle": "45s", "names": 40}}"#;

#[test]
fn what_is_looked_for_was_announced_by_those_who_provide() {
    let play = Parts::of(&[5, 40]).workload(PROVIDERS).play();
    let mut script = play.script();
    let (mut announced, mut times, mut finds) = (BTreeMap::new(), 0, 0);
    while let Some(asked) = script.next() {
        let node::Command::Kad(kad::Command { operation, .. }) = script.command(&asked) else { panic!() };
        match operation {
            kad::Operation::Announce(target) => {
                assert_eq!(play.roster().group_of(asked.peer), Some(0));
                assert_eq!(
                    (target.name().len(), &target.name()[..2]),
                    (34, &[0x12, 0x20][..]),
                    "a multihash"
                );
                announced.entry(*target.key()).or_insert(asked.at);
                times += 1;
            }
            kad::Operation::FindProviders { target, enough } => {
                assert_eq!((play.roster().group_of(asked.peer), enough), (Some(1), 7));
                assert!(announced[target.key()] + Duration::from_secs(45) <= asked.at);
                finds += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(announced.len(), 40);
    assert!(times > 1_000 && finds > 3_000);
}

#[test]
fn nobody_looks_for_a_client_nor_joins_through_one() {
    let lookups = r#"{"lookups": {"arrivals": {"open": {"rate": "2/s"}}, "target": "present_peer"}}"#;
    let closed = r#"{"lookups": {"arrivals": {"closed": {"clients": 3, "think": {"exponential": {"mean": "5s"}}}},
        "target": "present_peer"}}"#;
    let mut parts = Parts::of(&[5, 40]).workload(lookups).workload(closed);
    parts.groups[1].1.node.kad.mode = kad::Mode::Client;
    assert_eq!(play::clients(&parts.groups).collect::<Vec<_>>(), (5..45).collect::<Vec<_>>());
    assert_eq!(play::problems(&parts.inputs()), []);
    let play = parts.play();
    let servers: Vec<_> = (0..5).map(|peer| play.scene().book().keys()[peer]).collect();
    let mut script = play.script();
    let mut askers = std::collections::BTreeSet::new();
    while let Some(asked) = script.next() {
        let node::Command::Kad(command) = script.command(&asked) else { panic!() };
        let kad::Operation::Lookup(target) = command.operation else { panic!() };
        assert!(servers.contains(target.key()));
        askers.insert(asked.peer);
    }
    assert_eq!(askers.len(), 45, "clients ask as well");
    let mut stream = types::Streams::global(types::Seed(1), types::Domain::new("test"))
        .stream(types::Purpose::new("peer"), 0);
    let at = Instant::START + Duration::from_mins(1);
    for _ in 0..200 {
        assert!(play.scene().present_peer(at, 2, &mut stream).is_some_and(|peer| peer < 5 && peer != 2));
    }
    let (mut lives, mut contacts) = (play.lives(), Vec::new());
    while let Some(event) = lives.next() {
        play.contacts(&lives, &event, &mut contacts);
        assert!(contacts.len() == 3 && contacts.iter().all(|peer| *peer < 5));
    }
    for (_, group) in &mut parts.groups {
        group.node.kad.mode = kad::Mode::Client;
    }
    let codes: Vec<_> = play::problems(&parts.inputs()).into_iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["no_peers"], "nobody serves");
}
