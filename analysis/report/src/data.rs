//! What the folder says, read once and folded.
//!
//! Operations are folded into bins of time while they are read, so memory does not grow with their number;
//! samples and peers are bounded by named limits.

use std::collections::BTreeMap;

use record::{
    Calibration, FaultRow, Manifest, OperationRow, Outcome, PeerRow, Phase, RecordError, Run, SeriesRow,
    SummaryRow, Verdict,
};

use record::graph::ROUTING;

use crate::asked::Asked;
use crate::histogram::Histogram;
use crate::network::Network;
use crate::trace::Trace;

/// Bins that the run's time is parted into; windows are made of them.
const BINS: u64 = 480;
/// Kinds of operations that are told apart; there are three so far. Further ones are left out of the plots.
const MAX_KINDS: usize = 8;
/// Faults that are drawn and listed: more could not be told apart.
const MAX_FAULTS: usize = 1_000;
/// Rows of the summary: 20 metrics for 100 groups.
const MAX_SUMMARY_ROWS: usize = 2_000;
/// Samples of one metric: a sample each second of a day.
const MAX_SAMPLES: usize = 100_000;
/// Groups of peers that are listed.
const MAX_GROUPS: usize = 200;
/// Hops beyond this are counted as this many.
pub(crate) const MAX_HOPS: u32 = 24;
/// Groups or regions by which latencies are parted; what more there are is left out of the plots.
const MAX_PARTS: usize = 64;
/// Series that goals and the scenario's own figures are about.
const MAX_CHOSEN_SERIES: usize = 64;
/// The slowest operations that are listed.
const SLOWEST: usize = 10;

/// The metrics whose samples are drawn.
pub(crate) const ONLINE: &str = types::metric::PEERS_ONLINE.name;
pub(crate) const MESSAGES: &str = types::metric::MESSAGES_SENT.name;
pub(crate) const BYTES: &str = types::metric::MESSAGES_SENT_BYTES.name;
pub(crate) const STALE: &str = types::metric::KAD_STALE_RATIO.name;
const DRAWN: [&str; 4] = [ONLINE, MESSAGES, BYTES, STALE];
/// The scope of samples about the whole network.
const EVERYBODY: &str = "all";

/// Everything that the page and the plots need.
#[derive(Debug)]
pub(crate) struct Data {
    /// The folder's name.
    pub(crate) folder: String,
    /// What `wavetank replay` is told.
    pub(crate) replay: String,
    pub(crate) manifest: Manifest,
    pub(crate) verdict: Option<Verdict>,
    /// How far simulation and reality were apart when they were last compared.
    pub(crate) calibration: Option<Calibration>,
    pub(crate) faults: Vec<FaultRow>,
    pub(crate) summary: Vec<SummaryRow>,
    pub(crate) groups: BTreeMap<String, Group>,
    /// By kind of operation.
    pub(crate) kinds: BTreeMap<String, Operations>,
    /// Of those that succeeded.
    pub(crate) slowest: Vec<OperationRow>,
    /// What is known of them beside their rows, in the same order.
    pub(crate) traces: Vec<Trace>,
    /// The graph of routing tables, where it was written.
    pub(crate) network: Option<Network>,
    /// Samples of what goals and the scenario's own figures are about, by the name in the series.
    pub(crate) chosen_series: BTreeMap<String, Vec<(u64, f64)>>,
    /// Samples about the whole network, by metric: milliseconds and values.
    pub(crate) series: BTreeMap<&'static str, Vec<(u64, f64)>>,
    /// The end of the time axis.
    pub(crate) end_ms: u64,
    /// The figures that the scenario asks for.
    pub(crate) asked: Vec<Asked>,
    /// Files that end in the middle of a row.
    pub(crate) cut_off: Vec<&'static str>,
}

/// What peers of one group did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) peers: u64,
    pub(crate) lives: u64,
    pub(crate) sent_messages: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) most_sent_bytes: u64,
}

/// Operations of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    /// By bin of their start.
    pub(crate) bins: BTreeMap<u64, Window>,
    /// Latencies of those that succeeded after warm-up, in microseconds.
    pub(crate) latency: Histogram,
    /// Hops of those that succeeded after warm-up.
    pub(crate) hops: BTreeMap<u32, u64>,
    /// The same latencies by the group of the asking peer, and by its region.
    pub(crate) by_group: BTreeMap<String, Histogram>,
    pub(crate) by_region: BTreeMap<String, Histogram>,
    /// How those that started after warm-up ended.
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
}

/// Operations that started in one stretch of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Of those that succeeded, in microseconds.
    pub(crate) latency: Histogram,
}

/// Stretches of one length from the beginning to the end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) window_ms: u64,
    end_ms: u64,
}

