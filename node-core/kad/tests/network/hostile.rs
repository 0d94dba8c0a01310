//! One peer among strangers who send anything in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kad::{
    Announcement, Command, Config, Context, Effects, Event, Kad, MAX_LOOKUPS, MAX_WRITES, Mode, Operation,
    Providers, Record, RecordChange, Request, Response, Start,
};
use proptest::collection::vec;
use proptest::prelude::*;
use types::{
    Book, Domain, Duration, ExchangeId, Instant, Now, OperationId, PeerRef, Seed, SendFailure, Size,
    StoreFailure, Streams, UnixMillis, Work, WriteId,
};

use crate::ring::{book, peer, target};

const PEERS: u32 = 60;

#[derive(Clone, Debug)]
enum Step {
    Ask(u32, u8, u8),
    /// By whom, of what, whom it names.
    Tell(u32, u8, Vec<u32>),
    /// By whom, to which of the open exchanges (if any), with what.
    Answer(u32, usize, u8, Vec<u32>),
    /// The peer that was asked answers.
    AnswerRightly(usize, Vec<u32>),
    Fail(usize, bool),
    Close(u32),
    Persisted(u64, bool),
    Command(u8, u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    // Some references lead nowhere.
    let anybody = || 0..PEERS + 5;
    prop_oneof![
        3 => (anybody(), 0..4u8, any::<u8>()).prop_map(|(from, kind, name)| Step::Ask(from, kind, name)),
        2 => (anybody(), any::<u8>(), vec(anybody(), 0..3))
            .prop_map(|(from, name, named)| Step::Tell(from, name, named)),
        1 => (anybody(), any::<usize>(), 0..4u8, vec(anybody(), 0..8))
            .prop_map(|(from, at, kind, named)| Step::Answer(from, at, kind, named)),
        5 => (any::<usize>(), vec(anybody(), 0..8)).prop_map(|(at, named)| Step::AnswerRightly(at, named)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(at, queue)| Step::Fail(at, queue)),
        1 => anybody().prop_map(Step::Close),
        1 => (0..40u64, any::<bool>()).prop_map(|(write, sound)| Step::Persisted(write, sound)),
        1 => (0..5u8, any::<u8>()).prop_map(|(kind, name)| Step::Command(kind, name)),
        1 => (0..10_000_000_000_000u64).prop_map(Step::Wait),
    ]
}

fn configs() -> impl Strategy<Value = Config> {
    (1..6u16, 1..4u16, 1..5u16, 0..3u16, 1..3u8, any::<bool>()).prop_map(
        |(k, alpha, disjoint_paths, replacement_cache, max_failures, serves)| Config {
            mode: if serves { Mode::Server } else { Mode::Client },
            k,
            alpha,
            disjoint_paths,
            replacement_cache,
            max_failures,
            replication: 3,
            max_records: 4,
            max_record_size: Size::from_bytes(200),
            record_ttl: Duration::from_mins(50),
            provider_ttl: Duration::from_mins(40),
            announce_interval: Duration::from_mins(30),
            max_provided: 3,
            max_providers: 2,
            ..Config::default()
        },
    )
}

/// The peer, and all that it wanted done.
struct Bench {
    kad: Kad,
    book: Book,
    now: Instant,
    wants: Wants,
    operations: u64,
}

#[derive(Default)]
struct Wants {
    open: BTreeMap<ExchangeId, (PeerRef, Request)>,
    count: u32,
    writes: u64,
    ended: BTreeSet<OperationId>,
    log: Vec<String>,
}

impl Effects for Wants {
    fn request(&mut self, to: PeerRef, request: Request, _: Duration) -> ExchangeId {
        let exchange = ExchangeId { opener: peer(0), incarnation: 0, count: self.count };
        self.count += 1;
        assert_ne!(to, peer(0), "nobody asks itself");
        self.log.push(format!("ask {to:?} {request:?}"));
        self.open.insert(exchange, (to, request));
        exchange
    }
    fn answer(&mut self, to: PeerRef, exchange: ExchangeId, response: Response) {
        self.log.push(format!("answer {to:?} {exchange:?} {response:?}"));
    }
    fn refuse(&mut self, to: PeerRef, exchange: ExchangeId) {
        self.log.push(format!("refuse {to:?} {exchange:?}"));
    }
    fn notify(&mut self, to: PeerRef, announcement: Arc<Announcement>) {
        assert_eq!(*announcement.providers, [peer(0)], "a peer speaks for itself");
        self.log.push(format!("tell {to:?} {announcement:?}"));
    }
    fn persist(&mut self, change: RecordChange) -> WriteId {
        self.writes += 1;
        self.log.push(format!("persist {change:?}"));
        WriteId(self.writes - 1)
    }
    fn event(&mut self, event: Event) {
        self.log.push(format!("{event:?}"));
        if let Event::OperationEnded { id, .. } = event {
            assert!(self.ended.insert(id), "an operation ends once");
        }
    }
    fn charge(&mut self, _: Work) {}
}

impl Bench {
    fn new(config: Config) -> Self {
        let book = book(PEERS);
        let streams = Streams::new(Seed(1), Domain::new("kad"), book.digest(peer(0)), 0);
        let contacts: Vec<_> = (0..10).map(peer).collect();
        let kad = Kad::new(peer(0), config, streams, Start::Join, &contacts, Vec::new(), &book);
        let mut bench = Self { kad, book, now: Instant::START, wants: Wants::default(), operations: 0 };
        bench.with(|kad, cx| kad.start(cx));
        bench
    }

