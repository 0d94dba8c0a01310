//! The director: has the play performed by processes, in the machine's time.
//!
//! It is one thread, which waits for nothing but the next moment of the plan or the next thing heard. What it does to a peer,
//! the peer's warden does; what it asks of one, a thread of its own asks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::Scope;
use std::time::{Duration as Span, Instant as Moment};

use config::MAX_BOOTSTRAP;
use kernel::Panic;
use node::Command;
use play::{Act, Asked, Happening, Life, LifeEvent, Lives, Script};
use types::{Duration, Instant, OperationId};
use wire::admin::{self, Ask};

use crate::client::Client;
use crate::clock::{Clock, span};
use crate::ground::Ground;
use crate::heard::{Asker, Heard, News};
use crate::ledger::{LATENESS, Ledger, Seen};
use crate::links::Network;
use crate::process::{Files, key_file};
use crate::stage::{Conduct, Fleet, FleetError};
use crate::warden::{self, Order, Warden};

/// How often the director looks up though nothing happens: quick enough for a hand on the keyboard.
const LOOK_EVERY: Span = Span::from_millis(20);
/// Operations that are under way in the whole fleet, each a thread; further ones wait their turn and are asked late.
const MAX_ASKED: usize = 512;
/// How long the processes of the beginning may take to be there, all together.
const GATHER_LIMIT: Span = Span::from_secs(120);

/// Has a play performed.
pub(crate) struct Director<'scope, 'a> {
    scope: &'scope Scope<'scope, 'a>,
    fleet: &'a Fleet,
    ground: &'a Ground,
    network: &'a Network,
    /// When the links change next because of a fault.
    next_change: Instant,
    /// In which of its lives each peer is or was last.
    incarnations: Vec<u32>,
    clock: Clock,
    news: News,
    heard: Receiver<Heard>,
    seats: Vec<Seat>,
    ledger: Ledger<'a>,
    lives: Lives,
    script: Script,
    asked: Option<Asked>,
    /// Moments that clients wait for: (when, peer, client).
    due: BTreeSet<(Instant, u32, usize)>,
    next_sample: Instant,
    standstill: usize,
    /// Operations under way, and those that wait to be.
    under_way: usize,
    backlog: VecDeque<(u32, Command, Option<usize>)>,
    pub(crate) panics: Vec<Panic>,
    /// Peers that faults brought to a stand, by fault.
    touched: Touched,
    pub(crate) conduct: Conduct,
}

/// One peer of the plan.
struct Seat {
    orders: Sender<Order>,
    client: Client,
    /// Its workloads' clients, who outlive its lives.
    clients: Vec<Box<dyn play::Client>>,
    /// The life that the plan has it live.
    life: Option<Current>,
}

/// A life.
struct Current {
    incarnation: u32,
    /// Its process answers.
    is_live: bool,
    /// Set when it is over, for those who listen.
    over: Arc<AtomicBool>,
    /// Asked before it was live.
    early: Vec<(Command, Option<usize>)>,
    /// Under way, and the client that asked.
    operations: BTreeMap<OperationId, Option<usize>>,
    /// It stands still until then.
    still: Instant,
}

impl Drop for Current {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl<'scope, 'a> Director<'scope, 'a> {
    /// Seats the peers; nothing has happened yet.
    pub(crate) fn new(
        scope: &'scope Scope<'scope, 'a>,
        fleet: &'a Fleet,
        ground: &'a Ground,
        network: &'a Network,
        ledger: Ledger<'a>,
    ) -> Result<Self, FleetError> {
        let (sender, heard) = std::sync::mpsc::channel();
        let news = News(sender);
        let seat = |peer| -> io::Result<Seat> {
            let client = Client::new(ground.admin(peer));
            let (program, news) = (fleet.program.clone(), news.clone());
            let orders = warden::spawn(scope, Warden { peer, program, client: client.clone(), news })?;
            Ok(Seat { orders, client, clients: fleet.play.clients_of(peer), life: None })
        };
        let peers = fleet.book.len() as u32;
        let seats = (0..peers).map(seat).collect::<io::Result<_>>().map_err(FleetError::Thread)?;
        let mut script = fleet.play.script();
        Ok(Self {
            scope,
            fleet,
            ground,
            network,
            next_change: network.next_change(Instant::START),
            incarnations: vec![0; fleet.book.len()],
            clock: Clock::start(),
            news,
            heard,
            seats,
            ledger,
            lives: fleet.play.lives(),
            asked: script.next(),
            script,
            due: BTreeSet::new(),
            next_sample: Instant::START + fleet.sample_every,
            standstill: 0,
            under_way: 0,
            backlog: VecDeque::new(),
            panics: Vec::new(),
            touched: BTreeMap::new(),
            conduct: Conduct::default(),
        })
    }

