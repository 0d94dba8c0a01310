//! A bare Kademlia over the bare calendar: lookups, and nothing besides.
//!
//! It asks what ours asks (k = 20, three requests in flight, replies of the k closest contacts but the asker) and keeps
//! what any honest Kademlia keeps: who was heard moves to the front of its bucket, each request has a timer, and a lookup
//! ends when the k closest that it knows have answered (or, by the other rule, when its target was named). It has no
//! links, no codec, no joins, no churn, no records and no history: what it reaches is what a simulator could.

#![expect(clippy::indexing_slicing, reason = "lookups and replies are places handed out here")]

use crate::calendar::{Calendar, Dated};
use crate::draw::{Draws, scale};
use crate::kad_tables::{Closest, Tables};
use crate::machine::thread_cpu;
use crate::measure::Measured;
use crate::wheel_reference::{DELAY_SPREAD_NS, LEAST_DELAY_NS};

/// Contacts of a bucket and of a reply.
pub(crate) const K: usize = 20;
/// Requests that a lookup keeps in flight.
const ALPHA: u32 = 3;
/// How long a request waits for its answer.
const TIMEOUT_NS: u64 = 1_000_000_000;

/// Events whose memory is read ahead of them, together.
const TOUCHED_AT_ONCE: usize = 8;

/// When a lookup is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// When the k closest peers that it knows have answered.
    AllClosest,
    /// When somebody named its target.
    FirstHit,
}

/// What is asked of how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookups {
    pub(crate) peers: u32,
    pub(crate) lookups: u32,
    /// Simulated time in which they are asked.
    pub(crate) within_ns: u64,
    pub(crate) rule: Rule,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Begin,
    Request,
    Reply,
    Timeout,
}

#[derive(Clone, Copy, Debug, Default)]
struct Event {
    at: u64,
    /// The target of a request; the place of a reply's contacts.
    word: u64,
    to: u32,
    /// Who sent it, or who was asked.
    from: u32,
    lookup: u32,
    /// A lookup's place is used again: this tells its tenants apart.
    tenant: u32,
    kind: Kind,
}

impl Dated for Event {
    #[inline]
    fn at(&self) -> u64 {
        self.at
    }
}

/// One lookup: the k closest peers that it knows, nearest first.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    target: u64,
    distances: [u64; K],
    peers: [u32; K],
    count: usize,
    /// One bit for each of them: whether it was asked, and whether it has answered.
    asked: u32,
    answered: u32,
    in_flight: u32,
    tenant: u32,
    asker: u32,
}

impl Lookup {
    const NONE: Self = Self {
        target: 0,
        distances: [0; K],
        peers: [0; K],
        count: 0,
        asked: 0,
        answered: 0,
        in_flight: 0,
        tenant: 0,
        asker: 0,
    };

    #[inline]
    fn learn(&mut self, peer: u32, distance: u64) {
        if self.count == K && distance >= self.distances[K - 1] {
            return;
        }
        let known = &self.distances[..self.count];
        let at = known.partition_point(|other| *other < distance);
        if known.get(at) == Some(&distance) {
            return;
        }
        let end = (self.count + 1).min(K);
        self.distances.copy_within(at..end - 1, at + 1);
        self.peers.copy_within(at..end - 1, at + 1);
        self.distances[at] = distance;
        self.peers[at] = peer;
        self.count = end;
        let (before, within) = ((1u32 << at) - 1, (1u32 << K) - 1);
        let open = |mask: u32| (mask & before | (mask & !before) << 1) & within;
        self.asked = open(self.asked);
        self.answered = open(self.answered);
    }

    fn place_of(&self, peer: u32) -> Option<usize> {
        self.peers[..self.count].iter().position(|other| *other == peer)
    }

    /// The nearest that was not asked.
    fn next(&mut self) -> Option<u32> {
        let at = (!self.asked).trailing_zeros() as usize;
        (at < self.count && self.in_flight < ALPHA).then(|| {
            self.asked |= 1 << at;
            self.in_flight += 1;
            self.peers[at]
        })
    }

    const fn is_over(&self) -> bool {
        self.answered == ((1u64 << self.count) - 1) as u32
    }
}

#[derive(Debug)]
struct Network {
    tables: Tables,
    calendar: Calendar<Event>,
    draws: Draws,
    peers: u32,
    gap_ns: u64,
    rule: Rule,
    to_begin: u32,
    lookups: Vec<Lookup>,
    free_lookups: Vec<u32>,
    replies: Vec<Closest>,
    free_replies: Vec<u32>,
    sent: u64,
    ended: u64,
    digest: u64,
}