impl Grid {
    /// The middle of a stretch, in seconds; the end of the run cuts the last one short.
    pub(crate) fn middle(self, number: u64) -> f64 {
        let from = number.saturating_mul(self.window_ms).min(self.end_ms);
        let to = from.saturating_add(self.window_ms).min(self.end_ms);
        (from as f64 + to as f64) / 2e3
    }
}

impl Window {
    const fn counted(&self) -> u64 {
        self.succeeded + self.failed
    }

    pub(crate) fn success(&self) -> Option<f64> {
        (self.counted() > 0).then(|| self.succeeded as f64 / self.counted() as f64)
    }
}

impl Data {
    pub(crate) fn read(run: &Run) -> Result<Self, RecordError> {
        let manifest = run.manifest().clone();
        let (folder, replay) = names(run);
        let mut data = Self {
            folder,
            replay,
            verdict: run.verdict()?,
            calibration: run.calibration()?,
            faults: run.table(MAX_FAULTS)?,
            summary: run.table(MAX_SUMMARY_ROWS)?,
            groups: BTreeMap::new(),
            kinds: BTreeMap::new(),
            slowest: Vec::new(),
            traces: Vec::new(),
            network: run.graph(ROUTING)?.as_ref().and_then(Network::of),
            chosen_series: BTreeMap::new(),
            series: BTreeMap::new(),
            end_ms: manifest.sim.ended_ms.unwrap_or(manifest.sim.planned_ms).max(1),
            asked: Asked::of(&manifest),
            cut_off: Vec::new(),
            manifest,
        };
        data.read_peers(run)?;
        data.read_operations(run)?;
        data.read_series(run)?;
        data.traces = Trace::read(run, &data.slowest)?;
        Ok(data)
    }

    fn read_peers(&mut self, run: &Run) -> Result<(), RecordError> {
        each(run, &mut self.cut_off, |peer: PeerRow| {
            if self.groups.len() < MAX_GROUPS || self.groups.contains_key(&peer.group) {
                let group = self.groups.entry(peer.group).or_default();
                group.peers += 1;
                group.lives += u64::from(peer.lives);
                group.sent_messages = group.sent_messages.saturating_add(peer.sent_messages);
                group.sent_bytes = group.sent_bytes.saturating_add(peer.sent_bytes);
                group.most_sent_bytes = group.most_sent_bytes.max(peer.sent_bytes);
            }
        })
    }

    fn read_operations(&mut self, run: &Run) -> Result<(), RecordError> {
        let bin_ms = self.bin_ms();
        each(run, &mut self.cut_off, |operation: OperationRow| {
            self.asked.iter_mut().for_each(|asked| asked.add(&operation));
            if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&operation.kind) {
                let kind = self.kinds.entry(operation.kind.clone()).or_default();
                let bin = (operation.start_ns / 1_000_000 / bin_ms).min(BINS);
                kind.add(&operation, bin);
            }
            // Those whose time ran out all took that time: they say nothing of each other.
            if operation.phase == Phase::Measured && operation.outcome == Outcome::Ok {
                keep_slowest(&mut self.slowest, operation);
            }
        })
    }

    fn read_series(&mut self, run: &Run) -> Result<(), RecordError> {
        let thresholds = self.verdict.iter().flat_map(|verdict| &verdict.thresholds);
        let asked = self.asked.iter().map(|asked| asked.metric.name.to_owned());
        let chosen: Vec<String> = thresholds.map(|goal| goal.metric.clone()).chain(asked).collect();
        each(run, &mut self.cut_off, |sample: SeriesRow| {
            let drawn = DRAWN.iter().find(|metric| **metric == sample.metric);
            if sample.scope != EVERYBODY || sample.t_ms > self.end_ms {
                return;
            }
            let keep = |samples: &mut Vec<(u64, f64)>| {
                if samples.len() < MAX_SAMPLES {
                    samples.push((sample.t_ms, sample.value));
                }
            };
            if let Some(metric) = drawn {
                keep(self.series.entry(*metric).or_default());
            }
            let series = &mut self.chosen_series;
            let is_of = |metric: &String| sample.metric.starts_with(metric.as_str());
            if chosen.iter().any(is_of)
                && (series.len() < MAX_CHOSEN_SERIES || series.contains_key(&sample.metric))
            {
                keep(series.entry(sample.metric).or_default());
            }
        })
    }

    fn bin_ms(&self) -> u64 {
        nice(self.end_ms.div_ceil(BINS), 1)
    }

    /// Stretches of time with enough operations each, and those of these kinds by the number of their stretch.
    pub(crate) fn windows<'a>(
        &'a self,
        kinds: &'a [&'a str],
    ) -> (Grid, impl Iterator<Item = (&'a str, BTreeMap<u64, Window>)>) {
        /// Operations that a window holds on average, where the run has that many: a share of fewer jumps.
        const ENOUGH: u64 = 40;
        const FEWEST_WINDOWS: u64 = 12;
        let chosen = move || kinds.iter().filter_map(|kind| Some((*kind, self.kinds.get(*kind)?)));
        let least = chosen().map(|(_, kind)| kind.bins.values().map(Window::counted).sum::<u64>()).min();
        let wished = (least.unwrap_or(0) / ENOUGH).clamp(FEWEST_WINDOWS, 120);
        let window_ms = nice(self.end_ms / wished, self.bin_ms());
        let bins = window_ms / self.bin_ms();
        let merged = chosen().map(move |(kind, operations)| {
            let mut windows = BTreeMap::<u64, Window>::new();
            for (bin, from) in &operations.bins {
                let window = windows.entry(bin / bins).or_default();
                window.succeeded += from.succeeded;
                window.failed += from.failed;
                window.latency.merge(&from.latency);
            }
            (kind, windows)
        });
        let grid = Grid { window_ms, end_ms: self.end_ms };
        (grid, merged)
    }
}

