//! Numbers of a run: each metric over time and over the measured part.
//!
//! Figures of operations come from the history, which is complete, so that percentiles are exact; gauges and traffic
//! come from samples. Everything is an integer until it is shown: times in nanoseconds, shares and counts of single
//! operations in millionths where they are judged.
//!
//! An operation is measured if it began after the warmup. Over time, it belongs to the sampling instant after its end.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use types::Instant;
use types::metric::{self, Kind as Fold, Metric, Unit};

use crate::history::{Kind, Operation};
use crate::plan::expression::{Expression, MILLION, Percentile, Statistic};
use crate::sample::{Grid, Samples, Slot};

/// The numbers of one metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Sorted; in least units.
    values: Vec<u64>,
    sum: u128,
}

impl Numbers {
    fn new(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let sum = values.iter().map(|value| u128::from(*value)).sum();
        Self { values, sum }
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// One of their statistics, the mean rounded down; `None` if there are none.
    #[must_use]
    pub fn statistic(&self, statistic: Statistic) -> Option<u64> {
        let count = u128::from(self.count());
        match statistic {
            Statistic::Mean | Statistic::Value => Some(self.sum.checked_div(count)? as u64),
            Statistic::Min => self.values.first().copied(),
            Statistic::Max => self.values.last().copied(),
            Statistic::Percentile(percentile) => {
                let rank = percentile.rank(self.count()).checked_sub(1)?;
                self.values.get(rank as usize).copied()
            }
        }
    }
}

/// How a number of a metric is held: the factor from its unit in files.
#[must_use]
pub const fn scale(unit: Unit) -> u64 {
    match unit {
        Unit::Time | Unit::Bytes => 1,
        Unit::Count | Unit::Ratio => MILLION,
    }
}

/// A number of a metric in its unit in files: nanoseconds, bytes, things, a share between 0 and 1.
#[must_use]
pub fn shown(unit: Unit, value: u64) -> f64 {
    value as f64 / scale(unit) as f64
}

/// One metric over one stretch of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A sum.
    Sum(u64),
    /// A share: so many of so many.
    Share {
        /// Those that did.
        hits: u64,
        /// All of them.
        of: u64,
    },
    /// Many numbers.
    Many(Numbers),
}

impl Measure {
    /// A statistic, in the units of goals; `None` if there is nothing to tell.
    #[must_use]
    pub fn statistic(&self, unit: Unit, statistic: Statistic) -> Option<u64> {
        match self {
            Self::Sum(sum) => Some(sum.saturating_mul(scale(unit))),
            Self::Share { hits, of } => {
                let share = (u128::from(*hits) * u128::from(MILLION)).checked_div(u128::from(*of))?;
                Some(share as u64)
            }
            Self::Many(numbers) => numbers.statistic(statistic),
        }
    }

    /// Whether it compares to a goal as it should; `None` if there is nothing to tell. Quotients are compared before they
    /// are rounded: of a million lookups, one that fell short is enough to miss `100%`.
    #[must_use]
    pub fn meets(&self, unit: Unit, expression: &Expression) -> Option<bool> {
        let goal = u128::from(expression.goal.value);
        let (value, goal) = match (self, expression.statistic) {
            (Self::Share { of: 0, .. }, _) => return None,
            (Self::Share { hits, of }, _) => {
                (u128::from(*hits) * u128::from(MILLION), goal * u128::from(*of))
            }
            (Self::Many(numbers), Statistic::Mean) if numbers.count() > 0 => {
                (numbers.sum, goal * u128::from(numbers.count()))
            }
            (Self::Sum(_) | Self::Many(_), statistic) => (u128::from(self.statistic(unit, statistic)?), goal),
        };
        Some(expression.comparison.holds(value, goal))
    }

    /// How many samples it rests on.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        match self {
            Self::Sum(sum) => *sum,
            Self::Share { of, .. } => *of,
            Self::Many(numbers) => numbers.count(),
        }
    }
}

/// One sample of one metric, over time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRow {
    /// When.
    pub at: Instant,
    /// The metric's name, and a statistic where it has several: `lookup.latency.p95`.
    pub metric: String,
    /// In the metric's unit in files. Counters are sums since the beginning.
    pub value: f64,
}

/// One metric over the measured part of a run. What its kind does not have is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// Which.
    pub metric: &'static Metric,
    /// How many samples it rests on.
    pub samples: u64,
    /// Mean; of a sum or a share the number itself.
    pub mean: Option<f64>,
    /// Least.
    pub min: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Greatest.
    pub max: Option<f64>,
}

/// All that metrics are made of.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The history, in order and settled.
    pub operations: &'a [Operation],
    /// The samples.
    pub samples: &'a Samples,
    /// When samples were taken.
    pub grid: Grid,
    /// When it begins to count.
    pub measured_from: Instant,
}

