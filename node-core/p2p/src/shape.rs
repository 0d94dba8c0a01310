//! The network that a node is made to believe in: delays, a slow uplink, losses and cuts between processes that share
//! one machine. Off unless a node is started with [`Emulation::On`]; then nothing of it is in the node's path.
//!
//! | what | where | how |
//! |---|---|---|
//! | delay, jitter | below Noise and Yamux ([`stream`]) | bytes leave their sender late, in order |
//! | uplink | below Noise and Yamux | bytes of all connections leave one after another |
//! | TCP's handshake | [`transport`] | a dial begins one round trip late |
//! | clog, and the bytes of a cut | below Noise and Yamux | bytes wait until the link is open again |
//! | loss, cut | above the connection ([`messages`]) | a request is not sent, an answer not given; the exchange times out |
//! | copies, messages held back | above the connection | a request is sent twice, or late, in a stream of its own |
//! | crash without a word | below Noise and Yamux | a connection whose far side died falls silent |
//!
//! A sender decides, as in the simulator: each side is told how what it sends fares, and what it is sent is the other
//! side's affair. Bytes are known by the address at the other end, messages by the peer.
//!
//! How close it comes (two nodes on a machine of two cores; `cargo bench -p wavetank-p2p --bench emulation`): bytes are
//! never early, and late by the way over loopback, a timer's slack of some 60 µs and the wait for a core. Too late in
//! one direction, by the median and the 99th percentile, while eighteen other processes wanted those cores:
//!
//! | one way asked for | as any process | preferred by the scheduler |
//! |---|---|---|
//! | 1 ms | 0.2 ms, 5 ms | 0.2 ms, 5 ms |
//! | 5 ms | 1 ms, 5 ms | 0.3 ms, 5 ms |
//! | 20 ms | 2 ms, 7 ms | 0.5 ms, 4 ms |
//! | 100 ms | 2 ms, 6 ms | 1 ms, 5 ms |
//!
//! Bursts of losses are not emulated: a pair's spells are the simulator's to draw. What differs from the simulator besides:
//! a copy travels on the connection of its original, so it has no jitter of its own, and the bytes of a cut arrive once it
//! has healed, as TCP sees to it, in exchanges that have timed out by then.
//!
//! It is deliberately not a model: it draws from the numbers that it is told ([`wire::admin::Links`]) and knows no plan.
//! Headers of TCP and IP are not counted, and what is under way when the links change travels as it left.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use types::{Domain, PeerId, Purpose, Seed, Share, Streams};
use wire::admin::{Crashes, Link, Links, LinksError, Passage};

use self::timer::Timer;

pub(crate) mod messages;
mod stream;
mod timer;
pub(crate) mod transport;

/// Whether a node may be made to believe in another network than the one it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emulation {
    /// It may not.
    #[default]
    Off,
    /// It may, by [`crate::Handle::emulate`]; until it is told for the first time, all its links are clogged, so that
    /// nothing it does is done in the wrong network.
    On,
}

/// Why a node does not believe in a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmulateError {
    /// It was not started for it.
    #[error("node was started without emulation of links")]
    Off,
    /// There is no such network.
    #[error(transparent)]
    Links(#[from] LinksError),
}

/// What becomes of a message above the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent, so much later than it would be.
    Sent(Duration),
    /// It is sent twice, each so much later.
    SentTwice(Duration, Duration),
    /// It is not sent.
    Lost,
}

impl Fate {
    /// What becomes of messages where nothing is emulated.
    pub(crate) const PLAIN: Self = Self::Sent(Duration::ZERO);
}

/// What a message is, as far as its fate depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// A request, with which its exchange is lost, or a message that nothing answers.
    First,
    /// An answer: that its exchange is not lost was decided with the request.
    Answer,
}

/// When bytes leave, and how long they travel then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Departure {
    leaves: Instant,
    travels: Duration,
}

/// What is written at about one time: it draws its jitter once. With a draw for each of many small writes, the latest
/// would decide for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Burst {
    since: Instant,
    travels: Duration,
    /// What the node had been told by then.
    told: u64,
}

/// How long a burst lasts.
const BURST: Duration = Duration::from_millis(1);

/// What a node was told of its links, and what it drew and counted since.
#[derive(Debug)]
pub(crate) struct Shape {
    state: Mutex<State>,
    /// Rings when it is told.
    changes: watch::Sender<()>,
    /// Connections of which bytes may still be under way.
    pumps: watch::Sender<usize>,
    timer: Timer,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// How often the node was told, and when it was the last time.
    told: u64,
    since: Instant,
    of_peer: HashMap<PeerId, Link>,
    of_ip: HashMap<IpAddr, (Link, u32)>,
    others: Link,
    crashes: Crashes,
    uplink: Option<u64>,
    /// When the uplink has sent all that was handed to it.
    free: Instant,
    draws: types::Stream,
}

