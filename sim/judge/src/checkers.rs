//! The checkers that ship, by name.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use types::{Instant, PeerRef};

use crate::check::{
    CheckResult, Checker, Concern, Evidence, Fact, Facts, Flaw, Moment, Probe, Sample, Sight, Status,
    Timeline, Watch, When, Witness,
};
use crate::history::{Kind, Operation};
use crate::plan::expression::MILLION;

/// The mean share of its true nearest peers that a table holds once routing has converged, in millionths.
pub const CONVERGED: u64 = 950_000;

/// The share of GETs that return a stored value once stored records are found, and of searches that find a provider once
/// providers are, in millionths: of a lossy network's requests a few stay unanswered for good.
pub const FOUND: u64 = 990_000;

/// The names of the checkers that ship, and when each must hold.
pub const NAMES: &[(&str, When)] = &[
    ("buckets_well_formed", When::Always),
    ("lookups_monotone", When::Always),
    ("no_self_in_table", When::Always),
    ("queues_bounded", When::Always),
    ("bucket_full", When::Sometimes),
    ("contact_evicted", When::Sometimes),
    ("lookup_met_dead_peer", When::Sometimes),
    ("routing_converged", When::Eventually),
    ("stored_records_found", When::Eventually),
    ("providers_found", When::Eventually),
];

/// The checker of this name.
#[must_use]
pub fn checker(name: &str) -> Option<Box<dyn Checker>> {
    let invariant = |name, look| Some(Box::new(Invariant { name, look }) as Box<dyn Checker>);
    let sighting = |name, watch, look| Some(Box::new(Sighting { name, watch, look }) as Box<dyn Checker>);
    match name {
        "buckets_well_formed" => invariant("buckets_well_formed", buckets_well_formed),
        "lookups_monotone" => invariant("lookups_monotone", lookups_monotone),
        "no_self_in_table" => invariant("no_self_in_table", no_self_in_table),
        "queues_bounded" => invariant("queues_bounded", queues_bounded),
        "bucket_full" => sighting("bucket_full", Watch::Samples, bucket_full),
        "contact_evicted" => sighting("contact_evicted", Watch::Events, contact_evicted),
        "lookup_met_dead_peer" => sighting("lookup_met_dead_peer", Watch::Operations, lookup_met_dead_peer),
        "routing_converged" => Some(Box::new(RoutingConverged)),
        "stored_records_found" => Some(Box::new(FoundAtLast::RECORDS)),
        "providers_found" => Some(Box::new(FoundAtLast::PROVIDERS)),
        _ => None,
    }
}

/// Something that holds of a peer's state at every sampling instant.
#[derive(Clone, Copy, Debug)]
struct Invariant {
    name: &'static str,
    /// Says nothing of a peer without the layer that the invariant is about.
    look: fn(u32, &Sample<'_>) -> Option<Fact>,
}

impl Probe for Invariant {
    fn watches(&self) -> &[Watch] {
        &[Watch::Samples]
    }

    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        match &moment.sight {
            Sight::Sample(sample) => (self.look)(moment.peer, sample),
            Sight::Event(_) | Sight::Operation(_) => None,
        }
    }
}

impl Checker for Invariant {
    fn name(&self) -> &str {
        self.name
    }

    fn when(&self) -> When {
        When::Always
    }

    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(*self))
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let facts = total(evidence);
        let broken = facts.first_violated.clone();
        let (status, detail) = match &broken {
            Some(witness) => {
                let more = facts.violated.saturating_sub(1);
                let times = if more == 0 { String::new() } else { alloc::format!(", and {more} times more") };
                (Status::Fail, alloc::format!("{}{times}", witness.what))
            }
            None if facts.unserved > 0 => {
                (Status::Unknown, alloc::format!("nobody can tell of {} samples", facts.unserved))
            }
            None if facts.served() == 0 => (Status::Unknown, "nobody could be asked".to_string()),
            None => (Status::Pass, String::new()),
        };
        result(self, status, detail, broken.as_ref())
    }
}

/// Something that is seen at least once.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    name: &'static str,
    watch: Watch,
    look: fn(&Sight<'_>) -> Option<Fact>,
}

impl Probe for Sighting {
    fn watches(&self) -> &[Watch] {
        core::slice::from_ref(&self.watch)
    }

    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        (self.look)(&moment.sight)
    }
}

impl Checker for Sighting {
    fn name(&self) -> &str {
        self.name
    }

    fn when(&self) -> When {
        When::Sometimes
    }

    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(*self))
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let facts = total(evidence);
        let status = match (facts.reached, facts.unserved) {
            (0, 0) => Status::NeverReached,
            (0, _) if facts.served() == 0 => Status::Unknown,
            (0, _) => Status::NeverReached,
            (1.., _) => Status::Pass,
        };
        let detail = match facts.reached {
            0 => String::new(),
            times => alloc::format!("seen {times} times"),
        };
        result(self, status, detail, facts.first_reached.as_ref())
    }
}

