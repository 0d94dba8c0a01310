//! One shard: an arbiter's peers, their wheel and links, and the loop over windows.
//!
//! A window is at most one lookahead long, so nothing that a peer of any shard does in it can reach another peer
//! before it ends. Within a window the peers of a shard may be driven in any order: what they tell is put into
//! the order of simulated time before anybody reads it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use kernel::{Conserved, Event, EventId, LadderBuilder, Links, PeerDigest, Wheel};
use node::{Command, Input, Outbox};
use types::{Digest, Duration, Instant, OperationId, PeerRef};

use crate::agenda::Waiting;
use crate::driver::{Body, Crew};
use crate::host::{Item, SimHost, What, Window};
use crate::log::LogEntry;
use crate::meeting::{Agreed, Broken, Meeting};
use crate::parcel::Payload;
use crate::stage::{Panic, PeerCount, Stage};
use crate::watch::{Counted, Moment, Watch};

/// Slots of a turn of the wheel.
const WHEEL_SLOTS: usize = 1_024;
/// Slots of a window: a slot then holds few enough events to be sorted while they are in the cache.
const SLOTS_PER_WINDOW: u64 = 16;
/// Deliveries on their way at a time: so many windows lie in mailboxes at most, and are handled while the cache holds them.
const AT_ONCE: usize = 256;
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
}

impl Drops {
    pub(crate) const fn merge(&mut self, other: &Self) {
        self.peer_down += other.peer_down;
        self.queue_full += other.queue_full;
        self.late += other.late;
        self.no_link += other.no_link;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.peer_down + self.queue_full + self.late + self.no_link
    }
}

/// What the peers of a shard share, all on one thread.
#[derive(Debug)]
pub(crate) struct ShardCell {
    pub(crate) stage: Arc<Stage>,
    pub(crate) state: RefCell<State>,
    /// Deliveries that are not done, and peers that are to lie down.
    outstanding: Cell<usize>,
    waker: RefCell<Option<Waker>>,
    /// Peers who have lain down, by number.
    beds: RefCell<Vec<(u32, Body)>>,
}

#[derive(Debug)]
pub(crate) struct State {
    stage: Arc<Stage>,
    shard: usize,
    pub(crate) links: Links,
    wheel: Wheel<Event<Payload>>,
    /// Events for other shards, by shard, and the earliest of them.
    outgoing: Vec<Vec<Event<Payload>>>,
    outgoing_next: Instant,
    wakes: u64,
    /// Wakes that wait in the wheel.
    wakes_pending: u64,
    pub(crate) outbox: Outbox,
    pub(crate) handled: u64,
    pub(crate) drops: Drops,
    digests: Vec<PeerDigest>,
    counts: Vec<PeerCount>,
    seen: Vec<(Instant, u32, Seen)>,
    watch: Box<dyn Watch>,
    online: u64,
    log: Vec<LogEntry>,
    panics: Vec<Panic>,
    pool: Vec<VecDeque<Item>>,
    /// Empty queues for inputs that wait, for whoever is being driven.
    pub(crate) queues: Vec<VecDeque<Waiting>>,
    conserved: Conserved,
}

