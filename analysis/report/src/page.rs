//! The page: one file, from what the folder says and the plots.
//!
//! It opens with the verdict and how to see it again, then what was asked and what came of it, then the plots,
//! then what the figures rest on. Every text of the folder goes through [`escape`].

use record::{
    CheckKind, CheckStatus, Manifest, Outcome, RunStatus, Start, SummaryRow, TallyKind, TallyStatus,
    ThresholdStatus, Verdict,
};

use crate::data::Data;
use crate::html::{Cell, Mark, escape, table};
use crate::plots::Plots;
use crate::words::{bytes, clock, count, counted, nanoseconds, number, of_metric, percent, span, symbols};

const STYLE: &str = include_str!("page.css");
/// The copy button shows itself where it works; the page is whole without it.
const SCRIPT: &str = "for(const b of document.querySelectorAll('button[hidden]'))if(navigator.clipboard){b.hidden=false;\
    b.onclick=()=>navigator.clipboard.writeText(b.previousElementSibling.textContent).then(()=>{b.textContent='Copied'})}";
/// Characters of a hash that are shown.
const HASH_CHARS: usize = 12;

/// The page.
pub(crate) fn write(data: &Data, plots: &Plots) -> String {
    let name = escape(&data.manifest.scenario.name);
    let sections = [
        ("goals", "Goals", goals(data)),
        ("checks", "Checks", checks(data)),
        ("tallies", "Faults and workloads", tallies(data)),
        ("plots", "Plots", figures(plots)),
        ("summary", "Summary", summary(data)),
        ("operations", "Operations", operations(data)),
        ("groups", "Peers", groups(data)),
        ("fidelity", "What was modelled", fidelity(&data.manifest)),
    ];
    let shown = || sections.iter().filter(|(.., body)| !body.is_empty());
    let links: String = shown().map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>\n")).collect();
    let bodies: String = shown()
        .map(|(id, title, body)| format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}\
         <nav aria-label=\"Sections\">\n{links}</nav>\n{bodies}</main>\n{}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        data.manifest.status.word(),
        header(data),
        footer(data)
    )
}

fn header(data: &Data) -> String {
    let manifest = &data.manifest;
    let mark = verdict_mark(manifest.status);
    format!(
        "<header>\n<p class=\"kicker\">Wavetank run · {}</p>\n<h1>{}</h1>\n{}\
         <p class=\"verdict {}\" role=\"status\"><strong><span aria-hidden=\"true\">{}</span> {}</strong> <span class=\"why\">{}</span></p>\n{}\
         {}<p class=\"replay\"><span>Run it again</span> <code>wavetank replay {}</code><button type=\"button\" hidden>Copy</button></p>\n\
         <p class=\"note\">One seed: no interval. The figures say what happened in this run, not how much they would vary with the seed.</p>\n\
         </header>\n",
        escape(&data.folder),
        escape(&manifest.scenario.name),
        partial(data),
        mark.class,
        mark.symbol,
        mark.word,
        escape(&reason(data.verdict.as_ref(), manifest.status)),
        reasons(data.verdict.as_ref()),
        facts(data),
        escape(&quoted(&data.replay)),
    )
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

/// Why the verdict is what it is, in one or two sentences.
fn reason(verdict: Option<&Verdict>, status: RunStatus) -> String {
    let Some(verdict) = verdict else {
        return "There is no verdict.".to_owned();
    };
    let mut words = match (status, meaning(verdict.exit_code)) {
        (RunStatus::Pass, _) => "Every check and goal held.".to_owned(),
        (_, Some(meaning)) => format!("{meaning} (exit code {}).", verdict.exit_code),
        (_, None) => format!("Exit code {}.", verdict.exit_code),
    };
    if let Some(first) = &verdict.first_failure {
        words.push_str(&format!(" First: {}", first.what));
        if !first.detail.is_empty() {
            words.push_str(&format!(": {}", symbols(&first.detail)));
        }
        if let Some(at) = first.at_ms {
            words.push_str(&format!(", at {}", clock(at)));
        }
        if let Some(peer) = &first.peer {
            words.push_str(&format!(", peer {peer}"));
        }
        if let Some(event) = first.event {
            words.push_str(&format!(", event {event}"));
        }
        words.push('.');
    }
    words
}

/// All that speaks against a pass, where it is more than what came first.
fn reasons(verdict: Option<&Verdict>) -> String {
    let reasons = verdict.map_or(&[][..], |verdict| &verdict.reasons);
    let told = usize::from(verdict.is_some_and(|verdict| verdict.first_failure.is_some()));
    if reasons.len() <= told {
        return String::new();
    }
    let items: String =
        reasons.iter().map(|reason| format!("<li>{}</li>\n", escape(&symbols(reason)))).collect();
    format!("<ul class=\"reasons\">\n{items}</ul>\n")
}

/// What the program's exit codes of a run mean.
const fn meaning(exit_code: u8) -> Option<&'static str> {
    Some(match exit_code {
        10 => "A goal was missed",
        11 => "An always check failed",
        12 => "An eventually check failed",
        13 => "Two executions of one seed differed",
        14 => "A peer panicked",
        15 => "The run went over its budget",
        17 => "The run proves nothing",
        130 | 143 => "The run was told to stop",
        _ => return None,
    })
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
    let facts = [
        ("Seed", Some(manifest.seed.0.to_string())),
        ("Fingerprint", manifest.fingerprint.value.clone()),
        ("Simulated time", manifest.sim.ended_ms.map(span)),
        ("Peers", (peers > 0).then(|| count(peers))),
        ("Events", (manifest.sim.events > 0).then(|| count(manifest.sim.events))),
        ("Speed", manifest.wall.speedup.map(|times| format!("{} × real time", number(times)))),
    ];
    let cells: String = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value)))
        .collect();
    format!("<dl class=\"facts\">\n{cells}</dl>\n")
}

