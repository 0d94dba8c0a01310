//! Distributions over the measured part: latencies, hops.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::{Made, short};
use crate::axis::Axis;
use crate::data::{Data, MAX_HOPS, Operations};
use crate::draw::{Bar, Bars, Layout, Line, Mark, Panel, Reading};
use crate::histogram::Histogram;
use crate::palette::{BLUE, SERIES};
use crate::words::{count, counted, nanoseconds, percent};

/// Points of a curve at most: as many as it has pixels.
const MAX_POINTS: usize = 400;

pub(super) fn latency(data: &Data, layout: Layout) -> Option<Made> {
    let measured = data.kinds.iter().filter(|(_, kind)| kind.latency.count() > 0);
    let curves: Vec<(&str, &Histogram)> =
        measured.map(|(name, kind)| (name.as_str(), &kind.latency)).take(SERIES.len()).collect();
    let caption = format!(
        "{} that succeeded after warm-up. The axis is logarithmic.",
        curves.iter().map(|(name, latency)| said(name, latency)).collect::<Vec<_>>().join(", ")
    );
    cdf(&curves, layout, caption)
}

/// Of the kind that was asked most, by a part of the network that asked.
pub(super) fn parted(
    data: &Data,
    layout: Layout,
    part: &str,
    parts: impl Fn(&Operations) -> &BTreeMap<String, Histogram>,
) -> Option<Made> {
    let (kind, operations) = data.kinds.iter().max_by_key(|(_, kind)| kind.latency.count())?;
    let mut curves: Vec<(&str, &Histogram)> =
        parts(operations).iter().map(|(name, latency)| (name.as_str(), latency)).collect();
    if curves.len() < 2 {
        return None;
    }
    // Those with most operations, in the order of their names.
    curves.sort_by_key(|(name, latency)| (std::cmp::Reverse(latency.count()), *name));
    let left_out = match curves.len().saturating_sub(SERIES.len()) {
        0 => String::new(),
        more => format!(" Left out: {} with fewer.", counted(more as u64, part)),
    };
    curves.truncate(SERIES.len());
    curves.sort_by_key(|(name, _)| *name);
    let said: Vec<String> = curves.iter().map(|(name, latency)| said(name, latency)).collect();
    let caption = format!(
        "Operations of the kind {kind} that succeeded after warm-up, by the {part} of the peer that was asked: {}.{left_out}",
        said.join(", ")
    );
    cdf(&curves, layout, caption)
}

fn said(name: &str, latency: &Histogram) -> String {
    let at = |per_mille| latency.quantile(per_mille).map_or(0.0, |us| us as f64 * 1e3);
    let (p50, p95) = (nanoseconds(at(500)), nanoseconds(at(950)));
    format!("{name} {} (p50 {p50}, p95 {p95})", count(latency.count()))
}

fn cdf(curves: &[(&str, &Histogram)], layout: Layout, caption: String) -> Option<Made> {
    let ms = |us: u64| us.max(1) as f64 / 1e3;
    let (mut least, mut most) = (f64::MAX, 0.0_f64);
    let mut marks = Vec::new();
    for ((name, latency), colour) in curves.iter().zip(SERIES) {
        let all = latency.count() as f64;
        let steps: Vec<(f64, f64)> =
            latency.cumulative().map(|(us, below)| (ms(us).log10(), below as f64 / all)).collect();
        let (Some((first, _)), Some((last, _))) = (steps.first(), steps.last()) else { continue };
        (least, most) = (least.min(*first), most.max(*last));
        let start = (*first, 0.0);
        let stride = steps.len().div_ceil(MAX_POINTS).max(1);
        let offset = (steps.len() - 1) % stride;
        let thinned = steps.iter().skip(offset).step_by(stride).copied();
        let piece = std::iter::once(start).chain(thinned).collect();
        let several = curves.len() > 1;
        let name = if several { short(name) } else { String::new() };
        marks.push(Mark::Line(Line { name, colour, pieces: vec![piece] }));
        // With several curves their labels would cover each other.
        if !several {
            marks.push(quantiles(latency, colour));
        }
    }
    if marks.is_empty() {
        return None;
    }
    let x = thin_ticks(Axis::log_ms(10_f64.powf(least) * 0.9, 10_f64.powf(most) * 1.1), layout);
    let panel = Panel::new("share that took no longer", Axis::shares(0.0), Reading::Share).with(marks);
    Some(Made {
        x,
        x_unit: "latency".to_owned(),
        read_x: Reading::LogMs,
        bands: Vec::new(),
        panels: vec![panel],
        caption,
    })
}

fn quantiles(latency: &Histogram, colour: RGBColor) -> Mark {
    let dot = |(per_mille, share, name): &(u64, f64, &str)| {
        let us = latency.quantile(*per_mille)?;
        let label = format!("{name} {}", nanoseconds(us as f64 * 1e3));
        Some(((us.max(1) as f64 / 1e3).log10(), *share, label))
    };
    let dots = [(500, 0.5, "p50"), (950, 0.95, "p95"), (990, 0.99, "p99")].iter().filter_map(dot).collect();
    Mark::Dots { colour, dots }
}

/// A logarithmic axis has at most this many ticks: only powers of ten where all would not fit.
fn thin_ticks(mut axis: Axis, layout: Layout) -> Axis {
    let most = layout.time_ticks() + 1;
    if axis.ticks.len() > most {
        axis.ticks.retain(|(value, _)| (value - value.round()).abs() < 1e-9);
    }
    axis
}

pub(super) fn hops(data: &Data, _layout: Layout) -> Option<Made> {
    let hops = &data.kinds.get("lookup")?.hops;
    let most = *hops.keys().last()?;
    let least = *hops.keys().next()?;
    let all: u64 = hops.values().sum();
    let share = |count: u64| count as f64 / all as f64;
    let bars = (least..=most).map(|hop| {
        let count = hops.get(&hop).copied().unwrap_or(0);
        let label = match share(count) * 100.0 {
            0.0 => String::new(),
            percent if percent < 0.5 => "< 1 %".to_owned(),
            percent => format!("{percent:.0} %"),
        };
        Bar { x: f64::from(hop), from: 0.0, to: share(count), label }
    });
    let highest = hops.values().map(|count| share(*count)).fold(0.0, f64::max);
    let mut y = Axis::numbers(highest * 1.08, 4);
    for (value, label) in &mut y.ticks {
        *label = percent(*value);
    }
    let tick = |hop: u32| {
        let more = if hop == MAX_HOPS { "+" } else { "" };
        (f64::from(hop), format!("{hop}{more}"))
    };
    let bars = Bars { name: String::new(), colour: BLUE, step: 1.0, bars: bars.collect() };
    let caption = format!(
        "{} that succeeded after warm-up. Hops: {}.",
        counted(all, "lookup"),
        types::metric::LOOKUP_HOPS.about
    );
    Some(Made {
        x: Axis {
            from: f64::from(least) - 0.6,
            to: f64::from(most) + 0.6,
            ticks: (least..=most).map(tick).collect(),
        },
        x_unit: "hops".to_owned(),
        read_x: Reading::Number("hops"),
        bands: Vec::new(),
        panels: vec![Panel::new("share of lookups", y, Reading::Share).with([Mark::Bars(bars)])],
        caption,
    })
}
