//! `wavetank runs compare`: by how much the figures of two runs differ, or of two sets of runs. How far simulation and
//! reality are apart is told in `conform`.

use std::collections::BTreeMap;
use std::path::Path;

use record::calibration::Standing;
use record::{Run, SummaryRow};
use report::compare::{ComparedRow, Side, comparison};
use report::conformance::SIMULATED;
use serde::Serialize;
use types::Share;

use crate::args::runs::{Compare, Compared};
use crate::command::conform::conform;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{counted, of_metric, percent};
use crate::stats::{Mean, mean};
use crate::table::{Row, aligned, plain};

/// Rows of a summary that are read, at most: metrics times groups, and a wide margin.
const MAX_ROWS: usize = 100_000;
/// What is said of all peers.
const ALL: &str = "all";
/// The statistics of a metric that are compared.
const STATISTICS: [&str; 4] = ["mean", "p50", "p95", "p99"];

/// One figure on both sides.
#[derive(Clone, Debug, Serialize)]
struct Figure {
    metric: String,
    statistic: &'static str,
    /// Means over the pairs.
    first: f64,
    second: f64,
    /// The second less the first, and its interval over the pairs.
    difference: Mean,
    /// In parts of the first; absent where that is nothing.
    relative: Option<f64>,
    tolerance: f64,
    beyond: bool,
}

/// For programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    pairs: usize,
    /// Seeds of either side that have no partner.
    unpaired: usize,
    figures: &'a [Figure],
    page: Option<&'a Path>,
}

type Summary = BTreeMap<(String, &'static str), f64>;

pub(crate) fn compare(args: &Compare, console: Console) -> Result<u8, Failure> {
    let sides = [side(&args.first)?, side(&args.second)?];
    match args.what.unwrap_or_else(|| fitting(&sides)) {
        Compared::Conformance => conform(args, &sides, console),
        Compared::Figures => compare_figures(args, &sides, console),
    }
}

/// Runs of one stage are compared in all figures, those of two in what the simulation owes to reality.
fn fitting([first, second]: &[Vec<Run>; 2]) -> Compared {
    let is_simulated = |run: &Run| run.manifest().backend == SIMULATED;
    let [first, second] = [first, second].map(|side| side.iter().all(is_simulated));
    if first == second { Compared::Figures } else { Compared::Conformance }
}

fn compare_figures(args: &Compare, sides: &[Vec<Run>; 2], console: Console) -> Result<u8, Failure> {
    if !args.phase.is_empty() || args.write_calibration.is_some() {
        let what = "phases are compared, and calibrations made, as `conformance`";
        return Err(Failure::new(exit_code::USAGE, what).help("add `--as conformance`"));
    }
    let (pairs, unpaired) = pairs(sides);
    if pairs.is_empty() {
        return Err(Failure::new(
            exit_code::PROVES_NOTHING,
            "no seed was run on both sides: there are no pairs",
        )
        .help("run both with the same `--seed` and `--repeat`"));
    }
    let mut summaries = Vec::new();
    for (first, second) in &pairs {
        summaries.push((summary(first)?, summary(second)?));
    }
    let figures = figures(&summaries, &args.tolerance)?;
    let beyond = figures.iter().filter(|figure| figure.beyond).count();
    let code = if beyond > 0 { exit_code::THRESHOLD } else { exit_code::PASSED };
    if let Some(out) = &args.out {
        write_page(args, sides, &figures.iter().map(compared).collect::<Vec<_>>(), out)?;
    }
    let document = Document {
        status: if beyond > 0 { "beyond" } else { "within" },
        exit_code: code,
        pairs: pairs.len(),
        unpaired,
        figures: &figures,
        page: args.out.as_deref(),
    };
    console.answer(&text(&figures, beyond, pairs.len(), unpaired, args.out.as_deref()), &document)?;
    Ok(code)
}

/// Writes the page of both sides with these rows.
pub(super) fn write_page(
    args: &Compare,
    [first, second]: &[Vec<Run>; 2],
    rows: &[ComparedRow],
    out: &Path,
) -> Result<(), Failure> {
    let [first_name, second_name] = [&args.first, &args.second].map(|path| path.display().to_string());
    let sides = [Side { name: &first_name, runs: first }, Side { name: &second_name, runs: second }];
    let page =
        comparison(sides, rows).map_err(|error| Failure::new(exit_code::NOTHING, error.to_string()))?;
    write_out(out, page.as_bytes())
}

/// Writes a file that was asked for.
pub(super) fn write_out(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::new(exit_code::OUTPUT, format!("cannot write {}: {error}", path.display()));
    std::fs::write(path, bytes).map_err(failed)
}

/// The run of this folder, or the runs in it.
fn side(path: &Path) -> Result<Vec<Run>, Failure> {
    if path.join("manifest.json").is_file() || !path.is_dir() {
        return Ok(vec![Run::open(path)?]);
    }
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.path().join("manifest.json").is_file() {
            runs.push(Run::open(entry.path())?);
        }
    }
    if runs.is_empty() {
        // Says that it is no run's folder.
        Run::open(path)?;
    }
    runs.sort_by_key(|run| run.manifest().seed.0);
    Ok(runs)
}

/// Runs of one seed; two single runs whatever their seeds. And how many are left over.
fn pairs([first, second]: &[Vec<Run>; 2]) -> (Vec<(&Run, &Run)>, usize) {
    if let ([first], [second]) = (first.as_slice(), second.as_slice()) {
        return (vec![(first, second)], 0);
    }
    let of_seed = |run: &&Run, other: &Run| run.manifest().seed == other.manifest().seed;
    let pairs: Vec<_> = first
        .iter()
        .filter_map(|run| Some((run, second.iter().find(|other| of_seed(other, run))?)))
        .collect();
    let unpaired = first.len() + second.len() - 2 * pairs.len();
    (pairs, unpaired)
}

