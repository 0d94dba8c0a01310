//! Operations as clients saw them: asked, ended, and how that compares with the truth.
//!
//! A lookup succeeds if it found the peer that is closest to its target among those that are up and can be called: the one
//! that it was after, unless that is down by then or can only call others. Its recall is the share of the true k closest of
//! those peers that it found when it ended, the asking peer aside: nobody is sent to look for itself. Both are taken
//! against the truth at the moment of the end.
//!
//! A search for providers succeeds if it found one who is up as it ends and who announced it in that life; it counts only if
//! there was one, besides the asking peer, that had announced it before the search began. Its recall is the share of these
//! that it found, of as many as were enough.
//!
//! A PUT succeeds if more than half of the peers that it asked acknowledged it. A GET succeeds if it returns a value that
//! some client asked to be stored under its name before the GET ended; it counts only if a PUT of that name had succeeded
//! before it began. Both only the history of all peers can tell ([`settle`]): to a probe, which sees a GET as it ends, one
//! that returns anything under its name is a success.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use hashbrown::HashMap;
use play::Part;
use types::book::DigestHasher;
use types::mix::{Mixer, mix};
use types::{Digest, Instant, Key, OperationId};

use crate::oracle::Oracle;

/// One operation of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which.
    pub id: OperationId,
    /// What was asked.
    pub kind: Kind,
    /// Of whom.
    pub peer: u32,
    /// About which point of the key space.
    pub key: Key,
    /// When it was asked.
    pub begun: Instant,
    /// When it ended, or could not end any more.
    pub ended: Instant,
    /// How.
    pub end: End,
    /// Whether it went out and searched; one that was turned away at once has no figures.
    pub searched: bool,
    /// Whether it counts towards success. Only a GET may not.
    pub counts: bool,
    /// The digest of the value that a PUT is to store, or that a GET returned.
    pub value: Option<Digest>,
    /// Rounds of its search.
    pub hops: u16,
    /// Requests that it sent.
    pub messages: u32,
    /// Requests that were not answered.
    pub timeouts: u32,
    /// If it looked for a peer: the round whose answer first named that peer; 0 if the asked one knew it.
    pub known_in_round: Option<u16>,
    /// Of the true closest peers, or of the true providers, it found so many.
    pub hits: u16,
    /// So many of them there were.
    pub of: u16,
    /// Of a search for providers: what it sought and found.
    pub sought: Option<Box<Sought>>,
}

/// Providers, as a search knows of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// How many were enough.
    pub enough: u16,
    /// Peers of the plan that were named as providers, once each.
    pub found: Vec<u32>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The peers closest to a point.
    Lookup,
    /// To store a value.
    Put,
    /// To fetch a value.
    Get,
    /// To tell that one provides something.
    Announce,
    /// Who provides something.
    Find,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It got what was asked.
    Ok,
    /// It ended without, or with the wrong thing.
    Failed,
    /// The asked peer went away first: nobody knows.
    Abandoned,
    /// The run ended first: nobody knows.
    Unfinished,
}

impl End {
    /// Whether it succeeded; `None` if nobody knows.
    #[must_use]
    pub const fn succeeded(self) -> Option<bool> {
        match self {
            Self::Ok => Some(true),
            Self::Failed => Some(false),
            Self::Abandoned | Self::Unfinished => None,
        }
    }
}

impl Operation {
    /// The workload that it belongs to, and the part of it.
    #[must_use]
    pub const fn workload(&self) -> (u16, Part) {
        play::serial::workload_of(self.id)
    }

    /// What is asked of `peer` at `at`; `None` for what is no operation.
    pub(crate) fn begin(at: Instant, peer: u32, command: &node::Command) -> Option<Self> {
        let node::Command::Kad(command) = command else { return None };
        let (kind, target, value) = match &command.operation {
            kad::Operation::Lookup(target) => (Kind::Lookup, target, None),
            kad::Operation::Put { target, value } => (Kind::Put, target, Some(digest(value))),
            kad::Operation::Get(target) => (Kind::Get, target, None),
            kad::Operation::Announce(target) => (Kind::Announce, target, None),
            kad::Operation::FindProviders { target, .. } => (Kind::Find, target, None),
        };
        let sought = match &command.operation {
            kad::Operation::FindProviders { enough, .. } => {
                Some(Box::new(Sought { enough: *enough, found: Vec::new() }))
            }
            _ => None,
        };
        Some(Self {
            id: command.id,
            kind,
            peer,
            key: *target.key(),
            begun: at,
            ended: at,
            end: End::Unfinished,
            searched: false,
            counts: true,
            value,
            hops: 0,
            messages: 0,
            timeouts: 0,
            known_in_round: None,
            hits: 0,
            of: 0,
            sought,
        })
    }