    /// Plays it to its end, or to where it is stopped. Returns when that was, and whether it was stopped.
    pub(crate) fn play(&mut self) -> Result<(Instant, bool), FleetError> {
        let begun = Moment::now();
        self.gather()?;
        self.conduct.gathered = begun.elapsed();
        let end = Instant::START + self.fleet.duration;
        // Everybody is there: now the run's time begins.
        self.clock = Clock::start();
        for peer in 0..self.seats.len() as u32 {
            if self.seat(peer).is_some_and(|seat| seat.life.is_some()) {
                self.tell_clients(Instant::START, peer, &Happening::PeerUp);
            }
        }
        loop {
            let now = self.clock.now();
            if self.fleet.progress.stop.load(Ordering::Relaxed) {
                self.wind_up(now);
                return Ok((now, true));
            }
            self.do_all_before(now.min(end));
            if now >= end {
                self.wind_up(end);
                return Ok((end, false));
            }
            self.ledger.tell(back(now, LATENESS));
            self.show_progress(now);
            self.wait(now);
        }
    }

    /// Starts the peers that are there from the beginning: each knows, of those whom the plan has it know, the ones that are
    /// there before it, so that everybody but the first finds somebody.
    fn gather(&mut self) -> Result<(), FleetError> {
        let mut coming = Vec::new();
        while self.lives.next_at() == Some(Instant::START) {
            let Some(event) = self.lives.next() else { break };
            let mut contacts = Vec::new();
            self.fleet.play.contacts(&self.lives, &event, &mut contacts);
            coming.push((event, contacts));
        }
        let begun = Moment::now();
        while !coming.is_empty() {
            let is_there = |director: &Self, peer: &u32| director.seat(*peer).is_some_and(Seat::is_live);
            let knows_one =
                |(_, contacts): &(LifeEvent, Vec<u32>)| contacts.iter().any(|peer| is_there(self, peer));
            let (mut wave, rest): (Vec<_>, Vec<_>) = coming.into_iter().partition(knows_one);
            coming = rest;
            // Nobody knows anybody who is there: one has to be the first.
            if wave.is_empty() {
                wave.push(coming.remove(0));
            }
            let mut starting = BTreeSet::new();
            for (event, contacts) in wave {
                let known: Vec<_> = contacts.into_iter().filter(|peer| is_there(self, peer)).collect();
                starting.insert(event.peer);
                self.begin_life(Instant::START, &event, &known);
            }
            while starting.iter().any(|peer| !is_there(self, peer)) {
                if self.fleet.progress.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                if begun.elapsed() > GATHER_LIMIT {
                    return Err(FleetError::Gathering(GATHER_LIMIT));
                }
                if let Ok(heard) = self.heard.recv_timeout(LOOK_EVERY) {
                    self.hear(Instant::START, heard);
                }
                if let Some(panic) = self.panics.first() {
                    let (peer, message) = (panic.peer, panic.message.clone());
                    return Err(FleetError::Start { peer, message });
                }
            }
        }
        Ok(())
    }

    fn seat(&self, peer: u32) -> Option<&Seat> {
        self.seats.get(peer as usize)
    }

    fn life_of(&mut self, peer: u32, incarnation: u32) -> Option<&mut Current> {
        let seat = self.seats.get_mut(peer as usize)?;
        seat.life.as_mut().filter(|life| life.incarnation == incarnation)
    }

