//! Bytes as a sequence of inputs of a node.
//!
//! A stage of its own around one [`Node`]: it owes the node what a stage owes (one end for each request, one result for
//! each write, the deadline asked for), and the bytes choose everything else. At the end it pays what it owes.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::Config;
use kad::{Announcement, Operation, Providers, Record, Request, Response, Start, Target};
use node::{
    Command, DecodeFailure, Direction, Event, Inbound, Input, Life, LinkState, Message, Node, Outbound,
    Outbox, Output, Peer as _, Restored, Settings,
};
use types::{
    Book, Duration, ExchangeId, Instant, Now, OperationId, PeerId, PeerRef, Seed, SendFailure, SharedBook,
    StoreFailure, UnixMillis, WriteId,
};
use wire::Half;

/// Peers of the plan; the first is the node.
const PEERS: u8 = 24;
/// Inputs of a sequence, at most: what comes after says nothing new.
const MAX_INPUTS: usize = 2_000;
/// Outputs of one input, at most: a deadline may begin all lookups of a refresh, republish, and end as many.
const MAX_OUTPUTS: usize = 8_192;
/// Rounds of paying what is owed, at most: failures open no requests for ever.
const MAX_ROUNDS: usize = 10_000;

/// Handles the inputs that `bytes` say, and holds the node to its invariants.
pub fn sequence(bytes: &[u8]) {
    let mut stage = Stage::new(bytes.first().copied().unwrap_or(0));
    let mut bytes = Bytes(bytes.get(1..).unwrap_or(&[]));
    stage.handle(Input::Started);
    for _ in 0..MAX_INPUTS {
        if bytes.0.is_empty() {
            break;
        }
        stage.step(&mut bytes);
    }
    stage.pay();
}

/// Bytes that are used up from the front; zeros follow their end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

struct Stage {
    node: Node,
    book: Book,
    out: Outbox,
    now: Instant,
    /// Requests that the node waits for.
    asked: Vec<(ExchangeId, PeerRef)>,
    /// Requests of others that the node owes an end.
    owed: BTreeMap<ExchangeId, PeerRef>,
    writes: Vec<WriteId>,
    operations: BTreeMap<OperationId, u32>,
    wake_at: Option<Instant>,
    counted: u32,
}

impl Stage {
    fn new(kind: u8) -> Self {
        let ids = (1..=PEERS).map(|byte| PeerId::from_ed25519(&[byte; 32])).collect();
        let book = Book::new(Arc::new(SharedBook::new(ids)));
        let mut config = Config::default();
        config.kad.k = 1 + u16::from(kind & 7);
        config.kad.disjoint_paths = 1 + u16::from(kind >> 3 & 3);
        config.kad.max_records = 8;
        config.kad.max_provided = 8;
        config.kad.max_providers = 4;
        if kind >> 5 & 1 == 1 {
            config.kad.mode = kad::config::Mode::Client;
        }
        let life = Life { local: PeerRef::shared(0), incarnation: 0, seed: Seed(u64::from(kind)) };
        let contacts = (1..4).map(PeerRef::shared).collect();
        let restored = Restored { contacts, start: Start::Join, records: Vec::new() };
        Self {
            node: Node::restore(life, &Settings::from(&config), restored, &book),
            book,
            out: Outbox::new(),
            now: Instant::from_nanos(0),
            asked: Vec::new(),
            owed: BTreeMap::new(),
            writes: Vec::new(),
            operations: BTreeMap::new(),
            wake_at: None,
            counted: 0,
        }
    }

