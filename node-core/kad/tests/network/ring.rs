//! A network of [`Kad`]s in one thread: a queue of happenings, drawn delays and losses, a disk for each peer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kad::{
    Announcement, Command, Config, Context, Effects, Event, Kad, LookupReport, Message, Operation,
    OracleIndex, Outcome, RecordChange, Request, Response, Start, Target,
};
use types::{
    Book, Domain, Duration, ExchangeId, Fold, Instant, Mixer, Now, OperationId, PeerId, PeerRef, Purpose,
    Seed, SendFailure, Share, SharedBook, StoreFailure, Stream, Streams, UnixMillis, Work, WriteId,
};

pub(crate) struct Ring {
    pub(crate) book: Book,
    pub(crate) now: Instant,
    /// Every operation that ended.
    pub(crate) ended: BTreeMap<OperationId, (LookupReport, Outcome)>,
    /// Every other event, with the peer that told it.
    pub(crate) events: Vec<(PeerRef, Event)>,
    /// Requests and answers that are lost.
    pub(crate) loss: Share,
    /// How long a disk takes, and the peers whose disk fails.
    pub(crate) disk_delay: Duration,
    pub(crate) failing_disks: BTreeSet<PeerRef>,
    /// The two sides of a partition, if there is one: no message crosses.
    pub(crate) cut: Option<fn(PeerRef) -> u8>,
    /// Stands for all that happened, in order.
    pub(crate) history: Mixer,
    pub(crate) messages: u64,
    config: Arc<Config>,
    seed: Seed,
    peers: Vec<Peer>,
    queue: BTreeMap<(Instant, u64), Happening>,
    queued: u64,
    chance: Stream,
    open: BTreeSet<ExchangeId>,
    operations: u64,
}

#[derive(Default)]
struct Peer {
    kad: Option<Kad>,
    life: u32,
    exchanges: u32,
    writes: u64,
    wake: Option<Instant>,
}

enum Happening {
    Request(PeerRef, PeerRef, ExchangeId, Request),
    Response(PeerRef, PeerRef, ExchangeId, Response),
    Notice(PeerRef, PeerRef, Arc<Announcement>),
    Failed(ExchangeId, SendFailure),
    Persisted(PeerRef, u32, WriteId),
    Wake(PeerRef),
}

/// What one call into a peer wanted done.
pub(crate) struct Outbox<'a> {
    local: PeerRef,
    peer: &'a mut Numbers,
    out: Vec<Out>,
}

struct Numbers {
    life: u32,
    exchanges: u32,
    writes: u64,
}

enum Out {
    Request(PeerRef, ExchangeId, Request, Duration),
    Answer(PeerRef, ExchangeId, Response),
    Refuse(PeerRef, ExchangeId),
    Notify(PeerRef, Arc<Announcement>),
    Persist(WriteId),
    Event(Event),
}

impl Effects for Outbox<'_> {
    fn request(&mut self, to: PeerRef, request: Request, timeout: Duration) -> ExchangeId {
        let exchange =
            ExchangeId { opener: self.local, incarnation: self.peer.life, count: self.peer.exchanges };
        self.peer.exchanges += 1;
        self.out.push(Out::Request(to, exchange, request, timeout));
        exchange
    }
    fn answer(&mut self, to: PeerRef, exchange: ExchangeId, response: Response) {
        self.out.push(Out::Answer(to, exchange, response));
    }
    fn refuse(&mut self, to: PeerRef, exchange: ExchangeId) {
        self.out.push(Out::Refuse(to, exchange));
    }
    fn notify(&mut self, to: PeerRef, announcement: Arc<Announcement>) {
        self.out.push(Out::Notify(to, announcement));
    }
    fn persist(&mut self, _: RecordChange) -> WriteId {
        let write = WriteId(self.peer.writes);
        self.peer.writes += 1;
        self.out.push(Out::Persist(write));
        write
    }
    fn event(&mut self, event: Event) {
        self.out.push(Out::Event(event));
    }
    fn charge(&mut self, _: Work) {}
}

