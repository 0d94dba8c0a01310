//! The plan: a scenario with everything said that it left open.
//!
//! A plan is written in the grammar of scenarios, so that its text is a scenario again, whose plan is
//! the same: that text is `plan.yaml` of a run's folder, and its hash names the plan.

use judge::plan::{Checks, Observe, Thresholds};
use play::plan::{Fault, Group, Start, Workload};
use types::{Duration, Seed};

use crate::fidelity::Fidelity;
use crate::figure::Figure;
use crate::scenario::{GRAMMAR_VERSION, Scenario};

/// What a run does.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Plan {
    /// The version of the grammar.
    pub version: u32,
    /// The scenario's name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Where all chance comes from.
    pub seed: Seed,
    /// How long it lasts.
    pub duration: Duration,
    /// Operations that begin before this moment count for no threshold.
    pub warmup: Duration,
    /// How the network comes to be.
    pub start: Start,
    /// How real each part is.
    pub fidelity: Fidelity,
    /// How the peers are connected; it resolves.
    pub network: kernel::Network,
    /// The groups of peers, in the order of their names.
    #[serde(rename = "peers", serialize_with = "as_map")]
    pub groups: Vec<(String, Group)>,
    /// What people ask; each has its name and window.
    pub workloads: Vec<Workload>,
    /// What goes wrong; each has its name and window.
    pub faults: Vec<Fault>,
    /// Which properties are checked.
    pub checks: Checks,
    /// Which numbers must be reached.
    pub thresholds: Thresholds,
    /// What is observed; the gap between samples is said.
    pub observe: Observe,
    /// What the report draws first.
    pub report: Vec<Figure>,
}

impl Plan {
    /// The plan as YAML: canonical, and a scenario of this very plan.
    ///
    /// # Panics
    /// If a part of the plan cannot be written, which would be a mistake of its type.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an invariant of the plan's own types, which a test covers")]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("every part of a plan can be written as YAML")
    }

    /// How many peers there are.
    #[must_use]
    pub fn peers(&self) -> u64 {
        self.groups.iter().map(|(_, group)| u64::from(group.count)).sum()
    }

    /// Fills in what the scenario left open.
    pub(crate) fn new(scenario: Scenario) -> Self {
        let (duration, warmup) = (scenario.duration, scenario.warmup());
        let mut observe = scenario.observe;
        observe.sample_every = Some(observe.gap(duration));
        let mut workloads = scenario.workloads;
        for (index, workload) in workloads.iter_mut().enumerate() {
            complete_workload(workload, index, duration);
        }
        let mut faults = scenario.faults;
        for (index, fault) in faults.iter_mut().enumerate() {
            complete_fault(fault, index, duration);
        }
        Self {
            version: GRAMMAR_VERSION,
            name: scenario.name,
            about: scenario.about,
            seed: scenario.seed,
            duration,
            warmup,
            start: scenario.start,
            fidelity: scenario.fidelity,
            network: scenario.network,
            groups: scenario.peers.into_iter().collect(),
            workloads,
            faults,
            checks: scenario.checks,
            thresholds: scenario.thresholds,
            observe,
            report: scenario.report,
        }
    }
}

fn complete_workload(workload: &mut Workload, index: usize, duration: Duration) {
    let given = workload.name(index);
    let (name, begin, end) = match workload {
        Workload::Lookups(lookups) => (&mut lookups.name, &mut lookups.begin, &mut lookups.end),
        Workload::Records(records) => (&mut records.name, &mut records.begin, &mut records.end),
        Workload::Providers(providers) => (&mut providers.name, &mut providers.begin, &mut providers.end),
    };
    *name = Some(given);
    begin.get_or_insert(Duration::ZERO);
    end.get_or_insert(duration);
}

fn complete_fault(fault: &mut Fault, index: usize, duration: Duration) {
    let given = fault.name(index);
    if let Fault::Churn(churn) = fault {
        churn.begin.get_or_insert(Duration::ZERO);
        churn.end.get_or_insert(duration);
    }
    *fault.name_mut() = Some(given);
}

fn as_map<S: serde::Serializer>(groups: &[(String, Group)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(groups.iter().map(|(name, group)| (name, group)))
}