    /// It ended at `at` with this; `k` is the asked peer's.
    pub(crate) fn end(
        &mut self,
        at: Instant,
        report: &kad::LookupReport,
        outcome: &kad::Outcome,
        k: usize,
        oracle: &Oracle,
    ) {
        self.ended = at;
        self.hops = report.hops;
        self.messages = report.messages;
        self.timeouts = report.timeouts;
        self.known_in_round = report.known_in_round;
        self.searched = !matches!(outcome, kad::Outcome::Busy | kad::Outcome::Isolated);
        let ok = match outcome {
            kad::Outcome::Found => self.found(report, k, oracle),
            kad::Outcome::Stored { acknowledged, asked } => u32::from(*acknowledged) * 2 > u32::from(*asked),
            kad::Outcome::Value(record) => {
                self.value = Some(digest(&record.value));
                record.target.key() == &self.key
            }
            kad::Outcome::NotFound => false,
            kad::Outcome::Announced { told } => *told > 0,
            kad::Outcome::Providers => {
                let found: Vec<u32> =
                    report.providers.iter().filter_map(|peer| Some(peer.index()? as u32)).collect();
                let any = found.iter().any(|peer| oracle.is_online(*peer));
                if let Some(sought) = &mut self.sought {
                    sought.found = found;
                }
                any
            }
            // It found nobody, and there may have been somebody.
            kad::Outcome::Busy | kad::Outcome::Isolated => {
                if self.kind == Kind::Lookup {
                    self.found(report, k, oracle);
                }
                false
            }
        };
        self.end = if ok { End::Ok } else { End::Failed };
    }

    /// Compares what was found with the truth.
    fn found(&mut self, report: &kad::LookupReport, k: usize, oracle: &Oracle) -> bool {
        let mut closest = Vec::new();
        oracle.closest(&self.key, k, Some(self.peer), &mut closest);
        let found = |peer: u32| report.closest.iter().any(|found| found.index() == Some(peer as usize));
        self.of = closest.len() as u16;
        self.hits = closest.iter().filter(|peer| found(**peer)).count() as u16;
        closest.first().copied().is_some_and(found)
    }

    /// It will not end.
    pub(crate) const fn give_up(&mut self, at: Instant, end: End) {
        self.ended = at;
        self.end = end;
    }
}

fn digest(value: &[u8]) -> Digest {
    let mut mixer = Mixer::new(0);
    mixer.bytes(value);
    Digest(mixer.finish())
}

/// Puts operations into the order of (begun, id), and tells which GETs count and which returned what was stored, and which
/// searches found those who provide. `up_since` says since when a peer is up at a moment.
pub(crate) fn settle(operations: &mut [Operation], up_since: impl Fn(u32, Instant) -> Option<Instant>) {
    operations.sort_unstable_by_key(|operation| (operation.begun, operation.id));
    compare_providers(operations, up_since);
    believe_no_strange_values(operations);
    count_gets(operations);
}

/// An announcement that somebody was told of.
struct Announced {
    key: Key,
    peer: u32,
    begun: Instant,
    ended: Instant,
}

