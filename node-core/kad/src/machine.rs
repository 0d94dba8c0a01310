//! The state machine: what comes in, and what it changes.
//!
//! Each entry point handles one input and then starts whatever upkeep is due ([`crate::upkeep`]). Lookups are driven
//! in [`crate::search`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Book, ExchangeId, Instant, PeerId, PeerRef, SendFailure, StoreResult, Streams, Work, WriteId};

use crate::config::{Config, Mode};
use crate::effects::{Context, Effects, RecordChange};
use crate::event::{Event, Refusal};
use crate::exchanges::{Exchanges, Pending, Purpose};
use crate::lookup::{GoalKind, Lookup};
use crate::maintenance::{Maintenance, Stage, jitter, jittered};
use crate::message::{self, Announcement, Record, Request, Response, Target};
use crate::providers::Providers;
use crate::records::{
    self, Admission as Put, MAX_WRITES, Novelty, OnDisk, Published, Records, Write, lifetime, with_remaining,
};
use crate::table::{Admission, Failure, Table};
use crate::trace::{self, SearchEnd};
use crate::violation::Violation;
use crate::{MAX_LOOKUPS, RECORD_LOOKUPS};

/// Handling a request: decode, search the table, encode. 5 µs is the order of a protobuf message of twenty peers and a
/// table walk on a current core; a default to be calibrated.
const REQUEST_WORK: Work = Work(5_000);
/// Handling an answer, on the same basis.
const RESPONSE_WORK: Work = Work(5_000);

/// What the contacts given at a start are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A way in: the table is to be filled by asking around at once.
    Join,
    /// A filled table: it is refreshed when the first refresh interval has passed.
    Filled,
}

/// One peer of the DHT.
#[derive(Debug)]
pub struct Kad {
    pub(crate) local: PeerRef,
    pub(crate) config: Arc<Config>,
    pub(crate) streams: Streams,
    pub(crate) table: Table,
    /// In the order of their serial numbers.
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) exchanges: Exchanges,
    pub(crate) records: Records,
    pub(crate) published: Published,
    /// `None` as long as nobody provides anything: most peers have none.
    pub(crate) providers: Option<Box<Providers>>,
    pub(crate) maintenance: Maintenance,
    pub(crate) serial: u32,
    start: Start,
    pub(crate) jitters: u64,
}

impl Kad {
    /// A peer that knows these contacts and holds these records, each until its time.
    ///
    /// # Panics
    /// If the configuration is out of its ranges ([`Config::out_of_range`]) or the book does not hold `local`.
    #[must_use]
    pub fn new(
        local: PeerRef,
        config: impl Into<Arc<Config>>,
        streams: Streams,
        start: Start,
        contacts: &[PeerRef],
        records: Vec<(Arc<Record>, Instant)>,
        book: &Book,
    ) -> Self {
        let config = config.into();
        assert_eq!(config.out_of_range().next(), None, "a configuration is checked at the edge");
        let own = book.key(local).copied();
        assert!(own.is_some(), "a peer is in its own book");
        let own = own.unwrap_or_default();
        let table = Table::of(own, config.k as u8, config.replacement_cache as u8, contacts, book);
        let mut kad = Self {
            local,
            streams,
            table,
            lookups: Vec::new(),
            exchanges: Exchanges::default(),
            records: Records::new(),
            published: Published::new(),
            providers: None,
            maintenance: Maintenance::new(contacts),
            serial: 0,
            start,
            jitters: 0,
            config,
        };
        for (record, expires) in records.into_iter().take(kad.config.max_records as usize) {
            kad.records.restore(record, expires);
        }
        kad
    }

