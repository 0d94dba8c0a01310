//! The routing table: k-buckets with replacement caches, flat.
//!
//! A bucket holds the contacts that share a given number of leading bits with the own key, the least recently seen
//! first. All buckets lie in one vector, one after the other, six bytes a contact; the spares of their replacement
//! caches in another.
//!
//! Invariants: a contact is in the bucket of its prefix, once, and never the own peer; a bucket holds at most k
//! contacts and its cache at most the configured number of spares, none of which is a contact; live contacts are never
//! pushed out by newcomers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use types::{Book, Duration, Instant, Key, PeerRef};

use crate::rank::Ranked;
use crate::violation::Violation;

/// A contact seen within this time is not checked for liveness when a newcomer wants its place: libp2p's pending-entry
/// timeout. It is met to [`TICK`].
pub const RECENT: Duration = Duration::from_secs(60);
/// The clock of last-seen times. It has twelve bits and comes round after 17 h: a contact last seen a multiple of that
/// ago counts as recent for a minute, which puts off its check.
const TICK: Duration = Duration::from_secs(15);
const TICK_BITS: u32 = 12;
const TICK_MASK: u16 = (1 << TICK_BITS) - 1;
const RECENT_TICKS: u16 = (RECENT.as_nanos() / TICK.as_nanos()) as u16;

/// What became of a peer that was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is a contact now.
    Added,
    /// It was one already.
    Known,
    /// Its bucket is full. If a contact is named, it is the least recently seen one and should be checked.
    Full(Option<PeerRef>),
    /// It has no place in the table: the own peer, or nobody that the book knows.
    Nobody,
}

/// What became of a peer that left a request unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is no contact.
    Stranger,
    /// It stays a contact for now.
    Suspect,
    /// It was once too often: it has left its bucket, and the newest spare, if there was one, took its place.
    Evicted {
        /// Who took its place.
        successor: Option<PeerRef>,
    },
}

/// The routing table of one peer.
#[derive(Clone, Debug)]
pub struct Table {
    own: Key,
    k: u8,
    spare_limit: u8,
    /// By the length of the prefix shared with the own key; as many as are needed.
    buckets: Vec<Bucket>,
    contacts: Vec<PeerRef>,
    /// Beside each contact.
    marks: Vec<Mark>,
    spares: Vec<PeerRef>,
}

/// Where one bucket lies.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    contacts_at: u16,
    spares_at: u16,
    contacts: u8,
    spares: u8,
}

impl Bucket {
    fn contacts(self) -> Range<usize> {
        let start = usize::from(self.contacts_at);
        start..start + usize::from(self.contacts)
    }

    fn spares(self) -> Range<usize> {
        let start = usize::from(self.spares_at);
        start..start + usize::from(self.spares)
    }
}

/// When a contact was last seen (the low bits) and how many requests it left unanswered since it last answered.
#[derive(Clone, Copy, Debug, Default)]
struct Mark(u16);

impl Mark {
    const fn seen(now: Instant) -> Self {
        Self((now.as_nanos() / TICK.as_nanos()) as u16 & TICK_MASK)
    }

    /// As far from recent as the clock allows.
    const fn long_ago(self, now: Instant) -> Self {
        Self((self.0 & !TICK_MASK) | (Self::seen(now).0.wrapping_sub(1 << (TICK_BITS - 1)) & TICK_MASK))
    }

    const fn is_recent(self, now: Instant) -> bool {
        (Self::seen(now).0.wrapping_sub(self.0) & TICK_MASK) < RECENT_TICKS
    }

    const fn failures(self) -> u8 {
        (self.0 >> TICK_BITS) as u8
    }

    /// Seen again, its failures as they were.
    const fn heard(self, now: Instant) -> Self {
        Self((self.0 & !TICK_MASK) | Self::seen(now).0)
    }

    const fn failed(self) -> Self {
        Self(self.0.saturating_add(1 << TICK_BITS))
    }
}

impl Table {
    pub(crate) const fn new(own: Key, k: u8, spare_limit: u8) -> Self {
        Self {
            own,
            k,
            spare_limit,
            buckets: Vec::new(),
            contacts: Vec::new(),
            marks: Vec::new(),
            spares: Vec::new(),
        }
    }

