//! What travels between a node and whoever administers it: bodies of HTTP requests and answers, in JSON.
//!
//! Bytes (names, values) are written in hex, ids in base58, moments in nanoseconds since 1970: a JavaScript number
//! loses some of their digits, a JSON one does not. What a node tells of its DHT goes both ways: [`Event::of`]
//! and [`Event::to_node`], so that a node's own words can be judged by whoever judges a simulated one's.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use kad::violation::Violation;
use kad::{Operation, Target};
use node::Direction;
use serde::{Deserialize, Serialize};
use types::{Book, OperationId, PeerId, PeerRef};

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

/// An operation that a node is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Find the peers that are closest to a name.
    Lookup {
        /// The name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Store a value.
    Put {
        /// Under which name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// What.
        #[serde(with = "hex::serde")]
        value: Vec<u8>,
    },
    /// Find the value of a name.
    Get {
        /// The name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Provide something.
    Announce {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Find out who provides something.
    FindProviders {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// How many are enough.
        enough: u16,
    },
}

impl Ask {
    /// What asks for `operation`.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        let name = |target: &Target| target.name().to_vec();
        match operation {
            Operation::Lookup(target) => Self::Lookup { name: name(target) },
            Operation::Put { target, value } => Self::Put { name: name(target), value: value.to_vec() },
            Operation::Get(target) => Self::Get { name: name(target) },
            Operation::Announce(target) => Self::Announce { name: name(target) },
            Operation::FindProviders { target, enough } => {
                Self::FindProviders { name: name(target), enough: *enough }
            }
        }
    }

    /// The operation that is asked for; `None` if its name is longer than a message allows.
    #[must_use]
    pub fn operation(self) -> Option<Operation> {
        let fits = |name: &[u8]| name.len() <= kad::message::MAX_NAME_BYTES;
        let target = |name: Vec<u8>| fits(&name).then(|| Arc::new(Target::new(&name)));
        Some(match self {
            Self::Lookup { name } => Operation::Lookup(target(name)?),
            Self::Put { name, value } => Operation::Put { target: target(name)?, value: value.into() },
            Self::Get { name } => Operation::Get(target(name)?),
            Self::Announce { name } => Operation::Announce(target(name)?),
            Self::FindProviders { name, enough } => {
                Operation::FindProviders { target: target(name)?, enough }
            }
        })
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How long the node took for it.
    pub took_ns: u64,
    /// How its search went.
    pub report: Report,
    /// With which result.
    pub outcome: Outcome,
}

/// How a search went: [`kad::LookupReport`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The closest peers that answered, nearest first.
    pub closest: Vec<PeerId>,
    /// Requests sent.
    pub messages: u32,
    /// Requests that were not answered.
    pub timeouts: u32,
    /// The deepest round of any peer that answered.
    pub hops: u16,
    /// The round of the answer that first named the peer that was looked for.
    pub known_in_round: Option<u16>,
    /// The providers found.
    pub providers: Vec<PeerId>,
}

/// The result of an operation: [`kad::Outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A lookup ended.
    Found,
    /// A value was stored.
    Stored {
        /// Peers that acknowledged it as persisted.
        acknowledged: u16,
        /// Peers that were asked to store it.
        asked: u16,
    },
    /// A value was found.
    Value(Record),
    /// Nobody who was asked has it.
    NotFound,
    /// Peers were told who provides something.
    Announced {
        /// How many.
        told: u16,
    },
    /// Providers were found.
    Providers,
    /// Too many operations are under way.
    Busy,
    /// No peer answered at all.
    Isolated,
}

/// A record: [`kad::Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Under which name it is found.
    #[serde(with = "hex::serde")]
    pub name: Vec<u8>,
    /// What is stored.
    #[serde(with = "hex::serde")]
    pub value: Vec<u8>,
    /// Who stores it again.
    pub publisher: Option<PeerId>,
    /// How long it is to live, in seconds; 0 if nobody said.
    pub ttl_secs: u32,
}

/// What happened at a node since some event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The number of the last event that this tells of; that of the question if it tells of none. Ask for those after it:
    /// an answer has a limit, and there may be more.
    pub last: u64,
    /// Events after the one asked for that the node no longer has.
    pub lost: u64,
    /// The events, in order.
    pub events: Vec<Told>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Counted from 1 in a node's life.
    pub number: u64,
    /// When.
    pub unix_ns: u64,
    /// What.
    pub event: Event,
}

