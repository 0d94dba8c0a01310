//! When each peer is up: known ahead, the same for every shard.
//!
//! A peer joins, and each of its lives ends with the first fault that takes it down: a churn's session that runs out, a
//! crash, a leave. The fault that took it down brings it back, if anybody does; a fault that finds it down passes it by.
//!
//! What follows from a group's `join` alone is computed, not kept: a million peers that join and never leave cost the
//! few bytes of their group. Only peers that faults touch, or that join at random moments, have a list of their own.
//!
//! Invariants: a peer's events alternate between up and down, beginning with up; lives are counted from zero; nothing
//! happens at the run's end or later.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Digest, Duration, Instant, Purpose, Seed, Streams, mix};

use crate::PLAY;
use crate::plan::{Churn, Data, Fault, Group, Join, RecordedChurn, Restart, Session};
use crate::roster::{Chosen, Roster};

/// Lives of one peer: after so many it stays up. A session a second for twelve days.
pub const MAX_LIVES: u32 = 1 << 20;
/// Faults of a plan, so that an event names its fault in ten bits.
pub const MAX_FAULTS: usize = 1_000;

/// A peer comes up or goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifeEvent {
    /// When.
    pub at: Instant,
    /// Who.
    pub peer: u32,
    /// What happens to it.
    pub what: Life,
    /// The fault that took it down, or that brings it back.
    pub fault: Option<u16>,
}

/// A life begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The peer starts.
    Up {
        /// The how-manieth of its lives begins, counted from zero.
        incarnation: u32,
        /// What its disk holds.
        data: Data,
    },
    /// The peer stops.
    Down(Parting),
}

/// How a peer stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It says goodbye.
    Graceful,
    /// Without a word.
    Crash,
}

impl LifeEvent {
    /// Whether the peer is up afterwards.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.what, Life::Up { .. })
    }
}

/// All lives of all peers.
#[derive(Debug)]
pub struct Lifecycle {
    roster: Arc<Roster>,
    joins: Vec<Join>,
    duration: Duration,
    /// Peers with a list of their own, sorted.
    listed: Vec<u32>,
    /// Where the list of the peer at the same place of `listed` ends; it begins where the one before ends.
    ends: Vec<u32>,
    /// The lists, one after the other.
    turns: Vec<Turn>,
    /// Positions in `turns`, in the order of time.
    order: Vec<u32>,
}

/// A [`LifeEvent`] without what its place says.
#[derive(Clone, Copy, Debug)]
struct Turn {
    at: Instant,
    peer: u32,
    code: u32,
}

const UP: u32 = 1;
/// Of an up: its disk is kept. Of a down: it says goodbye.
const MILD: u32 = 2;
const FAULT_SHIFT: u32 = 2;
const FAULT_MASK: u32 = (1 << 10) - 1;
const LIFE_SHIFT: u32 = 12;

impl Turn {
    fn pack(event: &LifeEvent) -> Self {
        let code = match event.what {
            Life::Up { incarnation, data } => {
                UP | if data == Data::Kept { MILD } else { 0 } | incarnation << LIFE_SHIFT
            }
            Life::Down(Parting::Graceful) => MILD,
            Life::Down(Parting::Crash) => 0,
        };
        let fault = event.fault.map_or(0, |fault| u32::from(fault) + 1) & FAULT_MASK;
        Self { at: event.at, peer: event.peer, code: code | fault << FAULT_SHIFT }
    }

    const fn is_up(self) -> bool {
        self.code & UP != 0
    }

    fn unpack(self) -> LifeEvent {
        let mild = self.code & MILD != 0;
        let what = if self.is_up() {
            let data = if mild { Data::Kept } else { Data::Lost };
            Life::Up { incarnation: self.code >> LIFE_SHIFT, data }
        } else {
            Life::Down(if mild { Parting::Graceful } else { Parting::Crash })
        };
        let fault = (self.code >> FAULT_SHIFT & FAULT_MASK).checked_sub(1).map(|fault| fault as u16);
        LifeEvent { at: self.at, peer: self.peer, what, fault }
    }
}