impl Material<'_> {
    /// `metric` over the measured part.
    #[must_use]
    pub fn measured(&self, metric: &Metric) -> Measure {
        let operations = self.operations.iter().filter(|operation| operation.begun >= self.measured_from);
        let samples = self.samples.iter().filter(|(slot, _)| self.grid.instant(**slot) > self.measured_from);
        measure(metric, operations, samples)
    }

    /// Every metric over time, in the order of (instant, metric).
    #[must_use]
    pub fn series(&self) -> Vec<SeriesRow> {
        let mut ended: BTreeMap<Slot, Vec<&Operation>> = BTreeMap::new();
        for operation in self.operations.iter().filter(|operation| operation.end.succeeded().is_some()) {
            ended.entry(self.grid.slot(operation.ended)).or_default().push(operation);
        }
        let mut rows = Vec::new();
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for slot in (1..=self.grid.last().0).map(Slot) {
            let at = self.grid.instant(slot);
            let operations = ended.get(&slot).map_or(&[][..], Vec::as_slice);
            for metric in metric::ALL {
                let samples = self.samples.get(&slot).map(|sample| (&slot, sample));
                let measure = measure(metric, operations.iter().copied(), samples.into_iter());
                let mut row = |suffix: &str, value: u64| {
                    let name = if suffix.is_empty() {
                        metric.name.to_string()
                    } else {
                        alloc::format!("{}.{suffix}", metric.name)
                    };
                    rows.push(SeriesRow { at, metric: name, value: shown(metric.unit, value) });
                };
                match (metric.kind, &measure) {
                    (Fold::Counter, Measure::Sum(more)) => {
                        let sum = sums.entry(metric.name).or_default();
                        *sum += more;
                        row("", sum.saturating_mul(scale(metric.unit)));
                    }
                    (Fold::Distribution, Measure::Many(numbers)) => {
                        let statistics: &[(&str, Statistic)] = match metric.unit {
                            Unit::Time => &[
                                ("p50", Statistic::Percentile(Percentile::P50)),
                                ("p95", Statistic::Percentile(Percentile::P95)),
                            ],
                            Unit::Bytes | Unit::Count | Unit::Ratio => &[("mean", Statistic::Mean)],
                        };
                        for (name, statistic) in statistics {
                            if let Some(value) = numbers.statistic(*statistic) {
                                row(name, value);
                            }
                        }
                    }
                    (_, measure) => {
                        if let Some(value) = measure.statistic(metric.unit, Statistic::Value) {
                            row("", value);
                        }
                    }
                }
            }
        }
        rows
    }

    /// Every metric that has samples, over the measured part, in the order of their names.
    #[must_use]
    pub fn summary(&self) -> Vec<SummaryRow> {
        let row = |metric: &'static Metric| {
            let measure = self.measured(metric);
            let statistic =
                |statistic| measure.statistic(metric.unit, statistic).map(|value| shown(metric.unit, value));
            let many = |wanted| if matches!(measure, Measure::Many(_)) { statistic(wanted) } else { None };
            let percentile = |percentile| many(Statistic::Percentile(percentile));
            (measure.samples() > 0).then(|| SummaryRow {
                metric,
                samples: measure.samples(),
                mean: statistic(Statistic::Mean),
                min: many(Statistic::Min),
                p50: percentile(Percentile::P50),
                p90: percentile(Percentile::P90),
                p95: percentile(Percentile::P95),
                p99: percentile(Percentile::P99),
                max: many(Statistic::Max),
            })
        };
        metric::ALL.iter().filter_map(row).collect()
    }
}