    /// Begins this peer's life.
    pub fn start<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        let (streams, interval) = (self.streams, self.config.replicate_interval);
        let jitters = &mut self.jitters;
        self.records.stagger(|| {
            *jitters += 1;
            cx.now.instant + jittered(interval, &mut jitter(&streams, *jitters))
        });
        match self.start {
            Start::Join => self.maintenance.due = cx.now.instant,
            Start::Filled => {
                self.maintenance.due = cx.now.instant + self.jittered(self.config.refresh_interval);
                self.bootstrapped(cx);
            }
        }
        self.settle(cx);
    }

    /// `from` asks.
    pub fn request<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        from: PeerRef,
        exchange: ExchangeId,
        request: Request,
    ) {
        cx.effects.charge(REQUEST_WORK);
        self.heard(cx, from);
        if self.config.mode == Mode::Client {
            self.turn_down(cx, from, exchange, Refusal::NotServing);
            self.settle(cx);
            return;
        }
        match request {
            Request::FindNode(target) => {
                let closest = self.closest_for(&target, from, cx.book);
                cx.effects.answer(from, exchange, Response::Nodes(closest));
            }
            Request::GetValue(target) => {
                let record = self.value(&target, cx.now.instant);
                let closer = self.closest_for(&target, from, cx.book);
                cx.effects.answer(from, exchange, Response::Value { record, closer });
            }
            Request::PutValue(record) => self.put(cx, from, exchange, record),
            Request::GetProviders(target) => {
                let providers = self.providers_of(&target, from, cx.now.instant);
                let closer = self.closest_for(&target, from, cx.book);
                let answer = Box::new(message::Providers { providers, closer });
                cx.effects.answer(from, exchange, Response::Providers(answer));
            }
        }
        self.settle(cx);
    }

    /// `from` tells who provides something; nothing answers it.
    pub fn notice<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        from: PeerRef,
        announcement: &Announcement,
    ) {
        cx.effects.charge(REQUEST_WORK);
        self.heard(cx, from);
        if self.config.mode == Mode::Client {
            refused(cx, from, Refusal::NotServing);
        } else if announcement.providers.contains(&from) {
            let expires = cx.now.instant + self.config.provider_ttl;
            let target = &announcement.target;
            let providers = self.providers.get_or_insert_with(|| Box::new(Providers::new()));
            match providers.admit(target, from, expires, &self.config) {
                Ok(Novelty::New) => {
                    cx.effects.event(Event::ProviderAdded { target: Arc::clone(target), provider: from });
                }
                Ok(Novelty::Known) => {}
                Err(reason) => refused(cx, from, reason),
            }
        } else {
            refused(cx, from, Refusal::NotTheProvider);
        }
        self.settle(cx);
    }

    /// `from` answers.
    pub fn response<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        from: PeerRef,
        exchange: ExchangeId,
        response: Response,
    ) {
        cx.effects.charge(RESPONSE_WORK);
        let Some(pending) = self.exchanges.answered(exchange, from) else {
            refused(cx, from, Refusal::Unsolicited);
            return;
        };
        if self.fits(pending.purpose, &response) {
            trace::answered(cx, &pending, &response);
            self.contact_answered(cx, from);
            self.answered(cx, pending, response);
        } else {
            refused(cx, from, Refusal::WrongKind);
            trace::unanswered(cx, &pending, None);
            self.unanswered(cx, pending);
        }
        self.settle(cx);
    }

    /// A request of ours will not be answered. One that this peer could not send says nothing of the other.
    pub fn failed<E: Effects>(&mut self, cx: &mut Context<'_, E>, exchange: ExchangeId, reason: SendFailure) {
        let Some(pending) = self.exchanges.failed(exchange) else {
            return;
        };
        trace::unanswered(cx, &pending, Some(reason));
        match reason {
            SendFailure::QueueFull => self.search_failed(cx, pending),
            // It is there, and will not take this one value.
            SendFailure::Refused if matches!(pending.purpose, Purpose::Store { .. }) => {
                self.search_failed(cx, pending);
            }
            SendFailure::Timeout | SendFailure::Unreachable | SendFailure::Refused | SendFailure::Closed => {
                self.unanswered(cx, pending);
            }
        }
        self.settle(cx);
    }

    /// The link to `peer` was closed.
    pub fn closed<E: Effects>(&mut self, cx: &mut Context<'_, E>, peer: PeerRef) {
        self.table.closed(peer, cx.now.instant, cx.book);
    }

    /// A change was persisted, or was not.
    pub fn persisted<E: Effects>(&mut self, cx: &mut Context<'_, E>, write: WriteId, result: StoreResult) {
        let Some(write) = self.records.take_write(write) else {
            // A delete. If it failed, its record comes back at the next start, expired.
            return;
        };
        if result.is_err() {
            self.turn_down(cx, write.from, write.exchange, Refusal::NotPersisted);
            self.settle(cx);
            return;
        }
        let replicate = cx.now.instant + self.jittered(self.config.replicate_interval);
        if self.records.hold(&write, replicate) == Novelty::New {
            cx.effects.event(Event::RecordStored { record: Arc::clone(&write.record) });
        }
        cx.effects.answer(write.from, write.exchange, Response::Stored(write.record));
        self.settle(cx);
    }

    /// The time of [`Kad::next_deadline`] has come.
    pub fn deadline<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        let now = cx.now.instant;
        while let Some(serial) =
            self.lookups.iter().find(|lookup| lookup.deadline <= now).map(|lookup| lookup.serial)
        {
            self.search_ended(cx, serial, SearchEnd::OutOfTime);
        }
        self.settle(cx);
    }

    /// When [`Kad::deadline`] is to be called, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let lookups = self.lookups.iter().map(|lookup| lookup.deadline).min();
        let mut next = lookups.unwrap_or(Instant::NEVER);
        if self.maintenance.stage == Stage::Idle {
            next = next.min(self.maintenance.due);
        }
        if self.record_lookups() < RECORD_LOOKUPS {
            next = next.min(self.records.due()).min(self.published.due()).min(self.providers_due());
        }
        (next < Instant::NEVER).then_some(next)
    }
}

