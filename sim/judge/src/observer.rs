//! What one shard sees of its peers, as it happens.
//!
//! A stage tells its shard's observer everything in the order of time: first it samples the peers at a sampling instant,
//! before anything else happens at it; then it tells what happened up to the next moment ([`Observer::begin`],
//! [`Observer::event`], [`Observer::abandoned`], [`Observer::life`]), and that it has told all
//! ([`Observer::advance`]). The lives of all peers of all shards are known ahead, so the observer follows them itself.
//!
//! Invariant: what comes out depends on what the shard's own peers did and on the plan alone, so that the findings of
//! any division of the peers add up to the same.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use node::View;
use play::{LifeEvent, Lives, Subject, Tally};
use types::{Book, Instant, OperationId};

use crate::check::{self, Fact, Facts, Flaw, Moment, Probe, Sight, Watch};
use crate::history::{End, Operation};
use crate::judge::Plan;
use crate::oracle::Oracle;
use crate::sample::{Samples, Slot, Traffic};
use crate::tables::Tables;

/// One shard's eyes.
#[derive(Debug)]
pub struct Observer {
    plan: Plan,
    lives: Lives,
    oracle: Oracle,
    /// By checker.
    probes: Vec<Option<Box<dyn Probe>>>,
    open: BTreeMap<OperationId, Operation>,
    /// What was counted so far of the shard's messages.
    traffic: Traffic,
    /// The tables of the peers are kept whose number is a multiple of this.
    tables_every: u32,
    findings: Findings,
}

/// What a shard observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    pub(crate) operations: Vec<Operation>,
    pub(crate) samples: Samples,
    /// By checker and sampling instant.
    pub(crate) facts: Vec<BTreeMap<Slot, Facts>>,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) tables: Tables,
}

impl Findings {
    pub(crate) fn new(checkers: usize, tallies: &[Tally]) -> Self {
        Self {
            operations: Vec::new(),
            samples: Samples::new(),
            facts: alloc::vec![BTreeMap::new(); checkers],
            tallies: tallies.to_vec(),
            tables: Tables::default(),
        }
    }

    /// Adds what another shard observed, or the same one at another time.
    pub fn merge(&mut self, other: Self) {
        self.operations.extend(other.operations);
        for (slot, sample) in other.samples {
            self.samples.entry(slot).or_default().merge(&sample);
        }
        for (own, others) in self.facts.iter_mut().zip(other.facts) {
            for (slot, facts) in others {
                own.entry(slot).or_default().merge(facts);
            }
        }
        for (own, other) in self.tallies.iter_mut().zip(other.tallies) {
            own.got += other.got;
        }
        self.tables.merge(other.tables);
    }
}

