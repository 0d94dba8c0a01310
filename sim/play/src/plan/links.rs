//! What goes wrong between peers: messages that are cut, held back, lost, doubled or overtaken.

use alloc::string::String;
use alloc::vec::Vec;

use types::{Duration, Share};

use super::select::Select;

/// The network falls apart: no message passes between two sides, or none that leaves the first. Exactly one of `sides`
/// and `split`.
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
    /// Which messages are cut. Default: `both_ways`.
    #[serde(default)]
    pub direction: Direction,
    /// When it begins.
    pub begin: Duration,
    /// When it heals.
    pub end: Duration,
}

/// Which messages a partition cuts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// All that cross.
    #[default]
    BothWays,
    /// Only those that leave the first side, or the share of `split`: its peers hear the others and are not heard. A
    /// request from the other side arrives and its answer does not, so no exchange succeeds in either direction, and no
    /// link can be dialled; what is one-way passes.
    OneWay,
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
    /// The mean length of a burst. If it is given, losses come in bursts, as on a line that fails for a while: between two
    /// peers, of whom one is a victim, everything is lost during a burst and nothing else, and `share` of the time is
    /// burst (the channel of Gilbert and Elliott). Each pair has its own bursts, both directions the same. Default: each
    /// exchange is lost or not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Duration>,
    /// When it begins.
    pub begin: Duration,
    /// When it ends.
    pub end: Duration,
}

/// Some of the messages of peers, in and out, are delivered twice: the copy leaves with the original and travels by
/// itself. A request that comes twice is handled twice and answered twice; the answer that comes second is dropped and
/// counted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Its name in reports. Default: `duplicate` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who. Default: all.
    #[serde(default)]
    pub victims: Select,
    /// The share of exchanges and one-way messages that is delivered twice.
    pub share: Share,
    /// When it begins.
    pub begin: Duration,
    /// When it ends.
    pub end: Duration,
}

/// Some of the messages of peers, in and out, are held back on their way, so that later ones overtake them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// Its name in reports. Default: `reorder` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who. Default: all.
    #[serde(default)]
    pub victims: Select,
    /// The share of messages, answers among them, that is held back.
    pub share: Share,
    /// How long one is held back at most: each for a time of its own, drawn evenly from `0s` to this.
    pub by: Duration,
    /// When it begins.
    pub begin: Duration,
    /// When it ends.
    pub end: Duration,
}