fn total(evidence: &Evidence<'_>) -> Facts {
    let mut total = Facts::default();
    for facts in evidence.facts.values() {
        total.merge(facts.clone());
    }
    total
}

fn result(checker: &dyn Checker, status: Status, detail: String, witness: Option<&Witness>) -> CheckResult {
    CheckResult {
        name: checker.name().to_string(),
        when: checker.when(),
        status,
        detail,
        at: witness.map(|witness| witness.at),
        peer: witness.map(|witness| witness.peer),
    }
}

/// What is to be said of this concern. The DHT names the first violation: what it checks behind that is not known.
fn judge(concern: Concern, soundness: &Result<(), Flaw>) -> Fact {
    let Err(flaw) = soundness else { return Fact::Holds };
    match flaw.concern.cmp(&concern) {
        Ordering::Less => Fact::Unserved,
        Ordering::Equal => Fact::Violated(flaw.what.clone()),
        Ordering::Greater => Fact::Holds,
    }
}

fn buckets_well_formed(_: u32, sample: &Sample<'_>) -> Option<Fact> {
    sample.soundness().map(|soundness| judge(Concern::Table, soundness))
}

fn lookups_monotone(_: u32, sample: &Sample<'_>) -> Option<Fact> {
    sample.soundness().map(|soundness| judge(Concern::Lookups, soundness))
}

fn no_self_in_table(peer: u32, sample: &Sample<'_>) -> Option<Fact> {
    let table = sample.view.kad?.table();
    let own = PeerRef::shared(peer);
    if table.contacts().iter().chain(table.spares()).any(|contact| *contact == own) {
        return Some(Fact::Violated("the table holds the peer itself".to_string()));
    }
    // A table that is not sound may not show all that it holds.
    match sample.soundness() {
        Some(Err(Flaw { concern: Concern::Table, .. })) => Some(Fact::Unserved),
        _ => Some(Fact::Holds),
    }
}

fn queues_bounded(_: u32, sample: &Sample<'_>) -> Option<Fact> {
    if sample.queue > sample.queue_limit {
        let (queue, limit) = (sample.queue, sample.queue_limit);
        return Some(Fact::Violated(alloc::format!("{queue} inputs wait, more than {limit}")));
    }
    // Its queue is bounded, whatever layers it has.
    Some(sample.soundness().map_or(Fact::Holds, |soundness| judge(Concern::Limits, soundness)))
}

fn bucket_full(sight: &Sight<'_>) -> Option<Fact> {
    let Sight::Sample(sample) = sight else { return None };
    let Some(kad) = sample.view.kad else { return Some(Fact::Unserved) };
    let (table, k) = (kad.table(), usize::from(kad.config().k));
    let full = (0..table.bucket_count()).any(|prefix| table.bucket(prefix).len() >= k);
    Some(if full { Fact::Reached } else { Fact::Holds })
}

fn contact_evicted(sight: &Sight<'_>) -> Option<Fact> {
    matches!(sight, Sight::Event(node::Event::Kad(kad::Event::ContactEvicted { .. })))
        .then_some(Fact::Reached)
}

/// As the asking peer sees it: somebody whom a lookup asked did not answer. A lost request looks the same.
fn lookup_met_dead_peer(sight: &Sight<'_>) -> Option<Fact> {
    matches!(sight, Sight::Operation(operation) if operation.timeouts > 0).then_some(Fact::Reached)
}

/// Once the faults are over, tables come to hold their peers' true nearest peers.
#[derive(Clone, Copy, Debug)]
struct RoutingConverged;

#[derive(Debug)]
struct NearestKnown {
    from: Instant,
    nearest: Vec<u32>,
}

impl Probe for NearestKnown {
    fn watches(&self) -> &[Watch] {
        &[Watch::Samples]
    }

    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        let Sight::Sample(sample) = &moment.sight else { return None };
        // A sample is taken before what happens at its instant.
        if moment.at <= self.from {
            return None;
        }
        let kad = sample.view.kad?;
        let (table, k) = (kad.table(), usize::from(kad.config().k));
        moment.oracle.closest(table.own(), k, Some(moment.peer), &mut self.nearest);
        let known = |peer: &u32| table.contains(PeerRef::shared(*peer), sample.book);
        let hits = self.nearest.iter().filter(|peer| known(peer)).count() as u32;
        Some(Fact::Ratio { hits, of: self.nearest.len() as u32 })
    }
}

impl Checker for RoutingConverged {
    fn name(&self) -> &str {
        "routing_converged"
    }

    fn when(&self) -> When {
        When::Eventually
    }

