//! What goes into and comes out of [`Connections`](super::Connections): settings, frames, effects, reasons.

use alloc::string::ToString;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use types::Duration;

use crate::resolve::Problem;

/// How links are dialled and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Dialling {
    /// How long a dial may take. Default: `10s`, as in rust-libp2p.
    pub timeout: Duration,
    /// How long a link may go unused before it is closed. It should exceed the longest wait for an
    /// answer. Default: `180s`, as in the deployed node, whose browser clients do not dial again.
    pub idle: Duration,
    /// Links that a peer has at most, dials under way included; it refuses more. Default: `1000`, what
    /// the usual limit of 1,024 open files leaves.
    pub max_links: u32,
}

impl Default for Dialling {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), idle: Duration::from_secs(180), max_links: 1000 }
    }
}

impl Dialling {
    /// What these settings cannot mean, by the name of the setting.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let zero = Duration::ZERO;
        let wrong = [
            ("timeout", self.timeout == zero, "every dial would fail at once"),
            ("idle", self.idle == zero, "every link would be closed at once"),
            ("max_links", self.max_links == 0, "no peer could have a link"),
        ];
        let wrong = wrong.into_iter().filter(|(_, wrong, _)| *wrong);
        wrong
            .map(|(path, _, message)| Problem {
                path: path.to_string(),
                code: "links-zero",
                message: message.to_string(),
                help: None,
            })
            .collect()
    }
}

/// A frame that belongs to the link itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The dialler's part of a round trip.
    Dial {
        /// Which dial.
        attempt: Attempt,
        /// Which of its round trips, from zero.
        trip: u8,
    },
    /// The far side's part of it.
    Answer {
        /// Which dial.
        attempt: Attempt,
        /// Which of its round trips, from zero.
        trip: u8,
        /// The life of the far side in which it answers.
        incarnation: u32,
    },
    /// The far side has its fill of links.
    Refuse {
        /// Which dial.
        attempt: Attempt,
    },
    /// The link is closed.
    Close,
    /// There is no such link.
    Reset,
}

/// One dial: no two of a run by the same peer are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// The dialler's life.
    pub incarnation: u32,
    /// The how-manieth dial of that life.
    pub count: u32,
}

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The far side.
    Inbound,
    /// This side.
    Outbound,
}

/// Why a link is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// It was idle for too long.
    Idle,
    /// This side closed it or stopped.
    Closed,
    /// The far side closed it or stopped.
    FarClosed,
    /// The far side does not know it: it lost its memory in a crash, or gave up on the dial.
    Reset,
    /// The far side dials from a new life.
    FarRestarted,
}

/// Why a dial came to nothing, or a payload was not even transmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialFailure {
    /// No answer in time.
    TimedOut,
    /// The far side has its fill of links.
    Refused,
    /// This side has its fill of links.
    TooManyLinks,
    /// [`MAX_WAITING`](super::MAX_WAITING) payloads wait for the same dial.
    TooManyWaiting,
    /// This side closed or stopped.
    Closed,
}

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<T> {
    /// The link's own.
    Control(Control),
    /// The peers'.
    Payload(T),
}

/// What is to be done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<T> {
    /// Send a frame.
    Transmit {
        /// To whom.
        to: u32,
        /// What.
        frame: Frame<T>,
        /// Its bytes, above TCP and IP.
        size_bytes: u64,
    },
    /// Tell the peer of a new link.
    Up {
        /// To whom.
        peer: u32,
        /// Who dialled.
        direction: Direction,
    },
    /// Tell the peer of a link that is no more.
    Down {
        /// To whom it was.
        peer: u32,
        /// Why.
        reason: DownReason,
    },
    /// Tell the peer of a dial that came to nothing, before the payloads that waited for it.
    DialFailed {
        /// Whom it was to reach.
        peer: u32,
        /// Why.
        reason: DialFailure,
    },
    /// A payload was not transmitted.
    Failed {
        /// To whom it was sent.
        to: u32,
        /// What.
        payload: T,
        /// Why.
        reason: DialFailure,
    },
}

/// What is to be done with a payload that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Hand it to the peer.
    Admitted,
    /// Drop it: it came by no link.
    Dropped,
}

/// Bytes of a round trip: the dialler's, the answer's. Choosing a protocol costs its name and 20 bytes
/// of multistream-select's own, both ways; a Noise XX handshake 34, 202 and 170 bytes with libp2p's
/// payload of an Ed25519 key and a signature; a Noise frame 18 more than it carries.
pub(super) const ROUND_TRIPS: [(u64, u64); 3] = [(0, 0), (28 + 34, 28 + 202), (170 + 18 + 34, 18 + 34)];
pub(super) const LAST_TRIP: u8 = ROUND_TRIPS.len() as u8 - 1;
/// Yamux's farewell, a header of 12 bytes, in a Noise frame.
pub(super) const CLOSE_BYTES: u64 = 12 + 18;