    /// Does everything that the plan has for the time up to `now`, in its order.
    fn do_all_before(&mut self, now: Instant) {
        self.take_samples(now);
        while self.lives.next_at().is_some_and(|at| at <= now) {
            match self.lives.next() {
                Some(event) if event.is_up() => {
                    let mut contacts = Vec::new();
                    self.fleet.play.contacts(&self.lives, &event, &mut contacts);
                    self.begin_life(now, &event, &contacts);
                    self.tell_clients(now, event.peer, &Happening::PeerUp);
                }
                Some(event) => self.end_life(now, &event),
                None => break,
            }
        }
        if self.next_change <= now {
            self.next_change = self.network.next_change(now);
            self.tell_links(now);
        }
        self.bring_to_a_stand(now);
        while let Some(asked) = self.asked.take_if(|asked| asked.at <= now) {
            let command = self.script.command(&asked);
            self.conduct.ask_lag = self.conduct.ask_lag.max(span(now.since(asked.at)));
            self.ask(now, asked.peer, command, None);
            self.asked = self.script.next();
        }
        while let Some((at, peer, client)) = self.due.first().copied().filter(|(at, ..)| *at <= now) {
            self.due.remove(&(at, peer, client));
            self.act(now, peer, client, &Happening::Due);
        }
    }

    /// Waits for the next moment of the plan, or for something to be heard, and takes note of it.
    fn wait(&mut self, now: Instant) {
        let mut next = self.next_sample.min(Instant::START + self.fleet.duration);
        next = next.min(self.next_change).min(self.next_stand());
        next = next.min(self.lives.next_at().unwrap_or(Instant::NEVER));
        next = next.min(self.asked.as_ref().map_or(Instant::NEVER, |asked| asked.at));
        next = next.min(self.due.first().map_or(Instant::NEVER, |(at, ..)| *at));
        let pause = span(next.since(now)).min(LOOK_EVERY);
        match self.heard.recv_timeout(pause) {
            Ok(heard) => {
                self.hear(self.clock.now(), heard);
                while let Ok(heard) = self.heard.try_recv() {
                    self.hear(self.clock.now(), heard);
                }
            }
            // The director holds an end of the way itself.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    /// The run is over: a last look at everybody, and all that is still on its way is waited for.
    fn wind_up(&mut self, ended: Instant) {
        self.sample(ended);
        let patience = Moment::now() + span(LATENESS);
        while !self.ledger.is_settled() && Moment::now() < patience {
            if let Ok(heard) = self.heard.recv_timeout(LOOK_EVERY) {
                self.hear(ended, heard);
            }
        }
        self.conduct.late = self.ledger.late;
        self.conduct.latest = span(self.ledger.latest);
        self.conduct.unseen = self.ledger.unseen;
        self.show_progress(ended);
    }

    /// What was seen, told to its end.
    pub(crate) fn close(mut self, ended: Instant) -> (Vec<kernel::PeerCount>, Vec<Panic>, Touched, Conduct) {
        self.ledger.close(ended);
        self.conduct.unseen = self.ledger.unseen;
        let counts = self.ledger.counts();
        self.touched.append(&mut self.ledger.touched);
        (counts, self.panics, self.touched, self.conduct)
    }

    fn show_progress(&self, now: Instant) {
        let online = self.seats.iter().filter(|seat| seat.is_live()).count();
        let progress = &self.fleet.progress;
        progress.reached.store(now.as_nanos(), Ordering::Relaxed);
        progress.online.store(online as u64, Ordering::Relaxed);
        progress.handled.store(self.conduct.told, Ordering::Relaxed);
    }
}

/// Peers or messages that faults touched, by fault.
type Touched = BTreeMap<u32, u64>;

fn back(now: Instant, by: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_sub(by.as_nanos()))
}

impl Seat {
    fn is_live(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.is_live)
    }

    fn order(&self, order: Order) {
        // A warden ends only after its director.
        let _ = self.orders.send(order);
    }
}

/// Lives.
impl Director<'_, '_> {
    fn begin_life(&mut self, at: Instant, event: &LifeEvent, contacts: &[u32]) {
        let Life::Up { incarnation, data } = event.what else { return };
        let files = self.files(event.peer, contacts, data);
        let moved = self.incarnations.get_mut(event.peer as usize);
        let is_back = moved.is_some_and(|last| std::mem::replace(last, incarnation) != incarnation);
        let links = self.links_of(event.peer, incarnation, at);
        let Some(seat) = self.seats.get_mut(event.peer as usize) else { return };
        seat.order(Order::Start { incarnation, files, links });
        seat.life = Some(Current {
            incarnation,
            is_live: false,
            over: Arc::default(),
            early: Vec::new(),
            operations: BTreeMap::new(),
            still: Instant::START,
        });
        self.conduct.processes += 1;
        self.ledger.note(at, event.peer, Seen::Turned(*event));
        if is_back {
            // Connections to its earlier life have fallen silent: now whoever uses one learns of it.
            self.tell_links(at);
        }
    }

