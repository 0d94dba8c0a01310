//! Plots over simulated time, with the warm-up and the faults as bands.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::{Made, highest, lowest};
use crate::axis::Axis;
use crate::data::{BYTES, Data, Grid, MESSAGES, ONLINE, STALE, Window};
use crate::draw::{Band, BandKind, Layout, Line, Mark, Panel, Reading};
use crate::palette::{BLUE, GREEN, PURPLE, VERMILION};
use crate::words::{counted, percent, span, symbols};

/// Bands that a plot has at most: more are a pattern, not bands.
const MAX_BANDS: usize = 50;
/// Points of a line at most: more than there are pixels say nothing.
const MAX_POINTS: usize = 600;

pub(super) fn lookup_success(data: &Data, layout: Layout) -> Option<Made> {
    success(data, &["lookup"], Some(types::metric::LOOKUP_SUCCESS_RATIO.name), layout)
}

pub(super) fn record_success(data: &Data, layout: Layout) -> Option<Made> {
    success(data, &["put", "get"], None, layout)
}

fn success(data: &Data, kinds: &[&str], metric: Option<&str>, layout: Layout) -> Option<Made> {
    let (grid, windows) = data.windows(kinds);
    let mut lines = Vec::new();
    let mut counted_all = 0;
    for ((kind, windows), colour) in windows.zip([BLUE, GREEN]) {
        counted_all += windows.values().map(|window| window.succeeded + window.failed).sum::<u64>();
        let name = if kinds.len() > 1 { kind } else { "" };
        lines.push(line(name, colour, grid, &windows, Window::success));
    }
    let least = lowest(&lines)?;
    let goal = metric.and_then(|metric| goal(data, metric));
    let y = Axis::shares(goal.as_ref().map_or(least, |(goal, _)| least.min(*goal)));
    let cut = match y.ticks.first() {
        Some((from, label)) if *from > 0.0 => format!(" The axis begins at {label}."),
        _ => String::new(),
    };
    let goal = goal.filter(|(goal, _)| *goal >= y.from);
    let panel = Panel::new("share that succeeded", y, Reading::Share);
    let panel = Panel { goal, ..panel }.with(lines.into_iter().map(Mark::Line));
    let caption = format!(
        "{}. Each point: those that started within {}. Operations whose client went away or that the end of the run cut short count neither way.{cut}",
        counted(counted_all, "operation"),
        span(grid.window_ms)
    );
    Some(over_time(data, layout, vec![panel], caption))
}

pub(super) fn lookup_latency(data: &Data, layout: Layout) -> Option<Made> {
    let (grid, mut windows) = data.windows(&["lookup"]);
    let (_, windows) = windows.next()?;
    let quantile = |per_mille| move |window: &Window| Some(window.latency.quantile(per_mille)? as f64 / 1e3);
    let lines = [
        line("p95", VERMILION, grid, &windows, quantile(950)),
        line("p50", BLUE, grid, &windows, quantile(500)),
    ];
    let (scale, unit) = seconds_or_ms(highest(&lines)?);
    let lines = lines.map(|line| line.scaled(scale));
    let y = Axis::numbers(highest(&lines)?, 5);
    let panel = Panel::new(format!("latency, {unit}"), y, Reading::Number(unit));
    let panel = panel.with(lines.into_iter().map(Mark::Line));
    let succeeded: u64 = windows.values().map(|window| window.latency.count()).sum();
    let caption = format!(
        "{} that succeeded. Each point: those that started within {}. p95: 95 of 100 took no longer.",
        counted(succeeded, "lookup"),
        span(grid.window_ms)
    );
    Some(over_time(data, layout, vec![panel], caption))
}

pub(super) fn online(data: &Data, layout: Layout) -> Option<Made> {
    let samples = data.series.get(ONLINE)?;
    let line = sampled(samples, BLUE);
    let y = Axis::numbers(highest(std::slice::from_ref(&line))?, 5);
    let panel = Panel::new("peers that are up", y, Reading::Number("peers")).with([Mark::Line(line)]);
    let peers: u64 = data.groups.values().map(|group| group.peers).sum();
    let of = if peers > 0 { format!(" of {}", counted(peers, "peer")) } else { String::new() };
    let caption = format!("{}{of}.", counted(samples.len() as u64, "sample"));
    Some(over_time(data, layout, vec![panel], caption))
}

pub(super) fn staleness(data: &Data, layout: Layout) -> Option<Made> {
    let samples = data.series.get(STALE)?;
    let line = sampled(samples, VERMILION);
    let mut y = Axis::numbers(highest(std::slice::from_ref(&line))?.clamp(0.01, 1.0), 5);
    for (share, label) in &mut y.ticks {
        *label = percent(*share);
    }
    let panel = Panel::new("share of contacts who are down", y, Reading::Share).with([Mark::Line(line)]);
    let caption = format!(
        "{}. Each: of all contacts in the tables of peers that are up, the share whose peer is down.",
        counted(samples.len() as u64, "sample")
    );
    Some(over_time(data, layout, vec![panel], caption))
}

