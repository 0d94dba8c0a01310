//! What a node tells its owner: numbered events, kept for a while, and counts of what it turned away.
//!
//! There is one shelf of events: whoever listens in the process and whoever asks over HTTP read the same.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kad::Refusal;
use node::DecodeFailure;
use tokio::sync::watch;
use types::PeerId;
use wire::admin::{Event, Events, Told as Numbered};

use crate::clock;
use crate::metrics::Metrics;

/// Events kept for listeners that fall behind, which lose the oldest: some seconds of a busy node, far more of a calm one.
const MAX_EVENTS: usize = 8_192;
/// Bytes of them: an event may hold a record's value.
const MAX_EVENTS_BYTES: usize = 8 << 20;
/// Bytes of the events of one answer; the last of them may lie beyond it.
const MAX_ANSWER_BYTES: usize = 256 << 10;
/// What an event takes beside names, values and words.
const EVENT_BYTES: usize = 128;

/// Why something was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Bytes that are no message.
    Malformed(DecodeFailure),
    /// A frame whose stream ended within it. Nobody is blamed: a peer that dies cuts its frames short.
    CutShort,
    /// A message that the DHT refused.
    Refused(Refusal),
    /// A message where none of its kind belongs.
    Stray,
    /// A connection beyond those that there may be.
    TooManyLinks,
    /// A connection beyond those that there may be with one subnet.
    TooManyLinksOfSubnet,
    /// A connection that did not get through its handshake.
    NoHandshake,
    /// A dialled address where another than the expected peer is.
    WrongPeer,
    /// An introduction with addresses that nobody can dial, or that are another's: those are ignored.
    NoAddress,
    /// A stream beyond those that one peer may have open.
    TooManyStreamsOfPeer,
    /// A stream beyond those that all peers may have open.
    TooManyStreams,
    /// A request beyond those that may wait for the node.
    QueueFull,
    /// A frame that did not arrive, or an answer that was not taken, in time.
    TooSlow,
    /// A request that the node does not answer.
    Unanswered,
}

/// What a reason says of whoever is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It asked for more than there is room or time for.
    Limit,
    /// It did what no peer should.
    Offence,
}

impl Reason {
    /// Those that say all by themselves.
    pub(crate) const PLAIN: &[Self] = &[
        Self::CutShort,
        Self::Stray,
        Self::TooManyLinks,
        Self::TooManyLinksOfSubnet,
        Self::NoHandshake,
        Self::WrongPeer,
        Self::NoAddress,
        Self::TooManyStreamsOfPeer,
        Self::TooManyStreams,
        Self::QueueFull,
        Self::TooSlow,
        Self::Unanswered,
    ];

    /// The reason that an event of the node gives.
    pub(crate) const fn of(event: &node::Event) -> Option<Self> {
        Some(match event {
            node::Event::Kad(kad::Event::Refused { reason, .. }) => Self::Refused(*reason),
            node::Event::Malformed { reason, .. } => Self::Malformed(*reason),
            node::Event::Stray { .. } => Self::Stray,
            node::Event::Kad(_) => return None,
        })
    }

    /// In a word: the same in events, status and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed(failure) => failure.word(),
            Self::Refused(refusal) => refusal.word(),
            Self::CutShort => "cut_short",
            Self::Stray => "stray",
            Self::TooManyLinks => "too_many_links",
            Self::TooManyLinksOfSubnet => "too_many_links_of_subnet",
            Self::NoHandshake => "no_handshake",
            Self::WrongPeer => "wrong_peer",
            Self::NoAddress => "no_address",
            Self::TooManyStreamsOfPeer => "too_many_streams_of_peer",
            Self::TooManyStreams => "too_many_streams",
            Self::QueueFull => "queue_full",
            Self::TooSlow => "too_slow",
            Self::Unanswered => "unanswered",
        }
    }

    /// Whether a limit was hit or a rule broken.
    #[must_use]
    pub const fn sort(self) -> Sort {
        match self {
            Self::Malformed(DecodeFailure::TooLong | DecodeFailure::BookFull)
            | Self::Refused(
                Refusal::RecordTooLarge | Refusal::StoreFull | Refusal::ProvidersFull | Refusal::TooManyPeers,
            )
            | Self::TooManyLinks
            | Self::TooManyLinksOfSubnet
            | Self::TooManyStreamsOfPeer
            | Self::TooManyStreams
            | Self::QueueFull
            | Self::TooSlow => Sort::Limit,
            Self::Malformed(
                DecodeFailure::Truncated | DecodeFailure::Invalid | DecodeFailure::UnknownKind,
            )
            | Self::Refused(
                Refusal::NotPersisted
                | Refusal::Unsolicited
                | Refusal::WrongKind
                | Refusal::NotServing
                | Refusal::NotTheProvider,
            )
            | Self::CutShort
            | Self::Stray
            | Self::NoHandshake
            | Self::WrongPeer
            | Self::NoAddress
            | Self::Unanswered => Sort::Offence,
        }
    }
}

