//! Why the verdict is what it is: goals with their course over time, and checks.

use record::{CheckKind, CheckStatus, RunStatus, Threshold, ThresholdStatus, Verdict};

use super::spark::spark;
use crate::data::Data;
use crate::html::{Cell, Mark, escape, table};
use crate::words::{clock, count, of_metric, symbols};

/// Why the verdict is what it is, in one or two sentences.
pub(super) fn reason(verdict: Option<&Verdict>, status: RunStatus) -> String {
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
pub(super) fn reasons(verdict: Option<&Verdict>) -> String {
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

pub(super) fn goals(data: &Data) -> String {
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
            Cell::Drawn(spark(data, goal)),
            of(goal),
        ]
    });
    let head = ["Status", "Metric", "Goal", "Measured", "Over time", "Of"];
    "<p>Each value is of the whole measured part; the curve shows how it went, with the goal dashed.</p>\n"
        .to_owned()
        + &table("Goals", &head, rows)
}

/// What the value rests on.
fn of(goal: &Threshold) -> Cell {
    Cell::Text(format!("{} {}", count(goal.samples), goal.denominator))
}

pub(super) fn checks(data: &Data) -> String {
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