    /// Hands the node one input, and takes note of what it wants.
    fn handle(&mut self, input: Input) {
        let now = Now { instant: self.now, unix: UnixMillis(self.now.as_nanos() / 1_000_000) };
        self.node.handle(now, input, &mut self.book, &mut self.out);
        let outputs: Vec<Output> = self.out.drain().1.collect();
        assert!(outputs.len() <= MAX_OUTPUTS, "{} outputs of one input", outputs.len());
        for output in outputs {
            match output {
                Output::Send { to, kind: Outbound::Request { exchange, .. }, .. } => {
                    assert!(self.asked.iter().all(|(other, _)| *other != exchange), "{exchange:?} twice");
                    self.asked.push((exchange, to));
                }
                Output::Send { kind: Outbound::Answer(exchange), .. } | Output::Refuse { exchange, .. } => {
                    assert!(self.owed.remove(&exchange).is_some(), "{exchange:?} ended twice");
                }
                Output::Persist { write, .. } => self.writes.push(write),
                Output::Event(Event::Kad(kad::Event::OperationEnded { id, .. })) => {
                    if let Some(ends) = self.operations.get_mut(&id) {
                        *ends += 1;
                        assert_eq!(*ends, 1, "{id:?} ended twice");
                    }
                }
                Output::WakeAt(at) => self.wake_at = at,
                Output::Send { kind: Outbound::OneWay, .. }
                | Output::Dial { .. }
                | Output::Close { .. }
                | Output::Event(_) => {}
            }
        }
        let Some(kad) = self.node.view().kad else { return };
        assert_eq!(kad.check(&self.book), Ok(()));
        assert_eq!(kad.requests_in_flight(), self.asked.len(), "requests that wait");
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.next() % 16 {
            0 => self.pass(Duration::from_millis(u64::from(bytes.next()) * 100)),
            1 => self.pass(Duration::from_mins(u64::from(bytes.next()))),
            2 => self.wake(),
            3..=5 => self.answer(bytes),
            6 => self.fail(bytes),
            7 | 8 => self.request(bytes),
            9 => {
                let (from, providers) = (self.peer(bytes), self.peers(bytes));
                let target = Arc::new(target(bytes));
                let notice = kad::Message::Notice(Arc::new(Announcement { target, providers }));
                self.receive(from, Inbound::OneWay, notice);
            }
            10 | 11 => self.command(bytes),
            12 => self.persisted(bytes),
            13 => {
                let state = if bytes.next() & 1 == 0 { LinkState::Down } else { LinkState::Up };
                let peer = self.peer(bytes);
                self.handle(Input::Link { peer, state, direction: Direction::Accepted });
            }
            14 => {
                let from = self.peer(bytes);
                self.handle(Input::Malformed { from, reason: DecodeFailure::Invalid });
            }
            _ => self.frame(bytes),
        }
    }

    fn peer(&mut self, bytes: &mut Bytes<'_>) -> PeerRef {
        let number = bytes.next();
        if number < 0xf0 {
            return PeerRef::shared(u32::from(number % PEERS));
        }
        // A stranger, if there is room for one.
        let stranger = PeerId::from_ed25519(&[bytes.next(); 32]);
        self.book.intern(&stranger).unwrap_or(PeerRef::shared(1))
    }

    fn peers(&mut self, bytes: &mut Bytes<'_>) -> Box<[PeerRef]> {
        (0..bytes.next() % 24).map(|_| self.peer(bytes)).collect()
    }

    fn record(&mut self, bytes: &mut Bytes<'_>) -> Arc<Record> {
        let target = target(bytes);
        let len = usize::from(bytes.next());
        let publisher = (bytes.next() & 1 == 1).then(|| self.peer(bytes));
        let value = bytes.take(len).into();
        Arc::new(Record { target, value, publisher, ttl_secs: u32::from(bytes.next()) << 10 })
    }

    fn receive(&mut self, from: PeerRef, kind: Inbound, message: kad::Message) {
        self.handle(Input::Received { from, kind, message: Message::Kad(message) });
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        if self.wake_at.is_some_and(|at| at <= self.now) {
            self.deadline();
        }
    }

    /// Time goes on to what the node waits for.
    fn wake(&mut self) {
        if let Some(at) = self.wake_at {
            self.now = self.now.max(at);
            self.deadline();
        }
    }

    fn deadline(&mut self) {
        // It is delivered once; the node says when it wants the next.
        self.wake_at = None;
        self.handle(Input::Deadline);
        self.wake_at = self.node.view().kad.and_then(kad::Kad::next_deadline);
    }

    /// One of the requests that the node waits for, which ends now.
    fn ends(&mut self, bytes: &mut Bytes<'_>) -> Option<(ExchangeId, PeerRef)> {
        let number = usize::from(bytes.next());
        (!self.asked.is_empty()).then(|| self.asked.swap_remove(number % self.asked.len()))
    }

    /// An answer: of the right kind or another, from whom was asked or not.
    fn answer(&mut self, bytes: &mut Bytes<'_>) {
        let response = match bytes.next() % 5 {
            0 | 1 => Response::Nodes(self.peers(bytes)),
            2 => {
                let record = (bytes.next() & 1 == 1).then(|| self.record(bytes));
                Response::Value { record, closer: self.peers(bytes) }
            }
            3 => Response::Stored(self.record(bytes)),
            _ => Response::Providers(Box::new(Providers {
                providers: self.peers(bytes),
                closer: self.peers(bytes),
            })),
        };
        let stray = bytes.next() == 0xff;
        if stray {
            let exchange = ExchangeId { opener: PeerRef::shared(0), incarnation: 0, count: u32::MAX };
            let from = self.peer(bytes);
            self.receive(from, Inbound::Answer(exchange), kad::Message::Response(response));
        } else if let Some((exchange, from)) = self.ends(bytes) {
            self.receive(from, Inbound::Answer(exchange), kad::Message::Response(response));
        }
    }

