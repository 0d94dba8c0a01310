//! `wavetank run --repeat`: one scenario with several seeds, and how much its figures vary with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use record::{ThresholdStatus, Verdict};
use run::hunt::{Again, Campaign, Ended, Hunt, Runner};
use run::{Out, Scenario};
use serde::Serialize;
use types::Share;

use crate::args;
use crate::command::hunt::{cores, play};
use crate::command::run::RUNS;
use crate::console::{Console, Look, Verbosity};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, counted, of_metric};
use crate::screen::section;
use crate::signals::Signals;
use crate::stats::{Mean, mean};
use crate::table::{Row, plain, wrapped};

/// A seed's run: what it proved, and where its folder is.
#[derive(Clone, Debug)]
struct Done {
    verdict: Verdict,
    folder: PathBuf,
}

/// Runs seeds, each into a folder of its own.
struct IntoFolders {
    scenario: Scenario,
    /// Where the folders stand, if it was said.
    out: Option<PathBuf>,
    no_report: bool,
    done: Mutex<BTreeMap<u64, Done>>,
    console: Console,
}

impl Runner for IntoFolders {
    fn run(&self, seed: u64) -> Result<Ended, String> {
        let out = match &self.out {
            Some(out) => Out::Folder(out.join(format!("s{seed}"))),
            None => Out::Under(PathBuf::from(RUNS)),
        };
        let finished = self.scenario.clone().seed(seed).out(out).run().map_err(|error| error.to_string())?;
        let folder = finished.folder.clone().unwrap_or_default();
        if !self.no_report
            && let Err(error) = report::write(&folder)
        {
            self.console.warn(&format!("seed {seed} is complete, but its report is not: {error}"));
        }
        let done = Done { verdict: finished.verdict.clone(), folder };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(seed, done);
        Ok(Ended::from(&finished))
    }

    fn again(&self, _: u64) -> Again {
        Again::Unable("seeds that are repeated for their figures are not run again".to_owned())
    }
}

/// What all seeds say of one goal.
#[derive(Clone, Debug, Serialize)]
struct Goal {
    metric: String,
    expression: String,
    /// Seeds that had a value.
    seeds: usize,
    met: usize,
    missed: usize,
    #[serde(flatten)]
    mean: Option<Mean>,
    least: Option<f64>,
    most: Option<f64>,
    values: Vec<Option<f64>>,
}

/// For programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    meaning: &'static str,
    scenario: &'a str,
    /// How the intervals are made.
    interval: &'static str,
    goals: &'a [Goal],
    runs: Vec<Listed<'a>>,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    seed: String,
    exit_code: u8,
    fingerprint: Option<&'a str>,
    folder: &'a Path,
}

const INTERVAL: &str = "95 % by Student's t over the seeds' values";

pub(crate) fn repeat(
    scenario: Scenario,
    args: &args::Run,
    seeds: u16,
    console: Console,
) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let scenario = scenario.load()?;
    if let Some(path) = args.kept.out.clone()
        && std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(record::RecordError::NotEmpty { path }.into());
    }
    let plan = scenario.plan();
    let first = args.seed.or_else(|| plan.map(|plan| plan.seed.0)).unwrap_or_default();
    let name = plan.map(|plan| plan.name.clone()).unwrap_or_default();
    let threads = args.machine.threads.map_or(1, usize::from);
    let last = first.checked_add(u64::from(seeds) - 1).ok_or_else(|| {
        Failure::new(exit_code::USAGE, format!("there are no {seeds} seeds from {first} on"))
    })?;
    let campaign = Campaign {
        seeds: first..=last,
        jobs: match args.backend {
            args::Backend::Sim => (cores() / threads).max(1),
            // Its processes have the machine to themselves.
            args::Backend::Local => 1,
        },
        budget: None,
        max_failures: None,
        recheck: Share::ZERO,
    };
    console.note(&format!(
        "{name}: {} from {first}, {} at a time",
        counted(u64::from(seeds), "seed"),
        campaign.jobs
    ));
    let runner = IntoFolders {
        scenario: scenario.threads(threads),
        out: args.kept.out.clone(),
        no_report: args.kept.no_report,
        done: Mutex::default(),
        console,
    };
    let found =
        play(&Hunt::new(campaign.clone()), &campaign, &runner, args.shown.progress, &signals, console)?;
    let done = runner.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let code = signals.code().unwrap_or_else(|| found.exit_code());
    let goals = goals(&done);
    let document = Document {
        status: if code == exit_code::PASSED { "pass" } else { "fail" },
        exit_code: code,
        meaning: exit_code::meaning(code),
        scenario: &name,
        interval: INTERVAL,
        goals: &goals,
        runs: done
            .iter()
            .map(|(seed, done)| Listed {
                seed: seed.to_string(),
                exit_code: done.verdict.exit_code,
                fingerprint: done.verdict.fingerprint.as_deref(),
                folder: &done.folder,
            })
            .collect(),
    };
    let failures: Vec<_> = found
        .failures
        .iter()
        .map(|failure| format!("seed {}: {}", failure.seed, failure.reasons.join("; ")))
        .collect();
    console.answer(&text(&name, &done, &goals, &failures, code, console.verbosity), &document)?;
    Ok(code)
}

