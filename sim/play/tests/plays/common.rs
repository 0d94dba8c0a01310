//! Small plans, written as scenarios write them.

use std::sync::Arc;

use play::plan::{Fault, Group, Workload};
use play::{Inputs, Play};
use types::{Duration, PeerId, Seed, SharedBook};

pub(crate) const MINUTES: u64 = 20;

/// The parts of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) groups: Vec<(String, Group)>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: u64,
}

impl Parts {
    /// Groups `g0`, `g1`, … of these sizes.
    pub(crate) fn of(counts: &[u32]) -> Self {
        let groups =
            counts.iter().enumerate().map(|(number, count)| (format!("g{number}"), Group::of(*count)));
        Self { groups: groups.collect(), workloads: Vec::new(), faults: Vec::new(), seed: 1 }
    }

    pub(crate) fn workload(mut self, json: &str) -> Self {
        self.workloads.push(serde_json::from_str(json).unwrap());
        self
    }

    pub(crate) fn fault(mut self, json: &str) -> Self {
        self.faults.push(serde_json::from_str(json).unwrap());
        self
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            groups: &self.groups,
            workloads: &self.workloads,
            faults: &self.faults,
            duration: Duration::from_mins(MINUTES),
            warmup: Duration::from_mins(1),
            seed: Seed(self.seed),
        }
    }

    pub(crate) fn play(&self) -> Play {
        let peers = self.groups.iter().map(|(_, group)| group.count).sum();
        Play::new(&self.inputs(), &book(peers))
    }
}

pub(crate) fn book(peers: u32) -> Arc<SharedBook> {
    let id = |number: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key)
    };
    Arc::new(SharedBook::new((0..peers).map(id).collect()))
}
