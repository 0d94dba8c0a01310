//! The synthetic address that a contact travels with: `/ip4/10.a.b.c/tcp/port` as a binary multiaddr.
//!
//! A simulated peer has no address, yet contacts without one would be smaller than in reality. This one has
//! the size of a common address and follows from the peer's digest, in a private network so that nobody takes
//! it for a place. Whoever decodes it ignores it.

use types::Digest;

/// Bytes of a synthetic address.
pub(crate) const ADDRESS_BYTES: usize = 8;

/// Code of the protocol `ip4` in a multiaddr.
const IP4: u8 = 0x04;
/// Code of the protocol `tcp` in a multiaddr.
const TCP: u8 = 0x06;

/// The address of the peer with this digest.
pub(crate) const fn synthetic(digest: Digest) -> [u8; ADDRESS_BYTES] {
    let [a, b, c, high, low, ..] = digest.0.to_be_bytes();
    // The upper bit keeps the port out of the reserved ones.
    [IP4, 10, a, b, c, TCP, high | 0x80, low]
}