fn goals(data: &Data) -> String {
    let Some(verdict) = &data.verdict else {
        return String::new();
    };
    if verdict.thresholds.is_empty() {
        return "<p>The scenario sets no goals.</p>\n".to_owned();
    }
    let rows = verdict.thresholds.iter().map(|goal| {
        let mark = match goal.status {
            ThresholdStatus::Pass => Mark::good("reached"),
            ThresholdStatus::Fail => Mark::bad("missed"),
            ThresholdStatus::Unknown => Mark::open("too few samples"),
        };
        let value = goal.value.map_or_else(|| "–".to_owned(), |value| of_metric(&goal.metric, value));
        vec![
            Cell::Mark(mark),
            Cell::Code(goal.metric.clone()),
            Cell::Code(symbols(&goal.expression)),
            Cell::Number(value),
            Cell::Number(count(goal.samples)),
            Cell::Text(goal.denominator.clone()),
        ]
    });
    table("Goals", &["Status", "Metric", "Goal", "Measured", "Samples", "Of"], rows)
}

fn checks(data: &Data) -> String {
    let Some(verdict) = &data.verdict else {
        return String::new();
    };
    if verdict.checks.is_empty() {
        return "<p>The scenario asks for no checks.</p>\n".to_owned();
    }
    let rows = verdict.checks.iter().map(|check| {
        let kind = match check.kind {
            CheckKind::Always => "always",
            CheckKind::Sometimes => "sometimes",
            CheckKind::Eventually => "eventually",
        };
        let mark = match (check.kind, check.status) {
            (CheckKind::Sometimes, CheckStatus::Pass) => Mark::good("reached"),
            (_, CheckStatus::Pass) => Mark::good("held"),
            (_, CheckStatus::Fail) => Mark::bad("failed"),
            (_, CheckStatus::NeverReached) => Mark::open("never reached"),
            (_, CheckStatus::Unknown) => Mark::open("unknown"),
        };
        vec![
            Cell::Mark(mark),
            Cell::Code(check.name.clone()),
            Cell::Text(kind.to_owned()),
            Cell::Number(check.at_ms.map(clock).unwrap_or_default()),
            Cell::Code(check.peer.clone().unwrap_or_default()),
            Cell::Text(check.detail.clone()),
        ]
    });
    table("Checks", &["Status", "Check", "Must hold", "At", "Peer", "Seen"], rows)
}

fn tallies(data: &Data) -> String {
    let Some(verdict) = data.verdict.as_ref().filter(|verdict| !verdict.tallies.is_empty()) else {
        return String::new();
    };
    let rows = verdict.tallies.iter().map(|tally| {
        let mark = match tally.status {
            TallyStatus::Met => Mark::good("as asked"),
            TallyStatus::Off => Mark::open("not as asked"),
            TallyStatus::Inert => Mark::bad("did nothing"),
        };
        let (kind, when) = match tally.kind {
            TallyKind::Workload => ("workload", String::new()),
            TallyKind::Fault => ("fault", when(data, tally.index)),
        };
        vec![
            Cell::Mark(mark),
            Cell::Text(kind.to_owned()),
            Cell::Code(tally.name.clone()),
            Cell::Number(tally.asked.map_or_else(|| "–".to_owned(), count)),
            Cell::Number(count(tally.got)),
            Cell::Text(tally.unit.clone()),
            Cell::Text(when),
        ]
    });
    let head = ["Status", "Kind", "Name", "Asked", "Got", "Unit", "When"];
    "<p>What each was asked to do against what it did. One that did nothing proves nothing.</p>\n".to_owned()
        + &table("Asked against got", &head, rows)
}