impl ShardCell {
    fn new(stage: &Arc<Stage>, shard: usize, links: Links, watch: Box<dyn Watch>) -> Self {
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
    fn expect(&self) {
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
    async fn all_settled(&self) {
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

    fn begin_sampling(&mut self, at: Instant) {
        self.stage.progress.tell(self.shard, at, &mut self.log);
        self.watch.sampling(at);
    }

    fn counted(&self) -> Counted {
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
    fn show(&mut self, end: Instant) {
        self.seen.sort_by_key(|(at, peer, _)| (*at, *peer));
        let now = self.seen.partition_point(|(at, ..)| *at < end);
        let emptied = self.seen.capacity() / 4;
        for (at, peer, seen) in self.seen.drain(..now) {
            if self.stage.is_sampled(peer) {
                self.log.extend(LogEntry::of(at, peer, &seen));
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

    fn own_digests(&self) -> impl Iterator<Item = (u32, Digest, PeerDigest)> {
        let Stage { book, shards, .. } = &*self.stage;
        let numbers = (self.shard..book.len()).step_by(*shards);
        numbers.zip(&self.digests).map(|(number, digest)| {
            let id = book.digests().get(number).copied().unwrap_or_default();
            (number as u32, id, *digest)
        })
    }
}

/// What a shard brings home.
#[derive(Debug)]
pub(crate) struct ShardReport {
    pub(crate) shard: usize,
    pub(crate) ended: Instant,
    pub(crate) interrupted: bool,
    pub(crate) handled: u64,
    pub(crate) windows: u64,
    pub(crate) ladder: LadderBuilder,
    pub(crate) links: kernel::Tally,
    pub(crate) drops: Drops,
    pub(crate) counts: Vec<PeerCount>,
    pub(crate) panics: Vec<Panic>,
    pub(crate) conserved: Conserved,
}

/// The loop of one shard.
pub(crate) struct Shard {
    shard: usize,
    cell: Rc<ShardCell>,
    meeting: Arc<Meeting<Event<Payload>>>,
    crew: Crew,
    script: play::Script,
    /// The next event of the script, read ahead.
    asked: Option<play::Asked>,
    /// The lives of all peers, as they unfold.
    lives: play::Lives,
    /// Which peers of this shard are up, by place; and the turns of this window.
    is_up: Vec<bool>,
    turning: Vec<(usize, bool)>,
    ladder: LadderBuilder,
    next_sample: Instant,
    next_rung: Instant,
    /// Which batch a peer's items go to in this window, by the peer's place in the shard.
    batch_of: Vec<u32>,
    batches: Vec<Batch>,
    taken: Vec<Event<Payload>>,
    /// How many handled inputs the progress already knows of.
    told: u64,
}

#[derive(Debug)]
struct Batch {
    peer: u32,
    items: VecDeque<Item>,
    /// Whether items of more than one kind are in it, which then need sorting.
    mixed: bool,
}

const NO_BATCH: u32 = u32::MAX;

impl Shard {
    pub(crate) fn new(
        stage: &Arc<Stage>,
        shard: usize,
        links: Links,
        watch: Box<dyn Watch>,
        meeting: Arc<Meeting<Event<Payload>>>,
    ) -> Self {
        let cell = Rc::new(ShardCell::new(stage, shard, links, watch));
        let hosts = stage.numbers_of(shard).map(|number| SimHost::new(Rc::clone(&cell), number));
        let mut script = stage.play.script();
        let asked = script.next();
        Self {
            crew: Crew::hire(stage.driver, stage.max_awake, hosts, &stage.book),
            ladder: LadderBuilder::new(stage.rung_every, stage.book.len() as u32),
            next_sample: Instant::START + stage.sample_every,
            next_rung: Instant::START + stage.rung_every,
            batch_of: vec![NO_BATCH; stage.peers_of(shard)],
            batches: Vec::new(),
            taken: Vec::new(),
            lives: stage.play.lives(),
            is_up: vec![false; stage.peers_of(shard)],
            turning: Vec::new(),
            shard,
            told: 0,
            asked,
            script,
            meeting,
            cell,
        }
    }

    /// Runs to the end of the plan, or until somebody asks to stop.
    pub(crate) async fn run(mut self) -> Result<ShardReport, Broken> {
        let meeting = Arc::clone(&self.meeting);
        let _attendance = meeting.attend();
        let stage = Arc::clone(&self.cell.stage);
        let end = Instant::START + stage.duration;
        let mut windows = 0;
        let (ended, interrupted) = loop {
            let agreed = self.meet(windows)?;
            if agreed.stop {
                break (agreed.next.min(end), true);
            }
            let start = agreed.next;
            self.pass_rung(start);
            let sample = self.next_sample == start || start == end;
            let until = if start == end { end } else { self.window_end(start, end) };
            self.play(start, until, sample).await;
            windows += 1;
            if start == end {
                break (end, false);
            }
        };
        Ok(self.report(ended, interrupted, windows).await)
    }

    /// Meets the other shards: hands over what is theirs, and agrees on what comes next.
    fn meet(&mut self, window: u64) -> Result<Agreed, Broken> {
        let next = self.next();
        let stop = self.cell.stage.progress.stop.load(Ordering::Relaxed);
        let state = &mut *self.cell.state.borrow_mut();
        let own = Agreed { next: next.min(state.outgoing_next), stop };
        state.outgoing_next = Instant::NEVER;
        let agreed = self.meeting.meet(self.shard, window, &mut state.outgoing, own, &mut self.taken)?;
        for event in self.taken.drain(..) {
            state.wheel.push(event);
        }
        Ok(agreed)
    }

    /// The earliest instant at which this shard has something to do.
    fn next(&mut self) -> Instant {
        let stage = &self.cell.stage;
        let event = self.cell.state.borrow_mut().wheel.next_at();
        let life = self.lives.next_at();
        let asked = self.asked.as_ref().map(|asked| asked.at);
        let marks = [self.next_sample, self.next_rung, Instant::START + stage.duration];
        marks.into_iter().chain(event).chain(life).chain(asked).min().unwrap_or(Instant::NEVER)
    }

    fn window_end(&self, start: Instant, end: Instant) -> Instant {
        let lookahead = self.cell.state.borrow().links.lookahead();
        let next_mark = |mark: Instant, every: Duration| if mark == start { mark + every } else { mark };
        let stage = &self.cell.stage;
        let sample = next_mark(self.next_sample, stage.sample_every);
        let rung = next_mark(self.next_rung, stage.rung_every);
        (start + lookahead).min(sample).min(rung).min(end)
    }

    fn pass_rung(&mut self, start: Instant) {
        if start == self.next_rung {
            self.ladder.rung(self.cell.state.borrow().own_digests());
            self.next_rung += self.cell.stage.rung_every;
        }
    }

    /// Plays one window.
    async fn play(&mut self, start: Instant, until: Instant, sample: bool) {
        self.cell.state.borrow_mut().links.begin_window(start);
        let counted = sample.then(|| self.cell.state.borrow().counted());
        if sample {
            self.sample(start);
        }
        self.turn_lives(until);
        self.take_events(until);
        self.ask(until);
        let mut batches = std::mem::take(&mut self.batches);
        for (count, mut batch) in (1..).zip(batches.drain(..)) {
            let place = self.cell.stage.place_of(batch.peer);
            if let Some(slot) = self.batch_of.get_mut(place) {
                *slot = NO_BATCH;
            }
            if batch.mixed {
                batch.items.make_contiguous().sort_by_key(Item::order);
            }
            self.cell.expect();
            self.crew.deliver(place, Window { end: until, items: batch.items });
            if count % AT_ONCE == 0 {
                self.rest().await;
            }
        }
        self.batches = batches;
        self.rest().await;
        self.note_lives();
        let mut state = self.cell.state.borrow_mut();
        if let Some(counted) = counted {
            state.watch.sampled(start, &counted);
        }
        state.show(until);
        let progress = &state.stage.progress;
        progress.handled.fetch_add(state.handled - self.told, Ordering::Relaxed);
        self.told = state.handled;
        if self.shard == 0 {
            progress.reached.store(until.as_nanos(), Ordering::Relaxed);
            progress.online.store(u64::from(self.lives.online().count()), Ordering::Relaxed);
        }
    }

    /// Waits until every delivery is done, and lets sleep who is one too many.
    async fn rest(&mut self) {
        self.cell.all_settled().await;
        let sent = self.crew.send_to_sleep();
        if sent > 0 {
            self.cell.outstanding.set(sent);
            self.cell.all_settled().await;
            for (number, body) in self.cell.beds.borrow_mut().drain(..) {
                self.crew.put_to_bed(self.cell.stage.place_of(number), body);
            }
        }
    }

    /// Lets every peer that is up be looked at.
    fn sample(&mut self, at: Instant) {
        self.next_sample = at + self.cell.stage.sample_every;
        let mut state = self.cell.state.borrow_mut();
        // What was begun in the last window may have been told since.
        state.show(at);
        state.begin_sampling(at);
        drop(state);
        for place in 0..self.is_up.len() {
            if self.is_up.get(place).copied().unwrap_or_default() {
                let number = self.cell.stage.number_of(self.shard, place);
                self.add(number, Item { at, cause: EventId::SCRIPT, what: What::Look });
            }
        }
    }

    /// The lives that begin and end before `until`.
    fn turn_lives(&mut self, until: Instant) {
        while self.lives.next_at().is_some_and(|at| at < until) {
            let Some(event) = self.lives.next() else { break };
            if self.cell.stage.shard_of(event.peer) != self.shard {
                continue;
            }
            let what = match event.what {
                play::Life::Up { incarnation, data } => {
                    What::Up(self.cell.stage.begin(&event, incarnation, data, &self.lives))
                }
                play::Life::Down(parting) => What::Down(parting),
            };
            self.turning.push((self.cell.stage.place_of(event.peer), event.is_up()));
            self.cell.state.borrow_mut().see(event.at, event.peer, Seen::Turned(event));
            self.add(event.peer, Item { at: event.at, cause: EventId::SCRIPT, what });
        }
    }

    /// Who is up after this window.
    fn note_lives(&mut self) {
        let mut state = self.cell.state.borrow_mut();
        for (place, up) in self.turning.drain(..) {
            if let Some(is_up) = self.is_up.get_mut(place) {
                state.online = state.online + u64::from(up) - u64::from(*is_up);
                *is_up = up;
            }
        }
    }

    /// The messages that arrive before `until`, and the wakes.
    fn take_events(&mut self, until: Instant) {
        let mut taken = std::mem::take(&mut self.taken);
        self.cell.state.borrow_mut().wheel.take_until(until, &mut taken);
        let (mut arrived, mut woken) = (0, 0);
        for Event { at, to, from, cause, payload, .. } in taken.drain(..) {
            match payload {
                Payload::Parcel(parcel) => {
                    arrived += 1;
                    let what = What::Arrive(PeerRef::shared(from), parcel);
                    self.add(to, Item { at, cause, what });
                }
                Payload::Control(control) => {
                    arrived += 1;
                    self.add(to, Item { at, cause, what: What::Frame(PeerRef::shared(from), control) });
                }
                Payload::Wake => {
                    woken += 1;
                    self.batch(to);
                }
            }
        }
        let mut state = self.cell.state.borrow_mut();
        state.conserved.handled += arrived;
        state.wakes_pending -= woken;
        drop(state);
        self.taken = taken;
    }

    /// What the workloads ask before `until`.
    fn ask(&mut self, until: Instant) {
        while let Some(asked) = self.asked.take_if(|asked| asked.at < until) {
            if self.cell.stage.shard_of(asked.peer) == self.shard {
                let what = What::Ask(self.script.command(&asked));
                self.add(asked.peer, Item { at: asked.at, cause: EventId::SCRIPT, what });
            }
            self.asked = self.script.next();
        }
    }

    fn add(&mut self, peer: u32, item: Item) {
        let batch = self.batch(peer);
        batch.mixed |= batch.items.back().is_some_and(|last| last.order() > item.order());
        batch.items.push_back(item);
    }

    /// The batch of a peer in this window.
    fn batch(&mut self, peer: u32) -> &mut Batch {
        let place = self.cell.stage.place_of(peer);
        let next = self.batches.len();
        let slot = self.batch_of.get_mut(place);
        let at = match slot {
            Some(slot) if *slot != NO_BATCH => *slot as usize,
            Some(slot) => {
                *slot = next as u32;
                next
            }
            None => next,
        };
        if at == next {
            let pooled = self.cell.state.borrow_mut().pool.pop();
            let items = pooled.unwrap_or_else(|| VecDeque::with_capacity(1));
            self.batches.push(Batch { peer, items, mixed: false });
        }
        #[expect(clippy::indexing_slicing, reason = "`at` is the place of a batch or of the one just pushed")]
        &mut self.batches[at]
    }

    async fn report(mut self, ended: Instant, interrupted: bool, windows: u64) -> ShardReport {
        self.ladder.last_rung(ended, self.cell.state.borrow().own_digests());
        drop(self.crew);
        let mut state = sole_owner(self.cell).await.state.into_inner();
        state.show(ended);
        state.watch.ended(ended);
        state.stage.progress.tell(state.shard, Instant::NEVER, &mut state.log);
        let outgoing: usize = state.outgoing.iter().map(Vec::len).sum();
        state.conserved.pending = (state.wheel.len() + outgoing) as u64 - state.wakes_pending;
        ShardReport {
            shard: state.shard,
            ended,
            interrupted,
            handled: state.handled,
            windows,
            ladder: self.ladder,
            links: state.links.tally().clone(),
            drops: state.drops,
            counts: state.counts,
            panics: state.panics,
            conserved: state.conserved,
        }
    }
}

/// Waits until the peers, who hold the cell too, have left their mailboxes.
async fn sole_owner(mut cell: Rc<ShardCell>) -> ShardCell {
    loop {
        cell = match Rc::try_unwrap(cell) {
            Ok(cell) => return cell,
            Err(cell) => cell,
        };
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}