/// Views, for probes and for the peer that embeds this.
impl Kad {
    /// The routing table.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Lookups under way, the peer's own included.
    #[must_use]
    pub fn lookups_in_flight(&self) -> usize {
        self.lookups.len()
    }

    /// Requests that wait for their answer.
    #[must_use]
    pub fn requests_in_flight(&self) -> usize {
        self.exchanges.len()
    }

    /// How many records are held for others.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// For how many names providers are remembered, and how many of any name at most.
    #[must_use]
    pub fn provided(&self) -> (usize, usize) {
        self.providers.as_ref().map_or((0, 0), |providers| providers.held())
    }

    /// The records held for others, in the order of their keys, and when each expires.
    pub fn records(&self) -> impl Iterator<Item = (&Arc<Record>, Instant)> {
        self.records.iter()
    }

    /// Calls `each` with every reference held here, some more than once: what [`Book::sweep`] has to keep.
    pub fn for_each_ref(&self, mut each: impl FnMut(PeerRef)) {
        each(self.local);
        self.table.contacts().iter().copied().for_each(&mut each);
        self.table.spares().iter().copied().for_each(&mut each);
        self.maintenance.seeds().iter().copied().for_each(&mut each);
        self.exchanges.iter().for_each(|pending| each(pending.peer));
        self.lookups.iter().for_each(|lookup| lookup.for_each_ref(&mut each));
        let held = self.records.iter().map(|(record, _)| record);
        held.chain(self.published.iter()).filter_map(|record| record.publisher).for_each(&mut each);
        self.providers.iter().for_each(|providers| providers.for_each_ref(&mut each));
        self.records.for_each_write(|write| {
            each(write.from);
            write.record.publisher.into_iter().for_each(&mut each);
        });
    }

    /// Whether all invariants hold.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, book: &Book) -> Result<(), Violation> {
        self.table.check(book)?;
        if !self.lookups.iter().all(|lookup| lookup.is_sound(book)) {
            return Err(Violation::UnsoundLookup);
        }
        let waited_for: usize = self.lookups.iter().map(Lookup::in_flight).sum();
        if !self.exchanges.balance() || self.exchanges.len() < waited_for {
            return Err(Violation::Exchanges);
        }
        if self.lookups.len() > MAX_LOOKUPS {
            return Err(Violation::Limit("lookups"));
        }
        if self.records.writes() > MAX_WRITES {
            return Err(Violation::Limit("writes"));
        }
        if self.records.len() > self.config.max_records as usize {
            return Err(Violation::Limit("records"));
        }
        let (names, providers) = self.provided();
        if names > self.config.max_provided as usize || providers > usize::from(self.config.max_providers) {
            return Err(Violation::Limit("providers"));
        }
        Ok(())
    }
}

