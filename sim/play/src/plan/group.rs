//! Groups of peers: how many, how they join, whom they know, what they are.

use types::{Duration, Share};

use super::select::{Mode, Select, Value};

/// Peers that are alike.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// How many peers.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub count: u32,
    /// When they join: `at: 10s` (all at once), `ramp: 2m` (evenly over that time) or `poisson: 2m` (at random over it).
    #[serde(default)]
    pub join: Join,
    /// Whom a newcomer knows, drawn for each among the peers that are up by then and serve. Default: 3 of any group.
    #[serde(default = "default_bootstrap")]
    pub bootstrap: Select,
    /// The share of its peers that can call others and cannot be called, as most at home behind a NAT. Who they are is
    /// drawn from the seed. What reaches such a peer comes by a link that it dialled itself, or, where links are free, from
    /// somebody with whom it exchanged a message in the last 3 minutes; all else fails as if nobody were there. Newcomers
    /// know none of them, and where the truth counts (recall, success, convergence) they are not among the peers that
    /// can be found. Default: `0%`.
    #[serde(default)]
    pub undialable: Share,
    /// The configuration of each, as a deployed node's.
    #[serde(default)]
    pub node: config::Config,
    /// Cores of each.
    #[serde(default = "default_cores")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub cores: u32,
    /// Speed of a core, as a share of a reference core.
    #[serde(default = "default_speed")]
    pub speed: Share,
}

/// Peers that a newcomer knows unless the scenario says otherwise: one may be down and one slow.
const DEFAULT_BOOTSTRAP: u32 = 3;

fn default_bootstrap() -> Select {
    Select { group: None, mode: Mode::Fixed, value: Some(Value::Number(DEFAULT_BOOTSTRAP)) }
}

const fn default_cores() -> u32 {
    1
}

const fn default_speed() -> Share {
    Share::WHOLE
}

impl Group {
    /// Whether its peers answer what others ask of them.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.node.kad.mode == kad::Mode::Server
    }

    /// `count` peers that are there from the start, all else at its default.
    #[must_use]
    pub fn of(count: u32) -> Self {
        Self {
            count,
            join: Join::default(),
            bootstrap: default_bootstrap(),
            undialable: Share::ZERO,
            node: config::Config::default(),
            cores: default_cores(),
            speed: default_speed(),
        }
    }
}

/// When the peers of a group join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Join {
    /// All at this moment.
    At(Duration),
    /// One after another, evenly over this time.
    Ramp(Duration),
    /// Each at a random moment of this time.
    Poisson(Duration),
}

impl Default for Join {
    fn default() -> Self {
        Self::At(Duration::ZERO)
    }
}

/// How the network comes to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Every peer joins through its bootstrap peers.
    #[default]
    Join,
    /// The tables of the peers that are there from the start are filled ideally at once.
    Oracle,
}
