//! The verdict: what a run proved, and the code that says so.
//!
//! The gravest word wins: a panicked peer, a run that cannot be repeated, a broken invariant, something that never came
//! to hold, a missed goal, a run that proves nothing. A panic, a difference and a broken invariant are facts whenever
//! they are seen; the rest is judged only of runs that were not stopped.

use alloc::string::String;
use alloc::vec::Vec;

use play::Tally;
use types::Instant;
use types::metric::Metric;

use crate::check::{CheckResult, Status};
use crate::plan::{About, Expression, Goal};

/// Samples that a threshold needs at least: below, a percentile is one of a handful of numbers.
pub const MIN_SAMPLES: u64 = 30;

/// What a run proved.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// In one word.
    pub status: VerdictStatus,
    /// What the program exits with.
    pub exit: u8,
    /// Everything that speaks against a pass, the gravest first.
    pub reasons: Vec<Reason>,
    /// What went wrong first.
    pub first_failure: Option<FirstFailure>,
    /// The checks, in the order of the scenario.
    pub checks: Vec<CheckResult>,
    /// The goals, by metric.
    pub thresholds: Vec<ThresholdResult>,
    /// Asked against got.
    pub tallies: Vec<Tally>,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictStatus {
    /// Everything held.
    Pass,
    /// Something did not.
    Fail,
    /// The run proves nothing.
    Unknown,
    /// It was stopped before its end.
    Interrupted,
}

/// What speaks against a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A peer panicked.
    Panicked(String),
    /// A repetition differed.
    Nondeterministic(String),
    /// Something did not always hold.
    Always(String),
    /// Something did not come to hold.
    Eventually(String),
    /// A goal was missed.
    Threshold(String),
    /// The run proves nothing.
    ProvesNothing(String),
}

impl Reason {
    /// The exit code that says so.
    #[must_use]
    pub const fn exit(&self) -> u8 {
        match self {
            Self::Panicked(_) => 14,
            Self::Nondeterministic(_) => 13,
            Self::Always(_) => 11,
            Self::Eventually(_) => 12,
            Self::Threshold(_) => 10,
            Self::ProvesNothing(_) => 17,
        }
    }

    /// The reason in words, for people.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Panicked(text)
            | Self::Nondeterministic(text)
            | Self::Always(text)
            | Self::Eventually(text)
            | Self::Threshold(text)
            | Self::ProvesNothing(text) => text,
        }
    }

    /// The gravest first.
    const fn gravity(&self) -> u8 {
        match self {
            Self::Panicked(_) => 0,
            Self::Nondeterministic(_) => 1,
            Self::Always(_) => 2,
            Self::Eventually(_) => 3,
            Self::Threshold(_) => 4,
            Self::ProvesNothing(_) => 5,
        }
    }

    /// Whether it stands in a run that was stopped.
    const fn is_fact(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::Nondeterministic(_) | Self::Always(_))
    }
}

/// What went wrong first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstFailure {
    /// When.
    pub at: Instant,
    /// At whom.
    pub peer: Option<u32>,
    /// Which check or goal, or `panic`.
    pub what: String,
    /// What was seen.
    pub detail: String,
}

/// What came of a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdResult {
    /// Of which metric.
    pub metric: &'static Metric,
    /// The goal.
    pub expression: Expression,
    /// What was measured, in the units of goals ([`crate::plan::Goal`]).
    pub value: Option<u64>,
    /// What came of it: pass, fail or unknown.
    pub status: Status,
    /// How many samples the value rests on.
    pub samples: u64,
    /// What those are.
    pub denominator: &'static str,
}

/// A peer that panicked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Panic {
    /// When.
    pub at: Instant,
    /// Who.
    pub peer: u32,
    /// Its last words.
    pub message: String,
}

/// What is known of a run besides what was observed of its peers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    /// When it ended.
    pub ended: Instant,
    /// Whether it ran to its end.
    pub completeness: Completeness,
    /// Peers that panicked.
    pub panics: &'a [Panic],
    /// Messages that each fault of links touched, by the fault's place in the scenario.
    pub touched: &'a [(u32, u64)],
    /// How a repetition differed, if it did.
    pub difference: Option<&'a str>,
}

/// Whether a run ran to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// It did.
    #[default]
    Whole,
    /// Somebody stopped it.
    Interrupted,
}