    fn fail(&mut self, bytes: &mut Bytes<'_>) {
        let reasons = [
            SendFailure::Timeout,
            SendFailure::Unreachable,
            SendFailure::Refused,
            SendFailure::Closed,
            SendFailure::QueueFull,
        ];
        let reason =
            reasons.get(usize::from(bytes.next()) % reasons.len()).copied().unwrap_or(SendFailure::Closed);
        if let Some((exchange, _)) = self.ends(bytes) {
            self.handle(Input::Failed { exchange, reason });
        }
    }

    fn request(&mut self, bytes: &mut Bytes<'_>) {
        let from = self.peer(bytes);
        let request = match bytes.next() % 4 {
            0 => Request::FindNode(Arc::new(target(bytes))),
            1 => Request::GetValue(Arc::new(target(bytes))),
            2 => Request::GetProviders(Arc::new(target(bytes))),
            _ => Request::PutValue(self.record(bytes)),
        };
        let exchange = self.owe(from);
        self.receive(from, Inbound::Request(exchange), kad::Message::Request(request));
    }

    /// A request of `from`, which the node has to end.
    fn owe(&mut self, from: PeerRef) -> ExchangeId {
        let exchange = ExchangeId { opener: from, incarnation: 0, count: self.counted };
        self.counted += 1;
        self.owed.insert(exchange, from);
        exchange
    }

    fn command(&mut self, bytes: &mut Bytes<'_>) {
        let target = Arc::new(target(bytes));
        let operation = match bytes.next() % 5 {
            0 => Operation::Lookup(target),
            1 => Operation::Put { target, value: bytes.take(8).into() },
            2 => Operation::Get(target),
            3 => Operation::Announce(target),
            _ => Operation::FindProviders { target, enough: u16::from(bytes.next()) },
        };
        let id = OperationId(u64::from(self.counted));
        self.counted += 1;
        self.operations.insert(id, 0);
        self.handle(Input::Command(Command::Kad(kad::Command { id, operation })));
    }

    fn persisted(&mut self, bytes: &mut Bytes<'_>) {
        let (number, result) = (usize::from(bytes.next()), bytes.next());
        if !self.writes.is_empty() {
            let write = self.writes.swap_remove(number % self.writes.len());
            let result = if result & 1 == 0 { Ok(()) } else { Err(StoreFailure::Disk) };
            self.handle(Input::Persisted { write, result });
        }
    }

    /// Bytes as the codec reads them, in any place of the seam.
    fn frame(&mut self, bytes: &mut Bytes<'_>) {
        let (from, place) = (self.peer(bytes), bytes.next() % 3);
        let half = if place == 1 { Half::Response } else { Half::Request };
        let len = usize::from(bytes.next());
        match wire::decode(bytes.take(len), half, &mut self.book) {
            Err(reason) => self.handle(Input::Malformed { from, reason }),
            Ok(Message::Kad(message @ kad::Message::Notice(_))) => {
                self.receive(from, Inbound::OneWay, message);
            }
            Ok(Message::Kad(message @ kad::Message::Request(_))) => {
                let exchange = self.owe(from);
                self.receive(from, Inbound::Request(exchange), message);
            }
            Ok(Message::Kad(message @ kad::Message::Response(_))) => {
                if let Some((exchange, from)) = self.ends(bytes) {
                    self.receive(from, Inbound::Answer(exchange), message);
                }
            }
        }
    }

    /// Ends what waits, without any answer: then the node has ended all that was asked of it.
    fn pay(mut self) {
        for _ in 0..MAX_ROUNDS {
            if let Some((exchange, _)) = self.asked.pop() {
                self.handle(Input::Failed { exchange, reason: SendFailure::Timeout });
            } else if let Some(write) = self.writes.pop() {
                self.handle(Input::Persisted { write, result: Ok(()) });
            } else {
                break;
            }
        }
        assert!(self.asked.is_empty() && self.writes.is_empty(), "a node that asks for ever");
        assert!(self.owed.is_empty(), "never ended: {:?}", self.owed);
        let open: Vec<_> = self.operations.iter().filter(|(_, ends)| **ends == 0).collect();
        assert!(open.is_empty(), "never ended: {open:?}");
    }
}

/// One of few names, so that they meet.
fn target(bytes: &mut Bytes<'_>) -> Target {
    Target::new(&[bytes.next() & 0x0f])
}
