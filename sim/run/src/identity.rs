//! Modelled identities: ids of the right form, without the keys behind them.
//!
//! A modelled peer signs nothing, so its public key is 32 drawn bytes. They follow from the seed and the peer's
//! number alone: a group that grows leaves the ids of the groups before it as they are.

use types::{Domain, PeerId, Purpose, Seed, SharedBook, Streams};

const IDENTITY: Domain = Domain::new("identity");
const PUBLIC_KEY: Purpose = Purpose::new("public key");

/// The book of a plan's peers.
pub(crate) fn modelled(seed: Seed, peers: u32) -> SharedBook {
    let streams = Streams::global(seed, IDENTITY);
    let id = |number| PeerId::from_ed25519(&streams.stream(PUBLIC_KEY, u64::from(number)).bytes32());
    SharedBook::new((0..peers).map(id).collect())
}
