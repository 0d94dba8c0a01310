//! What a checker is: a probe beside the peer, facts, and a conclusion drawn from the facts of all.
//!
//! A [`Probe`] runs where the peer runs and turns what it sees into a [`Fact`]. Facts of one sampling instant are added
//! up ([`Facts`]): sums, and the first witness by (instant, peer); so what reaches the conclusion is small and the same
//! however peers are spread. A [`Checker`] makes probes and concludes. A stage that cannot serve a probe yields
//! [`Fact::Unserved`], which never becomes a pass.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::cell::OnceCell;
use core::fmt;

use kad::violation::Violation;
use node::View;
use types::{Book, Instant};

use crate::history::Operation;
use crate::oracle::Oracle;
use crate::plan::expression::MILLION;
use crate::sample::{Grid, Slot};

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// It is as it should be.
    Holds,
    /// It is not: what was seen.
    Violated(String),
    /// So many of so many are as they should be.
    Ratio {
        /// Those that are.
        hits: u32,
        /// All.
        of: u32,
    },
    /// It has happened.
    Reached,
    /// It matters here and cannot be told.
    Unserved,
}

/// Facts of one sampling instant, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many hold.
    pub holds: u64,
    /// How many do not.
    pub violated: u64,
    /// How often it has happened.
    pub reached: u64,
    /// How many could not be told.
    pub unserved: u64,
    /// How many ratios there are.
    pub ratios: u64,
    /// Their sum, each in millionths.
    pub ratio_sum: u64,
    /// The first that does not hold.
    pub first_violated: Option<Witness>,
    /// The first time that it happened.
    pub first_reached: Option<Witness>,
}

/// Where and when something was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Witness {
    /// When.
    pub at: Instant,
    /// At whom.
    pub peer: u32,
    /// What.
    pub what: String,
}

impl Facts {
    /// Adds one.
    pub fn add(&mut self, at: Instant, peer: u32, fact: Fact) {
        let witness = |what| Some(Witness { at, peer, what });
        match fact {
            Fact::Holds => self.holds += 1,
            Fact::Violated(what) => {
                self.violated += 1;
                first(&mut self.first_violated, witness(what));
            }
            Fact::Ratio { hits, of } => {
                self.ratios += 1;
                self.ratio_sum += (u64::from(hits) * MILLION).checked_div(u64::from(of)).unwrap_or(MILLION);
            }
            Fact::Reached => {
                self.reached += 1;
                first(&mut self.first_reached, witness(String::new()));
            }
            Fact::Unserved => self.unserved += 1,
        }
    }

    /// Adds those of another shard, or of another instant.
    pub fn merge(&mut self, other: Self) {
        self.holds += other.holds;
        self.violated += other.violated;
        self.reached += other.reached;
        self.unserved += other.unserved;
        self.ratios += other.ratios;
        self.ratio_sum += other.ratio_sum;
        first(&mut self.first_violated, other.first_violated);
        first(&mut self.first_reached, other.first_reached);
    }

    /// How many were told at all.
    #[must_use]
    pub const fn served(&self) -> u64 {
        self.holds + self.violated + self.reached + self.ratios
    }
}

fn first(held: &mut Option<Witness>, other: Option<Witness>) {
    if other.is_some() && (held.is_none() || other < *held) {
        *held = other;
    }
}

/// What a probe looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// A peer, at each sampling instant.
    Samples,
    /// Each event that a peer tells, the ends of clients' operations aside.
    Events,
    /// Each operation that ended.
    Operations,
}

/// What a probe sees.
#[derive(Debug)]
pub struct Moment<'a> {
    /// When.
    pub at: Instant,
    /// Whom.
    pub peer: u32,
    /// Since when that peer has been up; `None` if it is not any more.
    pub up_since: Option<Instant>,
    /// The truth of that moment.
    pub oracle: &'a Oracle,
    /// What is seen.
    pub sight: Sight<'a>,
}

/// What is seen of a peer.
#[derive(Debug)]
pub enum Sight<'a> {
    /// Its state.
    Sample(Sample<'a>),
    /// Something that it told.
    Event(&'a node::Event),
    /// An operation of one of its clients that ended.
    Operation(&'a Operation),
}

/// The state of a peer.
#[derive(Debug)]
pub struct Sample<'a> {
    /// Its layers.
    pub view: View<'a>,
    /// Its book.
    pub book: &'a Book,
    /// Inputs that wait for a core.
    pub queue: usize,
    /// As many as may wait.
    pub queue_limit: usize,
    soundness: OnceCell<Result<(), Flaw>>,
}

/// What the DHT's invariants are about, in the order in which it checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Its table.
    Table,
    /// Its lookups.
    Lookups,
    /// Its exchanges and limits.
    Limits,
}

