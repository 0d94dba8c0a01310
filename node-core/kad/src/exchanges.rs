//! The requests that wait for an answer.
//!
//! Invariant: every exchange that we opened leaves here exactly once: by an answer, by a failure, or not yet.
//! Their number is bounded by what opens them: [`crate::MAX_LOOKUPS`] lookups of at most alpha (or d, if that is
//! more) requests or `replication` stores each, and one check for each contact at most.

use alloc::vec::Vec;

use types::{ExchangeId, PeerRef};

/// Places that stay reserved while nothing waits.
const IDLE_CAPACITY: usize = 4;

/// Why a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// FIND_NODE for a path of a lookup.
    AskNodes { lookup: u32, path: u8 },
    /// GET_VALUE for a path of a lookup.
    AskValue { lookup: u32, path: u8 },
    /// GET_PROVIDERS for a path of a lookup.
    AskProviders { lookup: u32, path: u8 },
    /// PUT_VALUE for a lookup that stores what it searched a place for.
    Store { lookup: u32 },
    /// Does it still answer?
    Check,
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    exchange: ExchangeId,
    pub(crate) peer: PeerRef,
    pub(crate) purpose: Purpose,
}

/// All of them, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    pending: Vec<Pending>,
    opened: u64,
    ended: u64,
}

impl Exchanges {
    pub(crate) fn open(&mut self, exchange: ExchangeId, peer: PeerRef, purpose: Purpose) {
        let place = self.pending.partition_point(|pending| pending.exchange < exchange);
        self.pending.insert(place, Pending { exchange, peer, purpose });
        self.opened += 1;
    }

    /// The request that `from` answers, if it was asked.
    pub(crate) fn answered(&mut self, exchange: ExchangeId, from: PeerRef) -> Option<Pending> {
        let place = self.place(exchange)?;
        self.pending.get(place).filter(|pending| pending.peer == from)?;
        Some(self.take(place))
    }

    /// The request that will not be answered.
    pub(crate) fn failed(&mut self, exchange: ExchangeId) -> Option<Pending> {
        let place = self.place(exchange)?;
        Some(self.take(place))
    }

    /// Whether a check of one of these peers is under way.
    pub(crate) fn checks_any(&self, peers: &[PeerRef]) -> bool {
        self.pending.iter().any(|pending| pending.purpose == Purpose::Check && peers.contains(&pending.peer))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether each exchange that was opened has ended or is pending.
    pub(crate) fn balance(&self) -> bool {
        self.opened == self.ended + self.pending.len() as u64
            && self.pending.is_sorted_by(|earlier, later| earlier.exchange < later.exchange)
    }

    fn place(&self, exchange: ExchangeId) -> Option<usize> {
        self.pending.binary_search_by_key(&exchange, |pending| pending.exchange).ok()
    }

    fn take(&mut self, place: usize) -> Pending {
        let pending = self.pending.remove(place);
        self.ended += 1;
        if self.pending.is_empty() {
            self.pending.shrink_to(IDLE_CAPACITY);
        }
        pending
    }
}