/// Something that happened at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The table was filled for the first time.
    Bootstrapped {
        /// Contacts in it by then.
        contacts: u32,
    },
    /// A contact entered the table.
    ContactAdded {
        /// Which.
        peer: PeerId,
    },
    /// A contact left the table because it stopped answering.
    ContactEvicted {
        /// Which.
        peer: PeerId,
    },
    /// A record was persisted here for the first time.
    RecordStored {
        /// Which.
        record: Record,
    },
    /// A record's life ended here.
    RecordExpired {
        /// Its name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// A peer is remembered here as one that provides this.
    ProviderAdded {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// A provider did not announce itself again in time.
    ProviderExpired {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// Something of a peer's was turned away.
    TurnedAway {
        /// Whose, as far as it said.
        peer: Option<PeerId>,
        /// Why, in a word.
        reason: String,
    },
    /// The first connection to a peer was established.
    LinkUp {
        /// To whom.
        peer: PeerId,
        /// Who dialled.
        by: Dialler,
    },
    /// A peer said, over a connection that proved who it is, where it can be dialled.
    Introduced {
        /// Who.
        peer: PeerId,
    },
    /// The last connection to a peer was closed.
    LinkDown {
        /// To whom.
        peer: PeerId,
    },
    /// The node's code panicked: it stops.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

/// Peers of an emulated network that one node is told of, at most: more processes than one machine bears.
pub const MAX_LINKS: usize = 4_096;

/// The network that a node believes in: how what it sends fares. What it is sent, the senders' own links delay and lose.
///
/// All numbers are resolved: whoever draws them has drawn, combined and rounded. What a link says holds for what leaves
/// from now on; what has left travels as it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Of this node's draws, which are its own: they follow from it and from nobody else's.
    pub seed: u64,
    /// What the node sends in all, at most; its bytes leave one after another.
    pub uplink_bits_per_second: Option<u64>,
    /// What becomes of connections whose far side ends without a goodbye.
    pub crashes: Crashes,
    /// The links to those who are not listed.
    pub others: Link,
    /// The links to others, by peer; at most [`MAX_LINKS`].
    pub peers: Vec<LinkTo>,
}

/// What a node notices when a far side's process dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crashes {
    /// What the system tells: connections end, dials are refused.
    #[default]
    Told,
    /// Nothing, as when a machine vanishes: connections fall silent, dials go unanswered.
    Silent,
}

/// The link to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTo {
    /// Who it is, for messages.
    pub peer: PeerId,
    /// Where it is, for bytes: its own address, which no other peer has.
    pub ip: IpAddr,
    /// In which of its lives it is: a connection that fell silent with an earlier one is reset by the next thing that is
    /// sent over it.
    pub life: u32,
    /// How it is reached.
    pub link: Link,
}

/// One direction of a link: from the node that is told of it to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// How long everything takes.
    pub base_ns: u64,
    /// How much longer it may take: drawn evenly from zero. What leaves later does not arrive earlier.
    pub jitter_ns: u64,
    /// The share of exchanges and one-way messages that are lost, in millionths.
    pub lost_ppm: u32,
    /// The share of requests and one-way messages that are sent twice, in millionths.
    pub copied_ppm: u32,
    /// The share of messages that are held back while later ones pass, in millionths.
    pub held_ppm: u32,
    /// For how long at most: drawn evenly from zero.
    pub held_ns: u64,
    /// Whether it carries anything at all.
    pub passage: Passage,
}

/// Whether a link carries anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// It does.
    #[default]
    Open,
    /// What is to leave waits until it is open again, and leaves in order.
    Clogged,
    /// Messages are lost; bytes below them wait, as those of a connection do that nobody acknowledges.
    Cut,
}

/// What is no network that a node could believe in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
    /// More peers than [`MAX_LINKS`].
    #[error("links to {0} peers are more than {MAX_LINKS}")]
    TooMany(usize),
    /// A share beyond the whole.
    #[error("share of {0} millionths is more than 1000000")]
    Share(u32),
    /// An uplink that sends nothing.
    #[error("uplink of 0 bits per second sends nothing")]
    NoUplink,
    /// Two peers at one address.
    #[error("two peers are said to be at {0}")]
    SameIp(IpAddr),
}

impl Link {
    /// A link that does nothing to what it carries.
    pub const PLAIN: Self = Self {
        base_ns: 0,
        jitter_ns: 0,
        lost_ppm: 0,
        copied_ppm: 0,
        held_ppm: 0,
        held_ns: 0,
        passage: Passage::Open,
    };
}

