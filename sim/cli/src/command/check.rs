//! `wavetank check`: everything that is wrong with scenarios, or what they mean.

use std::path::Path;

use model::{Loaded, Rejected};
use serde::Serialize;

use crate::args;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::{Failure, found};
use crate::figures::{counted, nanos};

/// What was found, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    exit_code: u8,
    scenarios: Vec<Checked<'a>>,
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    file: &'a Path,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<model::Report<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<model::Entry<'a>>,
}

pub(crate) fn check(args: &args::Check, console: Console) -> Result<u8, Failure> {
    let checked: Vec<(&Path, Result<Loaded, Rejected>)> =
        args.scenarios.iter().map(|path| (path.as_path(), model::load(path, &args.changes.set))).collect();
    let valid = checked.iter().all(|(_, outcome)| outcome.is_ok());
    let exit_code = if valid { exit_code::PASSED } else { exit_code::INVALID };
    let mut text = String::new();
    let mut scenarios = Vec::new();
    for (file, outcome) in &checked {
        match outcome {
            Ok(Loaded { plan, warnings, .. }) => {
                if warnings.count() > 0 {
                    console.warn(&found(warnings));
                }
                text.push_str(&said(file, plan, args.plan));
                scenarios.push(Checked {
                    file,
                    valid: true,
                    name: Some(&plan.name),
                    peers: Some(plan.peers()),
                    plan: args.plan.then(|| plan.to_yaml()),
                    rejected: None,
                    warnings: warnings.entries().collect(),
                });
            }
            Err(rejected) => {
                console.warn(&found(rejected));
                let rejected = Some(rejected.report());
                scenarios.push(Checked {
                    file,
                    valid: false,
                    name: None,
                    peers: None,
                    plan: None,
                    rejected,
                    warnings: Vec::new(),
                });
            }
        }
    }
    console.answer(&text, &Document { exit_code, scenarios })?;
    Ok(exit_code)
}

/// A valid scenario: that it is, or its plan.
fn said(file: &Path, plan: &model::Plan, whole: bool) -> String {
    if whole {
        return plan.to_yaml();
    }
    let parts = [
        counted(plan.peers(), "peer"),
        format!("for {}", nanos(plan.duration.as_nanos() as f64)),
        counted(plan.workloads.len() as u64, "workload"),
        counted(plan.faults.len() as u64, "fault"),
    ];
    format!("{}  {}: {}\n", Look::Good.on("valid"), file.display(), parts.join(", "))
}
