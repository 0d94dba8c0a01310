//! The tables of the bare Kademlia: full buckets of four-byte contacts, all in one arena.
//!
//! A peer's id is 64 random bits, which stand for 256: no two peers of a million share theirs. Bucket `b` of a peer
//! holds up to k peers that share exactly `b` leading bits with it, drawn at random; all where there are fewer. The last
//! one holds all that share more.

#![expect(
    clippy::indexing_slicing,
    reason = "peers and buckets are counted here; ranges come from the same rows"
)]

use std::ops::Range;

use crate::draw::Draws;
use crate::kad_reference::K;

/// Buckets of a peer: of a million peers, two share 24 bits by chance now and then.
const DEPTH: usize = 25;

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) ids: Vec<u64>,
    rows: Vec<Row>,
    contacts: Vec<u32>,
}

/// What is read of a peer first, in one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row {
    id: u64,
    /// Where its contacts begin.
    first: u32,
    /// Where each bucket begins within them, and where the last ends.
    bounds: [u16; DEPTH + 1],
}

const _: () = assert!(size_of::<Row>() == 64);

impl Row {
    #[inline]
    fn bucket_of(&self, id: u64) -> usize {
        ((self.id ^ id).leading_zeros() as usize).min(DEPTH - 1)
    }

    /// The contacts of these buckets.
    #[inline]
    fn range(&self, from: usize, to: usize) -> Range<usize> {
        let first = self.first as usize;
        first + usize::from(self.bounds[from])..first + usize::from(self.bounds[to])
    }
}

/// Up to k peers, in no order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closest {
    pub(crate) peers: [u32; K],
    pub(crate) count: usize,
}

impl Closest {
    pub(crate) const NONE: Self = Self { peers: [0; K], count: 0 };

    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.peers[..self.count]
    }

    #[inline]
    fn add_all(&mut self, contacts: &[u32], except: u32) {
        for contact in contacts {
            // The place is overwritten by the next, unless it is kept.
            if self.count < K {
                self.peers[self.count] = *contact;
                self.count += usize::from(*contact != except);
            }
        }
    }
}

impl Tables {
    pub(crate) fn new(peers: u32, seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let ids: Vec<u64> = (0..peers).map(|_| draws.bits()).collect();
        let mut sorted: Vec<(u64, u32)> = ids.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut tables = Self { ids, rows: Vec::with_capacity(peers as usize), contacts: Vec::new() };
        for peer in 0..peers {
            tables.fill(peer, &sorted, &mut draws);
        }
        tables.contacts.shrink_to_fit();
        tables
    }

    fn fill(&mut self, peer: u32, sorted: &[(u64, u32)], draws: &mut Draws) {
        let id = self.ids[peer as usize];
        let start = self.contacts.len();
        let mut bounds = [0; DEPTH + 1];
        let mut near = 0..sorted.len();
        for bucket in 0..DEPTH {
            let range = if bucket + 1 == DEPTH {
                near.clone()
            } else {
                let bit = 63 - bucket;
                let middle = near.start + sorted[near.clone()].partition_point(|(id, _)| id >> bit & 1 == 0);
                let (zeros, ones) = (near.start..middle, middle..near.end);
                let far;
                (near, far) = if id >> bit & 1 == 0 { (zeros, ones) } else { (ones, zeros) };
                far
            };
            let bucket_start = self.contacts.len();
            if range.len() <= K {
                let others = sorted[range].iter().map(|(_, other)| *other);
                self.contacts.extend(others.filter(|other| *other != peer));
            } else {
                for last in range.len() - K..range.len() {
                    let drawn = sorted[range.start + draws.below(last as u64 + 1) as usize].1;
                    let taken = self.contacts[bucket_start..].contains(&drawn);
                    self.contacts.push(if taken { sorted[range.start + last].1 } else { drawn });
                }
            }
            bounds[bucket + 1] = (self.contacts.len() - start) as u16;
        }
        self.rows.push(Row { id, first: start as u32, bounds });
    }

    /// Reads what [`Self::heard`] and [`Self::closest`] will read: when this is done for several peers at once, the
    /// machine waits for all of it together.
    #[inline]
    pub(crate) fn touch(&self, peer: u32, other: u32, target: u64) -> u32 {
        let row = &self.rows[peer as usize];
        let heard = row.range(row.bucket_of(self.ids[other as usize]), DEPTH);
        let home = row.range(row.bucket_of(target), DEPTH);
        let at = |place: usize| self.contacts.get(place).copied().unwrap_or_default();
        at(heard.start) ^ at(heard.start + K - 1) ^ at(home.start) ^ at(home.start + K - 1)
    }

    /// `peer` hears of `other`, which moves to the front of its bucket.
    #[inline]
    pub(crate) fn heard(&mut self, peer: u32, other: u32) {
        let row = &self.rows[peer as usize];
        let bucket = row.bucket_of(self.ids[other as usize]);
        let contacts = &mut self.contacts[row.range(bucket, bucket + 1)];
        if let Some(at) = contacts.iter().position(|contact| *contact == other) {
            contacts.copy_within(..at, 1);
            contacts[0] = other;
        }
    }

