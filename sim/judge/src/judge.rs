//! What is to be judged, and the judgement of what was observed.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use play::{Play, Subject, Tally};
use types::metric::{Kind, Metric};
use types::{Duration, Instant};

use crate::check::{CheckResult, Checker, Evidence, Facts, Status, Timeline};
use crate::checkers::checker;
use crate::history::{Operation, settle};
use crate::metrics::{Material, SeriesRow, SummaryRow, denominator};
use crate::observer::Findings;
use crate::oracle::Order;
use crate::plan::{Checks, Expression, Observe, Thresholds};
use crate::sample::{Grid, Slot};
use crate::tables::Tables;
use crate::verdict::{Circumstances, MIN_SAMPLES, ThresholdResult, Verdict, weigh};

/// What is to be judged of a play, shared by all shards.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) play: Arc<Play>,
    pub(crate) order: Arc<Order>,
    pub(crate) checkers: Vec<Arc<dyn Checker>>,
    thresholds: Thresholds,
    pub(crate) timeline: Timeline,
}

/// Everything that came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What it proved.
    pub verdict: Verdict,
    /// The history, in the order of (begun, id).
    pub operations: Vec<Operation>,
    /// Metrics over time.
    pub series: Vec<SeriesRow>,
    /// Metrics over the measured part.
    pub summary: Vec<SummaryRow>,
    /// Routing tables, as last sampled.
    pub tables: Tables,
}

impl Plan {
    /// What these parts of a scenario ask of `play`. Names of checks that do not ship are left out: they are problems
    /// ([`crate::problems()`]), or the caller's own, to be added by [`Plan::add`].
    #[must_use]
    pub fn new(checks: &Checks, thresholds: &Thresholds, observe: &Observe, play: &Arc<Play>) -> Self {
        let end = Instant::START + play.duration();
        let calm_from = play.last_change().unwrap_or_default().max(play.measured_from());
        let within = checks.eventually.as_ref().map(|eventually| eventually.within);
        let eventually = checks.eventually.iter().flat_map(|eventually| &eventually.hold);
        let names = checks.always.iter().chain(&checks.sometimes).chain(eventually);
        Self {
            checkers: names.filter_map(|name| checker(name)).map(Arc::from).collect(),
            thresholds: thresholds.clone(),
            timeline: Timeline {
                grid: Grid { gap: observe.gap(play.duration()), end },
                measured_from: play.measured_from(),
                calm_from,
                deadline: within.map_or(Instant::NEVER, |within| calm_from + within),
                ended: end,
            },
            order: Arc::new(Order::new(play.scene().book(), play.scene().undialable())),
            play: Arc::clone(play),
        }
    }

    /// Adds a checker of the user's own.
    pub fn add(&mut self, checker: Box<dyn Checker>) {
        self.checkers.push(Arc::from(checker));
    }

    /// Adds a goal of the user's own.
    pub fn expect(&mut self, metric: &'static Metric, goal: Expression) {
        self.thresholds.0.entry(metric.name).or_default().0.push(goal);
    }

    /// The distance of two samples.
    #[must_use]
    pub const fn sample_every(&self) -> Duration {
        self.timeline.grid.gap
    }

    /// What was observed before anything was.
    #[must_use]
    pub fn nothing(&self) -> Findings {
        Findings::new(self.checkers.len(), self.play.tallies())
    }

    /// Judges what the shards observed, in whatever order they are given.
    #[must_use]
    pub fn conclude(
        &self,
        shards: impl IntoIterator<Item = Findings>,
        circumstances: &Circumstances<'_>,
    ) -> Judgement {
        let mut whole = self.nothing();
        for findings in shards {
            whole.merge(findings);
        }
        let Findings { mut operations, samples, facts, mut tallies, tables } = whole;
        settle(&mut operations, |peer, at| self.play.lifecycle().up_since(peer, at));
        count_touched(&mut tallies, circumstances.touched);
        let grid = Grid { end: circumstances.ended.min(self.timeline.grid.end), ..self.timeline.grid };
        let material = Material {
            operations: &operations,
            samples: &samples,
            grid,
            measured_from: self.timeline.measured_from,
        };
        let checks = self.check(&facts, &operations, circumstances.ended);
        let thresholds =
            self.thresholds.iter().map(|(metric, goal)| threshold(&material, metric, *goal)).collect();
        let mut panics = circumstances.panics.to_vec();
        panics.sort_unstable();
        let verdict =
            weigh(&Circumstances { panics: &panics, ..*circumstances }, checks, thresholds, tallies);
        let (series, summary) = (material.series(), material.summary());
        Judgement { verdict, series, summary, operations, tables }
    }

    fn check(
        &self,
        facts: &[BTreeMap<Slot, Facts>],
        operations: &[Operation],
        ended: Instant,
    ) -> Vec<CheckResult> {
        let timeline = Timeline { ended, ..self.timeline };
        let none = BTreeMap::new();
        let conclude = |(place, checker): (usize, &Arc<dyn Checker>)| {
            checker.conclude(&Evidence { facts: facts.get(place).unwrap_or(&none), operations, timeline })
        };
        self.checkers.iter().enumerate().map(conclude).collect()
    }
}

fn count_touched(tallies: &mut [Tally], touched: &[(u32, u64)]) {
    for (fault, messages) in touched {
        let of_fault =
            |tally: &&mut Tally| matches!(tally.subject, Subject::Fault(place) if u32::from(place) == *fault);
        for tally in tallies.iter_mut().filter(of_fault) {
            tally.got += messages;
        }
    }
}

fn threshold(material: &Material<'_>, metric: &'static Metric, expression: Expression) -> ThresholdResult {
    let measure = material.measured(metric);
    let (value, samples) = (measure.statistic(metric.unit, expression.statistic), measure.samples());
    // A counter is no sample of anything: it is the whole.
    let enough = metric.kind == Kind::Counter || samples >= MIN_SAMPLES;
    let status = match measure.meets(metric.unit, &expression).filter(|_| enough) {
        Some(true) => Status::Pass,
        Some(false) => Status::Fail,
        None => Status::Unknown,
    };
    ThresholdResult { metric, expression, value, status, samples, denominator: denominator(metric) }
}
