//! Value records: those held for others, and those that this peer publishes.
//!
//! A record is held, served and acknowledged once it is persisted, not before. A holder passes it on every
//! `replicate_interval`, unless it was given it again meanwhile: then somebody else has just stored it with all
//! holders (Kademlia, section 2.5). Its publisher stores it again every `republish_interval` for as long as the
//! publisher lives.
//!
//! Not here: lookups and messages; [`crate::Kad`] asks which record is due and stores it.
//!
//! Invariants: at most `max_records` are held, waiting writes included; a change that was asked for earlier never undoes
//! a later one.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, ExchangeId, Instant, Key, PeerRef, WriteId};

use crate::event::Refusal;
use crate::message::{Record, Target};

/// Writes that wait for the disk; a further PUT is refused. A disk of 10 ms a write is 2.5 s behind by then.
pub const MAX_WRITES: usize = 256;
/// Values that a peer keeps stored for its own clients; a further PUT is refused as busy. A thousand times what a
/// day of republishing can serve at one lookup a minute.
pub const MAX_PUBLISHED: usize = 65_536;

/// The records held for others.
#[derive(Debug)]
pub(crate) struct Records {
    held: BTreeMap<Key, Held>,
    writes: Vec<Write>,
    /// No record expires or is to be passed on before this.
    due: Instant,
}

#[derive(Debug)]
struct Held {
    record: Arc<Record>,
    expires: Instant,
    replicate: Instant,
    /// The write that brought it; `None` if a former life did.
    write: Option<WriteId>,
}

/// A PUT that waits for the disk.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) id: WriteId,
    pub(crate) record: Arc<Record>,
    pub(crate) expires: Instant,
    pub(crate) from: PeerRef,
    pub(crate) exchange: ExchangeId,
}

/// What is to be done with a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Persist it.
    Persist,
    /// The same is persisted already and lives as long.
    Held,
    /// Turn it away.
    Refuse(Refusal),
}

impl Records {
    pub(crate) const fn new() -> Self {
        Self { held: BTreeMap::new(), writes: Vec::new(), due: Instant::NEVER }
    }

    /// Takes over what a former life persisted.
    pub(crate) fn restore(&mut self, record: Arc<Record>, expires: Instant) {
        self.due = self.due.min(expires);
        let replicate = Instant::NEVER;
        let held = Held { record, expires, replicate, write: None };
        self.held.insert(*held.record.target.key(), held);
    }

