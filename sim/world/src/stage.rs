//! A whole run of the simulated world: sets the stage, starts the arbiters, and joins what the shards bring home.

use std::sync::mpsc::Sender;
use std::sync::{Arc, mpsc};

use actix_rt::Arbiter;
use kernel::connections::Dialling;
use kernel::{
    Chapter, Fingerprint, Ladder, LinkFault, Links, LogEntry, Openings, Panic, PeerCount, Progress,
    ResolvedNetwork, assert_conserved,
};
use node::Settings;
use play::Play;
use types::{Domain, Duration, Instant, PeerRef, Purpose, Seed, SharedBook, Streams};

use crate::cast::{Cast, Honest};
use crate::cell::{Drops, Touched};
use crate::driver::Driver;
use crate::host::Up;
use crate::meeting::{Broken, Meeting};
use crate::parcel::Wire;
use crate::shard::{Shard, ShardReport};
use crate::watch::Watch;

const WORLD: Domain = Domain::new("world");
const IDEAL_TABLE: Purpose = Purpose::new("ideal table");

/// Fewer peers than this are not worth a shard of their own: the meeting at each window's end costs more.
const PEERS_PER_SHARD: usize = 5_000;
/// More shards than this no plan needs: with four on two cores a run is slower than with two.
pub const MAX_SHARDS: usize = 256;
/// Rungs of a run's ladder, the last aside.
const RUNGS: u64 = 64;

/// Everything that a run of the simulated world needs.
pub struct World {
    /// The root of all chance.
    pub seed: Seed,
    /// How long it runs, in simulated time.
    pub duration: Duration,
    /// It ends here if that is earlier, with a last look at all peers before anything happens at that instant.
    pub until: Option<Instant>,
    /// The distance of two looks at the peers.
    pub sample_every: Duration,
    /// What people and misfortune do.
    pub play: Arc<Play>,
    /// Who is who.
    pub book: Arc<SharedBook>,
    /// The network between the peers.
    pub network: ResolvedNetwork,
    /// Whether messages go through the codec.
    pub wire: Wire,
    /// How links are dialled; `None`: every peer reaches every other without.
    pub dialling: Option<Dialling>,
    /// Whether tables are filled by joining or by an oracle.
    pub start: play::Start,
    /// How peers are driven.
    pub driver: Driver,
    /// Peers of a shard that the actor driver keeps awake at a time; commonly [`crate::max_awake`].
    pub max_awake: usize,
    /// Threads; `None`: as many as pay for themselves.
    pub threads: Option<usize>,
    /// Peers whose events go to the log, by number.
    pub sampled: Vec<u32>,
    /// Peers other than honest nodes.
    pub cast: Arc<dyn Cast>,
    /// Where the run is, for whoever waits for it.
    pub progress: Arc<Progress>,
    /// Where the event log goes, if anybody wants it.
    pub log: Option<Sender<Chapter>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, duration, driver, threads, .. } = self;
        let mut all = f.debug_struct("World");
        all.field("seed", seed).field("duration", duration).field("driver", driver).field("threads", threads);
        all.finish_non_exhaustive()
    }
}

/// Nobody but honest nodes play.
#[must_use]
pub fn honest() -> Arc<dyn Cast> {
    Arc::new(Honest)
}

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome {
    /// The moment of simulated time at which it ended.
    pub ended: Instant,
    /// Whether it was stopped before its plan's end.
    pub interrupted: bool,
    /// Shards that it ran on.
    pub threads: usize,
    /// Inputs that peers handled.
    pub handled: u64,
    /// Windows of the busiest shard.
    pub windows: u64,
    /// What tells it from other runs.
    pub fingerprint: Fingerprint,
    /// The same at simulated instants, by peer.
    pub ladder: Ladder,
    /// What the links did.
    pub links: kernel::Tally,
    /// Messages that reached nobody otherwise.
    pub drops: Drops,
    /// What each fault touched that is not of lives, by its place in the scenario: messages, inputs or peers, as its tally
    /// says.
    pub touched: Vec<(u32, u64)>,
    /// By peer.
    pub counts: Vec<PeerCount>,
    /// Peers that panicked, by time and number.
    pub panics: Vec<Panic>,
}

/// Why there is no outcome: a defect of ours, since peers' panics are caught.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A shard panicked.
    #[error(
        "a shard of the simulator panicked; this is a defect of wavetank, or of a check, workload or cast of your own"
    )]
    Shard,
}

/// What all shards share, read-only.
pub(crate) struct Stage {
    pub(crate) seed: Seed,
    pub(crate) end: Instant,
    pub(crate) sample_every: Duration,
    pub(crate) rung_every: Duration,
    pub(crate) play: Arc<Play>,
    pub(crate) book: Arc<SharedBook>,
    pub(crate) wire: Wire,
    pub(crate) driver: Driver,
    pub(crate) max_awake: usize,
    pub(crate) cast: Arc<dyn Cast>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) shards: usize,
    log: Option<Sender<Chapter>>,
    oracle: Option<kad::OracleIndex>,
    sampled: Vec<u32>,
    dialling: Option<kernel::connections::Dialling>,
    /// By group.
    settings: Vec<Settings>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("seed", &self.seed)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

