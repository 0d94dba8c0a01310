//! The real side of one peer: turns what reaches it into inputs, and performs its outputs asynchronously.
//!
//! It runs on the node's own thread, beside the swarm. Every request that the peer sends ends in one answer or one
//! failure; bytes become messages right before they are handled, so that no reference waits in a queue.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use actix::Addr;
use actor::{Body, Deliver, Host, Mailbox, Participant, Step};
use kad::{Operation, RecordChange};
use libp2p::PeerId as Theirs;
use node::{
    Command, DecodeFailure, Direction, Inbound, Input, LinkState, Message, Node, Outbound, Outbox, Output,
    Peer as _,
};
use tokio::sync::{mpsc, oneshot, watch};
use types::{
    Book, Duration, ExchangeId, Instant, Now, OperationId, PeerId, PeerRef, SendFailure, StoreResult, WriteId,
};
use wire::Half;
use wire::admin::{Ended, Event, Flaw, Outcome, Report};

use crate::clock::{self, Clock};
use crate::gate::MAX_STREAMS;
use crate::lanes::Open;
use crate::metrics::Kind;
use crate::peerbook::{Known, PeerBook};
use crate::peers;
use crate::places::Places;
use crate::serve::{self, Reply, Unanswered};
use crate::shape::{Carried, Fate, Shape, messages};
use crate::store::{self, Change, Job, Stored};
use crate::told::{Reason, Told};

/// The one actor of a node.
pub(crate) type Actor = Participant<Node, RealHost, Mailbox>;

/// Exchanges that this node has under way, at most; a further one fails at once. Each is a stream, a timer and a
/// message.
const MAX_EXCHANGES: u32 = 1_024;

/// How often the store is told who the contacts are, at most: what a crash may lose of the peer book.
const BOOK_PACE: std::time::Duration = std::time::Duration::from_secs(30);

/// What the peer is like, for whoever administers it.
#[derive(Clone, Debug)]
pub(crate) struct Glance {
    /// Since it started.
    pub(crate) uptime: Duration,
    /// The contacts of its table, those of the farthest bucket first.
    pub(crate) contacts: Vec<PeerId>,
    /// How many of them share so many bits with it; buckets without any are left out.
    pub(crate) buckets: Vec<(usize, usize)>,
    /// Records that it holds for others.
    pub(crate) records: usize,
    /// Requests that wait for it.
    pub(crate) queue: u32,
    /// The first of its DHT's invariants that does not hold.
    pub(crate) flaw: Option<Flaw>,
}

/// What reaches the actor.
#[derive(Debug)]
pub(crate) enum Delivery {
    Start,
    Link {
        peer: PeerId,
        state: LinkState,
        direction: Direction,
    },
    Request(serve::Request),
    Answer {
        exchange: ExchangeId,
        from: PeerId,
        frame: Vec<u8>,
    },
    Failed {
        exchange: ExchangeId,
        reason: SendFailure,
    },
    /// Bytes that were no frame: of a request, or of the answer to this exchange.
    Malformed {
        from: PeerId,
        reason: DecodeFailure,
        exchange: Option<ExchangeId>,
    },
    Persisted {
        write: WriteId,
        result: StoreResult,
    },
    Ask {
        operation: Operation,
        ended: oneshot::Sender<Ended>,
    },
    Glance(oneshot::Sender<Glance>),
    /// A timer that was set as the how-manieth.
    Deadline(u64),
    /// It is time to write the peer book.
    Remember,
}

/// What the host wants of the swarm.
#[derive(Debug)]
pub(crate) enum Wish {
    Dial(Theirs),
    Close(Theirs),
    /// The peer panicked.
    Stop,
}

