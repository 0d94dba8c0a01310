//! What a client asks of the DHT, and what the DHT tells.

use alloc::boxed::Box;
use alloc::sync::Arc;

use types::{OperationId, PeerRef};

use crate::message::{Record, Target};
use crate::trace::Trace;

/// An operation that a client asks for; it ends with exactly one [`Event::OperationEnded`] of the same id, unless
/// the peer stops first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Under which id it ends.
    pub id: OperationId,
    /// What is asked.
    pub operation: Operation,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Find the k peers that are closest to this point.
    Lookup(Arc<Target>),
    /// Store a value with the peers that are closest to its name, and keep it stored.
    Put {
        /// Under which name.
        target: Arc<Target>,
        /// What.
        value: Box<[u8]>,
    },
    /// Find the value of this name.
    Get(Arc<Target>),
    /// Tell the peers that are closest to this name that one provides it oneself, and keep telling them.
    Announce(Arc<Target>),
    /// Find out who provides this, besides oneself.
    FindProviders {
        /// What.
        target: Arc<Target>,
        /// How many are enough, at most [`crate::MAX_SOUGHT`]; the search goes on to its end if it finds fewer.
        enough: u16,
    },
}

/// What happened in the DHT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An operation of a client ended.
    OperationEnded {
        /// Which.
        id: OperationId,
        /// How its search went.
        report: Box<LookupReport>,
        /// With which result.
        outcome: Outcome,
    },
    /// The table was filled for the first time after a start: the own id was looked up and every bucket refreshed, or
    /// the peer was started with a filled table.
    Bootstrapped {
        /// Contacts in the table by then.
        contacts: u32,
    },
    /// A contact entered a bucket.
    ContactAdded {
        /// Which.
        peer: PeerRef,
    },
    /// A contact left its bucket because it stopped answering.
    ContactEvicted {
        /// Which.
        peer: PeerRef,
    },
    /// A record was persisted here for the first time.
    RecordStored {
        /// Which.
        record: Arc<Record>,
    },
    /// A record's life ended here.
    RecordExpired {
        /// Where it was stored.
        target: Arc<Target>,
    },
    /// A peer is remembered here as one that provides this.
    ProviderAdded {
        /// What.
        target: Arc<Target>,
        /// Who.
        provider: PeerRef,
    },
    /// A provider did not announce itself again in time.
    ProviderExpired {
        /// What it provided.
        target: Arc<Target>,
        /// Who.
        provider: PeerRef,
    },
    /// A request was turned away.
    Refused {
        /// By whom it was made.
        peer: PeerRef,
        /// Why: a counted reason.
        reason: Refusal,
    },
    /// A step of a search; told only where somebody listens ([`crate::Effects::is_traced`]).
    Traced(Box<Trace>),
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The value is larger than [`crate::Config::max_record_size`].
    RecordTooLarge,
    /// [`crate::Config::max_records`] are held already.
    StoreFull,
    /// The disk did not take it.
    NotPersisted,
    /// It answers something that was not asked, or by somebody who was not asked.
    Unsolicited,
    /// It answers a request by the answer to another kind of request.
    WrongKind,
    /// This peer serves nobody.
    NotServing,
    /// It says that somebody else provides something.
    NotTheProvider,
    /// [`crate::Config::max_provided`] names are remembered already, or [`crate::Config::max_providers`] of this one.
    ProvidersFull,
    /// It names more peers than [`crate::Config::k`]: the rest was ignored.
    TooManyPeers,
}

impl Refusal {
    /// In a word: the same in logs, metrics and verdicts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RecordTooLarge => "record_too_large",
            Self::StoreFull => "store_full",
            Self::NotPersisted => "not_persisted",
            Self::Unsolicited => "unsolicited",
            Self::WrongKind => "wrong_kind",
            Self::NotServing => "not_serving",
            Self::NotTheProvider => "not_the_provider",
            Self::ProvidersFull => "providers_full",
            Self::TooManyPeers => "too_many_peers",
        }
    }
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A lookup ended: its report holds the closest peers that answered.
    Found,
    /// A value was stored.
    Stored {
        /// Peers that acknowledged it as persisted.
        acknowledged: u16,
        /// Peers that were asked to store it.
        asked: u16,
    },
    /// A value was found.
    Value(Arc<Record>),
    /// No peer that was asked holds a value, or knows a provider.
    NotFound,
    /// Peers were told who provides something. Whether they took note they do not say.
    Announced {
        /// How many.
        told: u16,
    },
    /// Providers were found: the report names them.
    Providers,
    /// Too many operations are under way at this peer ([`crate::MAX_LOOKUPS`]), or it keeps too many values stored
    /// ([`crate::MAX_PUBLISHED`]) or announced ([`crate::MAX_ANNOUNCED`]).
    Busy,
    /// No peer answered at all.
    Isolated,
}

/// How a search went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupReport {
    /// The closest peers that answered, nearest first, at most k.
    pub closest: Box<[PeerRef]>,
    /// Requests sent.
    pub messages: u32,
    /// Requests that were not answered.
    pub timeouts: u32,
    /// The deepest round of any peer that answered. A peer of the own table is asked in round 1; a peer named by an
    /// answer of round r is asked in round r + 1.
    pub hops: u16,
    /// If the target is a peer's id: the round of the answer that first named it; 0 if it was in the own table;
    /// `None` if no answer named it.
    pub known_in_round: Option<u16>,
    /// The providers found, in the order in which they were named.
    pub providers: Box<[PeerRef]>,
}