/// `metric` over these operations and samples.
fn measure<'a>(
    metric: &Metric,
    operations: impl Iterator<Item = &'a Operation>,
    samples: impl Iterator<Item = (&'a Slot, &'a crate::sample::Sample)>,
) -> Measure {
    let of = |kind: Kind| {
        operations.filter(move |operation| operation.kind == kind && operation.end.succeeded().is_some())
    };
    let many = |values: Vec<u64>| Measure::Many(Numbers::new(values));
    let millions = |value: u64| value.saturating_mul(MILLION);
    match metric.name {
        name if name == metric::LOOKUP_COUNT.name => Measure::Sum(of(Kind::Lookup).count() as u64),
        name if name == metric::LOOKUP_SUCCESS_RATIO.name => share(of(Kind::Lookup)),
        name if name == metric::LOOKUP_LATENCY.name => {
            many(latencies(of(Kind::Lookup).filter(|lookup| lookup.searched)))
        }
        name if name == metric::LOOKUP_HOPS.name => {
            many(figures(of(Kind::Lookup), |lookup| u64::from(lookup.hops)))
        }
        name if name == metric::LOOKUP_MESSAGES.name => {
            many(figures(of(Kind::Lookup), |lookup| u64::from(lookup.messages)))
        }
        name if name == metric::LOOKUP_TIMEOUTS.name => {
            many(figures(of(Kind::Lookup), |lookup| u64::from(lookup.timeouts)))
        }
        name if name == metric::LOOKUP_RECALL.name => many(
            of(Kind::Lookup)
                .filter_map(|lookup| millions(u64::from(lookup.hits)).checked_div(u64::from(lookup.of)))
                .collect(),
        ),
        name if name == metric::LOOKUP_ROUNDS_TO_KNOWN.name => many(
            succeeded(of(Kind::Lookup))
                .filter_map(|lookup| Some(millions(u64::from(lookup.known_in_round?))))
                .collect(),
        ),
        name if name == metric::RECORD_PUT_SUCCESS_RATIO.name => share(of(Kind::Put)),
        name if name == metric::RECORD_PUT_LATENCY.name => many(latencies(succeeded(of(Kind::Put)))),
        name if name == metric::RECORD_GET_SUCCESS_RATIO.name => {
            share(of(Kind::Get).filter(|get| get.counts))
        }
        name if name == metric::RECORD_GET_LATENCY.name => many(latencies(succeeded(of(Kind::Get)))),
        name if name == metric::PROVIDER_ANNOUNCE_SUCCESS_RATIO.name => share(of(Kind::Announce)),
        name if name == metric::PROVIDER_ANNOUNCE_LATENCY.name => {
            many(latencies(succeeded(of(Kind::Announce))))
        }
        name if name == metric::PROVIDER_FIND_SUCCESS_RATIO.name => {
            share(of(Kind::Find).filter(|find| find.counts))
        }
        name if name == metric::PROVIDER_FIND_LATENCY.name => many(latencies(succeeded(of(Kind::Find)))),
        name if name == metric::PROVIDER_FIND_MESSAGES.name => {
            many(figures(of(Kind::Find), |find| u64::from(find.messages)))
        }
        name if name == metric::PROVIDER_FOUND.name => many(
            of(Kind::Find)
                .filter_map(|find| Some(millions(find.sought.as_ref()?.found.len() as u64)))
                .collect(),
        ),
        name if name == metric::PROVIDER_RECALL.name => many(
            of(Kind::Find)
                .filter_map(|find| millions(u64::from(find.hits)).checked_div(u64::from(find.of)))
                .collect(),
        ),
        name if name == metric::PEERS_ONLINE.name => {
            many(samples.map(|(_, sample)| millions(u64::from(sample.online))).collect())
        }
        name if name == metric::QUEUE_DEPTH.name => {
            many(samples.map(|(_, sample)| millions(sample.queue)).collect())
        }
        name if name == metric::KAD_CONTACTS.name => many(
            samples.filter_map(|(_, sample)| millions(sample.contacts).checked_div(sample.tables)).collect(),
        ),
        name if name == metric::KAD_STALE_RATIO.name => many(
            samples.filter_map(|(_, sample)| millions(sample.stale).checked_div(sample.contacts)).collect(),
        ),
        name if name == metric::MESSAGES_SENT.name => {
            Measure::Sum(samples.map(|(_, sample)| sample.traffic.sent).sum())
        }
        name if name == metric::MESSAGES_SENT_BYTES.name => {
            Measure::Sum(samples.map(|(_, sample)| sample.traffic.sent_bytes).sum())
        }
        name if name == metric::MESSAGES_DROPPED.name => {
            Measure::Sum(samples.map(|(_, sample)| sample.traffic.dropped).sum())
        }
        // A metric that only deployed nodes have.
        _ => Measure::Many(Numbers::default()),
    }
}

fn share<'a>(operations: impl Iterator<Item = &'a Operation>) -> Measure {
    let (mut hits, mut of) = (0, 0);
    for succeeded in operations.filter_map(|operation| operation.end.succeeded()) {
        of += 1;
        hits += u64::from(succeeded);
    }
    Measure::Share { hits, of }
}

fn succeeded<'a>(operations: impl Iterator<Item = &'a Operation>) -> impl Iterator<Item = &'a Operation> {
    operations.filter(|operation| operation.end.succeeded() == Some(true))
}

fn latencies<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<u64> {
    operations.map(|operation| operation.ended.since(operation.begun).as_nanos()).collect()
}

fn figures<'a>(
    operations: impl Iterator<Item = &'a Operation>,
    figure: impl Fn(&Operation) -> u64,
) -> Vec<u64> {
    let searched = operations.filter(|operation| operation.searched);
    searched.map(|operation| figure(operation).saturating_mul(MILLION)).collect()
}