/// What the tasks of a node's thread share.
pub(crate) struct Shared {
    pub(crate) places: Rc<RefCell<Places>>,
    /// Requests on their way to the actor.
    pub(crate) queue: Rc<Cell<u32>>,
    pub(crate) told: Told,
    /// Turns true once the table was filled.
    pub(crate) ready: watch::Sender<bool>,
    pub(crate) open: Open,
    pub(crate) wishes: mpsc::UnboundedSender<Wish>,
    /// The network that the node is made to believe in, if it is.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// The real side of a peer.
pub(crate) struct RealHost {
    clock: Clock,
    shared: Shared,
    actor: Addr<Actor>,
    store: store::Desk,
    /// The peer as it begins, until it does.
    begin: Option<Node>,
    todo: VecDeque<Todo>,
    outbox: Outbox,
    /// Requests that wait for this peer's answer.
    asked: HashMap<ExchangeId, oneshot::Sender<Reply>>,
    taken: u32,
    exchanges: Rc<Cell<u32>>,
    operations: BTreeMap<OperationId, Asked>,
    begun: u64,
    /// Who waits for the next look.
    glances: Vec<oneshot::Sender<Glance>>,
    timer: Option<actix_rt::task::JoinHandle<()>>,
    timers: u64,
    /// The references that the peer holds, for a sweep of its book.
    held: Option<Vec<PeerRef>>,
    remembered: PeerBook,
    remember: Remember,
}

/// Whether the peer book is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remember {
    /// Nothing changed.
    Idle,
    /// Something did: it is written in a while.
    Soon,
    /// At the next look at the peer.
    Now,
}

/// An operation that is under way.
struct Asked {
    kind: Kind,
    since: Instant,
    ended: oneshot::Sender<Ended>,
}

enum Todo {
    Delivery(Delivery),
    Input(Input),
}

impl RealHost {
    pub(crate) fn new(
        clock: Clock,
        shared: Shared,
        actor: Addr<Actor>,
        store: store::Desk,
        remembered: PeerBook,
        begin: Node,
    ) -> Self {
        Self {
            clock,
            shared,
            actor,
            store,
            begin: Some(begin),
            todo: VecDeque::new(),
            outbox: Outbox::new(),
            asked: HashMap::new(),
            taken: 0,
            exchanges: Rc::default(),
            operations: BTreeMap::new(),
            begun: 0,
            glances: Vec::new(),
            timer: None,
            timers: 0,
            held: None,
            remembered,
            remember: Remember::Idle,
        }
    }
}

impl Host<Node> for RealHost {
    type Delivery = Delivery;

    fn accept(&mut self, delivery: Delivery, _: &Book) {
        self.todo.push_back(Todo::Delivery(delivery));
    }

    fn next(&mut self, book: &mut Book) -> Option<Step<Node>> {
        if let Some(held) = self.held.take() {
            book.sweep(held.into_iter());
        }
        loop {
            match self.todo.pop_front()? {
                Todo::Input(input) => return Some(Step::Handle(self.clock.now(), input)),
                Todo::Delivery(delivery) => {
                    if let Some(step) = self.step(delivery, book) {
                        return Some(step);
                    }
                }
            }
        }
    }

    fn lend(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    fn perform(&mut self, now: Now, mut out: Outbox, book: &mut Book) {
        // The work was done in real time: it is not accounted for.
        let (_, outputs) = out.drain();
        for output in outputs {
            self.output(now, output, book);
        }
        self.outbox = out;
    }

    fn look(&mut self, peer: Option<&Node>, book: &Book) {
        let mut held = Vec::new();
        if let Some(kad) = peer.and_then(|peer| peer.view().kad) {
            kad.for_each_ref(|peer| held.push(peer));
            for glance in std::mem::take(&mut self.glances) {
                // Whoever asked may have given up.
                let _ = glance.send(self.glance(kad, book));
            }
            if self.remember == Remember::Now {
                self.remember(kad.table().contacts(), book);
            }
        }
        self.held = Some(held);
    }

    fn settle(&mut self, _: &Book) {}

    fn lie_down(body: Body<Node, Self>) {
        drop(body);
    }

    fn panicked(&mut self, message: &str) {
        self.todo.clear();
        self.asked.clear();
        self.operations.clear();
        self.glances.clear();
        self.shared.told.tell(Event::Panicked { message: message.to_owned() });
        // A swarm that is gone has stopped.
        let _ = self.shared.wishes.send(Wish::Stop);
    }
}

/// Inputs.
impl RealHost {
    fn step(&mut self, delivery: Delivery, book: &mut Book) -> Option<Step<Node>> {
        let now = self.clock.now();
        let handle = |input| Some(Step::Handle(now, input));
        match delivery {
            Delivery::Start => {
                self.todo.push_front(Todo::Input(Input::Started));
                self.begin.take().map(Step::Become)
            }
            Delivery::Link { peer, state, direction } => match book.intern(&peer) {
                Ok(peer) => handle(Input::Link { peer, state, direction }),
                // A stranger's link concerns nobody until it asks.
                Err(_) => Some(Step::Look),
            },
            Delivery::Request(request) => self.request(request, book),
            Delivery::Answer { exchange, from, frame } => self.answer(exchange, from, &frame, book),
            Delivery::Failed { exchange, reason } => handle(Input::Failed { exchange, reason }),
            Delivery::Malformed { from, reason, exchange } => {
                self.malformed(&from, reason, exchange, book);
                None
            }
            Delivery::Persisted { write, result } => handle(Input::Persisted { write, result }),
            Delivery::Ask { operation, ended } => {
                let id = OperationId(self.begun);
                self.begun += 1;
                // Whoever gave up waiting has no claim to room here.
                self.operations.retain(|_, asked| !asked.ended.is_closed());
                let kind = Kind::from(&operation);
                self.operations.insert(id, Asked { kind, since: now.instant, ended });
                handle(Input::Command(Command::Kad(kad::Command { id, operation })))
            }
            Delivery::Glance(glance) => {
                self.glances.push(glance);
                Some(Step::Look)
            }
            Delivery::Deadline(timer) if timer == self.timers => handle(Input::Deadline),
            Delivery::Deadline(_) => None,
            Delivery::Remember => {
                self.remember = Remember::Now;
                Some(Step::Look)
            }
        }
    }

