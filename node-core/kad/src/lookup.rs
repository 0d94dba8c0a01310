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
    /// Enough providers are found.
    Providers(Box<Sought>),
    /// The closest peers are told who provides the target.
    Announce,
}

/// Providers that a lookup looks for, and those that it has found.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    pub(crate) enough: usize,
    pub(crate) found: Vec<PeerRef>,
}

impl Sought {
    /// Takes note of providers that were named, the asking peer `own` aside; whether they are enough by now.
    pub(crate) fn learn(&mut self, named: &[PeerRef], own: PeerRef) -> bool {
        for peer in named.iter().filter(|peer| **peer != own) {
            if self.found.len() < self.enough && !self.found.contains(peer) {
                self.found.push(*peer);
            }
        }
        self.found.len() >= self.enough
    }
}

impl GoalKind {
    /// Whether `echo` is the record that is being stored.
    pub(crate) fn stores(&self, echo: &Record) -> bool {
        match self {
            Self::Store(record) => record.target == echo.target && record.value == echo.value,
            Self::Find | Self::Get | Self::Providers(_) | Self::Announce => false,
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

/// A [`Ranked`] and what became of it, in one piece so that it takes no more room than the former alone.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    distance: u64,
    peer: PeerRef,
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

const _: () = assert!(size_of::<Candidate>() == size_of::<Ranked>());

impl Candidate {
    const fn ranked(&self) -> Ranked {
        Ranked { distance: self.distance, peer: self.peer }
    }
}

impl Lookup {
    /// A lookup that starts from these contacts, dealt out to its paths, and from these `seeds`, which get a path of
    /// their own: peers that are far away, among which a search from near ones would never arrive.
    pub(crate) fn new(
        serial: u32,
        target: Arc<Target>,
        goal: Goal,
        deadline: Instant,
        mut shape: Shape,
        (start, seeds): (&[Ranked], &[Ranked]),
        book: &Book,
    ) -> Self {
        let dealt = usize::from(shape.paths);
        if !seeds.is_empty() {
            shape.paths = (shape.paths + 1).min(MAX_PATHS as u16);
        }
        let mut lookup = Self {
            serial,
            target,
            goal,
            deadline,
            storing: None,
            shape,
            candidates: Vec::with_capacity(4 * usize::from(shape.k)),
            in_flight: [0; MAX_PATHS],
            messages: 0,
            timeouts: 0,
            hops: 0,
            known_in_round: None,
            nearest_answer: u64::MAX,
        };
        let start = start.iter().enumerate().map(|(place, ranked)| (ranked, place % dealt));
        let seeds = seeds.iter().map(|ranked| (ranked, usize::from(shape.paths) - 1));
        for (ranked, path) in start.chain(seeds) {
            if is_target(ranked, &lookup.target, book) {
                lookup.known_in_round = Some(0);
            }
            let place = lookup.find(*ranked, 0, book);
            lookup.learn(*ranked, place, path as u8, 1);
        }
        lookup
    }

    /// The next peer to be asked, and the path that asks it. The path with the fewest requests in flight goes first.
    pub(crate) fn next_request(&mut self) -> Option<(PeerRef, u8)> {
        let (in_flight, path, place) = (0..self.shape.paths)
            .filter_map(|path| {
                let in_flight = *self.in_flight.get(usize::from(path))?;
                let open = in_flight < self.shape.width(path);
                Some((in_flight, path, open.then(|| self.unasked(path))??))
            })
            .min()?;
        let candidate = self.candidates.get_mut(place)?;
        candidate.state = State::Asked;
        *self.in_flight.get_mut(usize::from(path))? = in_flight + 1;
        self.messages += 1;
        Some((candidate.peer, path as u8))
    }

    /// `peer` answered `path` and named these peers.
    pub(crate) fn answered(&mut self, peer: PeerRef, path: u8, named: &[PeerRef], own: PeerRef, book: &Book) {
        let Some(candidate) = self.settle(peer, path, State::Answered) else {
            return;
        };
        self.nearest_answer = self.nearest_answer.min(candidate.distance);
        let round = candidate.round;
        self.hops = self.hops.max(u16::from(round));
        // Names come nearest first, unless their sender cheats: each is looked for behind the one before.
        let (mut last, mut behind) = (0, 0);
        for peer in named.iter().filter(|peer| **peer != own) {
            let Some(ranked) = Ranked::new(*peer, self.target.key(), book) else {
                continue;
            };
            if self.known_in_round.is_none() && is_target(&ranked, &self.target, book) {
                self.known_in_round = Some(u16::from(round));
            }
            let from = if ranked.distance > last { behind } else { 0 };
            let place = self.find(ranked, from, book);
            last = ranked.distance;
            behind = self.learn(ranked, place, path, round.saturating_add(1));
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
        (0..self.shape.paths)
            .all(|path| self.nearest_of(path).all(|(_, candidate)| candidate.state == State::Answered))
    }

    /// How the search went.
    pub(crate) fn report(&self) -> Box<LookupReport> {
        Box::new(LookupReport {
            closest: self
                .candidates
                .iter()
                .filter(|candidate| candidate.state == State::Answered)
                .map(|candidate| candidate.peer)
                .take(usize::from(self.shape.k))
                .collect(),
            messages: self.messages,
            timeouts: self.timeouts,
            hops: self.hops,
            known_in_round: self.known_in_round,
            providers: match &self.goal.kind {
                GoalKind::Providers(sought) => sought.found.as_slice().into(),
                _ => Box::default(),
            },
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

    /// In which round `peer` is asked; 0 for one that it does not know.
    pub(crate) fn round_of(&self, peer: PeerRef) -> u8 {
        self.candidates.iter().find(|candidate| candidate.peer == peer).map_or(0, |candidate| candidate.round)
    }

    /// How many candidates are known only, asked, have answered, have failed.
    pub(crate) fn census(&self) -> [usize; 4] {
        [State::Known, State::Asked, State::Answered, State::Failed]
            .map(|state| self.candidates.iter().filter(|candidate| candidate.state == state).count())
    }

    /// Peers that this lookup holds on to.
    pub(crate) fn for_each_ref(&self, mut each: impl FnMut(PeerRef)) {
        self.candidates.iter().for_each(|candidate| each(candidate.peer));
        if let GoalKind::Store(record) = &self.goal.kind {
            record.publisher.into_iter().for_each(&mut each);
        }
        if let GoalKind::Providers(sought) = &self.goal.kind {
            sought.found.iter().copied().for_each(&mut each);
        }
        if let Some(storing) = &self.storing {
            storing.report.closest.iter().copied().for_each(each);
        }
    }

    /// Whether candidates are in order, bounded, and the nearest answer is still among them.
    pub(crate) fn is_sound(&self, book: &Book) -> bool {
        let ordered = self.candidates.is_sorted_by(|nearer, farther| {
            nearer.ranked().order(&farther.ranked(), self.target.key(), book).is_lt()
        });
        let nearest = self
            .candidates
            .iter()
            .find(|candidate| candidate.state == State::Answered)
            .map_or(u64::MAX, |candidate| candidate.distance);
        let asked = self.candidates.iter().filter(|candidate| candidate.state == State::Asked).count();
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
        self.nearest_of(path).find(|(_, candidate)| candidate.state == State::Known).map(|(place, _)| place)
    }

    /// Takes note of how a request ended; `None` if none was in flight to that peer.
    fn settle(&mut self, peer: PeerRef, path: u8, state: State) -> Option<Candidate> {
        let candidate = self
            .candidates
            .iter_mut()
            .find(|candidate| candidate.peer == peer && candidate.state == State::Asked)?;
        candidate.state = state;
        let in_flight = self.in_flight.get_mut(usize::from(path))?;
        *in_flight = in_flight.saturating_sub(1);
        Some(*candidate)
    }

    /// Where `ranked` stands among the candidates, all before `from` being nearer: there, or where it would be inserted.
    /// It is usually a few places on.
    fn find(&self, ranked: Ranked, from: usize, book: &Book) -> Result<usize, usize> {
        const STEPS: usize = 8;
        let target = self.target.key();
        let behind = self.candidates.get(from..).unwrap_or(&[]);
        let nearer = behind.iter().take(STEPS).take_while(|candidate| candidate.distance < ranked.distance);
        let from = from + nearer.count();
        let rest = self.candidates.get(from..).unwrap_or(&[]);
        match rest.first() {
            None => Err(from),
            Some(first) if first.distance > ranked.distance => Err(from),
            Some(first) if first.peer == ranked.peer => Ok(from),
            Some(_) => rest
                .binary_search_by(|candidate| candidate.ranked().order(&ranked, target, book))
                .map(|place| from + place)
                .map_err(|place| from + place),
        }
    }

    /// Takes up a peer that was found, or not, at this place; returns the place behind it.
    fn learn(&mut self, ranked: Ranked, place: Result<usize, usize>, path: u8, round: u8) -> usize {
        let place = match place {
            Ok(known) => {
                if let Some(candidate) = self.candidates.get_mut(known) {
                    candidate.paths |= 1 << path;
                }
                return known + 1;
            }
            Err(place) => place,
        };
        if self.candidates.len() >= MAX_CANDIDATES && !self.make_room(place, path) {
            return place;
        }
        let Ranked { distance, peer } = ranked;
        let candidate = Candidate { distance, peer, paths: 1 << path, round, state: State::Known };
        self.candidates.insert(place, candidate);
        place + 1
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{book, peer};
    use alloc::collections::BTreeSet;
    use alloc::vec;
    use core::ops::Range;

    const FIND: Goal = Goal { operation: None, kind: GoalKind::Find };

    fn ranked(peers: Range<u32>, target: &Target, book: &Book) -> Vec<Ranked> {
        let mut ranked: Vec<_> =
            peers.map(|number| Ranked::new(peer(number), target.key(), book).unwrap()).collect();
        ranked.sort_by(|a, b| a.order(b, target.key(), book));
        ranked
    }

    fn lookup(shape: Shape, contacts: Range<u32>, seeds: Range<u32>, book: &Book) -> Lookup {
        let target = Arc::new(Target::new(b"name"));
        let starts = (ranked(contacts, &target, book), ranked(seeds, &target, book));
        Lookup::new(0, target, FIND, Instant::NEVER, shape, (&starts.0, &starts.1), book)
    }

    #[test]
    fn paths_share_no_peer_and_learn_from_their_own_alone() {
        let book = book(60);
        let mut lookup = lookup(Shape { k: 10, alpha: 3, paths: 3 }, 1..10, 0..0, &book);
        let mut asked = BTreeSet::new();
        let mut by_path = [0; 3];
        let mut next = 10;
        while let Some((peer_asked, path)) = lookup.next_request() {
            assert!(asked.insert(peer_asked), "nobody is asked twice");
            by_path[usize::from(path)] += 1;
            let named: Vec<_> = (next..(next + 4).min(60)).map(peer).collect();
            next += 4;
            lookup.answered(peer_asked, path, &named, peer(0), &book);
            let learned: Vec<_> =
                lookup.candidates.iter().filter(|candidate| named.contains(&candidate.peer)).collect();
            assert!(learned.iter().all(|candidate| candidate.paths == 1 << path));
            assert!(lookup.is_sound(&book));
        }
        assert!(lookup.is_finished());
        assert!(by_path.iter().all(|count| *count >= 3), "{by_path:?}");
        assert_eq!(lookup.report().messages as usize, asked.len());
    }

    #[test]
    fn alpha_requests_are_in_flight_and_each_path_has_one_at_least() {
        let book = book(60);
        for (alpha, paths, in_flight) in [(1, 1, 1), (3, 1, 3), (1, 4, 4), (6, 4, 6), (32, 1, 20)] {
            let mut lookup = lookup(Shape { k: 20, alpha, paths }, 1..21, 0..0, &book);
            while lookup.next_request().is_some() {}
            assert_eq!(lookup.in_flight(), in_flight, "alpha {alpha}, d {paths}");
        }
    }

    #[test]
    fn a_seed_has_a_path_of_its_own_and_is_asked_however_far_it_is() {
        let book = book(60);
        let far = ranked(1..60, &Target::new(b"name"), &book)[58].peer.index().unwrap() as u32;
        let shape = Shape { k: 3, alpha: 1, paths: 1 };
        let mut lookup = lookup(shape, 1..far.max(10), far..far + 1, &book);
        let asked: Vec<_> = core::iter::from_fn(|| lookup.next_request()).collect();
        assert!(asked.contains(&(peer(far), 1)), "{asked:?}");
    }

    #[test]
    fn failed_peers_make_room_for_farther_ones() {
        let book = book(60);
        let mut lookup = lookup(Shape { k: 2, alpha: 1, paths: 1 }, 1..5, 0..0, &book);
        let all: Vec<_> = lookup.candidates.iter().map(|candidate| candidate.peer).collect();
        for (place, peer_asked) in all.iter().enumerate() {
            assert!(!lookup.is_finished());
            assert_eq!(lookup.next_request(), Some((*peer_asked, 0)));
            if place < 2 {
                lookup.failed(*peer_asked, 0);
            } else {
                lookup.answered(*peer_asked, 0, &[], peer(0), &book);
            }
        }
        assert!(lookup.is_finished());
        let report = lookup.report();
        assert_eq!((report.closest.to_vec(), report.timeouts), (vec![all[2], all[3]], 2));
    }

    #[test]
    fn rounds_are_counted_by_who_named_whom() {
        let book = book(60);
        let mut lookup = lookup(Shape { k: 20, alpha: 1, paths: 1 }, 1..2, 0..0, &book);
        for (named, hops) in [(2, 1), (3, 2), (4, 3)] {
            let (asked, path) = lookup.next_request().unwrap();
            lookup.answered(asked, path, &[peer(named)], peer(0), &book);
            assert_eq!(lookup.report().hops, hops);
        }
    }

    #[test]
    fn a_path_that_names_crowds_crowds_out_nobody_else_s() {
        let book = book(3_000);
        let shape = Shape { k: 20, alpha: 2, paths: 2 };
        let mut lookup = lookup(shape, 1..21, 0..0, &book);
        let dealt: Vec<_> = lookup.candidates.iter().map(|candidate| candidate.peer).collect();
        let crowd: Vec<_> = (21..3_000).map(peer).collect();
        let (asked, path) = lookup.next_request().unwrap();
        lookup.answered(asked, path, &crowd, peer(0), &book);
        assert_eq!(lookup.candidates.len(), MAX_CANDIDATES);
        let other = 1 - path;
        let kept = lookup.candidates.iter().filter(|candidate| candidate.paths == 1 << other);
        let kept: Vec<_> = kept.map(|candidate| candidate.peer).collect();
        assert_eq!(kept.len(), 10);
        assert!(kept.iter().all(|peer| dealt.contains(peer)));
        assert!(lookup.is_sound(&book));
    }
}