    /// A table that holds these peers, as many as its buckets have room for, the first given first.
    pub(crate) fn of(own: Key, k: u8, spare_limit: u8, peers: &[PeerRef], book: &Book) -> Self {
        let mut table = Self::new(own, k, spare_limit);
        let prefix = |peer: &PeerRef| Some((table.bucket_of(*peer, book)?, *peer));
        let mut placed: Vec<_> = peers.iter().filter_map(prefix).collect();
        placed.sort_by_key(|(prefix, _)| *prefix);
        table.contacts.reserve_exact(placed.len());
        for bucket in placed.chunk_by(|(a, _), (b, _)| a == b) {
            let (Some((prefix, _)), at) = (bucket.first(), table.contacts.len()) else {
                continue;
            };
            for (_, peer) in bucket {
                let taken = table.contacts.get(at..).unwrap_or(&[]);
                if taken.len() < usize::from(k) && !taken.contains(peer) {
                    table.contacts.push(*peer);
                }
            }
            let taken = table.contacts.len() - at;
            table.resize(*prefix, |bucket| bucket.contacts = taken as u8);
        }
        table.contacts.shrink_to_fit();
        table.marks = alloc::vec![Mark::default(); table.contacts.len()];
        table
    }

    /// The own key.
    #[must_use]
    pub const fn own(&self) -> &Key {
        &self.own
    }

    /// How many contacts there are, the spares not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there is no contact.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// All contacts, bucket by bucket, in each the least recently seen first.
    #[must_use]
    pub fn contacts(&self) -> &[PeerRef] {
        &self.contacts
    }

    /// The contacts that wait in replacement caches.
    #[must_use]
    pub fn spares(&self) -> &[PeerRef] {
        &self.spares
    }

    /// Buckets, up to the deepest that ever held a contact.
    #[must_use]
    pub fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// The contacts of the bucket whose peers share `prefix` bits with the own key.
    #[must_use]
    pub fn bucket(&self, prefix: usize) -> &[PeerRef] {
        self.contacts.get(self.header(prefix).contacts()).unwrap_or(&[])
    }

    /// The spares of that bucket.
    #[must_use]
    pub fn bucket_spares(&self, prefix: usize) -> &[PeerRef] {
        self.buckets.get(prefix).and_then(|bucket| self.spares.get(bucket.spares())).unwrap_or(&[])
    }

    /// The least recently seen contact of a bucket, if that is not recent.
    pub(crate) fn unseen(&self, prefix: usize, now: Instant) -> Option<PeerRef> {
        let oldest = self.header(prefix).contacts().next()?;
        let mark = self.marks.get(oldest)?;
        if mark.is_recent(now) {
            return None;
        }
        self.contacts.get(oldest).copied()
    }

    /// Whether `peer` is a contact.
    #[must_use]
    pub fn contains(&self, peer: PeerRef, book: &Book) -> bool {
        self.bucket_of(peer, book).is_some_and(|prefix| self.bucket(prefix).contains(&peer))
    }

    /// The `count` contacts that are closest to `target`, nearest first, `except` left out.
    #[must_use]
    pub fn closest(
        &self,
        target: &Key,
        count: usize,
        except: Option<PeerRef>,
        book: &Book,
    ) -> Box<[PeerRef]> {
        self.ranked(target, count, except, book).into_iter().map(|ranked| ranked.peer).collect()
    }

    /// As [`Table::closest`], with the distances.
    pub(crate) fn ranked(
        &self,
        target: &Key,
        count: usize,
        except: Option<PeerRef>,
        book: &Book,
    ) -> Vec<Ranked> {
        let mut closest = Vec::with_capacity(count + usize::from(self.k));
        for prefix in self.by_distance(target) {
            let before = closest.len();
            closest.extend(
                self.bucket(prefix)
                    .iter()
                    .filter(|peer| Some(**peer) != except)
                    .filter_map(|peer| Ranked::new(*peer, target, book)),
            );
            if let Some(added) = closest.get_mut(before..) {
                added.sort_unstable_by(|a, b| a.order(b, target, book));
            }
            if closest.len() >= count {
                closest.truncate(count);
                break;
            }
        }
        closest
    }

    /// How many contacts are closer to `target` than the own peer is.
    pub(crate) fn closer_than_own(&self, target: &Key) -> usize {
        self.differing(target).map(|prefix| self.bucket(prefix).len()).sum()
    }

