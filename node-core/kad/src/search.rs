//! Driving lookups: sends what they ask for, feeds them what comes back, and ends them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{OperationId, PeerRef};

use crate::effects::{Context, Effects};
use crate::event::{Command, Event, LookupReport, Operation, Outcome, Refusal};
use crate::exchanges::{Pending, Purpose};
use crate::lookup::{Goal, GoalKind, Lookup, Shape, Sought, Storing};
use crate::machine::{Kad, refused};
use crate::message::{Announcement, Record, Request, Response, Target};
use crate::providers::{MAX_SOUGHT, Providers};
use crate::rank::Ranked;
use crate::trace::{self, SearchEnd, Step};
use crate::{MAX_LOOKUPS, RECORD_LOOKUPS, REFRESH_LOOKUPS};

impl Kad {
    /// A client asks.
    pub fn command<E: Effects>(&mut self, cx: &mut Context<'_, E>, command: Command) {
        let Command { id, operation } = command;
        if self.operations() >= MAX_LOOKUPS - RECORD_LOOKUPS - REFRESH_LOOKUPS {
            ended(cx, id, Box::default(), Outcome::Busy);
            return;
        }
        let (target, kind) = match operation {
            Operation::Lookup(target) => (target, GoalKind::Find),
            Operation::Get(target) => {
                if let Some(record) = self.value(&target, cx.now.instant) {
                    ended(cx, id, Box::default(), Outcome::Value(record));
                    return;
                }
                (target, GoalKind::Get)
            }
            Operation::Put { target, value } => {
                let record = self.own_record(&target, value);
                let again = cx.now.instant + self.jittered(self.config.republish_interval);
                if self.published.keep(Arc::clone(&record), again).is_none() {
                    ended(cx, id, Box::default(), Outcome::Busy);
                    return;
                }
                (target, GoalKind::Store(record))
            }
            Operation::Announce(target) => {
                let again = cx.now.instant + self.jittered(self.config.announce_interval);
                let providers = self.providers.get_or_insert_with(|| Box::new(Providers::new()));
                if providers.announce(&target, again).is_none() {
                    ended(cx, id, Box::default(), Outcome::Busy);
                    return;
                }
                (target, GoalKind::Announce)
            }
            Operation::FindProviders { target, enough } => {
                let enough = usize::from(enough.clamp(1, MAX_SOUGHT));
                let mut sought = Box::new(Sought { enough, found: Vec::new() });
                if sought.learn(&self.providers_of(&target, self.local, cx.now.instant), self.local) {
                    let report = LookupReport { providers: sought.found.into(), ..LookupReport::default() };
                    ended(cx, id, Box::new(report), Outcome::Providers);
                    return;
                }
                (target, GoalKind::Providers(sought))
            }
        };
        let goal = Goal { operation: Some(id), kind };
        self.launch(cx, target, goal, &[]);
        self.settle(cx);
    }

