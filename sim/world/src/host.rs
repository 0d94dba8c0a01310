//! The simulated side of one peer: merges what reaches it with what it caused to itself, by time, and performs
//! its outputs in simulated time.
//!
//! A delivery is one window: everything before its end that reaches the peer from outside, in order. Inputs wait
//! for a core; their outputs leave when their work is done. What lies beyond the window stays here, and a
//! [`Payload::Wake`] in the shard's wheel makes sure that the window in which it lies is delivered.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actor::{Host, Step};
use kernel::connections::{Admission, Connections, Control, DialFailure, Effect, Frame};
use kernel::{Carried, Event, EventId, Fate, PeerDigest};
use node::{
    Command, Direction, Inbound, Input, Life, LinkState, Message, Node, Outbound, Outbox, Output, Peer,
    RecordChange, Restored,
};
use types::{Book, Duration, Instant, Now, OperationId, PeerRef, SendFailure, UnixMillis, Work};

use crate::agenda::{Agenda, Rank, Waiting};
use crate::cast::Player;
use crate::imprint;
use crate::parcel::{Parcel, Payload};
use crate::shard::{Seen, ShardCell};
use crate::watch::Moment;

/// What a change takes to be persisted: a write and a flush of a common solid-state disk.
const WRITE_TIME: Duration = Duration::from_millis(2);

/// Steps of one peer at one instant, at most: beyond them it is not working but spinning, and counts as panicked.
const MAX_STEPS_AT_ONE_INSTANT: u32 = 1_000_000;

/// The wall clock at a run's start: 2026-01-01 00:00 UTC. Any fixed moment would do.
const START_UNIX_MS: u64 = 1_767_225_600_000;

/// One window of one peer.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) end: Instant,
    pub(crate) items: VecDeque<Item>,
}

/// Something that reaches a peer from outside.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) at: Instant,
    pub(crate) cause: EventId,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The moment to look at it has come.
    Look,
    /// It starts.
    Up(Up),
    /// It stops.
    Down(play::Parting),
    /// A message arrives.
    Arrive(PeerRef, Parcel),
    /// A frame of a link arrives.
    Frame(PeerRef, Control),
    /// A workload asks.
    Ask(Command),
}

/// A life begins.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) incarnation: u32,
    pub(crate) contacts: Vec<PeerRef>,
    pub(crate) start: kad::Start,
    pub(crate) disk: play::Data,
}

impl What {
    const fn rank(&self) -> Rank {
        match self {
            Self::Look => Rank::Look,
            Self::Up(_) | Self::Down(_) => Rank::Life,
            Self::Arrive(..) | Self::Frame(..) => Rank::Arrival,
            Self::Ask(_) => Rank::Command,
        }
    }
}

impl Item {
    pub(crate) const fn order(&self) -> (Instant, Rank) {
        (self.at, self.what.rank())
    }
}

/// A record on the disk, and when it expires.
type Stored = (Arc<kad::Record>, Instant);

/// The simulated side of one peer.
#[derive(Debug)]
pub(crate) struct SimHost {
    shard: Rc<ShardCell>,
    number: u32,
    /// Things handled, over all lives: names events.
    handled: u32,
    /// Messages sent, over all lives: names draws.
    sequence: u64,
    /// The wake that waits in the wheel.
    wake: Instant,
    digest: PeerDigest,
    life: Option<Box<Lifetime>>,
    /// The clients pinned to this peer; they outlive its lives.
    clients: Vec<Box<dyn play::Client>>,
    disk: Vec<Stored>,
    window: Option<Window>,
    /// What follows before anything else.
    then: Option<Then>,
    /// The cause and the start of the input that is being handled.
    handling: Handling,
}

#[derive(Debug)]
struct Lifetime {
    agenda: Agenda,
    /// Its links, where a scenario has them dialled.
    links: Option<Connections<Parcel>>,
    /// Operations under way, and the client that asked for each, if one did.
    operations: Vec<(OperationId, Option<usize>)>,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Start(Instant),
    Leave(Instant),
    Vanish(Instant),
}

#[derive(Clone, Copy, Debug)]
struct Handling {
    id: EventId,
    at: Instant,
    /// Steps taken at this instant.
    steps: u32,
}

