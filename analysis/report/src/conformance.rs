//! How far a simulated run and a real one are apart: the same lookups, held against each other stretch by stretch.
//!
//! Everything comes from the `operations.csv` and `faults.csv` of both, and only from what was measured. Chance alone makes
//! two runs differ; the tolerances leave it room, and what there are too few samples of is `unproved`, never within.
//!
//! It is deliberately *not* the comparison of any two runs ([`crate::compare`]), which pairs seeds and looks at every
//! metric: here are the few figures that say whether the simulation tells the truth.

use std::collections::BTreeMap;

use record::calibration::{Calibration, Deviation, Measure, Standing, Stretch};
use record::{FaultRow, OperationRow, PeerRow, Phase, RecordError, Run};

use crate::ReportError;

/// Fewer samples on a side prove nothing: as with thresholds.
pub const MIN_SAMPLES: usize = 30;
/// Lookups of one side and stretch that are held, at most: a million and a wide margin.
const MAX_LOOKUPS: usize = 5_000_000;
/// Faults that stretches are made from, as many as a scenario may have and a wide margin.
const MAX_FAULTS: usize = 10_000;
/// What is compared.
const LOOKUP: &str = "lookup";

/// A part of both runs that is compared by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What people call it.
    pub name: String,
    /// Its beginning, in milliseconds of the run's time.
    pub from_ms: u64,
    /// Its end, which is no part of it.
    pub until_ms: u64,
}

/// Whether a figure with few samples is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is, as unproved.
    Always,
    /// Only where both sides have enough of them.
    WhereKnown,
}

/// One kind of figure.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What its values count.
    unit: &'static str,
    measure: Measure,
    /// How far apart the sides may be.
    pub tolerance: f64,
    told: Told,
    of: fn(&Lookups) -> Option<f64>,
    /// Between distributions; other differences follow from the values.
    distance: fn(&Lookups, &Lookups) -> f64,
    samples: fn(&Lookups) -> usize,
}

/// The figures, in the order in which they are told.
///
/// Success, rounds and messages may differ by what the project promises. The others leave room for chance and not much
/// more: between ten seeds of `sim-vs-real`, which have other peers as well, the distributions of rounds were up to 0.10
/// apart, those of latency up to 0.16, recall up to 1.4 points, and medians up to 9 %. A machine's own work comes on top
/// of the latency of links, and the simulation does not model it: a median may be a quarter apart. There is no 99th
/// percentile: it hangs on whether a hundredth of the lookups met a timeout, and between seeds it was up to tenfold;
/// how many were slow tells the same and is steady.
pub const FIGURES: [Figure; 9] = [
    Figure {
        name: "success",
        about: "lookups that succeeded",
        unit: "ratio",
        measure: Measure::Points,
        tolerance: 0.01,
        told: Told::Always,
        of: |lookups| share(lookups.succeeded, lookups.ended),
        distance: none,
        samples: |lookups| lookups.ended,
    },
    Figure {
        name: "rounds",
        about: "rounds of a lookup, mean",
        unit: "rounds",
        measure: Measure::Relative,
        tolerance: 0.1,
        told: Told::Always,
        of: |lookups| lookups.rounds.mean(),
        distance: none,
        samples: |lookups| lookups.rounds.count,
    },
    Figure {
        name: "messages",
        about: "requests of a lookup, mean",
        unit: "messages",
        measure: Measure::Relative,
        tolerance: 0.1,
        told: Told::Always,
        of: |lookups| lookups.messages.mean(),
        distance: none,
        samples: |lookups| lookups.messages.count,
    },
    Figure {
        name: "rounds.spread",
        about: "distributions of rounds, total variation",
        unit: "",
        measure: Measure::Distance,
        tolerance: 0.15,
        told: Told::Always,
        of: |_| None,
        distance: |sim, real| sim.rounds.total_variation(&real.rounds),
        samples: |lookups| lookups.rounds.count,
    },
    Figure {
        name: "recall",
        about: "of the true closest peers, those found",
        unit: "ratio",
        measure: Measure::Points,
        tolerance: 0.02,
        told: Told::WhereKnown,
        of: |lookups| share_of(lookups.recall, lookups.recalled),
        distance: none,
        samples: |lookups| lookups.recalled,
    },
    Figure {
        name: "latency.p50",
        about: "latency, median",
        unit: "ms",
        measure: Measure::Relative,
        tolerance: 0.25,
        told: Told::Always,
        of: |lookups| lookups.quantile(50),
        distance: none,
        samples: |lookups| lookups.latencies.len(),
    },
    Figure {
        name: "latency.p90",
        about: "latency, 90th percentile in medians",
        unit: "medians",
        measure: Measure::Relative,
        tolerance: 0.25,
        told: Told::Always,
        of: |lookups| lookups.in_medians(90),
        distance: none,
        samples: |lookups| lookups.latencies.len(),
    },
    Figure {
        name: "latency.slow",
        about: "lookups that took more than five medians",
        unit: "ratio",
        measure: Measure::Points,
        tolerance: 0.03,
        told: Told::Always,
        of: |lookups| lookups.slower_than(5.0),
        distance: none,
        samples: |lookups| lookups.latencies.len(),
    },
    Figure {
        name: "latency.shape",
        about: "distributions of latency in medians, Kolmogorov-Smirnov",
        unit: "",
        measure: Measure::Distance,
        tolerance: 0.2,
        told: Told::Always,
        of: |_| None,
        distance: |sim, real| sim.kolmogorov_smirnov(real),
        samples: |lookups| lookups.latencies.len(),
    },
];

