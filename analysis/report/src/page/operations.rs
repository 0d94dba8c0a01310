//! How operations ended, and why the slowest were slow.

use record::Outcome;

use crate::data::Data;
use crate::html::{Cell, table};
use crate::trace::explained;
use crate::words::{clock, count, nanoseconds, percent};

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Ok, "Ok"),
    (Outcome::Failed, "Failed"),
    (Outcome::TimedOut, "Timed out"),
    (Outcome::Abandoned, "Client left"),
    (Outcome::Unfinished, "Run ended"),
];

pub(super) fn operations(data: &Data) -> String {
    let rows: Vec<_> = data
        .kinds
        .iter()
        .filter(|(_, operations)| !operations.outcomes.is_empty())
        .map(|(kind, operations)| {
            let of = |outcome| operations.outcomes.get(&outcome).copied().unwrap_or(0);
            let counted = of(Outcome::Ok) + of(Outcome::Failed) + of(Outcome::TimedOut);
            let share = (counted > 0).then(|| of(Outcome::Ok) as f64 / counted as f64);
            let success = share.map(|share| format!("{} of {}", percent(share), count(counted)));
            let mut cells = vec![Cell::Text(kind.clone())];
            cells.push(Cell::Number(count(operations.outcomes.values().sum())));
            cells.extend(OUTCOMES.map(|(outcome, _)| Cell::Number(count(of(outcome)))));
            cells.push(Cell::Number(success.unwrap_or_else(|| "–".to_owned())));
            cells
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let words = OUTCOMES.map(|(_, word)| word);
    let head: Vec<&str> = ["Kind", "Started"].into_iter().chain(words).chain(["Success"]).collect();
    "<p>How those that started after warm-up ended. Those whose client left or that the end of the run cut short count as neither success nor failure.</p>\n"
        .to_owned()
        + &table("Outcomes of operations", &head, rows)
        + &slowest(data)
}

fn slowest(data: &Data) -> String {
    if data.slowest.is_empty() {
        return String::new();
    }
    let rows = data.slowest.iter().zip(&data.traces).map(|(operation, trace)| {
        vec![
            Cell::Number(operation.operation.to_string()),
            Cell::Text(operation.kind.clone()),
            Cell::Number(operation.peer.to_string()),
            Cell::Number(clock(operation.start_ns / 1_000_000)),
            Cell::Number(nanoseconds(operation.latency_ms.unwrap_or(0.0) * 1e6)),
            Cell::Words(explained(data, operation, trace)),
        ]
    });
    let head = ["Operation", "Kind", "Peer", "Start", "Latency", "Where the time went"];
    let recorded = if data.traces.iter().any(|trace| trace.events > 0) {
        "The asking peer's events are in events.jsonl.zst."
    } else {
        "Which request waited for whom was not recorded: <code>observe: {events: …}</code> in the scenario keeps the events of chosen peers."
    };
    format!(
        "<h3>The slowest that succeeded</h3>\n<p class=\"note\">Numbers as in operations.csv and peers.csv. {recorded}</p>\n{}",
        table("The slowest operations that succeeded", &head, rows)
    )
}
