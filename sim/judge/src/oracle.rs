//! What is true: which of the peers that are up and serve are the closest to a key.
//!
//! A peer that cannot be called serves nobody, whatever it would like to: it answers only those whom it called itself.
//!
//! Keys in order are a trie: the peers that share a prefix are a range. The k closest to a key are among the smallest
//! such range around it that holds k peers that are up, and all peers outside are farther. A bit per peer, counted by
//! words in a Fenwick tree, finds that range without looking at anybody who is down.

use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Distance, Key, SharedBook};

/// Peers in the order of their keys, which every shard shares.
#[derive(Debug)]
pub struct Order {
    book: Arc<SharedBook>,
    /// Peer numbers in the order of keys.
    peers: Vec<u32>,
    /// The first 64 bits of their keys, in the same order.
    heads: Vec<u64>,
    /// By peer number: its place in the order.
    ranks: Vec<u32>,
    /// A bit per place: whether its peer serves.
    servers: Vec<u64>,
}

impl Order {
    /// The order of the plan's peers, some of whom cannot be called (by peer number; nobody beyond its end).
    #[must_use]
    pub fn new(book: &Arc<SharedBook>, undialable: &[bool]) -> Self {
        let keys = book.keys();
        let mut peers: Vec<u32> = (0..keys.len() as u32).collect();
        peers.sort_unstable_by_key(|peer| keys.get(*peer as usize));
        let head = |peer: &u32| keys.get(*peer as usize).map_or(0, Key::prefix64);
        let heads = peers.iter().map(head).collect();
        let mut ranks = alloc::vec![0; peers.len()];
        for (rank, peer) in (0..).zip(&peers) {
            if let Some(slot) = ranks.get_mut(*peer as usize) {
                *slot = rank;
            }
        }
        let mut servers = alloc::vec![0; peers.len().div_ceil(64)];
        let serves =
            |peer: u32| book.serves(peer) && !undialable.get(peer as usize).copied().unwrap_or_default();
        for (rank, _) in peers.iter().enumerate().filter(|(_, peer)| serves(**peer)) {
            if let Some(word) = servers.get_mut(rank / 64) {
                *word |= 1u64 << (rank % 64);
            }
        }
        Self { book: Arc::clone(book), peers, heads, ranks, servers }
    }
}

/// Who is up, by key.
#[derive(Clone, Debug)]
pub struct Oracle {
    order: Arc<Order>,
    /// A bit per place in the order.
    up: Vec<u64>,
    /// A Fenwick tree over the bits of each word, those of servers alone.
    counts: Vec<u32>,
    online: u32,
    /// How many of these serve.
    serving: u32,
}

impl Oracle {
    /// Nobody is up.
    #[must_use]
    pub fn new(order: &Arc<Order>) -> Self {
        let words = order.peers.len().div_ceil(64);
        Self {
            order: Arc::clone(order),
            up: alloc::vec![0; words],
            counts: alloc::vec![0; words + 1],
            online: 0,
            serving: 0,
        }
    }

    /// How many peers are up.
    #[must_use]
    pub const fn online(&self) -> u32 {
        self.online
    }

    /// Whether `peer` is up.
    #[must_use]
    pub fn is_online(&self, peer: u32) -> bool {
        let rank = self.order.ranks.get(peer as usize).copied();
        rank.is_some_and(|rank| {
            self.up.get(rank as usize / 64).is_some_and(|word| word >> (rank % 64) & 1 == 1)
        })
    }

    /// Takes note that `peer` comes up.
    pub fn rise(&mut self, peer: u32) {
        if !self.is_online(peer) && self.flip(peer) {
            self.online += 1;
            if self.serves(peer) {
                self.serving += 1;
                self.count(peer, 1);
            }
        }
    }

    /// Takes note that `peer` goes down.
    pub fn fall(&mut self, peer: u32) {
        if self.is_online(peer) && self.flip(peer) {
            self.online -= 1;
            if self.serves(peer) {
                self.serving -= 1;
                self.count(peer, u32::MAX);
            }
        }
    }

