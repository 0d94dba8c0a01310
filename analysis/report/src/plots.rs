//! Which plots there are, and from which data. A plot without data is left out with a word.

use crate::ReportError;
use crate::axis::Axis;
use crate::data::{BYTES, Data, Grid, MAX_HOPS, MESSAGES, ONLINE, Window};
use crate::draw::{BLUE, Band, BandKind, GREEN, Layout, Line, Mark, PURPLE, Panel, Plot, VERMILION};
use crate::words::{counted, span, symbols};

/// Bands that a plot has at most: more are a pattern, not bands.
const MAX_BANDS: usize = 50;
/// Points of a line at most: more than there are pixels say nothing.
const MAX_POINTS: usize = 600;

/// All plots, and what is said of those that are missing.
#[derive(Debug)]
pub(crate) struct Plots {
    pub(crate) drawn: Vec<Drawn>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A finished plot.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// The name of its file, without the ending.
    pub(crate) name: &'static str,
    /// What it rests on, for below the plot.
    pub(crate) caption: String,
    pub(crate) wide: String,
    pub(crate) narrow: String,
}

/// A plot that there is no data for.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) title: &'static str,
    pub(crate) why: &'static str,
}

struct Recipe {
    name: &'static str,
    title: &'static str,
    /// What is said where there is no data.
    without: &'static str,
    make: fn(&Data, Layout) -> Option<(Panels, String)>,
}

/// What a recipe makes: an axis of x, its unit, and the panels over it.
struct Panels {
    x: Axis,
    x_unit: String,
    bands: Vec<Band>,
    panels: Vec<Panel>,
}

const RECIPES: &[Recipe] = &[
    Recipe {
        name: "lookup_success",
        title: "Lookup success over time",
        without: "no lookup ended",
        make: |data, layout| {
            let metric = types::metric::LOOKUP_SUCCESS_RATIO.name;
            success(data, &["lookup"], Some(metric), layout)
        },
    },
    Recipe {
        name: "lookup_latency",
        title: "Lookup latency over time",
        without: "no lookup succeeded",
        make: latency_over_time,
    },
    Recipe {
        name: "record_success",
        title: "PUT and GET success over time",
        without: "no record was put or got",
        make: |data, layout| success(data, &["put", "get"], None, layout),
    },
    Recipe {
        name: "peers_online",
        title: "Online peers over time",
        without: "the series has no samples of peers.online",
        make: online,
    },
    Recipe {
        name: "traffic",
        title: "Traffic over time",
        without: "the series has no samples of messages.sent",
        make: traffic,
    },
    Recipe {
        name: "latency_cdf",
        title: "Latency distribution",
        without: "no operation succeeded after warm-up",
        make: latency_cdf,
    },
    Recipe {
        name: "lookup_hops",
        title: "Lookup hops",
        without: "no lookup that succeeded after warm-up counted its hops",
        make: hops,
    },
];

/// Draws everything that there is data for.
pub(crate) fn draw(data: &Data) -> Result<Plots, ReportError> {
    let mut plots = Plots { drawn: Vec::new(), left_out: Vec::new() };
    for recipe in RECIPES {
        let Some((_, caption)) = (recipe.make)(data, Layout::Wide) else {
            plots.left_out.push(LeftOut { title: recipe.title, why: recipe.without });
            continue;
        };
        plots.drawn.push(Drawn {
            name: recipe.name,
            caption,
            wide: recipe.svg(data, Layout::Wide)?,
            narrow: recipe.svg(data, Layout::Narrow)?,
        });
    }
    Ok(plots)
}

impl Recipe {
    fn svg(&self, data: &Data, layout: Layout) -> Result<String, ReportError> {
        let Some((made, _)) = (self.make)(data, layout) else {
            return Ok(String::new());
        };
        let plot = Plot {
            title: self.title.to_owned(),
            x: made.x,
            x_unit: made.x_unit,
            bands: made.bands,
            panels: made.panels,
        };
        plot.svg(layout).map_err(|what| ReportError::Draw { plot: self.title.to_owned(), what })
    }
}

fn success(data: &Data, kinds: &[&str], metric: Option<&str>, layout: Layout) -> Option<(Panels, String)> {
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
    let panel = Panel {
        unit: "share that succeeded".to_owned(),
        goal: goal.filter(|(goal, _)| *goal >= y.from),
        y,
        marks: lines.into_iter().map(Mark::Line).collect(),
    };
    let caption = format!(
        "{}. Each point: those that started within {}. Operations whose client went away or that the end of the run cut short count neither way.{cut}",
        counted(counted_all, "operation"),
        span(grid.window_ms)
    );
    Some((over_time(data, layout, vec![panel]), caption))
}

