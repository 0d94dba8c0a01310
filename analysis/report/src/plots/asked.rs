//! The figures that the scenario asks for.

use super::over_time::{over_time, rate, sampled};
use super::{Made, highest, short};
use crate::asked::Asked;
use crate::axis::Axis;
use crate::data::Data;
use crate::draw::{Bar, Bars, Layout, Line, Mark, Panel, Reading};
use crate::histogram::Histogram;
use crate::palette::{BLUE, SERIES};
use crate::words::{count, percent};
use types::metric::{Kind, Unit};

/// Bars of a histogram at most, and points of a curve.
const MAX_BARS: u64 = 40;
const MAX_POINTS: usize = 600;

/// The title of a figure.
pub(super) fn title(asked: &Asked) -> String {
    let what = match (asked.figure.kind.as_str(), asked.figure.by.as_str()) {
        ("line", _) => "over time".to_owned(),
        ("cdf", "all") => "distribution".to_owned(),
        ("cdf", by) => format!("distribution by {by}"),
        _ => "histogram".to_owned(),
    };
    format!("{}: {what}", asked.metric.name)
}

/// What it shows; none without data.
pub(super) fn make(asked: &Asked, data: &Data, layout: Layout) -> Option<Made> {
    match asked.figure.kind.as_str() {
        "line" => line(asked, data, layout),
        "cdf" => cdf(asked),
        "histogram" => histogram(asked),
        _ => None,
    }
}

const fn unit(asked: &Asked) -> (&'static str, Reading) {
    match asked.metric.unit {
        Unit::Time => ("ms", Reading::Number("ms")),
        Unit::Ratio => ("share", Reading::Share),
        Unit::Bytes => ("bytes", Reading::Number("bytes")),
        Unit::Count => ("", Reading::Number("")),
    }
}

/// The metric and its unit.
fn named(asked: &Asked) -> String {
    match unit(asked).0 {
        "" | "share" => asked.metric.name.to_owned(),
        unit => format!("{}, {unit}", asked.metric.name),
    }
}

/// An axis up to `most`; in percent where it is one of shares.
fn axis(asked: &Asked, most: f64) -> Axis {
    let mut axis = Axis::numbers(most, 5);
    if asked.metric.unit == Unit::Ratio {
        axis.ticks.iter_mut().for_each(|(value, label)| *label = percent(*value));
    }
    axis
}

fn line(asked: &Asked, data: &Data, layout: Layout) -> Option<Made> {
    let name = asked.metric.name;
    let parts = data.chosen_series.iter().filter_map(|(series, samples)| {
        let part = series.strip_prefix(name)?;
        (part.is_empty() || part.starts_with('.')).then_some((part.trim_start_matches('.'), samples))
    });
    let lines: Vec<Line> = parts
        .zip(SERIES)
        .map(|((part, samples), colour)| {
            let line = if asked.metric.kind == Kind::Counter {
                rate(samples, colour)
            } else {
                sampled(samples, colour)
            };
            // Series are in nanoseconds.
            let scale = if asked.metric.unit == Unit::Time { 1e-6 } else { 1.0 };
            Line { name: part.to_owned(), ..line.scaled(scale) }
        })
        .collect();
    let reading = unit(asked).1;
    let per = if asked.metric.kind == Kind::Counter { " per second" } else { "" };
    let y = axis(asked, highest(&lines)?);
    let panel =
        Panel::new(format!("{}{per}", named(asked)), y, reading).with(lines.into_iter().map(Mark::Line));
    Some(over_time(data, layout, vec![panel], format!("{name}: the {}.", asked.metric.about)))
}

fn caption(asked: &Asked) -> String {
    let said = asked.parts.iter().map(|(part, values)| match part.as_str() {
        "" => format!("{} operations", count(values.count())),
        part => format!("{part} {}", count(values.count())),
    });
    let said: Vec<_> = said.collect();
    format!(
        "{}: the {}. Of those that succeeded after warm-up: {}.",
        asked.metric.name,
        asked.metric.about,
        said.join(", ")
    )
}

fn most(asked: &Asked) -> Option<f64> {
    let lasts = asked.parts.values().filter_map(|values| values.quantile(1_000));
    Some(lasts.max()? as f64 / asked.per_unit())
}

fn cdf(asked: &Asked) -> Option<Made> {
    let per_unit = asked.per_unit();
    let lines = asked.parts.iter().zip(SERIES).map(|((part, values), colour)| {
        let all = values.count() as f64;
        let steps: Vec<_> =
            values.cumulative().map(|(value, below)| (value as f64 / per_unit, below as f64 / all)).collect();
        let start = steps.first().map(|(value, _)| (*value, 0.0));
        let stride = steps.len().div_ceil(MAX_POINTS).max(1);
        let offset = steps.len().saturating_sub(1) % stride;
        let piece = start.into_iter().chain(steps.into_iter().skip(offset).step_by(stride)).collect();
        Line { name: short(part), colour, pieces: vec![piece] }
    });
    let marks: Vec<_> = lines.map(Mark::Line).collect();
    let reading = unit(asked).1;
    Some(Made {
        x: axis(asked, most(asked)?),
        x_unit: named(asked),
        read_x: reading,
        bands: Vec::new(),
        panels: vec![Panel::new("share up to there", Axis::shares(0.0), Reading::Share).with(marks)],
        caption: caption(asked),
    })
}

fn histogram(asked: &Asked) -> Option<Made> {
    let values = asked.parts.values().next()?;
    let (last, all) = (values.quantile(1_000)?, values.count() as f64);
    let width = (last + 1).div_ceil(MAX_BARS).max(1);
    let bars = bars(values, width);
    let middle =
        |bar: u64| (bar * width) as f64 / asked.per_unit() + (width - 1) as f64 / asked.per_unit() / 2.0;
    let bar = |(place, count): (u64, u64)| Bar {
        x: middle(place),
        from: 0.0,
        to: count as f64 / all,
        label: String::new(),
    };
    let highest = bars.iter().map(|(_, count)| *count as f64 / all).fold(0.0, f64::max);
    let mut y = Axis::numbers(highest * 1.05, 4);
    y.ticks.iter_mut().for_each(|(value, label)| *label = percent(*value));
    let step = width as f64 / asked.per_unit();
    let bars = bars.into_iter().map(bar).collect();
    let drawn = Bars { name: String::new(), colour: BLUE, step, bars };
    let reading = unit(asked).1;
    let mut x = axis(asked, middle(last / width));
    let half = width as f64 / asked.per_unit() * 0.6;
    (x.from, x.to) = (-half, x.to.max(middle(last / width) + half));
    Some(Made {
        x,
        x_unit: named(asked),
        read_x: reading,
        bands: Vec::new(),
        panels: vec![Panel::new("share of operations", y, Reading::Share).with([Mark::Bars(drawn)])],
        caption: caption(asked),
    })
}

/// How many values are in each stretch of `width` whole numbers, from zero to the last that has one.
fn bars(values: &Histogram, width: u64) -> Vec<(u64, u64)> {
    let mut bars: Vec<(u64, u64)> = Vec::new();
    let mut below = 0;
    for (value, so_far) in values.cumulative() {
        let place = value / width;
        while bars.last().is_none_or(|(last, _)| *last < place) {
            bars.push((bars.len() as u64, 0));
        }
        if let Some((_, count)) = bars.last_mut() {
            *count += so_far - below;
        }
        below = so_far;
    }
    bars
}