/// Two runs, or sets of runs, of which nothing is to be compared, or no calibration to be made.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// A folder cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// More than is held at a time.
    #[error("a stretch of more than {MAX_LOOKUPS} lookups is not compared")]
    TooMany,
    /// A calibration is of a simulated and a real run.
    #[error("a calibration compares a run in simulation with one on real processes, not `{0}` with `{1}`")]
    Stages(String, String),
    /// A calibration is of one plan.
    #[error("a calibration compares two runs of one plan and seed; these differ")]
    Plans,
}

/// The stretches that a run's faults part it into: `quiet` before the first one, and from there to the end.
///
/// # Errors
/// If its faults cannot be read.
pub fn spans(run: &Run) -> Result<Vec<Span>, ReportError> {
    let sim = &run.manifest().sim;
    let (begin, end) = (sim.warmup_ms, sim.ended_ms.unwrap_or(sim.planned_ms));
    let faults: Vec<FaultRow> = run.table(MAX_FAULTS)?;
    let span = |name: &str, from_ms, until_ms| Span { name: name.to_owned(), from_ms, until_ms };
    let Some(first) = faults.iter().map(|fault| fault.from_ms).min() else {
        return Ok(vec![span("quiet", begin, end)]);
    };
    let first = first.max(begin);
    let kind = faults.first().map_or("", |fault| fault.kind.as_str());
    let name = if faults.iter().all(|fault| fault.kind == kind) { kind } else { "faults" };
    let spans = [span("quiet", begin, first), span(name, first, end)];
    Ok(spans.into_iter().filter(|span| span.from_ms < span.until_ms).collect())
}

/// Holds the measured lookups of both sides against each other, in each of these stretches. `tolerances` replace those of
/// [`FIGURES`], by name.
///
/// # Errors
/// If a folder cannot be read, or holds more than is held at a time.
pub fn compare(
    [sim, real]: [&[Run]; 2],
    spans: &[Span],
    tolerances: &BTreeMap<&'static str, f64>,
) -> Result<Vec<Stretch>, ConformanceError> {
    let (sim, real) = (lookups(sim, spans)?, lookups(real, spans)?);
    let stretch = |((span, sim), real): ((&Span, &Lookups), &Lookups)| Stretch {
        name: span.name.clone(),
        from_ms: span.from_ms,
        until_ms: span.until_ms,
        sim_lookups: sim.ended as u64,
        real_lookups: real.ended as u64,
        figures: FIGURES
            .iter()
            .filter(|figure| figure.is_told(sim, real))
            .map(|figure| {
                let tolerance = tolerances.get(figure.name).copied().unwrap_or(figure.tolerance);
                figure.deviation(sim, real, tolerance)
            })
            .collect(),
    };
    Ok(spans.iter().zip(&sim).zip(&real).map(stretch).collect())
}

/// What a report's header says from then on: these stretches, with the date of the real run.
///
/// # Errors
/// If the two are not runs of one plan on the two stages, or a folder cannot be read.
pub fn calibration(sim: &Run, real: &Run, stretches: Vec<Stretch>) -> Result<Calibration, ConformanceError> {
    let (simulated, performed) = (sim.manifest(), real.manifest());
    if simulated.backend != SIMULATED || performed.backend == SIMULATED {
        return Err(ConformanceError::Stages(simulated.backend.clone(), performed.backend.clone()));
    }
    let (plan, seed) = (&performed.scenario.plan_sha256, performed.seed);
    if simulated.scenario.plan_sha256 != *plan || simulated.seed != seed {
        return Err(ConformanceError::Plans);
    }
    let mut processes = 0;
    for peer in real.csv::<PeerRow>()? {
        peer?;
        processes += 1;
    }
    Ok(Calibration {
        format: record::FORMAT,
        date: performed.wall.started.clone(),
        scenario: performed.scenario.name.clone(),
        plan_sha256: plan.clone(),
        seed,
        processes,
        sim: simulated.wavetank.clone(),
        real: performed.wavetank.clone(),
        host: performed.host.clone(),
        stretches,
    })
}

