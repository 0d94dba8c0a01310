//! Two runs, or two sets of runs, over each other: one file with a table of what differs and their metrics over time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use record::calibration::Standing;
use record::{Run, SeriesRow};

use crate::ReportError;
use crate::axis::Axis;
use crate::html::{Cell, Mark, escape, table};
use crate::words::of_metric;

/// Runs of a side that are drawn: more lines than this hide each other.
const MAX_DRAWN: usize = 20;
/// Points of a line at most: more than there are pixels say nothing.
const MAX_POINTS: usize = 600;
/// The frame in pixels: its size, and where in it the plot stands.
const SIZE: (f64, f64) = (720.0, 220.0);
const LEFT: f64 = 70.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// Blue and whole for the first side, vermilion and dashed for the second: told apart by every eye, and in grey.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c242c;--quiet:#5b6670;--grid:#e4e8ec;--paper:#fff;--a:#0072b2;--b:#d55e00}\
@media(prefers-color-scheme:dark){:root{--ink:#e6eaee;--quiet:#a8b2bc;--grid:#333c45;--paper:#14191e;--a:#56b4e9;--b:#f0894a}}\
body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}td,th{padding:.2rem .6rem;text-align:left;border-bottom:1px solid var(--grid)}\
.num{text-align:right;font-variant-numeric:tabular-nums}.unseen{position:absolute;left:-99rem}\
.bad{color:var(--b);font-weight:600}.good{color:var(--quiet)}svg{width:100%;height:auto}svg text{font-size:12px;fill:var(--quiet)}\
.grid{stroke:var(--grid)}.a,.b{fill:none;stroke-width:1.6}.a{stroke:var(--a)}.b{stroke:var(--b);stroke-dasharray:5 3}\
.key span{margin-right:1.5rem}.key .of-a{color:var(--a)}.key .of-b{color:var(--b)}figure{margin:1.5rem 0}";

/// Simulated seconds and values.
type Line = Vec<(f64, f64)>;

/// One line of the table, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRow {
    /// The metric and the statistic of it.
    pub what: String,
    /// The first side's value.
    pub first: String,
    /// The second side's.
    pub second: String,
    /// By how much they differ.
    pub difference: String,
    /// How far they may.
    pub tolerance: String,
    /// Whether they differ by no more.
    pub standing: Standing,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its runs.
    pub runs: &'a [Run],
}

/// The page of a comparison.
///
/// # Errors
/// If a folder cannot be read.
pub fn comparison(sides: [Side<'_>; 2], rows: &[ComparedRow]) -> Result<String, ReportError> {
    let [first, second] = sides;
    let lines = [lines(first)?, lines(second)?];
    let mut plots = String::new();
    let metrics: BTreeSet<&String> = lines.iter().flat_map(BTreeMap::keys).collect();
    for metric in metrics {
        plots.push_str(&figure(
            metric,
            lines.each_ref().map(|lines| lines.get(metric).map_or(&[][..], Vec::as_slice)),
        ));
    }
    let head = ["", "Metric", first.name, second.name, "Difference", "Tolerated"];
    let cells = rows.iter().map(|row| {
        vec![
            Cell::Mark(Mark::of(row.standing)),
            Cell::Code(row.what.clone()),
            Cell::Number(row.first.clone()),
            Cell::Number(row.second.clone()),
            Cell::Number(row.difference.clone()),
            Cell::Number(row.tolerance.clone()),
        ]
    });
    let title = format!("{} and {}", escape(first.name), escape(second.name));
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}\n<h2>Summary</h2>\n{}\
         <h2>Over time</h2>\n<p class=\"key\"><span class=\"of-a\">\u{2014}\u{2014} {}</span>\
         <span class=\"of-b\">- - - {}</span></p>\n{plots}</main>\n</body>\n</html>\n",
        sides.map(facts).concat(),
        table("Differences of summary metrics", &head, cells),
        escape(first.name),
        escape(second.name),
    ))
}

fn facts(side: Side<'_>) -> String {
    let of = |run: &Run| {
        let manifest = run.manifest();
        let fingerprint = manifest.fingerprint.value.as_deref().unwrap_or("none");
        format!(
            "<li>{}, seed {}: <code>{}</code></li>",
            escape(&manifest.scenario.name),
            manifest.seed.0,
            escape(fingerprint)
        )
    };
    let runs: String = side.runs.iter().take(MAX_DRAWN).map(of).collect();
    format!("<p><strong>{}</strong></p>\n<ul>{runs}</ul>\n", escape(side.name))
}

/// The series of all peers of each run, by metric; more than are drawn are left out.
fn lines(side: Side<'_>) -> Result<BTreeMap<String, Vec<Line>>, ReportError> {
    let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for run in side.runs.iter().take(MAX_DRAWN) {
        let mut own: BTreeMap<String, Line> = BTreeMap::new();
        for row in run.csv::<SeriesRow>()? {
            let row = row?;
            if row.scope == "all" && row.value.is_finite() {
                own.entry(row.metric).or_default().push((row.t_ms as f64 / 1e3, row.value));
            }
        }
        for (metric, points) in own {
            let step = points.len().div_ceil(MAX_POINTS).max(1);
            lines.entry(metric).or_default().push(points.into_iter().step_by(step).collect());
        }
    }
    Ok(lines)
}

fn figure(metric: &str, sides: [&[Line]; 2]) -> String {
    let points = || sides.iter().flat_map(|lines| lines.iter().flatten());
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
    let (x, y) = (Axis::time(most(|point| point.0), 8), Axis::numbers(most(|point| point.1), 4));
    let across = |at: f64| LEFT + (at - x.from) / (x.to - x.from).max(1e-9) * (SIZE.0 - LEFT - RIGHT);
    let down =
        |value: f64| SIZE.1 - BOTTOM - (value - y.from) / (y.to - y.from).max(1e-9) * (SIZE.1 - TOP - BOTTOM);
    let mut svg = String::new();
    for (value, _) in &y.ticks {
        let at = down(*value);
        // Writing into a string cannot fail.
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            SIZE.0 - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            escape(&of_metric(base(metric), *value))
        );
    }
    for (at, label) in &x.ticks {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            across(*at),
            SIZE.1 - 8.0,
            escape(label)
        );
    }
    for (class, lines) in ["a", "b"].into_iter().zip(sides) {
        for line in lines {
            let path: Vec<_> =
                line.iter().map(|(at, value)| format!("{:.1},{:.1}", across(*at), down(*value))).collect();
            let _ = write!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", path.join(" "));
        }
    }
    let name = escape(metric);
    format!(
        "<figure>\n<figcaption><code>{name}</code></figcaption>\n\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{name} over time, both sides\">{svg}</svg>\n</figure>\n",
        SIZE.0, SIZE.1
    )
}

/// The metric of a series: one of a distribution ends with its quantile.
fn base(series: &str) -> &str {
    match series.rsplit_once('.') {
        Some((base, _)) if types::metric::find(series).is_none() => base,
        _ => series,
    }
}
