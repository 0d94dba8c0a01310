//! The page: one file, from what the folder says and the plots.
//!
//! It opens with the verdict and how to see it again, then what was asked and what came of it, then the plots,
//! then what the figures rest on. Every text of the folder goes through [`escape`].

use record::{RunStatus, SummaryRow};

use crate::data::Data;
use crate::hover;
use crate::html::{Cell, Mark, escape, table};
use crate::palette::style_of_page;
use crate::plots::{Drawn, Plots};
use crate::words::{bytes, count, nanoseconds, number, percent, span};

mod calibration;
mod faults;
mod figures;
mod operations;
mod source;
mod spark;
mod verdict;

pub(crate) use figures::figure;

const STYLE: &str = include_str!("page.css");
/// What the page can do; it is whole without it.
const SCRIPT: &str = include_str!("page.js");

/// The page of a run.
pub(crate) fn write(data: &Data, plots: &Plots) -> String {
    let sections = [
        ("goals", "Goals", verdict::goals(data)),
        ("checks", "Checks", verdict::checks(data)),
        ("tallies", "Faults and workloads", faults::tallies(data)),
        ("plots", "Plots", figures::figures(plots)),
        ("network", "The network", figures::network(data)),
        ("summary", "Summary", summary(data)),
        ("operations", "Operations", operations::operations(data)),
        ("groups", "Peers", groups(data)),
        ("fidelity", "What was modelled", source::fidelity(&data.manifest)),
    ];
    let shown = || sections.iter().filter(|(.., body)| !body.is_empty());
    let links: String = shown().map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>\n")).collect();
    let bodies: String = shown()
        .map(|(id, title, body)| format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n"))
        .collect();
    let title = format!("{}: {}", data.manifest.scenario.name, data.manifest.status.word());
    let main = format!("{}<nav aria-label=\"Sections\">\n{links}</nav>\n{bodies}", header(data));
    shell(&title, &main, &source::footer(data), plots.drawn.iter())
}

/// A whole page: its title, its main part and footer as markup, and the plots in it, whose values its script tells.
pub(crate) fn shell<'a>(
    title: &str,
    main: &str,
    footer: &str,
    plots: impl Iterator<Item = &'a Drawn>,
) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n{main}</main>\n{footer}\
         <script type=\"application/json\" id=\"values\">{}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(title),
        style_of_page(),
        hover::json(plots),
    )
}

fn header(data: &Data) -> String {
    let manifest = &data.manifest;
    let mark = verdict_mark(manifest.status);
    let why = verdict::reason(data.verdict.as_ref(), manifest.status);
    format!(
        "<header>\n<div class=\"top\"><p class=\"kicker\">Wavetank run · {}</p><button type=\"button\" class=\"theme\" hidden></button></div>\n<h1>{}</h1>\n{}\
         <p class=\"verdict {}\" role=\"status\"><strong><span aria-hidden=\"true\">{}</span> {}</strong> <span class=\"why\">{}</span></p>\n{}\
         {}{}<p class=\"replay\"><span>Run it again</span> <code>{}</code><button type=\"button\" class=\"copy\" hidden>Copy</button></p>\n\
         <p class=\"note\">One seed: no interval. The figures say what happened in this run, not how much they would vary with the seed.</p>\n{}\
         </header>\n",
        escape(&data.folder),
        escape(&manifest.scenario.name),
        partial(data),
        mark.class,
        mark.symbol,
        mark.word,
        escape(&why),
        verdict::reasons(data.verdict.as_ref()),
        facts(data),
        source::stage(manifest),
        escape(&again(data)),
        calibration::calibration(data.calibration.as_ref()),
    )
}

/// The command that runs it again: exactly, if it was simulated.
fn again(data: &Data) -> String {
    let manifest = &data.manifest;
    if manifest.is_simulated() {
        return format!("wavetank replay {}", quoted(&data.replay));
    }
    let scenario = quoted(manifest.scenario.path.as_deref().unwrap_or(&manifest.scenario.name));
    let set: String = manifest.set.iter().map(|set| format!(" --set {}", quoted(set))).collect();
    let (backend, seed) = (&manifest.backend, manifest.seed.0);
    format!("wavetank run {scenario} --backend {backend} --seed {seed}{set}")
}

