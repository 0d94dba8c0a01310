//! Ids of exchanges and writes.

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
