//! A metric over time in a few characters, for the end of a line.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use record::{Run, SeriesRow, Threshold};

/// Characters of a curve: enough to see when something happened, few enough to stand at the end of a line.
const WIDTH: usize = 12;

/// Which characters a curve is drawn with, from low to high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Unicode,
    Ascii,
}

impl Charset {
    /// What whoever reads stdout is sure to see.
    pub(crate) fn of_stdout() -> Self {
        if io::stdout().is_terminal() && speaks_utf8() { Self::Unicode } else { Self::Ascii }
    }

    const fn levels(self) -> [char; 8] {
        match self {
            Self::Unicode => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Self::Ascii => ['_', '.', ',', '-', '=', '+', '*', '#'],
        }
    }
}

/// Whether the locale says that text is UTF-8: the first of these that is set decides.
pub(crate) fn speaks_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    set.is_some_and(|value| {
        let value = value.to_string_lossy().to_uppercase();
        value.contains("UTF-8") || value.contains("UTF8")
    })
}

/// The curves of goals, in their order; empty where the series has nothing.
pub(crate) fn curves(run: &Run, thresholds: &[Threshold], charset: Charset) -> Vec<String> {
    let wanted: Vec<_> = thresholds.iter().map(names).collect();
    let mut series: BTreeMap<&str, Vec<(u64, f64)>> = BTreeMap::new();
    // A curve is a courtesy: what cannot be read is left out.
    for row in
        run.csv::<SeriesRow>().into_iter().flatten().map_while(Result::ok).filter(|row| row.scope == "all")
    {
        if let Some(name) = wanted.iter().flatten().find(|name| **name == row.metric) {
            series.entry(name).or_default().push((row.t_ms, row.value));
        }
    }
    let end = run.manifest().sim.ended_ms.unwrap_or(run.manifest().sim.planned_ms);
    let curve = |names: &Vec<String>| {
        let points = names.iter().find_map(|name| series.get(name.as_str()));
        points.map_or_else(String::new, |points| curve(points, end, charset))
    };
    wanted.iter().map(curve).collect()
}

/// The series that may show this goal, the most fitting first.
fn names(threshold: &Threshold) -> Vec<String> {
    let metric = &threshold.metric;
    let statistic = threshold.expression.split_whitespace().next().unwrap_or_default();
    let upper = if statistic.starts_with("p9") { "p95" } else { "p50" };
    let mut names = vec![metric.clone()];
    names.extend([statistic, upper, "mean"].map(|end| format!("{metric}.{end}")));
    names
}

/// The points from 0 to `end`, each stretch by its mean, from their least to their most.
fn curve(points: &[(u64, f64)], end: u64, charset: Charset) -> String {
    let mut stretches = [(0.0, 0u32); WIDTH];
    for (at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
        let place = (at.saturating_sub(1) as usize).saturating_mul(WIDTH) / (end as usize).max(1);
        if let Some((sum, count)) = stretches.get_mut(place.min(WIDTH - 1)) {
            *sum += value;
            *count += 1;
        }
    }
    let means = stretches.map(|(sum, count)| (count > 0).then(|| sum / f64::from(count)));
    let known = || means.iter().flatten().copied();
    let (Some(least), Some(most)) = (known().reduce(f64::min), known().reduce(f64::max)) else {
        return String::new();
    };
    let levels = charset.levels();
    let level = |mean: f64| {
        // What does not move stands in the middle.
        let part = if most > least { (mean - least) / (most - least) } else { 0.5 };
        levels.get((part * 7.0).round() as usize).copied().unwrap_or(' ')
    };
    means.map(|mean| mean.map_or(' ', level)).into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_where_its_points_do_and_has_gaps_where_there_are_none() {
        let rising: Vec<_> = (1..=12).map(|at| (at * 100, at as f64)).collect();
        assert_eq!(curve(&rising, 1_200, Charset::Unicode), "▁▂▂▃▄▄▅▅▆▇▇█");
        assert_eq!(curve(&rising[6..], 1_200, Charset::Ascii), "      _.-=*#");
        assert_eq!(curve(&rising[..2], 1_200, Charset::Ascii), "_#");
        assert_eq!(curve(&[(100, 5.0), (200, 5.0)], 1_200, Charset::Unicode), "▅▅");
        assert_eq!(curve(&[], 1_200, Charset::Unicode), "");
        assert_eq!(curve(&[(100, f64::NAN)], 0, Charset::Unicode), "");
    }
}
