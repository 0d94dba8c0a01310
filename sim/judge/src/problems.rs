//! What is wrong with what a scenario asks to be judged.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use play::problems::selection_problems;
use play::{Inputs, Problem};
use types::{Duration, Instant};

use crate::check::When;
use crate::checkers::NAMES;
use crate::plan::{Checks, Observe, Thresholds};

/// Everything that is wrong with these parts of a scenario, given the others.
#[must_use]
pub fn problems(
    inputs: &Inputs<'_>,
    checks: &Checks,
    thresholds: &Thresholds,
    observe: &Observe,
) -> Vec<Problem> {
    let mut found = Vec::new();
    of_checks(inputs, checks, &mut found);
    of_thresholds(inputs, thresholds, &mut found);
    if let Some(gap) = observe.sample_every {
        let path = "observe.sample_every".to_string();
        if gap == Duration::ZERO {
            found.push(Problem {
                path,
                code: "no_samples",
                message: "must be longer than 0s".to_string(),
                help: None,
            });
        } else if gap > inputs.duration {
            let message = alloc::format!("is {gap}, the run ends at {}", inputs.duration);
            found.push(Problem { path, code: "window_beyond_run", message, help: None });
        }
    }
    if let Some(select) = &observe.events {
        found.extend(selection_problems(inputs, "observe.events", select));
    }
    found
}

fn of_checks(inputs: &Inputs<'_>, checks: &Checks, found: &mut Vec<Problem>) {
    let eventually = checks.eventually.as_ref();
    let hold = eventually.map_or(&[][..], |eventually| &eventually.hold);
    let lists = [
        ("checks.always", When::Always, checks.always.as_slice()),
        ("checks.sometimes", When::Sometimes, checks.sometimes.as_slice()),
        ("checks.eventually.hold", When::Eventually, hold),
    ];
    for (list, when, names) in lists {
        for (place, name) in names.iter().enumerate() {
            let known = NAMES.iter().find(|(known, _)| known == name);
            let (code, message) = match known {
                Some((_, right))
                    if *right == when && names.iter().position(|other| other == name) == Some(place) =>
                {
                    continue;
                }
                Some((_, right)) if *right == when => {
                    ("duplicate_check", alloc::format!("`{name}` is listed twice"))
                }
                Some((_, right)) => {
                    let right = word(*right);
                    ("wrong_check_kind", alloc::format!("`{name}` belongs under `{right}`"))
                }
                None => ("unknown_check", alloc::format!("unknown check `{name}`")),
            };
            let here: Vec<_> =
                NAMES.iter().filter(|(_, other)| *other == when).map(|(name, _)| *name).collect();
            let help = Some(alloc::format!("checks here: {}", here.join(", ")));
            found.push(Problem { path: alloc::format!("{list}.{place}"), code, message, help });
        }
    }
    let Some(eventually) = eventually else { return };
    let last = inputs.faults.iter().map(|fault| fault.last_change(inputs.duration)).max().unwrap_or_default();
    let calm = last.max(Instant::START + inputs.warmup);
    let deadline = calm + eventually.within;
    if deadline > Instant::START + inputs.duration {
        let message = alloc::format!(
            "the faults are over at {calm}, so it would end at {deadline}; the run ends at {}",
            inputs.duration
        );
        let help = Some("make the run longer, or end the faults earlier".to_string());
        let path = "checks.eventually.within".to_string();
        found.push(Problem { path, code: "window_beyond_run", message, help });
    }
}

const fn word(when: When) -> &'static str {
    match when {
        When::Always => "always",
        When::Sometimes => "sometimes",
        When::Eventually => "eventually",
    }
}

/// Metrics of operations need a workload that asks for such operations.
fn of_thresholds(inputs: &Inputs<'_>, thresholds: &Thresholds, found: &mut Vec<Problem>) {
    let problems = thresholds.0.keys().filter_map(|name| {
        let path = alloc::format!("thresholds.{name}");
        without_source(inputs, name, path)
    });
    found.extend(problems);
}

/// What is wrong with asking, at `path`, for the metric of this name, if no workload yields its numbers.
#[must_use]
pub fn without_source(inputs: &Inputs<'_>, metric: &str, path: String) -> Option<Problem> {
    let needs = match metric.split_once('.') {
        Some(("lookup", _)) => "lookups",
        Some(("record", _)) => "records",
        Some(("provider", _)) => "providers",
        _ => return None,
    };
    let asked = inputs.workloads.iter().any(|workload| workload.kind() == needs);
    (!asked).then(|| Problem {
        path,
        code: "metric_without_source",
        message: alloc::format!("no workload emits `{metric}`"),
        help: Some(alloc::format!("add a workload of `{needs}`")),
    })
}
