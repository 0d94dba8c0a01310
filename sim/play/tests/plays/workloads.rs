//! Open and closed arrivals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::common::{MINUTES, Parts};
use node::Command;
use play::{Act, Asked, Client, Happening, OwnWorkload, Part, Scene, Serials, Subject};
use proptest::prelude::*;
use types::{Duration, Instant, Key};

const CHURN: &str = r#"{"churn": {"victims": {"group": "g1"}, "session": {"exponential": {"mean": "60s"}},
    "downtime": {"exponential": {"mean": "60s"}}, "begin": "1m", "end": "15m"}}"#;
const WALK: &str = r#"{"lookups": {"name": "walk", "from": {"group": "g1"}, "arrivals": {"open": {"rate": "2/s"}},
    "target": "present_peer", "begin": "2m", "end": "18m"}}"#;
const KEYS: &str = r#"{"lookups": {"from": {"mode": "percent", "value": "25%"}, "arrivals": {"open": {"rate": "1/s"}},
    "target": "random_key"}}"#;
const RECORDS: &str = r#"{"records": {"puts": {"open": {"rate": "1/s"}}, "gets": {"open": {"rate": "3/s"}},
    "value_size": "20 B", "settle": "45s", "keys": 40}}"#;

fn operation(command: Command) -> kad::Operation {
    match command {
        Command::Kad(command) => command.operation,
        Command::Leave => panic!("a workload asks for operations"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn arrivals_are_in_order_numbered_once_and_of_peers_that_are_up(seed in any::<u64>()) {
        let mut parts = Parts::of(&[5, 40]).fault(CHURN).workload(WALK).workload(KEYS).workload(RECORDS);
        parts.seed = seed;
        let play = parts.play();
        let mut script = play.script();
        let mut ids = BTreeSet::new();
        let mut first_stored: BTreeMap<Key, Instant> = BTreeMap::new();
        let (mut last, mut askers) = (Instant::START, BTreeSet::new());
        while let Some(asked) = script.next() {
            prop_assert!(asked.at >= last);
            last = asked.at;
            prop_assert!(ids.insert(asked.id));
            prop_assert!(play.lifecycle().is_up(asked.peer, asked.at));
            let (workload, part) = play::serial::workload_of(asked.id);
            match (workload, operation(script.command(&asked))) {
                (0, kad::Operation::Lookup(target)) => {
                    prop_assert_eq!(play.roster().group_of(asked.peer), Some(1));
                    let id = types::PeerId::from_bytes(target.name()).unwrap();
                    let book = types::Book::new(Arc::clone(play.scene().book()));
                    let sought = book.find(&id).unwrap().index().unwrap() as u32;
                    prop_assert!(sought != asked.peer && play.lifecycle().is_up(sought, asked.at));
                    let minute = asked.at.as_millis() / 60_000;
                    prop_assert!((2..18).contains(&minute));
                }
                (1, kad::Operation::Lookup(_)) => { askers.insert(asked.peer); }
                (2, kad::Operation::Put { target, value }) => {
                    prop_assert_eq!((part, value.len()), (Part::First, 20));
                    first_stored.entry(*target.key()).or_insert(asked.at);
                }
                (2, kad::Operation::Get(target)) => {
                    prop_assert_eq!(part, Part::Second);
                    let stored = first_stored.get(target.key()).copied();
                    prop_assert!(stored.is_some_and(|stored| stored + Duration::from_secs(45) <= asked.at));
                }
                (workload, operation) => prop_assert!(false, "workload {} asks {:?}", workload, operation),
            }
        }
        prop_assert_eq!(first_stored.len(), 40);
        prop_assert!(askers.len() <= 11, "a quarter of 45 asks, drawn once");
    }
}

#[test]
fn every_shard_reads_the_same_script() {
    let parts = Parts::of(&[5, 40]).fault(CHURN).workload(WALK).workload(KEYS).workload(RECORDS);
    let play = parts.play();
    let whole: Vec<Asked> = play.script().collect();
    assert!(whole.len() > 4_000);
    for shards in [2, 3] {
        let mut shared: Vec<Asked> = (0..shards)
            .flat_map(|shard| play.script().filter(move |asked| asked.peer % shards == shard))
            .collect();
        shared.sort_by_key(|asked| (asked.at, asked.id));
        let mut whole = whole.clone();
        whole.sort_by_key(|asked| (asked.at, asked.id));
        assert_eq!(shared, whole);
    }
}

#[test]
fn one_more_workload_moves_nothing_in_another() {
    let asked = |parts: Parts| -> Vec<_> {
        let play = parts.play();
        play.script()
            .map(|asked| (asked.at, asked.peer, asked.id))
            .filter(|(.., id)| id.0 >> 53 == 0)
            .collect()
    };
    let alone = asked(Parts::of(&[5, 40]).fault(CHURN).workload(WALK));
    assert!(!alone.is_empty());
    assert_eq!(alone, asked(Parts::of(&[5, 40]).fault(CHURN).workload(WALK).workload(RECORDS)));
}

#[test]
fn what_was_asked_for_is_what_arrives_when_everybody_is_up() {
    let play = Parts::of(&[5, 40]).workload(WALK).workload(RECORDS).play();
    let mut tallies = play.tallies().to_vec();
    for asked in play.script() {
        tallies.iter_mut().for_each(|tally| tally.begin(asked.id));
    }
    let [walk, puts, gets] = tallies.as_slice() else { panic!("{tallies:?}") };
    assert_eq!((walk.name.as_str(), walk.unit), ("walk", "operations"));
    assert_eq!((walk.asked, puts.asked), (Some(walk.got), Some(puts.got)));
    // 16 minutes at 2/s: four standard deviations of a Poisson count.
    assert!((walk.got as i64 - 1_920).abs() < 4 * 44, "{walk:?}");
    // For the first 45 seconds and a bit there was nothing to fetch.
    let missed = gets.asked.unwrap() - gets.got;
    assert!((100..200).contains(&missed), "{missed} fetches were passed over");
}

#[test]
fn arrivals_that_find_nobody_are_passed_over() {
    let everybody_crashes = r#"{"crash": {"victims": {}, "at": "5m"}}"#;
    let play = Parts::of(&[10]).fault(everybody_crashes).workload(&WALK.replace("g1", "g0")).play();
    let arrived = play.script().count() as u64;
    assert!(play.script().all(|asked| asked.at < Instant::START + Duration::from_mins(5)));
    assert!(arrived > 0 && arrived < play.tallies()[1].asked.unwrap());
}

const CLOSED: &str = r#"{"lookups": {"from": {"group": "g1"}, "arrivals": {"closed": {"clients": 6, "think": {"exponential": {"mean": "5s"}}}},
    "target": "present_peer", "begin": "2m"}}"#;