    /// The `k` peers that are closest to `key` among those that are up and serve, except `except`; into `out`, nearest first.
    pub fn closest(&self, key: &Key, k: usize, except: Option<u32>, out: &mut Vec<u32>) {
        out.clear();
        // One more, for the one that is left out.
        let wanted = k + usize::from(except.is_some());
        let (start, end) = self.range_of(key.prefix64(), wanted as u32);
        let own = except.and_then(|peer| self.order.ranks.get(peer as usize).copied());
        let head = key.prefix64();
        let mut found: Vec<(u64, u32)> = Vec::with_capacity(2 * wanted);
        self.for_each_up(start, end, |place| {
            if Some(place) != own
                && let Some(other) = self.order.heads.get(place as usize)
            {
                found.push((other ^ head, place));
            }
        });
        // The first 64 bits tell all but the rarest apart.
        let nearer = |a: &(u64, u32), b: &(u64, u32)| {
            a.0.cmp(&b.0).then_with(|| self.distance(a.1, key).cmp(&self.distance(b.1, key)))
        };
        if found.len() > k && k > 0 {
            found.select_nth_unstable_by(k - 1, nearer);
        }
        found.truncate(k);
        found.sort_unstable_by(nearer);
        out.extend(found.iter().filter_map(|(_, place)| self.order.peers.get(*place as usize)));
    }

    /// How far the peer at `place` is from `key`.
    fn distance(&self, place: u32, key: &Key) -> Option<Distance> {
        let peer = self.order.peers.get(place as usize)?;
        Some(self.order.book.keys().get(*peer as usize)?.distance(key))
    }

    /// The smallest range of places around `head` that one prefix delimits and that holds `wanted` peers that are up;
    /// everybody, if there are fewer.
    fn range_of(&self, head: u64, wanted: u32) -> (u32, u32) {
        // About as many bits as it takes to leave `wanted` of all who are up.
        let guess = (self.serving / wanted.max(1)).checked_ilog2().unwrap_or(0);
        let mut bits = guess;
        let mut best = self.range(head, bits);
        if self.count_of(best) >= wanted {
            while bits < 64 {
                let narrower = self.range(head, bits + 1);
                if self.count_of(narrower) < wanted {
                    break;
                }
                (best, bits) = (narrower, bits + 1);
            }
        } else {
            while bits > 0 && self.count_of(best) < wanted {
                bits -= 1;
                best = self.range(head, bits);
            }
        }
        best
    }

    /// The places of the peers that share the first `bits` of `head`.
    fn range(&self, head: u64, bits: u32) -> (u32, u32) {
        let low_mask = u64::MAX.checked_shr(bits).unwrap_or(0);
        let (first, last) = (head & !low_mask, head | low_mask);
        let heads = &self.order.heads;
        (
            heads.partition_point(|other| *other < first) as u32,
            heads.partition_point(|other| *other <= last) as u32,
        )
    }

    fn count_of(&self, (start, end): (u32, u32)) -> u32 {
        self.count_before(end) - self.count_before(start)
    }

    /// How many are up in the places before `place`.
    fn count_before(&self, place: u32) -> u32 {
        let (word, bit) = (place as usize / 64, place % 64);
        let mut sum = (self.up_servers(word) & ((1u64 << bit) - 1)).count_ones();
        let mut node = word;
        while node > 0 {
            sum += self.counts.get(node).copied().unwrap_or(0);
            node &= node - 1;
        }
        sum
    }

