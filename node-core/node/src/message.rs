//! What travels between peers: one variant a layer.

use types::{Book, Fold, Mixer, PeerRef};

/// A message, typed. Its bytes are `wire`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The distributed hash table's.
    Kad(kad::Message),
}

impl Message {
    /// Calls `each` with every reference that this message carries.
    pub fn for_each_ref(&self, each: impl FnMut(PeerRef)) {
        match self {
            Self::Kad(message) => message.for_each_ref(each),
        }
    }

    /// Whether every reference in it belongs to the book's shared part, so that it means the same to all peers of
    /// this process.
    #[must_use]
    pub fn is_shareable(&self) -> bool {
        let mut shareable = true;
        self.for_each_ref(|peer| shareable &= peer.index().is_some());
        shareable
    }
}

impl Fold for Message {
    fn fold(&self, book: &Book, mixer: &mut Mixer) {
        match self {
            Self::Kad(message) => {
                mixer.word(1);
                message.fold(book, mixer);
            }
        }
    }
}
