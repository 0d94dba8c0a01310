//! The course of a goal's metric over time, small enough for a table.

use record::Threshold;

use crate::data::{Data, Window};
use crate::html::escape;
use crate::words::of_metric;

const WIDTH: f64 = 150.0;
const HEIGHT: f64 = 34.0;
/// Points of a curve: one for each pixel and a half.
const MAX_POINTS: usize = 100;

/// An inline drawing; empty where the folder has no samples of it.
pub(super) fn spark(data: &Data, goal: &Threshold) -> String {
    let points = course(data, goal);
    if points.len() < 2 {
        return String::new();
    }
    let wanted = bound(&goal.expression);
    let values = || points.iter().map(|(_, value)| *value);
    let (least, most) =
        values().fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    // The goal is shown if the curve comes near it: otherwise it would be flat.
    let span = (most - least).max(most.abs() * 0.02).max(1e-9);
    let near = wanted.filter(|wanted| *wanted >= least - 2.0 * span && *wanted <= most + 2.0 * span);
    let (from, to) = (near.map_or(least, |goal| least.min(goal)), near.map_or(most, |goal| most.max(goal)));
    let y = |value: f64| HEIGHT - 2.0 - (value - from) / (to - from).max(span) * (HEIGHT - 4.0);
    let end = data.end_ms as f64;
    let curve: Vec<String> =
        points.iter().map(|(ms, value)| format!("{:.1},{:.1}", ms / end * WIDTH, y(*value))).collect();
    let line = near.map(|goal| {
        let at = y(goal);
        format!("<line x1=\"0\" y1=\"{at:.1}\" x2=\"{WIDTH}\" y2=\"{at:.1}\"/>")
    });
    let said = format!(
        "{} over time, between {} and {}",
        goal.metric,
        of_metric(&goal.metric, least),
        of_metric(&goal.metric, most)
    );
    let said = escape(&said);
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{said}\"><title>{said}</title>{}<polyline points=\"{}\"/></svg>",
        line.unwrap_or_default(),
        curve.join(" ")
    )
}

/// The metric over time: milliseconds, and values in its unit in files.
fn course(data: &Data, goal: &Threshold) -> Vec<(f64, f64)> {
    let statistic = goal.expression.split([' ', '<', '>', '=']).next().unwrap_or_default();
    let points = from_operations(data, &goal.metric, statistic).unwrap_or_default();
    if points.len() > 1 {
        return points;
    }
    let names =
        [format!("{}.{statistic}", goal.metric), goal.metric.clone(), format!("{}.mean", goal.metric)];
    let Some(samples) = names.iter().find_map(|name| data.chosen_series.get(name)) else {
        return points;
    };
    let stride = samples.len().div_ceil(MAX_POINTS).max(1);
    samples.iter().step_by(stride).map(|(ms, value)| (*ms as f64, *value)).collect()
}

/// Windows of operations hold enough of them each, and any quantile.
fn from_operations(data: &Data, metric: &str, statistic: &str) -> Option<Vec<(f64, f64)>> {
    let (kind, is_latency) = match metric {
        "lookup.success_ratio" => ("lookup", false),
        "lookup.latency" => ("lookup", true),
        "record.put_success_ratio" => ("put", false),
        "record.put_latency" => ("put", true),
        "record.get_latency" => ("get", true),
        _ => return None,
    };
    let per_mille = match statistic {
        "p50" => 500,
        "p90" => 900,
        "p95" => 950,
        "p99" => 990,
        _ if is_latency => return None,
        _ => 0,
    };
    let value = |window: &Window| {
        if is_latency { Some(window.latency.quantile(per_mille)? as f64 * 1e3) } else { window.success() }
    };
    let kinds = [kind];
    let (grid, mut windows) = data.windows(&kinds);
    let (_, windows) = windows.next()?;
    let point = |(number, window): (&u64, &Window)| Some((grid.middle(*number) * 1e3, value(window)?));
    Some(windows.iter().filter_map(point).collect())
}

/// The number that a goal compares with, in its metric's unit in files: `p99 < 4s`, `>= 95%`.
fn bound(expression: &str) -> Option<f64> {
    let at = expression.rfind(['<', '>', '='])?;
    let text = expression.get(at + 1..)?.trim();
    let unit_at = text.find(|character: char| !(character.is_ascii_digit() || character == '.'));
    let (number, unit) = text.split_at(unit_at.unwrap_or(text.len()));
    let scale = match unit.trim() {
        "" | "ns" => 1.0,
        "%" => return Some(number.parse::<f64>().ok()? / 100.0),
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_goal_is_read_in_its_unit() {
        assert_eq!(bound("p99 < 4s"), Some(4e9));
        assert_eq!(bound(">= 95%"), Some(0.95));
        assert_eq!(bound("mean <= 2.5"), Some(2.5));
        assert_eq!(bound("p50 < 4 parsecs"), None);
        assert_eq!(bound(""), None);
    }
}
