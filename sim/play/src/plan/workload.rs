//! What people ask of the network, and when.

use alloc::string::String;

use types::{Duration, Instant, Size};

use super::arrivals::{Arrivals, Puts};
use super::popularity::Popularity;
use super::select::Select;

/// One kind of use.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Workload {
    /// Peers look for peers, or for points of the key space.
    Lookups(Lookups),
    /// Peers store values and fetch them.
    Records(Records),
    /// Peers announce that they provide something, and others look for who does.
    Providers(Providers),
}

/// Lookups.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lookups {
    /// Its name in reports. Default: `lookups` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who asks. Default: all.
    #[serde(default)]
    pub from: Select,
    /// When.
    pub arrivals: Arrivals,
    /// What for.
    pub target: Target,
    /// The first moment of asking. Default: the run's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Duration>,
    /// The last moment of asking. Default: the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Duration>,
}

/// What a lookup looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The id of a peer that is up, any but the asking one.
    PresentPeer,
    /// A point of the key space.
    RandomKey,
}

/// Values stored under names, and fetched.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Its name in reports. Default: `records` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who stores and fetches. Default: all.
    #[serde(default)]
    pub from: Select,
    /// When values are stored.
    pub puts: Puts,
    /// When values are fetched: of a name drawn from those first stored at least `settle` ago.
    pub gets: Arrivals,
    /// How often each name is fetched: `even` (default) or `zipf: {exponent: 1}`.
    #[serde(default)]
    pub popularity: Popularity,
    /// Bytes of a value.
    #[serde(default = "default_value_size")]
    pub value_size: Size,
    /// How long ago a name was first stored before it is fetched.
    #[serde(default = "default_settle")]
    pub settle: Duration,
    /// How many names there are: stores take them in turn.
    #[serde(default = "default_keys")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub keys: u32,
    /// The first moment of asking. Default: the run's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Duration>,
    /// The last moment of asking. Default: the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Duration>,
}

/// What some peers provide and others look for. It stays with those who provide it; the table tells who they are.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Providers {
    /// Its name in reports. Default: `providers` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who looks for providers. Default: all.
    #[serde(default)]
    pub from: Select,
    /// Who provides. Default: all.
    #[serde(default)]
    pub by: Select,
    /// When a peer begins to provide something: what it announces, it announces again for as long as it lives.
    pub announces: Puts,
    /// When providers are looked for: those of a name drawn from the ones first announced at least `settle` ago.
    pub finds: Arrivals,
    /// How often each name is looked for: `even` (default) or `zipf: {exponent: 1}`.
    #[serde(default)]
    pub popularity: Popularity,
    /// How many providers are enough: a search ends when it has found so many. From 1 to 128.
    #[serde(default = "default_enough")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128)))]
    pub enough: u16,
    /// How long ago a name was first announced before it is looked for.
    #[serde(default = "default_settle")]
    pub settle: Duration,
    /// How many names there are: announcements take them in turn, so that each gets a provider more at every turn.
    #[serde(default = "default_names")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub names: u32,
    /// The first moment of asking. Default: the run's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Duration>,
    /// The last moment of asking. Default: the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Duration>,
}

const fn default_enough() -> u16 {
    20
}

const fn default_names() -> u32 {
    100
}

const fn default_value_size() -> Size {
    Size::from_bytes(256)
}

const fn default_settle() -> Duration {
    Duration::from_secs(30)
}

const fn default_keys() -> u32 {
    500
}

impl Workload {
    /// What kind of use it is, as a scenario writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Lookups(_) => "lookups",
            Self::Records(_) => "records",
            Self::Providers(_) => "providers",
        }
    }

    /// Its name: as given, or its kind and its place in the list.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let given = match self {
            Self::Lookups(lookups) => &lookups.name,
            Self::Records(records) => &records.name,
            Self::Providers(providers) => &providers.name,
        };
        given.clone().unwrap_or_else(|| alloc::format!("{}{index}", self.kind()))
    }

    /// Who asks.
    #[must_use]
    pub const fn from(&self) -> &Select {
        match self {
            Self::Lookups(lookups) => &lookups.from,
            Self::Records(records) => &records.from,
            Self::Providers(providers) => &providers.from,
        }
    }

    /// The first and the last moment of asking, in a run of `duration`.
    #[must_use]
    pub fn window(&self, duration: Duration) -> (Instant, Instant) {
        let (begin, end) = match self {
            Self::Lookups(lookups) => (lookups.begin, lookups.end),
            Self::Records(records) => (records.begin, records.end),
            Self::Providers(providers) => (providers.begin, providers.end),
        };
        let at = |offset: Duration| Instant::START + offset;
        (at(begin.unwrap_or_default()), at(end.unwrap_or(duration).min(duration)))
    }
}