/// Weighs everything.
pub(crate) fn weigh(
    circumstances: &Circumstances<'_>,
    checks: Vec<CheckResult>,
    thresholds: Vec<ThresholdResult>,
    tallies: Vec<Tally>,
) -> Verdict {
    let mut reasons = Vec::new();
    let mut failures = Vec::new();
    for panic in circumstances.panics {
        reasons.push(Reason::Panicked(alloc::format!(
            "peer {} panicked at {}: {}",
            panic.peer,
            panic.at,
            panic.message
        )));
        let (what, detail) = ("panic".into(), panic.message.clone());
        failures.push(FirstFailure { at: panic.at, peer: Some(panic.peer), what, detail });
    }
    reasons.extend(circumstances.difference.map(|difference| Reason::Nondeterministic(difference.into())));
    let interrupted = circumstances.completeness == Completeness::Interrupted;
    let stands = |reason: &Reason| !interrupted || reason.is_fact();
    for check in &checks {
        let Some(reason) = of_check(check).filter(stands) else { continue };
        reasons.push(reason);
        if check.status == Status::Fail {
            let (what, detail) = (check.name.clone(), check.detail.clone());
            let at = check.at.unwrap_or(circumstances.ended);
            failures.push(FirstFailure { at, peer: check.peer, what, detail });
        }
    }
    for threshold in &thresholds {
        let Some(reason) = of_threshold(threshold).filter(stands) else { continue };
        reasons.push(reason);
        if threshold.status == Status::Fail {
            let what = alloc::format!("{} {}", threshold.metric.name, threshold.expression);
            let detail = measured(threshold);
            failures.push(FirstFailure { at: circumstances.ended, peer: None, what, detail });
        }
    }
    reasons.extend(tallies.iter().filter_map(of_tally).filter(stands));
    reasons.sort_by_key(Reason::gravity);
    let (status, exit) = match reasons.first() {
        Some(Reason::ProvesNothing(_)) => (VerdictStatus::Unknown, 17),
        Some(reason) => (VerdictStatus::Fail, reason.exit()),
        None if interrupted => (VerdictStatus::Interrupted, 130),
        None => (VerdictStatus::Pass, 0),
    };
    Verdict { status, exit, reasons, first_failure: failures.into_iter().min(), checks, thresholds, tallies }
}

fn of_check(check: &CheckResult) -> Option<Reason> {
    use crate::check::When;
    let text = |word: &str| match check.detail.as_str() {
        "" => alloc::format!("{} {word}", check.name),
        detail => alloc::format!("{} {word}: {detail}", check.name),
    };
    match (check.status, check.when) {
        (Status::Fail, When::Always) => Some(Reason::Always(text("did not always hold"))),
        (Status::Fail, When::Eventually) => Some(Reason::Eventually(text("did not come to hold"))),
        // A run reports what was never seen; only a hunt fails on it.
        (Status::Pass | Status::NeverReached, _) | (Status::Fail, When::Sometimes) => None,
        (Status::Unknown, _) => Some(Reason::ProvesNothing(text("could not be told"))),
    }
}

fn of_threshold(threshold: &ThresholdResult) -> Option<Reason> {
    let (name, expression) = (threshold.metric.name, threshold.expression);
    match threshold.status {
        Status::Pass | Status::NeverReached => None,
        Status::Fail => {
            Some(Reason::Threshold(alloc::format!("{name} {expression} was missed: {}", measured(threshold))))
        }
        Status::Unknown => Some(Reason::ProvesNothing(alloc::format!(
            "{name} {expression} rests on {} samples, fewer than {MIN_SAMPLES}",
            threshold.samples
        ))),
    }
}

/// What was measured, in words.
fn measured(threshold: &ThresholdResult) -> String {
    match threshold.value {
        Some(value) => {
            let about = About(Goal { value, unit: threshold.metric.unit });
            alloc::format!("it is {about} ({} {})", threshold.samples, threshold.denominator)
        }
        None => "there is no value".into(),
    }
}

fn of_tally(tally: &Tally) -> Option<Reason> {
    tally.is_inert().then(|| {
        let asked = tally.asked.map_or(String::new(), |asked| alloc::format!(" of {asked}"));
        let (name, unit) = (&tally.name, tally.unit);
        let text = match tally.subject {
            play::Subject::Fault(_) => alloc::format!("fault `{name}` touched nobody: 0{asked} {unit}"),
            play::Subject::Workload(..) => alloc::format!("workload `{name}` asked nothing: 0{asked} {unit}"),
        };
        Reason::ProvesNothing(text)
    })
}
