//! What peers of the DHT say to each other: requests and their answers, typed.
//!
//! The bytes (`/ipfs/kad/1.0.0`, protobuf) are `wire`'s. A message holds exactly what its bytes hold, so
//! that a run whose messages go through the codec cannot be told from one whose messages do not.

use alloc::boxed::Box;
use alloc::sync::Arc;

use types::{Book, Fold, Key, Mixer, PeerRef};

/// Bytes of a key's name on the wire, at most: libp2p bounds a whole message by 16 KiB; a name is an id or a
/// multihash.
pub const MAX_NAME_BYTES: usize = 128;

/// A request or its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks.
    Request(Request),
    /// Answers.
    Response(Response),
    /// Tells, and waits for no answer: somebody provides something.
    Notice(Arc<Announcement>),
}

/// That peers provide what has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What is provided.
    pub target: Arc<Target>,
    /// Who provides it. A peer speaks for itself alone: whom else it names is ignored.
    pub providers: Box<[PeerRef]>,
}

/// Who provides something, and who is closer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Providers {
    /// Who is known to provide it.
    pub providers: Box<[PeerRef]>,
    /// The closest peers known, nearest first.
    pub closer: Box<[PeerRef]>,
}

/// What is asked of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Which peers do you know that are closest to this key?
    FindNode(Arc<Target>),
    /// Store this record. Answered by [`Response::Stored`] once it is persisted.
    PutValue(Arc<Record>),
    /// Have you a record of this key, and who is closer?
    GetValue(Arc<Target>),
    /// Who provides this, and who is closer?
    GetProviders(Arc<Target>),
}

/// The answer to a request of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// To [`Request::FindNode`]: the closest peers known, nearest first.
    Nodes(Box<[PeerRef]>),
    /// To [`Request::PutValue`]: persisted. Echoes the record.
    Stored(Arc<Record>),
    /// To [`Request::GetValue`].
    Value {
        /// The record, if there is one here.
        record: Option<Arc<Record>>,
        /// The closest peers known, nearest first.
        closer: Box<[PeerRef]>,
    },
    /// To [`Request::GetProviders`]; boxed, so that it makes no other message larger.
    Providers(Box<Providers>),
}

/// A point of the key space by its name: the bytes that travel, and the key they hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    name: Box<[u8]>,
    key: Key,
}

impl Target {
    /// The point whose key is the SHA-256 of `name`.
    ///
    /// # Panics
    /// If the name is longer than [`MAX_NAME_BYTES`]: the codec and the commands bound it.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        assert!(name.len() <= MAX_NAME_BYTES, "a name of {} bytes exceeds {MAX_NAME_BYTES}", name.len());
        Self { name: name.into(), key: Key::of(name) }
    }

    /// The bytes that travel.
    #[must_use]
    pub const fn name(&self) -> &[u8] {
        &self.name
    }

    /// The point itself.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }
}

/// A value and the name under which it is found, as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is stored.
    pub target: Target,
    /// What is stored.
    pub value: Box<[u8]>,
    /// Who stores it again when it is about to expire; `None` if its sender does not say.
    pub publisher: Option<PeerRef>,
    /// How long it is to live from now on, in seconds; 0 if its sender does not say.
    pub ttl_secs: u32,
}

impl Message {
    /// Calls `each` with every reference that this message carries.
    pub fn for_each_ref(&self, mut each: impl FnMut(PeerRef)) {
        match self {
            Self::Request(Request::PutValue(record)) | Self::Response(Response::Stored(record)) => {
                record.publisher.into_iter().for_each(each);
            }
            Self::Request(Request::FindNode(_) | Request::GetValue(_) | Request::GetProviders(_)) => {}
            Self::Response(Response::Nodes(closer)) => closer.iter().copied().for_each(each),
            Self::Response(Response::Value { record, closer }) => {
                record.iter().filter_map(|record| record.publisher).for_each(&mut each);
                closer.iter().copied().for_each(each);
            }
            Self::Response(Response::Providers(answer)) => {
                answer.providers.iter().chain(&answer.closer).copied().for_each(each);
            }
            Self::Notice(announcement) => announcement.providers.iter().copied().for_each(each),
        }
    }
}

impl Fold for Message {
    fn fold(&self, book: &Book, mixer: &mut Mixer) {
        match self {
            Self::Request(Request::FindNode(target)) => {
                mixer.word(1);
                mixer.bytes(target.name());
            }
            Self::Request(Request::PutValue(record)) => {
                mixer.word(2);
                record.fold(book, mixer);
            }
            Self::Request(Request::GetValue(target)) => {
                mixer.word(3);
                mixer.bytes(target.name());
            }
            Self::Response(Response::Nodes(closer)) => {
                mixer.word(4);
                fold_peers(closer, book, mixer);
            }
            Self::Response(Response::Stored(record)) => {
                mixer.word(5);
                record.fold(book, mixer);
            }
            Self::Response(Response::Value { record, closer }) => {
                mixer.word(6);
                match record {
                    Some(record) => record.fold(book, mixer),
                    None => mixer.word(0),
                }
                fold_peers(closer, book, mixer);
            }
            Self::Request(Request::GetProviders(target)) => {
                mixer.word(7);
                mixer.bytes(target.name());
            }
            Self::Response(Response::Providers(answer)) => {
                mixer.word(8);
                fold_peers(&answer.providers, book, mixer);
                fold_peers(&answer.closer, book, mixer);
            }
            Self::Notice(announcement) => {
                mixer.word(9);
                mixer.bytes(announcement.target.name());
                fold_peers(&announcement.providers, book, mixer);
            }
        }
    }
}

impl Fold for Record {
    fn fold(&self, book: &Book, mixer: &mut Mixer) {
        mixer.bytes(self.target.name());
        mixer.bytes(&self.value);
        mixer.word(self.publisher.map_or(0, |peer| book.digest(peer).0));
        mixer.word(u64::from(self.ttl_secs));
    }
}

fn fold_peers(peers: &[PeerRef], book: &Book, mixer: &mut Mixer) {
    mixer.word(peers.len() as u64);
    for peer in peers {
        mixer.word(book.digest(*peer).0);
    }
}
