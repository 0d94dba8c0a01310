//! What the peers of a shard share, all on one thread: links, wheel, what was seen of them, what was counted.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use kernel::{Conserved, Event, EventId, Links, LogEntry, Panic, PeerCount, PeerDigest, Wheel};
use node::{Command, Input, Outbox};
use types::{Digest, Instant, OperationId};

use crate::agenda::Waiting;
use crate::driver::Body;
use crate::host::{Item, Window};
use crate::log;
use crate::parcel::Payload;
use crate::stage::Stage;
use crate::watch::{Counted, Moment, Watch};

/// Slots of a turn of the wheel.
const WHEEL_SLOTS: usize = 1_024;
/// Slots of a window: a slot then holds few enough events to be sorted while they are in the cache.
const SLOTS_PER_WINDOW: u64 = 16;
/// Emptied windows that a shard keeps for the next ones, at most: some more than are on their way at a time.
const POOLED_WINDOWS: usize = 4_096;
/// The sequence numbers of wakes: apart from those of messages, since both share the wheel.
const WAKES: u64 = 1 << 63;

/// Something that a peer did, for those who watch: the history, the checkers, the event log.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A life began or ended.
    Turned(play::LifeEvent),
    /// An operation was asked.
    Begun(Command),
    /// An operation will not end: its peer stopped.
    Abandoned(OperationId),
    /// The peer told something, while handling this.
    Told(EventId, node::Event),
    /// A sampled peer handled this.
    Handled { id: EventId, cause: EventId, input: Box<Input> },
}

/// Messages that reached nobody, apart from those that the links lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// The peer was down.
    pub peer_down: u64,
    /// The peer's queue was full.
    pub queue_full: u64,
    /// The exchange had ended.
    pub late: u64,
    /// There was no link by which it could have come.
    pub no_link: u64,
    /// The peer cannot be called: what came was a dial, or came from nobody with whom it had spoken lately.
    pub undialable: u64,
}

/// What faults touched that act on peers rather than on links, by their places in the scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched(std::collections::BTreeMap<u16, u64>);

impl Touched {
    pub(crate) fn touch(&mut self, fault: u16) {
        *self.0.entry(fault).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (fault, count) in &other.0 {
            *self.0.entry(*fault).or_default() += count;
        }
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (u32, u64)> {
        self.0.iter().map(|(fault, count)| (u32::from(*fault), *count))
    }
}

impl Drops {
    pub(crate) const fn merge(&mut self, other: &Self) {
        self.peer_down += other.peer_down;
        self.queue_full += other.queue_full;
        self.late += other.late;
        self.no_link += other.no_link;
        self.undialable += other.undialable;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.peer_down + self.queue_full + self.late + self.no_link + self.undialable
    }
}

/// What the peers of a shard share, all on one thread.
#[derive(Debug)]
pub(crate) struct ShardCell {
    pub(crate) stage: Arc<Stage>,
    pub(crate) state: RefCell<State>,
    /// Deliveries that are not done, and peers that are to lie down.
    pub(crate) outstanding: Cell<usize>,
    pub(crate) waker: RefCell<Option<Waker>>,
    /// Peers who have lain down, by number.
    pub(crate) beds: RefCell<Vec<(u32, Body)>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) stage: Arc<Stage>,
    pub(crate) shard: usize,
    pub(crate) links: Links,
    pub(crate) wheel: Wheel<Event<Payload>>,
    /// Events for other shards, by shard, and the earliest of them.
    pub(crate) outgoing: Vec<Vec<Event<Payload>>>,
    pub(crate) outgoing_next: Instant,
    pub(crate) wakes: u64,
    /// Wakes that wait in the wheel.
    pub(crate) wakes_pending: u64,
    pub(crate) outbox: Outbox,
    pub(crate) handled: u64,
    pub(crate) drops: Drops,
    pub(crate) touched: Touched,
    pub(crate) digests: Vec<PeerDigest>,
    pub(crate) counts: Vec<PeerCount>,
    pub(crate) seen: Vec<(Instant, u32, Seen)>,
    pub(crate) watch: Box<dyn Watch>,
    pub(crate) online: u64,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) panics: Vec<Panic>,
    pub(crate) pool: Vec<VecDeque<Item>>,
    /// Empty queues for inputs that wait, for whoever is being driven.
    pub(crate) queues: Vec<VecDeque<Waiting>>,
    pub(crate) conserved: Conserved,
}

impl ShardCell {
    pub(crate) fn new(stage: &Arc<Stage>, shard: usize, links: Links, watch: Box<dyn Watch>) -> Self {
        let width = links.lookahead().divided(SLOTS_PER_WINDOW);
        let peers = stage.peers_of(shard);
        let state = State {
            stage: Arc::clone(stage),
            shard,
            wheel: Wheel::new(width, WHEEL_SLOTS),
            outgoing: (0..stage.shards).map(|_| Vec::new()).collect(),
            outgoing_next: Instant::NEVER,
            wakes: WAKES,
            wakes_pending: 0,
            outbox: Outbox::new(),
            handled: 0,
            drops: Drops::default(),
            touched: Touched::default(),
            digests: vec![PeerDigest::new(); peers],
            counts: vec![PeerCount::default(); peers],
            seen: Vec::new(),
            watch,
            online: 0,
            log: Vec::new(),
            panics: Vec::new(),
            pool: Vec::new(),
            queues: Vec::new(),
            conserved: Conserved::default(),
            links,
        };
        Self {
            stage: Arc::clone(stage),
            state: RefCell::new(state),
            outstanding: Cell::new(0),
            waker: RefCell::new(None),
            beds: RefCell::new(Vec::new()),
        }
    }

