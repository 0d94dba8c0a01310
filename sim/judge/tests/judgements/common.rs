//! Small plays, and runs of them without a network: peers answer as they are told to.

use std::sync::Arc;

use judge::plan::{Checks, Observe, Thresholds};
use judge::{Circumstances, Findings, Judgement, Observer, Plan, Traffic};
use node::{Command, Event, View};
use play::plan::{Fault, Group, Workload};
use play::{Inputs, Play};
use types::mix::mix;
use types::{Book, Domain, Duration, Instant, Key, OperationId, PeerId, PeerRef, Seed, SharedBook, Streams};

pub(crate) const PEERS: u32 = 40;
pub(crate) const RUN: Duration = Duration::from_mins(10);
pub(crate) const GAP: Duration = Duration::from_secs(10);

pub(crate) fn secs(secs: u64) -> Instant {
    Instant::START + Duration::from_secs(secs)
}

pub(crate) fn book(peers: u32) -> Arc<SharedBook> {
    let id = |number: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key)
    };
    Arc::new(SharedBook::new((0..peers).map(id).collect()))
}

pub(crate) const LOOKUPS: &str =
    r#"{"lookups": {"arrivals": {"open": {"rate": "2/s"}}, "target": "present_peer"}}"#;
pub(crate) const RECORDS: &str = r#"{"records": {"puts": {"open": {"rate": "1/s"}}, "gets": {"open": {"rate": "2/s"}}, "settle": "10s", "keys": 20}}"#;
pub(crate) const PROVIDERS: &str = r#"{"providers": {"announces": {"open": {"rate": "1/s"}}, "finds": {"open": {"rate": "1/s"}}, "settle": "10s", "names": 20}}"#;
pub(crate) const CHURN: &str = r#"{"churn": {"session": {"exponential": {"mean": "60s"}}, "downtime": {"exponential": {"mean": "30s"}}, "end": "5m"}}"#;

pub(crate) fn play_of(workloads: &[&str], faults: &[&str]) -> Arc<Play> {
    let workloads: Vec<Workload> = workloads.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let faults: Vec<Fault> = faults.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let inputs = Inputs {
        groups: &[("all".into(), Group::of(PEERS))],
        workloads: &workloads,
        faults: &faults,
        duration: RUN,
        warmup: Duration::from_mins(1),
        seed: Seed(7),
    };
    Arc::new(Play::new(&inputs, &book(PEERS)))
}

pub(crate) fn plan_of(checks: &str, thresholds: &str, play: &Arc<Play>) -> Plan {
    let checks: Checks = serde_json::from_str(checks).unwrap();
    let thresholds: Thresholds = serde_json::from_str(thresholds).unwrap();
    Plan::new(&checks, &thresholds, &Observe { sample_every: Some(GAP), events: None }, play)
}

/// What an operation comes to, and when.
pub(crate) type Answer<'a> = dyn Fn(u32, &Command, Instant) -> Option<(Instant, Event)> + 'a;

/// How a run is played: what each operation comes to, and what peers look like.
pub(crate) struct Acting<'a> {
    /// The answer to a command of a peer, and when it comes.
    pub(crate) answer: &'a Answer<'a>,
    /// The queue of a peer at a sampling instant.
    pub(crate) queue: &'a dyn Fn(u32, Instant) -> usize,
    /// The DHT of a peer.
    pub(crate) kad: &'a dyn Fn(u32) -> Option<&'a kad::Kad>,
    /// Peers are looked at in an order that follows from this; unless it is 0, findings are told in parts.
    pub(crate) order: u64,
}

