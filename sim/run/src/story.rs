//! One operation's search, told from its beginning to its end, beside the truth.

use std::collections::{BTreeMap, BTreeSet};

use kad::trace::{SearchEnd, Step as SearchStep};
use node::Command;
use record::OperationRow;
use serde::Serialize;
use types::{Instant, Key, OperationId, PeerRef, SendFailure};

use crate::inquiry::{Answer, Step};
use crate::state::Named;
use crate::who::{hex, number};

/// What became of an operation, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Its number in `operations.csv`.
    pub operation: u64,
    /// `lookup`, `put`, `get`.
    pub kind: String,
    /// The name of the workload that asked.
    pub workload: String,
    /// Of whom.
    pub peer: Named,
    /// About which point of the key space, in hex.
    pub key: String,
    /// The peer whose own key that is, if it is one's.
    pub target: Option<Named>,
    /// When it was asked.
    pub began_ns: u64,
    /// When it ended; none if the run or the peer's life ended first.
    pub ended_ns: Option<u64>,
    /// Contacts of the own table that it began with.
    pub contacts: usize,
    /// Who was asked, in order.
    pub asked: Vec<Asked>,
    /// Why nobody else was.
    pub stop: Stop,
    /// With what it ended.
    pub outcome: String,
    /// The deepest round of any answer.
    pub hops: Option<u16>,
    /// The k peers that were the closest among those up at the end, the asked one aside, nearest first.
    pub truth: Vec<True>,
    /// How many of these it found; none if it did not end.
    pub found: Option<usize>,
}

/// One request of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Who.
    pub peer: Named,
    /// Leading bits that its key shares with the point: the more, the closer.
    pub prefix: u32,
    /// By which of the disjoint paths.
    pub path: u8,
    /// In which round.
    pub round: u8,
    /// The place in this list of the answer that first named it; none for a contact of the own table.
    pub named_by: Option<usize>,
    /// When.
    pub at_ns: u64,
    /// When it answered or was given up.
    pub ended_ns: Option<u64>,
    /// `answered`, `timeout`, `unreachable`, …; `waiting` if the search ended first.
    pub end: &'static str,
    /// Peers that it named.
    pub named: usize,
    /// Of these, nobody had named before to this search.
    pub new: usize,
    /// Of these, closer to the point than itself.
    pub closer: usize,
}

/// Why a search asked nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All of the k nearest that were known and did not fail had answered.
    Complete,
    /// Its time was up.
    OutOfTime,
    /// It had the value.
    ValueFound,
    /// It had enough providers.
    ProvidersFound,
    /// Its peer stopped.
    PeerStopped,
    /// The run ended.
    RunEnded,
    /// It asked nobody at all: the answer was at hand, or the peer too busy.
    NoSearch,
}

/// A peer that was to be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct True {
    /// Who.
    pub peer: Named,
    /// Leading bits that its key shares with the point.
    pub prefix: u32,
    /// What the search had to do with it.
    pub fate: Fate,
}

/// What a search had to do with a peer that was to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is in the result.
    Found,
    /// It answered and is not in the result: others were nearer when the search looked.
    Answered,
    /// It was asked, and did not answer in time.
    Unanswered,
    /// It was named and not asked.
    NotAsked,
    /// Nobody named it.
    NeverNamed,
}

/// What the steps of one search add up to.
#[derive(Default)]
struct Thread {
    search: Option<u32>,
    contacts: usize,
    asked: Vec<Asked>,
    /// Whom the search has heard of, and by which answer first.
    heard: BTreeMap<PeerRef, Option<usize>>,
    end: Option<SearchEnd>,
    ended: Option<Instant>,
    outcome: Option<kad::Outcome>,
    report: Option<kad::LookupReport>,
    abandoned: bool,
}

