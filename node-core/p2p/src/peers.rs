//! Ids and addresses, between libp2p's types and ours: the same bytes on both sides.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId as Theirs};
use types::PeerId;

/// Bytes of a binary address, at most: the longest host name and two protocols beside it.
const MAX_ADDRESS_BYTES: usize = 272;

/// Our form of libp2p's id; `None` if it is no multihash of a public key.
pub(crate) fn ours(id: &Theirs) -> Option<PeerId> {
    PeerId::from_bytes(&id.to_bytes()).ok()
}

/// libp2p's form of our id; `None` if libp2p refuses it.
pub(crate) fn theirs(id: &PeerId) -> Option<Theirs> {
    Theirs::from_bytes(id.as_bytes()).ok()
}

/// An address without the id at its end, and that id if there is one.
pub(crate) fn split(mut address: Multiaddr) -> (Multiaddr, Option<Theirs>) {
    match address.iter().last() {
        Some(Protocol::P2p(id)) => {
            address.pop();
            (address, Some(id))
        }
        _ => (address, None),
    }
}

/// What a stranger says is an address of `of`; `None` if it is none, or another's, or none that a transport dials.
pub(crate) fn claimed(of: &PeerId, bytes: &[u8]) -> Option<Multiaddr> {
    if bytes.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    own_address(of, Multiaddr::try_from(bytes.to_vec()).ok()?)
}

/// `address` without the id, if it is an address of `of`.
pub(crate) fn own_address(of: &PeerId, address: Multiaddr) -> Option<Multiaddr> {
    let (address, id) = split(address);
    let fits = id.is_none_or(|id| ours(&id).as_ref() == Some(of)) && address.len() <= MAX_ADDRESS_BYTES;
    let relayed = address.iter().any(|part| matches!(part, Protocol::P2pCircuit | Protocol::P2p(_)));
    let port = address.iter().any(|part| matches!(part, Protocol::Tcp(1..) | Protocol::Udp(1..)));
    (fits && port && !relayed).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_bytes_on_both_sides() {
        let id = PeerId::from_ed25519(&[7; 32]);
        let other = theirs(&id).unwrap();
        assert_eq!(other.to_string(), id.to_string());
        assert_eq!(ours(&other), Some(id));
    }

    #[test]
    fn an_address_of_somebody_else_or_of_no_place_is_refused() {
        let id = PeerId::from_ed25519(&[7; 32]);
        let other = PeerId::from_ed25519(&[8; 32]);
        let bytes = |text: &str| text.parse::<Multiaddr>().unwrap().to_vec();
        let plain = "/ip4/127.0.0.1/tcp/7777";
        let taken = |text: &str| claimed(&id, &bytes(text)).map(|address| address.to_string());
        assert_eq!(taken(plain), Some(plain.to_string()));
        assert_eq!(taken(&format!("{plain}/p2p/{id}")), Some(plain.to_string()));
        assert_eq!(taken(&format!("{plain}/p2p/{other}")), None);
        assert_eq!(taken(&format!("{plain}/p2p/{other}/p2p-circuit/p2p/{id}")), None);
        assert_eq!(taken("/ip4/127.0.0.1/tcp/0"), None);
        assert_eq!(taken("/ip4/127.0.0.1"), None);
        assert_eq!(claimed(&id, b"no address"), None);
        let long = format!("/dns4/{}/tcp/1", "a".repeat(300));
        assert_eq!(taken(&long), None);
    }
}