    fn links_of(&self, peer: u32, incarnation: u32, at: Instant) -> Box<admin::Links> {
        let (book, lives) = (&self.fleet.book, &self.incarnations);
        Box::new(self.network.of(peer, incarnation, at, lives, book, self.ground))
    }

    /// Tells everybody who can hear it what the network is like from now on.
    fn tell_links(&self, at: Instant) {
        for (peer, seat) in (0..).zip(&self.seats) {
            if let Some(life) = seat.life.as_ref().filter(|life| life.still == Instant::START) {
                seat.order(Order::Believe(self.links_of(peer, life.incarnation, at)));
            }
        }
    }

    /// When somebody comes to a stand next, or goes on.
    fn next_stand(&self) -> Instant {
        let begins = self.fleet.play.standstills().get(self.standstill).map(|next| next.at);
        let still = self.seats.iter().filter_map(|seat| Some(seat.life.as_ref()?.still));
        let ends = still.filter(|until| *until > Instant::START).min();
        begins.into_iter().chain(ends).min().unwrap_or(Instant::NEVER)
    }

    fn end_life(&mut self, at: Instant, event: &LifeEvent) {
        let Life::Down(parting) = event.what else { return };
        let Some(seat) = self.seats.get_mut(event.peer as usize) else { return };
        let Some(mut life) = seat.life.take() else { return };
        seat.order(Order::Stop(parting));
        self.ledger.note(at, event.peer, Seen::Turned(*event));
        self.abandon(at, event.peer, &mut life);
        self.due.retain(|(_, peer, _)| *peer != event.peer);
        self.tell_clients(at, event.peer, &Happening::PeerDown);
    }

    /// What was asked of a life that is over will not end.
    fn abandon(&mut self, at: Instant, peer: u32, life: &mut Current) {
        self.ledger.gone(peer);
        for (command, _) in life.early.drain(..) {
            let operation = command.operation();
            self.ledger.note(at, peer, Seen::Began(command));
            if let Some(operation) = operation {
                self.ledger.note(at, peer, Seen::Abandoned(operation));
            }
        }
        for (operation, _) in std::mem::take(&mut life.operations) {
            self.ledger.note(at, peer, Seen::Abandoned(operation));
        }
    }

    fn files(&self, peer: u32, contacts: &[u32], disk: play::Data) -> Files {
        let (fleet, ground) = (self.fleet, self.ground);
        let ids = fleet.book.ids();
        let address = |contact: &u32| Some(ground.address(*contact, ids.get(*contact as usize)?));
        let known = contacts.iter().filter_map(address).take(MAX_BOOTSTRAP).collect();
        let config = configuration(fleet, peer, ground, known);
        let (secret, id) = (fleet.secrets.get(peer as usize), ids.get(peer as usize));
        let key = secret.zip(id.and_then(public_key)).map(|(secret, public)| key_file(secret, &public));
        Files { folder: ground.folder(peer), key: key.unwrap_or_default(), config, disk }
    }

    fn bring_to_a_stand(&mut self, now: Instant) {
        let standstills = Arc::clone(self.fleet.play.standstills());
        while let Some(next) = standstills.get(self.standstill).filter(|next| next.at <= now) {
            self.standstill += 1;
            let Some(seat) = self.seats.get_mut(next.peer as usize) else { continue };
            if let Some(life) = &mut seat.life {
                life.still = life.still.max(next.until);
                seat.order(Order::Halt);
                self.ledger.gone(next.peer);
                *self.touched.entry(u32::from(next.fault)).or_default() += 1;
            }
        }
        let mut go_on = Vec::new();
        for (peer, seat) in (0..).zip(&mut self.seats) {
            if let Some(life) = &mut seat.life
                && Instant::START < life.still
                && life.still <= now
            {
                life.still = Instant::START;
                go_on.push((peer, life.incarnation));
            }
        }
        for (peer, incarnation) in go_on {
            let links = self.links_of(peer, incarnation, now);
            if let Some(seat) = self.seat(peer) {
                seat.order(Order::Resume);
                seat.order(Order::Believe(links));
            }
        }
    }

    fn take_samples(&mut self, now: Instant) {
        while self.next_sample <= now && self.next_sample < Instant::START + self.fleet.duration {
            let at = self.next_sample;
            self.next_sample = at + self.fleet.sample_every;
            self.sample(at);
        }
    }