    /// The places of the servers that are up, from `start` to before `end`.
    fn for_each_up(&self, start: u32, end: u32, mut each: impl FnMut(u32)) {
        for word in start / 64..end.div_ceil(64) {
            let first = word * 64;
            let mut bits = self.up_servers(word as usize);
            if first < start {
                bits &= u64::MAX << (start - first);
            }
            if end - first < 64 {
                bits &= (1u64 << (end - first)) - 1;
            }
            while bits != 0 {
                each(first + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }

    /// Those of a word of places who are up and serve.
    fn up_servers(&self, word: usize) -> u64 {
        self.up.get(word).zip(self.order.servers.get(word)).map_or(0, |(up, servers)| up & servers)
    }

    fn serves(&self, peer: u32) -> bool {
        let rank = self.order.ranks.get(peer as usize).copied();
        let word = rank.and_then(|rank| Some((rank, self.order.servers.get(rank as usize / 64)?)));
        word.is_some_and(|(rank, word)| word >> (rank % 64) & 1 == 1)
    }

    fn flip(&mut self, peer: u32) -> bool {
        let rank = self.order.ranks.get(peer as usize).copied();
        let word = rank.and_then(|rank| Some((rank, self.up.get_mut(rank as usize / 64)?)));
        word.map(|(rank, word)| *word ^= 1 << (rank % 64)).is_some()
    }

    /// Adds to the count of the peer's word; `u32::MAX` takes one away.
    fn count(&mut self, peer: u32, by: u32) {
        let rank = self.order.ranks.get(peer as usize).copied().unwrap_or(0);
        let mut node = rank as usize / 64 + 1;
        while let Some(count) = self.counts.get_mut(node) {
            *count = count.wrapping_add(by);
            node += node & node.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::PeerId;

    /// A book in which every peer serves whose number is no multiple of `clients`.
    fn book(peers: u32, clients: u32) -> Arc<SharedBook> {
        let id = |number: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            PeerId::from_ed25519(&key)
        };
        let clients = (0..peers).filter(|peer| clients > 0 && peer.is_multiple_of(clients));
        Arc::new(SharedBook::new((0..peers).map(id).collect()).with_clients(clients))
    }

    fn brute_force(book: &SharedBook, up: &[bool], key: &Key, k: usize, except: Option<u32>) -> Vec<u32> {
        let mut all: Vec<_> = (0..up.len() as u32)
            .filter(|peer| up[*peer as usize] && book.serves(*peer) && Some(*peer) != except)
            .map(|peer| (book.keys()[peer as usize].distance(key), peer))
            .collect();
        all.sort_unstable();
        all.into_iter().take(k).map(|(_, peer)| peer).collect()
    }

    proptest! {
        #[test]
        fn the_oracle_agrees_with_brute_force(
            peers in 1..300u32,
            turns in proptest::collection::vec((any::<u32>(), any::<bool>()), 0..400),
            key in any::<[u8; 32]>(),
            own in any::<Option<u32>>(),
            k in 0..25usize,
            clients in 0..4u32,
            hidden in proptest::collection::vec(proptest::bool::weighted(0.3), 0..300),
        ) {
            let book = book(peers, clients);
            let mut oracle = Oracle::new(&Arc::new(Order::new(&book, &hidden)));
            let mut up = alloc::vec![false; peers as usize];
            for (peer, rises) in turns {
                let peer = peer % peers;
                up[peer as usize] = rises;
                if rises { oracle.rise(peer) } else { oracle.fall(peer) }
            }
            prop_assert_eq!(oracle.online() as usize, up.iter().filter(|up| **up).count());
            prop_assert!((0..peers).all(|peer| oracle.is_online(peer) == up[peer as usize]));
            let hides = |peer: usize| hidden.get(peer).copied().unwrap_or_default();
            let found: Vec<bool> = up.iter().enumerate().map(|(peer, up)| *up && !hides(peer)).collect();
            let except = own.map(|peer| peer % peers);
            // A point of the key space, and a peer's own place.
            let own_key = book.keys()[except.unwrap_or(0) as usize];
            for key in [Key::from_bytes(key), own_key] {
                let mut closest = Vec::new();
                oracle.closest(&key, k, except, &mut closest);
                prop_assert_eq!(closest, brute_force(&book, &found, &key, k, except));
            }
        }
    }
}