impl Answer {
    /// The story of this operation, whose peer was looked at with [`Keep::Steps`](crate::Keep::Steps); none if it did
    /// not happen.
    #[must_use]
    pub fn story(&self, row: &OperationRow) -> Option<Story> {
        let own = self.steps.iter().filter(|(_, peer, _)| *peer == row.peer);
        let began = own.clone().find_map(|(at, _, step)| match step {
            Step::Began(Command::Kad(command))
                if at.as_nanos() == row.start_ns && hex(point(command).as_bytes()) == row.key =>
            {
                Some((command.id, *point(command)))
            }
            _ => None,
        });
        let (id, key) = began?;
        let mut thread = Thread::default();
        for (at, _, step) in own {
            thread.follow(self, id, &key, *at, step);
        }
        Some(self.told(row, &key, thread))
    }

    fn told(&self, row: &OperationRow, key: &Key, thread: Thread) -> Story {
        let who = &self.who;
        let at = thread.ended.unwrap_or(self.ended);
        let oracle = who.truth(at);
        let mut closest = Vec::new();
        oracle.closest(key, who.k(row.peer), Some(row.peer), &mut closest);
        let named =
            |peer: u32| Named { number: Some(peer), name: who.name(peer), up: oracle.is_online(peer) };
        let truth: Vec<_> = closest
            .iter()
            .map(|peer| True {
                peer: named(*peer),
                prefix: who.key(*peer).map_or(0, |other| other.common_prefix(key)),
                fate: thread.fate(*peer),
            })
            .collect();
        let stop = match (thread.end, thread.search) {
            (Some(SearchEnd::Complete), _) => Stop::Complete,
            (Some(SearchEnd::OutOfTime), _) => Stop::OutOfTime,
            (Some(SearchEnd::ValueFound), _) => Stop::ValueFound,
            (Some(SearchEnd::ProvidersFound), _) => Stop::ProvidersFound,
            (None, _) if thread.abandoned => Stop::PeerStopped,
            (None, None) if thread.outcome.is_some() => Stop::NoSearch,
            (None, _) => Stop::RunEnded,
        };
        let target = (0..who.peers())
            .filter_map(|peer| u32::try_from(peer).ok())
            .find(|peer| who.key(*peer) == Some(key));
        Story {
            operation: row.operation,
            kind: row.kind.clone(),
            workload: who.workload(row.workload),
            peer: named(row.peer),
            key: row.key.clone(),
            target: target.map(named),
            began_ns: row.start_ns,
            ended_ns: thread.ended.map(Instant::as_nanos),
            contacts: thread.contacts,
            stop,
            outcome: thread.outcome.as_ref().map_or_else(|| "none".to_owned(), outcome_in_words),
            hops: thread.report.as_ref().map(|report| report.hops),
            found: thread
                .report
                .is_some()
                .then(|| truth.iter().filter(|peer| peer.fate == Fate::Found).count()),
            truth,
            asked: thread.asked,
        }
    }
}

impl Thread {
    fn follow(&mut self, answer: &Answer, id: OperationId, key: &Key, at: Instant, step: &Step) {
        match step {
            Step::Abandoned(other) if *other == id => self.abandoned = true,
            Step::Told(node::Event::Kad(kad::Event::OperationEnded { id: other, report, outcome }))
                if *other == id =>
            {
                self.ended = Some(at);
                self.outcome = Some(outcome.clone());
                self.report = Some((**report).clone());
            }
            Step::Told(node::Event::Kad(kad::Event::Traced(trace))) => {
                if let SearchStep::Began { operation: Some(other), .. } = &trace.step
                    && *other == id
                {
                    self.search = Some(trace.search);
                }
                let over = self.end.is_some() || self.abandoned;
                if self.search == Some(trace.search) && !over {
                    self.step(answer, key, at, &trace.step);
                }
            }
            Step::Began(_) | Step::Told(_) | Step::Abandoned(_) => {}
        }
    }