/// The first of the DHT's invariants that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is about.
    pub concern: Concern,
    /// What was seen.
    pub what: String,
}

impl From<Violation> for Flaw {
    fn from(violation: Violation) -> Self {
        let concern = match violation {
            Violation::WrongBucket { .. }
            | Violation::Duplicate { .. }
            | Violation::Overfull { .. }
            | Violation::Torn => Concern::Table,
            Violation::UnsoundLookup => Concern::Lookups,
            Violation::Exchanges | Violation::Limit(_) => Concern::Limits,
        };
        Self { concern, what: violation.to_string() }
    }
}

impl<'a> Sample<'a> {
    /// The state of a peer, its queue included.
    #[must_use]
    pub const fn new(view: View<'a>, book: &'a Book, queue: usize, queue_limit: usize) -> Self {
        Self { view, book, queue, queue_limit, soundness: OnceCell::new() }
    }

    /// The state of a peer that is elsewhere: `view` shows what it told of itself, and whether the DHT's invariants hold was
    /// checked there.
    #[must_use]
    pub fn told(
        view: View<'a>,
        book: &'a Book,
        queue: usize,
        queue_limit: usize,
        soundness: Result<(), Flaw>,
    ) -> Self {
        Self { view, book, queue, queue_limit, soundness: OnceCell::from(soundness) }
    }

    /// Whether the DHT's invariants hold, checked once for all probes; `None` for a peer without one.
    #[must_use]
    pub fn soundness(&self) -> Option<&Result<(), Flaw>> {
        let kad = self.view.kad?;
        Some(self.soundness.get_or_init(|| Ok(kad.check(self.book)?)))
    }
}

/// Looks at peers of one shard.
pub trait Probe: fmt::Debug + Send {
    /// What it wants to see.
    fn watches(&self) -> &[Watch];

    /// What it makes of a moment; `None` if the moment says nothing, as of a peer that has no such layer.
    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact>;
}

/// When a property must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At every moment.
    Always,
    /// At one moment at least.
    Sometimes,
    /// From some moment on.
    Eventually,
}

/// A property of a run.
pub trait Checker: fmt::Debug + Send + Sync {
    /// Its name in scenarios.
    fn name(&self) -> &str;

    /// When it must hold.
    fn when(&self) -> When;

    /// A probe for one shard; `None` if the history of operations says all that it needs.
    fn probe(&self, timeline: &Timeline) -> Option<Box<dyn Probe>>;

    /// What came of it.
    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult;
}

impl<C: Checker + ?Sized> Checker for Arc<C> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn when(&self) -> When {
        (**self).when()
    }

    fn probe(&self, timeline: &Timeline) -> Option<Box<dyn Probe>> {
        (**self).probe(timeline)
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        (**self).conclude(evidence)
    }
}

/// The moments of a run that checks speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The sampling instants, the end among them.
    pub grid: Grid,
    /// When it begins to count.
    pub measured_from: Instant,
    /// When the last fault has made its last change; when it begins to count, without faults.
    pub calm_from: Instant,
    /// When `eventually` has to hold at the latest; never, if the scenario asks for nothing of that kind.
    pub deadline: Instant,
    /// When it ended: before its end, if somebody stopped it.
    pub ended: Instant,
}

/// All that a conclusion is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The facts of this checker's probes, by sampling instant.
    pub facts: &'a BTreeMap<Slot, Facts>,
    /// The history, in order.
    pub operations: &'a [Operation],
    /// The run's moments.
    pub timeline: Timeline,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Its name.
    pub name: String,
    /// When it must hold.
    pub when: When,
    /// What came of it.
    pub status: Status,
    /// What was seen, for people; empty if there is nothing to say.
    pub detail: String,
    /// When it failed, or was first reached.
    pub at: Option<Instant>,
    /// At whom.
    pub peer: Option<u32>,
}

/// What came of a check or a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It held.
    Pass,
    /// It did not.
    Fail,
    /// A `sometimes` that never came true.
    NeverReached,
    /// It could not be told.
    Unknown,
}