    /// The k contacts of `peer` that are closest to `target`, `except` aside.
    ///
    /// All of the target's own bucket are closer than all deeper ones, and these than shallower ones, nearest bucket
    /// first. So whole buckets are taken as they stand, and only the last is chosen from.
    #[inline]
    pub(crate) fn closest(&self, peer: u32, target: u64, except: u32) -> Closest {
        let mut closest = Closest::NONE;
        let row = &self.rows[peer as usize];
        let home = row.bucket_of(target);
        self.take(row.range(home, home + 1), target, except, &mut closest);
        if closest.count < K {
            self.take(row.range(home + 1, DEPTH), target, except, &mut closest);
        }
        let mut shallower = home;
        while closest.count < K && shallower > 0 {
            shallower -= 1;
            self.take(row.range(shallower, shallower + 1), target, except, &mut closest);
        }
        closest
    }

    /// Takes those of a range that are closest to `target`, as many as still fit.
    #[inline]
    fn take(&self, range: Range<usize>, target: u64, except: u32, closest: &mut Closest) {
        let contacts = &self.contacts[range];
        let room = K - closest.count;
        if contacts.len() <= room {
            closest.add_all(contacts, except);
            return;
        }
        self.choose(contacts, target, except, closest);
    }

    fn choose(&self, contacts: &[u32], target: u64, except: u32, closest: &mut Closest) {
        const MOST: usize = 128;
        let room = K - closest.count;
        let mut ranked = [(u64::MAX, 0); MOST];
        let mut count = 0;
        for contact in contacts.iter().filter(|contact| **contact != except).take(MOST) {
            ranked[count] = (self.ids[*contact as usize] ^ target, *contact);
            count += 1;
        }
        let ranked = &mut ranked[..count];
        if count > room {
            ranked.select_nth_unstable(room - 1);
        }
        for (_, contact) in ranked.iter().take(room) {
            closest.peers[closest.count] = *contact;
            closest.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts_of(tables: &Tables, peer: u32) -> Vec<u32> {
        tables.contacts[tables.rows[peer as usize].range(0, DEPTH)].to_vec()
    }

    #[test]
    fn every_bucket_is_full_or_holds_all() {
        let peers = 2_000;
        let tables = Tables::new(peers, 1);
        for peer in (0..peers).step_by(97) {
            let row = &tables.rows[peer as usize];
            let sizes = |others: &mut dyn Iterator<Item = u32>| {
                let mut sizes = [0; DEPTH];
                others.for_each(|other| sizes[row.bucket_of(tables.ids[other as usize])] += 1);
                sizes
            };
            let everybody = sizes(&mut (0..peers).filter(|other| *other != peer));
            let contacts = contacts_of(&tables, peer);
            assert_eq!(sizes(&mut contacts.iter().copied()), everybody.map(|all| K.min(all)));
            let distinct: std::collections::BTreeSet<_> = contacts.iter().collect();
            assert_eq!(distinct.len(), contacts.len());
        }
    }

    #[test]
    fn the_closest_contacts_are_those_of_a_sort() {
        let mut draws = Draws::new(7);
        for peers in [5, 30, 3_000] {
            let mut tables = Tables::new(peers, 2);
            for _ in 0..2_000 {
                let (peer, except) = (draws.below(peers.into()) as u32, draws.below(peers.into()) as u32);
                let target = match draws.below(3) {
                    0 => draws.bits(),
                    1 => tables.ids[draws.below(peers.into()) as usize],
                    _ => tables.ids[peer as usize] ^ draws.below(1 << 50),
                };
                if peer != except {
                    tables.heard(peer, except);
                }
                let mut sorted = contacts_of(&tables, peer);
                sorted.retain(|contact| *contact != except);
                sorted.sort_by_key(|contact| tables.ids[*contact as usize] ^ target);
                sorted.truncate(K);
                sorted.sort_unstable();
                let mut found = tables.closest(peer, target, except).as_slice().to_vec();
                found.sort_unstable();
                assert_eq!(found, sorted);
            }
        }
    }

    #[test]
    fn who_is_heard_of_moves_to_the_front_of_its_bucket_and_nobody_else_enters() {
        let mut tables = Tables::new(2_000, 3);
        let before = contacts_of(&tables, 0);
        let last = before[K - 1];
        tables.heard(0, last);
        let mut expected = before.clone();
        expected[..K].rotate_right(1);
        assert_eq!(contacts_of(&tables, 0), expected);
        let stranger = (1..2_000).find(|peer| !before.contains(peer)).unwrap();
        tables.heard(0, stranger);
        assert_eq!(contacts_of(&tables, 0), expected);
    }
}