/// The side that tells.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    kept: Arc<Mutex<Kept>>,
    last: watch::Sender<u64>,
    metrics: Arc<Metrics>,
}

impl Told {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { kept: Arc::default(), last: watch::Sender::new(0), metrics }
    }

    pub(crate) fn tell(&self, event: Event) {
        let number = lock(&self.kept).events.add(clock::unix_nanos(), event);
        self.last.send_replace(number);
    }

    /// Counts, and tells.
    pub(crate) fn turned_away(&self, peer: Option<PeerId>, reason: Reason) {
        self.count(reason);
        self.tell(Event::TurnedAway { peer, reason: reason.word().to_owned() });
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Counts what is told of in another way.
    pub(crate) fn count(&self, reason: Reason) {
        self.metrics.turned_away(reason);
        *lock(&self.kept).counts.entry(reason).or_default() += 1;
    }

    pub(crate) fn heard(&self) -> Heard {
        Heard { kept: Arc::clone(&self.kept), last: self.last.subscribe() }
    }
}

/// The side that hears. It outlives the node, which then tells nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    kept: Arc<Mutex<Kept>>,
    last: watch::Receiver<u64>,
}

impl Heard {
    /// The number of the last event that happened.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// Waits for an event after the one of number `after`: false if there will be none.
    pub(crate) async fn wait(&mut self, after: u64) -> bool {
        self.last.wait_for(|last| *last > after).await.is_ok()
    }

    /// What happened after the event of number `after`, as much as goes into one answer.
    pub(crate) fn after(&self, after: u64) -> Events {
        lock(&self.kept).events.after(after, MAX_ANSWER_BYTES)
    }

    pub(crate) fn counts(&self) -> BTreeMap<Reason, u64> {
        lock(&self.kept).counts.clone()
    }

    pub(crate) fn listen(&self) -> Listener {
        Listener { heard: self.clone(), told: self.last(), ready: VecDeque::new() }
    }
}

/// Hears what happens from some moment on.
#[derive(Debug)]
pub struct Listener {
    heard: Heard,
    /// The number of the last event that was taken from the shelf.
    told: u64,
    ready: VecDeque<Numbered>,
}

impl Listener {
    /// The next event; `None` once the node has stopped and all was told. A listener that falls behind loses the oldest
    /// events: the numbers tell.
    pub async fn next(&mut self) -> Option<Numbered> {
        if self.ready.is_empty() {
            // A node that stopped may have told something since.
            self.heard.wait(self.told).await;
            let Events { last, events, .. } = self.heard.after(self.told);
            self.told = last;
            self.ready = events.into();
        }
        self.ready.pop_front()
    }
}

#[derive(Debug, Default)]
struct Kept {
    events: Shelf,
    counts: BTreeMap<Reason, u64>,
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The latest events.
#[derive(Debug, Default)]
struct Shelf {
    events: VecDeque<Numbered>,
    bytes: usize,
    last: u64,
}

impl Shelf {
    /// Adds an event, for which the oldest give way, and returns its number.
    fn add(&mut self, unix_ns: u64, event: Event) -> u64 {
        self.last += 1;
        self.bytes += size(&event);
        self.events.push_back(Numbered { number: self.last, unix_ns, event });
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_EVENTS_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= size(&oldest.event);
        }
        self.last
    }