/// Compares each search for providers with who provided by then.
fn compare_providers(operations: &mut [Operation], up_since: impl Fn(u32, Instant) -> Option<Instant>) {
    let mut announced: HashMap<Digest, Vec<Announced>, DigestHasher> = HashMap::default();
    let made = |operation: &&Operation| operation.kind == Kind::Announce && operation.end == End::Ok;
    for operation in operations.iter().filter(made) {
        let by = announced.entry(Digest(operation.key.prefix64())).or_default();
        let Operation { key, peer, begun, ended, .. } = *operation;
        by.push(Announced { key, peer, begun, ended });
    }
    let searches = operations.iter_mut().filter(|operation| operation.end.succeeded().is_some());
    for search in searches {
        let Some(sought) = &search.sought else { continue };
        let by = announced.get(&Digest(search.key.prefix64())).map_or(&[][..], Vec::as_slice);
        let (mut provide, mut known) = (BTreeSet::new(), BTreeSet::new());
        for Announced { key, peer, begun, ended } in by {
            // What it announced in an earlier life it has forgotten.
            let lives = up_since(*peer, search.ended).is_some_and(|since| since <= *begun);
            if *key == search.key && *peer != search.peer && lives && *begun <= search.ended {
                provide.insert(*peer);
                if *ended <= search.begun {
                    known.insert(*peer);
                }
            }
        }
        let found = sought.found.iter().filter(|peer| known.contains(peer)).count();
        search.of = known.len().min(usize::from(sought.enough)) as u16;
        search.hits = (found as u16).min(search.of);
        search.counts = search.of > 0;
        let any = sought.found.iter().any(|peer| provide.contains(peer));
        search.end = if any { End::Ok } else { End::Failed };
    }
}

/// A GET that returned what nobody had asked to be stored under its name has failed.
fn believe_no_strange_values(operations: &mut [Operation]) {
    let place =
        |operation: &Operation| operation.value.map(|value| Digest(mix(operation.key.prefix64(), value.0)));
    let mut asked: HashMap<Digest, Instant, DigestHasher> = HashMap::default();
    for put in operations.iter().filter(|operation| operation.kind == Kind::Put) {
        if let Some(place) = place(put) {
            asked.entry(place).or_insert(put.begun);
        }
    }
    let returned = |operation: &&mut Operation| operation.kind == Kind::Get && operation.end == End::Ok;
    for get in operations.iter_mut().filter(returned) {
        let begun = place(get).and_then(|place| asked.get(&place));
        if begun.is_none_or(|begun| *begun > get.ended) {
            get.end = End::Failed;
        }
    }
}

