//! When a message arrives, or why it does not: decided where it is sent.
//!
//! A message leaves when its sender's uplink has sent what came before it, and waits out the clogs of
//! its two ends; a partition or a loss may end it there. Otherwise it travels for the base of the pair
//! plus its own jitter, raised to the floor, and arrives no earlier than what the same sender sent to
//! the same receiver before it, unless a fault holds it back on its way or delivers it twice.
//!
//! A pair's base is a hash of the seed and the two peers' digests, a message's jitter and loss one of
//! the seed, its sender's digest and its sequence number: nothing is kept per pair, and no draw depends
//! on the order of execution. Per pair, only the arrival of what jitter could yet overtake is kept.
//!
//! It is deliberately not a model of TCP: loss ends a whole exchange or one-way message, above the
//! connection. Messages that a peer handed to its uplink before it crashed still leave.
//!
//! Invariants: no delay is shorter than the lookahead; arrivals on a link are in the order of sending, but for those that
//! a fault holds back.

use alloc::sync::Arc;
use alloc::vec::Vec;

use types::mix::mix;
use types::{Digest, Domain, Duration, Instant, Purpose, Seed, Share, Streams};

use crate::fault::{Effect, LinkFault, Losing, Weather};
use crate::overtaking::Overtaking;
use crate::resolve::{Pair, ResolvedNetwork};

/// What a message is to its exchange: loss is drawn once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Nothing answers it; it may be lost.
    OneWay,
    /// Opens an exchange, which may be lost with it.
    Request,
    /// Closes an exchange whose loss was decided with its request.
    Answer,
    /// Belongs to the connection, which repeats it until it arrives.
    Control,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives then.
    Arrives(Instant),
    /// It arrives then, and its copy at the second instant, which is the earlier one only if the first is held back.
    ArrivesTwice(Instant, Instant),
    /// It does not arrive.
    Lost(Loss),
}

/// Why a message does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The network's own loss.
    Random,
    /// It would have crossed a partition.
    Partition,
    /// A fault's loss.
    Fault,
}

/// What a shard's links did, in sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages handed over.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Lost by the network's own loss.
    pub lost_random: u64,
    /// Lost at a partition.
    pub lost_partition: u64,
    /// Lost by a fault's loss.
    pub lost_fault: u64,
    /// Messages whose delay was raised to the floor.
    pub raised_to_floor: u64,
    /// Copies that faults made.
    pub duplicated: u64,
    /// Messages and copies that faults held back.
    pub held_back: u64,
    /// Messages that each fault cut, held back, lost or copied, in the order in which the faults were given.
    pub touched: Vec<u64>,
}

impl Tally {
    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.sent_bytes += other.sent_bytes;
        self.lost_random += other.lost_random;
        self.lost_partition += other.lost_partition;
        self.lost_fault += other.lost_fault;
        self.raised_to_floor += other.raised_to_floor;
        self.duplicated += other.duplicated;
        self.held_back += other.held_back;
        if self.touched.len() < other.touched.len() {
            self.touched.resize(other.touched.len(), 0);
        }
        for (mine, other) in self.touched.iter_mut().zip(&other.touched) {
            *mine += other;
        }
    }

    fn touch(&mut self, fault: usize) {
        if let Some(count) = self.touched.get_mut(fault) {
            *count += 1;
        }
    }
}

/// The links of a shard's peers to everybody.
#[derive(Debug)]
pub struct Links {
    plan: Arc<Plan>,
    weather: Weather,
    /// When each peer's uplink is free; empty if no uplink has a limit.
    uplinks: Vec<Instant>,
    overtaking: Overtaking,
    /// Nothing is sent earlier any more.
    now: Instant,
    tally: Tally,
}

/// What all shards share.
#[derive(Debug)]
struct Plan {
    network: ResolvedNetwork,
    lookahead: Duration,
    peers: Vec<Row>,
    base: u64,
    jitter: u64,
    loss: u64,
    copy: u64,
    hold: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    digest: Digest,
    place: u8,
}