/// Does these lookups.
pub(crate) fn run(asked: Lookups) -> Measured {
    let begin = thread_cpu();
    let mut network = Network::new(asked);
    let started = thread_cpu();
    network.run(|_, _| {});
    Measured {
        events: network.sent,
        cpu: thread_cpu() - started,
        digest: network.digest,
        lookups: network.ended,
        start_cpu: started - begin,
    }
}

impl Network {
    fn new(asked: Lookups) -> Self {
        let Lookups { peers, lookups, within_ns, rule } = asked;
        let gap_ns = within_ns / u64::from(lookups.max(1));
        // Some fifty messages of a lookup, and a timer for every second that outlives it.
        let pending = TIMEOUT_NS / gap_ns.max(1) * 25;
        Self {
            tables: Tables::new(peers, 1),
            calendar: Calendar::sized(pending as usize, TIMEOUT_NS),
            draws: Draws::new(2),
            peers,
            gap_ns,
            rule,
            to_begin: lookups,
            lookups: Vec::new(),
            free_lookups: Vec::new(),
            replies: Vec::new(),
            free_replies: Vec::new(),
            sent: 0,
            ended: 0,
            digest: 0,
        }
    }

    fn run(&mut self, mut ended: impl FnMut(&Self, &Lookup)) {
        self.calendar.push(Event::default());
        let mut touched_ahead = 0;
        while let Some(event) = self.calendar.pop() {
            if touched_ahead == 0 {
                touched_ahead = TOUCHED_AT_ONCE;
                std::hint::black_box(self.touch());
            }
            touched_ahead -= 1;
            let touched = match event.kind {
                Kind::Begin => self.begin(event.at),
                Kind::Request => {
                    self.answer(event);
                    None
                }
                Kind::Reply => self.replied(event),
                Kind::Timeout => self.timed_out(event),
            };
            if let Some(at) = touched {
                self.go_on(event.at, at, &mut ended);
            }
        }
    }

    /// Reads what the next events will read.
    fn touch(&self) -> u64 {
        let mut read = 0;
        for event in self.calendar.upcoming(TOUCHED_AT_ONCE) {
            match event.kind {
                Kind::Request => read ^= u64::from(self.tables.touch(event.to, event.from, event.word)),
                Kind::Reply => {
                    let reply = &self.replies[event.word as usize].peers;
                    let lookup = &self.lookups[event.lookup as usize];
                    read ^= u64::from(self.tables.touch(event.to, event.from, 0) ^ reply[0] ^ reply[K - 1]);
                    read ^= lookup.distances[0] ^ lookup.distances[8] ^ lookup.distances[16];
                    read ^= u64::from(lookup.peers[0] ^ lookup.peers[K - 1]);
                }
                Kind::Timeout => read ^= u64::from(self.lookups[event.lookup as usize].tenant),
                Kind::Begin => {}
            }
        }
        read
    }

    fn begin(&mut self, now: u64) -> Option<u32> {
        self.to_begin = self.to_begin.checked_sub(1)?;
        let gap = self.draws.below(2 * self.gap_ns);
        self.calendar.push(Event { at: now + gap, ..Event::default() });
        let asker = self.draws.below(self.peers.into()) as u32;
        let target = self.tables.ids[self.draws.below(self.peers.into()) as usize];
        let at = self.free_lookups.pop().unwrap_or_else(|| {
            self.lookups.push(Lookup::NONE);
            self.lookups.len() as u32 - 1
        });
        let tenant = self.lookups[at as usize].tenant;
        let mut lookup = Lookup { target, asker, tenant, ..Lookup::NONE };
        for peer in self.tables.closest(asker, target, asker).as_slice() {
            lookup.learn(*peer, self.tables.ids[*peer as usize] ^ target);
        }
        self.lookups[at as usize] = lookup;
        Some(at)
    }

    fn answer(&mut self, request: Event) {
        let Event { at, word: target, to, from, lookup, tenant, .. } = request;
        self.tables.heard(to, from);
        let closest = self.tables.closest(to, target, from);
        let place = match self.free_replies.pop() {
            Some(place) => {
                self.replies[place as usize] = closest;
                place
            }
            None => {
                self.replies.push(closest);
                self.replies.len() as u32 - 1
            }
        };
        let reply =
            Event { word: place.into(), to: from, from: to, lookup, tenant, kind: Kind::Reply, ..request };
        self.send(at, reply);
    }