    /// Sets when each record is passed on first.
    pub(crate) fn stagger(&mut self, mut replicate: impl FnMut() -> Instant) {
        for held in self.held.values_mut() {
            held.replicate = replicate();
            self.due = self.due.min(held.replicate);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Record>, Instant)> {
        self.held.values().map(|held| (&held.record, held.expires))
    }

    pub(crate) fn for_each_write(&self, each: impl FnMut(&Write)) {
        self.writes.iter().for_each(each);
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.len()
    }

    /// The record of this key, if it has not expired.
    pub(crate) fn get(&self, key: &Key, now: Instant) -> Option<(&Arc<Record>, Instant)> {
        self.held.get(key).filter(|held| held.expires > now).map(|held| (&held.record, held.expires))
    }

    /// What to do with a PUT of `record` that would live until `expires`.
    pub(crate) fn admit(
        &mut self,
        record: &Record,
        expires: Instant,
        replicate: Instant,
        max_records: u32,
    ) -> Admission {
        let key = record.target.key();
        let awaited = self.writes.iter().any(|write| write.record.target.key() == key);
        let is_new = match self.held.get_mut(key) {
            Some(held) if !awaited && held.record.value == record.value && held.expires >= expires => {
                held.replicate = replicate;
                return Admission::Held;
            }
            Some(_) => false,
            None => true,
        };
        if self.writes.len() >= MAX_WRITES {
            return Admission::Refuse(Refusal::NotPersisted);
        }
        if is_new && !awaited && self.held.len() + self.new_writes() >= max_records as usize {
            return Admission::Refuse(Refusal::StoreFull);
        }
        Admission::Persist
    }

    /// A PUT is on its way to the disk.
    pub(crate) fn wait(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// The PUT that `id` persists, if there is one.
    pub(crate) fn take_write(&mut self, id: WriteId) -> Option<Write> {
        let place = self.writes.iter().position(|write| write.id == id)?;
        let write = self.writes.remove(place);
        if self.writes.is_empty() {
            self.writes.shrink_to_fit();
        }
        Some(write)
    }

    /// A PUT was persisted: holds its record, and tells whether it is new here.
    pub(crate) fn hold(&mut self, write: &Write, replicate: Instant) -> Novelty {
        let key = *write.record.target.key();
        let novelty = match self.held.get(&key) {
            Some(held) if held.write > Some(write.id) => return Novelty::Known,
            Some(_) => Novelty::Known,
            None => Novelty::New,
        };
        self.due = self.due.min(write.expires).min(replicate);
        self.held.insert(
            key,
            Held {
                record: Arc::clone(&write.record),
                expires: write.expires,
                replicate,
                write: Some(write.id),
            },
        );
        novelty
    }

    /// Forgets a record whose life has ended. The second part says whether the disk is to be told: not if a PUT of
    /// the same name is on its way there, which a delete would undo.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<(Arc<Record>, OnDisk)> {
        if self.due > now {
            return None;
        }
        let key = *self.held.iter().find(|(_, held)| held.expires <= now)?.0;
        let held = self.held.remove(&key)?;
        let awaited = self.writes.iter().any(|write| *write.record.target.key() == key);
        let on_disk = if awaited { OnDisk::Overwritten } else { OnDisk::Delete };
        Some((held.record, on_disk))
    }

    /// A record that is to be passed on by now, until when it lives; `next` is when it is due again.
    pub(crate) fn replicate(&mut self, now: Instant, next: Instant) -> Option<(Arc<Record>, Instant)> {
        if self.due > now {
            return None;
        }
        let due = self.held.values_mut().find(|held| held.replicate <= now);
        if let Some(held) = due {
            held.replicate = next;
            return Some((Arc::clone(&held.record), held.expires));
        }
        self.due =
            self.held.values().map(|held| held.expires.min(held.replicate)).min().unwrap_or(Instant::NEVER);
        None
    }

    /// When to come back.
    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    fn new_writes(&self) -> usize {
        self.writes.iter().filter(|write| !self.held.contains_key(write.record.target.key())).count()
    }
}

/// Whether a record was held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    New,
    Known,
}

/// What becomes of an expired record's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDisk {
    Delete,
    Overwritten,
}

/// The values that this peer keeps stored.
#[derive(Debug)]
pub(crate) struct Published {
    values: BTreeMap<Key, Publication>,
    due: Instant,
}

#[derive(Debug)]
struct Publication {
    record: Arc<Record>,
    again: Instant,
}

impl Published {
    pub(crate) const fn new() -> Self {
        Self { values: BTreeMap::new(), due: Instant::NEVER }
    }

    /// Keeps `record` stored, from `again` on; `None` if there are too many.
    pub(crate) fn keep(&mut self, record: Arc<Record>, again: Instant) -> Option<()> {
        let key = *record.target.key();
        if self.values.len() >= MAX_PUBLISHED && !self.values.contains_key(&key) {
            return None;
        }
        self.due = self.due.min(again);
        self.values.insert(key, Publication { record, again });
        Some(())
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Record>> {
        self.values.get(key).map(|publication| &publication.record)
    }

    /// A value that is to be stored again by now; `next` is when it is due again.
    pub(crate) fn republish(&mut self, now: Instant, next: Instant) -> Option<Arc<Record>> {
        if self.due > now {
            return None;
        }
        let due = self.values.values_mut().find(|publication| publication.again <= now);
        if let Some(publication) = due {
            publication.again = next;
            return Some(Arc::clone(&publication.record));
        }
        self.due = self.values.values().map(|publication| publication.again).min().unwrap_or(Instant::NEVER);
        None
    }

    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.values.values().map(|publication| &publication.record)
    }
}