const fn verdict_mark(status: RunStatus) -> Mark {
    match status {
        RunStatus::Pass => Mark::good("Passed"),
        RunStatus::Fail => Mark::bad("Failed"),
        RunStatus::Unknown => Mark::open("Unknown"),
        RunStatus::Interrupted => Mark { class: "open", symbol: "■", word: "Interrupted" },
        RunStatus::Running => Mark { class: "still", symbol: "…", word: "Not finished" },
    }
}

fn partial(data: &Data) -> String {
    let what = match data.manifest.status {
        RunStatus::Running => {
            "This run has not ended, or it was killed. What follows is what it had written so far."
        }
        RunStatus::Interrupted => {
            "This run was stopped before its end. What follows is what happened until then."
        }
        RunStatus::Pass | RunStatus::Fail | RunStatus::Unknown if data.cut_off.is_empty() => {
            return String::new();
        }
        RunStatus::Pass | RunStatus::Fail | RunStatus::Unknown => "Parts of this folder are damaged.",
    };
    let cut_off = match data.cut_off.as_slice() {
        [] => String::new(),
        files => format!(" Cut off in the middle of a row: {}.", files.join(", ")),
    };
    format!("<p class=\"partial\" role=\"note\"><strong>Partial.</strong> {what}{cut_off}</p>\n")
}

fn facts(data: &Data) -> String {
    let manifest = &data.manifest;
    let peers: u64 = data.groups.values().map(|group| group.peers).sum();
    // In real time there is nothing to be faster than.
    let (time, speed) = match manifest.is_simulated() {
        true => ("Simulated time", manifest.wall.speedup),
        false => ("Time", None),
    };
    let facts = [
        ("Seed", Some(manifest.seed.0.to_string())),
        ("Fingerprint", manifest.fingerprint.value.clone()),
        (time, manifest.sim.ended_ms.map(span)),
        ("Peers", (peers > 0).then(|| count(peers))),
        ("Events", (manifest.sim.events > 0).then(|| count(manifest.sim.events))),
        ("Speed", speed.map(|times| format!("{} × real time", number(times)))),
    ];
    let cells: String = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value)))
        .collect();
    format!("<dl class=\"facts\">\n{cells}</dl>\n")
}

fn summary(data: &Data) -> String {
    if data.summary.is_empty() {
        return String::new();
    }
    let rows = data.summary.iter().map(|row| {
        let value =
            |value: Option<f64>| Cell::Number(value.map(|value| in_unit(row, value)).unwrap_or_default());
        let mut cells = vec![
            Cell::Explained(row.metric.clone(), about(&row.metric)),
            // Said only where it is a part of the whole.
            Cell::Text(if row.scope == "all" { String::new() } else { row.scope.clone() }),
            Cell::Number(count(row.samples)),
        ];
        cells.extend([row.mean, row.min, row.p50, row.p90, row.p95, row.p99, row.max].map(value));
        cells
    });
    let head = ["Metric", "Scope", "Samples", "Mean", "Least", "p50", "p90", "p95", "p99", "Most"];
    "<p>After warm-up. Quantiles are taken over all samples, never averaged.</p>\n".to_owned()
        + &table("Summary", &head, rows)
}

/// What a metric says, of what.
fn about(metric: &str) -> String {
    types::metric::find(metric).map_or_else(String::new, |metric| metric.about.to_owned())
}

fn in_unit(row: &SummaryRow, value: f64) -> String {
    match row.unit.as_str() {
        "ns" => nanoseconds(value),
        "bytes" => bytes(value),
        "ratio" => percent(value),
        _ => number(value),
    }
}

fn groups(data: &Data) -> String {
    if data.groups.is_empty() {
        return String::new();
    }
    let rows = data.groups.iter().map(|(name, group)| {
        let mean = |sum: u64| sum as f64 / group.peers.max(1) as f64;
        vec![
            Cell::Code(name.clone()),
            Cell::Number(count(group.peers)),
            Cell::Number(count(group.lives)),
            Cell::Number(number(mean(group.sent_messages).round())),
            Cell::Number(bytes(mean(group.sent_bytes))),
            Cell::Number(bytes(group.most_sent_bytes as f64)),
        ]
    });
    let head = ["Group", "Peers", "Starts", "Messages sent, mean", "Sent, mean", "Sent, most"];
    table("Peers by group", &head, rows)
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    if path.chars().all(plain) && !path.starts_with('-') {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
