//! What travels between a node and whoever administers it: bodies of HTTP requests and answers, in JSON.
//!
//! Bytes (names, values) are written in hex, ids in base58, moments in nanoseconds since 1970: a JavaScript number
//! loses some of their digits, a JSON one does not. What a node tells of its DHT goes both ways: [`Event::of`]
//! and [`Event::to_node`], so that a node's own words can be judged by whoever judges a simulated one's.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use node::Direction;
use serde::{Deserialize, Serialize};
use types::PeerId;

mod event;
mod links;
mod operation;
mod view;

pub use event::{Event, Events, Told};
pub use links::{Crashes, Link, LinkTo, Links, LinksError, MAX_LINKS, Passage};
pub use operation::{Ask, Ended, Outcome, Record, Report};
pub use view::{About, Flaw, View};

/// The version of these types; a node says it under [`path::VERSIONS`].
pub const VERSION: u16 = 1;

/// How long a node lets a question for events wait, at most: shorter than what lies between usually keeps a silent
/// connection.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// Where each thing is found.
pub mod path {
    /// GET: [`Health`](super::Health); status 200 if the node is ready, else 503.
    pub const HEALTH: &str = "/health";
    /// GET: metrics as Prometheus reads them.
    pub const METRICS: &str = "/metrics";
    /// GET: [`Identity`](super::Identity).
    pub const PEER_ID: &str = "/peer_id";
    /// GET: [`Versions`](super::Versions).
    pub const VERSIONS: &str = "/versions";
    /// GET: [`Status`](super::Status).
    pub const STATUS: &str = "/admin/status";
    /// GET: a list of [`Peer`](super::Peer).
    pub const PEERS: &str = "/admin/peers";
    /// POST [`Ask`](super::Ask): [`Ended`](super::Ended), once the operation has ended.
    pub const ASK: &str = "/admin/ask";
    /// GET, with `after` (the number of an event, 0 at first) and `wait_ms`: [`Events`](super::Events), once there is one.
    pub const EVENTS: &str = "/admin/events";
    /// GET: [`View`](super::View).
    pub const VIEW: &str = "/admin/view";
    /// PUT [`Links`](super::Links): the network that the node shall believe in, from now on.
    pub const LINKS: &str = "/admin/links";
    /// POST: the node stops as by SIGTERM.
    pub const SHUTDOWN: &str = "/admin/shutdown";
}

/// Why a question has no answer: the body of every status that is none of success, but for [`Health`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// In words, naming the thing and the limit.
    pub error: String,
}

/// Whether a node does what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// It answers.
    pub live: bool,
    /// Its table was filled: it serves and can be asked.
    pub ready: bool,
}

/// Who a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id.
    pub peer_id: PeerId,
}

/// What a node is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Its program.
    pub wavetank: String,
    /// Of this interface: [`VERSION`].
    pub admin: u16,
    /// The name of its DHT's protocol.
    pub kad: String,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub peer_id: PeerId,
    /// The version of its program.
    pub version: String,
    /// The name of its DHT's protocol.
    pub protocol: String,
    /// Where it listens, as others dial it.
    pub addresses: Vec<String>,
    /// Its table was filled.
    pub ready: bool,
    /// Since it started.
    pub uptime_ms: u64,
    /// How often it had been started before.
    pub incarnation: u32,
    /// Peers in its table.
    pub contacts: u32,
    /// Peers that it is connected to.
    pub connections: u32,
    /// Records that it holds for others.
    pub records: u32,
    /// What it turned away, by reason.
    pub turned_away: BTreeMap<String, u64>,
}

/// A peer that a node knows or is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its id.
    pub peer_id: PeerId,
    /// Where it can be dialled, as far as the node knows.
    pub addresses: Vec<String>,
    /// Who dialled; `None` if there is no connection.
    pub connected: Option<Dialler>,
    /// It is in the node's table.
    pub contact: bool,
}

/// Who dialled a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialler {
    /// The node.
    Node,
    /// Its peer.
    Peer,
}

impl From<Direction> for Dialler {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Dialled => Self::Node,
            Direction::Accepted => Self::Peer,
        }
    }
}