fn when(data: &Data, index: u32) -> String {
    let mut rows = data.faults.iter().filter(|fault| fault.index == index);
    match (rows.next(), rows.count()) {
        (None, _) => String::new(),
        (Some(fault), 0) if fault.until_ms == Some(fault.from_ms) => clock(fault.from_ms),
        (Some(fault), 0) => {
            let until = fault.until_ms.map_or_else(|| "the end".to_owned(), clock);
            format!("{} to {until}", clock(fault.from_ms))
        }
        (Some(fault), more) => format!("{} and {} more", clock(fault.from_ms), counted(more as u64, "time")),
    }
}

fn figures(plots: &Plots) -> String {
    let mut body = String::new();
    for plot in &plots.drawn {
        body.push_str(&format!(
            "<figure id=\"{}\">\n<div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
            plot.name,
            plot.wide,
            plot.narrow,
            escape(&plot.caption)
        ));
    }
    if !plots.left_out.is_empty() {
        body.push_str("<p class=\"note\">Left out, for want of data:</p>\n<ul class=\"left-out\">\n");
        for plot in &plots.left_out {
            body.push_str(&format!("<li>{}: {}</li>\n", escape(plot.title), escape(plot.why)));
        }
        body.push_str("</ul>\n");
    }
    body
}

fn summary(data: &Data) -> String {
    if data.summary.is_empty() {
        return String::new();
    }
    let rows = data.summary.iter().map(|row| {
        let value =
            |value: Option<f64>| Cell::Number(value.map(|value| in_unit(row, value)).unwrap_or_default());
        let mut cells = vec![
            Cell::Code(row.metric.clone()),
            Cell::Text(row.scope.clone()),
            Cell::Number(count(row.samples)),
        ];
        cells.extend([row.mean, row.min, row.p50, row.p90, row.p95, row.p99, row.max].map(value));
        cells
    });
    let head = ["Metric", "Scope", "Samples", "Mean", "Least", "p50", "p90", "p95", "p99", "Most"];
    "<p>After warm-up. Quantiles are taken over all samples, never averaged.</p>\n".to_owned()
        + &table("Summary", &head, rows)
}

fn in_unit(row: &SummaryRow, value: f64) -> String {
    match row.unit.as_str() {
        "ns" => nanoseconds(value),
        "bytes" => bytes(value),
        "ratio" => percent(value),
        _ => number(value),
    }
}

fn operations(data: &Data) -> String {
    let rows: Vec<_> = data
        .kinds
        .iter()
        .filter(|(_, operations)| !operations.outcomes.is_empty())
        .map(|(kind, operations)| {
            let of = |outcome| operations.outcomes.get(&outcome).copied().unwrap_or(0);
            let mut cells = vec![Cell::Text(kind.clone())];
            cells.push(Cell::Number(count(operations.outcomes.values().sum())));
            cells.extend(OUTCOMES.map(|(outcome, _)| Cell::Number(count(of(outcome)))));
            cells
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head: Vec<&str> = ["Kind", "Started"].into_iter().chain(OUTCOMES.map(|(_, word)| word)).collect();
    "<p>How those that started after warm-up ended. Those whose client left or that the end of the run cut short count as neither success nor failure.</p>\n"
        .to_owned()
        + &table("Outcomes of operations", &head, rows)
        + &slowest(data)
}

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Ok, "Ok"),
    (Outcome::Failed, "Failed"),
    (Outcome::TimedOut, "Timed out"),
    (Outcome::Abandoned, "Client left"),
    (Outcome::Unfinished, "Run ended"),
];

