//! The seam: everything that happens to a peer and everything that a peer wants done.
//!
//! A stage delivers [`Input::Started`] first, then whatever happens, one input at a time, and performs the
//! outputs of each before it delivers the next. It owes exactly one answer or failure for each request, one
//! [`Input::Persisted`] for each [`Output::Persist`], and [`Input::Deadline`] at the last time that was asked for.

use alloc::vec::Vec;

use types::{
    Book, Duration, ExchangeId, Instant, Now, OperationId, PeerRef, SendFailure, StoreResult, Work, WriteId,
};

use crate::event::Event;
use crate::message::Message;

pub use kad::RecordChange;

/// What happens to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The peer was started, for the first time or again.
    Started,
    /// A message arrived.
    Received {
        /// From whom.
        from: PeerRef,
        /// Whether it asks, answers, or neither.
        kind: Inbound,
        /// What it says.
        message: Message,
    },
    /// A request will not be answered.
    Failed {
        /// Which.
        exchange: ExchangeId,
        /// Why.
        reason: SendFailure,
    },
    /// Bytes arrived that the codec refused.
    Malformed {
        /// From whom.
        from: PeerRef,
        /// Why.
        reason: DecodeFailure,
    },
    /// A link came up or went down.
    Link {
        /// To whom.
        peer: PeerRef,
        /// Up or down.
        state: LinkState,
        /// Who dialled.
        direction: Direction,
    },
    /// A change was persisted, or was not.
    Persisted {
        /// Which.
        write: WriteId,
        /// Whether.
        result: StoreResult,
    },
    /// The operator or a workload asks.
    Command(Command),
    /// The time that the peer asked for has come.
    Deadline,
}

/// How a message that arrived belongs to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// To none: nothing answers it.
    OneWay,
    /// It opens one, to be answered under this id.
    Request(ExchangeId),
    /// It ends the one that this peer opened.
    Answer(ExchangeId),
}

/// How a message that leaves belongs to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// To none: nothing answers it.
    OneWay,
    /// It opens one.
    Request {
        /// Its id, chosen by this peer.
        exchange: ExchangeId,
        /// When it fails at the latest.
        timeout: Duration,
    },
    /// It ends the one that the receiver opened.
    Answer(ExchangeId),
}

/// A link, up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Messages can pass.
    Up,
    /// It was closed, by either side or by loss of contact.
    Down,
}

/// Who dialled a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This peer.
    Dialled,
    /// The other.
    Accepted,
}

/// Why a peer closes a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// This peer is leaving.
    Leaving,
    /// The other broke the protocol.
    Misbehaved,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DecodeFailure {
    /// More bytes than a message may have.
    #[error("message is longer than its limit")]
    TooLong,
    /// The bytes end within a field.
    #[error("message is cut short")]
    Truncated,
    /// The bytes are not well-formed.
    #[error("message is not well-formed")]
    Invalid,
    /// A message of a kind that this protocol does not have.
    #[error("message is of an unknown kind")]
    UnknownKind,
    /// The receiver's peer book has no room for the strangers it names.
    #[error("peer book is full")]
    BookFull,
}

impl DecodeFailure {
    /// In a word: the same in logs and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Truncated => "truncated",
            Self::Invalid => "invalid",
            Self::UnknownKind => "unknown_kind",
            Self::BookFull => "book_full",
        }
    }
}

/// What the operator or a workload asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// An operation of the distributed hash table.
    Kad(kad::Command),
    /// Say goodbye: the peer is stopped once this was handled.
    Leave,
}

impl Command {
    /// The operation that this command begins, if it begins one.
    #[must_use]
    pub const fn operation(&self) -> Option<OperationId> {
        match self {
            Self::Kad(command) => Some(command.id),
            Self::Leave => None,
        }
    }
}

/// An input that no layer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrayInput {
    /// A message outside an exchange that belongs into one.
    OneWayMessage,
    /// A request where an answer belongs, or the reverse.
    WrongDirection,
}

/// What a peer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message, dialling first if there is no link.
    Send {
        /// To whom.
        to: PeerRef,
        /// Whether it asks, answers, or neither.
        kind: Outbound,
        /// What it says.
        message: Message,
    },
    /// Turn down a request: whoever made it is told that it will not be answered.
    Refuse {
        /// Who made it.
        to: PeerRef,
        /// The exchange that it opened.
        exchange: ExchangeId,
    },
    /// Bring up a link.
    Dial {
        /// To whom.
        peer: PeerRef,
    },
    /// Take down the link.
    Close {
        /// To whom.
        peer: PeerRef,
        /// Why.
        reason: CloseReason,
    },
    /// Persist a change.
    Persist {
        /// Under which id its result comes back.
        write: WriteId,
        /// What is to change.
        change: RecordChange,
    },
    /// Tell what happened.
    Event(Event),
    /// Deliver [`Input::Deadline`] then; replaces the time asked for before. `None`: not at all.
    WakeAt(Option<Instant>),
}

/// Where a handler leaves its outputs, and accounts for its work.
#[derive(Debug, Default)]
pub struct Outbox {
    outputs: Vec<Output>,
    work: Work,
    detail: Detail,
}

/// How much a peer is to tell. It changes what is told and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What histories and metrics are made of.
    #[default]
    Plain,
    /// The single steps of what it does as well.
    Traced,
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub const fn new() -> Self {
        Self { outputs: Vec::new(), work: Work(0), detail: Detail::Plain }
    }

    /// From now on, so much is to be told.
    pub const fn set_detail(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// How much is to be told.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        self.detail
    }

    /// Leaves an output, after those left before.
    pub fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Accounts for work: the outputs leave once it is done.
    pub const fn charge(&mut self, work: Work) {
        self.work.0 = self.work.0.saturating_add(work.0);
    }

    /// The outputs left so far.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Takes the outputs, in order, and the work; the outbox is empty afterwards and keeps its room.
    pub fn drain(&mut self) -> (Work, alloc::vec::Drain<'_, Output>) {
        (core::mem::take(&mut self.work), self.outputs.drain(..))
    }
}

/// A participant, as the actor, the stages and the checkers know it.
pub trait Peer {
    /// Handles one input. Infallible: bad input becomes an event with a counted reason.
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox);

    /// What probes may look at; never part of the fingerprint.
    fn view(&self) -> View<'_>;
}

impl<P: Peer + ?Sized> Peer for alloc::boxed::Box<P> {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        (**self).handle(now, input, book, out);
    }
    fn view(&self) -> View<'_> {
        (**self).view()
    }
}

/// What probes see of a peer: the layers that it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct View<'a> {
    /// The distributed hash table.
    pub kad: Option<&'a kad::Kad>,
}