fn latency_over_time(data: &Data, layout: Layout) -> Option<(Panels, String)> {
    let (grid, mut windows) = data.windows(&["lookup"]);
    let (_, windows) = windows.next()?;
    let quantile = |per_mille| move |window: &Window| Some(window.latency.quantile(per_mille)? as f64 / 1e3);
    let lines = [
        line("p95", VERMILION, grid, &windows, quantile(950)),
        line("p50", BLUE, grid, &windows, quantile(500)),
    ];
    let (scale, unit) = seconds_or_ms(highest(&lines)?);
    let lines = lines.map(|line| line.scaled(scale));
    let panel = Panel {
        unit: format!("latency, {unit}"),
        y: Axis::numbers(highest(&lines)?, 5),
        marks: lines.into_iter().map(Mark::Line).collect(),
        goal: None,
    };
    let succeeded: u64 = windows.values().map(|window| window.latency.count()).sum();
    let caption = format!(
        "{} that succeeded. Each point: those that started within {}. p95: 95 of 100 took no longer.",
        counted(succeeded, "lookup"),
        span(grid.window_ms)
    );
    Some((over_time(data, layout, vec![panel]), caption))
}

fn online(data: &Data, layout: Layout) -> Option<(Panels, String)> {
    let samples = data.series.get(ONLINE)?;
    let points = thinned(samples).map(|(ms, value)| (ms as f64 / 1e3, value)).collect();
    let line = Line { name: String::new(), colour: BLUE, pieces: vec![points] };
    let panel = Panel {
        unit: "peers that are up".to_owned(),
        y: Axis::numbers(highest(std::slice::from_ref(&line))?, 5),
        marks: vec![Mark::Line(line)],
        goal: None,
    };
    let caption = format!("{}.", counted(samples.len() as u64, "sample"));
    Some((over_time(data, layout, vec![panel]), caption))
}

fn traffic(data: &Data, layout: Layout) -> Option<(Panels, String)> {
    let rates = [
        (MESSAGES, "messages sent per second", BLUE, 1.0),
        (BYTES, "KiB sent per second", PURPLE, 1.0 / 1024.0),
    ];
    let panels: Vec<Panel> = rates
        .into_iter()
        .filter_map(|(metric, unit, colour, scale)| {
            let line = rate(data.series.get(metric)?, colour).scaled(scale);
            Some(Panel {
                unit: unit.to_owned(),
                y: Axis::numbers(highest(std::slice::from_ref(&line))?, 4),
                marks: vec![Mark::Line(line)],
                goal: None,
            })
        })
        .collect();
    (!panels.is_empty()).then(|| {
        let caption =
            "All peers together; sizes as encoded, exactly. Mean rate from sample to sample.".to_owned();
        (over_time(data, layout, panels), caption)
    })
}

fn latency_cdf(data: &Data, layout: Layout) -> Option<(Panels, String)> {
    let mut marks = Vec::new();
    let (mut least, mut most) = (f64::MAX, 0.0_f64);
    let mut counts = Vec::new();
    let colours = [BLUE, GREEN, PURPLE, VERMILION];
    let measured = data.kinds.iter().filter(|(_, kind)| kind.latency.count() > 0);
    let several = measured.clone().count() > 1;
    for ((name, kind), colour) in measured.zip(colours) {
        let all = kind.latency.count() as f64;
        let ms = |us: u64| us.max(1) as f64 / 1e3;
        let steps: Vec<(f64, f64)> =
            kind.latency.cumulative().map(|(us, below)| (ms(us), below as f64 / all)).collect();
        least = steps.first().map_or(least, |(ms, _)| least.min(*ms));
        most = steps.last().map_or(most, |(ms, _)| most.max(*ms));
        let start = steps.first().map(|(ms, _)| (ms.log10(), 0.0));
        let curve = steps.iter().map(|(ms, share)| (ms.log10(), *share));
        marks.push(Mark::Line(Line {
            name: if several { name.clone() } else { String::new() },
            colour,
            pieces: vec![start.into_iter().chain(curve).collect()],
        }));
        let quantiles = [(500, 0.5, "p50"), (950, 0.95, "p95"), (990, 0.99, "p99")];
        let dots = quantiles.iter().filter_map(|(per_mille, share, name)| {
            let us = kind.latency.quantile(*per_mille)?;
            let label = format!("{name} {}", crate::words::nanoseconds(us as f64 * 1e3));
            Some((ms(us).log10(), *share, label))
        });
        // With several curves their labels would cover each other.
        if !several {
            marks.push(Mark::Dots { colour, dots: dots.collect() });
        }
        let at = |per_mille| kind.latency.quantile(per_mille).map_or(0.0, |us| us as f64 * 1e3);
        counts.push(format!(
            "{} (p50 {}, p95 {})",
            counted(kind.latency.count(), name),
            crate::words::nanoseconds(at(500)),
            crate::words::nanoseconds(at(950))
        ));
    }
    if marks.is_empty() {
        return None;
    }
    let x = thin_ticks(Axis::log_ms(least * 0.9, most * 1.1), layout);
    let panel =
        Panel { unit: "share that took no longer".to_owned(), y: Axis::shares(0.0), marks, goal: None };
    let caption = format!("{} that succeeded after warm-up. The axis is logarithmic.", counts.join(", "));
    let panels = Panels { x, x_unit: "latency".to_owned(), bands: Vec::new(), panels: vec![panel] };
    Some((panels, caption))
}