    fn with(&mut self, call: impl FnOnce(&mut Kad, &mut Context<'_, Wants>)) {
        let now = Now { instant: self.now, unix: UnixMillis(0) };
        let mut cx = Context { now, book: &self.book, effects: &mut self.wants };
        call(&mut self.kad, &mut cx);
        assert_eq!(self.kad.check(&self.book), Ok(()));
        assert_eq!(self.kad.requests_in_flight(), self.wants.open.len());
        assert!(self.kad.lookups_in_flight() <= MAX_LOOKUPS);
    }

    fn exchange(&self, at: usize) -> Option<ExchangeId> {
        let at = at.checked_rem(self.wants.open.len())?;
        self.wants.open.keys().nth(at).copied()
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Ask(from, kind, name) => {
                let exchange = ExchangeId { opener: peer(from), incarnation: 0, count: u32::from(name) };
                let request = match kind {
                    0 => Request::FindNode(target(&format!("{name}"))),
                    1 => Request::GetValue(target(&format!("{}", name % 8))),
                    2 => Request::GetProviders(target(&format!("{}", name % 8))),
                    _ => Request::PutValue(record(name)),
                };
                self.with(|kad, cx| kad.request(cx, peer(from), exchange, request));
            }
            Step::Tell(from, name, named) => {
                let providers = named.into_iter().map(peer).collect();
                let announcement = Announcement { target: target(&format!("{}", name % 8)), providers };
                self.with(|kad, cx| kad.notice(cx, peer(from), &announcement));
            }
            Step::Answer(from, at, kind, named) => {
                let stray = ExchangeId { opener: peer(0), incarnation: 9, count: 0 };
                let exchange = self.exchange(at).unwrap_or(stray);
                if self.wants.open.get(&exchange).is_some_and(|(asked, _)| *asked == peer(from)) {
                    self.wants.open.remove(&exchange);
                }
                let response = response(kind, at as u8, named);
                self.with(|kad, cx| kad.response(cx, peer(from), exchange, response));
            }
            Step::AnswerRightly(at, named) => {
                let Some(exchange) = self.exchange(at) else {
                    return;
                };
                let (from, request) = self.wants.open.remove(&exchange).unwrap();
                let closer: Box<[PeerRef]> = named.into_iter().map(peer).collect();
                let response = match request {
                    Request::FindNode(_) => Response::Nodes(closer),
                    Request::PutValue(record) => Response::Stored(record),
                    Request::GetValue(_) => Response::Value { record: None, closer },
                    Request::GetProviders(_) => {
                        let providers = closer.iter().rev().copied().collect();
                        Response::Providers(Box::new(Providers { providers, closer }))
                    }
                };
                self.with(|kad, cx| kad.response(cx, from, exchange, response));
            }
            Step::Fail(at, queue) => {
                let Some(exchange) = self.exchange(at) else {
                    return;
                };
                self.wants.open.remove(&exchange);
                let reason = if queue { SendFailure::QueueFull } else { SendFailure::Timeout };
                self.with(|kad, cx| kad.failed(cx, exchange, reason));
            }
            Step::Close(other) => self.with(|kad, cx| kad.closed(cx, peer(other))),
            Step::Persisted(write, sound) => {
                let result = if sound { Ok(()) } else { Err(StoreFailure::Full) };
                self.with(|kad, cx| kad.persisted(cx, WriteId(write), result));
            }
            Step::Command(kind, name) => {
                let id = OperationId(self.operations);
                self.operations += 1;
                let target = target(&format!("{}", name % 8));
                let operation = match kind {
                    0 => Operation::Lookup(target),
                    1 => Operation::Get(target),
                    2 => Operation::Announce(target),
                    3 => Operation::FindProviders { target, enough: u16::from(name) },
                    _ => Operation::Put { target, value: Box::new([name]) },
                };
                self.with(|kad, cx| kad.command(cx, Command { id, operation }));
            }
            Step::Wait(nanos) => {
                self.now += Duration::from_nanos(nanos);
                if self.kad.next_deadline().is_some_and(|at| at <= self.now) {
                    self.with(|kad, cx| kad.deadline(cx));
                }
            }
        }
        let next = self.kad.next_deadline();
        assert!(next.is_some_and(|at| at > self.now) || self.is_overdue(), "what is due is done");
    }