impl Lifecycle {
    pub(crate) fn new(
        roster: &Arc<Roster>,
        groups: &[(String, Group)],
        faults: &[(Fault, String, Chosen)],
        duration: Duration,
        seed: Seed,
        digests: &[Digest],
    ) -> Self {
        let joins: Vec<_> = groups.iter().map(|(_, group)| group.join).collect();
        let mut lifecycle = Self {
            roster: Arc::clone(roster),
            joins,
            duration,
            listed: Vec::new(),
            ends: Vec::new(),
            turns: Vec::new(),
            order: Vec::new(),
        };
        let misfortunes = Misfortunes::new(roster, faults, duration);
        for group in 0..roster.groups() {
            for peer in roster.range(group) {
                let blows = misfortunes.of(peer);
                let at_random = matches!(lifecycle.joins.get(group), Some(Join::Poisson(_)));
                if blows.is_empty() && !at_random {
                    continue;
                }
                let digest = digests.get(peer as usize).copied().unwrap_or_default();
                let chance = Chance { seed, digest };
                let join = blows.iter().find_map(Blow::first_session);
                let join = join.unwrap_or_else(|| match lifecycle.joins.get(group) {
                    Some(Join::Poisson(over)) => chance.join(*over),
                    Some(Join::At(_) | Join::Ramp(_)) | None => lifecycle.join_of(group, peer),
                });
                Writer { peer, join, end: Instant::START + duration, chance, turns: &mut lifecycle.turns }
                    .write(&blows);
                lifecycle.listed.push(peer);
                lifecycle.ends.push(lifecycle.turns.len() as u32);
            }
        }
        lifecycle.order = (0..lifecycle.turns.len() as u32).collect();
        let turns = &lifecycle.turns;
        // Lists lie in the order of their peers, so that a position settles ties as (peer, order in its list) does.
        let key = |position: &u32| (turns.get(*position as usize).map(|turn| turn.at), *position);
        lifecycle.order.sort_unstable_by_key(key);
        lifecycle
    }

    /// Who the peers are.
    #[must_use]
    pub const fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// Whether `peer` is up at `at`: a life includes the instant of its beginning and not that of its end.
    #[must_use]
    pub fn is_up(&self, peer: u32, at: Instant) -> bool {
        self.up_since(peer, at).is_some()
    }

    /// When the life began that `peer` lives at `at`; `None` if it is down.
    #[must_use]
    pub fn up_since(&self, peer: u32, at: Instant) -> Option<Instant> {
        match self.list_of(peer) {
            Some(turns) => {
                let last = turns.partition_point(|turn| turn.at <= at).checked_sub(1)?;
                turns.get(last).filter(|turn| turn.is_up()).map(|turn| turn.at)
            }
            None => {
                let join = self.join_of(self.roster.group_of(peer)?, peer);
                (join <= at && join < Instant::START + self.duration).then_some(join)
            }
        }
    }

    /// Everything that happens, in the order of (instant, peer).
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            groups: (0..self.roster.groups())
                .map(|group| {
                    let first = self.roster.range(group).start;
                    GroupCursor { next: first, listed: self.listed.partition_point(|peer| *peer < first) }
                })
                .collect(),
            turn: 0,
        }
    }

    /// How many departures each fault makes, by its index.
    pub(crate) fn departures(&self, faults: usize) -> Vec<u64> {
        let mut departures = alloc::vec![0; faults];
        for event in self.turns.iter().map(|turn| turn.unpack()).filter(|event| !event.is_up()) {
            if let Some(count) = event.fault.and_then(|fault| departures.get_mut(usize::from(fault))) {
                *count += 1;
            }
        }
        departures
    }

    fn list_of(&self, peer: u32) -> Option<&[Turn]> {
        let place = self.listed.binary_search(&peer).ok()?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.turns.get(start as usize..*self.ends.get(place)? as usize)
    }

    /// When a peer of a group that does not join at random does so.
    fn join_of(&self, group: usize, peer: u32) -> Instant {
        let peers = self.roster.range(group);
        Instant::START
            + match self.joins.get(group) {
                Some(Join::At(at)) => *at,
                Some(Join::Ramp(over)) => {
                    let place = u128::from(peer.saturating_sub(peers.start));
                    let nanos = u128::from(over.as_nanos()) * place / (peers.len().max(1) as u128);
                    Duration::from_nanos(nanos as u64)
                }
                Some(Join::Poisson(_)) | None => Duration::MAX,
            }
    }
}