/// How long a record lives that was sent with `ttl_secs`: as long as it was given and at most `limit`, halved for each
/// peer between here and its key beyond the `replication` that should hold it, so that copies far from the key go
/// first (Kademlia section 2.5, in libp2p's form).
pub(crate) fn lifetime(ttl_secs: u32, limit: Duration, closer: usize, replication: u16) -> Duration {
    let beyond = closer.saturating_sub(usize::from(replication)).min(63) as u32;
    let shortened = Duration::from_nanos(limit.as_nanos() >> beyond);
    if ttl_secs == 0 {
        return shortened;
    }
    shortened.min(Duration::from_secs(u64::from(ttl_secs)))
}

/// `record` as it is sent on: with what is left of its life, rounded up to a second.
pub(crate) fn with_remaining(record: &Record, expires: Instant, now: Instant) -> Arc<Record> {
    let left = expires.since(now).as_nanos().div_ceil(1_000_000_000).max(1);
    Arc::new(Record { ttl_secs: u32::try_from(left).unwrap_or(u32::MAX), ..record.clone() })
}

/// The name of a record, by itself.
pub(crate) fn target_of(record: &Record) -> Arc<Target> {
    Arc::new(record.target.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, value: u8) -> Arc<Record> {
        let target = Target::new(name.as_bytes());
        Arc::new(Record { target, value: [value].into(), publisher: None, ttl_secs: 0 })
    }

    fn write(id: u64, record: &Arc<Record>, expires: u64) -> Write {
        let from = PeerRef::shared(0);
        Write {
            id: WriteId(id),
            record: Arc::clone(record),
            expires: Instant::from_nanos(expires),
            from,
            exchange: ExchangeId { opener: from, incarnation: 0, count: 0 },
        }
    }

    #[test]
    fn a_life_is_halved_for_each_peer_beyond_the_holders() {
        let limit = Duration::from_hours(48);
        for (ttl_secs, closer, hours) in [(0, 0, 48), (0, 20, 48), (0, 21, 24), (0, 23, 6), (3_600, 20, 1)] {
            assert_eq!(lifetime(ttl_secs, limit, closer, 20), Duration::from_hours(hours));
        }
        assert_eq!(lifetime(3_600, limit, 1_000, 20), Duration::ZERO);
    }

    #[test]
    fn a_write_that_ends_late_does_not_undo_a_later_one() {
        let mut records = Records::new();
        let (older, newer) = (record("a", 1), record("a", 2));
        let (first, second) = (write(1, &older, 9), write(2, &newer, 9));
        assert_eq!(records.hold(&second, Instant::NEVER), Novelty::New);
        assert_eq!(records.hold(&first, Instant::NEVER), Novelty::Known);
        let held = records.get(older.target.key(), Instant::START).unwrap();
        assert_eq!(held.0, &newer);
    }

    #[test]
    fn an_expired_record_is_not_deleted_on_disk_behind_its_successor() {
        let mut records = Records::new();
        let record = record("a", 1);
        let late = Instant::from_nanos(9);
        records.hold(&write(1, &record, 9), Instant::NEVER);
        records.wait(write(2, &record, 99));
        assert_eq!(records.expire(Instant::from_nanos(8)), None);
        assert_eq!(records.expire(late), Some((Arc::clone(&record), OnDisk::Overwritten)));
        assert_eq!(records.expire(late), None);
    }

    #[test]
    fn the_same_record_is_persisted_once() {
        let mut records = Records::new();
        let (record, expires, next) = (record("a", 1), Instant::from_nanos(9), Instant::NEVER);
        assert_eq!(records.admit(&record, expires, next, 1), Admission::Persist);
        records.wait(write(1, &record, 9));
        assert_eq!(records.admit(&record, expires, next, 1), Admission::Persist, "not persisted yet");
        let done = records.take_write(WriteId(1)).unwrap();
        records.hold(&done, next);
        assert_eq!(records.admit(&record, expires, next, 1), Admission::Held);
        let longer = Instant::from_nanos(10);
        assert_eq!(records.admit(&record, longer, next, 1), Admission::Persist);
    }
}