    fn request(&mut self, request: serve::Request, book: &mut Book) -> Option<Step<Node>> {
        self.shared.queue.set(self.shared.queue.get().saturating_sub(1));
        let serve::Request { from, frame, answer } = request;
        self.shared.told.metrics().traffic.receive(frame.len());
        let id = peers::ours(&from)?;
        let decoded = book.intern(&id).map_err(|_| DecodeFailure::BookFull);
        let decoded = decoded.and_then(|from| Ok((from, wire::decode(&frame, Half::Request, book)?)));
        match decoded {
            Ok((from, message)) => {
                self.hear_places(&frame);
                if let Message::Kad(kad::Message::Notice(_)) = message {
                    let kind = Inbound::OneWay;
                    return Some(Step::Handle(self.clock.now(), Input::Received { from, kind, message }));
                }
                let exchange = ExchangeId { opener: from, incarnation: 0, count: self.taken };
                self.taken = self.taken.wrapping_add(1);
                if self.asked.len() >= MAX_STREAMS as usize {
                    // As many streams are open at most, and each waits for one answer: the others gave up.
                    self.asked.retain(|_, answer| !answer.is_closed());
                }
                self.asked.insert(exchange, answer);
                let kind = Inbound::Request(exchange);
                Some(Step::Handle(self.clock.now(), Input::Received { from, kind, message }))
            }
            Err(reason) => self.refuse(&id, reason, None, book),
        }
    }

    fn answer(
        &mut self,
        exchange: ExchangeId,
        from: PeerId,
        frame: &[u8],
        book: &mut Book,
    ) -> Option<Step<Node>> {
        self.shared.told.metrics().traffic.receive(frame.len());
        let decoded = book.intern(&from).map_err(|_| DecodeFailure::BookFull);
        let decoded = decoded.and_then(|from| Ok((from, wire::decode(frame, Half::Response, book)?)));
        match decoded {
            Ok((peer, message)) => {
                self.hear_places(frame);
                let kind = Inbound::Answer(exchange);
                Some(Step::Handle(self.clock.now(), Input::Received { from: peer, kind, message }))
            }
            Err(reason) => self.refuse(&from, reason, Some(exchange), book),
        }
    }

    /// Takes note of where a message says that others can be dialled.
    fn hear_places(&self, frame: &[u8]) {
        let mut places = self.shared.places.borrow_mut();
        let told = wire::for_each_place(frame, |id, bytes| {
            if let Some(address) = peers::claimed(id, bytes) {
                places.hear(*id, address);
            }
        });
        debug_assert_eq!(told, Ok(()), "a frame that was decoded is one");
    }