impl State {
    fn new(links: &Links, told: u64, free: Instant) -> Self {
        const EMULATION: Domain = Domain::new("emulation");
        let streams = Streams::global(Seed(links.seed), EMULATION);
        Self {
            told,
            since: Instant::now(),
            of_peer: links.peers.iter().map(|to| (to.peer, to.link)).collect(),
            of_ip: links.peers.iter().map(|to| (to.ip, (to.link, to.life))).collect(),
            others: links.others,
            crashes: links.crashes,
            uplink: links.uplink_bits_per_second,
            free,
            draws: streams.stream(Purpose::new("links"), 0),
        }
    }

    fn link_at(&self, ip: IpAddr) -> Link {
        self.of_ip.get(&ip).map_or(self.others, |(link, _)| *link)
    }

    /// Evenly from zero to `most`.
    fn up_to(&mut self, most_ns: u64) -> Duration {
        Duration::from_nanos(self.draws.below(most_ns.saturating_add(1)))
    }

    fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.draws.happens(Share::from_millionths(ppm))
    }

    fn travel(&mut self, link: &Link) -> Duration {
        Duration::from_nanos(link.base_ns).saturating_add(self.up_to(link.jitter_ns))
    }

    fn held(&mut self, link: &Link) -> Duration {
        if self.happens(link.held_ppm) { self.up_to(link.held_ns) } else { Duration::ZERO }
    }
}

/// Nanoseconds that a byte takes at a bit a second.
const BYTE_NANOS: u128 = 8 * 1_000_000_000;

impl Shape {
    /// All links are clogged.
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        let others = Link { passage: Passage::Clogged, ..Link::PLAIN };
        Ok(Arc::new(Self {
            state: Mutex::new(State::new(&Links { others, ..Links::plain() }, 0, Instant::now())),
            changes: watch::Sender::new(()),
            pumps: watch::Sender::new(0),
            timer: Timer::start()?,
            dropped: AtomicU64::new(0),
        }))
    }

    /// Takes these links for true, at once.
    pub(crate) fn believe(&self, links: &Links) -> Result<(), LinksError> {
        links.check()?;
        let mut state = self.lock();
        *state = State::new(links, state.told + 1, state.free);
        drop(state);
        self.changes.send_replace(());
        Ok(())
    }

    /// Messages that were lost on purpose.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// What becomes of a message to `peer` that is to be sent now.
    pub(crate) fn fate(&self, peer: &PeerId, carried: Carried) -> Fate {
        let mut state = self.lock();
        let link = state.of_peer.get(peer).copied().unwrap_or(state.others);
        let first = carried == Carried::First;
        if link.passage == Passage::Cut || (first && state.happens(link.lost_ppm)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Fate::Lost;
        }
        let held = state.held(&link);
        if first && state.happens(link.copied_ppm) {
            return Fate::SentTwice(held, state.held(&link));
        }
        Fate::Sent(held)
    }

    /// Waits until all that was written has left: once every connection is closed, it does.
    pub(crate) async fn drained(&self) {
        // The sender lives as long as this.
        let _ = self.pumps.subscribe().wait_for(|count| *count == 0).await;
    }

    /// When `len` bytes leave for `ip` that are written now, and the burst that they are of: this one, if it lasts.
    fn departure(&self, ip: IpAddr, len: usize, burst: Option<Burst>) -> (Departure, Burst) {
        let now = Instant::now();
        let mut state = self.lock();
        let lasts = |burst: &Burst| now.duration_since(burst.since) < BURST && burst.told == state.told;
        let burst = burst.filter(lasts).unwrap_or_else(|| {
            let link = state.link_at(ip);
            Burst { since: now, travels: state.travel(&link), told: state.told }
        });
        let mut leaves = now;
        if let Some(speed) = state.uplink {
            let nanos = (len as u128 * BYTE_NANOS).div_ceil(u128::from(speed.max(1)));
            leaves = now.max(state.free) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            state.free = leaves;
        }
        (Departure { leaves, travels: burst.travels }, burst)
    }

    /// Waits as long as a round trip to `ip` takes: what this side does not send itself fares alike.
    async fn round_trip(&self, ip: IpAddr) {
        let trip = self.travel(ip).saturating_add(self.travel(ip));
        self.timer.until(Instant::now() + trip).await;
    }

    fn travel(&self, ip: IpAddr) -> Duration {
        let mut state = self.lock();
        let link = state.link_at(ip);
        state.travel(&link)
    }

    /// Waits until something may leave for `ip`.
    async fn open(&self, ip: IpAddr) {
        let mut changes = self.changes.subscribe();
        while !self.is_open(ip) {
            // The sender lives as long as this.
            let _ = changes.changed().await;
        }
    }

    fn is_open(&self, ip: IpAddr) -> bool {
        self.opened(ip).0
    }

    /// Whether anything may leave for `ip`, and when the node was told so.
    fn opened(&self, ip: IpAddr) -> (bool, Instant) {
        let state = self.lock();
        (state.link_at(ip).passage == Passage::Open, state.since)
    }

    fn crashes(&self) -> Crashes {
        self.lock().crashes
    }

    /// The life of whoever is at `ip`.
    fn life_at(&self, ip: IpAddr) -> u32 {
        self.lock().of_ip.get(&ip).map_or(0, |(_, life)| *life)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