impl Links {
    /// Links that do nothing.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            seed: 0,
            uplink_bits_per_second: None,
            crashes: Crashes::Told,
            others: Link::PLAIN,
            peers: Vec::new(),
        }
    }

    /// Whether a node can believe in them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), LinksError> {
        if self.peers.len() > MAX_LINKS {
            return Err(LinksError::TooMany(self.peers.len()));
        }
        if self.uplink_bits_per_second == Some(0) {
            return Err(LinksError::NoUplink);
        }
        let links = self.peers.iter().map(|to| &to.link).chain([&self.others]);
        for ppm in links.flat_map(|link| [link.lost_ppm, link.copied_ppm, link.held_ppm]) {
            if ppm > 1_000_000 {
                return Err(LinksError::Share(ppm));
            }
        }
        let mut places = BTreeSet::new();
        match self.peers.iter().find(|to| !places.insert(to.ip)) {
            Some(to) => Err(LinksError::SameIp(to.ip)),
            None => Ok(()),
        }
    }
}

/// What a node looks like from within, as far as checks ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// When.
    pub unix_ns: u64,
    /// The contacts of its table, those of the farthest bucket first.
    pub contacts: Vec<PeerId>,
    /// Peers that it is connected to.
    pub links: Vec<PeerId>,
    /// Requests that wait for it.
    pub queue: u32,
    /// Records that it holds for others.
    pub records: u32,
    /// Messages that it sent since it started: requests, answers and one-way ones.
    pub sent: u64,
    /// Their bytes, frames and all.
    pub sent_bytes: u64,
    /// Messages that it received.
    pub received: u64,
    /// Messages that were lost on purpose: a network was emulated that loses them.
    pub dropped: u64,
    /// The first of its DHT's invariants that does not hold, if one does not.
    pub flaw: Option<Flaw>,
}

/// An invariant of the DHT that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// What it is about.
    pub about: About,
    /// What was seen.
    pub what: String,
}

/// What an invariant of the DHT is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Its table.
    Table,
    /// Its lookups.
    Lookups,
    /// Its exchanges and limits.
    Limits,
}

impl From<Violation> for Flaw {
    fn from(violation: Violation) -> Self {
        let about = match violation {
            Violation::WrongBucket { .. }
            | Violation::Duplicate { .. }
            | Violation::Overfull { .. }
            | Violation::Torn => About::Table,
            Violation::UnsoundLookup => About::Lookups,
            Violation::Exchanges | Violation::Limit(_) => About::Limits,
        };
        Self { about, what: violation.to_string() }
    }
}

impl Report {
    /// What `report` says, in ids.
    #[must_use]
    pub fn of(report: &kad::LookupReport, book: &Book) -> Self {
        let ids = |peers: &[PeerRef]| peers.iter().filter_map(|peer| book.id(*peer).copied()).collect();
        Self {
            closest: ids(&report.closest),
            messages: report.messages,
            timeouts: report.timeouts,
            hops: report.hops,
            known_in_round: report.known_in_round,
            providers: ids(&report.providers),
        }
    }

    /// The report, in the references of `book`; whom it has no room for is left out.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> kad::LookupReport {
        kad::LookupReport {
            closest: refs(&self.closest, book),
            messages: self.messages,
            timeouts: self.timeouts,
            hops: self.hops,
            known_in_round: self.known_in_round,
            providers: refs(&self.providers, book),
        }
    }
}

fn refs(ids: &[PeerId], book: &mut Book) -> Box<[PeerRef]> {
    ids.iter().filter_map(|id| book.intern(id).ok()).collect()
}

impl Record {
    /// What `record` holds.
    #[must_use]
    pub fn of(record: &kad::Record, book: &Book) -> Self {
        Self {
            name: record.target.name().to_vec(),
            value: record.value.to_vec(),
            publisher: record.publisher.and_then(|peer| book.id(peer).copied()),
            ttl_secs: record.ttl_secs,
        }
    }

    /// The record; `None` if its name is longer than a message allows.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<kad::Record> {
        Some(kad::Record {
            target: named(&self.name)?,
            value: self.value.as_slice().into(),
            publisher: self.publisher.and_then(|id| book.intern(&id).ok()),
            ttl_secs: self.ttl_secs,
        })
    }
}

