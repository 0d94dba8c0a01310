//! Peers in the order of their distance to a target.
//!
//! The first 64 bits of a distance decide nearly every comparison, so they are kept beside the reference; the full
//! keys are read from the book only when they tie.

use core::cmp::Ordering;

use types::{Book, Key, PeerRef};

/// A peer and how far it is from some target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ranked {
    /// The first 64 bits of its XOR distance.
    pub(crate) distance: u64,
    /// The peer.
    pub(crate) peer: PeerRef,
}

impl Ranked {
    /// Where `peer` stands towards `target`; `None` if the book does not resolve it.
    pub(crate) fn new(peer: PeerRef, target: &Key, book: &Book) -> Option<Self> {
        Some(Self { distance: book.key_prefix64(peer)? ^ target.prefix64(), peer })
    }

    /// The order of distance to `target`: total, and equal for one and the same peer only.
    #[inline]
    pub(crate) fn order(&self, other: &Self, target: &Key, book: &Book) -> Ordering {
        match self.distance.cmp(&other.distance) {
            Ordering::Equal if self.peer == other.peer => Ordering::Equal,
            Ordering::Equal => self.order_by_key(other, target, book),
            decided => decided,
        }
    }

    #[cold]
    fn order_by_key(&self, other: &Self, target: &Key, book: &Book) -> Ordering {
        match (book.key(self.peer), book.key(other.peer)) {
            (Some(a), Some(b)) => a.distance(target).cmp(&b.distance(target)),
            // A reference that outlived its entry: its holder was told to sweep only what we do not hold.
            (a, b) => a.cmp(&b).then(self.peer.cmp(&other.peer)),
        }
    }
}
