//! The plan's network as each node is told of it: drawn as the simulator draws it, changed as its faults and lives change.
//!
//! The base of each pair is the simulator's very own, and so are places, uplinks and who is cut off from whom. Jitter and
//! losses are drawn by the nodes: they have the simulator's distribution, not its draws.
//!
//! A node counts what was lost on purpose, not to which fault it was lost: between two looks, all that were on share what
//! a peer concerned lost.

use kernel::fault::Effect;
use kernel::{LinkFault, Links, Losing, ResolvedNetwork};
use types::{Domain, Instant, Purpose, Seed, Share, SharedBook, Streams};
use wire::admin;

use crate::ground::Ground;

const WHOLE: u64 = Share::WHOLE.as_millionths() as u64;

/// The links of all peers.
#[derive(Debug)]
pub(crate) struct Network {
    links: Links,
    resolved: ResolvedNetwork,
    seed: Seed,
    /// When a fault of links begins or ends, sorted.
    changes: Vec<Instant>,
}

impl Network {
    pub(crate) fn new(
        network: &ResolvedNetwork,
        seed: Seed,
        book: &SharedBook,
        faults: Vec<LinkFault>,
    ) -> Self {
        let mut changes: Vec<_> = faults.iter().flat_map(|fault| [fault.from, fault.until]).collect();
        changes.sort_unstable();
        changes.dedup();
        let links = Links::new(network.clone(), seed, book.digests(), faults);
        Self { links, resolved: network.clone(), seed, changes }
    }

    /// When the links change next because a fault begins or ends after `at`.
    pub(crate) fn next_change(&self, at: Instant) -> Instant {
        let next = self.changes.partition_point(|change| *change <= at);
        self.changes.get(next).copied().unwrap_or(Instant::NEVER)
    }

    /// What the node of `peer`, in its life `incarnation`, is to believe in from `at` on; `lives` says in which of its lives
    /// everybody is.
    pub(crate) fn of(
        &self,
        peer: u32,
        incarnation: u32,
        at: Instant,
        lives: &[u32],
        book: &SharedBook,
        ground: &Ground,
    ) -> admin::Links {
        const LINKS: Domain = Domain::new("fleet");
        let digest = book.digests().get(peer as usize).copied().unwrap_or_default();
        let draws = Streams::new(self.seed, LINKS, digest, incarnation);
        let uplink = self.resolved.uplink(self.links.place(peer));
        let on: Vec<_> = self.links.faults().iter().filter(|fault| fault.covers(at)).collect();
        let others = (0..).zip(book.ids()).zip(lives).filter(|((other, _), _)| *other != peer);
        let peers = others.map(|((other, id), life)| admin::LinkTo {
            peer: *id,
            ip: ground.admin(other).ip(),
            life: *life,
            link: self.link(peer, other, &on),
        });
        admin::Links {
            seed: draws.stream(Purpose::new("links"), at.as_nanos()).bits(),
            uplink_bits_per_second: uplink.map(types::Bandwidth::as_bits_per_second),
            // In the simulated network nobody is told that a peer is gone.
            crashes: admin::Crashes::Silent,
            others: admin::Link::PLAIN,
            peers: peers.collect(),
        }
    }

    fn link(&self, from: u32, to: u32, on: &[&LinkFault]) -> admin::Link {
        let pair = self.resolved.pair(self.links.place(from), self.links.place(to));
        let base = self.links.base(from, to).max(self.resolved.floor());
        let mut link = admin::Link {
            base_ns: base.as_nanos(),
            jitter_ns: pair.jitter.as_nanos(),
            lost_ppm: self.resolved.loss().as_millionths(),
            ..admin::Link::PLAIN
        };
        for fault in on.iter().filter(|fault| fault.concerns(from, to)) {
            match &fault.effect {
                Effect::Partition { .. } => link.passage = admin::Passage::Cut,
                Effect::Clog { .. } if link.passage == admin::Passage::Open => {
                    link.passage = admin::Passage::Clogged;
                }
                Effect::Loss { losing: Losing::Share(share), .. } => {
                    link.lost_ppm = either(link.lost_ppm, share.as_millionths());
                }
                Effect::Duplicate { share, .. } => {
                    link.copied_ppm = either(link.copied_ppm, share.as_millionths());
                }
                Effect::Reorder { share, by, .. } => {
                    link.held_ppm = either(link.held_ppm, share.as_millionths());
                    link.held_ns = link.held_ns.max(by.as_nanos());
                }
                Effect::Clog { .. } | Effect::Loss { losing: Losing::Bursts(_), .. } => {}
            }
        }
        link
    }