fn named(name: &[u8]) -> Option<Target> {
    (name.len() <= kad::message::MAX_NAME_BYTES).then(|| Target::new(name))
}

impl Outcome {
    /// In a word: the same in JSON and metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Stored { .. } => "stored",
            Self::Value(_) => "value",
            Self::NotFound => "not_found",
            Self::Announced { .. } => "announced",
            Self::Providers => "providers",
            Self::Busy => "busy",
            Self::Isolated => "isolated",
        }
    }

    /// What `outcome` says.
    #[must_use]
    pub fn of(outcome: &kad::Outcome, book: &Book) -> Self {
        match outcome {
            kad::Outcome::Found => Self::Found,
            kad::Outcome::Stored { acknowledged, asked } => {
                Self::Stored { acknowledged: *acknowledged, asked: *asked }
            }
            kad::Outcome::Value(record) => Self::Value(Record::of(record, book)),
            kad::Outcome::NotFound => Self::NotFound,
            kad::Outcome::Announced { told } => Self::Announced { told: *told },
            kad::Outcome::Providers => Self::Providers,
            kad::Outcome::Busy => Self::Busy,
            kad::Outcome::Isolated => Self::Isolated,
        }
    }

    /// The outcome; `None` if its record is none.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<kad::Outcome> {
        Some(match self {
            Self::Found => kad::Outcome::Found,
            Self::Stored { acknowledged, asked } => {
                kad::Outcome::Stored { acknowledged: *acknowledged, asked: *asked }
            }
            Self::Value(record) => kad::Outcome::Value(Arc::new(record.to_node(book)?)),
            Self::NotFound => kad::Outcome::NotFound,
            Self::Announced { told } => kad::Outcome::Announced { told: *told },
            Self::Providers => kad::Outcome::Providers,
            Self::Busy => kad::Outcome::Busy,
            Self::Isolated => kad::Outcome::Isolated,
        })
    }
}

impl Ended {
    /// The event of a node of which the operation `id` ended so; `None` if its record is none.
    #[must_use]
    pub fn to_node(&self, id: OperationId, book: &mut Book) -> Option<node::Event> {
        let report = Box::new(self.report.to_node(book));
        let outcome = self.outcome.to_node(book)?;
        Some(node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }))
    }
}

impl Event {
    /// What a node's event says to its administrator; `None` for what is told in another way (the ends of operations, to
    /// whoever asked) or nowhere (steps of searches).
    #[must_use]
    pub fn of(event: &node::Event, book: &Book) -> Option<Self> {
        let id = |peer: &PeerRef| book.id(*peer).copied();
        Some(match event {
            node::Event::Kad(event) => match event {
                kad::Event::OperationEnded { .. } | kad::Event::Traced(_) => return None,
                kad::Event::Bootstrapped { contacts } => Self::Bootstrapped { contacts: *contacts },
                kad::Event::ContactAdded { peer } => Self::ContactAdded { peer: id(peer)? },
                kad::Event::ContactEvicted { peer } => Self::ContactEvicted { peer: id(peer)? },
                kad::Event::RecordStored { record } => {
                    Self::RecordStored { record: Record::of(record, book) }
                }
                kad::Event::RecordExpired { target } => Self::RecordExpired { name: target.name().to_vec() },
                kad::Event::ProviderAdded { target, provider } => {
                    Self::ProviderAdded { name: target.name().to_vec(), provider: id(provider)? }
                }
                kad::Event::ProviderExpired { target, provider } => {
                    Self::ProviderExpired { name: target.name().to_vec(), provider: id(provider)? }
                }
                kad::Event::Refused { peer, reason } => {
                    Self::TurnedAway { peer: id(peer), reason: reason.word().to_string() }
                }
            },
            node::Event::Malformed { from, reason } => {
                Self::TurnedAway { peer: id(from), reason: reason.word().to_string() }
            }
            node::Event::Stray { .. } => Self::TurnedAway { peer: None, reason: "stray".to_string() },
        })
    }

