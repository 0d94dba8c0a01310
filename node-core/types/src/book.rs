//! The peer book: four bytes instead of an id.
//!
//! A [`PeerRef`] is an entry of a [`Book`]. The book's *shared* part is read-only and the same for all
//! peers of a process: it holds the plan's peers. Its *own* part holds whoever else this peer met: it
//! is empty in most simulated peers and everything in a real node. Own references are generational:
//! one that outlived its entry resolves to nothing instead of to somebody else.
//!
//! The own part is bounded and swept, not reference-counted: when it is full, its owner says which
//! references it still holds ([`Book::sweep`]), so no forgotten release can leak an entry.
//!
//! Invariant: whatever is hashed, ordered or shown uses the id or its digest, never the reference.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::mix::mix;
use crate::{Digest, Key, PeerId};

/// Marks references to a book's own part.
const OWN: u32 = 1 << 31;
/// Bits of a slot number in an own reference; the 15 between it and [`OWN`] are the generation.
const SLOT_BITS: u32 = 16;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: u32 = (OWN - 1) >> SLOT_BITS;

/// Entries of a book's own part: 64 times the connections of a large node, 6 MiB when full.
pub const MAX_OWN_PEERS: usize = 1 << SLOT_BITS;
/// Peers of a plan that references can tell apart.
pub const MAX_SHARED_PEERS: usize = OWN as usize;

/// A peer, by its entry in the holder's [`Book`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerRef(u32);

impl PeerRef {
    /// The plan's peer number `index`.
    ///
    /// # Panics
    /// If `index` is not below [`MAX_SHARED_PEERS`].
    #[must_use]
    pub const fn shared(index: u32) -> Self {
        assert!(index < OWN, "a plan has at most 2^31 peers");
        Self(index)
    }

    /// The number among the plan's peers; `None` for a peer outside the plan.
    #[must_use]
    pub const fn index(self) -> Option<usize> {
        if self.0 & OWN == 0 { Some(self.0 as usize) } else { None }
    }
}

impl core::fmt::Debug for PeerRef {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.index() {
            Some(index) => write!(f, "peer {index}"),
            None => write!(f, "own peer {}", self.0 & SLOT_MASK),
        }
    }
}

/// What a book knows of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: PeerId,
    /// Where it lives in the key space.
    pub key: Key,
    /// What stands for it in fingerprints.
    pub digest: Digest,
}

impl Entry {
    /// Everything that follows from an id.
    #[must_use]
    pub fn new(id: PeerId) -> Self {
        Self { id, key: id.key(), digest: id.digest() }
    }
}

/// The plan's peers, in columns.
#[derive(Debug, Default)]
pub struct SharedBook {
    ids: Vec<PeerId>,
    keys: Vec<Key>,
    /// The first 64 bits of each key: they decide nearly all, and eight of them lie in a cache line.
    prefixes: Vec<u64>,
    digests: Vec<Digest>,
    by_digest: HashMap<Digest, u32, DigestHasher>,
    /// The length of every id, if all have one.
    id_len: Option<usize>,
    /// A bit per peer: whether it serves nobody. Empty if everybody serves.
    clients: Box<[u64]>,
}

impl SharedBook {
    /// A book of these peers, numbered in order.
    ///
    /// # Panics
    /// If two of them share an id or its digest, or they are too many: identities are drawn by us.
    #[must_use]
    pub fn new(ids: Vec<PeerId>) -> Self {
        assert!(ids.len() <= MAX_SHARED_PEERS, "a plan has at most 2^31 peers");
        let keys: Vec<_> = ids.iter().map(PeerId::key).collect();
        let prefixes = keys.iter().map(Key::prefix64).collect();
        let digests: Vec<_> = ids.iter().map(PeerId::digest).collect();
        let mut by_digest = HashMap::with_capacity_and_hasher(ids.len(), DigestHasher::default());
        for (index, digest) in (0..).zip(&digests) {
            assert!(by_digest.insert(*digest, index).is_none(), "two peers of the plan share a digest");
        }
        let mut lengths = ids.iter().map(|id| id.as_bytes().len());
        let id_len = lengths.next().filter(|first| lengths.all(|len| len == *first));
        Self { ids, keys, prefixes, digests, by_digest, id_len, clients: Box::default() }
    }

    /// The same, but that these peers serve nobody.
    #[must_use]
    pub fn with_clients(mut self, clients: impl IntoIterator<Item = u32>) -> Self {
        for peer in clients {
            if self.clients.is_empty() {
                self.clients = alloc::vec![0; self.ids.len().div_ceil(64)].into();
            }
            if let Some(word) = self.clients.get_mut(peer as usize / 64) {
                *word |= 1 << (peer % 64);
            }
        }
        self
    }

    /// Whether `peer` answers what others ask of it. libp2p's peers tell each other by the protocols that they name as
    /// they meet.
    #[must_use]
    pub fn serves(&self, peer: u32) -> bool {
        self.clients.get(peer as usize / 64).is_none_or(|word| word >> (peer % 64) & 1 == 0)
    }