    /// Bytes that the codec refused. A full book is nobody's fault: it is swept, and the message is lost.
    fn refuse(
        &mut self,
        from: &PeerId,
        reason: DecodeFailure,
        exchange: Option<ExchangeId>,
        book: &mut Book,
    ) -> Option<Step<Node>> {
        if reason == DecodeFailure::BookFull {
            let failed = exchange.map(|exchange| Input::Failed { exchange, reason: SendFailure::QueueFull });
            self.todo.extend(failed.map(Todo::Input));
            self.shared.told.turned_away(Some(*from), Reason::Malformed(reason));
            return Some(Step::Look);
        }
        self.malformed(from, reason, exchange, book);
        None
    }

    fn malformed(
        &mut self,
        from: &PeerId,
        reason: DecodeFailure,
        exchange: Option<ExchangeId>,
        book: &mut Book,
    ) {
        let failed = exchange.map(|exchange| Input::Failed { exchange, reason: SendFailure::Closed });
        let malformed = book.intern(from).ok().map(|from| Input::Malformed { from, reason });
        self.todo.extend(failed.into_iter().chain(malformed).map(Todo::Input));
    }
}

/// Outputs.
impl RealHost {
    fn output(&mut self, now: Now, output: Output, book: &Book) {
        match output {
            Output::Send { to, kind: Outbound::Request { exchange, timeout }, message } => {
                self.open(to, exchange, clock::span(timeout), &message, book);
            }
            Output::Send { to, kind: Outbound::Answer(exchange), message } => {
                if let Some(answer) = self.asked.remove(&exchange) {
                    let reply = match self.fate(to, Carried::Answer, book) {
                        Fate::Sent(held) | Fate::SentTwice(held, _) => {
                            Reply::Given { frame: self.encode(&message, book), held }
                        }
                        Fate::Lost => Reply::Lost,
                    };
                    // The asker may have closed its stream.
                    let _ = answer.send(reply);
                }
            }
            Output::Send { to, kind: Outbound::OneWay, message } => self.notify(to, &message, book),
            Output::Refuse { to, exchange } => {
                let answer = self.asked.remove(&exchange);
                if self.fate(to, Carried::Answer, book) == Fate::Lost {
                    // Nor does the asker learn that there is none.
                    let _ = answer.map(|answer| answer.send(Reply::Lost));
                }
                // Otherwise its stream ends without one.
            }
            Output::Dial { peer } => self.wish(peer, Wish::Dial, book),
            Output::Close { peer, .. } => self.wish(peer, Wish::Close, book),
            Output::Persist { write, change } => {
                let change = stored(now, change, book);
                // The store's thread lives as long as this end of the way to it.
                let _ = self.store.send(Job::Change(write, change));
            }
            Output::Event(event) => self.event(now, &event, book),
            Output::WakeAt(at) => self.wake(now, at),
        }
    }

    fn open(
        &self,
        to_ref: PeerRef,
        exchange: ExchangeId,
        within: std::time::Duration,
        message: &Message,
        book: &Book,
    ) {
        let to = book.id(to_ref).and_then(|id| Some((*id, peers::theirs(id)?)));
        let room = self.exchanges.get() < MAX_EXCHANGES;
        let (Some((from, peer)), true) = (to, room) else {
            let reason = if room { SendFailure::Unreachable } else { SendFailure::QueueFull };
            self.actor.do_send(Deliver(Delivery::Failed { exchange, reason }));
            return;
        };
        let (request, fate) = (self.encode(message, book), self.fate(to_ref, Carried::First, book));
        let (open, actor) = (self.shared.open.clone(), self.actor.clone());
        let (slot, told) = (Slot::take(&self.exchanges), self.shared.told.clone());
        let deliver = move |delivery| actor.do_send(Deliver(delivery));
        let owed = Owed { exchange: Some(exchange), deliver, _slot: slot };
        actix_rt::spawn(async move {
            let answer = messages::exchange(fate, open, peer, request, within).await;
            owed.pay(match answer {
                Ok(frame) => Delivery::Answer { exchange, from, frame },
                Err(Unanswered::Failed(reason)) => Delivery::Failed { exchange, reason },
                Err(Unanswered::Malformed(reason)) => {
                    Delivery::Malformed { from, reason, exchange: Some(exchange) }
                }
                Err(Unanswered::CutShort) => {
                    told.turned_away(Some(from), Reason::CutShort);
                    Delivery::Failed { exchange, reason: SendFailure::Closed }
                }
            });
        });
    }

