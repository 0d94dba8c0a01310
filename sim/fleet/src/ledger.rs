//! What was seen, put in the order of time for whoever judges it.
//!
//! What nodes tell arrives late and out of order. It waits here for [`LATENESS`], then it is told; what comes later still is
//! dated to the moment up to which all has been told, and counted: nothing is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;

use judge::{Concern, Findings, Flaw, Observer, Traffic};
use kad::{Kad, Start};
use kernel::{Chapter, EventId, LogEntry, PeerCount};
use node::Command;
use play::{LifeEvent, Play};
use types::{Book, Domain, Duration, Instant, OperationId, PeerRef, Seed, Streams};
use wire::admin::{About, View};

use crate::links::Network;

/// How long what is told may take to get here: a node's event waits for its turn on a busy machine.
pub(crate) const LATENESS: Duration = Duration::from_secs(1);

/// Something that was seen of a peer.
#[derive(Debug)]
pub(crate) enum Seen {
    /// What it looks like at a sampling instant.
    Looked { incarnation: u32, view: Box<View> },
    /// A life begins or ends.
    Turned(LifeEvent),
    /// A client asks.
    Began(Command),
    /// An operation will not end.
    Abandoned(OperationId),
    /// The peer told something.
    Told(Box<node::Event>),
    /// Something for the log alone.
    Noted { kind: &'static str, detail: String },
}

/// What lies at one instant: samples come before everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Look,
    Sampled,
    Rest,
}

/// A place in the order.
type Place = (Instant, Rank, u64);

/// Puts things in order and tells them.
pub(crate) struct Ledger<'a> {
    play: &'a Play,
    observer: Option<Observer>,
    network: &'a Network,
    found: &'a mut dyn FnMut(Instant, Findings),
    log: Log<'a>,
    pub(crate) book: Book,
    waiting: BTreeMap<Place, Option<(u32, Seen)>>,
    /// Peers that were asked at a sampling instant and have not answered.
    awaited: BTreeSet<(Instant, u32)>,
    sequence: u64,
    /// Up to where everything has been told.
    horizon: Instant,
    counters: Vec<Counter>,
    /// What came too late, and by how much at most.
    pub(crate) late: u64,
    pub(crate) latest: Duration,
    /// Peers that were up and could not be asked at a sampling instant.
    pub(crate) unseen: u64,
    /// What faults of links did to messages, as far as it shows.
    pub(crate) touched: BTreeMap<u32, u64>,
}

/// Who watches.
pub(crate) struct Eyes<'a> {
    pub(crate) observer: Observer,
    /// Is given what was found up to some moment.
    pub(crate) found: &'a mut dyn FnMut(Instant, Findings),
    /// Whose events go to the log, sorted.
    pub(crate) sampled: &'a [u32],
    pub(crate) log: Option<&'a Sender<Chapter>>,
}

/// The event log of sampled peers.
struct Log<'a> {
    sampled: &'a [u32],
    to: Option<&'a Sender<Chapter>>,
    entries: Vec<LogEntry>,
    /// By peer.
    counts: Vec<u32>,
}

/// What one peer's lives add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    incarnation: u32,
    looked: Instant,
    before: Counts,
    current: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sent: u64,
    sent_bytes: u64,
    received: u64,
    dropped: u64,
}