/// Contacts.
impl Kad {
    /// `from` said something of its own accord. Who serves nobody is no contact: in libp2p, a peer tells by its protocols
    /// whether it does.
    fn heard<E: Effects>(&mut self, cx: &mut Context<'_, E>, from: PeerRef) {
        if cx.book.serves(from) && self.table.heard(from, cx.now.instant, cx.book) == Admission::Added {
            cx.effects.event(Event::ContactAdded { peer: from });
        }
    }

    pub(crate) fn contact_answered<E: Effects>(&mut self, cx: &mut Context<'_, E>, peer: PeerRef) {
        match self.table.answered(peer, cx.now.instant, cx.book) {
            Admission::Added => cx.effects.event(Event::ContactAdded { peer }),
            Admission::Full(Some(oldest)) => self.check_contact(cx, oldest),
            Admission::Known | Admission::Full(None) | Admission::Nobody => {}
        }
    }

    /// A request was not answered: its lookup goes on, and its contact is asked again at once until it answers or is
    /// evicted. Then the next of its bucket that was not seen for long is checked: the dead gather there.
    pub(crate) fn unanswered<E: Effects>(&mut self, cx: &mut Context<'_, E>, pending: Pending) {
        let peer = pending.peer;
        match self.table.failed(peer, self.config.max_failures, cx.now.instant, cx.book) {
            Failure::Stranger => {}
            Failure::Suspect => self.check_contact(cx, peer),
            Failure::Evicted { successor } => {
                cx.effects.event(Event::ContactEvicted { peer });
                if let Some(peer) = successor {
                    cx.effects.event(Event::ContactAdded { peer });
                }
                if let Some(bucket) = self.table.bucket_of(peer, cx.book) {
                    self.check_bucket(cx, bucket);
                }
            }
        }
        self.search_failed(cx, pending);
    }

    pub(crate) fn check_bucket<E: Effects>(&mut self, cx: &mut Context<'_, E>, bucket: usize) {
        if let Some(unseen) = self.table.unseen(bucket, cx.now.instant) {
            self.check_contact(cx, unseen);
        }
    }

    /// Asks a contact whether it is alive, by a request that any peer answers (libp2p's PING is deprecated), unless
    /// one of its bucket is being asked already.
    fn check_contact<E: Effects>(&mut self, cx: &mut Context<'_, E>, peer: PeerRef) {
        let Some(bucket) = self.table.bucket_of(peer, cx.book) else {
            return;
        };
        if self.exchanges.checks_any(self.table.bucket(bucket)) {
            return;
        }
        let Some(target) = own_target(self.local, cx.book) else {
            return;
        };
        let exchange = cx.effects.request(peer, Request::FindNode(target), self.config.request_timeout);
        self.exchanges.open(exchange, peer, Purpose::Check);
    }

    fn closest_for(&self, target: &Target, asker: PeerRef, book: &Book) -> Box<[PeerRef]> {
        self.table.closest(target.key(), usize::from(self.config.k), Some(asker), book)
    }
}

/// Records.
impl Kad {
    /// The value of this name, as it would be sent now.
    pub(crate) fn value(&self, target: &Target, now: Instant) -> Option<Arc<Record>> {
        match self.records.get(target.key(), now) {
            Some((record, expires)) => Some(with_remaining(record, expires, now)),
            None => self.published.get(target.key()).cloned(),
        }
    }

