//! One shard: an arbiter's peers and the loop over windows.
//!
//! A window is at most one lookahead long, so nothing that a peer of any shard does in it can reach another peer
//! before it ends. Within a window the peers of a shard may be driven in any order: what they tell is put into
//! the order of simulated time before anybody reads it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use kernel::{Conserved, Event, EventId, LadderBuilder, Links, Panic, PeerCount};
use types::{Duration, Instant, PeerRef};

use crate::cell::{Drops, Seen, ShardCell, Touched};
use crate::driver::Crew;
use crate::host::{Item, SimHost, What, Window};
use crate::meeting::{Agreed, Broken, Meeting};
use crate::parcel::Payload;
use crate::stage::Stage;
use crate::watch::Watch;

/// Deliveries on their way at a time: so many windows lie in mailboxes at most, and are handled while the cache holds them.
const AT_ONCE: usize = 256;

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
    pub(crate) touched: Touched,
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
    /// The next standstill, by its place in the play's list.
    standstill: usize,
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
            standstill: 0,
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
        let end = stage.end;
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
        let standstill = stage.play.standstills().get(self.standstill).map(|next| next.at);
        let marks = [self.next_sample, self.next_rung, stage.end];
        marks
            .into_iter()
            .chain(event)
            .chain(life)
            .chain(standstill)
            .chain(asked)
            .min()
            .unwrap_or(Instant::NEVER)
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
        self.bring_to_a_stand(until);
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

    /// The standstills that begin before `until`.
    fn bring_to_a_stand(&mut self, until: Instant) {
        let standstills = Arc::clone(self.cell.stage.play.standstills());
        while let Some(next) = standstills.get(self.standstill).filter(|next| next.at < until) {
            self.standstill += 1;
            if self.cell.stage.shard_of(next.peer) == self.shard {
                let what = What::Freeze { until: next.until, fault: next.fault };
                self.add(next.peer, Item { at: next.at, cause: EventId::SCRIPT, what });
            }
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
        state.stage.tell(state.shard, Instant::NEVER, &mut state.log);
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
            touched: state.touched,
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