pub(super) fn traffic(data: &Data, layout: Layout) -> Option<Made> {
    let rates = [
        (MESSAGES, "messages sent per second", "messages/s", BLUE, 1.0),
        (BYTES, "KiB sent per second", "KiB/s", PURPLE, 1.0 / 1024.0),
    ];
    let panels: Vec<Panel> = rates
        .into_iter()
        .filter_map(|(metric, unit, short, colour, scale)| {
            let line = rate(data.series.get(metric)?, colour).scaled(scale);
            let y = Axis::numbers(highest(std::slice::from_ref(&line))?, 4);
            Some(Panel::new(unit, y, Reading::Number(short)).with([Mark::Line(line)]))
        })
        .collect();
    let caption =
        "All peers together; sizes as encoded, exactly. Mean rate from sample to sample.".to_owned();
    (!panels.is_empty()).then(|| over_time(data, layout, panels, caption))
}

pub(super) fn over_time(data: &Data, layout: Layout, panels: Vec<Panel>, caption: String) -> Made {
    let end = data.end_ms as f64 / 1e3;
    let warmup_ms = data.manifest.sim.warmup_ms.min(data.end_ms);
    let warmup = (warmup_ms > 0).then(|| Band {
        kind: BandKind::Warmup,
        name: "warm-up".to_owned(),
        from: 0.0,
        to: warmup_ms as f64 / 1e3,
    });
    let faults = data.faults.iter().filter(|fault| fault.from_ms <= data.end_ms);
    let fault = |fault: &record::FaultRow| Band {
        kind: BandKind::Fault,
        name: fault.name.chars().take(40).collect(),
        from: fault.from_ms as f64 / 1e3,
        to: fault.until_ms.unwrap_or(data.end_ms).min(data.end_ms) as f64 / 1e3,
    };
    Made {
        x: Axis::time(end, layout.time_ticks()),
        x_unit: format!("simulated time, {}", Axis::time_unit(end)),
        read_x: Reading::Time,
        bands: warmup.into_iter().chain(faults.map(fault).take(MAX_BANDS)).collect(),
        panels,
        caption,
    }
}

/// Windows as a line, with a gap where a window has no value.
fn line(
    name: &str,
    colour: RGBColor,
    grid: Grid,
    windows: &BTreeMap<u64, Window>,
    value: impl Fn(&Window) -> Option<f64>,
) -> Line {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut expected = None;
    for (number, window) in windows {
        let Some(value) = value(window) else { continue };
        let point = (grid.middle(*number), value);
        match pieces.last_mut() {
            Some(piece) if expected == Some(*number) => piece.push(point),
            _ => pieces.push(vec![point]),
        }
        expected = Some(number + 1);
    }
    Line { name: name.to_owned(), colour, pieces }
}

pub(super) fn sampled(samples: &[(u64, f64)], colour: RGBColor) -> Line {
    let points = thinned(samples).map(|(ms, value)| (ms as f64 / 1e3, value)).collect();
    Line { name: String::new(), colour, pieces: vec![points] }
}

/// What a counter gained per second from sample to sample, as steps.
pub(super) fn rate(samples: &[(u64, f64)], colour: RGBColor) -> Line {
    let mut points = Vec::new();
    let mut before = (0, 0.0);
    for (ms, value) in thinned(samples) {
        let seconds = (ms as f64 - before.0 as f64) / 1e3;
        // A counter that fell is no counter: it is left out rather than drawn below zero.
        if seconds > 0.0 && value >= before.1 {
            let rate = (value - before.1) / seconds;
            points.push((before.0 as f64 / 1e3, rate));
            points.push((ms as f64 / 1e3, rate));
        }
        before = (ms, value);
    }
    Line { name: String::new(), colour, pieces: vec![points] }
}

/// At most [`MAX_POINTS`] of the samples, evenly, the last one among them.
fn thinned(samples: &[(u64, f64)]) -> impl Iterator<Item = (u64, f64)> {
    let stride = samples.len().div_ceil(MAX_POINTS).max(1);
    let offset = samples.len().saturating_sub(1) % stride;
    samples.iter().skip(offset).step_by(stride).copied()
}

/// A goal for the metric's value itself, as the scenario writes it: `>= 0.99`, `>= 99%`.
fn goal(data: &Data, metric: &str) -> Option<(f64, String)> {
    let thresholds = &data.verdict.as_ref()?.thresholds;
    let goal = &thresholds.iter().find(|threshold| threshold.metric == metric)?.expression;
    let number = goal.trim_start_matches(['<', '>', '=', ' ']);
    let sign = goal.strip_suffix(number)?.trim();
    let share = match number.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => number.trim().parse().ok()?,
    };
    let words = format!("goal {} {}", symbols(sign), percent(share));
    (0.0..=1.0).contains(&share).then_some((share, words))
}

/// Milliseconds stay such below ten seconds.
fn seconds_or_ms(highest_ms: f64) -> (f64, &'static str) {
    if highest_ms >= 10_000.0 { (1e-3, "s") } else { (1.0, "ms") }
}