fn summary(run: &Run) -> Result<Summary, Failure> {
    let mut summary = Summary::new();
    for row in run.table::<SummaryRow>(MAX_ROWS)?.into_iter().filter(|row| row.scope == ALL) {
        for (statistic, value) in STATISTICS.into_iter().zip([row.mean, row.p50, row.p95, row.p99]) {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                summary.insert((row.metric.clone(), statistic), value);
            }
        }
    }
    if summary.is_empty() {
        let what = format!("{} has no summary: the run did not end", run.path().display());
        return Err(Failure::new(exit_code::NOTHING, what));
    }
    Ok(summary)
}

fn figures(
    summaries: &[(Summary, Summary)],
    tolerances: &[(Option<String>, Share)],
) -> Result<Vec<Figure>, Failure> {
    let Some((one, _)) = summaries.first() else { return Ok(Vec::new()) };
    for named in tolerances.iter().filter_map(|(metric, _)| metric.as_ref()) {
        if !one.keys().any(|(metric, _)| metric == named) {
            let what = format!("the runs have no metric `{named}`");
            return Err(Failure::new(exit_code::USAGE, what).help("summary.csv names those that they have"));
        }
    }
    let figure = |(metric, statistic): &(String, &'static str)| {
        let key = (metric.clone(), *statistic);
        let values: Vec<(f64, f64)> = summaries
            .iter()
            .filter_map(|(first, second)| Some((*first.get(&key)?, *second.get(&key)?)))
            .collect();
        let mean_of = |of: fn(&(f64, f64)) -> f64| mean(&values.iter().map(of).collect::<Vec<_>>());
        let (first, second) = (mean_of(|pair| pair.0)?.mean, mean_of(|pair| pair.1)?.mean);
        let difference = mean_of(|pair| pair.1 - pair.0)?;
        let tolerance = tolerance(metric, tolerances);
        let relative = (first != 0.0).then(|| difference.mean / first.abs());
        let beyond = relative.map_or(difference.mean != 0.0, |relative| relative.abs() > tolerance);
        Some(Figure {
            metric: metric.clone(),
            statistic,
            first,
            second,
            difference,
            relative,
            tolerance,
            beyond,
        })
    };
    Ok(one.keys().filter_map(figure).collect())
}

/// What was said of the metric last, else of all, else a twentieth.
fn tolerance(metric: &str, tolerances: &[(Option<String>, Share)]) -> f64 {
    let said = |wanted: Option<&str>| tolerances.iter().rev().find(|(named, _)| named.as_deref() == wanted);
    said(Some(metric)).or_else(|| said(None)).map_or(0.05, |(_, share)| share.as_f64())
}

/// A difference in parts, with its sign.
fn relative(figure: &Figure) -> String {
    match figure.relative {
        Some(0.0) => "0%".to_owned(),
        Some(relative) => format!("{}{}", if relative < 0.0 { "-" } else { "+" }, percent(relative.abs())),
        None if figure.difference.mean == 0.0 => "0%".to_owned(),
        None => "from nothing".to_owned(),
    }
}

fn compared(figure: &Figure) -> ComparedRow {
    ComparedRow {
        what: format!("{} {}", figure.metric, figure.statistic),
        first: of_metric(&figure.metric, figure.first),
        second: of_metric(&figure.metric, figure.second),
        difference: relative(figure),
        tolerance: percent(figure.tolerance),
        standing: if figure.beyond { Standing::Beyond } else { Standing::Within },
    }
}

fn text(figures: &[Figure], beyond: usize, pairs: usize, unpaired: usize, page: Option<&Path>) -> String {
    let mut text = if beyond > 0 {
        format!(
            "{}  {} of {} differ by more than is tolerated (exit 10)\n",
            Look::Bad.on("BEYOND"),
            beyond,
            figures.len()
        )
    } else {
        format!(
            "{}  all of {} differ by no more than is tolerated\n",
            Look::Good.on("WITHIN"),
            counted(figures.len() as u64, "figure")
        )
    };
    text.push_str(&format!("{}, second less first", counted(pairs as u64, "pair")));
    let left_over = if unpaired > 0 {
        format!("; {} without a partner", counted(unpaired as u64, "run"))
    } else {
        String::new()
    };
    text.push_str(&format!("{left_over}\n\n"));
    let mut rows = vec![Row::new(["", "metric", "", "first", "second", "difference"].map(plain))];
    // Of a metric that is the same in all respects, its mean says enough.
    let shown = |figure: &&Figure| figure.statistic == "mean" || figure.beyond;
    rows.extend(figures.iter().filter(shown).map(|figure| {
        let (word, look) = if figure.beyond { ("BEYOND", Look::Bad) } else { ("within", Look::Good) };
        let ComparedRow { first, second, difference, .. } = compared(figure);
        let interval = figure.difference.interval.map(|ends| {
            let [low, high] = ends.map(|end| of_signed(&figure.metric, end));
            format!("95 % interval of the difference: {low} to {high}")
        });
        Row::new([
            (word.to_owned(), look),
            plain(&figure.metric),
            plain(figure.statistic),
            plain(first),
            plain(second),
            plain(difference),
        ])
        .note(interval.unwrap_or_default())
    }));
    text.push_str(&aligned(&rows));
    if pairs == 1 {
        text.push_str("\none pair: no interval; `wavetank run --repeat 10 --out DIR` of both gives one\n");
    }
    if let Some(page) = page {
        text.push_str(&format!("page       {}\n", page.display()));
    }
    text
}

fn of_signed(metric: &str, value: f64) -> String {
    format!("{}{}", if value < 0.0 { "-" } else { "+" }, of_metric(metric, value.abs()))
}
