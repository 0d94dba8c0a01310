//! Who is who in a run, and what is true at a moment: names, who is up, who is closest.

use std::sync::Arc;

use judge::Oracle;
use judge::oracle::Order;
use model::Plan;
use play::Play;
use types::{Instant, Key, PeerRef, SharedBook};

/// The peers of a run by name, and what is true of them.
#[derive(Clone, Debug)]
pub struct Who {
    pub(crate) plan: Plan,
    pub(crate) play: Arc<Play>,
    pub(crate) book: Arc<SharedBook>,
}

/// A peer that was not found by what was said of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPeer {
    /// Nobody is called so.
    #[error("no peer is called `{0}`")]
    Nobody(String),
    /// An id's beginning that many have.
    #[error("the ids of {1} peers begin with `{0}`")]
    Many(String, usize),
}

/// Whether a peer is up at a moment, since when, and what brought that about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Presence {
    /// Whether.
    pub up: bool,
    /// The how-manieth of its lives, counted from 0, it lives or has lived last; none before the first.
    pub incarnation: Option<u32>,
    /// Since when it is up or down; none before its first life.
    pub since_ns: Option<u64>,
    /// The fault that took it down or brought it back.
    pub fault: Option<String>,
}

impl Who {
    /// How many peers there are.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.book.len()
    }

    /// The short stable name of a peer, `edge-17`.
    #[must_use]
    pub fn name(&self, peer: u32) -> String {
        self.play.roster().peer_name(peer)
    }

    /// The name of whoever a peer calls so; a stranger to the plan has none.
    #[must_use]
    pub fn name_of(&self, peer: PeerRef) -> String {
        number(peer).map_or_else(|| "a stranger".to_owned(), |number| self.name(number))
    }

    /// The id of a peer.
    #[must_use]
    pub fn id(&self, peer: u32) -> String {
        self.book.ids().get(peer as usize).map(ToString::to_string).unwrap_or_default()
    }

    /// The peer of this number (`417`), name (`edge-17`, `edge/17`) or id, or the only one whose id begins so.
    ///
    /// # Errors
    /// If nobody is called so, or the beginning of an id fits many.
    pub fn find(&self, text: &str) -> Result<u32, NoPeer> {
        let nobody = || NoPeer::Nobody(text.to_owned());
        let all = u32::try_from(self.peers()).unwrap_or(u32::MAX);
        if let Ok(number) = text.parse::<u32>() {
            return if number < all { Ok(number) } else { Err(nobody()) };
        }
        let roster = self.play.roster();
        let parts = text.rsplit_once('-').or_else(|| text.rsplit_once('/'));
        if let Some((group, index)) = parts
            && let (Some(group), Ok(index)) = (roster.find(group), index.parse::<usize>())
        {
            return roster.range(group).nth(index).ok_or_else(nobody);
        }
        let mut fitting = (0..all).filter(|peer| !text.is_empty() && self.id(*peer).starts_with(text));
        let first = fitting.next().ok_or_else(nobody)?;
        match fitting.count() {
            0 => Ok(first),
            more => Err(NoPeer::Many(text.to_owned(), more + 1)),
        }
    }

    /// The name of a fault of the plan.
    #[must_use]
    pub fn fault(&self, index: u16) -> String {
        let index = usize::from(index);
        self.plan.faults.get(index).map_or_else(|| format!("fault {index}"), |fault| fault.name(index))
    }

    /// The name of a workload of the plan, and which it is for those of users' own.
    #[must_use]
    pub fn workload(&self, index: u32) -> String {
        let index = index as usize;
        self.plan.workloads.get(index).map_or_else(|| format!("workload {index}"), |own| own.name(index))
    }

    /// Whether `peer` is up just before anything happens at `at`.
    #[must_use]
    pub fn presence(&self, peer: u32, at: Instant) -> Presence {
        let mut presence = Presence { up: false, incarnation: None, since_ns: None, fault: None };
        for event in self.play.lives().take_while(|event| event.at < at).filter(|event| event.peer == peer) {
            presence.up = event.is_up();
            presence.since_ns = Some(event.at.as_nanos());
            presence.fault = event.fault.map(|fault| self.fault(fault));
            if let play::Life::Up { incarnation, .. } = event.what {
                presence.incarnation = Some(incarnation);
            }
        }
        presence
    }

    /// The k of this peer's tables and lookups.
    #[must_use]
    pub fn k(&self, peer: u32) -> usize {
        usize::from(self.play.group_of(peer).node.kad.k)
    }

    /// Who is up once everything has happened that happens to lives at `at`, by key.
    #[must_use]
    pub fn truth(&self, at: Instant) -> Oracle {
        let mut oracle = Oracle::new(&Arc::new(Order::new(&self.book, self.play.scene().undialable())));
        for event in self.play.lives().take_while(|event| event.at <= at) {
            if event.is_up() {
                oracle.rise(event.peer);
            } else {
                oracle.fall(event.peer);
            }
        }
        oracle
    }

    /// The key of a peer.
    #[must_use]
    pub fn key(&self, peer: u32) -> Option<&Key> {
        self.book.keys().get(peer as usize)
    }
}

/// The plan's number of a peer; none for a stranger.
pub(crate) fn number(peer: PeerRef) -> Option<u32> {
    peer.index().and_then(|index| u32::try_from(index).ok())
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
