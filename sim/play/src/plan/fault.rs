//! What goes wrong, when, and for whom.

use alloc::string::String;

use types::{Duration, Instant, Share, Stream};

use super::distribution::Distribution;
use super::links::{Clog, Duplicate, Loss, Partition, Reorder};
use super::process::{Freeze, Skew};
use super::recorded::RecordedChurn;
use super::select::Select;

/// One misfortune.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Peers come and go.
    Churn(Churn),
    /// Peers come and go as somebody recorded it.
    RecordedChurn(RecordedChurn),
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
    /// Some of the messages of peers are delivered twice.
    Duplicate(Duplicate),
    /// Some of the messages of peers are held back and overtaken.
    Reorder(Reorder),
    /// Peers stand still for a while and go on.
    Freeze(Freeze),
    /// The wall clocks of peers are wrong.
    Skew(Skew),
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
    /// The longest that it takes: each comes back after a time of its own, drawn evenly between `after` and this. Default:
    /// as `after`, so that all come back at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Duration>,
    /// What their disks hold then.
    #[serde(default)]
    pub data: Data,
}

impl Restart {
    /// When the last is back, after they stopped.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.at_most.unwrap_or(self.after).max(self.after)
    }

    /// When one of them is back, after it stopped.
    pub(crate) fn draw(&self, stream: &mut Stream) -> Duration {
        let spread = self.longest().saturating_sub(self.after).as_nanos();
        self.after + Duration::from_nanos(stream.below(spread.saturating_add(1)))
    }
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

impl Fault {
    /// What kind of misfortune it is, as a scenario writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Churn(_) => "churn",
            Self::RecordedChurn(_) => "recorded_churn",
            Self::Crash(_) => "crash",
            Self::Leave(_) => "leave",
            Self::Partition(_) => "partition",
            Self::Clog(_) => "clog",
            Self::Loss(_) => "loss",
            Self::Duplicate(_) => "duplicate",
            Self::Reorder(_) => "reorder",
            Self::Freeze(_) => "freeze",
            Self::Skew(_) => "skew",
        }
    }

    /// Its name: as given, or its kind and its place in the list.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let given = match self {
            Self::Churn(fault) => &fault.name,
            Self::RecordedChurn(fault) => &fault.name,
            Self::Crash(fault) => &fault.name,
            Self::Leave(fault) => &fault.name,
            Self::Partition(fault) => &fault.name,
            Self::Clog(fault) => &fault.name,
            Self::Loss(fault) => &fault.name,
            Self::Duplicate(fault) => &fault.name,
            Self::Reorder(fault) => &fault.name,
            Self::Freeze(fault) => &fault.name,
            Self::Skew(fault) => &fault.name,
        };
        given.clone().unwrap_or_else(|| alloc::format!("{}{index}", self.kind()))
    }

    /// Where its name stands, if it has been given one.
    pub const fn name_mut(&mut self) -> &mut Option<String> {
        match self {
            Self::Churn(fault) => &mut fault.name,
            Self::RecordedChurn(fault) => &mut fault.name,
            Self::Crash(fault) => &mut fault.name,
            Self::Leave(fault) => &mut fault.name,
            Self::Partition(fault) => &mut fault.name,
            Self::Clog(fault) => &mut fault.name,
            Self::Loss(fault) => &mut fault.name,
            Self::Duplicate(fault) => &mut fault.name,
            Self::Reorder(fault) => &mut fault.name,
            Self::Freeze(fault) => &mut fault.name,
            Self::Skew(fault) => &mut fault.name,
        }
    }

    /// Whom it befalls; a partition, which names sides instead, nobody in particular.
    #[must_use]
    pub const fn victims(&self) -> Option<&Select> {
        match self {
            Self::Churn(fault) => Some(&fault.victims),
            Self::RecordedChurn(fault) => Some(&fault.victims),
            Self::Crash(fault) => Some(&fault.victims),
            Self::Leave(fault) => Some(&fault.victims),
            Self::Clog(fault) => Some(&fault.victims),
            Self::Loss(fault) => Some(&fault.victims),
            Self::Duplicate(fault) => Some(&fault.victims),
            Self::Reorder(fault) => Some(&fault.victims),
            Self::Freeze(fault) => Some(&fault.victims),
            Self::Skew(fault) => Some(&fault.victims),
            Self::Partition(_) => None,
        }
    }

    /// From when to when it acts, in a run of `duration`: until the last of its victims is back. `None` for an end
    /// that never comes.
    #[must_use]
    pub fn window(&self, duration: Duration) -> (Instant, Option<Instant>) {
        let at = |offset: Duration| Instant::START + offset;
        let stop = |moment: Duration, restart: Option<Restart>| {
            (at(moment), restart.map(|restart| at(moment) + restart.longest()))
        };
        match self {
            Self::Churn(churn) => {
                (at(churn.begin.unwrap_or_default()), Some(at(churn.end.unwrap_or(duration))))
            }
            Self::RecordedChurn(churn) => (Instant::START, Some(churn.sessions.last_change(duration))),
            Self::Crash(crash) => stop(crash.at, crash.restart),
            Self::Leave(leave) => stop(leave.at, leave.restart),
            Self::Partition(Partition { begin, end, .. })
            | Self::Clog(Clog { begin, end, .. })
            | Self::Loss(Loss { begin, end, .. })
            | Self::Duplicate(Duplicate { begin, end, .. })
            | Self::Reorder(Reorder { begin, end, .. })
            | Self::Freeze(Freeze { begin, end, .. })
            | Self::Skew(Skew { begin, end, .. }) => (at(*begin), Some(at(*end))),
        }
    }

    /// When its last change to the network is made, in a run of `duration`: what comes to hold, comes after it.
    #[must_use]
    pub fn last_change(&self, duration: Duration) -> Instant {
        let (begin, end) = self.window(duration);
        end.unwrap_or(begin)
    }
}
