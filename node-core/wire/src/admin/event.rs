//! What happened at a node, as its administrator is told.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use types::{Book, PeerId, PeerRef};

use super::Dialler;
use super::operation::{Record, named};

/// What happened at a node since some event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The number of the last event that this tells of; that of the question if it tells of none. Ask for those after it:
    /// an answer has a limit, and there may be more.
    pub last: u64,
    /// Events after the one asked for that the node no longer has.
    pub lost: u64,
    /// The events, in order.
    pub events: Vec<Told>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Counted from 1 in a node's life.
    pub number: u64,
    /// When.
    pub unix_ns: u64,
    /// What.
    pub event: Event,
}

/// Something that happened at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The table was filled for the first time.
    Bootstrapped {
        /// Contacts in it by then.
        contacts: u32,
    },
    /// A contact entered the table.
    ContactAdded {
        /// Which.
        peer: PeerId,
    },
    /// A contact left the table because it stopped answering.
    ContactEvicted {
        /// Which.
        peer: PeerId,
    },
    /// A record was persisted here for the first time.
    RecordStored {
        /// Which.
        record: Record,
    },
    /// A record's life ended here.
    RecordExpired {
        /// Its name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// A peer is remembered here as one that provides this.
    ProviderAdded {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// A provider did not announce itself again in time.
    ProviderExpired {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// Who.
        provider: PeerId,
    },
    /// Something of a peer's was turned away.
    TurnedAway {
        /// Whose, as far as it said.
        peer: Option<PeerId>,
        /// Why, in a word.
        reason: String,
    },
    /// The first connection to a peer was established.
    LinkUp {
        /// To whom.
        peer: PeerId,
        /// Who dialled.
        by: Dialler,
    },
    /// A peer said, over a connection that proved who it is, where it can be dialled.
    Introduced {
        /// Who.
        peer: PeerId,
    },
    /// The last connection to a peer was closed.
    LinkDown {
        /// To whom.
        peer: PeerId,
    },
    /// The node's code panicked: it stops.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl Event {
    /// What a node's event says to its administrator; `None` for what is told in another way (the ends of operations, to
    /// whoever asked) or nowhere (steps of searches).
    #[must_use]
    pub fn of(event: &node::Event, book: &Book) -> Option<Self> {
        let id = |peer: &PeerRef| book.id(*peer).copied();
        Some(match event {
            node::Event::Kad(event) => match event {
                kad::Event::OperationEnded { .. } | kad::Event::Traced(_) => return None,
                kad::Event::Bootstrapped { contacts } => Self::Bootstrapped { contacts: *contacts },
                kad::Event::ContactAdded { peer } => Self::ContactAdded { peer: id(peer)? },
                kad::Event::ContactEvicted { peer } => Self::ContactEvicted { peer: id(peer)? },
                kad::Event::RecordStored { record } => {
                    Self::RecordStored { record: Record::of(record, book) }
                }
                kad::Event::RecordExpired { target } => Self::RecordExpired { name: target.name().to_vec() },
                kad::Event::ProviderAdded { target, provider } => {
                    Self::ProviderAdded { name: target.name().to_vec(), provider: id(provider)? }
                }
                kad::Event::ProviderExpired { target, provider } => {
                    Self::ProviderExpired { name: target.name().to_vec(), provider: id(provider)? }
                }
                kad::Event::Refused { peer, reason } => {
                    Self::TurnedAway { peer: id(peer), reason: reason.word().to_string() }
                }
            },
            node::Event::Malformed { from, reason } => {
                Self::TurnedAway { peer: id(from), reason: reason.word().to_string() }
            }
            node::Event::Stray { .. } => Self::TurnedAway { peer: None, reason: "stray".to_string() },
        })
    }

    /// The event of the DHT that this tells of, in the references of `book`; `None` if it tells of something else, or of
    /// more strangers than `book` has room for.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<node::Event> {
        let mut peer = |id: &PeerId| book.intern(id).ok();
        Some(node::Event::Kad(match self {
            Self::Bootstrapped { contacts } => kad::Event::Bootstrapped { contacts: *contacts },
            Self::ContactAdded { peer: id } => kad::Event::ContactAdded { peer: peer(id)? },
            Self::ContactEvicted { peer: id } => kad::Event::ContactEvicted { peer: peer(id)? },
            Self::RecordStored { record } => {
                kad::Event::RecordStored { record: Arc::new(record.to_node(book)?) }
            }
            Self::RecordExpired { name } => kad::Event::RecordExpired { target: Arc::new(named(name)?) },
            Self::ProviderAdded { name, provider } => {
                kad::Event::ProviderAdded { target: Arc::new(named(name)?), provider: peer(provider)? }
            }
            Self::ProviderExpired { name, provider } => {
                kad::Event::ProviderExpired { target: Arc::new(named(name)?), provider: peer(provider)? }
            }
            Self::TurnedAway { .. }
            | Self::LinkUp { .. }
            | Self::Introduced { .. }
            | Self::LinkDown { .. }
            | Self::Panicked { .. } => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use kad::Target;
    use types::SharedBook;

    use super::*;

    #[test]
    fn what_a_node_tells_comes_back_in_another_book() {
        let id = |number| PeerId::from_ed25519(&[number; 32]);
        let mut own = Book::new(Arc::new(SharedBook::new(vec![id(0)])));
        let stranger = own.intern(&id(1)).unwrap();
        let target = Arc::new(Target::new(b"name"));
        let record = Arc::new(kad::Record {
            target: Target::new(b"name"),
            value: [1, 2].into(),
            publisher: Some(stranger),
            ttl_secs: 60,
        });
        let events = [
            kad::Event::Bootstrapped { contacts: 3 },
            kad::Event::ContactAdded { peer: stranger },
            kad::Event::ContactEvicted { peer: stranger },
            kad::Event::RecordStored { record },
            kad::Event::RecordExpired { target: Arc::clone(&target) },
            kad::Event::ProviderAdded { target: Arc::clone(&target), provider: stranger },
            kad::Event::ProviderExpired { target, provider: stranger },
        ];
        for event in events.map(node::Event::Kad) {
            let told = Event::of(&event, &own).unwrap();
            let text = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), told, "{text}");
            assert_eq!(told.to_node(&mut own), Some(event));
        }
    }
}
