//! The judgement does not depend on how peers are spread over shards.

use std::sync::Arc;

use judge::{
    CheckResult, Checker, End, Evidence, Fact, Findings, Judgement, Moment, Plan, Probe, Sight, Status,
    Timeline, Watch, When,
};
use node::{Command, Event};
use play::Play;
use proptest::prelude::*;
use types::mix::mix;
use types::{Duration, Instant};

use crate::common::*;

/// Watches everything and finds whatever a hash says.
#[derive(Debug)]
struct Gossip;

impl Probe for Gossip {
    fn watches(&self) -> &[Watch] {
        &[Watch::Samples, Watch::Events, Watch::Operations]
    }
    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        let sight = match &moment.sight {
            Sight::Sample(sample) => sample.queue as u64,
            Sight::Event(_) => 1,
            Sight::Operation(operation) => operation.id.0 ^ u64::from(operation.hits),
        };
        // What it makes of a moment depends on all that a probe may know.
        let since = moment.up_since.map_or(7, Instant::as_nanos);
        let online = u64::from(moment.oracle.online());
        match mix(mix(sight ^ since, online), moment.at.as_nanos() ^ u64::from(moment.peer)) % 9 {
            0 => Some(Fact::Violated(format!("gossip of {}", moment.peer))),
            1 => Some(Fact::Reached),
            2 => Some(Fact::Unserved),
            3..6 => Some(Fact::Ratio { hits: moment.peer, of: PEERS }),
            6 => Some(Fact::Holds),
            _ => None,
        }
    }
}

impl Checker for Gossip {
    fn name(&self) -> &str {
        "gossip"
    }
    fn when(&self) -> When {
        When::Sometimes
    }
    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(Self))
    }
    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let detail = format!("{:?}", evidence.facts);
        CheckResult {
            name: "gossip".into(),
            when: When::Sometimes,
            status: Status::Pass,
            detail,
            at: None,
            peer: None,
        }
    }
}

fn busy_play() -> Arc<Play> {
    play_of(&[LOOKUPS, RECORDS, PROVIDERS], &[CHURN])
}

fn busy_plan(play: &Arc<Play>) -> Plan {
    let checks = r#"{"always": ["queues_bounded", "buckets_well_formed"], "sometimes": ["lookup_met_dead_peer"],
        "eventually": {"within": "2m", "hold": ["stored_records_found", "providers_found", "routing_converged"]}}"#;
    let thresholds = r#"{"lookup.success_ratio": ">= 50%", "lookup.latency": ["p50 < 1s", "mean < 1s"],
        "record.get_success_ratio": ">= 10%", "provider.recall": "mean > 10%", "messages.sent": "> 100", "peers.online": "min >= 5"}"#;
    let mut plan = plan_of(checks, thresholds, play);
    plan.add(Box::new(Gossip));
    plan
}

/// Peers who do anything, as a hash says.
fn whim(play: &Arc<Play>, seed: u64) -> impl Fn(u32, &Command, Instant) -> Option<(Instant, Event)> {
    let (play, stored) = (Arc::clone(play), Stored::of(play));
    move |peer, command, at| {
        let Command::Kad(kad::Command { id, operation }) = command else { return None };
        let whim = mix(seed, id.0);
        let at = at + Duration::from_millis(whim % 20_000);
        let outcome = match (operation, whim >> 40 & 7) {
            (_, 0) => return None,
            (_, 1) => kad::Outcome::Busy,
            (kad::Operation::Lookup(_), _) => kad::Outcome::Found,
            (kad::Operation::Put { .. }, whim) => {
                kad::Outcome::Stored { acknowledged: whim as u16 * 3, asked: 20 }
            }
            (kad::Operation::Get(_), 2) => kad::Outcome::NotFound,
            (kad::Operation::Get(target), 3) => value_of(target, b"forged"),
            (kad::Operation::Get(target), _) => stored.value(target),
            (kad::Operation::Announce(_), whim) => kad::Outcome::Announced { told: whim as u16 - 2 },
            (kad::Operation::FindProviders { .. }, 2) => kad::Outcome::NotFound,
            (kad::Operation::FindProviders { .. }, _) => kad::Outcome::Providers,
        };
        let mut closest = match operation {
            kad::Operation::Lookup(target) => closest_online(&play, target.key(), peer, at),
            kad::Operation::FindProviders { target, .. } => providers_of(&play, target.key(), at),
            _ => Vec::new(),
        };
        closest.retain(|peer| !mix(whim, u64::from(*peer)).is_multiple_of(5));
        Some((at, ended(*id, outcome, &closest, (whim % 3) as u32)))
    }
}

