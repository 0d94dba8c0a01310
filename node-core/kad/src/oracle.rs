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
            (near, far) = if own >> bit & 1 == 0 { (zeros, ones) } else { (ones, zeros) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{book, peer};
    use alloc::collections::BTreeMap;
    use types::{Domain, Purpose, Seed, Streams};

    #[test]
    fn a_bucket_has_k_of_its_peers_or_all() {
        let book = book(500);
        let index = OracleIndex::new(book.shared());
        let k = 8;
        for number in 0..500 {
            let own = *book.key(peer(number)).unwrap();
            let streams = Streams::global(Seed(1), Domain::new("oracle"));
            let mut stream = streams.stream(Purpose::new("table"), u64::from(number));
            let sizes = |peers: &mut dyn Iterator<Item = PeerRef>| {
                let mut sizes = BTreeMap::<u32, usize>::new();
                for peer in peers {
                    *sizes.entry(own.common_prefix(book.key(peer).unwrap())).or_default() += 1;
                }
                sizes
            };
            let contacts = index.contacts(&own, k, &mut stream);
            let mut everybody = sizes(&mut (0..500).map(peer).filter(|other| *other != peer(number)));
            everybody.values_mut().for_each(|size| *size = (*size).min(k));
            assert_eq!(sizes(&mut contacts.iter().copied()), everybody);
            let distinct: alloc::collections::BTreeSet<_> = contacts.iter().collect();
            assert_eq!(distinct.len(), contacts.len());
        }
    }

    #[test]
    fn every_peer_of_a_bucket_is_as_likely() {
        let book = book(200);
        let index = OracleIndex::new(book.shared());
        let own = *book.key(peer(0)).unwrap();
        let streams = Streams::global(Seed(1), Domain::new("oracle"));
        let mut drawn = BTreeMap::<PeerRef, u32>::new();
        let tables = 20_000;
        for count in 0..tables {
            for peer in index.contacts(&own, 4, &mut streams.stream(Purpose::new("table"), count)) {
                *drawn.entry(peer).or_default() += 1;
            }
        }
        let far: Vec<_> =
            (1..200).map(peer).filter(|peer| own.common_prefix(book.key(*peer).unwrap()) == 0).collect();
        let expected = tables as f64 * 4.0 / far.len() as f64;
        for peer in far {
            let count = f64::from(drawn.get(&peer).copied().unwrap_or_default());
            // Five standard deviations of a binomial count.
            assert!(
                (count - expected) * (count - expected) < 25.0 * expected,
                "{peer:?} drawn {count} times"
            );
        }
    }

    #[test]
    fn who_is_not_online_is_nobody_s_contact() {
        let book = book(100);
        let index = OracleIndex::among(book.shared(), (0..100).step_by(2).map(peer));
        let mut stream = Streams::global(Seed(1), Domain::new("oracle")).stream(Purpose::new("table"), 0);
        let contacts = index.contacts(book.key(peer(1)).unwrap(), 20, &mut stream);
        assert!(contacts.len() > 20);
        assert!(contacts.iter().all(|peer| peer.index().unwrap() % 2 == 0));
    }
}