impl SimHost {
    pub(crate) fn new(shard: Rc<ShardCell>, number: u32) -> Self {
        let id = EventId { peer: number, count: 0 };
        Self {
            shard,
            number,
            handled: 0,
            sequence: 0,
            wake: Instant::NEVER,
            digest: PeerDigest::default(),
            life: None,
            clients: Vec::new(),
            disk: Vec::new(),
            window: None,
            then: None,
            handling: Handling { id, at: Instant::START, steps: 0 },
        }
    }

    const fn local(&self) -> PeerRef {
        PeerRef::shared(self.number)
    }

    /// Begins to handle `input` at `at`: names it, imprints it, and tells whom it concerns.
    fn handle(
        &mut self,
        at: Instant,
        cause: EventId,
        input: Input,
        content: u64,
        book: &Book,
    ) -> Step<Player> {
        let id = EventId { peer: self.number, count: self.handled };
        self.handled += 1;
        self.handling.id = id;
        self.step(at);
        imprint::input(&mut self.digest, at, &input, content, book);
        let mut state = self.shard.state.borrow_mut();
        state.handled += 1;
        if state.is_sampled(self.number) {
            state.see(at, self.number, Seen::Handled { id, cause, input: input.clone() });
        }
        drop(state);
        let unix = UnixMillis(START_UNIX_MS + at.as_millis());
        Step::Handle(Now { instant: at, unix }, input)
    }

    /// Counts a step, and stops a peer that spins.
    fn step(&mut self, at: Instant) {
        let steps = if self.handling.at == at { self.handling.steps + 1 } else { 0 };
        assert!(steps < MAX_STEPS_AT_ONE_INSTANT, "peer {} takes steps without end at {at}", self.number);
        self.handling = Handling { at, steps, ..self.handling };
    }

    fn follow(&mut self, then: Then, book: &Book) -> Step<Player> {
        match then {
            Then::Start(at) => self.handle(at, EventId::SCRIPT, Input::Started, 0, book),
            Then::Leave(at) => {
                self.then = Some(Then::Vanish(at));
                self.handle(at, EventId::SCRIPT, Input::Command(Command::Leave), 0, book)
            }
            Then::Vanish(at) => {
                self.with_links(at, |links, effects| links.close_all(effects));
                self.vanish(at)
            }
        }
    }

    fn vanish(&mut self, at: Instant) -> Step<Player> {
        self.end_life(at);
        self.tell_clients(at, &play::Happening::PeerDown);
        Step::Vanish
    }

    /// A life ends: its operations will not, and what was not persisted is lost.
    fn end_life(&mut self, at: Instant) {
        if let Some(mut life) = self.life.take() {
            let mut state = self.shard.state.borrow_mut();
            for (operation, _) in life.operations.drain(..) {
                state.see(at, self.number, Seen::Abandoned(operation));
            }
        }
    }

    /// Tells every client what happened to the peer.
    fn tell_clients(&mut self, at: Instant, happening: &play::Happening<'_>) {
        for client in 0..self.clients.len() {
            self.act(at, client, happening);
        }
    }

    fn begin_life(&mut self, at: Instant, up: Up, book: &Book) -> Step<Player> {
        if up.disk == play::Data::Lost {
            self.disk.clear();
        }
        self.disk.retain(|(_, expires)| *expires > at);
        let stage = Arc::clone(&self.shard.stage);
        let life = Life { local: self.local(), incarnation: up.incarnation, seed: stage.seed };
        let restored = Restored { contacts: up.contacts, start: up.start, records: self.disk.clone() };
        let group = stage.play.group_of(self.number);
        let player = match stage.cast.play(self.number, life, &restored, book) {
            Some(own) => Player::Own(own),
            None => {
                Player::Node(Box::new(Node::restore(life, stage.settings_of(self.number), restored, book)))
            }
        };
        let links = stage.dialling_of(group).map(|dialling| Connections::new(dialling, up.incarnation));
        self.life =
            Some(Box::new(Lifetime { agenda: Agenda::new(group.cores, at), links, operations: Vec::new() }));
        self.then = Some(Then::Start(at));
        if up.incarnation == 0 {
            self.clients = stage.play.clients_of(self.number);
        }
        self.tell_clients(at, &play::Happening::PeerUp);
        Step::Become(player)
    }

