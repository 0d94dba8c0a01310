//! Operations: what a node is asked for, and how it ended.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use kad::{Operation, Target};
use serde::{Deserialize, Serialize};
use types::{Book, OperationId, PeerId, PeerRef};

/// An operation that a node is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Find the peers that are closest to a name.
    Lookup {
        /// The name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Store a value.
    Put {
        /// Under which name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// What.
        #[serde(with = "hex::serde")]
        value: Vec<u8>,
    },
    /// Find the value of a name.
    Get {
        /// The name.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Provide something.
    Announce {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
    },
    /// Find out who provides something.
    FindProviders {
        /// What.
        #[serde(with = "hex::serde")]
        name: Vec<u8>,
        /// How many are enough.
        enough: u16,
    },
}

impl Ask {
    /// What asks for `operation`.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        let name = |target: &Target| target.name().to_vec();
        match operation {
            Operation::Lookup(target) => Self::Lookup { name: name(target) },
            Operation::Put { target, value } => Self::Put { name: name(target), value: value.to_vec() },
            Operation::Get(target) => Self::Get { name: name(target) },
            Operation::Announce(target) => Self::Announce { name: name(target) },
            Operation::FindProviders { target, enough } => {
                Self::FindProviders { name: name(target), enough: *enough }
            }
        }
    }

    /// The operation that is asked for; `None` if its name is longer than a message allows.
    #[must_use]
    pub fn operation(self) -> Option<Operation> {
        let target = |name: Vec<u8>| named(&name).map(Arc::new);
        Some(match self {
            Self::Lookup { name } => Operation::Lookup(target(name)?),
            Self::Put { name, value } => Operation::Put { target: target(name)?, value: value.into() },
            Self::Get { name } => Operation::Get(target(name)?),
            Self::Announce { name } => Operation::Announce(target(name)?),
            Self::FindProviders { name, enough } => {
                Operation::FindProviders { target: target(name)?, enough }
            }
        })
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How long the node took for it.
    pub took_ns: u64,
    /// How its search went.
    pub report: Report,
    /// With which result.
    pub outcome: Outcome,
}

/// How a search went: [`kad::LookupReport`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The closest peers that answered, nearest first.
    pub closest: Vec<PeerId>,
    /// Requests sent.
    pub messages: u32,
    /// Requests that were not answered.
    pub timeouts: u32,
    /// The deepest round of any peer that answered.
    pub hops: u16,
    /// The round of the answer that first named the peer that was looked for.
    pub known_in_round: Option<u16>,
    /// The providers found.
    pub providers: Vec<PeerId>,
}

/// The result of an operation: [`kad::Outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A lookup ended.
    Found,
    /// A value was stored.
    Stored {
        /// Peers that acknowledged it as persisted.
        acknowledged: u16,
        /// Peers that were asked to store it.
        asked: u16,
    },
    /// A value was found.
    Value(Record),
    /// Nobody who was asked has it.
    NotFound,
    /// Peers were told who provides something.
    Announced {
        /// How many.
        told: u16,
    },
    /// Providers were found.
    Providers,
    /// Too many operations are under way.
    Busy,
    /// No peer answered at all.
    Isolated,
}

/// A record: [`kad::Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Under which name it is found.
    #[serde(with = "hex::serde")]
    pub name: Vec<u8>,
    /// What is stored.
    #[serde(with = "hex::serde")]
    pub value: Vec<u8>,
    /// Who stores it again.
    pub publisher: Option<PeerId>,
    /// How long it is to live, in seconds; 0 if nobody said.
    pub ttl_secs: u32,
}

impl Report {
    /// What `report` says, in ids.
    #[must_use]
    pub fn of(report: &kad::LookupReport, book: &Book) -> Self {
        let ids = |peers: &[PeerRef]| peers.iter().filter_map(|peer| book.id(*peer).copied()).collect();
        Self {
            closest: ids(&report.closest),
            messages: report.messages,
            timeouts: report.timeouts,
            hops: report.hops,
            known_in_round: report.known_in_round,
            providers: ids(&report.providers),
        }
    }