pub(crate) fn book(peers: u32) -> Book {
    let mut keys = Streams::global(Seed(0), Domain::new("ring")).stream(Purpose::new("identity"), 0);
    let ids = (0..peers).map(|_| PeerId::from_ed25519(&keys.bytes32())).collect();
    Book::new(Arc::new(SharedBook::new(ids)))
}

pub(crate) fn peer(number: u32) -> PeerRef {
    PeerRef::shared(number)
}

pub(crate) fn target(name: &str) -> Arc<Target> {
    Arc::new(Target::new(name.as_bytes()))
}

impl Ring {
    /// So many peers, none of them alive yet.
    pub(crate) fn new(peers: u32, config: Config, seed: u64) -> Self {
        Self {
            book: book(peers),
            now: Instant::START,
            ended: BTreeMap::new(),
            events: Vec::new(),
            loss: Share::from_percent(0),
            disk_delay: Duration::from_millis(5),
            failing_disks: BTreeSet::new(),
            cut: None,
            history: Mixer::new(seed),
            messages: 0,
            config: Arc::new(config),
            seed: Seed(seed),
            peers: (0..peers).map(|_| Peer::default()).collect(),
            queue: BTreeMap::new(),
            queued: 0,
            chance: Streams::global(Seed(seed), Domain::new("ring")).stream(Purpose::new("links"), 0),
            open: BTreeSet::new(),
            operations: 0,
        }
    }

    /// So many peers, all alive, with the tables of an ideal network.
    pub(crate) fn ideal(peers: u32, config: Config, seed: u64) -> Self {
        let mut ring = Self::new(peers, config, seed);
        let index = OracleIndex::new(ring.book.shared());
        let streams = Streams::global(Seed(seed), Domain::new("oracle"));
        for number in 0..peers {
            let mut stream = streams.stream(Purpose::new("table"), u64::from(number));
            let own = *ring.book.key(peer(number)).unwrap();
            let contacts = index.contacts(&own, usize::from(ring.config.k), &mut stream);
            ring.begin(peer(number), Start::Filled, &contacts);
        }
        ring
    }

    /// So many peers that join one by one, each through one that is there already.
    pub(crate) fn grown(peers: u32, config: Config, seed: u64) -> Self {
        let mut ring = Self::new(peers, config, seed);
        ring.begin(peer(0), Start::Join, &[]);
        for number in 1..peers {
            ring.run_for(Duration::from_millis(500));
            let known = peer(ring.chance.below(u64::from(number)) as u32);
            ring.begin(peer(number), Start::Join, &[known]);
        }
        ring
    }

    /// Brings a peer to life.
    pub(crate) fn begin(&mut self, local: PeerRef, start: Start, contacts: &[PeerRef]) {
        let digest = self.book.digest(local);
        let slot = &mut self.peers[local.index().unwrap()];
        let streams = Streams::new(self.seed, Domain::new("kad"), digest, slot.life);
        slot.wake = None;
        slot.kad =
            Some(Kad::new(local, Arc::clone(&self.config), streams, start, contacts, Vec::new(), &self.book));
        self.with(local, |kad, cx| kad.start(cx));
    }

    /// Ends a peer's life at once.
    pub(crate) fn kill(&mut self, local: PeerRef) {
        let slot = &mut self.peers[local.index().unwrap()];
        slot.kad = None;
        slot.life += 1;
        (slot.exchanges, slot.writes) = (0, 0);
    }

    pub(crate) fn kad(&self, local: PeerRef) -> &Kad {
        self.peers[local.index().unwrap()].kad.as_ref().unwrap()
    }

    pub(crate) fn is_alive(&self, local: PeerRef) -> bool {
        self.peers[local.index().unwrap()].kad.is_some()
    }

