//! The root of the grammar: a scenario as people write it. Its parts belong to those who serve them.

use std::collections::BTreeMap;

use judge::plan::{Checks, Observe, Thresholds};
use play::plan::{Fault, Group, Start, Workload};
use types::{Duration, Seed};

use crate::fidelity::Fidelity;
use crate::figure::Figure;
use crate::warmup::Warmup;

/// The version of the grammar that this crate reads.
pub const GRAMMAR_VERSION: u32 = 1;

/// A scenario: a network, what people and misfortune do to it, and what must come of it.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-later" = ["services", "sweep"]))]
pub(crate) struct Scenario {
    /// The version of the grammar. There is one: 1.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) version: u32,
    /// The name of the runs' folder: small letters, digits and hyphens, at most 64.
    #[schemars(regex(pattern = "^[a-z0-9-]{1,64}$"))]
    pub(crate) name: String,
    /// What it is about, in one sentence.
    #[serde(default)]
    pub(crate) about: String,
    /// Where all chance comes from: the same seed gives the same run. Default: 1.
    #[serde(default = "default_seed")]
    pub(crate) seed: Seed,
    /// How long the run lasts, in simulated time.
    pub(crate) duration: Duration,
    /// Operations that begin before this moment count for no threshold: a duration, or `auto`, which lasts until the plan's
    /// last newcomer has come and all tables were refreshed once more. Default: `0s`.
    #[serde(default)]
    pub(crate) warmup: Warmup,
    /// How the network comes to be: `join` (default) or `oracle`.
    #[serde(default)]
    pub(crate) start: Start,
    /// How real each part is.
    #[serde(default)]
    pub(crate) fidelity: Fidelity,
    /// How the peers are connected: `uniform`, `regions`, `matrix` or `profile`.
    pub(crate) network: kernel::Network,
    /// The groups of peers, by name: small letters, digits, hyphens and underscores, at most 64.
    pub(crate) peers: BTreeMap<String, Group>,
    /// What people ask of the network.
    #[serde(default)]
    pub(crate) workloads: Vec<Workload>,
    /// What goes wrong.
    #[serde(default)]
    pub(crate) faults: Vec<Fault>,
    /// Which properties are checked.
    #[serde(default)]
    pub(crate) checks: Checks,
    /// Which numbers must be reached, by metric.
    #[serde(default)]
    pub(crate) thresholds: Thresholds,
    /// What is observed, and how often.
    #[serde(default)]
    pub(crate) observe: Observe,
    /// What the report draws first; the plots that every report has come after.
    #[serde(default)]
    pub(crate) report: Vec<Figure>,
}

impl Scenario {
    /// How long the warm-up lasts.
    pub(crate) fn warmup(&self) -> Duration {
        self.warmup.resolve(self.start, self.peers.values())
    }
}

const fn default_seed() -> Seed {
    Seed(1)
}