/// Nanoseconds that a byte takes at a bit a second.
const BIT_NANOS: u64 = 8 * 1_000_000_000;
/// Of a sequence number: it names the draws and the event of the message's copy. A sender counts no message so high.
pub const COPY: u64 = 1 << 62;

impl Links {
    /// The links of a run whose peers have these digests, by number.
    #[must_use]
    pub fn new(network: ResolvedNetwork, seed: Seed, peers: &[Digest], faults: Vec<LinkFault>) -> Self {
        const LINKS: Domain = Domain::new("links");
        let root = |name| Streams::global(seed, LINKS).stream(Purpose::new(name), 0).bits();
        let places = network.settle(seed, peers.len());
        let limited = (0..network.places().len()).any(|place| network.uplink(place as u8).is_some());
        let rows = peers.iter().zip(places);
        let tally = Tally { touched: alloc::vec![0; faults.len()], ..Tally::default() };
        Self {
            weather: Weather::new(faults),
            uplinks: alloc::vec![Instant::START; if limited { peers.len() } else { 0 }],
            overtaking: Overtaking::new(),
            now: Instant::START,
            tally,
            plan: Arc::new(Plan {
                lookahead: network.lookahead(),
                peers: rows.map(|(digest, place)| Row { digest: *digest, place }).collect(),
                base: root("base"),
                jitter: root("jitter"),
                loss: root("loss"),
                copy: root("copy"),
                hold: root("hold"),
                network,
            }),
        }
    }

    /// The same links for another shard, before anything was sent: a peer always sends by its own shard's.
    #[must_use]
    pub fn for_another_shard(&self) -> Self {
        Self {
            plan: Arc::clone(&self.plan),
            weather: self.weather.clone(),
            uplinks: self.uplinks.clone(),
            overtaking: Overtaking::new(),
            now: self.now,
            tally: Tally { touched: alloc::vec![0; self.weather.faults().len()], ..Tally::default() },
        }
    }

    /// No message takes less time than this, whatever the sharding.
    #[must_use]
    pub fn lookahead(&self) -> Duration {
        self.plan.lookahead
    }