/// A GET counts if a PUT of its name had succeeded before it began.
fn count_gets(operations: &mut [Operation]) {
    let mut stored: HashMap<Digest, Vec<(Key, Instant)>, DigestHasher> = HashMap::default();
    let place = |key: &Key| Digest(key.prefix64());
    for put in operations.iter().filter(|operation| operation.kind == Kind::Put && operation.end == End::Ok) {
        let names = stored.entry(place(&put.key)).or_default();
        match names.iter_mut().find(|(key, _)| *key == put.key) {
            Some((_, since)) => *since = put.ended.min(*since),
            None => names.push((put.key, put.ended)),
        }
    }
    for get in operations.iter_mut().filter(|operation| operation.kind == Kind::Get) {
        let since =
            stored.get(&place(&get.key)).and_then(|names| names.iter().find(|(key, _)| *key == get.key));
        get.counts = since.is_some_and(|(_, since)| *since <= get.begun);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use types::Duration;

    /// An operation that succeeded, a second long, begun `number` seconds after the start.
    pub(crate) fn operation(kind: Kind, number: u64) -> Operation {
        let begun = Instant::START + Duration::from_secs(number);
        Operation {
            id: OperationId(number),
            kind,
            peer: 0,
            key: Key::of(b"name"),
            begun,
            ended: begun + Duration::from_secs(1),
            end: End::Ok,
            searched: true,
            counts: true,
            value: Some(Digest(1)),
            hops: 1,
            messages: 1,
            timeouts: 0,
            known_in_round: None,
            hits: 0,
            of: 0,
            sought: None,
        }
    }

    /// Whoever is asked about has been up from the start.
    fn from_the_start(_: u32, _: Instant) -> Option<Instant> {
        Some(Instant::START)
    }

    #[test]
    fn a_search_is_compared_with_who_announced_in_the_life_that_it_still_lives() {
        let announce = |number: u64, peer| Operation { peer, ..operation(Kind::Announce, number) };
        let search = |number: u64, enough, found: &[u32]| {
            let sought = Some(Box::new(Sought { enough, found: found.to_vec() }));
            Operation { peer: 9, sought, ..operation(Kind::Find, number) }
        };
        // Peer 1 came back at 50 s and has announced nothing since; peer 3 went away then; peer 9 asks.
        let turn = Instant::START + Duration::from_secs(50);
        let up_since = |peer: u32, at: Instant| match peer {
            1 if at >= turn => Some(turn),
            3 if at >= turn => None,
            _ => Some(Instant::START),
        };
        let mut elsewhere = announce(4, 7);
        elsewhere.key = Key::of(b"another name");
        // Announced while a search was under way: right if it is found, not missed if it is not.
        let mut late = announce(20, 4);
        late.ended = Instant::START + Duration::from_secs(100);
        let mut during = search(19, 20, &[4]);
        during.ended = Instant::START + Duration::from_secs(30);
        let mut history = [
            announce(1, 1),
            announce(2, 2),
            announce(3, 3),
            elsewhere,
            announce(5, 9),
            late,
            search(0, 20, &[]),
            search(10, 20, &[1, 2, 3]),
            search(11, 20, &[1, 7]),
            search(12, 2, &[1, 2]),
            during,
            search(60, 20, &[1, 3]),
            search(61, 20, &[2]),
        ];
        settle(&mut history, up_since);
        let told: Vec<_> = history
            .iter()
            .filter(|search| search.kind == Kind::Find)
            .map(|search| (search.id.0, search.end == End::Ok, search.hits, search.of, search.counts))
            .collect();
        let expected = [
            (0, false, 0, 0, false),
            (10, true, 3, 3, true),
            (11, true, 1, 3, true),
            (12, true, 2, 2, true),
            (19, true, 0, 3, true),
            (60, false, 0, 1, true),
            (61, true, 1, 1, true),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_get_counts_once_a_put_of_its_name_has_succeeded() {
        let mut failed = operation(Kind::Put, 0);
        failed.end = End::Failed;
        // Acknowledged at 11 s; a later PUT of the same name changes nothing.
        let mut history =
            [operation(Kind::Get, 20), operation(Kind::Get, 11), operation(Kind::Get, 10), failed]
                .into_iter()
                .chain([operation(Kind::Put, 10), operation(Kind::Put, 30)])
                .collect::<Vec<_>>();
        history[4].id = OperationId(100);
        let mut other = operation(Kind::Get, 40);
        other.key = Key::of(b"another name");
        history.push(other);
        settle(&mut history, from_the_start);
        let counts: Vec<_> = history
            .iter()
            .filter(|get| get.kind == Kind::Get)
            .map(|get| (get.begun.as_millis() / 1_000, get.counts))
            .collect();
        assert_eq!(counts, [(10, false), (11, true), (20, true), (40, false)]);
    }

    #[test]
    fn a_get_that_returns_what_nobody_stored_there_has_failed() {
        let put = |number, value| Operation { value: Some(Digest(value)), ..operation(Kind::Put, number) };
        let get = |number, value| Operation { value: Some(Digest(value)), ..operation(Kind::Get, number) };
        let elsewhere = Operation { key: Key::of(b"another name"), ..put(1, 4) };
        // Whether the PUT was acknowledged does not matter: some peer may hold it.
        let unfinished = Operation { end: End::Unfinished, ..put(2, 2) };
        let mut history = [
            put(0, 1),
            elsewhere,
            unfinished,
            get(10, 1),
            get(11, 2),
            get(12, 3),
            get(13, 4),
            // Under way when that value was asked to be stored, and over by then.
            get(19, 5),
            get(17, 5),
            put(19, 5),
            // Stored once more, after it was returned.
            put(50, 1),
        ];
        history[9].id = OperationId(100);
        history[9].ended += Duration::from_secs(60);
        settle(&mut history, from_the_start);
        let ends: Vec<_> = history
            .iter()
            .filter(|get| get.kind == Kind::Get)
            .map(|get| (get.id.0, get.end == End::Ok))
            .collect();
        assert_eq!(ends, [(10, true), (11, true), (12, false), (13, false), (17, false), (19, true)]);
    }
}
