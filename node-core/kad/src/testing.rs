//! Peers for unit tests.

use alloc::sync::Arc;

use types::{Book, Domain, PeerId, PeerRef, Purpose, Seed, SharedBook, Streams};

/// A book of so many peers.
pub(crate) fn book(peers: u32) -> Book {
    let mut keys = Streams::global(Seed(0), Domain::new("test")).stream(Purpose::new("identity"), 0);
    let ids = (0..peers).map(|_| PeerId::from_ed25519(&keys.bytes32())).collect();
    Book::new(Arc::new(SharedBook::new(ids)))
}

/// One of them.
pub(crate) fn peer(number: u32) -> PeerRef {
    PeerRef::shared(number)
}
