//! What a scenario says without effect: values that nothing in its run reads, thresholds that are likely to prove
//! nothing. The scenario can be run, and its writer may have meant something else.

use judge::MIN_SAMPLES;
use play::plan::{Fault, Group, Join, Start, Workload};
use types::{Duration, Share};

use super::top;
use crate::diagnostic::{Code, Diagnostic, Problems, quoted};
use crate::fidelity::Links;
use crate::scenario::Scenario;
use crate::tree::{Path, Tree};

/// Knobs of a node that only stored records touch.
const OF_RECORDS: [&str; 6] = [
    "replication",
    "record_ttl",
    "republish_interval",
    "replicate_interval",
    "max_records",
    "max_record_size",
];

/// Knobs of a node that only providers touch.
const OF_PROVIDERS: [&str; 4] = ["provider_ttl", "announce_interval", "max_provided", "max_providers"];

/// Everything in `scenario`, which is valid, that has no effect.
pub(crate) fn warn(scenario: &Scenario, tree: &Tree, warnings: &mut Problems) {
    let mut inert = Inert { scenario, tree, warnings };
    inert.warmup();
    inert.groups();
    inert.clocks();
    inert.eventually();
    inert.samples();
}

struct Inert<'a> {
    scenario: &'a Scenario,
    tree: &'a Tree,
    warnings: &'a mut Problems,
}

impl Inert<'_> {
    /// Warns of `path` if it stands in the text.
    fn given(&mut self, path: &Path, why: &str, help: &str) {
        if !self.tree.exists(path) {
            return;
        }
        let key = path.to_string();
        let key = key.rsplit('.').next().unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::Inert, format!("nothing reads {}: {why}", quoted(key)));
        self.warnings.add(diagnostic.at(self.tree.locate_key(path)).path(path.to_string()).help(help));
    }

    fn warmup(&mut self) {
        if self.scenario.thresholds.0.is_empty() && self.scenario.warmup() > Duration::ZERO {
            self.given(&top("warmup"), "there is no threshold", "add a threshold, or leave it out");
        }
    }

    fn groups(&mut self) {
        let Scenario { peers, workloads, fidelity, .. } = self.scenario;
        let asks = |kind: &str| workloads.iter().any(|workload| workload.kind() == kind);
        let (stores, provides) = (asks("records"), asks("providers"));
        for (name, group) in peers {
            let path = top("peers").key(name.as_str());
            if self.is_ideal(group) {
                let why = "an oracle fills the tables of all of this group, and nobody comes later";
                self.given(&path.key("bootstrap"), why, "leave it out, or write `start: join`");
            }
            if fidelity.links == Links::Free && group.undialable == Share::ZERO {
                let why = "free links are not counted";
                let help = "write `fidelity: {links: dialled}`, or leave it out";
                self.given(&path.key("node").key("limits").key("connections"), why, help);
            }
            for key in ["data", "network"] {
                let why = "a simulated node has neither addresses nor a folder";
                let help =
                    "it is for `wavetank node init --from`; leave it out if nothing is deployed from here";
                self.given(&path.key("node").key(key), why, help);
            }
            if !provides {
                let why = "no workload announces providers";
                let help = "add a workload of `providers`, or leave it out";
                for knob in OF_PROVIDERS {
                    self.given(&path.key("node").key("kad").key(knob), why, help);
                }
            }
            if !stores {
                let why = "no workload stores records";
                let help = "add a workload of `records`, or leave it out";
                for knob in OF_RECORDS {
                    self.given(&path.key("node").key("kad").key(knob), why, help);
                }
            }
        }
    }

    /// Whether nobody of the group ever joins through others.
    fn is_ideal(&self, group: &Group) -> bool {
        let comes_back = |fault: &Fault| match fault {
            Fault::Churn(_) | Fault::RecordedChurn(_) => true,
            Fault::Crash(crash) => crash.restart.is_some(),
            Fault::Leave(leave) => leave.restart.is_some(),
            _ => false,
        };
        self.scenario.start == Start::Oracle
            && group.join == Join::At(Duration::ZERO)
            && !self.scenario.faults.iter().any(comes_back)
    }

    /// No layer of a node tells or asks the time of day yet.
    fn clocks(&mut self) {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            if matches!(fault, Fault::Skew(_)) {
                let path = top("faults").index(index).key("skew");
                let why = "no layer of a node asks for the time of day";
                self.given(&path, why, "leave it out, unless a peer of your own looks at its wall clock");
            }
        }
    }

    fn eventually(&mut self) {
        if self.scenario.checks.eventually.as_ref().is_some_and(|eventually| eventually.hold.is_empty()) {
            let path = top("checks").key("eventually");
            self.given(&path, "it holds no check", "name checks under `hold`, or leave it out");
        }
    }

    /// Metrics of operations whose workloads are expected to begin too few of them after the warm-up.
    fn samples(&mut self) {
        for name in self.scenario.thresholds.0.keys() {
            let Some(expected) = self.expected(name) else { continue };
            if expected < MIN_SAMPLES {
                let path = top("thresholds").key(*name);
                let message = format!("some {expected} samples of {} are to be expected", quoted(name));
                let mut diagnostic = Diagnostic::new(Code::FewSamples, message).note(format!(
                    "a threshold with fewer than {MIN_SAMPLES} proves nothing, and such a run ends with 17"
                ));
                if self.scenario.warmup() > Duration::ZERO {
                    diagnostic =
                        diagnostic.note("operations that begin before `warmup` is over are not counted");
                }
                self.warnings.add(
                    diagnostic
                        .at(self.tree.locate_key(&path))
                        .path(path.to_string())
                        .help("raise the rate, or make the run longer"),
                );
            }
        }
    }

    /// Operations that this metric is expected to be measured on; `None` if that cannot be told.
    fn expected(&self, metric: &str) -> Option<u64> {
        let Scenario { workloads, duration, .. } = self.scenario;
        let kinds = workloads.iter().filter_map(|workload| {
            let arrivals = match (workload, metric.split_once('.')?) {
                (Workload::Lookups(lookups), ("lookup", _)) => lookups.arrivals.clone(),
                (Workload::Records(records), ("record", what)) if what.starts_with("get_") => {
                    records.gets.clone()
                }
                (Workload::Records(records), ("record", what)) if what.starts_with("put_") => {
                    records.puts.clone().into()
                }
                (Workload::Providers(providers), ("provider", what)) if what.starts_with("announce_") => {
                    providers.announces.clone().into()
                }
                (Workload::Providers(providers), ("provider", _)) => providers.finds.clone(),
                _ => return None,
            };
            let (begin, end) = workload.window(*duration);
            let measured = begin.max(types::Instant::START + self.scenario.warmup());
            Some(arrivals.expected(measured.since(begin), end.since(begin)).unwrap_or(u64::MAX))
        });
        kinds.fold(None, |sum, count| Some(sum.unwrap_or(0u64).saturating_add(count)))
    }
}