    /// The report, in the references of `book`; whom it has no room for is left out.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> kad::LookupReport {
        kad::LookupReport {
            closest: refs(&self.closest, book),
            messages: self.messages,
            timeouts: self.timeouts,
            hops: self.hops,
            known_in_round: self.known_in_round,
            providers: refs(&self.providers, book),
        }
    }
}

fn refs(ids: &[PeerId], book: &mut Book) -> Box<[PeerRef]> {
    ids.iter().filter_map(|id| book.intern(id).ok()).collect()
}

impl Record {
    /// What `record` holds.
    #[must_use]
    pub fn of(record: &kad::Record, book: &Book) -> Self {
        Self {
            name: record.target.name().to_vec(),
            value: record.value.to_vec(),
            publisher: record.publisher.and_then(|peer| book.id(peer).copied()),
            ttl_secs: record.ttl_secs,
        }
    }

    /// The record; `None` if its name is longer than a message allows.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<kad::Record> {
        Some(kad::Record {
            target: named(&self.name)?,
            value: self.value.as_slice().into(),
            publisher: self.publisher.and_then(|id| book.intern(&id).ok()),
            ttl_secs: self.ttl_secs,
        })
    }
}

pub(super) fn named(name: &[u8]) -> Option<Target> {
    (name.len() <= kad::message::MAX_NAME_BYTES).then(|| Target::new(name))
}

impl Outcome {
    /// In a word: the same in JSON and metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Stored { .. } => "stored",
            Self::Value(_) => "value",
            Self::NotFound => "not_found",
            Self::Announced { .. } => "announced",
            Self::Providers => "providers",
            Self::Busy => "busy",
            Self::Isolated => "isolated",
        }
    }

    /// What `outcome` says.
    #[must_use]
    pub fn of(outcome: &kad::Outcome, book: &Book) -> Self {
        match outcome {
            kad::Outcome::Found => Self::Found,
            kad::Outcome::Stored { acknowledged, asked } => {
                Self::Stored { acknowledged: *acknowledged, asked: *asked }
            }
            kad::Outcome::Value(record) => Self::Value(Record::of(record, book)),
            kad::Outcome::NotFound => Self::NotFound,
            kad::Outcome::Announced { told } => Self::Announced { told: *told },
            kad::Outcome::Providers => Self::Providers,
            kad::Outcome::Busy => Self::Busy,
            kad::Outcome::Isolated => Self::Isolated,
        }
    }

    /// The outcome; `None` if its record is none.
    #[must_use]
    pub fn to_node(&self, book: &mut Book) -> Option<kad::Outcome> {
        Some(match self {
            Self::Found => kad::Outcome::Found,
            Self::Stored { acknowledged, asked } => {
                kad::Outcome::Stored { acknowledged: *acknowledged, asked: *asked }
            }
            Self::Value(record) => kad::Outcome::Value(Arc::new(record.to_node(book)?)),
            Self::NotFound => kad::Outcome::NotFound,
            Self::Announced { told } => kad::Outcome::Announced { told: *told },
            Self::Providers => kad::Outcome::Providers,
            Self::Busy => kad::Outcome::Busy,
            Self::Isolated => kad::Outcome::Isolated,
        })
    }
}

impl Ended {
    /// The event of a node of which the operation `id` ended so; `None` if its record is none.
    #[must_use]
    pub fn to_node(&self, id: OperationId, book: &mut Book) -> Option<node::Event> {
        let report = Box::new(self.report.to_node(book));
        let outcome = self.outcome.to_node(book)?;
        Some(node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn an_operation_survives_the_way_through_json() {
        let target = || Arc::new(Target::new(b"name"));
        let operations = [
            Operation::Lookup(target()),
            Operation::Put { target: target(), value: [0, 255].into() },
            Operation::Get(target()),
            Operation::Announce(target()),
            Operation::FindProviders { target: target(), enough: 7 },
        ];
        for operation in operations {
            let text = serde_json::to_string(&Ask::of(&operation)).unwrap();
            let ask: Ask = serde_json::from_str(&text).unwrap();
            assert_eq!(ask.operation(), Some(operation), "{text}");
        }
        let long = Ask::Get { name: vec![0; kad::message::MAX_NAME_BYTES + 1] };
        assert_eq!(long.operation(), None);
    }
}