fn hops(data: &Data, _layout: Layout) -> Option<(Panels, String)> {
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
        (f64::from(hop), share(count), label)
    });
    let highest = hops.values().map(|count| share(*count)).fold(0.0, f64::max);
    let mut y = Axis::numbers(highest * 1.08, 4);
    for (value, label) in &mut y.ticks {
        *label = crate::words::percent(*value);
    }
    let tick = |hop: u32| {
        let more = if hop == MAX_HOPS { "+" } else { "" };
        (f64::from(hop), format!("{hop}{more}"))
    };
    let panels = Panels {
        x: Axis {
            from: f64::from(least) - 0.6,
            to: f64::from(most) + 0.6,
            ticks: (least..=most).map(tick).collect(),
        },
        x_unit: "hops".to_owned(),
        bands: Vec::new(),
        panels: vec![Panel {
            unit: "share of lookups".to_owned(),
            y,
            marks: vec![Mark::Bars { colour: BLUE, bars: bars.collect() }],
            goal: None,
        }],
    };
    let caption = format!(
        "{} that succeeded after warm-up. Hops: {}.",
        counted(all, "lookup"),
        types::metric::LOOKUP_HOPS.about
    );
    Some((panels, caption))
}

/// Panels over simulated time, with the warm-up and the faults as bands.
fn over_time(data: &Data, layout: Layout, panels: Vec<Panel>) -> Panels {
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
    Panels {
        x: Axis::time(end, layout.time_ticks()),
        x_unit: format!("simulated time, {}", Axis::time_unit(end)),
        bands: warmup.into_iter().chain(faults.map(fault).take(MAX_BANDS)).collect(),
        panels,
    }
}

/// Windows as a line, with a gap where a window has no value.
fn line(
    name: &str,
    colour: plotters::style::RGBColor,
    grid: Grid,
    windows: &std::collections::BTreeMap<u64, Window>,
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

impl Line {
    fn scaled(mut self, factor: f64) -> Self {
        for (_, y) in self.pieces.iter_mut().flatten() {
            *y *= factor;
        }
        self
    }
}

/// What a counter gained per second from sample to sample, as steps.
fn rate(samples: &[(u64, f64)], colour: plotters::style::RGBColor) -> Line {
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

/// A logarithmic axis has at most this many ticks: only powers of ten where all would not fit.
fn thin_ticks(mut axis: Axis, layout: Layout) -> Axis {
    let most = layout.time_ticks() + 1;
    if axis.ticks.len() > most {
        axis.ticks.retain(|(value, _)| (value - value.round()).abs() < 1e-9);
    }
    axis
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
    let words = format!("goal {} {}", symbols(sign), crate::words::percent(share));
    (0.0..=1.0).contains(&share).then_some((share, words))
}

/// Milliseconds stay such below ten seconds.
fn seconds_or_ms(highest_ms: f64) -> (f64, &'static str) {
    if highest_ms >= 10_000.0 { (1e-3, "s") } else { (1.0, "ms") }
}

fn highest(lines: &[Line]) -> Option<f64> {
    values(lines).max_by(f64::total_cmp)
}

fn lowest(lines: &[Line]) -> Option<f64> {
    values(lines).min_by(f64::total_cmp)
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.pieces.iter().flatten()).map(|(_, y)| *y)
}