    /// Whether the table is well-formed.
    pub(crate) fn check(&self, book: &Book) -> Result<(), Violation> {
        let (mut contacts_at, mut spares_at) = (0, 0);
        for (bucket, header) in self.buckets.iter().enumerate() {
            if (header.contacts().start, header.spares().start) != (contacts_at, spares_at) {
                return Err(Violation::Torn);
            }
            (contacts_at, spares_at) = (header.contacts().end, header.spares().end);
            if header.contacts > self.k || header.spares > self.spare_limit {
                return Err(Violation::Overfull {
                    bucket,
                    contacts: header.contacts().len(),
                    spares: header.spares().len(),
                });
            }
            self.check_bucket(bucket, book)?;
        }
        let covered = (contacts_at, contacts_at, spares_at);
        if covered != (self.contacts.len(), self.marks.len(), self.spares.len()) {
            return Err(Violation::Torn);
        }
        Ok(())
    }

    fn check_bucket(&self, bucket: usize, book: &Book) -> Result<(), Violation> {
        let everybody = || self.bucket(bucket).iter().chain(self.bucket_spares(bucket));
        for (place, peer) in everybody().enumerate() {
            let prefix = self.bucket_of(*peer, book);
            if prefix != Some(bucket) {
                return Err(Violation::WrongBucket { peer: *peer, bucket });
            }
            if everybody().skip(place + 1).any(|other| other == peer) {
                return Err(Violation::Duplicate { peer: *peer, bucket });
            }
        }
        Ok(())
    }

    /// Buckets in the order of their distance to `target`: where own key and target differ in a bit, the bucket of
    /// that bit is nearer than all deeper ones, else it is farther. The same walk as libp2p's.
    fn by_distance<'a>(&'a self, target: &'a Key) -> impl Iterator<Item = usize> + 'a {
        let first = (self.own.common_prefix(target) as usize).min(self.buckets.len());
        let agreeing = (first..self.buckets.len()).rev().filter(move |prefix| !self.differs(target, *prefix));
        self.differing(target).chain(agreeing).chain((0..first).rev())
    }

    /// The buckets whose bit of `target` differs from the own key's: all their contacts are closer to it than we are.
    fn differing<'a>(&'a self, target: &'a Key) -> impl Iterator<Item = usize> + 'a {
        let first = (self.own.common_prefix(target) as usize).min(self.buckets.len());
        (first..self.buckets.len()).filter(move |prefix| self.differs(target, *prefix))
    }

    fn differs(&self, target: &Key, bit: usize) -> bool {
        self.own.bit(bit as u32) != target.bit(bit as u32)
    }

    /// The bucket of a peer; `None` for the own one, and for one that the book does not know. The first 64 bits nearly
    /// always tell.
    pub(crate) fn bucket_of(&self, peer: PeerRef, book: &Book) -> Option<usize> {
        let differing = self.own.prefix64() ^ book.key_prefix64(peer)?;
        if differing != 0 {
            return Some(differing.leading_zeros() as usize);
        }
        let prefix = self.own.common_prefix(book.key(peer)?);
        (prefix < Key::BITS).then_some(prefix as usize)
    }

    fn header(&self, prefix: usize) -> Bucket {
        self.buckets.get(prefix).copied().unwrap_or(Bucket {
            contacts_at: self.contacts.len() as u16,
            spares_at: self.spares.len() as u16,
            contacts: 0,
            spares: 0,
        })
    }

    /// Bucket and place within all contacts.
    fn find(&self, peer: PeerRef, book: &Book) -> Option<(usize, usize)> {
        let prefix = self.bucket_of(peer, book)?;
        Some((prefix, self.find_in(prefix, peer)?))
    }

    fn find_in(&self, prefix: usize, peer: PeerRef) -> Option<usize> {
        let place = self.bucket(prefix).iter().position(|known| *known == peer)?;
        Some(self.header(prefix).contacts().start + place)
    }
}

/// What changes the table.
impl Table {
    /// `peer` answered a request.
    pub(crate) fn answered(&mut self, peer: PeerRef, now: Instant, book: &Book) -> Admission {
        let Some(prefix) = self.bucket_of(peer, book) else {
            return Admission::Nobody;
        };
        if let Some(at) = self.find_in(prefix, peer) {
            self.move_last(prefix, at, Mark::seen(now));
            return Admission::Known;
        }
        self.admit(peer, prefix, now).unwrap_or_else(|| {
            self.add_spare(peer, prefix);
            Admission::Full(self.unseen(prefix, now))
        })
    }