    /// The faults, in the order in which they were given.
    #[must_use]
    pub fn faults(&self) -> &[LinkFault] {
        self.weather.faults()
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &ResolvedNetwork {
        &self.plan.network
    }

    /// The place of a peer.
    #[must_use]
    pub fn place(&self, peer: u32) -> u8 {
        self.plan.row(peer).place
    }

    /// The base of the delay between two peers: the same in both directions and all the run.
    #[must_use]
    pub fn base(&self, a: u32, b: u32) -> Duration {
        let (a, b) = (self.plan.row(a), self.plan.row(b));
        self.plan.base(self.plan.network.pair(a.place, b.place), a.digest, b.digest)
    }

    /// What was counted so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A window begins at `start`: nothing is sent earlier any more.
    pub fn begin_window(&mut self, start: Instant) {
        self.now = self.now.max(start);
        self.overtaking.forget(self.now);
    }

    /// Sends a message of `size_bytes` at `at`. `sequence` is the sender's, different for each of its
    /// messages in the whole run; a sender's messages come in the order of their `at`.
    ///
    /// # Panics
    /// If a peer is not of the plan, or the message is sent before the window.
    #[inline]
    pub fn send(
        &mut self,
        at: Instant,
        from: u32,
        to: u32,
        sequence: u64,
        size_bytes: u64,
        kind: Carried,
    ) -> Fate {
        assert!(at >= self.now, "a message was sent at {at}, before its window at {}", self.now);
        let sender = self.plan.row(from);
        assert!((to as usize) < self.plan.peers.len(), "peer {to} is not of the plan");
        self.tally.sent += 1;
        self.tally.sent_bytes += size_bytes;
        let mut departure = self.leave_uplink(at, from, sender.place, size_bytes);
        let message = mix(sender.digest.0, sequence);
        let calm = self.weather.is_calm(departure);
        if !calm {
            departure = self.wait_out_clogs(departure, from, to);
            if let Some(loss) = self.lost_to_fault(departure, from, to, message, kind) {
                return Fate::Lost(loss);
            }
        }
        let loss = self.plan.network.loss();
        if kind.may_be_lost() && loss > Share::ZERO && happens(mix(self.plan.loss, message), loss) {
            self.tally.lost_random += 1;
            return Fate::Lost(Loss::Random);
        }
        let link = (from, to);
        if calm || kind == Carried::Control {
            return Fate::Arrives(self.travel(departure, link, message, Duration::ZERO));
        }
        let held = self.held_back(departure, link, message);
        let arrives = self.travel(departure, link, message, held);
        if !kind.may_be_lost() || !self.is_copied(departure, link, message) {
            return Fate::Arrives(arrives);
        }
        let copy = mix(sender.digest.0, sequence | COPY);
        let held = self.held_back(departure, link, copy);
        Fate::ArrivesTwice(arrives, self.travel(departure, link, copy, held))
    }

    /// When a message arrives that leaves at `departure`, held back on its way for a time or not at all.
    #[inline]
    fn travel(&mut self, departure: Instant, link: (u32, u32), message: u64, held: Duration) -> Instant {
        let (sender, receiver) = (self.plan.row(link.0), self.plan.row(link.1));
        let pair = self.plan.network.pair(sender.place, receiver.place);
        let jitter = pair.jitter;
        let mut delay = self.plan.base(pair, sender.digest, receiver.digest);
        if jitter > Duration::ZERO {
            delay = delay + up_to(mix(self.plan.jitter, message), jitter);
        }
        let floor = self.plan.network.floor();
        if delay < floor {
            delay = floor;
            self.tally.raised_to_floor += 1;
        }
        let arrival = departure + delay;
        match (jitter, held) {
            (_, held) if held > Duration::ZERO => arrival + held,
            (Duration::ZERO, _) => arrival,
            _ => self.overtaking.in_order(link, departure, arrival, jitter),
        }
    }

    /// How long faults hold the message back.
    fn held_back(&mut self, departure: Instant, (from, to): (u32, u32), message: u64) -> Duration {
        let Self { weather, tally, plan, .. } = self;
        let mut held = Duration::ZERO;
        for (position, fault) in weather.at(departure) {
            let Effect::Reorder { share, by, .. } = &fault.effect else { continue };
            let draw = mix(mix(plan.hold, u64::from(fault.id)), message);
            if happens(draw, *share) && fault.concerns(from, to) {
                tally.touch(position);
                // At least a nanosecond: it is out of the order of its link.
                held = held + up_to(mix(draw, 1), *by).max(Duration::from_nanos(1));
            }
        }
        tally.held_back += u64::from(held > Duration::ZERO);
        held
    }

    /// Whether a fault delivers the message twice.
    fn is_copied(&mut self, departure: Instant, (from, to): (u32, u32), message: u64) -> bool {
        let Self { weather, tally, plan, .. } = self;
        for (position, fault) in weather.at(departure) {
            let Effect::Duplicate { share, .. } = &fault.effect else { continue };
            let draw = mix(mix(plan.copy, u64::from(fault.id)), message);
            if happens(draw, *share) && fault.concerns(from, to) {
                tally.touch(position);
                tally.duplicated += 1;
                return true;
            }
        }
        false
    }

    /// When the uplink has sent the message's last bit.
    fn leave_uplink(&mut self, at: Instant, from: u32, place: u8, size_bytes: u64) -> Instant {
        let (Some(speed), Some(free)) =
            (self.plan.network.uplink(place), self.uplinks.get_mut(from as usize))
        else {
            return at;
        };
        let speed = speed.as_bits_per_second().max(1);
        let nanos = match size_bytes.checked_mul(BIT_NANOS) {
            Some(work) => work.div_ceil(speed),
            None => {
                let work = u128::from(size_bytes) * u128::from(BIT_NANOS);
                u64::try_from(work.div_ceil(u128::from(speed))).unwrap_or(u64::MAX)
            }
        };
        *free = at.max(*free) + Duration::from_nanos(nanos);
        *free
    }

    /// The first instant, from `departure` on, at which no clog holds the message back.
    fn wait_out_clogs(&mut self, departure: Instant, from: u32, to: u32) -> Instant {
        let Self { weather, tally, .. } = self;
        let mut leaves = departure;
        loop {
            let mut freed = leaves;
            for (position, fault) in weather.at(leaves) {
                if matches!(fault.effect, Effect::Clog { .. }) && fault.concerns(from, to) {
                    tally.touch(position);
                    freed = freed.max(fault.until);
                }
            }
            if freed == leaves {
                return leaves;
            }
            leaves = freed;
        }
    }

    fn lost_to_fault(
        &mut self,
        at: Instant,
        from: u32,
        to: u32,
        message: u64,
        kind: Carried,
    ) -> Option<Loss> {
        let Self { weather, tally, plan, .. } = self;
        for (position, fault) in weather.at(at) {
            let loss = match &fault.effect {
                Effect::Clog { .. } | Effect::Duplicate { .. } | Effect::Reorder { .. } => continue,
                Effect::Partition { .. } => Loss::Partition,
                Effect::Loss { .. } if !kind.may_be_lost() => continue,
                Effect::Loss { losing, .. } => {
                    let root = mix(plan.loss, u64::from(fault.id) + 1);
                    let lost = match losing {
                        Losing::Share(share) => happens(mix(root, message), *share),
                        Losing::Bursts(burst) => {
                            burst.is_on(root, plan.row(from).digest, plan.row(to).digest, at)
                        }
                    };
                    if !lost {
                        continue;
                    }
                    Loss::Fault
                }
            };
            if fault.concerns(from, to) {
                tally.touch(position);
                match loss {
                    Loss::Partition => tally.lost_partition += 1,
                    Loss::Random | Loss::Fault => tally.lost_fault += 1,
                }
                return Some(loss);
            }
        }
        None
    }
}

impl Carried {
    const fn may_be_lost(self) -> bool {
        matches!(self, Self::OneWay | Self::Request)
    }
}

impl Plan {
    #[inline]
    fn row(&self, peer: u32) -> Row {
        let row = self.peers.get(peer as usize);
        assert!(row.is_some(), "peer {peer} is not of the plan");
        row.copied().unwrap_or_default()
    }

    #[inline]
    fn base(&self, pair: Pair, a: Digest, b: Digest) -> Duration {
        let least = pair.base.saturating_sub(pair.spread);
        if pair.spread == Duration::ZERO {
            return least;
        }
        let (low, high) = (a.min(b), a.max(b));
        let draw = mix(mix(self.base, low.0), high.0);
        least + up_to(draw, pair.spread.saturating_mul(2))
    }
}

/// From 64 random bits, a duration from zero to `most`, each as likely to within 2^-22 (an hour's share of 2^64).
pub(crate) fn up_to(draw: u64, most: Duration) -> Duration {
    let bound = u128::from(most.as_nanos()) + 1;
    Duration::from_nanos(((u128::from(draw) * bound) >> 64) as u64)
}

/// From 64 random bits, whether something of this probability happens.
pub(crate) fn happens(draw: u64, share: Share) -> bool {
    let millionths = (u128::from(draw) * u128::from(Share::WHOLE.as_millionths())) >> 64;
    (millionths as u64) < u64::from(share.as_millionths())
}

#[cfg(test)]
mod tests;