impl Operations {
    fn add(&mut self, operation: &OperationRow, bin: u64) {
        let latency_us = operation.latency_ms.map(|ms| (ms * 1e3).max(0.0) as u64);
        let window = self.bins.entry(bin).or_default();
        match operation.outcome.succeeded() {
            Some(true) => {
                window.succeeded += 1;
                latency_us.into_iter().for_each(|us| window.latency.add(us));
            }
            Some(false) => window.failed += 1,
            None => {}
        }
        if operation.phase == Phase::Measured {
            *self.outcomes.entry(operation.outcome).or_default() += 1;
            if operation.outcome == Outcome::Ok {
                if let Some(us) = latency_us {
                    self.latency.add(us);
                    part(&mut self.by_group, &operation.group, us);
                    part(&mut self.by_region, &operation.region, us);
                }
                if let Some(hops) = operation.hops {
                    *self.hops.entry(hops.min(MAX_HOPS)).or_default() += 1;
                }
            }
        }
    }
}

/// Adds a latency to its part; one without a name is none.
fn part(parts: &mut BTreeMap<String, Histogram>, name: &str, us: u64) {
    if let Some(known) = parts.get_mut(name) {
        known.add(us);
    } else if !name.is_empty() && parts.len() < MAX_PARTS {
        parts.entry(name.to_owned()).or_default().add(us);
    }
}

/// The length that people would choose: the least of theirs that holds `least` and is made of whole `parts`.
fn nice(least_ms: u64, parts_ms: u64) -> u64 {
    const NICE_MS: &[u64] = &[
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000,
        120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000,
        43_200_000, 86_400_000,
    ];
    let fits = |length: &&u64| **length >= least_ms && length.is_multiple_of(parts_ms);
    match NICE_MS.iter().find(fits) {
        Some(length) => *length,
        None => least_ms.div_ceil(parts_ms).max(1) * parts_ms,
    }
}

fn keep_slowest(slowest: &mut Vec<OperationRow>, operation: OperationRow) {
    let slower = |a: &OperationRow, b: &OperationRow| {
        let (a_ms, b_ms) = (a.latency_ms.unwrap_or(0.0), b.latency_ms.unwrap_or(0.0));
        b_ms.total_cmp(&a_ms).then(a.operation.cmp(&b.operation))
    };
    let at = slowest.partition_point(|kept| slower(kept, &operation).is_lt());
    if at < SLOWEST {
        slowest.insert(at, operation);
        slowest.truncate(SLOWEST);
    }
}

/// Every row of a file that may be missing or cut off.
fn each<R: record::CsvRow>(
    run: &Run,
    cut_off: &mut Vec<&'static str>,
    mut take: impl FnMut(R),
) -> Result<(), RecordError> {
    let mut rows = match run.csv::<R>() {
        Err(RecordError::Missing { .. }) => return Ok(()),
        rows => rows?,
    };
    for row in rows.by_ref() {
        take(row?);
    }
    if rows.cut_off() {
        cut_off.push(R::FILE);
    }
    Ok(())
}

/// The folder's name, and the path to replay: from `runs/` on where the run lies in such a place, else the name.
fn names(run: &Run) -> (String, String) {
    let path = std::fs::canonicalize(run.path()).unwrap_or_else(|_| run.path().to_owned());
    let mut names: Vec<String> =
        path.iter().rev().take(3).map(|name| name.to_string_lossy().into_owned()).collect();
    names.reverse();
    let folder = names.last().cloned().unwrap_or_default();
    let replay = match names.as_slice() {
        [root, _, _] if root == "runs" => names.join("/"),
        _ => folder.clone(),
    };
    (folder, replay)
}