impl Counts {
    const fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            received: self.received + other.received,
            dropped: self.dropped + other.dropped,
        }
    }
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(play: &'a Play, network: &'a Network, eyes: Eyes<'a>) -> Self {
        let Eyes { observer, found, sampled, log } = eyes;
        let shared = play.scene().book();
        let peers = shared.len();
        Self {
            play,
            network,
            observer: Some(observer),
            found,
            log: Log { sampled, to: log, entries: Vec::new(), counts: vec![0; peers] },
            book: Book::new(std::sync::Arc::clone(shared)),
            waiting: BTreeMap::new(),
            awaited: BTreeSet::new(),
            sequence: 0,
            horizon: Instant::START,
            counters: vec![Counter::default(); peers],
            late: 0,
            latest: Duration::ZERO,
            unseen: 0,
            touched: BTreeMap::new(),
        }
    }

    /// Something happened at `at`.
    pub(crate) fn note(&mut self, at: Instant, peer: u32, seen: Seen) {
        let at = if at < self.horizon {
            self.late += 1;
            self.latest = self.latest.max(self.horizon.since(at));
            self.horizon
        } else {
            at
        };
        self.put(at, Rank::Rest, Some((peer, seen)));
    }

    /// A sampling instant: these peers are asked what they look like.
    pub(crate) fn sample(&mut self, at: Instant, asked: impl IntoIterator<Item = u32>) {
        self.awaited.extend(asked.into_iter().map(|peer| (at, peer)));
        self.put(at, Rank::Sampled, None);
    }

    /// A peer that was asked answered, or went away so that nobody expects it to.
    pub(crate) fn looked(&mut self, at: Instant, peer: u32, looked: Option<(u32, Box<View>)>) {
        // One that comes too late has been counted as missing.
        if self.awaited.remove(&(at, peer))
            && let Some((incarnation, view)) = looked
        {
            self.put(at, Rank::Look, Some((peer, Seen::Looked { incarnation, view })));
        }
    }

    /// Nobody waits for what `peer` looks like any more.
    pub(crate) fn gone(&mut self, peer: u32) {
        self.awaited.retain(|(_, awaited)| *awaited != peer);
    }

    /// Whether all who were asked what they look like have answered.
    pub(crate) fn is_settled(&self) -> bool {
        self.awaited.is_empty()
    }

    fn put(&mut self, at: Instant, rank: Rank, seen: Option<(u32, Seen)>) {
        self.waiting.insert((at, rank, self.sequence), seen);
        self.sequence += 1;
    }

    /// Tells everything that was before `until`.
    pub(crate) fn tell(&mut self, until: Instant) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 < until) {
            let ((at, ..), seen) = entry.remove_entry();
            match seen {
                Some((peer, seen)) => self.show(at, peer, seen),
                None => self.sampled(at),
            }
        }
        self.horizon = self.horizon.max(until);
    }

    /// The run ended at `ended`.
    pub(crate) fn close(&mut self, ended: Instant) {
        self.tell(Instant::NEVER);
        if let Some(observer) = self.observer.take() {
            (self.found)(Instant::NEVER, observer.close(ended));
        }
        self.log.tell(Instant::NEVER);
    }

    /// What each peer sent and received, by number.
    pub(crate) fn counts(&self) -> Vec<PeerCount> {
        let count = |counter: &Counter| {
            let Counts { sent, sent_bytes, received, .. } = counter.before.and(counter.current);
            PeerCount { sent, sent_bytes, received }
        };
        self.counters.iter().map(count).collect()
    }

    fn sampled(&mut self, at: Instant) {
        let Some(observer) = &mut self.observer else { return };
        while let Some((asked, peer)) = self.awaited.first().copied().filter(|(asked, _)| *asked <= at) {
            self.awaited.remove(&(asked, peer));
            self.unseen += 1;
            observer.sample_untold(at, peer);
        }
        let whole = self
            .counters
            .iter()
            .fold(Counts::default(), |whole, counter| whole.and(counter.before).and(counter.current));
        let Counts { sent, sent_bytes, dropped, .. } = whole;
        observer.sampled(at, Traffic { sent, sent_bytes, dropped });
        (self.found)(at, observer.so_far());
        self.log.tell(at);
    }

    fn show(&mut self, at: Instant, peer: u32, seen: Seen) {
        self.log.add(at, peer, &seen);
        let Some(observer) = &mut self.observer else { return };
        match seen {
            Seen::Looked { incarnation, view } => {
                if let Some(counter) = self.counters.get_mut(peer as usize) {
                    let (since, more) = counter.count(at, incarnation, &view);
                    let losing =
                        self.network.losing(peer, since, at).into_iter().map(|fault| (fault, more.dropped));
                    let clogging =
                        self.network.clogging(peer, since, at).into_iter().map(|fault| (fault, more.sent));
                    for (fault, messages) in losing.chain(clogging) {
                        *self.touched.entry(fault).or_default() += messages;
                    }
                }
                let soundness = soundness(&view);
                let config = std::sync::Arc::new(self.play.group_of(peer).node.kad.clone());
                let kad = shown(peer, config, &view, &mut self.book);
                let layers = node::View { kad: Some(&kad) };
                observer.sample_told(at, peer, layers, &self.book, view.queue as usize, soundness);
            }
            Seen::Turned(event) => observer.life(&event),
            Seen::Began(command) => observer.begin(at, peer, &command),
            Seen::Abandoned(operation) => observer.abandoned(at, peer, operation),
            Seen::Told(event) => observer.event(at, peer, &event),
            Seen::Noted { .. } => {}
        }
    }
}