    /// Starts a lookup from the closest contacts and, on a path of their own, these `seeds`. It may end at once.
    pub(crate) fn launch<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        target: Arc<Target>,
        goal: Goal,
        seeds: &[PeerRef],
    ) {
        let k = usize::from(self.config.k);
        let start = self.table.ranked(target.key(), k, None, cx.book);
        let seeds: Vec<_> = seeds
            .iter()
            .filter(|seed| **seed != self.local)
            .filter_map(|seed| Ranked::new(*seed, target.key(), cx.book))
            .collect();
        let shape = Shape { k: self.config.k, alpha: self.config.alpha, paths: self.config.disjoint_paths };
        let deadline = cx.now.instant + self.config.lookup_timeout;
        let serial = self.serial;
        self.serial = self.serial.wrapping_add(1);
        let starts = (start.as_slice(), seeds.as_slice());
        trace::tell(cx, serial, || Step::Began {
            operation: goal.operation,
            target: Arc::clone(&target),
            contacts: start.iter().chain(&seeds).map(|ranked| ranked.peer).collect(),
        });
        self.lookups.push(Lookup::new(serial, target, goal, deadline, shape, starts, cx.book));
        self.advance(cx, serial);
    }

    /// Whether an answer is one to what was asked.
    pub(crate) fn fits(&self, purpose: Purpose, response: &Response) -> bool {
        match (purpose, response) {
            (Purpose::AskNodes { .. } | Purpose::Check, Response::Nodes(_))
            | (Purpose::AskProviders { .. }, Response::Providers(_)) => true,
            (Purpose::AskValue { lookup, .. }, Response::Value { record, .. }) => {
                match (record, self.lookup(lookup)) {
                    (Some(record), Some(lookup)) => record.target == *lookup.target,
                    (None, _) | (_, None) => true,
                }
            }
            (Purpose::Store { lookup }, Response::Stored(echo)) => match self.lookup(lookup) {
                Some(lookup) => lookup.goal.kind.stores(echo),
                None => true,
            },
            _ => false,
        }
    }

    /// An answer that fits is told to the lookup that asked, if that is still under way.
    pub(crate) fn answered<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        pending: Pending,
        response: Response,
    ) {
        match (pending.purpose, response) {
            (Purpose::AskNodes { lookup, path }, Response::Nodes(closer)) => {
                self.named(cx, lookup, path, pending.peer, &closer);
                self.advance(cx, lookup);
            }
            (Purpose::AskValue { lookup, path }, Response::Value { record, closer }) => {
                self.named(cx, lookup, path, pending.peer, &closer);
                self.advance(cx, lookup);
                if let Some(record) = record {
                    self.value_found(cx, lookup, record);
                }
            }
            (Purpose::AskProviders { lookup, path }, Response::Providers(answer)) => {
                self.named(cx, lookup, path, pending.peer, &answer.closer);
                if self.providers_named(lookup, &answer.providers) {
                    self.search_ended(cx, lookup, SearchEnd::ProvidersFound);
                } else {
                    self.advance(cx, lookup);
                }
            }
            (Purpose::Store { lookup }, _) => self.stored(cx, lookup, 1),
            _ => {}
        }
    }

    /// A request of a lookup will not be answered.
    pub(crate) fn search_failed<E: Effects>(&mut self, cx: &mut Context<'_, E>, pending: Pending) {
        match pending.purpose {
            Purpose::AskNodes { lookup, path }
            | Purpose::AskValue { lookup, path }
            | Purpose::AskProviders { lookup, path } => {
                if let Some(lookup) = self.lookup_mut(lookup) {
                    lookup.failed(pending.peer, path);
                }
                self.advance(cx, lookup);
            }
            Purpose::Store { lookup } => self.stored(cx, lookup, 0),
            Purpose::Check => {}
        }
    }

    /// A search is over, because its paths are done or its time is up.
    pub(crate) fn search_ended<E: Effects>(&mut self, cx: &mut Context<'_, E>, serial: u32, end: SearchEnd) {
        trace::tell(cx, serial, || Step::Ended(end));
        let (replication, own) = (usize::from(self.config.replication), self.local);
        let Some(lookup) = self.lookup_mut(serial) else {
            return;
        };
        let report = lookup.report();
        if report.closest.is_empty() && report.providers.is_empty() {
            self.conclude(cx, serial, report, Outcome::Isolated);
            return;
        }
        match &lookup.goal.kind {
            GoalKind::Find => self.conclude(cx, serial, report, Outcome::Found),
            GoalKind::Get => self.conclude(cx, serial, report, Outcome::NotFound),
            GoalKind::Providers(_) if report.providers.is_empty() => {
                self.conclude(cx, serial, report, Outcome::NotFound);
            }
            GoalKind::Providers(_) => self.conclude(cx, serial, report, Outcome::Providers),
            GoalKind::Announce => {
                let providers = Box::new([own]);
                let announcement = Arc::new(Announcement { target: Arc::clone(&lookup.target), providers });
                let told = report.closest.iter().take(replication);
                let told = told.map(|peer| cx.effects.notify(*peer, Arc::clone(&announcement))).count();
                self.conclude(cx, serial, report, Outcome::Announced { told: told as u16 });
            }
            GoalKind::Store(record) => {
                let request = Request::PutValue(Arc::clone(record));
                let holders: Box<[PeerRef]> = report.closest.iter().copied().take(replication).collect();
                lookup.begin_storing(Storing {
                    report,
                    asked: holders.len() as u16,
                    acknowledged: 0,
                    waiting: holders.len() as u16,
                });
                for peer in holders {
                    let exchange = cx.effects.request(peer, request.clone(), self.config.request_timeout);
                    self.exchanges.open(exchange, peer, Purpose::Store { lookup: serial });
                }
            }
        }
    }

    fn named<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        serial: u32,
        path: u8,
        from: PeerRef,
        closer: &[PeerRef],
    ) {
        let k = usize::from(self.config.k);
        if closer.len() > k {
            refused(cx, from, Refusal::TooManyPeers);
        }
        let (own, book) = (self.local, cx.book);
        if let Some(lookup) = self.lookup_mut(serial) {
            let named = closer.get(..k).unwrap_or(closer);
            lookup.answered(from, path, named, own, book);
        }
    }

    /// Whether a lookup that was told of these providers has enough.
    fn providers_named(&mut self, serial: u32, named: &[PeerRef]) -> bool {
        let own = self.local;
        match self.lookup_mut(serial).map(|lookup| &mut lookup.goal.kind) {
            Some(GoalKind::Providers(sought)) => sought.learn(named, own),
            _ => false,
        }
    }

    /// Sends what a lookup wants to ask next, or ends it.
    fn advance<E: Effects>(&mut self, cx: &mut Context<'_, E>, serial: u32) {
        let timeout = self.config.request_timeout;
        let Some(place) = self.place(serial) else {
            return;
        };
        let Some(lookup) = self.lookups.get_mut(place).filter(|lookup| lookup.storing.is_none()) else {
            return;
        };
        while let Some((peer, path)) = lookup.next_request() {
            let target = Arc::clone(&lookup.target);
            let (request, purpose) = match &lookup.goal.kind {
                GoalKind::Get => (Request::GetValue(target), Purpose::AskValue { lookup: serial, path }),
                GoalKind::Providers(_) => {
                    (Request::GetProviders(target), Purpose::AskProviders { lookup: serial, path })
                }
                GoalKind::Find | GoalKind::Store(_) | GoalKind::Announce => {
                    (Request::FindNode(target), Purpose::AskNodes { lookup: serial, path })
                }
            };
            trace::asked(cx.effects, lookup, peer, path);
            let exchange = cx.effects.request(peer, request, timeout);
            self.exchanges.open(exchange, peer, purpose);
        }
        if lookup.is_finished() {
            self.search_ended(cx, serial, SearchEnd::Complete);
        }
    }

    fn value_found<E: Effects>(&mut self, cx: &mut Context<'_, E>, serial: u32, record: Arc<Record>) {
        if let Some(lookup) = self.lookup(serial) {
            let report = lookup.report();
            trace::tell(cx, serial, || Step::Ended(SearchEnd::ValueFound));
            self.conclude(cx, serial, report, Outcome::Value(record));
        }
    }

    /// A holder acknowledged a value, or will not.
    fn stored<E: Effects>(&mut self, cx: &mut Context<'_, E>, serial: u32, acknowledged: u16) {
        let Some(storing) = self.lookup_mut(serial).and_then(|lookup| lookup.storing.as_mut()) else {
            return;
        };
        storing.acknowledged += acknowledged;
        storing.waiting -= 1;
        if storing.waiting > 0 {
            return;
        }
        let outcome = Outcome::Stored { acknowledged: storing.acknowledged, asked: storing.asked };
        let report = core::mem::take(&mut storing.report);
        self.conclude(cx, serial, report, outcome);
    }

    /// Removes a lookup and tells whoever waits for it.
    fn conclude<E: Effects>(
        &mut self,
        cx: &mut Context<'_, E>,
        serial: u32,
        report: Box<LookupReport>,
        outcome: Outcome,
    ) {
        let Some(place) = self.place(serial) else {
            return;
        };
        let lookup = self.lookups.remove(place);
        if self.lookups.is_empty() {
            self.lookups.shrink_to_fit();
        }
        if self.maintenance.running == Some(serial) {
            self.maintenance.lookup_ended(&outcome);
        }
        if let Some(id) = lookup.goal.operation {
            ended(cx, id, report, outcome);
        }
    }

    fn own_record(&self, target: &Target, value: Box<[u8]>) -> Arc<Record> {
        let ttl = self.config.record_ttl.as_nanos().div_ceil(1_000_000_000);
        Arc::new(Record {
            target: target.clone(),
            value,
            publisher: Some(self.local),
            ttl_secs: u32::try_from(ttl).unwrap_or(u32::MAX),
        })
    }

    fn operations(&self) -> usize {
        self.lookups.iter().filter(|lookup| lookup.goal.operation.is_some()).count()
    }

    fn place(&self, serial: u32) -> Option<usize> {
        self.lookups.iter().position(|lookup| lookup.serial == serial)
    }

    fn lookup(&self, serial: u32) -> Option<&Lookup> {
        self.lookups.get(self.place(serial)?)
    }

    fn lookup_mut(&mut self, serial: u32) -> Option<&mut Lookup> {
        let place = self.place(serial)?;
        self.lookups.get_mut(place)
    }
}

fn ended<E: Effects>(cx: &mut Context<'_, E>, id: OperationId, report: Box<LookupReport>, outcome: Outcome) {
    cx.effects.event(Event::OperationEnded { id, report, outcome });
}
