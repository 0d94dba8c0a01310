//! The honest peer: composes the layers and routes between them. It adds no protocol of its own.

use alloc::sync::Arc;
use alloc::vec::Vec;

use config::Config;
use kad::{Context, Effects, Kad};
use types::{Book, Domain, Duration, ExchangeId, Instant, Now, PeerRef, Seed, Streams, Work, WriteId};

use crate::event::Event;
use crate::message::Message;
use crate::seam::{
    CloseReason, Command, Detail, Inbound, Input, LinkState, Outbound, Outbox, Output, Peer, RecordChange,
    StrayInput, View,
};

/// The domain of an honest peer's draws.
const NODE: Domain = Domain::new("node");

/// Who lives, and the how-manieth life it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The peer itself, in its own book.
    pub local: PeerRef,
    /// Counted from zero; a peer that comes back has the next.
    pub incarnation: u32,
    /// The root of its chance.
    pub seed: Seed,
}

/// What a peer finds when it starts: its peer book and its disk.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Peers it knows of: bootstrap addresses, an old peer book, or an oracle's table.
    pub contacts: Vec<PeerRef>,
    /// How it takes them.
    pub start: kad::Start,
    /// The records that its disk holds, and when each expires.
    pub records: Vec<(Arc<kad::Record>, Instant)>,
}

/// A configuration that many nodes of a process share.
#[derive(Clone, Debug)]
pub struct Settings {
    kad: Arc<kad::Config>,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self { kad: Arc::new(config.kad.clone()) }
    }
}

/// The honest [`Peer`].
#[derive(Debug)]
pub struct Node {
    kad: Kad,
    life: Life,
    exchanges: u32,
    writes: u64,
    /// The time last asked for, to ask only when it changes.
    wake_at: Option<Instant>,
}

impl Node {
    /// A node as it is before it was started, for the first time or again.
    ///
    /// # Panics
    /// If the configuration is out of its ranges ([`Config::problems`]): it is checked where it is read.
    #[must_use]
    pub fn restore(life: Life, settings: &Settings, restored: Restored, book: &Book) -> Self {
        let streams = Streams::new(life.seed, NODE, book.digest(life.local), life.incarnation);
        let Restored { contacts, start, records } = restored;
        let kad = Kad::new(life.local, Arc::clone(&settings.kad), streams, start, &contacts, records, book);
        Self { kad, life, exchanges: 0, writes: 0, wake_at: None }
    }
}

impl Peer for Node {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        let Self { kad, life, exchanges, writes, wake_at } = self;
        let mut effects = Layer { life: *life, exchanges, writes, out };
        let mut cx = Context { now, book, effects: &mut effects };
        match input {
            Input::Started => kad.start(&mut cx),
            Input::Received { from, kind, message: Message::Kad(message) } => match (kind, message) {
                (Inbound::Request(exchange), kad::Message::Request(request)) => {
                    kad.request(&mut cx, from, exchange, request);
                }
                (Inbound::Answer(exchange), kad::Message::Response(response)) => {
                    kad.response(&mut cx, from, exchange, response);
                }
                (Inbound::OneWay, kad::Message::Notice(announcement)) => {
                    kad.notice(&mut cx, from, &announcement);
                }
                (Inbound::OneWay, _) => cx.effects.stray(StrayInput::OneWayMessage),
                (Inbound::Request(_) | Inbound::Answer(_), _) => cx.effects.stray(StrayInput::WrongDirection),
            },
            Input::Failed { exchange, reason } => kad.failed(&mut cx, exchange, reason),
            Input::Malformed { from, reason } => {
                cx.effects.out.push(Output::Event(Event::Malformed { from, reason }));
                cx.effects.out.push(Output::Close { peer: from, reason: CloseReason::Misbehaved });
            }
            Input::Link { peer, state: LinkState::Down, .. } => kad.closed(&mut cx, peer),
            Input::Link { state: LinkState::Up, .. } => {}
            Input::Persisted { write, result } => kad.persisted(&mut cx, write, result),
            Input::Command(Command::Kad(command)) => kad.command(&mut cx, command),
            // Closing the links is the goodbye of a libp2p node; the stage does it for whoever stops gracefully.
            Input::Command(Command::Leave) => {}
            Input::Deadline => kad.deadline(&mut cx),
        }
        let next = kad.next_deadline();
        if *wake_at != next {
            *wake_at = next;
            out.push(Output::WakeAt(next));
        }
    }

    fn view(&self) -> View<'_> {
        View { kad: Some(&self.kad) }
    }
}

/// A layer's way out: ids are given here, and its effects become outputs.
struct Layer<'a> {
    life: Life,
    exchanges: &'a mut u32,
    writes: &'a mut u64,
    out: &'a mut Outbox,
}

impl Layer<'_> {
    fn stray(&mut self, input: StrayInput) {
        self.out.push(Output::Event(Event::Stray { input }));
    }
}

impl Effects for Layer<'_> {
    fn request(&mut self, to: PeerRef, request: kad::Request, timeout: Duration) -> ExchangeId {
        let exchange = ExchangeId {
            opener: self.life.local,
            incarnation: self.life.incarnation,
            count: *self.exchanges,
        };
        *self.exchanges += 1;
        let message = Message::Kad(kad::Message::Request(request));
        self.out.push(Output::Send { to, kind: Outbound::Request { exchange, timeout }, message });
        exchange
    }

    fn answer(&mut self, to: PeerRef, exchange: ExchangeId, response: kad::Response) {
        let message = Message::Kad(kad::Message::Response(response));
        self.out.push(Output::Send { to, kind: Outbound::Answer(exchange), message });
    }

    fn refuse(&mut self, to: PeerRef, exchange: ExchangeId) {
        self.out.push(Output::Refuse { to, exchange });
    }

    fn notify(&mut self, to: PeerRef, announcement: Arc<kad::Announcement>) {
        let message = Message::Kad(kad::Message::Notice(announcement));
        self.out.push(Output::Send { to, kind: Outbound::OneWay, message });
    }

    fn persist(&mut self, change: RecordChange) -> WriteId {
        let write = WriteId(*self.writes);
        *self.writes += 1;
        self.out.push(Output::Persist { write, change });
        write
    }

    fn event(&mut self, event: kad::Event) {
        self.out.push(Output::Event(Event::Kad(event)));
    }

    fn is_traced(&self) -> bool {
        self.out.detail() == Detail::Traced
    }

    fn charge(&mut self, work: Work) {
        self.out.charge(work);
    }
}