impl Observer {
    /// Eyes for one shard, before anything has happened.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            lives: plan.play.lives(),
            oracle: Oracle::new(&plan.order),
            probes: plan.checkers.iter().map(|checker| checker.probe(&plan.timeline)).collect(),
            open: BTreeMap::new(),
            traffic: Traffic::default(),
            tables_every: Tables::every(plan.play.scene().book().len() as u32),
            findings: plan.nothing(),
            plan: plan.clone(),
        }
    }

    /// Whether `peer` is up, as far as time has been told.
    #[must_use]
    pub fn is_online(&self, peer: u32) -> bool {
        self.oracle.is_online(peer)
    }

    /// How many peers are up, as far as time has been told.
    #[must_use]
    pub const fn online(&self) -> u32 {
        self.oracle.online()
    }

    /// Everything before `to` has been told.
    pub fn advance(&mut self, to: Instant) {
        while self.lives.next_at().is_some_and(|at| at < to) {
            self.turn();
        }
    }

    /// One life begins or ends.
    fn turn(&mut self) {
        match self.lives.next() {
            Some(event) if event.is_up() => self.oracle.rise(event.peer),
            Some(event) => self.oracle.fall(event.peer),
            None => {}
        }
    }

    /// Everything up to `at`, the lives that begin and end at that instant included.
    fn learn(&mut self, at: Instant) {
        while self.lives.next_at().is_some_and(|next| next <= at) {
            self.turn();
        }
    }

    /// A sampling instant has come. `traffic` is what the shard's messages add up to since the beginning.
    pub fn sampled(&mut self, at: Instant, traffic: Traffic) {
        self.advance(at);
        let slot = self.plan.timeline.grid.sampled(at);
        let sample = self.findings.samples.entry(slot).or_default();
        sample.online = self.oracle.online();
        sample.traffic.add(&traffic.since(&self.traffic));
        self.traffic = traffic;
    }

    /// What a peer of this shard looks like at a sampling instant.
    pub fn sample(&mut self, at: Instant, peer: u32, view: View<'_>, book: &Book, queue: usize) {
        self.take(at, peer, check::Sample::new(view, book, queue, self.queue_limit(peer)));
    }

    /// What a peer that is elsewhere told of itself at a sampling instant; it checked its DHT's invariants there.
    pub fn sample_told(
        &mut self,
        at: Instant,
        peer: u32,
        view: View<'_>,
        book: &Book,
        queue: usize,
        soundness: Result<(), Flaw>,
    ) {
        self.take(at, peer, check::Sample::told(view, book, queue, self.queue_limit(peer), soundness));
    }

    /// A peer that is up could not be asked what it looks like at a sampling instant.
    pub fn sample_untold(&mut self, at: Instant, peer: u32) {
        self.advance(at);
        let slot = self.plan.timeline.grid.sampled(at);
        for (probe, facts) in self.probes.iter().zip(&mut self.findings.facts) {
            if probe.as_ref().is_some_and(|probe| probe.watches().contains(&Watch::Samples)) {
                facts.entry(slot).or_default().add(at, peer, Fact::Unserved);
            }
        }
    }

    fn queue_limit(&self, peer: u32) -> usize {
        self.plan.play.group_of(peer).node.limits.inbound_queue as usize
    }

    fn take(&mut self, at: Instant, peer: u32, taken: check::Sample<'_>) {
        self.advance(at);
        let slot = self.plan.timeline.grid.sampled(at);
        let sample = self.findings.samples.entry(slot).or_default();
        sample.queue = sample.queue.max(taken.queue as u64);
        if let Some(kad) = taken.view.kad {
            let contacts = kad.table().contacts();
            let up = |index: Option<usize>| index.is_some_and(|index| self.oracle.is_online(index as u32));
            sample.tables += 1;
            sample.contacts += contacts.len() as u64;
            sample.stale += contacts.iter().filter(|contact| !up(contact.index())).count() as u64;
        }
        if peer.is_multiple_of(self.tables_every) {
            self.findings.tables.take(at, peer, taken.view.kad.map(kad::Kad::table));
        }
        self.look(slot, at, peer, Watch::Samples, Sight::Sample(taken));
    }

    /// A client asks a peer of this shard.
    pub fn begin(&mut self, at: Instant, peer: u32, command: &node::Command) {
        let Some(operation) = Operation::begin(at, peer, command) else { return };
        for tally in &mut self.findings.tallies {
            tally.begin(operation.id);
        }
        self.open.insert(operation.id, operation);
    }

    /// A peer of this shard tells something.
    pub fn event(&mut self, at: Instant, peer: u32, event: &node::Event) {
        let node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }) = event else {
            if self.is_watched(Watch::Events) {
                let slot = self.plan.timeline.grid.slot(at);
                self.learn(at);
                self.look(slot, at, peer, Watch::Events, Sight::Event(event));
            }
            return;
        };
        let Some(mut operation) = self.open.remove(id) else { return };
        self.learn(at);
        let k = usize::from(self.plan.play.group_of(peer).node.kad.k);
        operation.end(at, report, outcome, k, &self.oracle);
        let slot = self.plan.timeline.grid.slot(at);
        self.look(slot, at, peer, Watch::Operations, Sight::Operation(&operation));
        self.findings.operations.push(operation);
    }

    /// An operation will not end: its peer stopped.
    pub fn abandoned(&mut self, at: Instant, _peer: u32, id: OperationId) {
        self.give_up(at, id, End::Abandoned);
    }

    /// A peer of this shard has in fact come up or gone down, as the plan wanted.
    pub fn life(&mut self, event: &LifeEvent) {
        let by = event.fault.filter(|_| !event.is_up()).map(Subject::Fault);
        for tally in self.findings.tallies.iter_mut().filter(|tally| Some(tally.subject) == by) {
            tally.got += 1;
        }
    }

    /// What was observed since this was last asked; merged, the parts are the whole. Tables are told at the end alone: only
    /// the last of them count.
    #[must_use]
    pub fn so_far(&mut self) -> Findings {
        let tables = core::mem::take(&mut self.findings.tables);
        let told = core::mem::replace(&mut self.findings, self.plan.nothing());
        self.findings.tables = tables;
        told
    }

    /// The run has ended: what is still open remains so.
    #[must_use]
    pub fn close(mut self, at: Instant) -> Findings {
        while let Some((id, _)) = self.open.first_key_value() {
            let id = *id;
            self.give_up(at, id, End::Unfinished);
        }
        self.findings
    }

    fn give_up(&mut self, at: Instant, id: OperationId, end: End) {
        if let Some(mut operation) = self.open.remove(&id) {
            operation.give_up(at, end);
            self.findings.operations.push(operation);
        }
    }

    fn is_watched(&self, watch: Watch) -> bool {
        self.probes.iter().flatten().any(|probe| probe.watches().contains(&watch))
    }

    fn look(&mut self, slot: Slot, at: Instant, peer: u32, watch: Watch, sight: Sight<'_>) {
        let up_since = self.plan.play.lifecycle().up_since(peer, at);
        let moment = Moment { at, peer, up_since, oracle: &self.oracle, sight };
        for (probe, facts) in self.probes.iter_mut().zip(&mut self.findings.facts) {
            let probe = probe.as_mut().filter(|probe| probe.watches().contains(&watch));
            if let Some(fact) = probe.and_then(|probe| probe.look(&moment)) {
                facts.entry(slot).or_default().add(at, peer, fact);
            }
        }
    }
}