    /// The faults that had a hand in what `peer` lost between these moments.
    pub(crate) fn losing(&self, peer: u32, since: Instant, until: Instant) -> Vec<u32> {
        let everybody = self.links.faults().iter().filter(|fault| {
            let loses = matches!(fault.effect, Effect::Partition { .. } | Effect::Loss { .. });
            loses && fault.from < until && since < fault.until && self.concerns(fault, peer)
        });
        everybody.map(|fault| fault.id).collect()
    }

    /// The faults that held back everything that `peer` sent between these moments.
    pub(crate) fn clogging(&self, peer: u32, since: Instant, until: Instant) -> Vec<u32> {
        let everybody = self.links.faults().iter().filter(|fault| match &fault.effect {
            Effect::Clog { victims } => {
                let is_victim = victims.get(peer as usize).copied().unwrap_or_default();
                is_victim && fault.from <= since && until <= fault.until
            }
            _ => false,
        });
        everybody.map(|fault| fault.id).collect()
    }

    fn concerns(&self, fault: &LinkFault, peer: u32) -> bool {
        let peers = match &fault.effect {
            Effect::Partition { side, .. } => side.len(),
            Effect::Clog { victims }
            | Effect::Loss { victims, .. }
            | Effect::Duplicate { victims, .. }
            | Effect::Reorder { victims, .. } => victims.len(),
        };
        (0..peers as u32).any(|other| other != peer && fault.concerns(peer, other))
    }
}

/// The probability, in millionths, that one of two independent things happens.
fn either(a: u32, b: u32) -> u32 {
    let (a, b) = (u64::from(a), u64::from(b));
    u32::try_from(a + b - a * b / WHOLE).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::fault::{Cut, NO_SIDE};
    use kernel::{Latency, Uniform};
    use types::{Duration, PeerId};

    use super::*;

    fn network(faults: Vec<LinkFault>) -> (Network, SharedBook) {
        let ids = (0..3).map(|number| PeerId::from_ed25519(&[number; 32])).collect();
        let book = SharedBook::new(ids);
        let latency = Latency {
            one_way: Some(Duration::from_millis(40)),
            rtt: None,
            spread: Share::from_percent(50),
            jitter: Duration::from_millis(5),
        };
        let uniform = Uniform {
            latency,
            loss: Share::from_percent(10),
            uplink: None,
            floor: Duration::from_micros(100),
        };
        let resolved = kernel::Network::Uniform(uniform).resolve().unwrap();
        (Network::new(&resolved, Seed(7), &book, faults), book)
    }

    fn at(secs: u64) -> Instant {
        Instant::START + Duration::from_secs(secs)
    }

    #[test]
    fn both_ends_are_told_the_same_distance_and_each_its_own_losses() {
        let loss = Effect::Loss {
            losing: Losing::Share(Share::from_percent(50)),
            victims: Arc::new([true, false, false]),
        };
        let cut = Effect::Partition { side: Arc::new([NO_SIDE, 0, 1]), cut: Cut::Leaving(0) };
        let fault = |id, effect| LinkFault { id, from: at(10), until: at(20), effect };
        let (network, book) = network(vec![fault(3, loss), fault(4, cut)]);
        let ground = Ground::claim().unwrap();
        let told = |peer, when| network.of(peer, 0, when, &[0, 4, 0], &book, &ground);
        let (first, second) = (told(0, at(0)), told(1, at(0)));
        assert_eq!(first.check(), Ok(()));
        assert_eq!(first.peers[0].link.base_ns, second.peers[0].link.base_ns);
        assert!((20_000_000..=60_000_000).contains(&first.peers[0].link.base_ns));
        assert_eq!((first.peers[0].life, first.peers[0].link.lost_ppm), (4, 100_000));
        let storm = told(0, at(10));
        assert_eq!(storm.peers[0].link.lost_ppm, 550_000, "of what the network leaves, half");
        let passages = |peer| told(peer, at(10)).peers.iter().map(|to| to.link.passage).collect::<Vec<_>>();
        assert_eq!(passages(1), [admin::Passage::Open, admin::Passage::Cut]);
        assert_eq!(passages(2), [admin::Passage::Open, admin::Passage::Open]);
        assert_eq!(told(0, at(20)).peers[0].link.lost_ppm, 100_000);
        assert_eq!(network.next_change(at(0)), at(10));
        assert_eq!(network.next_change(at(10)), at(20));
        assert_eq!(network.next_change(at(20)), Instant::NEVER);
        assert_eq!(network.losing(1, at(15), at(16)), [3, 4]);
        assert!(network.losing(1, at(25), at(26)).is_empty());
    }
}
