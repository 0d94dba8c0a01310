//! What a node tells its owner: events as they happen, and counts of what it turned away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kad::Refusal;
use node::{DecodeFailure, Direction};
use tokio::sync::broadcast;
use types::PeerId;

/// Events kept for a listener that falls behind; it loses the oldest. Some seconds of a busy node.
const EVENTS_KEPT: usize = 1_024;

/// Something that happened in a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The table was filled for the first time.
    Bootstrapped {
        /// Contacts in it by then.
        contacts: u32,
    },
    /// A contact entered the table.
    ContactAdded(PeerId),
    /// A contact left the table because it stopped answering.
    ContactEvicted(PeerId),
    /// A record was persisted here for the first time.
    RecordStored {
        /// Its name.
        name: Vec<u8>,
    },
    /// A record's life ended here.
    RecordExpired {
        /// Its name.
        name: Vec<u8>,
    },
    /// A peer is remembered here as one that provides this.
    ProviderAdded {
        /// What.
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// A provider did not announce itself again in time.
    ProviderExpired {
        /// What it provided.
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// The first connection to a peer was established.
    LinkUp {
        /// To whom.
        peer: PeerId,
        /// Who dialled.
        direction: Direction,
    },
    /// A peer said, over a connection that proved who it is, where it can be dialled.
    Introduced {
        /// Who.
        peer: PeerId,
    },
    /// The last connection to a peer was closed.
    LinkDown {
        /// To whom.
        peer: PeerId,
    },
    /// Something of a peer's was turned away; it is counted too.
    TurnedAway {
        /// Whose; `None` if it did not come to say who it is.
        peer: Option<PeerId>,
        /// Why.
        reason: Reason,
    },
    /// The node's code panicked: it stops.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

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

/// The way to whoever listens, and the counts.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    events: broadcast::Sender<Event>,
    counts: Arc<Mutex<BTreeMap<Reason, u64>>>,
}

impl Told {
    pub(crate) fn new() -> Self {
        Self { events: broadcast::Sender::new(EVENTS_KEPT), counts: Arc::default() }
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    /// Counts, and tells.
    pub(crate) fn turned_away(&self, peer: Option<PeerId>, reason: Reason) {
        *self.lock().entry(reason).or_default() += 1;
        self.tell(Event::TurnedAway { peer, reason });
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(crate) fn counts(&self) -> BTreeMap<Reason, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Reason, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