    /// `peer` asked something: it is alive, but whether it can be reached is not known. It enters only where there is
    /// room, so that strangers cannot push anybody out (S/Kademlia).
    pub(crate) fn heard(&mut self, peer: PeerRef, now: Instant, book: &Book) -> Admission {
        let Some(prefix) = self.bucket_of(peer, book) else {
            return Admission::Nobody;
        };
        if let Some(at) = self.find_in(prefix, peer) {
            let mark = self.marks.get(at).copied().unwrap_or_default();
            self.move_last(prefix, at, mark.heard(now));
            return Admission::Known;
        }
        self.admit(peer, prefix, now).unwrap_or(Admission::Full(None))
    }

    /// `peer` left a request unanswered.
    pub(crate) fn failed(&mut self, peer: PeerRef, max_failures: u8, now: Instant, book: &Book) -> Failure {
        let Some((prefix, at)) = self.find(peer, book) else {
            self.remove_spare(peer, book);
            return Failure::Stranger;
        };
        if let Some(mark) = self.marks.get_mut(at)
            && mark.failures() + 1 < max_failures
        {
            *mark = mark.failed();
            return Failure::Suspect;
        }
        self.contacts.remove(at);
        self.marks.remove(at);
        self.resize(prefix, |bucket| bucket.contacts -= 1);
        let successor = self.promote(prefix, now);
        Failure::Evicted { successor }
    }

    /// The link to `peer` was closed: it is the first to be checked when its bucket is full.
    pub(crate) fn closed(&mut self, peer: PeerRef, now: Instant, book: &Book) {
        let Some((prefix, at)) = self.find(peer, book) else {
            return;
        };
        if let Some(mark) = self.marks.get_mut(at) {
            *mark = mark.long_ago(now);
        }
        let start = self.header(prefix).contacts().start;
        if let Some(older) = self.contacts.get_mut(start..=at) {
            older.rotate_right(1);
        }
        if let Some(older) = self.marks.get_mut(start..=at) {
            older.rotate_right(1);
        }
    }

    /// Adds a contact if its bucket has room.
    fn admit(&mut self, peer: PeerRef, prefix: usize, now: Instant) -> Option<Admission> {
        let bucket = self.header(prefix);
        if bucket.contacts >= self.k {
            return None;
        }
        let at = bucket.contacts().end;
        insert(&mut self.contacts, at, peer);
        insert(&mut self.marks, at, Mark::seen(now));
        self.resize(prefix, |bucket| bucket.contacts += 1);
        if let Some(spare) = self.bucket_spares(prefix).iter().position(|spare| *spare == peer) {
            self.take_spare(prefix, spare);
        }
        Some(Admission::Added)
    }

    /// The newest spare of the bucket becomes a contact, the first to be checked.
    fn promote(&mut self, prefix: usize, now: Instant) -> Option<PeerRef> {
        let newest = self.bucket_spares(prefix).len().checked_sub(1)?;
        let peer = self.take_spare(prefix, newest)?;
        let at = self.header(prefix).contacts().start;
        insert(&mut self.contacts, at, peer);
        insert(&mut self.marks, at, Mark::default().long_ago(now));
        self.resize(prefix, |bucket| bucket.contacts += 1);
        Some(peer)
    }

    fn add_spare(&mut self, peer: PeerRef, prefix: usize) {
        if self.spare_limit == 0 {
            return;
        }
        let spares = self.bucket_spares(prefix);
        let known = spares.iter().position(|spare| *spare == peer);
        let oldest = (spares.len() >= usize::from(self.spare_limit)).then_some(0);
        if let Some(leaves) = known.or(oldest) {
            self.take_spare(prefix, leaves);
        }
        let at = self.header(prefix).spares().end;
        insert(&mut self.spares, at, peer);
        self.resize(prefix, |bucket| bucket.spares += 1);
    }

    fn remove_spare(&mut self, peer: PeerRef, book: &Book) {
        let Some(prefix) = self.bucket_of(peer, book) else {
            return;
        };
        if let Some(place) = self.bucket_spares(prefix).iter().position(|spare| *spare == peer) {
            self.take_spare(prefix, place);
        }
    }

    fn take_spare(&mut self, prefix: usize, place: usize) -> Option<PeerRef> {
        let spares = self.header(prefix).spares();
        let at = spares.start + place;
        if at >= spares.end {
            return None;
        }
        let peer = self.spares.remove(at);
        self.resize(prefix, |bucket| bucket.spares -= 1);
        Some(peer)
    }