    /// Nobody waits for what becomes of it: beyond the limit it is lost, as on the way.
    fn notify(&self, to: PeerRef, message: &Message, book: &Book) {
        let peer = book.id(to).and_then(peers::theirs);
        let Some(peer) = peer.filter(|_| self.exchanges.get() < MAX_EXCHANGES) else { return };
        let (open, frame) = (self.shared.open.clone(), self.encode(message, book));
        let fate = self.fate(to, Carried::First, book);
        let slot = Slot::take(&self.exchanges);
        actix_rt::spawn(async move {
            let _slot = slot;
            messages::notify(fate, open, peer, frame).await;
        });
    }

    /// What becomes of a message to this peer, in the network that the node believes in.
    fn fate(&self, to: PeerRef, carried: Carried, book: &Book) -> Fate {
        let shape = self.shared.shape.as_ref().zip(book.id(to));
        shape.map_or(Fate::PLAIN, |(shape, id)| shape.fate(id, carried))
    }

    /// The bytes of a message that leaves now.
    fn encode(&self, message: &Message, book: &Book) -> Vec<u8> {
        let mut frame = Vec::new();
        let places = self.shared.places.borrow();
        wire::encode_with_places(message, book, |id| places.of(id), &mut frame);
        self.shared.told.metrics().traffic.send(frame.len());
        frame
    }

    fn wish(&self, peer: PeerRef, wish: impl Fn(Theirs) -> Wish, book: &Book) {
        if let Some(peer) = book.id(peer).and_then(peers::theirs) {
            // A swarm that is gone has no links.
            let _ = self.shared.wishes.send(wish(peer));
        }
    }

    fn wake(&mut self, now: Now, at: Option<Instant>) {
        self.timers += 1;
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
        let Some(at) = at else { return };
        let (actor, number) = (self.actor.clone(), self.timers);
        let sleep = clock::span(at.since(now.instant));
        self.timer = Some(actix_rt::spawn(async move {
            actix_rt::time::sleep(sleep).await;
            actor.do_send(Deliver(Delivery::Deadline(number)));
        }));
    }

    /// The contacts changed: the book is written in a while, with what else changes until then.
    fn remember_soon(&mut self) {
        if self.remember != Remember::Idle {
            return;
        }
        self.remember = Remember::Soon;
        let actor = self.actor.clone();
        actix_rt::spawn(async move {
            actix_rt::time::sleep(BOOK_PACE).await;
            actor.do_send(Deliver(Delivery::Remember));
        });
    }

    fn remember(&mut self, contacts: &[PeerRef], book: &Book) {
        self.remember = Remember::Idle;
        let places = self.shared.places.borrow();
        let known = |peer: &PeerRef| {
            let id = *book.id(*peer)?;
            let addresses = places.of(&id).to_vec();
            (!addresses.is_empty()).then_some(Known { id, addresses })
        };
        if self.remembered.update(contacts.iter().filter_map(known).collect()) {
            // The store's thread lives as long as this end of the way to it.
            let _ = self.store.send(Job::Remember(self.remembered.peers().to_vec()));
        }
    }

    fn event(&mut self, now: Now, event: &node::Event, book: &Book) {
        match event {
            node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }) => {
                if let Some(Asked { kind, since, ended }) = self.operations.remove(id) {
                    let took_ns = now.instant.since(since).as_nanos();
                    let (report, outcome) = (Report::of(report, book), Outcome::of(outcome, book));
                    let end = Ended { took_ns, report, outcome };
                    self.shared.told.metrics().ended(kind, &end);
                    // Whoever asked may have given up.
                    let _ = ended.send(end);
                }
            }
            node::Event::Kad(kad::Event::Bootstrapped { .. }) => {
                self.shared.ready.send_replace(true);
                self.actor.do_send(Deliver(Delivery::Remember));
            }
            node::Event::Kad(kad::Event::ContactAdded { .. }) => self.remember_soon(),
            _ => {}
        }
        if let Some(reason) = Reason::of(event) {
            self.shared.told.count(reason);
        }
        if let Some(told) = Event::of(event, book) {
            self.shared.told.tell(told);
        }
    }

    fn glance(&self, kad: &kad::Kad, book: &Book) -> Glance {
        let table = kad.table();
        let ids = table.contacts().iter().filter_map(|peer| book.id(*peer).copied());
        let buckets = (0..table.bucket_count()).map(|prefix| (prefix, table.bucket(prefix).len()));
        Glance {
            uptime: Duration::from_nanos(self.clock.now().instant.as_nanos()),
            contacts: ids.collect(),
            buckets: buckets.filter(|(_, contacts)| *contacts > 0).collect(),
            records: kad.record_count(),
            queue: self.shared.queue.get(),
            flaw: kad.check(book).err().map(Flaw::from),
        }
    }
}

