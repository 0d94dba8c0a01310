//! What goes wrong, when, and for whom.

use alloc::string::String;
use alloc::vec::Vec;

use types::{Duration, Instant, Share};

use super::distribution::Distribution;
use super::select::Select;

/// One misfortune.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Peers come and go.
    Churn(Churn),
    /// Peers stop at once, without a word.
    Crash(Crash),
    /// Peers say goodbye and stop.
    Leave(Leave),
    /// The network falls apart.
    Partition(Partition),
    /// Peers stay up, and their messages are held back.
    Clog(Clog),
    /// Some of the messages of peers are lost, in and out.
    Loss(Loss),
}

/// Peers come and go. At its end everybody comes back.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Its name in reports. Default: `churn` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who. Default: all.
    #[serde(default)]
    pub victims: Select,
    /// How long they stay up.
    pub session: Distribution,
    /// How long they stay away.
    pub downtime: Distribution,
    /// The share of sessions that end with a goodbye; the others end without a word.
    #[serde(default)]
    pub graceful: Share,
    /// What their disks hold when they come back.
    #[serde(default)]
    pub data: Data,
    /// When it begins. Default: the run's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Duration>,
    /// When it ends. Default: the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Duration>,
}

/// Peers stop at once, without a word.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Its name in reports. Default: `crash` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who.
    pub victims: Select,
    /// When.
    pub at: Duration,
    /// When and how they come back. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
}

/// Peers say goodbye and stop.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// Its name in reports. Default: `leave` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who.
    pub victims: Select,
    /// When.
    pub at: Duration,
    /// When and how they come back. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
}

/// A return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// How long after they stopped.
    pub after: Duration,
    /// What their disks hold then.
    #[serde(default)]
    pub data: Data,
}

/// What a disk holds when its peer comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// What was persisted.
    Kept,
    /// Nothing.
    #[default]
    Lost,
}

/// The network falls apart: no message passes between two sides. Exactly one of `sides` and `split`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Its name in reports. Default: `partition` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sides, each a list of groups; groups that are not named keep their links to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<Vec<Vec<String>>>,
    /// A random share of all peers against the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Share>,
    /// When it begins.
    pub begin: Duration,
    /// When it heals.
    pub end: Duration,
}

/// How a partition divides the peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division<'a> {
    /// By groups.
    Sides(&'a [Vec<String>]),
    /// A random share against the rest.
    Split(Share),
}

impl Partition {
    /// How it divides; `None` unless exactly one way is given.
    #[must_use]
    pub fn division(&self) -> Option<Division<'_>> {
        match (&self.sides, self.split) {
            (Some(sides), None) => Some(Division::Sides(sides)),
            (None, Some(share)) => Some(Division::Split(share)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}

/// Peers stay up and their messages, in and out, are held back until it is over.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clog {
    /// Its name in reports. Default: `clog` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who.
    pub victims: Select,
    /// When it begins.
    pub begin: Duration,
    /// When it ends.
    pub end: Duration,
}

/// Some of the messages of peers are lost, in and out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Its name in reports. Default: `loss` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who. Default: all.
    #[serde(default)]
    pub victims: Select,
    /// The share of exchanges and one-way messages that is lost.
    pub share: Share,
    /// When it begins.
    pub begin: Duration,
    /// When it ends.
    pub end: Duration,
}

impl Fault {
    /// What kind of misfortune it is, as a scenario writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Churn(_) => "churn",
            Self::Crash(_) => "crash",
            Self::Leave(_) => "leave",
            Self::Partition(_) => "partition",
            Self::Clog(_) => "clog",
            Self::Loss(_) => "loss",
        }
    }

    /// Its name: as given, or its kind and its place in the list.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let given = match self {
            Self::Churn(fault) => &fault.name,
            Self::Crash(fault) => &fault.name,
            Self::Leave(fault) => &fault.name,
            Self::Partition(fault) => &fault.name,
            Self::Clog(fault) => &fault.name,
            Self::Loss(fault) => &fault.name,
        };
        given.clone().unwrap_or_else(|| alloc::format!("{}{index}", self.kind()))
    }

    /// From when to when it acts, in a run of `duration`: until the last of its victims is back. `None` for an end
    /// that never comes.
    #[must_use]
    pub fn window(&self, duration: Duration) -> (Instant, Option<Instant>) {
        let at = |offset: Duration| Instant::START + offset;
        let stop = |moment: Duration, restart: Option<Restart>| {
            (at(moment), restart.map(|restart| at(moment) + restart.after))
        };
        match self {
            Self::Churn(churn) => {
                (at(churn.begin.unwrap_or_default()), Some(at(churn.end.unwrap_or(duration))))
            }
            Self::Crash(crash) => stop(crash.at, crash.restart),
            Self::Leave(leave) => stop(leave.at, leave.restart),
            Self::Partition(Partition { begin, end, .. })
            | Self::Clog(Clog { begin, end, .. })
            | Self::Loss(Loss { begin, end, .. }) => (at(*begin), Some(at(*end))),
        }
    }

    /// When its last change to the network is made, in a run of `duration`: what comes to hold, comes after it.
    #[must_use]
    pub fn last_change(&self, duration: Duration) -> Instant {
        let (begin, end) = self.window(duration);
        end.unwrap_or(begin)
    }
}
