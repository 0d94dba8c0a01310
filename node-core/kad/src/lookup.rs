//! An iterative lookup over disjoint paths: whom to ask next, and when it is over.
//!
//! The peers of the own table that are closest to the target are dealt out to d paths. Each path asks the nearest peers
//! that it knows of, and learns who is closer from their answers; what a peer answers is told to the path that asked
//! it, and no peer is asked twice. A path is done when the k nearest peers that it knows of, those that failed left
//! aside, have all answered; the lookup is done when all its paths are. In a static network of full tables the
//! result is exact: whoever answered last would have named somebody closer.
//!
//! It does not send anything and knows no time: [`crate::Kad`] drives it.
//!
//! Invariants: candidates are in the order of their distance; a peer that answered stays a candidate, so the distance
//! of the nearest answer never grows; there are at most [`MAX_CANDIDATES`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Book, Instant, OperationId, PeerRef};

use crate::event::LookupReport;
use crate::message::{Record, Target};
use crate::rank::Ranked;

/// Candidates of a lookup: 50 answers of 20 peers that nobody else names; 16 bytes each.
pub const MAX_CANDIDATES: usize = 1_024;
/// Paths of a lookup: bits of a candidate's path set.
pub const MAX_PATHS: usize = 16;

/// What a lookup is for.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// The client's operation; `None` for the peer's own maintenance.
    pub(crate) operation: Option<OperationId>,
    /// What ends it.
    pub(crate) kind: GoalKind,
}

/// What ends a lookup.
#[derive(Clone, Debug)]
pub(crate) enum GoalKind {
    /// The closest peers are known.
    Find,
    /// The value is found.
    Get,
    /// The value is stored with the closest peers.
    Store(Arc<Record>),
}

impl GoalKind {
    /// Whether `echo` is the record that is being stored.
    pub(crate) fn stores(&self, echo: &Record) -> bool {
        match self {
            Self::Store(record) => record.target == echo.target && record.value == echo.value,
            Self::Find | Self::Get => false,
        }
    }
}

/// One lookup under way.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) serial: u32,
    pub(crate) target: Arc<Target>,
    pub(crate) goal: Goal,
    /// When the search ends with what it has.
    pub(crate) deadline: Instant,
    /// Set once the search is over and its value is being stored.
    pub(crate) storing: Option<Storing>,
    shape: Shape,
    candidates: Vec<Candidate>,
    in_flight: [u8; MAX_PATHS],
    messages: u32,
    timeouts: u32,
    hops: u16,
    known_in_round: Option<u16>,
    /// The distance of the nearest peer that has answered.
    nearest_answer: u64,
}

/// The second half of a PUT.
#[derive(Debug)]
pub(crate) struct Storing {
    pub(crate) report: Box<LookupReport>,
    pub(crate) asked: u16,
    pub(crate) acknowledged: u16,
    pub(crate) waiting: u16,
}

/// k, alpha and d.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) k: u16,
    pub(crate) alpha: u16,
    pub(crate) paths: u16,
}

impl Shape {
    /// Requests that a path keeps in flight: its part of alpha, at least one.
    fn width(self, path: u16) -> u8 {
        let share = self.alpha / self.paths + u16::from(path < self.alpha % self.paths);
        share.clamp(1, u16::from(u8::MAX)) as u8
    }
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    ranked: Ranked,
    /// The paths that know of it, one bit each.
    paths: u16,
    /// In which round it is asked; deeper than 255 counts as 255.
    round: u8,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Known,
    Asked,
    Answered,
    Failed,
}

impl Lookup {
    /// A lookup that starts from these peers, nearest first.
    pub(crate) fn new(
        serial: u32,
        target: Arc<Target>,
        goal: Goal,
        deadline: Instant,
        shape: Shape,
        start: &[Ranked],
        book: &Book,
    ) -> Self {
        let mut candidates = Vec::with_capacity(4 * usize::from(shape.k));
        let mut known_in_round = None;
        for (place, ranked) in start.iter().enumerate().take(MAX_CANDIDATES) {
            if is_target(ranked, &target, book) {
                known_in_round = Some(0);
            }
            candidates.push(Candidate {
                ranked: *ranked,
                paths: 1 << (place % usize::from(shape.paths)),
                round: 1,
                state: State::Known,
            });
        }
        Self {
            serial,
            target,
            goal,
            deadline,
            storing: None,
            shape,
            candidates,
            in_flight: [0; MAX_PATHS],
            messages: 0,
            timeouts: 0,
            hops: 0,
            known_in_round,
            nearest_answer: u64::MAX,
        }
    }

    /// The next peer to be asked, and the path that asks it. The path with the fewest requests in flight goes first.
    pub(crate) fn next_request(&mut self) -> Option<(PeerRef, u8)> {
        let (in_flight, path) = (0..self.shape.paths)
            .filter_map(|path| {
                let in_flight = *self.in_flight.get(usize::from(path))?;
                let open = in_flight < self.shape.width(path) && self.unasked(path).is_some();
                open.then_some((in_flight, path))
            })
            .min()?;
        let place = self.unasked(path)?;
        let candidate = self.candidates.get_mut(place)?;
        candidate.state = State::Asked;
        *self.in_flight.get_mut(usize::from(path))? = in_flight + 1;
        self.messages += 1;
        Some((candidate.ranked.peer, path as u8))
    }

