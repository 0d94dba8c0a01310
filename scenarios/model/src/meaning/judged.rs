//! Checks and thresholds: do they exist, can they be served, is there time?

use judge::plan::{Expression, ExpressionError};
use play::plan::Workload;
use serde_json::Value;
use types::metric::{self, Metric};
use types::{Duration, Instant};

use super::{Meaning, top};
use crate::diagnostic::{Code, Diagnostic, Problems, listed, quoted};
use crate::suggest::nearest;
use crate::tree::{Path, Tree};

/// Reads the goals of `tree` one by one, so that all bad ones are reported; leaves in `value` the
/// metrics whose goals are sound.
pub(crate) fn take_thresholds(tree: &Tree, value: &mut Value, problems: &mut Problems) {
    let Some(thresholds) = value.get_mut("thresholds").and_then(Value::as_object_mut) else {
        return;
    };
    thresholds.retain(|name, goals| {
        let Some(metric) = metric::find(name) else {
            return false;
        };
        let path = top("thresholds").key(name.as_str());
        let texts: Vec<(Path, &str)> = match goals {
            Value::Array(goals) => {
                let texts = goals
                    .iter()
                    .enumerate()
                    .filter_map(|(index, goal)| Some((path.index(index), goal.as_str()?)));
                texts.collect()
            }
            goal => goal.as_str().map(|text| (path, text)).into_iter().collect(),
        };
        let mut sound = true;
        for (path, text) in texts {
            if let Err(error) = Expression::parse(metric, text) {
                sound = false;
                problems.add(goal(metric, text, &error).at(tree.locate(&path)).path(path.to_string()));
            }
        }
        sound
    });
}

fn goal(metric: &Metric, text: &str, error: &ExpressionError) -> Diagnostic {
    let code = match error {
        ExpressionError::Quantity { .. }
        | ExpressionError::NotANumber { .. }
        | ExpressionError::NotAShare { .. } => Code::WrongUnit,
        _ => Code::BadThreshold,
    };
    let message = error.to_string();
    let (what, help) = message.split_once("; ").unwrap_or((&message, ""));
    Diagnostic::new(code, format!("the goal {} {what}", quoted(text)))
        .note(format!("{} is the {}", quoted(metric.name), metric.about))
        .help_if((!help.is_empty()).then(|| help.to_owned()))
}

/// The checkers, and the word that each can stand under.
const CHECKERS: &[(&str, Word)] = &[
    ("buckets_well_formed", Word::Always),
    ("lookups_monotone", Word::Always),
    ("no_self_in_table", Word::Always),
    ("queues_bounded", Word::Always),
    ("bucket_full", Word::Sometimes),
    ("contact_evicted", Word::Sometimes),
    ("lookup_met_dead_peer", Word::Sometimes),
    ("routing_converged", Word::Eventually),
    ("stored_records_found", Word::Eventually),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Always,
    Sometimes,
    Eventually,
}

impl Word {
    const fn text(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Sometimes => "sometimes",
            Self::Eventually => "eventually",
        }
    }
}

impl Meaning<'_> {
    pub(super) fn checks(&mut self) {
        let checks = &self.scenario.checks;
        let path = top("checks");
        self.checkers(&path.key("always"), Word::Always, &checks.always);
        self.checkers(&path.key("sometimes"), Word::Sometimes, &checks.sometimes);
        let Some(eventually) = &checks.eventually else {
            return;
        };
        let path = path.key("eventually");
        self.checkers(&path.key("hold"), Word::Eventually, &eventually.hold);
        if eventually.hold.is_empty() {
            self.say(
                &path.key("hold"),
                Diagnostic::new(Code::NoEffect, "nothing is to come to hold")
                    .help("name a check, or leave `eventually` out"),
            );
        }
        let duration = self.scenario.duration;
        let last = self.last_change();
        if last + eventually.within > duration && last <= duration {
            let since =
                if self.scenario.faults.is_empty() { "the warmup ends" } else { "the last fault ends" };
            let message = format!(
                "{since} at {last} and the run at {duration}: there is no time to wait {}",
                eventually.within
            );
            let related = self.tree.locate(&top("duration"));
            self.say(
                &path.key("within"),
                Diagnostic::new(Code::NoTimeLeft, message)
                    .related(related, "the run's duration")
                    .help(format!("let the run last {}, or wait for less", last + eventually.within)),
            );
        }
    }

    /// The moment after which things are to come to hold: the end of the last fault, or of the warmup.
    fn last_change(&self) -> Duration {
        let faults = self
            .scenario
            .faults
            .iter()
            .map(|fault| fault.last_change(self.scenario.duration).since(Instant::START));
        faults.max().unwrap_or(self.scenario.warmup)
    }

    fn checkers(&mut self, path: &Path, word: Word, names: &[String]) {
        for (index, name) in names.iter().enumerate() {
            let place = path.index(index);
            match CHECKERS.iter().find(|(known, _)| known == name) {
                None => self.unknown_checker(&place, name),
                Some((_, right)) if *right != word => {
                    let message = format!(
                        "{} is a check for `{}`, not for `{}`",
                        quoted(name),
                        right.text(),
                        word.text()
                    );
                    self.say(
                        &place,
                        Diagnostic::new(Code::MisplacedCheck, message)
                            .help(format!("move it below `{}`", right.text())),
                    );
                }
                Some(("stored_records_found", _)) if !self.has_records() => {
                    let message = "no workload stores records, so there is nothing to be found";
                    self.say(
                        &place,
                        Diagnostic::new(Code::NoEffect, message)
                            .help("add a `records` workload, or leave the check out"),
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn unknown_checker(&mut self, path: &Path, name: &str) {
        let known = || CHECKERS.iter().map(|(name, _)| *name);
        let suggestion = nearest(name, known()).map(|name| format!("did you mean `{name}`?"));
        self.say(
            path,
            Diagnostic::new(Code::UnknownCheck, format!("unknown check {}", quoted(name)))
                .note(format!("checks: {}", listed(known(), "and")))
                .help_if(suggestion),
        );
    }

    pub(super) fn thresholds(&mut self) {
        let looks_up =
            self.scenario.workloads.iter().any(|workload| matches!(workload, Workload::Lookups(_)));
        let metrics: Vec<&Metric> =
            self.scenario.thresholds.0.keys().filter_map(|name| metric::find(name)).collect();
        for metric in metrics {
            let needs = match metric.name.split_once('.') {
                Some(("lookup", _)) if !looks_up => "lookups",
                Some(("record", _)) if !self.has_records() => "records",
                _ => continue,
            };
            let path = top("thresholds").key(metric.name);
            let place = self.tree.locate_key(&path);
            self.problems.add(
                Diagnostic::new(
                    Code::UnemittedMetric,
                    format!("no workload yields numbers for {}", quoted(metric.name)),
                )
                .at(place)
                .path(path.to_string())
                .note(format!("{} is the {}", quoted(metric.name), metric.about))
                .help(format!("add a `{needs}` workload, or leave the threshold out")),
            );
        }
    }

    fn has_records(&self) -> bool {
        self.scenario.workloads.iter().any(|workload| matches!(workload, Workload::Records(_)))
    }
}