    fn after(&self, after: u64, max_bytes: usize) -> Events {
        let first = self.events.front().map_or(self.last + 1, |event| event.number);
        let lost = first.saturating_sub(after.saturating_add(1));
        let skipped = (after + lost).saturating_add(1).saturating_sub(first);
        let mut bytes = 0;
        let fits = |told: &&Numbered| {
            let fits = bytes < max_bytes;
            bytes += size(&told.event);
            fits
        };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let events: Vec<_> = self.events.iter().skip(skipped).take_while(fits).cloned().collect();
        let last = events.last().map_or(after + lost, |told| told.number);
        Events { last, lost, events }
    }
}

/// About how many bytes an event takes.
fn size(event: &Event) -> usize {
    let variable = match event {
        Event::RecordStored { record } => record.name.len() + record.value.len(),
        Event::RecordExpired { name }
        | Event::ProviderAdded { name, .. }
        | Event::ProviderExpired { name, .. } => name.len(),
        Event::TurnedAway { reason: text, .. } | Event::Panicked { message: text } => text.len(),
        Event::Bootstrapped { .. }
        | Event::ContactAdded { .. }
        | Event::ContactEvicted { .. }
        | Event::LinkUp { .. }
        | Event::LinkDown { .. }
        | Event::Introduced { .. } => 0,
    };
    EVENT_BYTES + variable
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Event = Event::Bootstrapped { contacts: 0 };

    fn numbers(events: &Events) -> Vec<u64> {
        events.events.iter().map(|told| told.number).collect()
    }

    #[test]
    fn what_was_missed_is_told_in_order_and_what_was_lost_is_counted() {
        let mut shelf = Shelf::default();
        assert_eq!(shelf.after(0, 1_000), Events::default());
        for number in 1..=MAX_EVENTS as u64 + 10 {
            assert_eq!(shelf.add(number, EVENT), number);
        }
        let newest = MAX_EVENTS as u64 + 10;
        let some = shelf.after(newest - 2, 1_000);
        assert_eq!((some.last, some.lost, numbers(&some)), (newest, 0, vec![newest - 1, newest]));
        let none = shelf.after(newest, 1_000);
        assert_eq!((none.last, none.lost, numbers(&none)), (newest, 0, vec![]));
        let first = shelf.after(0, 2 * EVENT_BYTES);
        assert_eq!((first.last, first.lost, numbers(&first)), (12, 10, vec![11, 12]));
        let next = shelf.after(first.last, 1);
        assert_eq!((next.last, next.lost, numbers(&next)), (13, 0, vec![13]));
        // Nobody is promised what never happens.
        let future = shelf.after(u64::MAX - 1, 1_000);
        assert_eq!((future.last, future.lost, numbers(&future)), (u64::MAX - 1, 0, vec![]));
    }

    #[test]
    fn large_events_leave_room_for_fewer() {
        let mut shelf = Shelf::default();
        let large = Event::Panicked { message: "x".repeat(1 << 20) };
        for _ in 0..100 {
            shelf.add(0, large.clone());
            assert!(shelf.bytes <= MAX_EVENTS_BYTES);
        }
        assert_eq!(shelf.events.len(), 7);
        assert_eq!(shelf.bytes, 7 * size(&large));
        // One that is larger than an answer is told alone.
        assert_eq!(numbers(&shelf.after(0, 1)), [94]);
    }

    #[tokio::test]
    async fn listeners_hear_what_follows_and_that_nothing_does() {
        let told = Told::new(Metrics::new("/kad"));
        told.tell(EVENT);
        let mut listener = told.heard().listen();
        told.turned_away(None, Reason::Stray);
        let heard = listener.next().await.unwrap();
        assert_eq!(heard.number, 2);
        assert_eq!(heard.event, Event::TurnedAway { peer: None, reason: "stray".to_owned() });
        assert_eq!(told.heard().counts(), BTreeMap::from([(Reason::Stray, 1)]));
        told.tell(EVENT);
        drop(told);
        assert_eq!(listener.next().await.unwrap().number, 3);
        assert_eq!(listener.next().await, None);
    }
}