/// Plays the peers that `own` picks and observes them, as a shard of a stage does.
pub(crate) fn act(plan: &Plan, play: &Arc<Play>, acting: &Acting<'_>, own: impl Fn(u32) -> bool) -> Findings {
    enum Told {
        Sample,
        Life(play::LifeEvent),
        Asked(Command, u32),
        Event(Event, u32),
        Abandoned(OperationId, u32),
    }
    let end = Instant::START + RUN;
    let mut told: Vec<(Instant, u8, u64, Told)> = Vec::new();
    for sample in 1..=RUN.as_nanos() / GAP.as_nanos() {
        told.push((Instant::START + GAP.saturating_mul(sample), 0, 0, Told::Sample));
    }
    for event in play.lives().filter(|event| own(event.peer)) {
        told.push((event.at, 1, u64::from(event.peer), Told::Life(event)));
    }
    let mut script = play.script();
    while let Some(asked) = script.next() {
        if !own(asked.peer) {
            continue;
        }
        let command = script.command(&asked);
        let mut ends = (acting.answer)(asked.peer, &command, asked.at).filter(|(at, _)| *at < end);
        let gone =
            play.lives().find(|event| event.peer == asked.peer && event.at > asked.at && !event.is_up());
        if let Some(gone) = gone.filter(|gone| ends.as_ref().is_none_or(|(at, _)| gone.at <= *at)) {
            ends = None;
            told.push((gone.at, 1, u64::from(asked.peer), Told::Abandoned(asked.id, asked.peer)));
        }
        told.push((asked.at, 2, asked.id.0, Told::Asked(command, asked.peer)));
        told.extend(ends.map(|(at, event)| (at, 3, asked.id.0, Told::Event(event, asked.peer))));
    }
    told.sort_by_key(|(at, rank, order, _)| (*at, *rank, *order));
    let (mut observer, mut whole) = (Observer::new(plan), plan.nothing());
    let (mut sent, book) = (0, Book::new(Arc::clone(play.scene().book())));
    let mut peers: Vec<u32> = (0..PEERS).filter(|peer| own(*peer)).collect();
    peers.sort_by_key(|peer| mix(acting.order, u64::from(*peer)));
    for (at, _, _, what) in told {
        match what {
            Told::Sample => {
                observer.sampled(at, Traffic { sent, sent_bytes: 100 * sent, dropped: sent / 10 * 10 / 10 });
                for &peer in &peers {
                    if observer.is_online(peer) {
                        let view = View { kad: (acting.kad)(peer) };
                        observer.sample(at, peer, view, &book, (acting.queue)(peer, at));
                    }
                }
                if acting.order > 0 {
                    whole.merge(observer.so_far());
                }
            }
            Told::Life(event) => observer.life(&event),
            Told::Asked(command, peer) => {
                sent += 10;
                observer.begin(at, peer, &command);
            }
            Told::Event(event, peer) => observer.event(at, peer, &event),
            Told::Abandoned(id, peer) => observer.abandoned(at, peer, id),
        }
    }
    whole.merge(observer.close(end));
    whole
}

/// Plays all peers on one shard and judges.
pub(crate) fn judge(plan: &Plan, play: &Arc<Play>, acting: &Acting<'_>) -> Judgement {
    plan.conclude([act(plan, play, acting, |_| true)], &whole())
}

/// A run to its end, in which nothing else happened.
pub(crate) fn whole() -> Circumstances<'static> {
    Circumstances { ended: Instant::START + RUN, ..Circumstances::default() }
}

/// An operation that ended; `closest` are the providers that it found, if it looked for some.
pub(crate) fn ended(id: OperationId, outcome: kad::Outcome, closest: &[u32], timeouts: u32) -> Event {
    let named: Box<[PeerRef]> = closest.iter().copied().map(PeerRef::shared).collect();
    let (closest, providers) = match outcome {
        kad::Outcome::Providers => (Box::default(), named),
        _ => (named, Box::default()),
    };
    let report =
        kad::LookupReport { closest, messages: 9, timeouts, hops: 3, known_in_round: None, providers };
    Event::Kad(kad::Event::OperationEnded { id, report: Box::new(report), outcome })
}

/// What clients first ask to be stored under each name.
#[derive(Debug)]
pub(crate) struct Stored(Vec<(Key, Box<[u8]>)>);

