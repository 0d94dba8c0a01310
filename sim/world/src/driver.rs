//! The two drivers: peers in mailboxes on the shard's arbiter, or called where they stand. The same actor and
//! the same `impl Handler` in both.

use actix::{Actor, Addr, Handler};
use actor::{Called, Deliver, Inline, Mailbox, Participant};
use std::sync::Arc;
use types::{Book, SharedBook};

use crate::cast::Player;
use crate::host::{SimHost, Window};

/// How a shard drives its peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// Each peer in an actix mailbox: as a deployed node lives.
    #[default]
    Actor,
    /// Each peer called by its shard, without a mailbox.
    Inline,
}

/// The peers of a shard, by their place in it.
pub(crate) enum Crew {
    Mailboxes(Vec<Addr<Participant<Player, SimHost, Mailbox>>>),
    Called(Vec<Participant<Player, SimHost, Called>>),
}

impl Crew {
    pub(crate) fn hire(driver: Driver, hosts: impl Iterator<Item = SimHost>, book: &Arc<SharedBook>) -> Self {
        let book = || Book::new(Arc::clone(book));
        match driver {
            Driver::Actor => {
                Self::Mailboxes(hosts.map(|host| Participant::new(host, book()).start()).collect())
            }
            Driver::Inline => Self::Called(hosts.map(|host| Participant::new(host, book())).collect()),
        }
    }

    /// One window to the peer at this place. In a mailbox it is handled some time later.
    pub(crate) fn deliver(&mut self, place: usize, window: Window) {
        match self {
            Self::Mailboxes(addresses) => {
                if let Some(address) = addresses.get(place) {
                    address.do_send(Deliver(window));
                }
            }
            Self::Called(peers) => {
                if let Some(peer) = peers.get_mut(place) {
                    peer.handle(Deliver(window), &mut Inline::default());
                }
            }
        }
    }
}