    /// Time may have passed a deadline that nobody called yet: then calling it moves it into the future.
    fn is_overdue(&mut self) -> bool {
        self.with(|kad, cx| kad.deadline(cx));
        self.kad.next_deadline().is_some_and(|at| at > self.now)
    }

    /// Lets every request fail, until all operations have ended.
    fn drain(&mut self) {
        for _ in 0..100_000 {
            if self.wants.ended.len() as u64 == self.operations {
                return;
            }
            self.apply(Step::Fail(0, false));
        }
        panic!("operations did not end");
    }
}

fn record(name: u8) -> Arc<Record> {
    Arc::new(Record {
        target: (*target(&format!("{}", name % 8))).clone(),
        value: vec![0; usize::from(name)].into(),
        publisher: Some(peer(u32::from(name))),
        ttl_secs: u32::from(name % 4) * 1_000,
    })
}

fn response(kind: u8, name: u8, named: Vec<u32>) -> Response {
    let closer = named.into_iter().map(peer).collect();
    match kind {
        0 => Response::Nodes(closer),
        1 => Response::Stored(record(name)),
        2 => {
            let providers = [peer(u32::from(name))].into();
            Response::Providers(Box::new(Providers { providers, closer }))
        }
        _ => Response::Value { record: Some(record(name)), closer },
    }
}

proptest! {
    #[test]
    fn nothing_that_strangers_send_breaks_an_invariant(config in configs(), steps in vec(step(), 0..200)) {
        let mut bench = Bench::new(config);
        for step in steps {
            bench.apply(step);
        }
        bench.drain();
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(config in configs(), steps in vec(step(), 0..100)) {
        let run = || {
            let mut bench = Bench::new(config.clone());
            for step in &steps {
                bench.apply(step.clone());
            }
            bench.wants.log
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn operations_beyond_the_limit_are_refused_as_busy() {
    let mut bench = Bench::new(Config::default());
    for name in 0..MAX_LOOKUPS + 50 {
        bench.apply(Step::Command(0, name as u8));
    }
    let busy = bench.wants.log.iter().filter(|line| line.contains("Busy")).count();
    assert_eq!(bench.kad.lookups_in_flight(), MAX_LOOKUPS + 50 - busy + 1, "the refresh has its own place");
    assert!(bench.kad.lookups_in_flight() <= MAX_LOOKUPS && busy > 50);
    bench.drain();
}

#[test]
fn a_disk_that_never_answers_holds_a_bounded_number_of_puts() {
    let mut bench = Bench::new(Config::default());
    for number in 0..MAX_WRITES + 10 {
        let exchange = ExchangeId { opener: peer(1), incarnation: 0, count: number as u32 };
        let mut record = (*record(1)).clone();
        record.target = (*target(&format!("put {number}"))).clone();
        bench.with(|kad, cx| kad.request(cx, peer(1), exchange, Request::PutValue(Arc::new(record))));
    }
    assert_eq!(bench.wants.writes, MAX_WRITES as u64);
    assert_eq!(bench.wants.log.iter().filter(|line| line.contains("NotPersisted")).count(), 10);
}