    /// A delivery is on its way.
    pub(crate) fn expect(&self) {
        self.outstanding.set(self.outstanding.get() + 1);
    }

    /// A peer has lain down.
    pub(crate) fn lie_down(&self, number: u32, body: Body) {
        self.beds.borrow_mut().push((number, body));
        self.settled();
    }

    /// A delivery is done.
    pub(crate) fn settled(&self) {
        let outstanding = self.outstanding.get() - 1;
        self.outstanding.set(outstanding);
        if outstanding == 0
            && let Some(waker) = self.waker.borrow_mut().take()
        {
            waker.wake();
        }
    }

    /// Waits until every delivery is done.
    pub(crate) async fn all_settled(&self) {
        poll_fn(|cx| {
            if self.outstanding.get() == 0 {
                return Poll::Ready(());
            }
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl State {
    /// Sends an event on its way.
    pub(crate) fn post(&mut self, event: Event<Payload>) {
        self.conserved.made += 1;
        let shard = self.stage.shard_of(event.to);
        if shard == self.shard {
            self.wheel.push(event);
        } else if let Some(outgoing) = self.outgoing.get_mut(shard) {
            self.outgoing_next = self.outgoing_next.min(event.at);
            outgoing.push(event);
        }
    }

    /// Makes sure that the window of `at` is delivered to this peer.
    pub(crate) fn wake(&mut self, peer: u32, at: Instant) {
        let sequence = self.wakes;
        self.wakes += 1;
        self.wakes_pending += 1;
        let cause = EventId::SCRIPT;
        self.wheel.push(Event { at, sequence, to: peer, from: peer, cause, payload: Payload::Wake });
    }

    pub(crate) fn see(&mut self, at: Instant, peer: u32, seen: Seen) {
        self.seen.push((at, peer, seen));
    }

    pub(crate) fn is_sampled(&self, peer: u32) -> bool {
        self.stage.is_sampled(peer)
    }

    pub(crate) fn queue_limit(&self, peer: u32) -> usize {
        self.stage.play.group_of(peer).node.limits.inbound_queue as usize
    }

    pub(crate) fn count_sent(&mut self, peer: u32, bytes: u64) {
        if let Some(count) = self.counts.get_mut(self.stage.place_of(peer)) {
            count.sent += 1;
            count.sent_bytes += bytes;
        }
    }

    pub(crate) fn count_received(&mut self, peer: u32) {
        if let Some(count) = self.counts.get_mut(self.stage.place_of(peer)) {
            count.received += 1;
        }
    }

    pub(crate) fn look(&mut self, peer: u32, moment: Moment<'_>) {
        self.watch.look(peer, moment);
    }

    pub(crate) fn begin_sampling(&mut self, at: Instant) {
        self.stage.tell(self.shard, at, &mut self.log);
        self.watch.sampling(at);
    }

    pub(crate) fn counted(&self) -> Counted {
        let tally = self.links.tally();
        let lost = tally.lost_random + tally.lost_partition + tally.lost_fault;
        let dropped = lost + self.drops.total();
        Counted { sent: tally.sent, sent_bytes: tally.sent_bytes, dropped, online: self.online }
    }

    pub(crate) fn panicked(&mut self, at: Instant, peer: u32, message: &str) {
        self.panics.push(Panic { at, peer, message: message.to_owned() });
    }

    pub(crate) fn settle(&mut self, peer: u32, digest: PeerDigest, window: Option<Window>) {
        if let Some(place) = self.digests.get_mut(self.stage.place_of(peer)) {
            *place = digest;
        }
        if let Some(window) = window
            && self.pool.len() < POOLED_WINDOWS
        {
            let mut items = window.items;
            items.clear();
            self.pool.push(items);
        }
    }

    /// Lets the watchers see what was done before `end`, in the order of simulated time.
    pub(crate) fn show(&mut self, end: Instant) {
        self.seen.sort_by_key(|(at, peer, _)| (*at, *peer));
        let now = self.seen.partition_point(|(at, ..)| *at < end);
        let emptied = self.seen.capacity() / 4;
        for (at, peer, seen) in self.seen.drain(..now) {
            if self.stage.is_sampled(peer) {
                self.log.extend(log::entry(at, peer, &seen));
            }
            match seen {
                Seen::Turned(event) => self.watch.turned(&event),
                Seen::Begun(command) => self.watch.began(at, peer, &command),
                Seen::Abandoned(operation) => self.watch.abandoned(at, peer, operation),
                Seen::Told(_, event) => self.watch.told(at, peer, &event),
                Seen::Handled { .. } => {}
            }
        }
        // The first window, in which everybody starts, is the fullest by far.
        if now < emptied {
            self.seen.shrink_to(emptied);
        }
    }

    pub(crate) fn own_digests(&self) -> impl Iterator<Item = (u32, Digest, PeerDigest)> {
        let Stage { book, shards, .. } = &*self.stage;
        let numbers = (self.shard..book.len()).step_by(*shards);
        numbers.zip(&self.digests).map(|(number, digest)| {
            let id = book.digests().get(number).copied().unwrap_or_default();
            (number as u32, id, *digest)
        })
    }
}