    /// The event of the DHT that this tells of, in the references of `book`; `None` if it tells of something else, or of
    /// more strangers than `book` has room for.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<node::Event> {
        let mut peer = |id: &PeerId| book.intern(id).ok();
        Some(node::Event::Kad(match self {
            Self::Bootstrapped { contacts } => kad::Event::Bootstrapped { contacts: *contacts },
            Self::ContactAdded { peer: id } => kad::Event::ContactAdded { peer: peer(id)? },
            Self::ContactEvicted { peer: id } => kad::Event::ContactEvicted { peer: peer(id)? },
            Self::RecordStored { record } => {
                kad::Event::RecordStored { record: Arc::new(record.to_node(book)?) }
            }
            Self::RecordExpired { name } => kad::Event::RecordExpired { target: Arc::new(named(name)?) },
            Self::ProviderAdded { name, provider } => {
                kad::Event::ProviderAdded { target: Arc::new(named(name)?), provider: peer(provider)? }
            }
            Self::ProviderExpired { name, provider } => {
                kad::Event::ProviderExpired { target: Arc::new(named(name)?), provider: peer(provider)? }
            }
            Self::TurnedAway { .. }
            | Self::LinkUp { .. }
            | Self::Introduced { .. }
            | Self::LinkDown { .. }
            | Self::Panicked { .. } => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use types::SharedBook;

    use super::*;

    #[test]
    fn what_a_node_tells_comes_back_in_another_book() {
        let id = |number| PeerId::from_ed25519(&[number; 32]);
        let mut own = Book::new(Arc::new(SharedBook::new(vec![id(0)])));
        let stranger = own.intern(&id(1)).unwrap();
        let target = Arc::new(Target::new(b"name"));
        let record = Arc::new(kad::Record {
            target: Target::new(b"name"),
            value: [1, 2].into(),
            publisher: Some(stranger),
            ttl_secs: 60,
        });
        let events = [
            kad::Event::Bootstrapped { contacts: 3 },
            kad::Event::ContactAdded { peer: stranger },
            kad::Event::ContactEvicted { peer: stranger },
            kad::Event::RecordStored { record },
            kad::Event::RecordExpired { target: Arc::clone(&target) },
            kad::Event::ProviderAdded { target: Arc::clone(&target), provider: stranger },
            kad::Event::ProviderExpired { target, provider: stranger },
        ];
        for event in events.map(node::Event::Kad) {
            let told = Event::of(&event, &own).unwrap();
            let text = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), told, "{text}");
            assert_eq!(told.to_node(&mut own), Some(event));
        }
    }

    #[test]
    fn an_operation_survives_the_way_through_json() {
        let target = || Arc::new(Target::new(b"name"));
        let operations = [
            Operation::Lookup(target()),
            Operation::Put { target: target(), value: [0, 255].into() },
            Operation::Get(target()),
            Operation::Announce(target()),
            Operation::FindProviders { target: target(), enough: 7 },
        ];
        for operation in operations {
            let text = serde_json::to_string(&Ask::of(&operation)).unwrap();
            let ask: Ask = serde_json::from_str(&text).unwrap();
            assert_eq!(ask.operation(), Some(operation), "{text}");
        }
        let long = Ask::Get { name: vec![0; kad::message::MAX_NAME_BYTES + 1] };
        assert_eq!(long.operation(), None);
    }
    #[test]
    fn links_survive_the_way_through_json_and_impossible_ones_are_named() {
        let to = |number: u8| LinkTo {
            peer: PeerId::from_ed25519(&[number; 32]),
            ip: IpAddr::from([127, 0, 0, number]),
            life: 0,
            link: Link { base_ns: u64::MAX, lost_ppm: 1_000_000, passage: Passage::Cut, ..Link::PLAIN },
        };
        let links = Links {
            seed: u64::MAX,
            uplink_bits_per_second: Some(1),
            crashes: Crashes::Silent,
            peers: vec![to(2), to(3)],
            ..Links::plain()
        };
        let text = serde_json::to_string(&links).unwrap();
        assert_eq!(serde_json::from_str::<Links>(&text).unwrap(), links, "{text}");
        assert_eq!(links.check(), Ok(()));
        let with = |change: fn(&mut Links)| {
            let mut links = links.clone();
            change(&mut links);
            links.check().unwrap_err().to_string()
        };
        assert_eq!(with(|links| links.peers.push(links.peers[0])), "two peers are said to be at 127.0.0.2");
        assert_eq!(
            with(|links| links.others.copied_ppm = 1_000_001),
            "share of 1000001 millionths is more than 1000000"
        );
        assert_eq!(
            with(|links| links.uplink_bits_per_second = Some(0)),
            "uplink of 0 bits per second sends nothing"
        );
        assert_eq!(
            with(|links| links.peers = vec![links.peers[0]; MAX_LINKS + 1]),
            "links to 4097 peers are more than 4096"
        );
    }
}