fn act(client: &mut dyn Client, at: Instant, happening: &Happening<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    client.act(at, happening, &mut acts);
    acts
}

fn due(acts: &[Act]) -> Instant {
    match acts {
        [Act::DueAt(due)] => *due,
        other => panic!("a client thinks: {other:?}"),
    }
}

fn asked(acts: &[Act]) -> types::OperationId {
    match acts {
        [Act::Ask(command)] => command.operation().unwrap(),
        other => panic!("a client asks: {other:?}"),
    }
}

#[test]
fn clients_sit_on_peers_of_their_own_while_there_are_enough() {
    let seats = |peers: u32| -> Vec<usize> {
        let play = Parts::of(&[3, peers]).workload(CLOSED).play();
        (0..peers + 3).map(|peer| play.clients_of(peer).len()).collect()
    };
    assert_eq!(seats(20).iter().filter(|clients| **clients == 1).count(), 6);
    assert_eq!(seats(20)[..3], [0, 0, 0]);
    assert_eq!(seats(2), [0, 0, 0, 3, 3]);
}

#[test]
fn a_client_waits_for_its_answer_and_thinks_before_it_asks_again() {
    let play = Parts::of(&[3, 6]).workload(CLOSED).play();
    let mut clients = play.clients_of(5);
    let client = clients[0].as_mut();
    let report = kad::LookupReport::default();
    let ended = |id| Happening::Ended { id, outcome: &kad::Outcome::Found, report: &report };
    let begin = Instant::START + Duration::from_mins(2);
    let first_due = due(&act(client, Instant::START, &Happening::PeerUp));
    assert!(first_due > begin, "the window begins at two minutes");
    assert_eq!(act(client, begin, &Happening::Due), [], "not yet due");
    let first = asked(&act(client, first_due, &Happening::Due));
    assert_eq!(act(client, first_due, &Happening::Due), [], "it waits");
    assert_eq!(act(client, first_due, &ended(types::OperationId(u64::MAX))), [], "somebody else's");
    let second_due = due(&act(client, first_due + Duration::from_secs(1), &ended(first)));
    assert!(second_due > first_due + Duration::from_secs(1));
    let second = asked(&act(client, second_due, &Happening::Due));
    assert_ne!(first, second);
    // Its peer goes down with the question, and comes back: it starts over.
    assert_eq!(act(client, second_due, &Happening::PeerDown), []);
    let back = second_due + Duration::from_mins(1);
    let third_due = due(&act(client, back, &Happening::PeerUp));
    assert_eq!(act(client, back, &ended(second)), [], "an answer to a question of an earlier life");
    let third = asked(&act(client, third_due, &Happening::Due));
    assert_eq!(play::serial::client_of(third), play::serial::client_of(first));
    // After the window's end it is silent.
    let end = Instant::START + Duration::from_mins(MINUTES);
    assert_eq!(act(client, end, &ended(third)), []);
}