impl Counter {
    /// Takes the numbers of a look; returns since when there were how many more.
    fn count(&mut self, at: Instant, incarnation: u32, view: &View) -> (Instant, Counts) {
        if self.incarnation != incarnation {
            self.before = self.before.and(std::mem::take(&mut self.current));
            self.incarnation = incarnation;
        }
        let View { sent, sent_bytes, received, dropped, .. } = *view;
        let current = Counts { sent, sent_bytes, received, dropped };
        let last = std::mem::replace(&mut self.current, current);
        let since = std::mem::replace(&mut self.looked, at);
        let more = Counts {
            sent: sent.saturating_sub(last.sent),
            sent_bytes: sent_bytes.saturating_sub(last.sent_bytes),
            received: received.saturating_sub(last.received),
            dropped: dropped.saturating_sub(last.dropped),
        };
        (since, more)
    }
}

impl Log<'_> {
    fn add(&mut self, at: Instant, peer: u32, seen: &Seen) {
        if self.to.is_none() || self.sampled.binary_search(&peer).is_err() {
            return;
        }
        let (kind, detail) = match seen {
            Seen::Told(event) => ("told", format!("{event:?}")),
            Seen::Noted { kind, detail } => (*kind, detail.clone()),
            Seen::Looked { .. } | Seen::Turned(_) | Seen::Began(_) | Seen::Abandoned(_) => return,
        };
        let Some(count) = self.counts.get_mut(peer as usize) else { return };
        let id = EventId { peer, count: *count };
        *count += 1;
        self.entries.push(LogEntry { at, peer, id, cause: id, kind, detail });
    }

    fn tell(&mut self, until: Instant) {
        if let Some(to) = self.to {
            let entries = std::mem::take(&mut self.entries);
            // Nobody listens any more: then nobody misses it.
            let _ = to.send(Chapter { shard: 0, until, entries });
        }
    }
}

/// The DHT of a peer elsewhere, as far as it showed it: its table.
fn shown(peer: u32, config: std::sync::Arc<kad::Config>, view: &View, book: &mut Book) -> Kad {
    let contacts: Vec<_> = view.contacts.iter().filter_map(|id| book.intern(id).ok()).collect();
    // It draws nothing: it is only looked at.
    let streams = Streams::global(Seed(0), Domain::new("fleet"));
    Kad::new(PeerRef::shared(peer), config, streams, Start::Filled, &contacts, Vec::new(), book)
}

fn soundness(view: &View) -> Result<(), Flaw> {
    let Some(flaw) = &view.flaw else { return Ok(()) };
    let concern = match flaw.about {
        About::Table => Concern::Table,
        About::Lookups => Concern::Lookups,
        About::Limits => Concern::Limits,
    };
    Err(Flaw { concern, what: flaw.what.clone() })
}