/// The `backend` of a run in simulation.
pub const SIMULATED: &str = "sim";

impl Figure {
    fn is_told(&self, sim: &Lookups, real: &Lookups) -> bool {
        self.told == Told::Always || self.has_enough(sim, real)
    }

    fn has_enough(&self, sim: &Lookups, real: &Lookups) -> bool {
        [sim, real].iter().all(|side| (self.samples)(side) >= MIN_SAMPLES)
    }

    fn deviation(&self, sim: &Lookups, real: &Lookups, tolerance: f64) -> Deviation {
        let enough = self.has_enough(sim, real);
        let values = [sim, real].map(|side| (self.of)(side));
        let difference = match (self.measure, values) {
            (Measure::Distance, _) => enough.then(|| (self.distance)(sim, real)),
            (Measure::Points, [Some(sim), Some(real)]) => Some(real - sim),
            (Measure::Relative, [Some(sim), Some(real)]) if sim > 0.0 => Some(real / sim - 1.0),
            (Measure::Relative, [Some(sim), Some(real)]) if sim == real => Some(0.0),
            _ => None,
        };
        let difference = difference.map(settled);
        let standing = match difference {
            _ if !enough => Standing::Unproved,
            Some(difference) if difference.abs() <= tolerance => Standing::Within,
            // Something against nothing is beyond any part of it.
            Some(_) | None => Standing::Beyond,
        };
        let [sim, real] = values;
        Deviation {
            name: self.name.to_owned(),
            about: self.about.to_owned(),
            unit: self.unit.to_owned(),
            measure: self.measure,
            sim,
            real,
            difference,
            tolerance,
            standing,
        }
    }
}

/// What is held of the lookups of one side in one stretch: of those that ended.
#[derive(Clone, Debug, Default)]
struct Lookups {
    ended: usize,
    succeeded: usize,
    rounds: Counts,
    messages: Counts,
    /// Sum of shares, and how many there are.
    recall: f64,
    recalled: usize,
    /// In milliseconds, of those that asked somebody; sorted.
    latencies: Vec<f64>,
}

/// How often each number occurred.
#[derive(Clone, Debug, Default)]
struct Counts {
    of: BTreeMap<u32, usize>,
    count: usize,
}

/// The measured lookups of these runs together, by stretch.
fn lookups(runs: &[Run], spans: &[Span]) -> Result<Vec<Lookups>, ConformanceError> {
    let mut all = vec![Lookups::default(); spans.len()];
    for run in runs {
        for row in run.csv::<OperationRow>()? {
            let row = row?;
            let at_ms = row.start_ns / 1_000_000;
            let counts = row.kind == LOOKUP && row.phase == Phase::Measured;
            for (span, lookups) in spans.iter().zip(&mut all) {
                if counts && (span.from_ms..span.until_ms).contains(&at_ms) {
                    lookups.add(&row);
                }
            }
        }
    }
    for lookups in &mut all {
        if lookups.ended > MAX_LOOKUPS {
            return Err(ConformanceError::TooMany);
        }
        lookups.latencies.sort_unstable_by(f64::total_cmp);
    }
    Ok(all)
}

impl Lookups {
    fn add(&mut self, row: &OperationRow) {
        let Some(succeeded) = row.outcome.succeeded() else { return };
        self.ended += 1;
        if self.ended > MAX_LOOKUPS {
            return;
        }
        self.succeeded += usize::from(succeeded);
        row.hops.into_iter().for_each(|rounds| self.rounds.add(rounds));
        row.messages.into_iter().for_each(|messages| self.messages.add(messages));
        if let Some(recall) = row.recall {
            self.recall += recall;
            self.recalled += 1;
        }
        if row.messages.is_some_and(|messages| messages > 0) {
            self.latencies.extend(row.latency_ms.filter(|latency| latency.is_finite()));
        }
    }

    /// The nearest-rank percentile of latency.
    fn quantile(&self, percent: usize) -> Option<f64> {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        self.latencies.get(rank.checked_sub(1)?).copied()
    }

    fn in_medians(&self, percent: usize) -> Option<f64> {
        let median = self.quantile(50).filter(|median| *median > 0.0)?;
        Some(self.quantile(percent)? / median)
    }

    /// The share of lookups that took more than so many medians.
    fn slower_than(&self, medians: f64) -> Option<f64> {
        let bound = self.quantile(50)? * medians;
        share(self.latencies.iter().filter(|latency| **latency > bound).count(), self.latencies.len())
    }