    /// Lets a client act, and does what it wants.
    fn act(&mut self, at: Instant, client: usize, happening: &play::Happening<'_>) {
        let Some(acting) = self.clients.get_mut(client) else {
            return;
        };
        let mut acts = Vec::new();
        acting.act(at, happening, &mut acts);
        for act in acts {
            match act {
                play::Act::Ask(command) => self.ask(at, command, Some(client)),
                play::Act::DueAt(due) => {
                    if let Some(life) = &mut self.life {
                        life.agenda.client_due(client, due.max(at));
                    }
                }
            }
        }
    }

    /// An operation is asked of the peer.
    fn ask(&mut self, at: Instant, command: Command, client: Option<usize>) {
        let mut state = self.shard.state.borrow_mut();
        state.see(at, self.number, Seen::Begun(command.clone()));
        match (&mut self.life, command.operation()) {
            (None, Some(operation)) => state.see(at, self.number, Seen::Abandoned(operation)),
            (None, None) => {}
            (Some(life), operation) => {
                life.operations.extend(operation.map(|operation| (operation, client)));
                let input = Input::Command(command);
                life.agenda.enqueue(Waiting { arrived: at, cause: EventId::SCRIPT, input, content: 0 });
            }
        }
    }

    /// A message has arrived: it waits for a core, unless it concerns nobody any more or the queue is full.
    fn arrive(&mut self, item_at: Instant, cause: EventId, from: PeerRef, parcel: Parcel, book: &mut Book) {
        if !self.admits(item_at, from) {
            return;
        }
        let mut state = self.shard.state.borrow_mut();
        let Some(life) = &mut self.life else {
            state.drops.peer_down += 1;
            return;
        };
        let limit = state.queue_limit(self.number);
        if life.agenda.depth() >= limit {
            state.drops.queue_full += 1;
            return;
        }
        let answers = match parcel.kind {
            Inbound::Answer(exchange) => Some(exchange),
            Inbound::OneWay | Inbound::Request(_) => None,
        };
        if answers.is_some_and(|exchange| !life.agenda.is_open(exchange)) {
            state.drops.late += 1;
            return;
        }
        state.count_received(self.number);
        let (kind, content) = (parcel.kind, parcel.digest);
        let input = match parcel.unpack(book) {
            Ok(message) => {
                if let Some(exchange) = answers {
                    life.agenda.close(exchange);
                }
                Input::Received { from, kind, message }
            }
            // The exchange of a malformed answer stays open: it fails by its timeout.
            Err(reason) => Input::Malformed { from, reason },
        };
        life.agenda.enqueue(Waiting { arrived: item_at, cause, input, content });
    }

    /// A frame of a link has arrived.
    fn frame(&mut self, at: Instant, from: PeerRef, control: Control) {
        if self.life.is_none() {
            self.shard.state.borrow_mut().drops.peer_down += 1;
        } else if let Some(from) = number_of(from) {
            self.with_links(at, |links, effects| links.frame(at, from, control, effects));
        }
    }

    /// Whether what comes from this peer comes by a link, where links are needed.
    fn admits(&mut self, at: Instant, from: PeerRef) -> bool {
        let Some(from) = number_of(from) else { return false };
        let mut admission = Admission::Admitted;
        self.with_links(at, |links, effects| admission = links.payload(at, from, effects));
        if admission == Admission::Dropped {
            self.shard.state.borrow_mut().drops.no_link += 1;
        }
        admission == Admission::Admitted
    }

    /// Does something with the links, if there are any, and performs what comes of it.
    fn with_links(
        &mut self,
        at: Instant,
        act: impl FnOnce(&mut Connections<Parcel>, &mut Vec<Effect<Parcel>>),
    ) {
        let Some(links) = self.life.as_mut().and_then(|life| life.links.as_mut()) else {
            return;
        };
        let mut effects = Vec::new();
        act(links, &mut effects);
        for effect in effects {
            match effect {
                Effect::Transmit { to, frame: Frame::Payload(parcel), size_bytes } => {
                    self.transmit(at, to, size_bytes, carried(parcel.kind), Payload::Parcel(parcel));
                }
                Effect::Transmit { to, frame: Frame::Control(control), size_bytes } => {
                    self.transmit(at, to, size_bytes, Carried::Control, Payload::Control(control));
                }
                Effect::Up { peer, direction } => {
                    self.tell_link(at, peer, LinkState::Up, direction_of(direction));
                }
                Effect::Down { peer, .. } => {
                    self.tell_link(at, peer, LinkState::Down, Direction::Dialled);
                    self.cut_off(at, peer);
                }
                // Each payload that waited fails by itself.
                Effect::DialFailed { .. } => {}
                Effect::Failed { payload, reason, .. } => self.not_sent(at, payload.kind, reason),
            }
        }
    }