/// A place in the order of all life events.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    groups: Vec<GroupCursor>,
    /// Position in `order`.
    turn: usize,
}

/// A place among those of a group who have no list.
#[derive(Clone, Debug)]
struct GroupCursor {
    next: u32,
    /// Position in `listed` of the first peer from `next` on.
    listed: usize,
}

impl Cursor {
    /// The next event and where it comes from.
    fn find(&mut self, lifecycle: &Lifecycle) -> Option<(LifeEvent, Option<usize>)> {
        let turn =
            lifecycle.order.get(self.turn).and_then(|position| lifecycle.turns.get(*position as usize));
        let mut best = turn.map(|turn| (turn.unpack(), None));
        for (group, cursor) in self.groups.iter_mut().enumerate() {
            cursor.skip_listed(lifecycle);
            if cursor.next >= lifecycle.roster.range(group).end {
                continue;
            }
            let at = lifecycle.join_of(group, cursor.next);
            let sooner = best.is_none_or(|(event, _)| (at, cursor.next) < (event.at, event.peer));
            if sooner && at < Instant::START + lifecycle.duration {
                let what = Life::Up { incarnation: 0, data: Data::Lost };
                let event = LifeEvent { at, peer: cursor.next, what, fault: None };
                best = Some((event, Some(group)));
            }
        }
        best
    }

    /// When the next event is.
    pub(crate) fn at(&mut self, lifecycle: &Lifecycle) -> Option<Instant> {
        self.find(lifecycle).map(|(event, _)| event.at)
    }

    /// The next event.
    pub(crate) fn next(&mut self, lifecycle: &Lifecycle) -> Option<LifeEvent> {
        let (event, group) = self.find(lifecycle)?;
        match group.and_then(|group| self.groups.get_mut(group)) {
            Some(cursor) => cursor.next += 1,
            None => self.turn += 1,
        }
        Some(event)
    }
}

impl GroupCursor {
    fn skip_listed(&mut self, lifecycle: &Lifecycle) {
        while lifecycle.listed.get(self.listed) == Some(&self.next) {
            self.listed += 1;
            self.next += 1;
        }
    }
}

/// Where one peer's lives draw from.
#[derive(Clone, Copy)]
struct Chance {
    seed: Seed,
    digest: Digest,
}

impl Chance {
    fn join(self, over: Duration) -> Instant {
        let mut stream = Streams::new(self.seed, PLAY, self.digest, 0).stream(Purpose::new("join"), 0);
        Instant::from_nanos(stream.below(over.as_nanos()))
    }
}

/// What may befall peers, and whom.
struct Misfortunes<'a> {
    roster: &'a Roster,
    blows: Vec<(Blow<'a>, &'a Chosen)>,
}

/// A misfortune that takes a peer down.
#[derive(Clone, Copy)]
enum Blow<'a> {
    Stop { fault: u16, name: u64, at: Instant, parting: Parting, restart: Option<Restart> },
    Churn { fault: u16, name: u64, begin: Instant, end: Instant, churn: &'a Churn },
    Recorded { fault: u16, name: u64, sessions: &'a [Session], churn: &'a RecordedChurn },
}

impl Blow<'_> {
    /// When the first life begins by the record, if there is one: never for a peer that was never up.
    fn first_session(&self) -> Option<Instant> {
        match self {
            Self::Recorded { sessions, .. } => Some(sessions.first().map_or(Instant::NEVER, |(up, _)| *up)),
            Self::Stop { .. } | Self::Churn { .. } => None,
        }
    }
}

