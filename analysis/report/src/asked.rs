//! What the scenario's own figures need of the folder: one number of each operation, parted as the figure asks.

use std::collections::BTreeMap;

use record::{Figure, Manifest, OperationRow, Outcome, Phase};
use types::metric::{self, Kind, Metric, Unit};

use crate::histogram::Histogram;

/// Figures that a scenario may ask for; a screen has room for fewer.
const MAX_FIGURES: usize = 64;
/// Parts of a figure; what more there are is left out.
const MAX_PARTS: usize = 8;

/// A figure that the scenario asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) figure: Figure,
    pub(crate) metric: &'static Metric,
    /// Numbers of operations that succeeded after warm-up, in [`Asked::per_unit`]ths; by group, region or of all.
    pub(crate) parts: BTreeMap<String, Histogram>,
}

impl Asked {
    /// Those of a run, without figures that this version does not know.
    pub(crate) fn of(manifest: &Manifest) -> Vec<Self> {
        let asked = manifest.figures.iter().take(MAX_FIGURES).filter_map(|figure| {
            let metric = metric::find(&figure.metric)?;
            Some(Self { figure: figure.clone(), metric, parts: BTreeMap::new() })
        });
        asked.collect()
    }

    /// Whether it is drawn from single operations rather than from samples.
    pub(crate) fn is_of_operations(&self) -> bool {
        self.figure.kind != "line" && self.metric.kind == Kind::Distribution
    }

    /// By how much its whole numbers are finer than what is shown: milliseconds, things, shares.
    pub(crate) const fn per_unit(&self) -> f64 {
        match self.metric.unit {
            Unit::Time => 1e3,
            Unit::Ratio => 1e4,
            Unit::Bytes | Unit::Count => 1.0,
        }
    }

    pub(crate) fn add(&mut self, operation: &OperationRow) {
        if !self.is_of_operations() || operation.phase != Phase::Measured || operation.outcome != Outcome::Ok
        {
            return;
        }
        let Some(value) = number(self.metric, operation) else { return };
        let part = match self.figure.by.as_str() {
            "group" => operation.group.as_str(),
            "region" => operation.region.as_str(),
            _ => "",
        };
        if self.parts.len() < MAX_PARTS || self.parts.contains_key(part) {
            let value = (value * self.per_unit()).max(0.0) as u64;
            self.parts.entry(part.to_owned()).or_default().add(value);
        }
    }
}

/// What an operation's row says of a metric, in milliseconds, things or shares.
fn number(metric: &Metric, operation: &OperationRow) -> Option<f64> {
    let (of, what) = metric.name.split_once('.')?;
    let (kind, what) = match (of, what.split_once('_')) {
        ("record", Some((kind @ ("put" | "get"), rest))) => (kind, rest),
        ("provider", Some((kind @ ("announce" | "find"), rest))) => (kind, rest),
        ("provider", _) => ("find", what),
        _ => (of, what),
    };
    if operation.kind != kind {
        return None;
    }
    match what {
        "latency" => operation.latency_ms,
        "hops" => operation.hops.map(f64::from),
        "messages" => operation.messages.map(f64::from),
        "timeouts" => operation.timeouts.map(f64::from),
        "rounds_to_known" => operation.known_in_round.map(f64::from),
        "recall" => operation.recall,
        _ => None,
    }
}