    /// Asks everybody who can answer what it looks like.
    fn sample(&mut self, at: Instant) {
        let mut asked = Vec::new();
        for (peer, seat) in (0..).zip(&self.seats) {
            let Some(life) = seat.life.as_ref().filter(|life| life.is_live && life.still == Instant::START)
            else {
                continue;
            };
            asked.push(peer);
            let asker = asker(peer, life, seat, &self.news);
            self.scope.spawn(move || asker.look(at));
        }
        self.ledger.sample(at, asked);
    }
}

/// The public half of a peer's key, which its id holds.
fn public_key(id: &types::PeerId) -> Option<[u8; 32]> {
    // The multihash of a short key is the key itself, behind six bytes of its form.
    id.as_bytes().get(6..).and_then(|bytes| bytes.try_into().ok())
}

fn asker(peer: u32, life: &Current, seat: &Seat, news: &News) -> Asker {
    Asker { peer, incarnation: life.incarnation, client: seat.client.clone(), news: news.clone() }
}

/// The configuration of a peer's node: its group's, and where it is.
fn configuration(fleet: &Fleet, peer: u32, ground: &Ground, bootstrap: Vec<String>) -> String {
    let mut config = fleet.play.group_of(peer).node.clone();
    ".".clone_into(&mut config.data);
    config.network.listen = vec![ground.listen(peer)];
    config.network.bootstrap = bootstrap;
    config.network.http = ground.admin(peer).to_string();
    // Every part of a configuration can be written: what could not would be missed by the node.
    serde_json::to_string_pretty(&config).unwrap_or_default()
}

/// Operations.
impl Director<'_, '_> {
    /// An operation is asked of a peer.
    fn ask(&mut self, at: Instant, peer: u32, command: Command, client: Option<usize>) {
        let Some(seat) = self.seats.get_mut(peer as usize) else { return };
        match &mut seat.life {
            None => {
                let operation = command.operation();
                self.ledger.note(at, peer, Seen::Began(command));
                if let Some(operation) = operation {
                    self.ledger.note(at, peer, Seen::Abandoned(operation));
                }
            }
            Some(life) if !life.is_live => life.early.push((command, client)),
            Some(_) if self.under_way >= MAX_ASKED => self.backlog.push_back((peer, command, client)),
            Some(_) => self.begin(peer, command, client),
        }
    }

    /// It is handed to the peer's node.
    fn begin(&mut self, peer: u32, command: Command, client: Option<usize>) {
        let at = self.clock.now();
        let Command::Kad(asked) = &command else { return };
        let Some(seat) = self.seats.get_mut(peer as usize) else { return };
        let Some(life) = &mut seat.life else { return };
        let (id, ask) = (asked.id, Ask::of(&asked.operation));
        life.operations.insert(id, client);
        self.ledger.note(at, peer, Seen::Began(command));
        self.under_way += 1;
        let seat = self.seats.get(peer as usize);
        if let Some((seat, life)) = seat.and_then(|seat| Some((seat, seat.life.as_ref()?))) {
            let asker = asker(peer, life, seat, &self.news);
            self.scope.spawn(move || asker.ask(id, at, &ask));
        }
    }

    /// What an operation came to.
    fn ended(&mut self, now: Instant, heard: (u32, u32, OperationId, Instant), ended: &admin::Ended) {
        let (peer, incarnation, id, begun) = heard;
        let Some(client) = self.life_of(peer, incarnation).and_then(|life| life.operations.remove(&id))
        else {
            return;
        };
        let Some(event) = ended.to_node(id, &mut self.ledger.book) else {
            self.conduct.garbled += 1;
            return;
        };
        // What the way to the node and back took is not the operation's.
        let at = (begun + Duration::from_nanos(ended.took_ns)).min(now);
        if let (Some(client), node::Event::Kad(kad::Event::OperationEnded { report, outcome, .. })) =
            (client, &event)
        {
            self.act(now, peer, client, &Happening::Ended { id, outcome, report });
        }
        self.ledger.note(at, peer, Seen::Told(Box::new(event)));
        self.conduct.told += 1;
    }

    fn tell_clients(&mut self, at: Instant, peer: u32, happening: &Happening<'_>) {
        for client in 0..self.seat(peer).map_or(0, |seat| seat.clients.len()) {
            self.act(at, peer, client, happening);
        }
    }