impl Stage {
    pub(crate) const fn shard_of(&self, peer: u32) -> usize {
        peer as usize % self.shards
    }

    /// The place of a peer in its shard.
    pub(crate) const fn place_of(&self, peer: u32) -> usize {
        peer as usize / self.shards
    }

    /// Whether this peer can call and cannot be called.
    pub(crate) fn is_undialable(&self, peer: u32) -> bool {
        self.play.scene().is_undialable(peer)
    }

    /// What lets messages in to this peer, where links are free and it cannot be called.
    pub(crate) fn openings_of(&self, peer: u32) -> Option<Box<Openings>> {
        let hides = self.dialling.is_none() && self.is_undialable(peer);
        let most = self.play.group_of(peer).node.limits.connections;
        hides.then(|| Box::new(Openings::new(Dialling::default().idle, most)))
    }

    pub(crate) fn numbers_of(&self, shard: usize) -> impl Iterator<Item = u32> + use<> {
        (shard..self.book.len()).step_by(self.shards).map(|number| number as u32)
    }

    pub(crate) fn peers_of(&self, shard: usize) -> usize {
        self.numbers_of(shard).count()
    }

    /// A shard's part of the event log is complete up to `until`.
    pub(crate) fn tell(&self, shard: usize, until: Instant, entries: &mut Vec<LogEntry>) {
        let entries = std::mem::take(entries);
        if let Some(log) = &self.log {
            // Nobody listens any more: then nobody misses it.
            let _ = log.send(Chapter { shard, until, entries });
        }
    }

    pub(crate) fn is_sampled(&self, peer: u32) -> bool {
        self.sampled.binary_search(&peer).is_ok()
    }

    pub(crate) fn number_of(&self, shard: usize, place: usize) -> u32 {
        (place * self.shards + shard) as u32
    }

    pub(crate) fn settings_of(&self, peer: u32) -> &Settings {
        let group = self.play.roster().group_of(peer);
        let settings = group.and_then(|group| self.settings.get(group));
        assert!(settings.is_some(), "peer {peer} belongs to no group");
        #[expect(clippy::unwrap_used, reason = "asserted above")]
        settings.unwrap()
    }

    /// How the peers of a group dial, where links are dialled.
    pub(crate) fn dialling_of(&self, group: &play::Group) -> Option<Dialling> {
        self.dialling.map(|dialling| Dialling { max_links: group.node.limits.connections, ..dialling })
    }

    /// How the life begins that `lives` yielded last.
    pub(crate) fn begin(
        &self,
        event: &play::LifeEvent,
        incarnation: u32,
        disk: play::Data,
        lives: &play::Lives,
    ) -> Up {
        let ideal = self.oracle.is_some() && event.at == Instant::START && incarnation == 0;
        let contacts = (!ideal).then(|| {
            let mut numbers = Vec::new();
            self.play.contacts(lives, event, &mut numbers);
            numbers.into_iter().map(PeerRef::shared).collect()
        });
        Up { incarnation, contacts, disk }
    }

    /// The contacts that an ideal network would have given this peer.
    pub(crate) fn ideal_table(&self, peer: u32) -> Vec<PeerRef> {
        let place = peer as usize;
        let (Some(oracle), Some(key), Some(digest)) =
            (&self.oracle, self.book.keys().get(place), self.book.digests().get(place))
        else {
            return Vec::new();
        };
        let mut stream = Streams::new(self.seed, WORLD, *digest, 0).stream(IDEAL_TABLE, 0);
        oracle.contacts(key, usize::from(self.play.group_of(peer).node.kad.k), &mut stream)
    }
}

impl World {
    /// Plays the run to its end. `watch` makes a watcher for each shard, given its number and how many there are.
    ///
    /// # Errors
    /// If threads cannot be started, or the simulator itself panics.
    pub fn run(self, watch: impl Fn(usize, usize) -> Box<dyn Watch>) -> Result<Outcome, WorldError> {
        let shards = self.shards();
        let faults = self.play.link_faults();
        let links = self.links(faults);
        let stage = Arc::new(self.stage(shards));
        let watches = (0..shards).map(|shard| watch(shard, shards)).collect();
        let reports = run_shards(&stage, &links, watches)?;
        Ok(join(reports, &stage, &links))
    }

    /// The shards that it runs on, each a thread.
    #[must_use]
    pub fn shards(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let paying = (self.book.len() / PEERS_PER_SHARD).min(cores);
        self.threads.unwrap_or(paying).clamp(1, MAX_SHARDS)
    }

    fn links(&self, faults: Vec<LinkFault>) -> Links {
        Links::new(self.network.clone(), self.seed, self.book.digests(), faults)
    }

