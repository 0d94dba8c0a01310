//! The peer book that outlives a life: where the peers that were contacts can be dialled.
//!
//! It forgets nobody because the table lost them: a node that is cut off loses all its contacts, and is to find them
//! again afterwards. Whoever has not been a contact for the longest gives way to newcomers.

use std::collections::BTreeSet;

use libp2p::Multiaddr;
use types::PeerId;

/// Peers that are remembered, at most: the contacts of a network of a million and as many from before.
pub(crate) const MAX_REMEMBERED: usize = 1_024;

/// A peer that was a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub id: PeerId,
    /// Where it can be dialled.
    pub addresses: Vec<Multiaddr>,
}

/// Peers that were contacts, the latest first.
#[derive(Debug, Default)]
pub(crate) struct PeerBook {
    peers: Vec<Known>,
}

impl PeerBook {
    /// The book as earlier lives left it.
    pub(crate) fn new(mut peers: Vec<Known>) -> Self {
        peers.truncate(MAX_REMEMBERED);
        Self { peers }
    }

    pub(crate) fn peers(&self) -> &[Known] {
        &self.peers
    }

    /// Takes note of who is a contact now. Returns whether that changed anything but the order.
    pub(crate) fn update(&mut self, contacts: Vec<Known>) -> bool {
        let news = contacts.iter().any(|contact| !self.peers.contains(contact));
        let now: BTreeSet<PeerId> = contacts.iter().map(|contact| contact.id).collect();
        let before = std::mem::replace(&mut self.peers, contacts);
        self.peers.extend(before.into_iter().filter(|peer| !now.contains(&peer.id)));
        self.peers.truncate(MAX_REMEMBERED);
        news
    }
}

/// Whom a life asks first, of those that it is told to ask and of those that it remembers; `room` at most are asked by
/// the node. Half of the room is for either as long as both have enough, so that neither a book of the dead nor a
/// bootstrap peer that is gone cuts a node off; each life begins with others of them.
pub(crate) fn first_asked(
    bootstrap: &[PeerId],
    remembered: &[PeerId],
    room: usize,
    life: u32,
) -> Vec<PeerId> {
    let known: Vec<_> = remembered.iter().filter(|id| !bootstrap.contains(id)).copied().collect();
    let of_book = known.len().min(room - (room / 2).min(bootstrap.len()));
    let of_bootstrap = bootstrap.len().min(room - of_book);
    let from = |ids: &[PeerId], count: usize| -> Vec<PeerId> {
        let start = (life as usize).wrapping_mul(count) % ids.len().max(1);
        ids.iter().cycle().skip(start).take(count).copied().collect()
    };
    let mut asked = from(bootstrap, of_bootstrap);
    asked.extend(from(&known, of_book));
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PeerId {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key)
    }

    fn known(number: u16, port: u16) -> Known {
        let address = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        Known { id: id(number), addresses: vec![address] }
    }

    #[test]
    fn the_lost_are_remembered_until_newcomers_need_the_room() {
        let mut book = PeerBook::new(vec![known(1, 1), known(2, 1)]);
        assert!(!book.update(vec![known(2, 1)]), "only the order");
        assert_eq!(book.peers(), [known(2, 1), known(1, 1)]);
        assert!(!book.update(Vec::new()), "cut off");
        assert_eq!(book.peers(), [known(2, 1), known(1, 1)]);
        assert!(book.update(vec![known(1, 9)]), "another address");
        assert_eq!(book.peers(), [known(1, 9), known(2, 1)]);
        let many: Vec<_> = (10..10 + MAX_REMEMBERED as u16 - 1).map(|number| known(number, 1)).collect();
        assert!(book.update(many));
        assert_eq!(book.peers().len(), MAX_REMEMBERED);
        assert_eq!(book.peers().last(), Some(&known(1, 9)));
    }

    #[test]
    fn the_book_and_the_bootstrap_peers_share_the_first_questions() {
        let ids = |numbers: std::ops::Range<u16>| numbers.map(id).collect::<Vec<_>>();
        let counted = |bootstrap: &[PeerId], book: &[PeerId]| {
            let asked = first_asked(bootstrap, book, 8, 3);
            let distinct: BTreeSet<_> = asked.iter().collect();
            assert_eq!(distinct.len(), asked.len(), "{asked:?}");
            let of_bootstrap = asked.iter().filter(|id| bootstrap.contains(id)).count();
            (of_bootstrap, asked.len() - of_bootstrap)
        };
        assert_eq!(counted(&[], &[]), (0, 0));
        assert_eq!(counted(&ids(0..3), &[]), (3, 0));
        assert_eq!(counted(&ids(0..20), &[]), (8, 0));
        assert_eq!(counted(&[], &ids(0..20)), (0, 8));
        assert_eq!(counted(&ids(0..1), &ids(0..20)), (1, 7));
        assert_eq!(counted(&ids(0..20), &ids(30..60)), (4, 4));
        assert_eq!(counted(&ids(0..20), &ids(30..31)), (7, 1));
        assert_ne!(first_asked(&[], &ids(0..20), 8, 0), first_asked(&[], &ids(0..20), 8, 1));
    }
}