#[test]
fn a_tally_of_clients_counts_each_once() {
    let play = Parts::of(&[3, 6]).workload(CLOSED).play();
    let mut tally = play.tallies()[0].clone();
    assert_eq!((tally.unit, tally.asked), ("clients", Some(6)));
    for client in [0, 1] {
        let mut serials = Serials::client(0, Part::First, client);
        (0..5).for_each(|_| tally.begin(serials.issue()));
    }
    assert_eq!(tally.got, 2);
}

#[test]
fn clients_fetch_only_what_has_settled() {
    let records = RECORDS.replace(
        r#""gets": {"open": {"rate": "3/s"}}"#,
        r#""gets": {"closed": {"clients": 4, "think": {"exponential": {"mean": "1s"}}}}"#,
    );
    let play = Parts::of(&[4]).workload(&records).play();
    let mut stored: BTreeMap<Key, Instant> = BTreeMap::new();
    let mut script = play.script();
    while let Some(asked) = script.next() {
        if let kad::Operation::Put { target, .. } = operation(script.command(&asked)) {
            stored.entry(*target.key()).or_insert(asked.at);
        }
    }
    let mut fetched = BTreeSet::new();
    for peer in 0..4 {
        let mut clients = play.clients_of(peer);
        let client = clients[0].as_mut();
        let mut at = due(&act(client, Instant::START, &Happening::PeerUp));
        while at < Instant::START + Duration::from_mins(10) {
            match act(client, at, &Happening::Due).as_slice() {
                [Act::Ask(command)] => {
                    let kad::Operation::Get(target) = operation(command.clone()) else {
                        panic!("{command:?}")
                    };
                    assert!(stored[target.key()] + Duration::from_secs(45) <= at);
                    fetched.insert(*target.key());
                    let (id, report) = (command.operation().unwrap(), kad::LookupReport::default());
                    let ended = Happening::Ended { id, outcome: &kad::Outcome::NotFound, report: &report };
                    at = due(&act(client, at, &ended));
                }
                // Nothing has settled yet: it thinks again.
                [Act::DueAt(later)] => at = *later,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(fetched.len() > 30, "all names are asked for in time, {} were", fetched.len());
}

#[derive(Debug)]
struct Pings;

#[derive(Debug)]
struct Ping(Serials);

impl OwnWorkload for Pings {
    fn name(&self) -> &str {
        "pings"
    }
    fn asked(&self) -> Option<u64> {
        Some(2)
    }
    fn clients_of(&self, peer: u32, workload: u16, _: &Arc<Scene>) -> Vec<Box<dyn Client>> {
        if peer < 2 { vec![Box::new(Ping(Serials::client(workload, Part::First, peer)))] } else { Vec::new() }
    }
}

impl Client for Ping {
    fn act(&mut self, _: Instant, happening: &Happening<'_>, out: &mut Vec<Act>) {
        if let Happening::PeerUp = happening {
            let operation = kad::Operation::Lookup(Arc::new(kad::Target::new(b"ping")));
            out.push(Act::Ask(Command::Kad(kad::Command { id: self.0.issue(), operation })));
        }
    }
}

#[test]
fn a_user_s_own_workload_plays_beside_the_plan_s() {
    let mut play = Parts::of(&[3, 6]).workload(WALK).workload(CLOSED).play();
    assert_eq!(play.add(Box::new(Pings)), 2);
    assert_eq!(
        (0..9).filter(|peer| play.clients_of(*peer).len() == 1).count(),
        8,
        "two own and six of the plan's"
    );
    let mut clients = play.clients_of(1);
    let id = asked(&act(clients[0].as_mut(), Instant::START, &Happening::PeerUp));
    let mut tallies = play.tallies().to_vec();
    tallies.iter_mut().for_each(|tally| tally.begin(id));
    let got: Vec<_> = tallies.iter().map(|tally| (tally.subject, tally.got)).collect();
    assert_eq!(got.last(), Some(&(Subject::Workload(2, Part::First), 1)));
    assert!(got[..2].iter().all(|(_, got)| *got == 0));
}