impl<'a> Misfortunes<'a> {
    fn new(roster: &'a Roster, faults: &'a [(Fault, String, Chosen)], duration: Duration) -> Self {
        let blow = |(index, (fault, name, victims)): (u16, &'a (Fault, String, Chosen))| {
            let (begin, end) = fault.window(duration);
            let blow = match fault {
                Fault::Churn(churn) => {
                    let end = end.unwrap_or(Instant::NEVER);
                    Blow::Churn { fault: index, name: mix::mix_name(name), begin, end, churn }
                }
                Fault::RecordedChurn(churn) => {
                    Blow::Recorded { fault: index, name: mix::mix_name(name), sessions: &[], churn }
                }
                Fault::Crash(crash) => Blow::Stop {
                    fault: index,
                    name: mix::mix_name(name),
                    at: begin,
                    parting: Parting::Crash,
                    restart: crash.restart,
                },
                Fault::Leave(leave) => Blow::Stop {
                    fault: index,
                    name: mix::mix_name(name),
                    at: begin,
                    parting: Parting::Graceful,
                    restart: leave.restart,
                },
                Fault::Partition(_)
                | Fault::Clog(_)
                | Fault::Loss(_)
                | Fault::Duplicate(_)
                | Fault::Reorder(_)
                | Fault::Freeze(_)
                | Fault::Skew(_) => return None,
            };
            Some((blow, victims))
        };
        Self { roster, blows: (0..).zip(faults).filter_map(blow).collect() }
    }

    fn of(&self, peer: u32) -> Vec<Blow<'a>> {
        let hit = self.blows.iter().filter(|(_, victims)| victims.includes(peer, self.roster));
        let of_peer = |(blow, victims): &(Blow<'a>, &Chosen)| match *blow {
            Blow::Recorded { fault, name, churn, .. } => {
                let sessions =
                    victims.rank(peer, self.roster).map_or(&[][..], |rank| churn.sessions.of(rank));
                Blow::Recorded { fault, name, sessions, churn }
            }
            blow => blow,
        };
        hit.map(of_peer).collect()
    }
}

/// How a life ends, and whether another follows.
#[derive(Clone, Copy)]
struct Ending {
    at: Instant,
    fault: u16,
    parting: Parting,
    back: Option<(Instant, Data)>,
}

/// Writes the list of one peer.
struct Writer<'a> {
    peer: u32,
    join: Instant,
    end: Instant,
    chance: Chance,
    turns: &'a mut Vec<Turn>,
}