    fn replied(&mut self, reply: Event) -> Option<u32> {
        let Event { to, from, .. } = reply;
        self.tables.heard(to, from);
        let place = reply.word as usize;
        self.free_replies.push(place as u32);
        let lookup = &mut self.lookups[reply.lookup as usize];
        if lookup.tenant != reply.tenant {
            return None;
        }
        lookup.in_flight -= 1;
        if let Some(at) = lookup.place_of(from) {
            lookup.answered |= 1 << at;
        }
        let target = lookup.target;
        for peer in self.replies[place].as_slice() {
            lookup.learn(*peer, self.tables.ids[*peer as usize] ^ target);
        }
        Some(reply.lookup)
    }

    /// Nobody dies here, so an answer came before the timer, and a timer finds its request answered.
    fn timed_out(&mut self, timer: Event) -> Option<u32> {
        let lookup = &self.lookups[timer.lookup as usize];
        let waits = lookup.tenant == timer.tenant
            && lookup.place_of(timer.from).is_some_and(|at| lookup.answered & 1 << at == 0);
        assert!(!waits, "a request of a network without loss was not answered");
        None
    }

    /// Asks on, or ends the lookup.
    fn go_on(&mut self, now: u64, at: u32, ended: &mut impl FnMut(&Self, &Lookup)) {
        let lookup = &mut self.lookups[at as usize];
        let over = match self.rule {
            Rule::AllClosest => lookup.is_over(),
            Rule::FirstHit => lookup.distances[0] == 0 && lookup.count > 0 || lookup.is_over(),
        };
        if over {
            lookup.tenant = lookup.tenant.wrapping_add(1);
            let lookup = *lookup;
            let nearest = lookup.distances.first().copied().unwrap_or_default();
            self.digest = (self.digest ^ nearest ^ now).wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(29);
            self.ended += 1;
            self.free_lookups.push(at);
            ended(self, &lookup);
            return;
        }
        loop {
            let lookup = &mut self.lookups[at as usize];
            let Some(peer) = lookup.next() else { break };
            let Lookup { target, asker, tenant, .. } = *lookup;
            let request = Event {
                word: target,
                to: peer,
                from: asker,
                lookup: at,
                tenant,
                kind: Kind::Request,
                at: now,
            };
            self.send(now, request);
            let timer = Event { at: now + TIMEOUT_NS, to: asker, from: peer, kind: Kind::Timeout, ..request };
            self.calendar.push(timer);
        }
    }

    #[inline]
    fn send(&mut self, now: u64, event: Event) {
        let delay = LEAST_DELAY_NS + u64::from(scale(self.draws.bits() as u32, DELAY_SPREAD_NS));
        self.sent += 1;
        self.calendar.push(Event { at: now + delay, ..event });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookups(peers: u32, rule: Rule) -> Lookups {
        Lookups { peers, lookups: 500, within_ns: 2_000_000_000, rule }
    }

    #[test]
    fn every_lookup_finds_exactly_the_closest_of_all_peers() {
        for peers in [2, 15, 1_000, 5_000] {
            let mut network = Network::new(lookups(peers, Rule::AllClosest));
            let mut seen = 0;
            network.run(|network, lookup| {
                let ids = network.tables.ids.iter().zip(0..).filter(|(_, peer)| *peer != lookup.asker);
                let mut all: Vec<_> = ids.map(|(id, peer)| (id ^ lookup.target, peer)).collect();
                all.sort_unstable();
                all.truncate(K);
                let found: Vec<_> =
                    lookup.distances.iter().copied().zip(lookup.peers).take(lookup.count).collect();
                assert_eq!(found, all);
                seen += 1;
            });
            assert_eq!((seen, network.ended), (500, 500), "{peers} peers");
            assert_eq!(network.free_lookups.len(), network.lookups.len());
            assert_eq!(network.free_replies.len(), network.replies.len());
        }
    }

    #[test]
    fn a_first_hit_ends_with_the_target_and_costs_less() {
        let mut network = Network::new(lookups(5_000, Rule::FirstHit));
        network.run(|network, lookup| {
            let own = network.tables.ids[lookup.asker as usize];
            assert!(lookup.distances[0] == 0 || own == lookup.target, "the target is known, or is the asker");
        });
        let all = run(lookups(5_000, Rule::AllClosest));
        assert_eq!((network.ended, all.lookups), (500, 500));
        assert!(network.sent < all.events / 2, "{} against {}", network.sent, all.events);
    }

    #[test]
    fn the_same_lookups_cost_the_same_messages() {
        let [one, other] = [0; 2].map(|_| run(lookups(1_000, Rule::AllClosest)));
        assert_eq!((one.events, one.digest), (other.events, other.digest));
    }
}