/// A place among the exchanges under way, given back however the task that holds it ends.
struct Slot(Rc<Cell<u32>>);

impl Slot {
    fn take(under_way: &Rc<Cell<u32>>) -> Self {
        under_way.set(under_way.get() + 1);
        Self(Rc::clone(under_way))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The one end that the peer is owed of an exchange: a task that panics, or is dropped, pays with a failure.
struct Owed<D: Fn(Delivery)> {
    exchange: Option<ExchangeId>,
    deliver: D,
    _slot: Slot,
}

impl<D: Fn(Delivery)> Owed<D> {
    fn pay(mut self, end: Delivery) {
        self.exchange = None;
        (self.deliver)(end);
    }
}

impl<D: Fn(Delivery)> Drop for Owed<D> {
    fn drop(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            (self.deliver)(Delivery::Failed { exchange, reason: SendFailure::Closed });
        }
    }
}

/// A change as the store takes it.
fn stored(now: Now, change: RecordChange, book: &Book) -> Change {
    match change {
        RecordChange::Put { record, expires } => Change::Put(Stored {
            name: record.target.name().to_vec(),
            value: record.value.to_vec(),
            publisher: record.publisher.and_then(|peer| book.id(peer).copied()),
            ttl_secs: record.ttl_secs,
            expires: clock::on_the_wall(now, expires),
        }),
        RecordChange::Delete { target } => Change::Delete { name: target.name().to_vec() },
    }
}

/// What the store kept, as a life begins with it; what expired meanwhile, and what cannot be, is left out.
pub(crate) fn restored(now: Now, kept: Vec<Stored>, book: &mut Book) -> Vec<(Arc<kad::Record>, Instant)> {
    let alive =
        |stored: &Stored| stored.expires > now.unix && stored.name.len() <= kad::message::MAX_NAME_BYTES;
    kept.into_iter()
        .filter(alive)
        .map(|stored| {
            let publisher = stored.publisher.and_then(|id| book.intern(&id).ok());
            let record = kad::Record {
                target: kad::Target::new(&stored.name),
                value: stored.value.into(),
                publisher,
                ttl_secs: stored.ttl_secs,
            };
            (Arc::new(record), clock::from_the_wall(now, stored.expires))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn an_exchange_whose_task_panics_has_failed_and_gives_its_place_back() {
        let (under_way, told) = (Rc::new(Cell::new(0)), RefCell::new(Vec::new()));
        let exchange = ExchangeId { opener: PeerRef::shared(0), incarnation: 0, count: 7 };
        let deliver = |delivery| told.borrow_mut().push(delivery);
        let owed = || Owed { exchange: Some(exchange), deliver, _slot: Slot::take(&under_way) };
        let task = catch_unwind(AssertUnwindSafe(|| {
            let _owed = owed();
            assert_eq!(under_way.get(), 1);
            unreachable!("on purpose");
        }));
        assert!(task.is_err());
        owed().pay(Delivery::Answer { exchange, from: PeerId::from_ed25519(&[0; 32]), frame: vec![] });
        assert_eq!(under_way.get(), 0);
        let told = told.into_inner();
        assert!(
            matches!(told[0], Delivery::Failed { exchange: of, reason: SendFailure::Closed } if of == exchange)
        );
        assert!(matches!(told[1], Delivery::Answer { .. }) && told.len() == 2, "{told:?}");
    }
}