    fn probe(&self, timeline: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(NearestKnown { from: timeline.calm_from, nearest: Vec::new() }))
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let timeline = evidence.timeline;
        let mut holds_since = None;
        let mut last = None;
        for (slot, facts) in evidence.facts {
            let Some(mean) = facts.ratio_sum.checked_div(facts.ratios) else { continue };
            last = Some(mean);
            if mean < CONVERGED {
                holds_since = None;
            } else if holds_since.is_none() {
                holds_since = Some(timeline.grid.instant(*slot));
            }
        }
        let Some(last) = last else {
            return unheard(self, timeline, "no table was looked at after the faults");
        };
        let percent = shown(last);
        let detail = alloc::format!("tables hold {percent} of their true nearest peers at the end");
        came_to_hold(self, timeline, holds_since, detail)
    }
}

/// Once the faults are over, what is stored or provided comes to be found: from some moment until the end, [`FOUND`] of
/// the operations that count succeed.
#[derive(Clone, Copy, Debug)]
struct FoundAtLast {
    name: &'static str,
    kind: Kind,
    /// What is said if nothing was asked for.
    unasked: &'static str,
    /// What is said of those that did not succeed.
    missed: &'static str,
}

impl FoundAtLast {
    const RECORDS: Self = Self {
        name: "stored_records_found",
        kind: Kind::Get,
        unasked: "no stored record was asked for after the faults",
        missed: "GETs after the faults did not find what was stored",
    };
    const PROVIDERS: Self = Self {
        name: "providers_found",
        kind: Kind::Find,
        unasked: "nothing that is provided was looked for after the faults",
        missed: "searches after the faults did not find who provides",
    };
}

impl Checker for FoundAtLast {
    fn name(&self) -> &str {
        self.name
    }

    fn when(&self) -> When {
        When::Eventually
    }

    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        None
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let timeline = evidence.timeline;
        let counts = |operation: &&Operation| {
            operation.kind == self.kind && operation.counts && operation.begun >= timeline.calm_from
        };
        let asked_for = evidence.operations.iter().filter(counts);
        let (mut holds_since, mut asked, mut found) = (None, 0u64, 0u64);
        // From the end, so that at each GET the share of those from it on is known; the earliest that serves is kept.
        for (get, succeeded) in asked_for.rev().filter_map(|get| Some((get, get.end.succeeded()?))) {
            asked += 1;
            found += u64::from(succeeded);
            if succeeded && found * MILLION >= asked * FOUND {
                holds_since = Some(get.begun);
            }
        }
        if asked == 0 {
            return unheard(self, timeline, self.unasked);
        }
        came_to_hold(
            self,
            timeline,
            holds_since,
            alloc::format!("{} of {asked} {}", asked - found, self.missed),
        )
    }
}

/// Millionths as percent.
fn shown(millionths: u64) -> String {
    let hundredths = millionths * 10_000 / MILLION;
    alloc::format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn unheard(checker: &dyn Checker, timeline: Timeline, why: &str) -> CheckResult {
    let detail = alloc::format!("{why} (at {})", timeline.calm_from);
    result(checker, Status::Unknown, detail, None)
}

/// What comes of something that has held since then, until the end.
fn came_to_hold(
    checker: &dyn Checker,
    timeline: Timeline,
    since: Option<Instant>,
    detail: String,
) -> CheckResult {
    let status = match since {
        Some(since) if since <= timeline.deadline => Status::Pass,
        // It held too late, or not at the end; before the deadline has come, neither is known.
        _ if timeline.ended < timeline.deadline => Status::Unknown,
        _ => Status::Fail,
    };
    let mut outcome = result(checker, status, detail, None);
    outcome.at = match status {
        Status::Fail => Some(since.unwrap_or(timeline.ended)),
        Status::Pass | Status::NeverReached | Status::Unknown => since,
    };
    outcome
}

#[cfg(test)]
mod tests {
    use kad::violation::Violation;

    use super::*;

    #[test]
    fn nothing_is_known_of_what_is_checked_behind_a_violation() {
        let facts = |soundness: Result<(), Violation>| {
            let soundness = soundness.map_err(Flaw::from);
            [Concern::Table, Concern::Lookups, Concern::Limits].map(|concern| judge(concern, &soundness))
        };
        let violated = |violation: Violation| Fact::Violated(violation.to_string());
        let torn = violated(Violation::Torn);
        assert_eq!(facts(Ok(())), [Fact::Holds, Fact::Holds, Fact::Holds]);
        assert_eq!(facts(Err(Violation::Torn)), [torn, Fact::Unserved, Fact::Unserved]);
        let unsound = violated(Violation::UnsoundLookup);
        assert_eq!(facts(Err(Violation::UnsoundLookup)), [Fact::Holds, unsound, Fact::Unserved]);
        let lost = violated(Violation::Exchanges);
        assert_eq!(facts(Err(Violation::Exchanges)), [Fact::Holds, Fact::Holds, lost]);
    }
}