    fn move_last(&mut self, prefix: usize, at: usize, mark: Mark) {
        let end = self.header(prefix).contacts().end;
        if let Some(newer) = self.contacts.get_mut(at..end) {
            newer.rotate_left(1);
        }
        if let Some(newer) = self.marks.get_mut(at..end) {
            newer.rotate_left(1);
            if let Some(last) = newer.last_mut() {
                *last = mark;
            }
        }
    }

    /// Changes a bucket's size and moves the places of all deeper ones accordingly.
    fn resize(&mut self, prefix: usize, change: impl FnOnce(&mut Bucket)) {
        if self.buckets.len() <= prefix {
            let end = self.buckets.last().map_or(Bucket::default(), |last| Bucket {
                contacts_at: last.contacts().end as u16,
                spares_at: last.spares().end as u16,
                contacts: 0,
                spares: 0,
            });
            self.buckets.resize(prefix + 1, end);
        }
        let mut buckets = self.buckets.iter_mut().skip(prefix);
        let Some(bucket) = buckets.next() else {
            return;
        };
        change(bucket);
        let (mut contacts_at, mut spares_at) = (bucket.contacts().end as u16, bucket.spares().end as u16);
        for bucket in buckets {
            (bucket.contacts_at, bucket.spares_at) = (contacts_at, spares_at);
            contacts_at += u16::from(bucket.contacts);
            spares_at += u16::from(bucket.spares);
        }
    }
}