    fn tell_link(&mut self, at: Instant, peer: u32, state: LinkState, direction: Direction) {
        self.wait(at, Input::Link { peer: PeerRef::shared(peer), state, direction });
    }

    /// The link to this peer is down: what it was to answer, it will not.
    fn cut_off(&mut self, at: Instant, peer: u32) {
        while let Some(exchange) =
            self.life.as_mut().and_then(|life| life.agenda.cut_off(PeerRef::shared(peer)))
        {
            self.wait(at, Input::Failed { exchange, reason: SendFailure::Closed });
        }
    }

    fn not_sent(&mut self, at: Instant, kind: Inbound, reason: DialFailure) {
        let Inbound::Request(exchange) = kind else { return };
        if self.life.as_mut().is_some_and(|life| life.agenda.close(exchange)) {
            let reason = match reason {
                DialFailure::TimedOut => SendFailure::Unreachable,
                DialFailure::Refused => SendFailure::Refused,
                DialFailure::TooManyLinks | DialFailure::TooManyWaiting => SendFailure::QueueFull,
                DialFailure::Closed => SendFailure::Closed,
            };
            self.wait(at, Input::Failed { exchange, reason });
        }
    }

    /// An input that the peer's own doing brought about waits for a core.
    fn wait(&mut self, at: Instant, input: Input) {
        let cause = self.handling.id;
        if let Some(life) = &mut self.life {
            life.agenda.enqueue(Waiting { arrived: at, cause, input, content: 0 });
        }
    }

    /// What the peer caused to itself has come due.
    fn come_due(&mut self, at: Instant, rank: Rank) {
        let Some(life) = &mut self.life else { return };
        match rank {
            Rank::Persisted => {
                if let Some(write) = life.agenda.written() {
                    let input = Input::Persisted { write: write.id, result: Ok(()) };
                    life.agenda.enqueue(Waiting { arrived: at, cause: write.cause, input, content: 0 });
                    self.commit(write.change);
                }
            }
            Rank::Timeout => {
                if let Some(exchange) = life.agenda.time_out() {
                    self.wait(at, Input::Failed { exchange, reason: SendFailure::Timeout });
                }
            }
            Rank::Link => self.with_links(at, |links, effects| links.deadline(at, effects)),
            Rank::Client => {
                if let Some(client) = life.agenda.client() {
                    self.act(at, client, &play::Happening::Due);
                }
            }
            Rank::Deadline => {
                life.agenda.deadline = None;
                self.wait(at, Input::Deadline);
            }
            Rank::Look | Rank::Life | Rank::Arrival | Rank::Command => {}
        }
    }

    fn commit(&mut self, change: RecordChange) {
        let name = match &change {
            RecordChange::Put { record, .. } => record.target.name(),
            RecordChange::Delete { target } => target.name(),
        };
        let place = self.disk.iter().position(|(record, _)| record.target.name() == name);
        if let Some(place) = place {
            self.disk.swap_remove(place);
        }
        if let RecordChange::Put { record, expires } = change {
            self.disk.push((record, expires));
        }
    }

