//! The table that an ideal network would give a peer: k random peers of each bucket, all where there are fewer.
//!
//! Peers are sorted by their keys once; a bucket is then a range of them, found by narrowing the range of the bucket
//! before. A table of a million peers' network costs some twenty searches and its random draws.
//!
//! Not part of the protocol: simulations and tests start from it.

use alloc::vec::Vec;
use core::ops::Range;

use types::{Key, PeerRef, SharedBook, Stream};

/// Some of a plan's peers, in the order of their keys.
#[derive(Clone, Debug)]
pub struct OracleIndex {
    peers: Vec<PeerRef>,
    /// The first 64 bits of each peer's key.
    prefixes: Vec<u64>,
}

impl OracleIndex {
    /// All peers of a plan.
    #[must_use]
    pub fn new(shared: &SharedBook) -> Self {
        Self::among(shared, (0..shared.len() as u32).map(PeerRef::shared))
    }

    /// These peers of a plan: those that are online when a run begins.
    #[must_use]
    pub fn among(shared: &SharedBook, peers: impl IntoIterator<Item = PeerRef>) -> Self {
        let mut sorted: Vec<(u64, PeerRef)> = peers
            .into_iter()
            .filter_map(|peer| Some((shared.keys().get(peer.index()?)?.prefix64(), peer)))
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        let (prefixes, peers) = sorted.into_iter().unzip();
        Self { peers, prefixes }
    }

    /// How many peers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// The contacts of an ideal table of the peer at `own`, drawn from `stream`: up to `k` of each bucket, the farthest
    /// bucket first. Nobody is drawn who shares 64 bits with `own`: that is the peer itself.
    #[must_use]
    pub fn contacts(&self, own: &Key, k: usize, stream: &mut Stream) -> Vec<PeerRef> {
        let own = own.prefix64();
        let mut contacts = Vec::new();
        let mut near = 0..self.peers.len();
        for bit in (0..u64::BITS).rev() {
            let rest = self.prefixes.get(near.clone()).unwrap_or(&[]);
            if rest.iter().all(|prefix| *prefix == own) {
                break;
            }
            let (zeros, ones) = self.split(&near, bit);
            let far;
            (near, far) = if own >> bit & 1 == 0 {
                (zeros, ones)
            } else {
                (ones, zeros)
            };
            self.draw(far, k, stream, &mut contacts);
        }
        contacts
    }

    /// The peers of `range`, which agree in all bits above `bit`, by that bit.
    fn split(&self, range: &Range<usize>, bit: u32) -> (Range<usize>, Range<usize>) {
        let prefixes = self.prefixes.get(range.clone()).unwrap_or(&[]);
        let middle = range.start + prefixes.partition_point(|prefix| prefix >> bit & 1 == 0);
        (range.start..middle, middle..range.end)
    }

    /// Draws up to `k` peers of `range`, each set as likely, by Floyd's algorithm.
    fn draw(&self, range: Range<usize>, k: usize, stream: &mut Stream, contacts: &mut Vec<PeerRef>) {
        if range.len() <= k {
            contacts.extend_from_slice(self.peers.get(range).unwrap_or(&[]));
            return;
        }
        let first = contacts.len();
        let peer = |place: usize| self.peers.get(range.start + place).copied();
        for last in range.len() - k..range.len() {
            let drawn = peer(stream.below(last as u64 + 1) as usize);
            let taken = contacts.iter().skip(first).any(|known| Some(*known) == drawn);
            contacts.extend(if taken { peer(last) } else { drawn });
        }
    }
}
