//! The simulated side of one peer: merges what reaches it with what it caused to itself, by time, and performs
//! its outputs in simulated time.
//!
//! A delivery is one window: everything before its end that reaches the peer from outside, in order. Inputs wait
//! for a core; their outputs leave when their work is done. What lies beyond the window stays here, and a
//! [`Payload::Wake`] in the shard's wheel makes sure that the window in which it lies is delivered.

mod links;
mod lives;
mod outputs;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actor::{Host, Step};
use kernel::connections::{Connections, Control};
use kernel::{EventId, Openings, PeerDigest};
use node::{Command, Detail, Inbound, Input, Outbox, Peer};
use types::{Book, Duration, Instant, Now, OperationId, PeerRef, SendFailure, UnixMillis, Work};

use crate::agenda::{Agenda, Rank, Waiting};
use crate::cast::Player;
use crate::cell::{Seen, ShardCell};
use crate::driver::Body;
use crate::imprint;
use crate::parcel::Parcel;
use crate::watch::{LinksUp, Moment};

/// Steps of one peer within one millisecond, at most: beyond them it is not working but spinning, and counts as panicked.
/// A request costs it microseconds.
const MAX_STEPS_PER_MILLISECOND: u32 = 1_000_000;

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
    /// It stands still.
    Freeze { until: Instant, fault: u16 },
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
    /// Whom the peer knows; `None` for an ideal table, which is made when it is needed: a whole network may start at one
    /// instant, and its tables on the way would be as large as those that are kept.
    pub(crate) contacts: Option<Vec<PeerRef>>,
    pub(crate) disk: play::Data,
}

impl What {
    const fn rank(&self) -> Rank {
        match self {
            Self::Look => Rank::Look,
            Self::Up(_) | Self::Down(_) | Self::Freeze { .. } => Rank::Life,
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
    /// What outlives its lives; most peers have nothing of it.
    keeps: Option<Box<Keeps>>,
    window: Option<Window>,
    /// What follows before anything else.
    then: Option<Then>,
    /// The cause and the start of the input that is being handled.
    handling: Handling,
}

/// What a peer keeps from one life to the next.
#[derive(Debug, Default)]
struct Keeps {
    /// The clients pinned to it.
    clients: Vec<Box<dyn play::Client>>,
    disk: Vec<Stored>,
}

#[derive(Debug)]
struct Lifetime {
    agenda: Agenda,
    /// Its links, where a scenario has them dialled.
    links: Option<Box<Connections<Parcel>>>,
    /// Whom it hears, where links are free and it cannot be called.
    openings: Option<Box<Openings>>,
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
    /// Steps taken in this millisecond.
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
            keeps: None,
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
        state.watch.caused(at, id, cause, &input);
        if state.is_sampled(self.number) {
            state.see(at, self.number, Seen::Handled { id, cause, input: Box::new(input.clone()) });
        }
        drop(state);
        let unix = self.wall_clock(at);
        Step::Handle(Now { instant: at, unix }, input)
    }

    /// What the peer's wall clock shows, right or wrong.
    fn wall_clock(&self, at: Instant) -> UnixMillis {
        let right = START_UNIX_MS + at.as_millis();
        let clocks = self.shard.stage.play.clocks();
        if clocks.are_right() {
            return UnixMillis(right);
        }
        let touched = &mut self.shard.state.borrow_mut().touched;
        let error_ms = clocks.error_ms(self.number, at, |fault| touched.touch(fault));
        UnixMillis(right.saturating_add_signed(error_ms))
    }

    /// The peer, if it is up, does nothing until then: what reaches it waits.
    fn freeze(&mut self, until: Instant, fault: u16) {
        if let Some(life) = &mut self.life {
            life.agenda.freeze(until);
            self.shard.state.borrow_mut().touched.touch(fault);
        }
    }

    /// Counts a step, and stops a peer that spins.
    fn step(&mut self, at: Instant) {
        let same = self.handling.at.as_millis() == at.as_millis();
        let steps = if same { self.handling.steps + 1 } else { 0 };
        assert!(steps < MAX_STEPS_PER_MILLISECOND, "peer {} takes steps without end at {at}", self.number);
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
        let input = match (parcel.unpack(book), answers) {
            (Some(Ok(message)), _) => {
                if let Some(exchange) = answers {
                    life.agenda.close(exchange);
                }
                Input::Received { from, kind, message }
            }
            // The exchange of a malformed answer stays open: it fails by its timeout.
            (Some(Err(reason)), _) => Input::Malformed { from, reason },
            (None, Some(exchange)) => {
                life.agenda.close(exchange);
                Input::Failed { exchange, reason: SendFailure::Refused }
            }
            (None, None) => return,
        };
        life.agenda.enqueue(Waiting { arrived: item_at, cause, input, content });
    }

    /// An input that is no message waits for a core.
    fn wait(&mut self, at: Instant, cause: EventId, input: Input) {
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
                if let Some((exchange, cause)) = life.agenda.time_out() {
                    self.wait(at, cause, Input::Failed { exchange, reason: SendFailure::Timeout });
                }
            }
            Rank::Link => {
                self.handling.id = EventId::SCRIPT;
                self.with_links(at, |links, effects| links.deadline(at, effects));
            }
            Rank::Client => {
                if let Some(client) = life.agenda.client() {
                    self.act(at, client, &play::Happening::Due);
                }
            }
            Rank::Deadline => {
                life.agenda.deadline = None;
                let cause = life.agenda.deadline_cause;
                self.wait(at, cause, Input::Deadline);
            }
            Rank::Look | Rank::Life | Rank::Arrival | Rank::Command => {}
        }
    }

    /// The earliest thing that the peer caused to itself.
    fn next_own(&self) -> Option<(Instant, Rank)> {
        let life = self.life.as_ref()?;
        let links = life.links.as_ref().and_then(|links| links.next_deadline());
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
        if let Some(life) = &mut self.life {
            life.agenda.borrow_queue(&mut self.shard.state.borrow_mut().queues);
        }
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
                        What::Freeze { until, fault } => self.freeze(until, fault),
                        // What its links do about it has the same cause.
                        What::Arrive(from, parcel) => {
                            self.handling.id = cause;
                            self.arrive(at, cause, from, parcel, book);
                        }
                        What::Frame(from, control) => {
                            self.handling.id = cause;
                            self.frame(at, from, control);
                        }
                        What::Ask(command) => self.ask(at, command, None),
                    }
                }
            }
        }
    }

    fn lend(&mut self) -> Outbox {
        let mut state = self.shard.state.borrow_mut();
        let traced = state.is_sampled(self.number);
        let mut outbox = std::mem::take(&mut state.outbox);
        outbox.set_detail(if traced { Detail::Traced } else { Detail::Plain });
        outbox
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
            let moment = Moment {
                at: self.handling.at,
                view: peer.view(),
                book,
                queue_depth: life.agenda.depth(),
                links: life.links.as_deref().map(LinksUp),
            };
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
        if let Some(life) = &mut self.life {
            life.agenda.return_queue(&mut state.queues);
        }
        state.settle(self.number, self.digest, window);
        drop(state);
        self.shard.settled();
    }

    fn lie_down(body: Body) {
        let (cell, number) = (Rc::clone(&body.host().shard), body.host().number);
        cell.lie_down(number, body);
    }

    fn panicked(&mut self, message: &str) {
        let at = self.handling.at;
        self.then = None;
        self.end_life(at);
        self.shard.state.borrow_mut().panicked(at, self.number, message);
    }
}