    fn put<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        from: PeerRef,
        exchange: ExchangeId,
        record: Arc<Record>,
    ) {
        let now = cx.now.instant;
        if record.value.len() as u64 > self.config.max_record_size.as_bytes() {
            self.turn_down(cx, from, exchange, Refusal::RecordTooLarge);
            return;
        }
        let key = record.target.key();
        if self.published.get(key).is_some() {
            // A publisher has the right value: copies that are passed on do not change it.
            cx.effects.answer(from, exchange, Response::Stored(record));
            return;
        }
        let closer = self.table.closer_than_own(key);
        let life = lifetime(record.ttl_secs, self.config.record_ttl, closer, self.config.replication);
        let expires = now + life;
        let replicate = now + self.jittered(self.config.replicate_interval);
        match self.records.admit(&record, expires, replicate, self.config.max_records) {
            Put::Persist => {
                let id = cx.effects.persist(RecordChange::Put { record: Arc::clone(&record), expires });
                self.records.wait(Write { id, record, expires, from, exchange });
            }
            Put::Held => cx.effects.answer(from, exchange, Response::Stored(record)),
            Put::Refuse(reason) => self.turn_down(cx, from, exchange, reason),
        }
    }

    pub(crate) fn expire<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        while let Some((record, on_disk)) = self.records.expire(cx.now.instant) {
            let target = records::target_of(&record);
            if on_disk == OnDisk::Delete {
                cx.effects.persist(RecordChange::Delete { target: Arc::clone(&target) });
            }
            cx.effects.event(Event::RecordExpired { target });
        }
    }

    /// Turns a request away, and says so to whoever waits for its answer.
    fn turn_down<E: Effects>(
        &self,
        cx: &mut Context<'_, E>,
        from: PeerRef,
        exchange: ExchangeId,
        reason: Refusal,
    ) {
        refused(cx, from, reason);
        cx.effects.refuse(from, exchange);
    }

    /// The next record that is to be stored with the peers that are closest by now.
    fn due_record(&mut self, now: Instant) -> Option<Arc<Record>> {
        if self.published.due() <= now {
            let next = now + self.jittered(self.config.republish_interval);
            if let Some(record) = self.published.republish(now, next) {
                return Some(record);
            }
        }
        if self.records.due() <= now {
            let next = now + self.jittered(self.config.replicate_interval);
            if let Some((record, expires)) = self.records.replicate(now, next) {
                return Some(with_remaining(&record, expires, now));
            }
        }
        None
    }
}

/// Providers.
impl Kad {
    /// Who provides this, `asker` aside: the peers that are remembered, and this peer itself if it does.
    pub(crate) fn providers_of(&self, target: &Target, asker: PeerRef, now: Instant) -> Box<[PeerRef]> {
        let Some(providers) = &self.providers else {
            return Box::default();
        };
        let own = providers.announces(target.key()).then_some(self.local);
        let known = own.into_iter().chain(providers.of(target.key(), now));
        known.filter(|provider| *provider != asker).collect()
    }

    pub(crate) fn providers_due(&self) -> Instant {
        self.providers.as_ref().map_or(Instant::NEVER, |providers| providers.due())
    }

    pub(crate) fn expire_providers<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        let Some(providers) = &mut self.providers else {
            return;
        };
        providers.expire(cx.now.instant, |target, provider| {
            cx.effects.event(Event::ProviderExpired { target: Arc::clone(target), provider });
        });
        if providers.is_empty() {
            self.providers = None;
        }
    }

    /// The next lookup of the upkeep of records and announcements: what is to be stored, or told of, near which point.
    pub(crate) fn due_upkeep(&mut self, now: Instant) -> Option<(Arc<Target>, GoalKind)> {
        if let Some(record) = self.due_record(now) {
            return Some((records::target_of(&record), GoalKind::Store(record)));
        }
        if self.providers_due() > now {
            return None;
        }
        let next = now + self.jittered(self.config.announce_interval);
        let target = self.providers.as_mut()?.announce_again(now, next)?;
        Some((target, GoalKind::Announce))
    }
}

/// The own id as a point to look up.
pub(crate) fn own_target(local: PeerRef, book: &Book) -> Option<Arc<Target>> {
    book.id(local).map(PeerId::as_bytes).map(|name| Arc::new(Target::new(name)))
}

pub(crate) fn refused<E: Effects>(cx: &mut Context<'_, E>, peer: PeerRef, reason: Refusal) {
    cx.effects.event(Event::Refused { peer, reason });
}
