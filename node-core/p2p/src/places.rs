//! Where peers can be dialled: the address book that the transport keeps beside the node's peer book.
//!
//! Two shelves, so that hearsay displaces no knowledge: a stranger may name any number of peers in its answers, and
//! what it says of them is only believed of those that never spoke for themselves.

use std::collections::{HashMap, VecDeque};

use libp2p::Multiaddr;
use types::PeerId;
use wire::MAX_ADDRESSES;

/// Peers of which addresses are kept because a connection confirmed them: four times the links of a large node.
const MAX_CONFIRMED: usize = 4_096;
/// Peers of which addresses are kept because others told: the contacts of some two hundred answers.
const MAX_HEARSAY: usize = 4_096;

/// Addresses by peer.
#[derive(Debug)]
pub(crate) struct Places {
    confirmed: Shelf,
    hearsay: Shelf,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { confirmed: Shelf::new(MAX_CONFIRMED), hearsay: Shelf::new(MAX_HEARSAY) }
    }

    /// The addresses of this peer.
    pub(crate) fn of(&self, id: &PeerId) -> &[Multiaddr] {
        self.confirmed.get(id).or_else(|| self.hearsay.get(id)).unwrap_or(&[])
    }

    /// A connection to this address reached the peer, or our operator says so.
    pub(crate) fn confirm(&mut self, id: PeerId, address: Multiaddr) {
        self.confirmed.add(id, address);
        self.hearsay.forget(&id);
    }

    /// The peer itself says so, over a connection that proved who it is.
    pub(crate) fn introduce(&mut self, id: PeerId, addresses: impl Iterator<Item = Multiaddr>) {
        addresses.take(MAX_ADDRESSES).for_each(|address| self.confirm(id, address));
    }

    /// Somebody else was found at this address.
    pub(crate) fn disprove(&mut self, id: &PeerId, address: &Multiaddr) {
        self.confirmed.remove(id, address);
        self.hearsay.remove(id, address);
    }

    /// Somebody else says so.
    pub(crate) fn hear(&mut self, id: PeerId, address: Multiaddr) {
        if self.confirmed.get(&id).is_none() {
            self.hearsay.add(id, address);
        }
    }
}

/// A bounded map that forgets whom it has had the longest.
#[derive(Debug)]
struct Shelf {
    addresses: HashMap<PeerId, Vec<Multiaddr>>,
    /// Every peer of the map once, the longest known first.
    order: VecDeque<PeerId>,
    limit: usize,
}

impl Shelf {
    fn new(limit: usize) -> Self {
        Self { addresses: HashMap::new(), order: VecDeque::new(), limit }
    }

    fn get(&self, id: &PeerId) -> Option<&[Multiaddr]> {
        self.addresses.get(id).map(Vec::as_slice)
    }

    /// Of too many addresses the oldest gives way.
    fn add(&mut self, id: PeerId, address: Multiaddr) {
        if let Some(known) = self.addresses.get_mut(&id) {
            if !known.contains(&address) {
                if known.len() >= MAX_ADDRESSES {
                    known.remove(0);
                }
                known.push(address);
            }
            return;
        }
        while self.order.len() >= self.limit {
            let Some(oldest) = self.order.pop_front() else { break };
            self.addresses.remove(&oldest);
        }
        self.order.push_back(id);
        self.addresses.insert(id, vec![address]);
    }

    fn remove(&mut self, id: &PeerId, address: &Multiaddr) {
        let Some(known) = self.addresses.get_mut(id) else { return };
        known.retain(|other| other != address);
        if known.is_empty() {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: &PeerId) {
        if self.addresses.remove(id).is_some() {
            self.order.retain(|other| other != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PeerId {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key)
    }

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn hearsay_displaces_no_knowledge_and_is_bounded() {
        let mut places = Places::new();
        places.hear(id(0), address(1));
        places.confirm(id(0), address(2));
        places.hear(id(0), address(3));
        assert_eq!(places.of(&id(0)), [address(2)]);
        for number in 1..=2 * MAX_HEARSAY as u16 {
            places.hear(id(number), address(number));
        }
        assert_eq!(places.of(&id(0)), [address(2)]);
        assert_eq!(places.of(&id(1)), []);
        assert_eq!(places.of(&id(2 * MAX_HEARSAY as u16)), [address(2 * MAX_HEARSAY as u16)]);
        assert_eq!(places.hearsay.addresses.len(), MAX_HEARSAY);
        assert_eq!(places.hearsay.order.len(), MAX_HEARSAY);
    }

    #[test]
    fn an_address_that_was_disproved_is_forgotten_and_the_others_stay() {
        let mut places = Places::new();
        places.hear(id(0), address(1));
        places.hear(id(0), address(2));
        places.disprove(&id(0), &address(1));
        assert_eq!(places.of(&id(0)), [address(2)]);
        places.disprove(&id(0), &address(2));
        assert_eq!(places.of(&id(0)), []);
        assert!(places.hearsay.order.is_empty());
        places.confirm(id(0), address(3));
        places.disprove(&id(0), &address(3));
        assert_eq!(places.of(&id(0)), []);
    }

    #[test]
    fn the_latest_addresses_of_a_peer_are_kept() {
        let mut places = Places::new();
        places.introduce(id(0), (1..=100).map(address));
        assert_eq!(places.of(&id(0)).len(), MAX_ADDRESSES);
        places.confirm(id(0), address(200));
        assert_eq!(places.of(&id(0)).len(), MAX_ADDRESSES);
        assert_eq!(places.of(&id(0)).last(), Some(&address(200)));
    }
}