    /// `peer` answered `path` and named these peers.
    pub(crate) fn answered(&mut self, peer: PeerRef, path: u8, named: &[PeerRef], own: PeerRef, book: &Book) {
        let Some(candidate) = self.settle(peer, path, State::Answered) else {
            return;
        };
        self.nearest_answer = self.nearest_answer.min(candidate.ranked.distance);
        let round = candidate.round;
        self.hops = self.hops.max(u16::from(round));
        for peer in named.iter().filter(|peer| **peer != own) {
            let Some(ranked) = Ranked::new(*peer, self.target.key(), book) else {
                continue;
            };
            if self.known_in_round.is_none() && is_target(&ranked, &self.target, book) {
                self.known_in_round = Some(u16::from(round));
            }
            self.learn(ranked, path, round.saturating_add(1), book);
        }
    }

    /// `peer` will not answer `path`.
    pub(crate) fn failed(&mut self, peer: PeerRef, path: u8) {
        if self.settle(peer, path, State::Failed).is_some() {
            self.timeouts += 1;
        }
    }

    /// Whether every path is done.
    pub(crate) fn is_finished(&self) -> bool {
        (0..self.shape.paths).all(|path| {
            self.nearest_of(path)
                .all(|(_, candidate)| candidate.state == State::Answered)
        })
    }

    /// How the search went.
    pub(crate) fn report(&self) -> Box<LookupReport> {
        Box::new(LookupReport {
            closest: self
                .candidates
                .iter()
                .filter(|candidate| candidate.state == State::Answered)
                .map(|candidate| candidate.ranked.peer)
                .take(usize::from(self.shape.k))
                .collect(),
            messages: self.messages,
            timeouts: self.timeouts,
            hops: self.hops,
            known_in_round: self.known_in_round,
        })
    }

    /// The search is over: what is left is to store.
    pub(crate) fn begin_storing(&mut self, storing: Storing) {
        self.candidates = Vec::new();
        self.in_flight = [0; MAX_PATHS];
        self.deadline = Instant::NEVER;
        self.storing = Some(storing);
    }

    /// Requests of the search that wait for an answer.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.iter().map(|count| usize::from(*count)).sum()
    }

    /// Peers that this lookup holds on to.
    pub(crate) fn for_each_ref(&self, mut each: impl FnMut(PeerRef)) {
        self.candidates
            .iter()
            .for_each(|candidate| each(candidate.ranked.peer));
        if let GoalKind::Store(record) = &self.goal.kind {
            record.publisher.into_iter().for_each(&mut each);
        }
        if let Some(storing) = &self.storing {
            storing.report.closest.iter().copied().for_each(each);
        }
    }

    /// Whether candidates are in order, bounded, and the nearest answer is still among them.
    pub(crate) fn is_sound(&self, book: &Book) -> bool {
        let ordered = self.candidates.is_sorted_by(|nearer, farther| {
            nearer
                .ranked
                .order(&farther.ranked, self.target.key(), book)
                .is_lt()
        });
        let nearest = self
            .candidates
            .iter()
            .find(|candidate| candidate.state == State::Answered)
            .map_or(u64::MAX, |candidate| candidate.ranked.distance);
        let asked = self
            .candidates
            .iter()
            .filter(|candidate| candidate.state == State::Asked)
            .count();
        ordered
            && self.candidates.len() <= MAX_CANDIDATES
            && (self.storing.is_some() || (nearest == self.nearest_answer && asked == self.in_flight()))
    }

    /// The k nearest candidates of a path, those that failed left aside.
    fn nearest_of(&self, path: u16) -> impl Iterator<Item = (usize, &Candidate)> {
        self.candidates
            .iter()
            .enumerate()
            .filter(move |(_, candidate)| {
                (candidate.paths & (1 << path)) != 0 && candidate.state != State::Failed
            })
            .take(usize::from(self.shape.k))
    }

    fn unasked(&self, path: u16) -> Option<usize> {
        self.nearest_of(path)
            .find(|(_, candidate)| candidate.state == State::Known)
            .map(|(place, _)| place)
    }

    /// Takes note of how a request ended; `None` if none was in flight to that peer.
    fn settle(&mut self, peer: PeerRef, path: u8, state: State) -> Option<Candidate> {
        let candidate = self
            .candidates
            .iter_mut()
            .find(|candidate| candidate.ranked.peer == peer && candidate.state == State::Asked)?;
        candidate.state = state;
        let in_flight = self.in_flight.get_mut(usize::from(path))?;
        *in_flight = in_flight.saturating_sub(1);
        Some(*candidate)
    }

    fn learn(&mut self, ranked: Ranked, path: u8, round: u8, book: &Book) {
        let target = self.target.key();
        let place = self
            .candidates
            .binary_search_by(|candidate| candidate.ranked.order(&ranked, target, book));
        let place = match place {
            Ok(known) => {
                if let Some(candidate) = self.candidates.get_mut(known) {
                    candidate.paths |= 1 << path;
                }
                return;
            }
            Err(place) => place,
        };
        if self.candidates.len() >= MAX_CANDIDATES && !self.make_room(place, path) {
            return;
        }
        self.candidates.insert(
            place,
            Candidate {
                ranked,
                paths: 1 << path,
                round,
                state: State::Known,
            },
        );
    }

    /// Drops the farthest candidate behind `place` that only this path knows of and nobody asked: a path that names
    /// crowds crowds out nobody else's.
    fn make_room(&mut self, place: usize, path: u8) -> bool {
        let farthest = self
            .candidates
            .iter()
            .skip(place)
            .rposition(|candidate| candidate.state == State::Known && candidate.paths == 1 << path);
        match farthest {
            Some(behind) => {
                self.candidates.remove(place + behind);
                true
            }
            None => false,
        }
    }
}

fn is_target(ranked: &Ranked, target: &Target, book: &Book) -> bool {
    ranked.distance == 0 && book.key(ranked.peer) == Some(target.key())
}