impl Stored {
    pub(crate) fn of(play: &Play) -> Self {
        let (mut stored, mut script) = (Vec::<(Key, Box<[u8]>)>::new(), play.script());
        while let Some(asked) = script.next() {
            let Command::Kad(command) = script.command(&asked) else { continue };
            if let kad::Operation::Put { target, value } = command.operation
                && stored.iter().all(|(key, _)| key != target.key())
            {
                stored.push((*target.key(), value));
            }
        }
        Self(stored)
    }

    /// The outcome of a GET that finds it.
    pub(crate) fn value(&self, target: &kad::Target) -> kad::Outcome {
        let (_, value) = self.0.iter().find(|(key, _)| key == target.key()).unwrap();
        value_of(target, value)
    }
}

/// The outcome of a GET of `target` that finds `value`.
pub(crate) fn value_of(target: &kad::Target, value: &[u8]) -> kad::Outcome {
    let (target, value) = (target.clone(), value.into());
    kad::Outcome::Value(Arc::new(kad::Record { target, value, publisher: None, ttl_secs: 60 }))
}

/// A DHT that knows `contacts`.
pub(crate) fn kad_of(peer: u32, contacts: impl Iterator<Item = u32>) -> kad::Kad {
    let book = Book::new(book(PEERS));
    let streams = Streams::new(Seed(1), Domain::new("test"), types::Digest(u64::from(peer)), 0);
    let contacts: Vec<_> = contacts.map(PeerRef::shared).collect();
    let config = kad::Config::default();
    kad::Kad::new(PeerRef::shared(peer), config, streams, kad::Start::Filled, &contacts, Vec::new(), &book)
}

/// Peers who find everything after 300 ms: the truth, from the plan itself.
pub(crate) fn perfect(play: &Arc<Play>) -> impl Fn(u32, &Command, Instant) -> Option<(Instant, Event)> {
    let (play, stored) = (Arc::clone(play), Stored::of(play));
    move |peer, command, at| {
        let Command::Kad(kad::Command { id, operation }) = command else { panic!("{command:?}") };
        let at = at + Duration::from_millis(300);
        let event = match operation {
            kad::Operation::Lookup(target) => {
                ended(*id, kad::Outcome::Found, &closest_online(&play, target.key(), peer, at), 0)
            }
            kad::Operation::Put { .. } => {
                ended(*id, kad::Outcome::Stored { acknowledged: 15, asked: 20 }, &[], 0)
            }
            kad::Operation::Get(target) => ended(*id, stored.value(target), &[], 0),
            kad::Operation::Announce(_) => ended(*id, kad::Outcome::Announced { told: 20 }, &[], 0),
            kad::Operation::FindProviders { target, .. } => {
                ended(*id, kad::Outcome::Providers, &providers_of(&play, target.key(), at), 0)
            }
        };
        Some((at, event))
    }
}

/// Who was asked to announce what has this key before `at`, once each.
pub(crate) fn providers_of(play: &Play, key: &Key, at: Instant) -> Vec<u32> {
    let mut script = play.script();
    let mut providers = Vec::new();
    while let Some(asked) = script.next().filter(|asked| asked.at < at) {
        let announces = matches!(script.command(&asked),
            Command::Kad(kad::Command { operation: kad::Operation::Announce(target), .. }) if target.key() == key);
        if announces && !providers.contains(&asked.peer) {
            providers.push(asked.peer);
        }
    }
    providers
}

/// The 20 closest peers that are up, by brute force.
pub(crate) fn closest_online(play: &Play, key: &Key, except: u32, at: Instant) -> Vec<u32> {
    let keys = play.scene().book().keys();
    let mut all: Vec<u32> =
        (0..PEERS).filter(|peer| *peer != except && play.lifecycle().is_up(*peer, at)).collect();
    all.sort_by_key(|peer| keys[*peer as usize].distance(key));
    all.truncate(20);
    all
}

pub(crate) fn idle(_: u32, _: Instant) -> usize {
    0
}

pub(crate) const fn no_kad<'a>(_: u32) -> Option<&'a kad::Kad> {
    None
}
