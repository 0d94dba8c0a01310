//! Ids of exchanges, operations and writes, and how they fail.

use crate::PeerRef;

/// One request and its answer. It belongs to the envelope, not to the message: on a real network it is
/// a stream, whose frames carry no id.
///
/// Unique in a run: no two lives of one peer share an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId {
    /// Who asked.
    pub opener: PeerRef,
    /// In which of its lives.
    pub incarnation: u32,
    /// The how-manieth of that life.
    pub count: u32,
}

/// One change that a peer asked to have persisted; counted from zero in each life of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// An operation that a client asked of a peer; unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u64);

/// Why a request will not be answered, or a one-way message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum SendFailure {
    /// The time that the request named has passed.
    #[error("no answer in time")]
    Timeout,
    /// The peer could not be dialled.
    #[error("peer could not be dialled")]
    Unreachable,
    /// The peer refused the link.
    #[error("peer refused the link")]
    Refused,
    /// The link was closed before the answer came.
    #[error("link closed before the answer")]
    Closed,
    /// Too much was waiting for this link already.
    #[error("too many messages wait for the link")]
    QueueFull,
}

/// Why a change was not persisted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum StoreFailure {
    /// The disk reported an error.
    #[error("disk failed")]
    Disk,
    /// There is no room.
    #[error("disk is full")]
    Full,
}

/// What became of a change: persisted, or not.
pub type StoreResult = Result<(), StoreFailure>;

/// Work that a handler did, in nanoseconds of a core of speed 1: what parsing, verifying and searching cost in
/// simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(pub u64);
