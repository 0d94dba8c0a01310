//! What a peer tells: histories, metrics and event logs are made of these. Nothing in a peer depends on
//! whether anybody listens.

use types::PeerRef;

use crate::seam::{DecodeFailure, StrayInput};

/// Something that happened at a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// In the distributed hash table.
    Kad(kad::Event),
    /// Bytes arrived that the codec refused.
    Malformed {
        /// From whom.
        from: PeerRef,
        /// Why.
        reason: DecodeFailure,
    },
    /// An input arrived that no layer waits for; counted, never an error.
    Stray {
        /// What it was.
        input: StrayInput,
    },
}