/// Inserts, growing by few places at a time: doubling would cost a large network more memory than it saves copies.
fn insert<T>(items: &mut Vec<T>, at: usize, item: T) {
    const GROWTH: usize = 16;
    if items.len() == items.capacity() {
        items.reserve_exact(GROWTH);
    }
    items.insert(at, item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{book, peer};
    use alloc::vec;
    use proptest::prelude::*;

    const LATER: Instant = Instant::from_nanos(3_600_000_000_000);

    /// A table of peer 0, all of whose contacts fall into the farthest bucket, with the peers of that bucket.
    fn full(k: u8, spares: u8, book: &Book) -> (Table, Vec<PeerRef>) {
        let own = *book.key(peer(0)).unwrap();
        let far: Vec<_> = (1..book.shared().len() as u32)
            .map(peer)
            .filter(|peer| own.common_prefix(book.key(*peer).unwrap()) == 0)
            .collect();
        let mut table = Table::new(own, k, spares);
        for peer in &far[..usize::from(k)] {
            assert_eq!(table.answered(*peer, Instant::START, book), Admission::Added);
        }
        (table, far)
    }

    proptest! {
        #[test]
        fn the_closest_are_those_of_a_sort_by_distance(
            contacts in proptest::collection::vec(1..300u32, 0..300),
            k in 1..20u8,
            count in 0..40usize,
            name in any::<u64>(),
            own_id in any::<bool>(),
        ) {
            let book = book(300);
            let mut table = Table::new(*book.key(peer(0)).unwrap(), k, 2);
            for number in contacts {
                table.answered(peer(number), Instant::START, &book);
            }
            prop_assert_eq!(table.check(&book), Ok(()));
            let target = if own_id { *table.own() } else { Key::of(&name.to_be_bytes()) };
            let mut sorted = table.contacts().to_vec();
            sorted.sort_by_key(|peer| book.key(*peer).unwrap().distance(&target));
            let closer = sorted
                .iter()
                .filter(|peer| book.key(**peer).unwrap().distance(&target) < table.own().distance(&target));
            prop_assert_eq!(table.closer_than_own(&target), closer.count());
            let except = sorted.get(3).copied();
            sorted.retain(|peer| Some(*peer) != except);
            sorted.truncate(count);
            prop_assert_eq!(table.closest(&target, count, except, &book).to_vec(), sorted);
        }

        #[test]
        fn a_table_of_given_peers_is_one_that_met_them(
            numbers in Just((0..320).collect::<Vec<_>>()).prop_shuffle(),
            len in 0..320usize,
            k in 1..20u8,
        ) {
            let book = book(300);
            let own = *book.key(peer(0)).unwrap();
            let mut peers: Vec<_> = numbers.into_iter().take(len).map(peer).collect();
            let mut met = Table::new(own, k, 2);
            for peer in &peers {
                met.heard(*peer, Instant::START, &book);
            }
            peers.extend_from_within(..);
            let given = Table::of(own, k, 2, &peers, &book);
            prop_assert_eq!(given.check(&book), Ok(()));
            prop_assert_eq!(given.contacts(), met.contacts());
        }
    }

    #[test]
    fn newcomers_wait_and_the_least_recently_seen_is_to_be_checked() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        assert_eq!(table.answered(far[3], Instant::START, &book), Admission::Full(None), "all are recent");
        assert_eq!(table.answered(far[4], LATER, &book), Admission::Full(Some(far[0])));
        assert_eq!(table.answered(far[0], LATER, &book), Admission::Known);
        assert_eq!(table.bucket(0), [far[1], far[2], far[0]]);
        assert_eq!(table.answered(far[5], LATER, &book), Admission::Full(Some(far[1])));
        assert_eq!(table.bucket_spares(0), [far[4], far[5]], "the oldest spare made room");
        assert_eq!(table.check(&book), Ok(()));
    }

    #[test]
    fn who_only_asks_enters_where_there_is_room_and_nowhere_else() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        assert_eq!(table.heard(far[3], LATER, &book), Admission::Full(None));
        assert_eq!((table.len(), table.spares().len()), (3, 0));
        assert_eq!(table.heard(peer(0), LATER, &book), Admission::Nobody);
        let mut empty = Table::new(*table.own(), 3, 2);
        assert_eq!(empty.heard(far[3], LATER, &book), Admission::Added);
    }

    #[test]
    fn a_contact_is_evicted_after_failures_in_a_row_and_the_newest_spare_promoted() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        for spare in [far[3], far[4]] {
            table.answered(spare, LATER, &book);
        }
        assert_eq!(table.failed(far[1], 2, LATER, &book), Failure::Suspect);
        assert_eq!(table.answered(far[1], LATER, &book), Admission::Known, "an answer wipes the slate");
        assert_eq!(table.failed(far[1], 2, LATER, &book), Failure::Suspect);
        assert_eq!(table.heard(far[1], LATER, &book), Admission::Known, "a question does not");
        assert_eq!(table.failed(far[1], 2, LATER, &book), Failure::Evicted { successor: Some(far[4]) });
        assert_eq!(table.bucket(0), [far[4], far[0], far[2]], "the successor is the first to be checked");
        assert_eq!(table.unseen(0, LATER), Some(far[4]));
        assert_eq!(table.bucket_spares(0), [far[3]]);
        assert_eq!(table.failed(far[1], 2, LATER, &book), Failure::Stranger);
        assert_eq!(table.check(&book), Ok(()));
    }

    #[test]
    fn a_spare_that_does_not_answer_is_forgotten() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        table.answered(far[3], LATER, &book);
        assert_eq!(table.failed(far[3], 2, LATER, &book), Failure::Stranger);
        assert_eq!(table.spares(), []);
    }

    #[test]
    fn a_contact_whose_link_was_closed_is_checked_first() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        for contact in &far[..3] {
            table.answered(*contact, LATER, &book);
        }
        assert_eq!(table.unseen(0, LATER), None);
        table.closed(far[2], LATER, &book);
        assert_eq!(table.unseen(0, LATER), Some(far[2]));
    }

    #[test]
    fn sixteen_failures_can_be_counted() {
        let book = book(100);
        let (mut table, far) = full(3, 2, &book);
        for _ in 0..15 {
            assert_eq!(table.failed(far[0], 16, LATER, &book), Failure::Suspect);
        }
        assert_eq!(table.failed(far[0], 16, LATER, &book), Failure::Evicted { successor: None });
    }

    #[test]
    fn damage_is_found() {
        let book = book(100);
        let (table, far) = full(3, 2, &book);
        let near = (1..100).map(peer).find(|peer| !far.contains(peer)).unwrap();
        let damaged = |damage: fn(&mut Table, PeerRef)| {
            let mut table = table.clone();
            damage(&mut table, near);
            table.check(&book).unwrap_err()
        };
        assert_eq!(
            damaged(|table, near| table.contacts[0] = near),
            Violation::WrongBucket { peer: near, bucket: 0 }
        );
        assert_eq!(
            damaged(|table, _| table.contacts[0] = table.contacts[1]),
            Violation::Duplicate { peer: far[1], bucket: 0 }
        );
        assert_eq!(damaged(|table, _| table.contacts.truncate(2)), Violation::Torn);
        assert_eq!(
            damaged(|table, _| table.k = 2),
            Violation::Overfull { bucket: 0, contacts: 3, spares: 0 }
        );
        assert_eq!(table.check(&book), Ok(()));
        assert_eq!(vec![far[0], far[1], far[2]], table.contacts());
    }
}
