//! What goes wrong with a peer's process while it lives: it stands still, or its clock is wrong.

use alloc::string::String;

use types::{Duration, Share};

use super::select::Select;

/// Peers stand still for a while, as a process that the machine suspends, and go on with all that they had in mind.
///
/// Unlike a clog, which holds messages back in the network while the peer goes on, the messages arrive and wait in the
/// peer's bounded queue; those that find it full are lost. Nothing is handled and no timer goes off until it is over; then
/// everything that waited is handled in turn, and deadlines that passed meanwhile are late. What it had sent before is on
/// its way, its disk finishes what was written, and its links stay up. A fault that stops it meanwhile stops it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Its name in reports. Default: `freeze` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who.
    pub victims: Select,
    /// When they stop. Who comes up later is spared.
    pub begin: Duration,
    /// When they go on.
    pub end: Duration,
}

/// The wall clocks of peers are wrong. Exactly one of `ahead` and `behind`.
///
/// It moves the time of day, which goes into what peers tell each other (times to live, validity), and never the time by
/// which a peer measures spans and sets its timers. The layers that a node has so far do not ask for the time of day; peers
/// of a user's own may.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Its name in reports. Default: `skew` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose.
    pub victims: Select,
    /// They are fast by this from the beginning on, and by `drift` more and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Duration>,
    /// They are slow by this from the beginning on, and by `drift` more and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Duration>,
    /// What they gain or lose besides, as a share of the time since the beginning: `0.01%` is 8.64 s a day. Default: `0%`.
    #[serde(default)]
    pub drift: Share,
    /// When they begin to be wrong.
    pub begin: Duration,
    /// When they are right again.
    pub end: Duration,
}

/// Which way a clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is fast.
    Ahead,
    /// It is slow.
    Behind,
}

impl Skew {
    /// Which way the clocks are wrong, and by how much at first; `None` unless exactly one way is given.
    #[must_use]
    pub const fn offset(&self) -> Option<(Wrong, Duration)> {
        match (self.ahead, self.behind) {
            (Some(ahead), None) => Some((Wrong::Ahead, ahead)),
            (None, Some(behind)) => Some((Wrong::Behind, behind)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}