    fn perform_one(&mut self, leaves: Instant, output: Output, book: &Book) {
        match output {
            Output::Send { to, kind, message } => self.send(leaves, to, kind, message, book),
            Output::Persist { write, change } => {
                imprint::write(&mut self.digest, leaves, write, &change, book);
                if let Some(life) = &mut self.life {
                    life.agenda.write(write, change, leaves, WRITE_TIME, self.handling.id);
                }
            }
            Output::WakeAt(at) => {
                imprint::wake(&mut self.digest, leaves, at);
                if let Some(life) = &mut self.life {
                    life.agenda.deadline = at.map(|at| at.max(leaves));
                }
            }
            Output::Event(event) => self.tell(leaves, event),
            Output::Dial { peer } => {
                imprint::link(&mut self.digest, leaves, peer, None, book);
                if let Some(peer) = number_of(peer) {
                    self.with_links(leaves, |links, effects| links.dial(leaves, peer, effects));
                }
            }
            Output::Close { peer, reason } => {
                imprint::link(&mut self.digest, leaves, peer, Some(reason), book);
                if let Some(peer) = number_of(peer) {
                    self.with_links(leaves, |links, effects| links.close(peer, effects));
                }
            }
        }
    }

    fn send(&mut self, leaves: Instant, to: PeerRef, kind: Outbound, message: Message, book: &Book) {
        let Some(life) = &mut self.life else { return };
        let inbound = match kind {
            Outbound::OneWay => Inbound::OneWay,
            Outbound::Request { exchange, timeout } => {
                life.agenda.open(exchange, to, leaves + timeout);
                Inbound::Request(exchange)
            }
            Outbound::Answer(exchange) => Inbound::Answer(exchange),
        };
        let dialled = life.links.is_some();
        let size = wire::encoded_len(&message, book) as u64;
        let parcel = Parcel::pack(self.shard.stage.wire, inbound, message, book);
        imprint::sent(&mut self.digest, leaves, to, kind, parcel.digest, book);
        // A stranger to the plan is nobody who could answer.
        let Some(to) = number_of(to) else { return };
        if dialled {
            self.with_links(leaves, |links, effects| {
                links.send(leaves, to, parcel, size, effects);
            });
        } else {
            self.transmit(leaves, to, size, carried(inbound), Payload::Parcel(parcel));
        }
    }

    /// Hands a frame to the network.
    fn transmit(&mut self, at: Instant, to: u32, size: u64, carried: Carried, payload: Payload) {
        let sequence = self.sequence;
        self.sequence += 1;
        let mut state = self.shard.state.borrow_mut();
        state.count_sent(self.number, size);
        if let Fate::Arrives(arrives) = state.links.send(at, self.number, to, sequence, size, carried) {
            let (from, cause) = (self.number, self.handling.id);
            state.post(Event { at: arrives, sequence, to, from, cause, payload });
        }
    }

    fn tell(&mut self, at: Instant, event: node::Event) {
        if let node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }) = &event
            && let Some(client) = self.end_operation(*id)
        {
            self.act(at, client, &play::Happening::Ended { id: *id, outcome, report });
        }
        self.shard.state.borrow_mut().see(at, self.number, Seen::Told(self.handling.id, event));
    }

    /// The client that asked for the operation, if one did.
    fn end_operation(&mut self, id: OperationId) -> Option<usize> {
        let operations = &mut self.life.as_mut()?.operations;
        let place = operations.iter().position(|(operation, _)| *operation == id)?;
        operations.swap_remove(place).1
    }

    /// The earliest thing that the peer caused to itself.
    fn next_own(&self) -> Option<(Instant, Rank)> {
        let life = self.life.as_ref()?;
        let links = life.links.as_ref().and_then(Connections::next_deadline);
        life.agenda.next_own().into_iter().chain(links.map(|at| (at, Rank::Link))).min()
    }

    /// What the next step of this window is, by time and rank.
    fn choose(&self, end: Instant) -> Option<Choice> {
        let item = self.window.as_ref().and_then(|window| window.items.front()).map(Item::order);
        let own = self.next_own();
        let ready = self.life.as_ref().and_then(|life| life.agenda.ready_at());
        let reaches = item.into_iter().chain(own).min();
        match (ready, reaches) {
            (_, Some((_, Rank::Look))) => Some(Choice::Item),
            (Some(ready), reaches) if reaches.is_none_or(|(at, _)| ready <= at) => {
                (ready < end).then_some(Choice::Ready(ready))
            }
            (_, Some((at, rank))) if at < end => {
                Some(if item == Some((at, rank)) { Choice::Item } else { Choice::Own(at, rank) })
            }
            _ => None,
        }
    }
}

fn number_of(peer: PeerRef) -> Option<u32> {
    peer.index().and_then(|index| u32::try_from(index).ok())
}