    /// The greatest distance between the distributions of latency, each in its own medians.
    fn kolmogorov_smirnov(&self, other: &Self) -> f64 {
        let (Some(a_unit), Some(b_unit)) = (self.quantile(50), other.quantile(50)) else { return 1.0 };
        let (a, b) = (&self.latencies, &other.latencies);
        let (mut at_a, mut at_b, mut greatest) = (0, 0, 0.0_f64);
        while let (Some(next_a), Some(next_b)) = (a.get(at_a), b.get(at_b)) {
            let (next_a, next_b) = (next_a / a_unit, next_b / b_unit);
            let step = next_a.min(next_b);
            // All equal values of both sides are one step.
            at_a += a.iter().skip(at_a).take_while(|value| **value / a_unit <= step).count();
            at_b += b.iter().skip(at_b).take_while(|value| **value / b_unit <= step).count();
            let apart = at_a as f64 / a.len() as f64 - at_b as f64 / b.len() as f64;
            greatest = greatest.max(apart.abs());
        }
        greatest
    }
}

impl Counts {
    fn add(&mut self, number: u32) {
        *self.of.entry(number).or_default() += 1;
        self.count += 1;
    }

    fn mean(&self) -> Option<f64> {
        let sum: f64 = self.of.iter().map(|(number, count)| f64::from(*number) * *count as f64).sum();
        share_of(sum, self.count)
    }

    /// Half the sum of what the shares of each number differ by.
    fn total_variation(&self, other: &Self) -> f64 {
        let share_in = |counts: &Self, number: &u32| {
            share(counts.of.get(number).copied().unwrap_or(0), counts.count).unwrap_or(0.0)
        };
        let numbers: std::collections::BTreeSet<&u32> = self.of.keys().chain(other.of.keys()).collect();
        numbers
            .into_iter()
            .map(|number| (share_in(self, number) - share_in(other, number)).abs())
            .sum::<f64>()
            / 2.0
    }
}

/// To the billionth: where a difference is the tolerance itself, no binary fraction decides.
fn settled(difference: f64) -> f64 {
    (difference * 1e9).round() / 1e9
}

fn share(of: usize, all: usize) -> Option<f64> {
    share_of(of as f64, all)
}

fn share_of(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

fn none(_: &Lookups, _: &Lookups) -> f64 {
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(latencies: &[f64], rounds: &[u32]) -> Lookups {
        let mut lookups = Lookups { latencies: latencies.to_vec(), ..Lookups::default() };
        rounds.iter().for_each(|rounds| lookups.rounds.add(*rounds));
        lookups
    }

    #[test]
    fn distributions_of_one_shape_are_not_apart_and_of_two_they_are() {
        let a = side(&[1.0, 2.0, 2.0, 3.0], &[1, 1, 2, 2]);
        let scaled = side(&[10.0, 20.0, 20.0, 30.0], &[1, 2, 1, 2]);
        assert_eq!(a.kolmogorov_smirnov(&scaled), 0.0);
        assert_eq!(a.rounds.total_variation(&scaled.rounds), 0.0);
        // In medians: 0.5, 1, 1, 1.5 against 0.5, 1, 1, 4.
        let tail = side(&[1.0, 2.0, 2.0, 8.0], &[3, 3, 4, 4]);
        assert_eq!((a.kolmogorov_smirnov(&tail), tail.kolmogorov_smirnov(&a)), (0.25, 0.25));
        assert_eq!(a.rounds.total_variation(&tail.rounds), 1.0);
        assert_eq!(a.rounds.total_variation(&side(&[], &[1, 1, 1, 2]).rounds), 0.25);
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let lookups = side(&(1..=200).map(f64::from).collect::<Vec<_>>(), &[]);
        assert_eq!([50, 90, 99].map(|percent| lookups.quantile(percent)), [100.0, 180.0, 198.0].map(Some));
        assert_eq!(lookups.in_medians(90), Some(1.8));
        assert_eq!(lookups.slower_than(1.5), Some(0.25));
        assert_eq!(side(&[], &[]).quantile(50), None);
    }

    #[test]
    fn few_samples_prove_nothing_and_something_against_nothing_is_beyond() {
        let figure = FIGURES.iter().find(|figure| figure.name == "rounds").unwrap();
        let many = |rounds| side(&[], &[rounds; MIN_SAMPLES]);
        let standing = |sim, real| figure.deviation(&sim, &real, 0.1).standing;
        assert_eq!(standing(many(20), many(22)), Standing::Within);
        assert_eq!(standing(many(20), many(23)), Standing::Beyond);
        assert_eq!(standing(many(0), many(0)), Standing::Within);
        assert_eq!(standing(many(0), many(1)), Standing::Beyond);
        assert_eq!(standing(many(20), side(&[], &[20; MIN_SAMPLES - 1])), Standing::Unproved);
        assert_eq!(standing(side(&[], &[]), side(&[], &[])), Standing::Unproved);
    }
}