/// The goals of the scenario, in its order, each with the values of all seeds.
fn goals(done: &BTreeMap<u64, Done>) -> Vec<Goal> {
    let Some((_, first)) = done.first_key_value() else { return Vec::new() };
    let of_seeds = |place: usize| done.values().filter_map(move |done| done.verdict.thresholds.get(place));
    let goal = |(place, threshold): (usize, &record::Threshold)| {
        let values: Vec<_> = of_seeds(place).map(|threshold| threshold.value).collect();
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        let with = |status| of_seeds(place).filter(|threshold| threshold.status == status).count();
        Goal {
            metric: threshold.metric.clone(),
            expression: threshold.expression.clone(),
            seeds: known.len(),
            met: with(ThresholdStatus::Pass),
            missed: with(ThresholdStatus::Fail),
            mean: mean(&known),
            least: known.iter().copied().reduce(f64::min),
            most: known.iter().copied().reduce(f64::max),
            values,
        }
    };
    first.verdict.thresholds.iter().enumerate().map(goal).collect()
}

fn text(
    name: &str,
    done: &BTreeMap<u64, Done>,
    goals: &[Goal],
    failures: &[String],
    code: u8,
    verbosity: Verbosity,
) -> String {
    let passed = done.values().filter(|done| done.verdict.exit_code == exit_code::PASSED).count();
    let word = if code == exit_code::PASSED { Look::Good.on("PASS") } else { Look::Bad.on("FAIL") };
    let reason = if code == exit_code::PASSED {
        String::new()
    } else {
        format!(": {} (exit {code})", exit_code::meaning(code))
    };
    let mut text =
        format!("{word}  {name}{reason}\n{passed} of {} passed\n", counted(done.len() as u64, "seed"));
    for failure in failures {
        text.push_str(&wrapped(&format!("  - {failure}"), 4));
    }
    if verbosity == Verbosity::Quiet {
        return text;
    }
    let mut rows = vec![Row::new(["metric", "goal", "met", "mean", "95 % interval"].map(plain))];
    rows.extend(goals.iter().map(goal));
    section(&mut text, "Thresholds (mean of the seeds' values)", if goals.is_empty() { &[] } else { &rows });
    let rows: Vec<_> = done
        .iter()
        .map(|(seed, done)| {
            let (word, look) = match done.verdict.exit_code {
                exit_code::PASSED => ("pass".to_owned(), Look::Good),
                code => (format!("exit {code}"), Look::Bad),
            };
            Row::new([plain(seed.to_string()), (word, look), plain(done.folder.display().to_string())])
        })
        .collect();
    section(&mut text, "Runs", &rows);
    text.push_str(&format!("\nintervals  {INTERVAL}\n"));
    text
}

fn goal(goal: &Goal) -> Row {
    let shown = |value: f64| of_metric(&goal.metric, value);
    let mean = goal.mean.map_or_else(|| "none".to_owned(), |mean| shown(mean.mean));
    let interval = match goal.mean.and_then(|mean| mean.interval) {
        Some(interval) => {
            let [low, high] = interval.map(|end| within(&goal.metric, end));
            format!("{} to {}", shown(low), shown(high))
        }
        None => "one seed: none".to_owned(),
    };
    let met = format!("{} of {}", count(goal.met as u64), count(goal.values.len() as u64));
    Row::new([plain(&goal.metric), plain(&goal.expression), plain(met), plain(mean), plain(interval)])
}

/// No share is more than the whole, and nothing that is measured here less than nothing.
fn within(metric: &str, value: f64) -> f64 {
    let is_share =
        types::metric::find(metric).is_some_and(|metric| metric.unit == types::metric::Unit::Ratio);
    value.clamp(0.0, if is_share { 1.0 } else { f64::INFINITY })
}