fn judged(play: &Arc<Play>, plan: &Plan, seed: u64, shard_of: &[usize], reversed: bool) -> Judgement {
    let answer = whim(play, seed);
    let queue = |peer: u32, at: Instant| (mix(u64::from(peer), at.as_nanos()) % 200) as usize;
    // Every peer knows some others, except a few that have no DHT.
    let knows =
        |peer: u32, other: u32| peer != other && !mix(u64::from(peer), u64::from(other)).is_multiple_of(3);
    let tables: Vec<_> = (0..PEERS)
        .map(|peer| (peer % 9 > 0).then(|| kad_of(peer, (0..PEERS).filter(|other| knows(peer, *other)))))
        .collect();
    let kad = |peer: u32| tables[peer as usize].as_ref();
    let acting = Acting { answer: &answer, queue: &queue, kad: &kad, order: u64::from(reversed) };
    let shards = shard_of.iter().max().unwrap() + 1;
    let mut findings: Vec<Findings> =
        (0..shards).map(|shard| act(plan, play, &acting, |peer| shard_of[peer as usize] == shard)).collect();
    if reversed {
        findings.reverse();
    }
    plan.conclude(findings, &whole())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_division_of_the_peers_gives_the_same_judgement(
        seed in any::<u64>(),
        shard_of in proptest::collection::vec(0..5usize, PEERS as usize),
        reversed in any::<bool>(),
    ) {
        let play = busy_play();
        let plan = busy_plan(&play);
        let alone = judged(&play, &plan, seed, &[0; PEERS as usize], false);
        let shared = judged(&play, &plan, seed, &shard_of, reversed);
        prop_assert_eq!(&alone.operations, &shared.operations);
        prop_assert_eq!(&alone.series, &shared.series);
        prop_assert_eq!(alone, shared);
    }
}

#[test]
fn the_comparison_sees_a_different_run() {
    let play = busy_play();
    let plan = busy_plan(&play);
    let alone = [0; PEERS as usize];
    let (one, other) = (judged(&play, &plan, 1, &alone, false), judged(&play, &plan, 2, &alone, false));
    assert_ne!(one.series, other.series);
    assert!(one.operations.len() > 2_000 && one.series.len() > 500, "{} operations", one.operations.len());
    for end in [End::Ok, End::Failed, End::Abandoned, End::Unfinished] {
        assert!(one.operations.iter().any(|operation| operation.end == end), "none is {end:?}");
    }
    let levels = |name: &str| {
        one.series.iter().filter(|row| row.metric == name).map(|row| row.value).collect::<Vec<_>>()
    };
    assert!(levels("kad.contacts").iter().all(|contacts| *contacts > 10.0 && *contacts < 40.0));
    let stale = levels("kad.stale_ratio");
    assert!(stale.len() == 60 && stale.iter().any(|share| *share > 0.1 && *share < 1.0), "{stale:?}");
    let converged = one.verdict.checks.iter().find(|check| check.name == "routing_converged").unwrap();
    assert!(
        converged.status == Status::Fail && converged.detail.starts_with("tables hold "),
        "{converged:?}"
    );
    let gossip = &one.verdict.checks.last().unwrap().detail;
    assert!(gossip.contains("gossip of") && gossip.len() > 5_000, "facts of every kind: {gossip}");
}

#[test]
fn series_are_in_order_and_counters_only_grow() {
    let play = busy_play();
    let judgement = judged(&play, &busy_plan(&play), 3, &[0; PEERS as usize], false);
    let order: Vec<_> = judgement.series.iter().map(|row| row.at).collect();
    assert!(order.is_sorted());
    let of = |name: &str| -> Vec<f64> {
        judgement.series.iter().filter(|row| row.metric == name).map(|row| row.value).collect()
    };
    assert_eq!(of("peers.online").len(), 60);
    for counter in ["messages.sent", "messages.sent_bytes", "lookup.count"] {
        assert!(of(counter).is_sorted() && of(counter).last() > of(counter).first(), "{counter}");
    }
    assert!(of("lookup.success_ratio").iter().all(|share| (0.0..=1.0).contains(share)));
    // Online is what the plan says, at each sampling instant, before what happens on it.
    for (sample, online) in (1..).zip(of("peers.online")) {
        let before = secs(10 * sample) - Duration::from_nanos(1);
        let up = (0..PEERS).filter(|peer| play.lifecycle().is_up(*peer, before)).count();
        assert_eq!(online, up as f64, "at {before}");
    }
}