    /// Lets a client act, and does what it wants.
    fn act(&mut self, at: Instant, peer: u32, client: usize, happening: &Happening<'_>) {
        let Some(acting) = self.seats.get_mut(peer as usize).and_then(|seat| seat.clients.get_mut(client))
        else {
            return;
        };
        let mut acts = Vec::new();
        acting.act(at, happening, &mut acts);
        for act in acts {
            match act {
                Act::Ask(command) => self.ask(at, peer, command, Some(client)),
                Act::DueAt(due) => {
                    self.due.retain(|(_, other, its)| (*other, *its) != (peer, client));
                    if self.seat(peer).is_some_and(|seat| seat.life.is_some()) {
                        self.due.insert((due.max(at), peer, client));
                    }
                }
            }
        }
    }
}

/// What is heard.
impl Director<'_, '_> {
    fn hear(&mut self, now: Instant, heard: Heard) {
        match heard {
            Heard::Live { peer, incarnation, process, took } => {
                self.live(now, peer, incarnation, process, took);
            }
            Heard::Lost { peer, incarnation, message } => {
                let Some(seat) = self.seats.get_mut(peer as usize) else { return };
                let Some(mut life) = seat.life.take_if(|life| life.incarnation == incarnation) else {
                    return;
                };
                self.abandon(now, peer, &mut life);
                self.tell_clients(now, peer, &Happening::PeerDown);
                self.panics.push(Panic { at: now, peer, message });
            }
            Heard::Left { peer, took, overdue } => {
                self.conduct.overdue += u64::from(overdue);
                let detail = format!("after {took:?}");
                self.ledger.note(now, peer, Seen::Noted { kind: "left", detail });
            }
            Heard::Told { peer, events, lost } => {
                self.conduct.lost += lost;
                for told in events {
                    self.told(now, peer, &told);
                }
            }
            Heard::Ended { peer, incarnation, id, begun, ended } => {
                self.under_way -= 1;
                match ended {
                    Ok(ended) => self.ended(now, (peer, incarnation, id, begun), &ended),
                    // Of a life that is over, it was abandoned; else nobody can tell what came of it.
                    Err(error) => {
                        if self.life_of(peer, incarnation).is_some() {
                            self.conduct.unanswered += 1;
                            self.ledger.note(
                                now,
                                peer,
                                Seen::Noted { kind: "unanswered", detail: error.to_string() },
                            );
                        }
                    }
                }
                if let Some((peer, command, client)) = self.backlog.pop_front() {
                    self.ask(now, peer, command, client);
                }
            }
            Heard::Seen { at, peer, incarnation, view } => {
                let is_there = self.life_of(peer, incarnation).is_some();
                // Who did not answer stays awaited, and is told as such.
                if !is_there {
                    self.ledger.looked(at, peer, None);
                } else if let Ok(view) = view {
                    self.ledger.looked(at, peer, Some((incarnation, view)));
                }
            }
        }
    }

    /// A process answers: its events are listened to, and it is asked what waited for it.
    fn live(&mut self, now: Instant, peer: u32, incarnation: u32, process: u32, took: Span) {
        self.conduct.start(took);
        let Some(life) = self.life_of(peer, incarnation) else { return };
        life.is_live = true;
        let early = std::mem::take(&mut life.early);
        let over = Arc::clone(&life.over);
        if let Some((seat, life)) = self.seat(peer).and_then(|seat| Some((seat, seat.life.as_ref()?))) {
            let asker = asker(peer, life, seat, &self.news);
            self.scope.spawn(move || asker.listen(|| over.load(Ordering::Relaxed)));
        }
        let detail = format!("process {process} after {took:?}");
        self.ledger.note(now, peer, Seen::Noted { kind: "started", detail });
        for (command, client) in early {
            self.ask(now, peer, command, client);
        }
    }

    fn told(&mut self, now: Instant, peer: u32, told: &admin::Told) {
        // What was told before the run's time began counts as its beginning.
        let at = self.clock.of_unix(told.unix_ns).min(now);
        if let admin::Event::Panicked { message } = &told.event {
            self.panics.push(Panic { at, peer, message: message.clone() });
        }
        self.conduct.told += 1;
        match told.event.to_node(&mut self.ledger.book) {
            Some(event) => self.ledger.note(at, peer, Seen::Told(Box::new(event))),
            None => {
                let detail = format!("{:?}", told.event);
                self.ledger.note(at, peer, Seen::Noted { kind: "told", detail });
            }
        }
    }
}
