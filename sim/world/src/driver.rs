//! The two drivers: peers in mailboxes on the shard's arbiter, or called where they stand. The same actor and
//! the same `impl Handler` in both.
//!
//! A mailbox costs about a kilobyte, so those who have been idle for the longest time sleep: only so many peers of a shard
//! are awake at a time. Whether a peer was asleep changes nothing but its cost.

use std::collections::VecDeque;
use std::sync::Arc;

use actix::{Actor, Addr, Handler};
use actor::{Called, Deliver, Inline, Mailbox, Participant, Rest};
use types::{Book, SharedBook};

use crate::cast::Player;
use crate::host::{SimHost, Window};

/// Up to this many peers are all awake: their mailboxes are 16 MiB, and nobody pays for falling asleep and waking.
const ALL_AWAKE: usize = 1 << 14;
/// Among more, so many peers of a shard are awake at a time: their mailboxes stay in a second-level cache, and among
/// 100,000 peers a message costs no more than with four times as many.
const SOME_AWAKE: usize = 1 << 12;

/// How many peers of a shard are best awake at a time in a network of `peers`.
#[must_use]
pub const fn max_awake(peers: usize) -> usize {
    if peers <= ALL_AWAKE { ALL_AWAKE } else { SOME_AWAKE }
}

/// What lives in an actor of the world.
pub(crate) type Body = actor::Body<Player, SimHost>;

/// How a shard drives its peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// Each peer in an actix mailbox: as a deployed node lives.
    #[default]
    Actor,
    /// Each peer called by its shard, without a mailbox.
    Inline,
}

/// The peers of a shard, by their place in it.
pub(crate) enum Crew {
    Mailboxes(Dormitory),
    Called(Vec<Participant<Player, SimHost, Called>>),
}

impl Crew {
    pub(crate) fn hire(
        driver: Driver,
        max_awake: usize,
        hosts: impl Iterator<Item = SimHost>,
        book: &Arc<SharedBook>,
    ) -> Self {
        let bodies = hosts.map(|host| Body::new(host, Book::new(Arc::clone(book))));
        match driver {
            Driver::Actor => Self::Mailboxes(Dormitory::new(max_awake, bodies)),
            Driver::Inline => Self::Called(bodies.map(Participant::new).collect()),
        }
    }

    /// One window to the peer at this place. In a mailbox it is handled some time later.
    pub(crate) fn deliver(&mut self, place: usize, window: Window) {
        match self {
            Self::Mailboxes(dormitory) => {
                if let Some(address) = dormitory.wake(place) {
                    address.do_send(Deliver(window));
                }
            }
            Self::Called(peers) => {
                if let Some(peer) = peers.get_mut(place) {
                    peer.handle(Deliver(window), &mut Inline::default());
                }
            }
        }
    }

    /// Sends to sleep whoever is one too many, the idlest first; returns how many will lie down.
    pub(crate) fn send_to_sleep(&mut self) -> usize {
        match self {
            Self::Mailboxes(dormitory) => dormitory.send_to_sleep(),
            Self::Called(_) => 0,
        }
    }

    /// The peer at this place has lain down.
    pub(crate) fn put_to_bed(&mut self, place: usize, body: Body) {
        if let Self::Mailboxes(dormitory) = self
            && let Some(berth) = dormitory.berths.get_mut(place)
        {
            *berth = Berth::Asleep(Box::new(body));
        }
    }
}

/// Peers in mailboxes, and those who sleep.
pub(crate) struct Dormitory {
    berths: Vec<Berth>,
    /// Who is awake, from who woke first; a place stands in it once.
    awake: VecDeque<u32>,
    max_awake: usize,
}

enum Berth {
    Asleep(Box<Body>),
    Awake {
        address: Addr<Participant<Player, SimHost, Mailbox>>,
        /// Whether it was needed since it was last thought of.
        needed: bool,
    },
    /// Between the two: it was told to lie down, or it is being woken.
    Between,
}

impl Dormitory {
    fn new(max_awake: usize, bodies: impl Iterator<Item = Body>) -> Self {
        let berths = bodies.map(|body| Berth::Asleep(Box::new(body))).collect();
        Self { berths, awake: VecDeque::new(), max_awake }
    }

    fn wake(&mut self, place: usize) -> Option<&Addr<Participant<Player, SimHost, Mailbox>>> {
        let berth = self.berths.get_mut(place)?;
        if matches!(berth, Berth::Asleep(_))
            && let Berth::Asleep(body) = std::mem::replace(berth, Berth::Between)
        {
            *berth = Berth::Awake { address: Participant::new(*body).start(), needed: true };
            self.awake.push_back(place as u32);
        }
        match berth {
            Berth::Awake { address, needed } => {
                *needed = true;
                Some(address)
            }
            Berth::Asleep(_) | Berth::Between => None,
        }
    }

    fn send_to_sleep(&mut self) -> usize {
        let mut sent = 0;
        // Whoever was needed lately is passed over once: every peer is looked at twice at most.
        while self.awake.len() > self.max_awake {
            let Some(place) = self.awake.pop_front() else { break };
            let Some(berth) = self.berths.get_mut(place as usize) else { break };
            match berth {
                Berth::Awake { needed, .. } if *needed => {
                    *needed = false;
                    self.awake.push_back(place);
                }
                Berth::Awake { address, .. } => {
                    address.do_send(Rest);
                    *berth = Berth::Between;
                    sent += 1;
                }
                Berth::Asleep(_) | Berth::Between => {}
            }
        }
        sent
    }
}