/// What a metric's samples are, for people.
#[must_use]
pub fn denominator(metric: &Metric) -> &'static str {
    match (metric.kind, metric.name.split_once('.')) {
        (Fold::Counter, _) => "counted after the warmup",
        (Fold::Gauge, _) => "sampling instants after the warmup",
        (_, Some(("lookup", _))) => "lookups begun after the warmup that ended",
        (_, Some(("record", rest))) if rest.starts_with("put") => "PUTs begun after the warmup that ended",
        (_, Some(("provider", rest))) if rest.starts_with("announce") => {
            "announcements begun after the warmup that ended"
        }
        (Fold::Ratio, Some(("provider", _))) | (_, Some(("provider", "recall"))) => {
            "searches for what somebody online provides, begun after the warmup, that ended"
        }
        (_, Some(("provider", "find_latency"))) => "searches begun after the warmup that found a provider",
        (_, Some(("provider", _))) => "searches for providers begun after the warmup that ended",
        (Fold::Ratio, Some(("record", _))) => "GETs of stored names begun after the warmup that ended",
        (_, Some(("record", _))) => "GETs begun after the warmup that returned a value",
        _ => "samples after the warmup",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;

    #[test]
    fn statistics_are_exact() {
        let numbers = Numbers::new(alloc::vec![40, 10, 30, 20]);
        let statistic = |statistic| numbers.statistic(statistic);
        assert_eq!(
            (statistic(Statistic::Mean), statistic(Statistic::Min), statistic(Statistic::Max)),
            (Some(25), Some(10), Some(40))
        );
        assert_eq!(statistic(Statistic::Percentile(Percentile::P50)), Some(20));
        assert_eq!(statistic(Statistic::Percentile(Percentile::P99)), Some(40));
        assert_eq!(Numbers::default().statistic(Statistic::Mean), None);
    }

    #[test]
    fn goals_are_compared_before_anything_is_rounded() {
        let meets = |measure: &Measure, metric, text| {
            measure.meets(Unit::Ratio, &Expression::parse(metric, text).unwrap())
        };
        // One of so many fell short by so little that it shows in no digit of the mean.
        let mut recalls = alloc::vec![MILLION; 200_000];
        recalls.push(MILLION - 1);
        let recall = Measure::Many(Numbers::new(recalls));
        assert_eq!(meets(&recall, &metric::LOOKUP_RECALL, "mean >= 100%"), Some(false));
        assert_eq!(meets(&recall, &metric::LOOKUP_RECALL, "mean > 99.9999%"), Some(true));
        assert_eq!(meets(&recall, &metric::LOOKUP_RECALL, "p50 >= 100%"), Some(true));
        let share = Measure::Share { hits: 2, of: 3 };
        assert_eq!(meets(&share, &metric::LOOKUP_SUCCESS_RATIO, "<= 66.6666%"), Some(false));
        assert_eq!(meets(&share, &metric::LOOKUP_SUCCESS_RATIO, "> 66.6666%"), Some(true));
        for nothing in [Measure::Share { hits: 0, of: 0 }, Measure::Many(Numbers::default())] {
            assert_eq!(meets(&nothing, &metric::LOOKUP_RECALL, "mean >= 0%"), None);
        }
        assert_eq!(
            Measure::Sum(3)
                .meets(Unit::Bytes, &Expression::parse(&metric::MESSAGES_SENT_BYTES, "< 4 B").unwrap()),
            Some(true)
        );
    }

    #[test]
    fn every_metric_of_the_table_is_measured_here() {
        // An operation of each kind and a sample leave no metric empty.
        let operation = |kind, number| {
            let mut operation = crate::history::tests::operation(kind, number);
            operation.hits = 1;
            operation.of = 1;
            operation.known_in_round = Some(1);
            if kind == Kind::Find {
                operation.sought = Some(Box::new(crate::history::Sought { enough: 1, found: Vec::new() }));
            }
            operation
        };
        let kinds = [Kind::Lookup, Kind::Put, Kind::Get, Kind::Announce, Kind::Find];
        let operations = kinds.map(|kind| operation(kind, 1));
        let traffic = crate::sample::Traffic { sent: 1, sent_bytes: 1, dropped: 1 };
        let sample = crate::sample::Sample { online: 1, tables: 1, contacts: 1, stale: 1, queue: 1, traffic };
        for metric in metric::ALL {
            let measure = measure(metric, operations.iter(), [(&Slot(1), &sample)].into_iter());
            assert!(measure.samples() > 0, "{} has no samples", metric.name);
            assert_eq!(matches!(measure, Measure::Sum(_)), metric.kind == Fold::Counter, "{}", metric.name);
            assert_eq!(
                matches!(measure, Measure::Share { .. }),
                metric.kind == Fold::Ratio,
                "{}",
                metric.name
            );
        }
    }
}