fn slowest(data: &Data) -> String {
    if data.slowest.is_empty() {
        return String::new();
    }
    let small = |value: Option<u32>| Cell::Number(value.map(|value| count(value.into())).unwrap_or_default());
    let rows = data.slowest.iter().map(|operation| {
        vec![
            Cell::Number(operation.operation.to_string()),
            Cell::Text(operation.kind.clone()),
            Cell::Number(operation.peer.to_string()),
            Cell::Number(clock(operation.start_ns / 1_000_000)),
            Cell::Number(nanoseconds(operation.latency_ms.unwrap_or(0.0) * 1e6)),
            small(operation.hops),
            small(operation.messages),
            small(operation.timeouts),
        ]
    });
    let head = ["Operation", "Kind", "Peer", "Start", "Latency", "Hops", "Messages", "Timeouts"];
    "<h3>The slowest that succeeded</h3>\n<p class=\"note\">Numbers as in operations.csv and peers.csv.</p>\n"
        .to_owned()
        + &table("The slowest operations that succeeded", &head, rows)
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

fn fidelity(manifest: &Manifest) -> String {
    let start = match manifest.start {
        Start::Join => "Peers joined through the protocol.",
        Start::Oracle => {
            "Routing tables were filled from full knowledge before the first event: nobody had to join, so the figures leave joining out."
        }
    };
    let parts: String = manifest
        .fidelity
        .iter()
        .map(|(part, how)| {
            let about = explained(part, how).map(|about| format!(" · {about}")).unwrap_or_default();
            format!("<dt>{}</dt><dd>{}{about}</dd>\n", escape(part), escape(how))
        })
        .collect();
    format!("<dl class=\"list\">\n<dt>start</dt><dd>{start}</dd>\n{parts}</dl>\n")
}

/// What a line of the scenario's `fidelity:` block means for the figures.
fn explained(part: &str, how: &str) -> Option<&'static str> {
    Some(match (part, how) {
        ("crypto", "real") => "signatures and hashes were computed",
        ("crypto", "modelled") => "signatures were not computed, but took the same simulated time",
        ("wasm", "real") => "services ran as Wasm",
        ("wasm", "modelled") => "services did not run, but took the same simulated time",
        ("air", "native") => "scripts ran in this project's interpreter",
        ("air", "reference") => "scripts ran in the published interpreter",
        ("wire", "typed") => {
            "messages were handed over as values; bandwidth counted their exact encoded size"
        }
        ("wire", "encoded") => "every message went through the codec",
        ("links", "dialled") => "connections cost their round trips, and idle ones close",
        ("links", "free") => "connections cost nothing: the first message to a peer is as fast as the next",
        _ => return None,
    })
}

fn footer(data: &Data) -> String {
    let manifest = &data.manifest;
    let (build, wall) = (&manifest.wavetank, &manifest.wall);
    let features = match build.features.as_slice() {
        [] => String::new(),
        features => format!(", features {}", features.join(" ")),
    };
    let commit = build.git.as_ref().map(|git| format!(" ({git})")).unwrap_or_default();
    let scenario = &manifest.scenario;
    let inputs = scenario.inputs.iter().map(|(name, hash)| format!("{name} {}", short(hash)));
    let figures = [
        wall.seconds.map(|seconds| nanoseconds(seconds * 1e9)),
        wall.events_per_cpu_second.map(|rate| format!("{} events per CPU-second", number(rate.round()))),
        wall.peak_rss_bytes.map(|peak| format!("{} of memory at most", bytes(peak as f64))),
    ];
    let machine = format!("{}, {}", manifest.host.os, counted(manifest.host.cores.into(), "core"));
    let driven = format!(
        "{} stage, {} driver, {}",
        manifest.backend,
        manifest.driver,
        counted(manifest.threads.into(), "thread")
    );
    let entries = [
        (
            "program",
            format!("wavetank {}{commit}, {}, {}{features}", build.version, build.profile, build.target),
        ),
        (
            "scenario",
            format!(
                "{} sha256 {}",
                scenario.path.as_deref().unwrap_or(&scenario.name),
                short(&scenario.sha256)
            ),
        ),
        ("plan", format!("sha256 {}", short(&scenario.plan_sha256))),
        ("inputs", inputs.collect::<Vec<_>>().join(", ")),
        ("changed by --set", manifest.set.join(", ")),
        ("seed", format!("{}, random streams version {}", manifest.seed.0, manifest.streams)),
        (
            "fingerprint",
            manifest.fingerprint.value.as_ref().map_or_else(String::new, |value| {
                format!(
                    "{value}, version {}, {}",
                    manifest.fingerprint.version,
                    counted(manifest.fingerprint.ladder.len() as u64, "rung")
                )
            }),
        ),
        ("driven by", driven),
        ("machine", machine),
        ("started", wall.started.clone()),
        ("took", figures.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        ("format", format!("run folder version {}", manifest.format)),
    ];
    let entries: String = entries
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    format!("<footer>\n<h2>Where this comes from</h2>\n<dl class=\"list\">\n{entries}</dl>\n</footer>\n")
}

/// Enough of a hash to recognise it; the manifest has the rest.
fn short(hash: &str) -> String {
    match hash.char_indices().nth(HASH_CHARS) {
        Some((at, _)) => format!("{}…", hash.get(..at).unwrap_or_default()),
        None => hash.to_owned(),
    }
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