impl Writer<'_> {
    fn write(mut self, blows: &[Blow<'_>]) {
        let mut start = Some((self.join, Data::Lost, None));
        for incarnation in 0..MAX_LIVES {
            let Some((born, data, fault)) = start.filter(|(born, ..)| *born < self.end) else {
                return;
            };
            self.turn(born, Life::Up { incarnation, data }, fault);
            let ending = blows
                .iter()
                .filter_map(|blow| self.ending(blow, born, incarnation))
                .min_by_key(|ending| (ending.at, ending.fault));
            let Some(ending) = ending.filter(|ending| ending.at < self.end) else {
                return;
            };
            self.turn(ending.at, Life::Down(ending.parting), Some(ending.fault));
            start = ending.back.map(|(at, data)| (at, data, Some(ending.fault)));
        }
    }

    fn turn(&mut self, at: Instant, what: Life, fault: Option<u16>) {
        self.turns.push(Turn::pack(&LifeEvent { at, peer: self.peer, what, fault }));
    }

    /// When `blow` would end the life that began at `born`.
    fn ending(&self, blow: &Blow<'_>, born: Instant, incarnation: u32) -> Option<Ending> {
        /// Nobody comes back at the instant of going, nor goes at the instant of coming.
        const LEAST: Duration = Duration::from_nanos(1);
        match *blow {
            // At the very instant of a start it comes after it.
            Blow::Stop { fault, name, at, parting, restart } => {
                let back = restart.map(|restart| {
                    let streams = Streams::new(self.chance.seed, PLAY, self.chance.digest, incarnation);
                    let after = restart.draw(&mut streams.stream(Purpose::new("restart"), name));
                    (at + after.max(LEAST), restart.data)
                });
                (at >= born).then_some(Ending { at, fault, parting, back })
            }
            Blow::Recorded { fault, name, sessions, churn } => {
                // A life that another fault began between two sessions lasts to the end of the next.
                let place = sessions.partition_point(|(_, down)| *down <= born);
                let (_, at) = sessions.get(place).filter(|(_, down)| *down < Instant::NEVER)?;
                let streams = Streams::new(self.chance.seed, PLAY, self.chance.digest, incarnation);
                let mut stream = streams.stream(Purpose::new("recorded churn"), name);
                let parting = if stream.happens(churn.graceful) { Parting::Graceful } else { Parting::Crash };
                let back = sessions.get(place + 1).map(|(up, _)| (*up, churn.data));
                Some(Ending { at: *at, fault, parting, back })
            }
            Blow::Churn { fault, name, begin, end, churn } => {
                let streams = Streams::new(self.chance.seed, PLAY, self.chance.digest, incarnation);
                let mut stream = streams.stream(Purpose::new("churn"), name);
                let at = born.max(begin) + churn.session.draw(&mut stream).max(LEAST);
                let parting = if stream.happens(churn.graceful) { Parting::Graceful } else { Parting::Crash };
                let back = at + churn.downtime.draw(&mut stream).max(LEAST);
                (at < end).then_some(Ending { at, fault, parting, back: Some((back.min(end), churn.data)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn lifecycle(join: Join, faults: &[(Fault, String, Chosen)]) -> Lifecycle {
        let groups = vec![("all".into(), Group { join, ..Group::of(1_000_000) })];
        let roster = Arc::new(Roster::new(&groups));
        Lifecycle::new(&roster, &groups, faults, Duration::from_mins(10), Seed(1), &[])
    }

    #[test]
    fn who_joins_by_plan_and_stays_costs_nothing() {
        for join in [Join::At(Duration::ZERO), Join::Ramp(Duration::from_mins(5))] {
            let lifecycle = lifecycle(join, &[]);
            assert_eq!((lifecycle.turns.len(), lifecycle.listed.len(), lifecycle.order.len()), (0, 0, 0));
            let mut cursor = lifecycle.cursor();
            assert_eq!(core::iter::from_fn(|| cursor.next(&lifecycle)).count(), 1_000_000);
        }
    }

    #[test]
    fn only_whom_a_fault_befalls_has_a_list() {
        let crash = r#"{"crash": {"victims": {}, "at": "1m"}}"#;
        let victims = Chosen::Peers(Arc::new([7, 999_999]));
        let faults = [(serde_json::from_str(crash).unwrap(), "crash".into(), victims)];
        let lifecycle = lifecycle(Join::At(Duration::ZERO), &faults);
        assert_eq!((lifecycle.listed.as_slice(), lifecycle.turns.len()), (&[7, 999_999][..], 4));
        assert_eq!(core::mem::size_of::<Turn>(), 16);
        let mut cursor = lifecycle.cursor();
        assert_eq!(core::iter::from_fn(|| cursor.next(&lifecycle)).count(), 1_000_002);
    }

    #[test]
    fn an_event_survives_being_packed() {
        for fault in [None, Some(0), Some(MAX_FAULTS as u16 - 1)] {
            for what in [
                Life::Up { incarnation: 0, data: Data::Kept },
                Life::Up { incarnation: MAX_LIVES - 1, data: Data::Lost },
                Life::Down(Parting::Graceful),
                Life::Down(Parting::Crash),
            ] {
                let event = LifeEvent { at: Instant::from_nanos(5), peer: 6, what, fault };
                assert_eq!(Turn::pack(&event).unpack(), event);
            }
        }
    }
}