    fn stage(self, shards: usize) -> Stage {
        let settings = self.play.groups().iter().map(|group| Settings::from(&group.node)).collect();
        let mut sampled = self.sampled;
        sampled.sort_unstable();
        Stage {
            rung_every: Duration::from_nanos((self.duration.as_nanos() / RUNGS).max(1)),
            oracle: (self.start == play::Start::Oracle).then(|| ideal_members(&self.play, &self.book)),
            seed: self.seed,
            end: self.until.unwrap_or(Instant::NEVER).min(Instant::START + self.duration),
            sample_every: self.sample_every,
            play: self.play,
            book: self.book,
            wire: self.wire,
            driver: self.driver,
            max_awake: self.max_awake,
            cast: self.cast,
            progress: self.progress,
            log: self.log,
            dialling: self.dialling,
            settings,
            sampled,
            shards,
        }
    }
}

/// Runs every shard on an arbiter of its own.
fn run_shards(
    stage: &Arc<Stage>,
    links: &Links,
    watches: Vec<Box<dyn Watch>>,
) -> Result<Vec<ShardReport>, WorldError> {
    let meeting = Arc::new(Meeting::new(stage.shards));
    let (sender, receiver) = mpsc::channel();
    let system = actix_rt::System::new();
    let mut arbiters = Vec::new();
    for (shard, watch) in watches.into_iter().enumerate() {
        let arbiter = Arbiter::try_new().map_err(WorldError::Thread)?;
        let (stage, meeting, links) = (Arc::clone(stage), Arc::clone(&meeting), links.for_another_shard());
        let sender = sender.clone();
        // The shard is made on its own thread: what it shares with its peers never leaves it.
        arbiter.spawn_fn(move || {
            actix_rt::spawn(async move {
                let report = Shard::new(&stage, shard, links, watch, meeting).run().await;
                // The receiver is gone only if another shard panicked.
                let _ = sender.send(report);
            });
        });
        arbiters.push(arbiter);
    }
    drop(sender);
    let reports: Vec<_> = receiver.iter().collect();
    for arbiter in arbiters {
        arbiter.stop();
        arbiter.join().map_err(|_| WorldError::Shard)?;
    }
    drop(system);
    let mut reports =
        reports.into_iter().collect::<Result<Vec<_>, Broken>>().map_err(|_| WorldError::Shard)?;
    if reports.len() != stage.shards {
        return Err(WorldError::Shard);
    }
    reports.sort_by_key(|report| report.shard);
    Ok(reports)
}

/// The peers that are there from the start and can be called: those whom ideal tables can name.
fn ideal_members(play: &Play, book: &SharedBook) -> kad::OracleIndex {
    let mut lives = play.lives();
    let mut members = Vec::new();
    while lives.next_at() == Some(Instant::START) {
        let up = lives.next().filter(play::LifeEvent::is_up).map(|event| event.peer);
        members.extend(up.filter(|peer| !play.scene().is_undialable(*peer)).map(PeerRef::shared));
    }
    members.retain(|peer| peer.index().is_some_and(|peer| book.serves(peer as u32)));
    kad::OracleIndex::among(book, members)
}

/// Adds up what the shards bring home.
fn join(reports: Vec<ShardReport>, stage: &Stage, links: &Links) -> Outcome {
    let conserved: Vec<_> = reports.iter().map(|report| report.conserved).collect();
    assert_conserved(&conserved);
    let mut outcome = Outcome {
        ended: Instant::START,
        interrupted: false,
        threads: stage.shards,
        handled: 0,
        windows: 0,
        fingerprint: Fingerprint::default(),
        ladder: Ladder { every: stage.rung_every, peers: stage.book.len() as u32, rungs: Vec::new() },
        links: kernel::Tally::default(),
        touched: Vec::new(),
        drops: Drops::default(),
        counts: vec![PeerCount::default(); stage.book.len()],
        panics: Vec::new(),
    };
    let mut ladder: Option<kernel::LadderBuilder> = None;
    let mut touched = Touched::default();
    for report in reports {
        outcome.ended = outcome.ended.max(report.ended);
        outcome.interrupted |= report.interrupted;
        outcome.handled += report.handled;
        outcome.windows = outcome.windows.max(report.windows);
        outcome.links.merge(&report.links);
        outcome.drops.merge(&report.drops);
        touched.merge(&report.touched);
        outcome.panics.extend(report.panics);
        for (number, count) in stage.numbers_of(report.shard).zip(report.counts) {
            if let Some(place) = outcome.counts.get_mut(number as usize) {
                *place = count;
            }
        }
        match &mut ladder {
            Some(ladder) => ladder.merge(&report.ladder),
            None => ladder = Some(report.ladder),
        }
    }
    let of_links = links.faults().iter().map(|fault| fault.id).zip(outcome.links.touched.iter().copied());
    outcome.touched = of_links.chain(touched.counts()).collect();
    outcome.panics.sort_by_key(|panic| (panic.at, panic.peer));
    if let Some(ladder) = ladder {
        outcome.ladder = ladder.finish();
        outcome.fingerprint = outcome.ladder.rungs.last().map(|rung| rung.value).unwrap_or_default();
    }
    outcome
}