const fn direction_of(direction: kernel::connections::Direction) -> Direction {
    match direction {
        kernel::connections::Direction::Inbound => Direction::Accepted,
        kernel::connections::Direction::Outbound => Direction::Dialled,
    }
}

const fn carried(kind: Inbound) -> Carried {
    match kind {
        Inbound::OneWay => Carried::OneWay,
        Inbound::Request(_) => Carried::Request,
        Inbound::Answer(_) => Carried::Answer,
    }
}

/// How long `work` takes a core of this group.
fn time_of(work: Work, group: &play::Group) -> Duration {
    let speed = u128::from(group.speed.as_millionths().max(1));
    Duration::from_nanos(u64::try_from(u128::from(work.0) * 1_000_000 / speed).unwrap_or(u64::MAX))
}

enum Choice {
    /// An input that waited gets its core.
    Ready(Instant),
    /// Something reaches the peer from outside.
    Item,
    /// Something that it caused to itself comes due.
    Own(Instant, Rank),
}

impl Host<Player> for SimHost {
    type Delivery = Window;

    fn accept(&mut self, delivery: Window, _: &Book) {
        if self.wake < delivery.end {
            self.wake = Instant::NEVER;
        }
        self.window = Some(delivery);
    }

    fn next(&mut self, book: &mut Book) -> Option<Step<Player>> {
        if let Some(then) = self.then.take() {
            return Some(self.follow(then, book));
        }
        let end = self.window.as_ref()?.end;
        loop {
            match self.choose(end)? {
                Choice::Ready(at) => {
                    let waiting = self.life.as_mut()?.agenda.begin()?;
                    return Some(self.handle(at, waiting.cause, waiting.input, waiting.content, book));
                }
                Choice::Own(at, rank) => {
                    self.step(at);
                    self.come_due(at, rank);
                }
                Choice::Item => {
                    let Item { at, cause, what } = self.window.as_mut()?.items.pop_front()?;
                    match what {
                        What::Look => {
                            self.handling.at = at;
                            return Some(Step::Look);
                        }
                        What::Up(up) => return Some(self.begin_life(at, up, book)),
                        What::Down(play::Parting::Graceful) => {
                            return Some(self.follow(Then::Leave(at), book));
                        }
                        What::Down(play::Parting::Crash) => return Some(self.vanish(at)),
                        What::Arrive(from, parcel) => self.arrive(at, cause, from, parcel, book),
                        What::Frame(from, control) => self.frame(at, from, control),
                        What::Ask(command) => self.ask(at, command, None),
                    }
                }
            }
        }
    }

    fn lend(&mut self) -> Outbox {
        std::mem::take(&mut self.shard.state.borrow_mut().outbox)
    }

    fn perform(&mut self, now: Now, mut out: Outbox, book: &mut Book) {
        let (work, outputs) = out.drain();
        let leaves = now.instant + time_of(work, self.shard.stage.play.group_of(self.number));
        if let Some(life) = &mut self.life {
            life.agenda.occupy(leaves);
        }
        for output in outputs {
            self.perform_one(leaves, output, book);
        }
        self.shard.state.borrow_mut().outbox = out;
    }

    fn look(&mut self, peer: Option<&Player>, book: &Book) {
        if let (Some(peer), Some(life)) = (peer, &self.life) {
            let moment =
                Moment { at: self.handling.at, view: peer.view(), book, queue_depth: life.agenda.depth() };
            self.shard.state.borrow_mut().look(self.number, moment);
        }
    }

    fn settle(&mut self, _: &Book) {
        let window = self.window.take();
        let ready = self.life.as_ref().and_then(|life| life.agenda.ready_at());
        let own = self.next_own().map(|(at, _)| at);
        let mut state = self.shard.state.borrow_mut();
        if let Some(next) = ready.into_iter().chain(own).min()
            && next < self.wake
        {
            self.wake = next;
            state.wake(self.number, next);
        }
        state.settle(self.number, self.digest, window);
        drop(state);
        self.shard.settled();
    }

    fn panicked(&mut self, message: &str) {
        let at = self.handling.at;
        self.then = None;
        self.end_life(at);
        self.shard.state.borrow_mut().panicked(at, self.number, message);
    }
}
