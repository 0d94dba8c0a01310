//! How a search goes, step by step, for whoever asks for it; and the searches under way.
//!
//! Steps are told only where [`Effects::is_traced`] says that somebody listens: a search has
//! a few dozen of them, and most of the peers of a network nobody watches that closely. What a peer does is the same
//! either way.

use alloc::boxed::Box;
use alloc::sync::Arc;

use types::{Instant, OperationId, PeerRef, SendFailure};

use crate::event::Event;
use crate::exchanges::{Pending, Purpose};
use crate::lookup::{GoalKind, Lookup};
use crate::machine::Kad;
use crate::message::{Response, Target};
use crate::{Context, Effects};

/// One step of one search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Which search, among those of one life of its peer.
    pub search: u32,
    /// What happened.
    pub step: Step,
}

/// A step of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It begins.
    Began {
        /// For which operation; none for the peer's own maintenance.
        operation: Option<OperationId>,
        /// About which point.
        target: Arc<Target>,
        /// With which peers of the own table, nearest first.
        contacts: Box<[PeerRef]>,
    },
    /// A peer is asked.
    Asked {
        /// Who.
        peer: PeerRef,
        /// By which of the disjoint paths.
        path: u8,
        /// In which round: one more than that of the answer that named it.
        round: u8,
    },
    /// A peer answered.
    Answered {
        /// Who.
        peer: PeerRef,
        /// To which path.
        path: u8,
        /// Whom it named, nearest first.
        named: Box<[PeerRef]>,
    },
    /// A peer will not answer.
    Unanswered {
        /// Who.
        peer: PeerRef,
        /// Which path had asked it.
        path: u8,
        /// Why; none if it answered something else than was asked.
        reason: Option<SendFailure>,
    },
    /// It is over.
    Ended(SearchEnd),
}

/// Why a search asks nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchEnd {
    /// On each path, the k nearest peers that are known and did not fail have answered.
    Complete,
    /// Its time was up.
    OutOfTime,
    /// The value was found.
    ValueFound,
    /// Enough providers were found.
    ProvidersFound,
}

/// A search under way, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which, among those of this life.
    pub search: u32,
    /// For which operation; none for the peer's own maintenance.
    pub operation: Option<OperationId>,
    /// What it is to end with.
    pub aim: Aim,
    /// About which point.
    pub target: Arc<Target>,
    /// When it ends with what it has; never, once it only stores.
    pub deadline: Instant,
    /// Peers that it knows and has not asked.
    pub known: usize,
    /// Peers that it has asked and that have not answered yet.
    pub asked: usize,
    /// Peers that answered.
    pub answered: usize,
    /// Peers that will not.
    pub failed: usize,
}

/// What a search is to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The closest peers.
    Peers,
    /// A value.
    Value,
    /// A value stored with the closest peers.
    Storage,
    /// Those who provide something.
    Providers,
    /// The closest peers told of a provider.
    Announcement,
}

impl Kad {
    /// The searches under way, the peer's own included, in the order in which they began.
    pub fn searches(&self) -> impl Iterator<Item = Search> {
        self.lookups.iter().map(|lookup| {
            let [known, asked, answered, failed] = lookup.census();
            Search {
                search: lookup.serial,
                operation: lookup.goal.operation,
                aim: match &lookup.goal.kind {
                    GoalKind::Find => Aim::Peers,
                    GoalKind::Get => Aim::Value,
                    GoalKind::Store(_) => Aim::Storage,
                    GoalKind::Providers(_) => Aim::Providers,
                    GoalKind::Announce => Aim::Announcement,
                },
                target: Arc::clone(&lookup.target),
                deadline: lookup.deadline,
                known,
                asked,
                answered,
                failed,
            }
        })
    }

    /// How many values this peer keeps stored for its own clients.
    #[must_use]
    pub fn published_count(&self) -> usize {
        self.published.iter().count()
    }
}

/// Tells a step, if somebody listens.
pub(crate) fn tell<E: Effects>(cx: &mut Context<'_, E>, search: u32, step: impl FnOnce() -> Step) {
    if cx.effects.is_traced() {
        let trace = Box::new(Trace { search, step: step() });
        cx.effects.event(Event::Traced(trace));
    }
}

/// Tells that a search asks `peer`.
pub(crate) fn asked<E: Effects>(effects: &mut E, lookup: &Lookup, peer: PeerRef, path: u8) {
    if effects.is_traced() {
        let step = Step::Asked { peer, path, round: lookup.round_of(peer) };
        effects.event(Event::Traced(Box::new(Trace { search: lookup.serial, step })));
    }
}

/// Tells that a request of a search was answered, if it was one of a search.
pub(crate) fn answered<E: Effects>(cx: &mut Context<'_, E>, pending: &Pending, response: &Response) {
    let named = match response {
        Response::Nodes(named) | Response::Value { closer: named, .. } => named,
        Response::Providers(answer) => &answer.closer,
        Response::Stored(_) => return,
    };
    if let Some((lookup, path)) = searching(pending.purpose) {
        tell(cx, lookup, || Step::Answered { peer: pending.peer, path, named: named.clone() });
    }
}

/// Tells that a request of a search will not be answered, if it was one of a search.
pub(crate) fn unanswered<E: Effects>(
    cx: &mut Context<'_, E>,
    pending: &Pending,
    reason: Option<SendFailure>,
) {
    if let Some((lookup, path)) = searching(pending.purpose) {
        tell(cx, lookup, || Step::Unanswered { peer: pending.peer, path, reason });
    }
}

/// The search, and its path, that a request was sent for.
const fn searching(purpose: Purpose) -> Option<(u32, u8)> {
    match purpose {
        Purpose::AskNodes { lookup, path }
        | Purpose::AskValue { lookup, path }
        | Purpose::AskProviders { lookup, path } => Some((lookup, path)),
        Purpose::Store { .. } | Purpose::Check => None,
    }
}