    /// How many peers the plan has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the plan has no peers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Keys by peer number.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Digests by peer number.
    #[must_use]
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Ids by peer number.
    #[must_use]
    pub fn ids(&self) -> &[PeerId] {
        &self.ids
    }

    fn find(&self, id: &PeerId, digest: Digest) -> Option<PeerRef> {
        let index = *self.by_digest.get(&digest)?;
        (self.ids.get(index as usize) == Some(id)).then(|| PeerRef::shared(index))
    }
}

/// The digests are hashes already: they pass through, mixed once.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestHasher(u64);

impl core::hash::Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0, u64::from(*byte));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0, word);
    }
}

impl core::hash::BuildHasher for DigestHasher {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self::default()
    }
}

#[derive(Debug, Default)]
struct OwnBook {
    slots: Vec<Slot>,
    free: Vec<u16>,
    by_digest: HashMap<Digest, u16, DigestHasher>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    entry: Option<Entry>,
}

/// The own part is full; sweep it, or turn the stranger away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer book holds {MAX_OWN_PEERS} strangers, its limit")]
pub struct BookFull;

/// One peer's book: the shared part and its own.
#[derive(Debug)]
pub struct Book {
    shared: Arc<SharedBook>,
    own: Option<Box<OwnBook>>,
}

impl Book {
    /// A book whose own part is empty.
    #[must_use]
    pub const fn new(shared: Arc<SharedBook>) -> Self {
        Self { shared, own: None }
    }

    /// The shared part.
    #[must_use]
    pub const fn shared(&self) -> &Arc<SharedBook> {
        &self.shared
    }

    /// What is known of `peer`; `None` if the reference outlived its entry.
    #[must_use]
    pub fn entry(&self, peer: PeerRef) -> Option<Entry> {
        match peer.index() {
            Some(index) => Some(Entry {
                id: *self.shared.ids.get(index)?,
                key: *self.shared.keys.get(index)?,
                digest: *self.shared.digests.get(index)?,
            }),
            None => self.own_entry(peer).copied(),
        }
    }

    /// The id of `peer`.
    #[must_use]
    pub fn id(&self, peer: PeerRef) -> Option<&PeerId> {
        match peer.index() {
            Some(index) => self.shared.ids.get(index),
            None => self.own_entry(peer).map(|entry| &entry.id),
        }
    }

    /// The length of the id of `peer` in bytes. The id itself is not read where all of the plan's have one length:
    /// a message's size is asked for more often than anything else of a book.
    #[must_use]
    pub fn id_len(&self, peer: PeerRef) -> Option<usize> {
        match (peer.index(), self.shared.id_len) {
            (Some(index), Some(len)) => (index < self.shared.ids.len()).then_some(len),
            _ => self.id(peer).map(|id| id.as_bytes().len()),
        }
    }

    /// The key of `peer`.
    #[must_use]
    pub fn key(&self, peer: PeerRef) -> Option<&Key> {
        match peer.index() {
            Some(index) => self.shared.keys.get(index),
            None => self.own_entry(peer).map(|entry| &entry.key),
        }
    }

    /// The first 64 bits of the key of `peer`, without reading the rest of it.
    #[must_use]
    pub fn key_prefix64(&self, peer: PeerRef) -> Option<u64> {
        match peer.index() {
            Some(index) => self.shared.prefixes.get(index).copied(),
            None => self.own_entry(peer).map(|entry| entry.key.prefix64()),
        }
    }

    /// Whether `peer` answers what others ask of it, as far as is known: a stranger is taken to, until it does not.
    #[must_use]
    pub fn serves(&self, peer: PeerRef) -> bool {
        peer.index().is_none_or(|index| self.shared.serves(index as u32))
    }

    /// The digest of `peer`; the digest zero for a reference that outlived its entry.
    #[must_use]
    pub fn digest(&self, peer: PeerRef) -> Digest {
        let digest = match peer.index() {
            Some(index) => self.shared.digests.get(index).copied(),
            None => self.own_entry(peer).map(|entry| entry.digest),
        };
        digest.unwrap_or_default()
    }

    /// The reference of `id`, if this book holds it.
    #[must_use]
    pub fn find(&self, id: &PeerId) -> Option<PeerRef> {
        let digest = id.digest();
        self.shared.find(id, digest).or_else(|| self.own.as_ref()?.find(id, digest))
    }

    /// The reference of `id`, entered into the own part if it is new.
    ///
    /// # Errors
    /// If it is new and the own part is full.
    pub fn intern(&mut self, id: &PeerId) -> Result<PeerRef, BookFull> {
        match self.find(id) {
            Some(known) => Ok(known),
            None => self.own.get_or_insert_default().insert(Entry::new(*id)),
        }
    }

