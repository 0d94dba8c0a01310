//! What happens to a peer at an instant.

use types::Instant;

use crate::wheel::{Key, Timed};

/// Which handled thing caused an event: the `count`-th that `peer` handled in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The plan's number of the peer that handled it.
    pub peer: u32,
    /// The how-manieth thing that it handled, from zero, over all its lives.
    pub count: u32,
}

impl EventId {
    /// The cause of what no peer caused: workloads, faults, the beginning.
    pub const SCRIPT: Self = Self { peer: u32::MAX, count: 0 };
}

/// One event: 32 bytes and its payload. Large payloads belong behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<M> {
    /// When it happens.
    pub at: Instant,
    /// Counts what its sender scheduled, over all the sender's lives: breaks ties, names draws.
    pub sequence: u64,
    /// The plan's number of the peer to which it happens.
    pub to: u32,
    /// The plan's number of the peer that scheduled it: `to` itself for a timer.
    pub from: u32,
    /// What the sender was handling.
    pub cause: EventId,
    /// What happens.
    pub payload: M,
}

impl<M> Timed for Event<M> {
    fn key(&self) -> Key {
        Key { at: self.at, sender: self.from, sequence: self.sequence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_costs_32_bytes_and_its_payload() {
        assert_eq!(size_of::<Event<()>>(), 32);
        assert_eq!(size_of::<Event<[u64; 2]>>(), 48);
    }
}