    pub(crate) fn alive(&self) -> Vec<PeerRef> {
        (0..self.peers.len() as u32).map(peer).filter(|peer| self.is_alive(*peer)).collect()
    }

    pub(crate) fn command(&mut self, local: PeerRef, operation: Operation) -> OperationId {
        let id = OperationId(self.operations);
        self.operations += 1;
        self.with(local, |kad, cx| kad.command(cx, Command { id, operation }));
        id
    }

    /// Asks and waits for the end.
    pub(crate) fn perform(&mut self, local: PeerRef, operation: Operation) -> (LookupReport, Outcome) {
        let id = self.command(local, operation);
        while !self.ended.contains_key(&id) {
            assert!(self.step(Instant::NEVER), "an operation never ended");
        }
        self.ended[&id].clone()
    }

    pub(crate) fn put(&mut self, local: PeerRef, name: &str, value: &[u8]) -> Outcome {
        let value = value.into();
        let target = target(name);
        self.perform(local, Operation::Put { target, value }).1
    }

    pub(crate) fn get(&mut self, local: PeerRef, name: &str) -> Option<Vec<u8>> {
        match self.perform(local, Operation::Get(target(name))).1 {
            Outcome::Value(record) => Some(record.value.to_vec()),
            _ => None,
        }
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// The live peers closest to a key, by looking at all of them.
    pub(crate) fn closest(&self, target: &Target, count: usize, asker: PeerRef) -> Vec<PeerRef> {
        let mut all = self.alive();
        all.retain(|peer| *peer != asker);
        all.sort_by_key(|peer| self.book.key(*peer).unwrap().distance(target.key()));
        all.truncate(count);
        all
    }

    pub(crate) fn peers_with_record(&self, name: &str) -> Vec<PeerRef> {
        let target = target(name);
        self.alive()
            .into_iter()
            .filter(|peer| self.kad(*peer).records().any(|(record, _)| record.target == *target))
            .collect()
    }

    /// Gives the peers that begin from now on another configuration.
    pub(crate) fn configure(&mut self, config: Config) {
        self.config = Arc::new(config);
    }

    /// From now on these peers are known to serve nobody.
    pub(crate) fn let_be_clients(&mut self, clients: impl Iterator<Item = u32>) {
        let ids = self.book.shared().ids().to_vec();
        self.book = Book::new(Arc::new(SharedBook::new(ids).with_clients(clients)));
    }

    pub(crate) fn check_all(&self) {
        for peer in self.alive() {
            assert_eq!(self.kad(peer).check(&self.book), Ok(()), "{peer:?}");
        }
    }

    /// Calls into a peer and does what it wants done.
    pub(crate) fn with(&mut self, local: PeerRef, call: impl FnOnce(&mut Kad, &mut Context<'_, Outbox<'_>>)) {
        let slot = &mut self.peers[local.index().unwrap()];
        let Some(kad) = &mut slot.kad else {
            return;
        };
        let mut numbers = Numbers { life: slot.life, exchanges: slot.exchanges, writes: slot.writes };
        let mut outbox = Outbox { local, peer: &mut numbers, out: Vec::new() };
        let mut cx = Context {
            now: Now { instant: self.now, unix: UnixMillis(self.now.as_millis()) },
            book: &self.book,
            effects: &mut outbox,
        };
        call(kad, &mut cx);
        let out = outbox.out;
        (slot.exchanges, slot.writes) = (numbers.exchanges, numbers.writes);
        let (life, wake) = (slot.life, kad.next_deadline());
        if let Some(at) = wake
            && slot.wake.is_none_or(|set| at < set)
        {
            slot.wake = Some(at);
            self.push(at.max(self.now), Happening::Wake(local));
        }
        for out in out {
            self.perform_output(local, life, out);
        }
    }

    fn perform_output(&mut self, local: PeerRef, life: u32, out: Out) {
        self.history.word(self.now.as_nanos());
        self.history.word(self.book.digest(local).0);
        match out {
            Out::Request(to, exchange, request, timeout) => {
                Message::Request(request.clone()).fold(&self.book, &mut self.history);
                assert!(self.open.insert(exchange), "an exchange opens once");
                self.push(self.now + timeout, Happening::Failed(exchange, SendFailure::Timeout));
                if self.is_carried(local, to) {
                    let at = self.now + self.delay();
                    self.push(at, Happening::Request(local, to, exchange, request));
                }
            }
            Out::Answer(to, exchange, response) => {
                Message::Response(response.clone()).fold(&self.book, &mut self.history);
                if self.is_carried(local, to) {
                    let at = self.now + self.delay();
                    self.push(at, Happening::Response(local, to, exchange, response));
                }
            }
            Out::Refuse(to, exchange) => {
                if self.is_carried(local, to) {
                    let at = self.now + self.delay();
                    self.push(at, Happening::Failed(exchange, SendFailure::Refused));
                }
            }
            Out::Notify(to, announcement) => {
                Message::Notice(Arc::clone(&announcement)).fold(&self.book, &mut self.history);
                if self.is_carried(local, to) {
                    let at = self.now + self.delay();
                    self.push(at, Happening::Notice(local, to, announcement));
                }
            }
            Out::Persist(write) => {
                self.push(self.now + self.disk_delay, Happening::Persisted(local, life, write));
            }
            Out::Event(Event::OperationEnded { id, report, outcome }) => {
                let before = self.ended.insert(id, (*report, outcome));
                assert_eq!(before, None, "an operation ends once");
            }
            Out::Event(event) => self.events.push((local, event)),
        }
    }

    fn is_carried(&mut self, from: PeerRef, to: PeerRef) -> bool {
        self.messages += 1;
        !self.chance.happens(self.loss) && self.cut.is_none_or(|side| side(from) == side(to))
    }

    fn delay(&mut self) -> Duration {
        Duration::from_micros(10_000 + self.chance.below(90_000))
    }

    fn push(&mut self, at: Instant, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at, self.queued), happening);
    }

    /// Lets the next thing happen, if it does by `end`.
    fn step(&mut self, end: Instant) -> bool {
        let Some(next) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) else {
            return false;
        };
        self.now = next.key().0;
        match next.remove() {
            Happening::Request(from, to, exchange, request) => {
                self.with(to, |kad, cx| kad.request(cx, from, exchange, request));
            }
            Happening::Response(from, to, exchange, response) => {
                if self.open.remove(&exchange) && self.is_current(to, exchange.incarnation) {
                    self.with(to, |kad, cx| kad.response(cx, from, exchange, response));
                }
            }
            Happening::Notice(from, to, announcement) => {
                self.with(to, |kad, cx| kad.notice(cx, from, &announcement));
            }
            Happening::Failed(exchange, reason) => {
                if self.open.remove(&exchange) && self.is_current(exchange.opener, exchange.incarnation) {
                    self.with(exchange.opener, |kad, cx| {
                        kad.failed(cx, exchange, reason);
                    });
                }
            }
            Happening::Persisted(local, life, write) if self.is_current(local, life) => {
                let result = match self.failing_disks.contains(&local) {
                    true => Err(StoreFailure::Disk),
                    false => Ok(()),
                };
                self.with(local, |kad, cx| kad.persisted(cx, write, result));
            }
            Happening::Persisted(..) => {}
            Happening::Wake(local) => {
                let now = self.now;
                let slot = &mut self.peers[local.index().unwrap()];
                if slot.wake.is_some_and(|wake| wake <= now) {
                    slot.wake = None;
                    self.with(local, |kad, cx| kad.deadline(cx));
                }
            }
        }
        true
    }

    fn is_current(&self, local: PeerRef, life: u32) -> bool {
        self.peers[local.index().unwrap()].life == life
    }
}
