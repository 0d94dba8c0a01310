//! Who has how many streams open here.
//!
//! A stream that was served and may be used again rests: it counts, and gives way as soon as its room is needed, the
//! longest rested first. So streams that are kept for later cost nobody a new one.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use libp2p::PeerId;
use tokio::sync::oneshot;

use crate::told::Reason;

/// Streams that all peers together may have open here. Each holds one message: 32 MiB when all are full.
pub(crate) const MAX_STREAMS: u32 = 256;
/// Streams that one peer may have open here: as many as rust-libp2p's own Kademlia takes on a connection.
pub(crate) const MAX_STREAMS_PER_PEER: u32 = 32;

/// What a stream that is not read further may hold: the window that Yamux grants it.
const WINDOW_BYTES: usize = 256 * 1024;
/// Bytes that strangers' streams make a node hold, at most, once they were let in: each the frame that arrives, in a
/// buffer that doubles, and its window. 128 MiB.
pub const MAX_HELD_BYTES: usize = MAX_STREAMS as usize * (2 * wire::MAX_BODY_BYTES + WINDOW_BYTES);

/// Lets streams in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Rc<Streams>);

#[derive(Debug, Default)]
struct Streams {
    all: Cell<u32>,
    of_peer: RefCell<HashMap<PeerId, u32>>,
    /// Streams that rest, the longest rested first.
    resting: RefCell<BTreeMap<u64, Resting>>,
    rests: Cell<u64>,
}

#[derive(Debug)]
struct Resting {
    peer: PeerId,
    counts: Rc<Cell<bool>>,
    /// Dropped when the stream has to give way.
    _wanted: oneshot::Sender<()>,
}

impl Gate {
    /// Lets a stream of `peer` in; it counts until the pass is dropped.
    pub(crate) fn enter(&self, peer: PeerId) -> Result<Pass, Reason> {
        let streams = &*self.0;
        if streams.of(&peer) >= MAX_STREAMS_PER_PEER && !streams.make_room(Some(&peer)) {
            return Err(Reason::TooManyStreamsOfPeer);
        }
        if streams.all.get() >= MAX_STREAMS && !streams.make_room(None) {
            return Err(Reason::TooManyStreams);
        }
        *streams.of_peer.borrow_mut().entry(peer).or_default() += 1;
        streams.all.set(streams.all.get() + 1);
        Ok(Pass { gate: self.clone(), peer, counts: Rc::new(Cell::new(true)) })
    }
}

impl Streams {
    fn of(&self, peer: &PeerId) -> u32 {
        self.of_peer.borrow().get(peer).copied().unwrap_or(0)
    }

    /// Ends the longest rest, of `peer`'s streams or of all.
    fn make_room(&self, peer: Option<&PeerId>) -> bool {
        let mut resting = self.resting.borrow_mut();
        let found = resting.iter().find(|(_, rest)| peer.is_none_or(|peer| rest.peer == *peer));
        let Some(rest) = found.map(|(number, _)| *number).and_then(|number| resting.remove(&number)) else {
            return false;
        };
        rest.counts.set(false);
        self.leave(&rest.peer);
        true
    }

    fn leave(&self, peer: &PeerId) {
        self.all.set(self.all.get().saturating_sub(1));
        let mut of_peer = self.of_peer.borrow_mut();
        if let Some(count) = of_peer.get_mut(peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                of_peer.remove(peer);
            }
        }
    }
}

/// A stream that was let in.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Gate,
    peer: PeerId,
    /// Until it had to give way.
    counts: Rc<Cell<bool>>,
}

impl Pass {
    /// Whose it is.
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    /// From now on, until the rest is dropped, it gives way to others.
    pub(crate) fn rest(&self) -> Rest {
        let streams = &self.gate.0;
        let (wanted, waits) = oneshot::channel();
        let number = streams.rests.get();
        streams.rests.set(number + 1);
        let resting = Resting { peer: self.peer, counts: Rc::clone(&self.counts), _wanted: wanted };
        streams.resting.borrow_mut().insert(number, resting);
        Rest { gate: self.gate.clone(), number, waits }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.counts.get() {
            self.gate.0.leave(&self.peer);
        }
    }
}

/// A rest of a stream.
#[derive(Debug)]
pub(crate) struct Rest {
    gate: Gate,
    number: u64,
    waits: oneshot::Receiver<()>,
}

impl Rest {
    /// Waits until its room is needed.
    pub(crate) async fn is_over(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.waits).await;
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.gate.0.resting.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::futures::FutureExt as _;

    fn full(gate: &Gate) -> Vec<Pass> {
        std::iter::from_fn(|| gate.enter(PeerId::random()).ok()).take(2 * MAX_STREAMS as usize).collect()
    }

    #[test]
    fn one_peer_does_not_take_the_room_of_all() {
        let gate = Gate::default();
        let greedy = PeerId::random();
        let passes: Vec<_> = (0..MAX_STREAMS_PER_PEER).map(|_| gate.enter(greedy).unwrap()).collect();
        assert_eq!(gate.enter(greedy).unwrap_err(), Reason::TooManyStreamsOfPeer);
        let others = full(&gate);
        assert_eq!(others.len() as u32, MAX_STREAMS - MAX_STREAMS_PER_PEER);
        assert_eq!(gate.enter(PeerId::random()).unwrap_err(), Reason::TooManyStreams);
        drop(passes);
        assert!(gate.enter(greedy).is_ok());
        drop(others);
        assert_eq!(gate.0.all.get(), 0);
        assert!(gate.0.of_peer.borrow().is_empty());
    }

    #[test]
    fn the_stream_that_has_rested_longest_gives_way() {
        let gate = Gate::default();
        let mut passes = full(&gate);
        let (mut first, mut second) = (passes[7].rest(), passes[3].rest());
        let newcomer = gate.enter(PeerId::random()).unwrap();
        assert_eq!(first.is_over().now_or_never(), Some(()));
        assert_eq!(second.is_over().now_or_never(), None);
        // One that went on is no longer there to give way.
        drop(second);
        assert_eq!(gate.enter(PeerId::random()).unwrap_err(), Reason::TooManyStreams);
        drop(newcomer);
        passes.clear();
        assert_eq!(gate.0.all.get(), 0);
        assert!(gate.0.of_peer.borrow().is_empty());
        drop(first);
        assert!(gate.0.resting.borrow().is_empty());
    }

    #[test]
    fn a_peer_at_its_limit_gives_up_a_rest_of_its_own() {
        let gate = Gate::default();
        let (busy, other) = (PeerId::random(), PeerId::random());
        let theirs = gate.enter(other).unwrap();
        let mut rest = theirs.rest();
        let passes: Vec<_> = (0..MAX_STREAMS_PER_PEER).map(|_| gate.enter(busy).unwrap()).collect();
        assert_eq!(gate.enter(busy).unwrap_err(), Reason::TooManyStreamsOfPeer);
        let mut own = passes[0].rest();
        assert!(gate.enter(busy).is_ok());
        assert_eq!(own.is_over().now_or_never(), Some(()));
        assert_eq!(rest.is_over().now_or_never(), None);
    }
}
