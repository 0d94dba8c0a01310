//! What faults and workloads were asked to do, against what they did, and when.

use record::{FaultRow, TallyKind, TallyStatus};

use crate::data::Data;
use crate::html::{Cell, Mark, escape, table};
use crate::words::{clock, count, counted, span};

/// Rows of the timeline: more would be a wall.
const MAX_ROWS: usize = 40;

pub(super) fn tallies(data: &Data) -> String {
    let mut body = timeline(data);
    let Some(verdict) = data.verdict.as_ref().filter(|verdict| !verdict.tallies.is_empty()) else {
        return body;
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
    body.push_str(
        "<p>What each was asked to do against what it did. One that did nothing proves nothing; a dash means that the plan does not say how much.</p>\n",
    );
    body + &table("Asked against got", &head, rows)
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

/// When each fault was in force, and what came of it.
fn timeline(data: &Data) -> String {
    if data.faults.is_empty() {
        return String::new();
    }
    let share = |ms: u64| ms.min(data.end_ms) as f64 / data.end_ms as f64 * 100.0;
    let bar = |class: &str, from: u64, to: u64| {
        let (from, to) = (share(from).min(99.5), share(to));
        format!("<i{class} style=\"left:{from:.2}%;width:{:.2}%\"></i>", (to - from).max(0.0))
    };
    let row = |fault: &FaultRow| {
        let got = match fault.asked {
            Some(asked) => format!("{} of {} {}", count(fault.got), count(asked), fault.unit),
            None => format!("{} {}", count(fault.got), fault.unit),
        };
        format!(
            "<div class=\"row\"><span>{}</span><div class=\"track\" title=\"{}\">{}</div><span class=\"got\">{}</span></div>\n",
            escape(&fault.name),
            escape(&when(data, fault.index)),
            bar("", fault.from_ms, fault.until_ms.unwrap_or(data.end_ms)),
            escape(&got)
        )
    };
    let rows: String = data.faults.iter().take(MAX_ROWS).map(row).collect();
    let warmup_ms = data.manifest.sim.warmup_ms;
    let warmup = if warmup_ms > 0 {
        format!(
            "<div class=\"row\"><span>warm-up</span><div class=\"track\">{}</div><span class=\"got\">{}</span></div>\n",
            bar(" class=\"warmup\"", 0, warmup_ms),
            span(warmup_ms)
        )
    } else {
        String::new()
    };
    let axis: String = (0..=4)
        .map(|part| format!("<span>{}</span>", clock(data.end_ms * part / 4 / 1_000 * 1_000)))
        .collect();
    let more = match data.faults.len().saturating_sub(MAX_ROWS) {
        0 => String::new(),
        more => format!("<p class=\"note\">{} more in faults.csv.</p>\n", counted(more as u64, "fault")),
    };
    format!(
        "<div class=\"timeline\">\n{warmup}{rows}<span class=\"gap\"></span><div class=\"axis\">{axis}</div><span class=\"gap\"></span>\n</div>\n{more}"
    )
}