    /// Forgets every stranger that is not among `held`; returns how many were forgotten.
    pub fn sweep(&mut self, held: impl Iterator<Item = PeerRef>) -> usize {
        match &mut self.own {
            Some(own) => own.sweep(held),
            None => 0,
        }
    }

    fn own_entry(&self, peer: PeerRef) -> Option<&Entry> {
        let slot = self.own.as_ref()?.slots.get((peer.0 & SLOT_MASK) as usize)?;
        (own_reference((peer.0 & SLOT_MASK) as u16, slot.generation) == peer)
            .then_some(slot.entry.as_ref())
            .flatten()
    }
}

const fn own_reference(slot: u16, generation: u32) -> PeerRef {
    PeerRef(OWN | (generation & GENERATION_MASK) << SLOT_BITS | slot as u32)
}

impl OwnBook {
    fn find(&self, id: &PeerId, digest: Digest) -> Option<PeerRef> {
        let at = *self.by_digest.get(&digest)?;
        let slot = self.slots.get(usize::from(at))?;
        (slot.entry.as_ref()?.id == *id).then(|| own_reference(at, slot.generation))
    }

    fn insert(&mut self, entry: Entry) -> Result<PeerRef, BookFull> {
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                let at = u16::try_from(self.slots.len()).map_err(|_| BookFull)?;
                self.slots.push(Slot { generation: 0, entry: None });
                at
            }
        };
        let slot = self.slots.get_mut(usize::from(at)).ok_or(BookFull)?;
        slot.entry = Some(entry);
        self.by_digest.insert(entry.digest, at);
        Ok(own_reference(at, slot.generation))
    }

    fn sweep(&mut self, held: impl Iterator<Item = PeerRef>) -> usize {
        let mut keep = alloc::vec![false; self.slots.len()];
        for peer in held.filter(|peer| peer.index().is_none()) {
            if let Some(keep) = keep.get_mut((peer.0 & SLOT_MASK) as usize) {
                *keep = true;
            }
        }
        let mut forgotten = 0;
        for ((at, slot), keep) in (0..=u16::MAX).zip(&mut self.slots).zip(keep) {
            if keep {
                continue;
            }
            if let Some(entry) = slot.entry.take() {
                self.by_digest.remove(&entry.digest);
                slot.generation = slot.generation.wrapping_add(1);
                self.free.push(at);
                forgotten += 1;
            }
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn id(number: u32) -> PeerId {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key)
    }

    fn book(shared: u32) -> Book {
        Book::new(Arc::new(SharedBook::new((0..shared).map(id).collect())))
    }

    #[test]
    fn the_plan_s_peers_are_found_in_the_shared_part() {
        let mut book = book(10);
        for number in 0..10 {
            let peer = PeerRef::shared(number);
            assert_eq!(book.find(&id(number)), Some(peer));
            assert_eq!(book.intern(&id(number)), Ok(peer));
            assert_eq!(book.entry(peer), Some(Entry::new(id(number))));
            assert_eq!(book.key_prefix64(peer), book.key(peer).map(Key::prefix64));
        }
        assert!(book.own.is_none(), "nothing of the plan is copied");
    }

    #[test]
    fn lengths_of_ids_are_those_of_the_ids() {
        let short = PeerId::from_bytes(&[0, 2, 8, 1]).unwrap();
        for shared in [vec![], vec![id(0), id(1)], vec![id(0), short]] {
            let mut book = Book::new(Arc::new(SharedBook::new(shared)));
            let stranger = book.intern(&PeerId::from_bytes(&[0, 1, 8]).unwrap()).unwrap();
            for peer in (0..3).map(PeerRef::shared).chain([stranger]) {
                assert_eq!(book.id_len(peer), book.id(peer).map(|id| id.as_bytes().len()));
            }
            assert_eq!(book.id_len(stranger), Some(3));
        }
    }

    #[test]
    fn a_reference_that_outlived_its_entry_resolves_to_nothing() {
        let mut book = book(1);
        let (kept, lost) = (book.intern(&id(100)).unwrap(), book.intern(&id(101)).unwrap());
        assert_eq!(book.sweep([kept].into_iter()), 1);
        let newcomer = book.intern(&id(102)).unwrap();
        assert_eq!(book.id(kept), Some(&id(100)));
        assert_eq!((book.id(lost), book.find(&id(101))), (None, None));
        assert_eq!(book.key_prefix64(kept), Some(id(100).key().prefix64()));
        assert_eq!(book.key_prefix64(lost), None);
        assert_eq!((book.id(newcomer), newcomer == lost), (Some(&id(102)), false));
    }

    #[test]
    fn the_own_part_is_bounded() {
        let mut book = book(0);
        let all: Vec<_> = (0..MAX_OWN_PEERS as u32).map(|number| book.intern(&id(number)).unwrap()).collect();
        assert_eq!(book.intern(&id(u32::MAX)), Err(BookFull));
        assert_eq!(book.sweep(all.into_iter().skip(1)), 1);
        assert!(book.intern(&id(u32::MAX)).is_ok());
    }
}