    fn step(&mut self, answer: &Answer, key: &Key, at: Instant, step: &SearchStep) {
        match step {
            SearchStep::Began { contacts, .. } => {
                self.contacts = contacts.len();
                self.heard.extend(contacts.iter().map(|peer| (*peer, None)));
            }
            SearchStep::Asked { peer, path, round } => {
                let named_by = self.heard.get(peer).copied().flatten();
                self.asked.push(Asked {
                    peer: named(answer, *peer, at),
                    prefix: prefix(answer, *peer, key),
                    path: *path,
                    round: *round,
                    named_by,
                    at_ns: at.as_nanos(),
                    ended_ns: None,
                    end: "waiting",
                    named: 0,
                    new: 0,
                    closer: 0,
                });
            }
            SearchStep::Answered { peer, named, .. } => {
                let Some(place) = self.place(*peer) else { return };
                let own = distance(answer, *peer, key);
                let closer = named.iter().filter(|other| distance(answer, **other, key) < own).count();
                let mut new = BTreeSet::new();
                for other in named {
                    if !self.heard.contains_key(other) {
                        new.insert(*other);
                        self.heard.insert(*other, Some(place));
                    }
                }
                if let Some(asked) = self.asked.get_mut(place) {
                    asked.ended_ns = Some(at.as_nanos());
                    asked.end = "answered";
                    asked.named = named.len();
                    asked.new = new.len();
                    asked.closer = closer;
                }
            }
            SearchStep::Unanswered { peer, reason, .. } => {
                if let Some(asked) = self.place(*peer).and_then(|place| self.asked.get_mut(place)) {
                    asked.ended_ns = Some(at.as_nanos());
                    asked.end = failure(*reason);
                }
            }
            SearchStep::Ended(end) => self.end = Some(*end),
        }
    }

    /// The place of the request to this peer: nobody is asked twice.
    fn place(&self, peer: PeerRef) -> Option<usize> {
        self.asked.iter().position(|asked| asked.peer.number.is_some() && asked.peer.number == number(peer))
    }

    fn fate(&self, peer: u32) -> Fate {
        let found =
            self.report.iter().flat_map(|report| &report.closest).any(|found| number(*found) == Some(peer));
        let asked = self.asked.iter().find(|asked| asked.peer.number == Some(peer));
        match asked {
            _ if found => Fate::Found,
            Some(asked) if asked.end == "answered" => Fate::Answered,
            Some(_) => Fate::Unanswered,
            None if self.heard.contains_key(&PeerRef::shared(peer)) => Fate::NotAsked,
            None => Fate::NeverNamed,
        }
    }
}

fn named(answer: &Answer, peer: PeerRef, at: Instant) -> Named {
    let number = number(peer);
    let up = number.is_some_and(|number| answer.who.play.lifecycle().is_up(number, at));
    Named { number, name: answer.who.name_of(peer), up }
}

fn prefix(answer: &Answer, peer: PeerRef, key: &Key) -> u32 {
    number(peer).and_then(|peer| answer.who.key(peer)).map_or(0, |other| other.common_prefix(key))
}

fn distance(answer: &Answer, peer: PeerRef, key: &Key) -> Option<types::Distance> {
    Some(answer.who.key(number(peer)?)?.distance(key))
}

fn point(command: &kad::Command) -> &Key {
    match &command.operation {
        kad::Operation::Lookup(target)
        | kad::Operation::Get(target)
        | kad::Operation::Announce(target)
        | kad::Operation::Put { target, .. }
        | kad::Operation::FindProviders { target, .. } => target.key(),
    }
}

const fn failure(reason: Option<SendFailure>) -> &'static str {
    match reason {
        Some(SendFailure::Timeout) => "timeout",
        Some(SendFailure::Unreachable) => "unreachable",
        Some(SendFailure::Refused) => "refused",
        Some(SendFailure::Closed) => "link closed",
        Some(SendFailure::QueueFull) => "not sent",
        None => "wrong answer",
    }
}

fn outcome_in_words(outcome: &kad::Outcome) -> String {
    match outcome {
        kad::Outcome::Found => "the closest peers that answered".to_owned(),
        kad::Outcome::Stored { acknowledged, asked } => {
            format!("stored with {acknowledged} of {asked} peers")
        }
        kad::Outcome::Value(record) => format!("a value of {} bytes", record.value.len()),
        kad::Outcome::NotFound => "nothing".to_owned(),
        kad::Outcome::Announced { told } => format!("{told} peers told"),
        kad::Outcome::Providers => "providers".to_owned(),
        kad::Outcome::Busy => "turned away: the peer was busy".to_owned(),
        kad::Outcome::Isolated => "nobody answered at all".to_owned(),
    }
}
