//! What everybody in a play shares, read-only: who the peers are, when they are up, what is asked of them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use node::Command;
use types::mix::{mix, mix_name};
use types::{Duration, Instant, OperationId, Purpose, Seed, SharedBook, Stream, Streams};

use crate::PLAY;
use crate::lifecycle::Lifecycle;
use crate::lives::Bootstrap;
use crate::plan::{Arrivals, Distribution, Popularity, Stage, Target, Workload};
use crate::roster::{Chosen, Roster};
use crate::serial::Part;

/// What all of a play shares.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(crate) seed: Seed,
    pub(crate) book: Arc<SharedBook>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) lanes: Vec<Lane>,
    /// The groups whose peers serve, if there are others.
    pub(crate) servers: Option<Arc<[usize]>>,
    /// By group.
    pub(crate) bootstraps: Vec<Bootstrap>,
    /// Who cannot be called, by number; nobody if it is empty.
    pub(crate) undialable: Arc<[bool]>,
}

/// One stream of questions: a workload has one or two.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) workload: u16,
    pub(crate) part: Part,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// Names its draws.
    pub(crate) key: u64,
    /// Names its records: those that fetch share it with those that store.
    pub(crate) store: u64,
    pub(crate) from: Chosen,
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
    pub(crate) rhythm: Rhythm,
    pub(crate) question: Question,
}

/// When a lane asks.
#[derive(Clone, Debug)]
pub(crate) enum Rhythm {
    Open {
        gap: Duration,
    },
    Staged(Arc<[Stage]>),
    /// Moments after the lane's begin.
    Recorded(Arc<[Duration]>),
    Closed {
        clients: u32,
        think: Distribution,
    },
}

/// What a lane asks.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    Peer,
    Key,
    Put {
        keys: u32,
        size: u64,
    },
    Get {
        settle: Duration,
        popularity: Popularity,
        /// When each name is first stored, in order; known ahead where clients fetch.
        stored: Arc<[Instant]>,
    },
    Announce {
        names: u32,
    },
    Find {
        enough: u16,
        settle: Duration,
        popularity: Popularity,
        /// When each name is first announced, in order; known ahead where clients look.
        stored: Arc<[Instant]>,
    },
}

/// One question, small: most of a script's are somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Peer(u32),
    Key([u8; 32]),
    Put { number: u32, size: u64 },
    Get { number: u32 },
    Announce { number: u32 },
    Find { number: u32, enough: u16 },
}

impl Lane {
    /// The lanes of a workload: `from` asks, and `by` stores or announces if that is somebody else.
    pub(crate) fn of(
        index: u16,
        workload: &Workload,
        from: &Chosen,
        by: &Chosen,
        duration: Duration,
    ) -> Vec<Self> {
        let name = workload.name(usize::from(index));
        let (begin, end) = workload.window(duration);
        let store = mix_name(&name);
        let lane = |part, suffix, rhythm, question| {
            let name = alloc::format!("{name}{suffix}");
            let (key, kind, from) = (mix_name(&name), workload.kind(), from.clone());
            Self { workload: index, part, name, kind, key, store, from, begin, end, rhythm, question }
        };
        match workload {
            Workload::Lookups(lookups) => {
                let question = match lookups.target {
                    Target::PresentPeer => Question::Peer,
                    Target::RandomKey => Question::Key,
                };
                alloc::vec![lane(Part::First, "", Rhythm::of(&lookups.arrivals), question)]
            }
            Workload::Records(records) => {
                let put = Question::Put { keys: records.keys, size: records.value_size.as_bytes() };
                let puts = lane(Part::First, ".puts", Rhythm::of(&records.puts.clone().into()), put);
                let (settle, popularity) = (records.settle, records.popularity);
                let get = Question::Get { settle, popularity, stored: Arc::new([]) };
                let gets = lane(Part::Second, ".gets", Rhythm::of(&records.gets), get);
                alloc::vec![puts, gets]
            }
            Workload::Providers(providers) => {
                let announce = Question::Announce { names: providers.names };
                let rhythm = Rhythm::of(&providers.announces.clone().into());
                let announces =
                    Self { from: by.clone(), ..lane(Part::First, ".announces", rhythm, announce) };
                let find = Question::Find {
                    enough: providers.enough,
                    settle: providers.settle,
                    popularity: providers.popularity,
                    stored: Arc::new([]),
                };
                let finds = lane(Part::Second, ".finds", Rhythm::of(&providers.finds), find);
                alloc::vec![announces, finds]
            }
        }
    }

    /// The `count`-th stream of this lane for `purpose`.
    pub(crate) fn stream(&self, seed: Seed, purpose: Purpose, count: u64) -> Stream {
        Streams::global(seed, PLAY).stream(purpose, mix(self.key, count))
    }
}

impl Rhythm {
    fn of(arrivals: &Arrivals) -> Self {
        match arrivals {
            Arrivals::Open(open) => Self::Open { gap: open.rate.mean_gap() },
            Arrivals::Closed(closed) => Self::Closed { clients: closed.clients, think: closed.think },
            Arrivals::Staged(stages) => Self::Staged(stages.0.as_slice().into()),
            Arrivals::Recorded(recorded) => Self::Recorded(Arc::clone(&recorded.moments)),
        }
    }
}

impl Scene {
    /// The plan's peers.
    #[must_use]
    pub const fn book(&self) -> &Arc<SharedBook> {
        &self.book
    }

    /// Who belongs to which group.
    #[must_use]
    pub const fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// When each peer is up.
    #[must_use]
    pub const fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.lifecycle
    }

    /// Who cannot be called, by number; nobody if it is empty.
    #[must_use]
    pub const fn undialable(&self) -> &Arc<[bool]> {
        &self.undialable
    }

    /// Whether `peer` can call and cannot be called.
    #[must_use]
    pub fn is_undialable(&self, peer: u32) -> bool {
        self.undialable.get(peer as usize).copied().unwrap_or_default()
    }

    /// The root of all chance.
    #[must_use]
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// A peer that is up at `at` and serves, any but `except`.
    ///
    /// Asked for any moment in any order: peers of a shard are not at one moment.
    #[must_use]
    pub fn present_peer(&self, at: Instant, except: u32, stream: &mut Stream) -> Option<u32> {
        /// Draws before a search; it is reached only if few are up, and favours those after a gap.
        const DRAWS: u32 = 64;
        let peers = self.roster.peers();
        let serves = |peer: u32| match (&self.servers, self.roster.group_of(peer)) {
            (Some(servers), Some(group)) => servers.contains(&group),
            _ => true,
        };
        let fits = |peer: u32| peer != except && serves(peer) && self.lifecycle.is_up(peer, at);
        for _ in 0..DRAWS {
            let drawn = stream.index(peers as usize)? as u32;
            if fits(drawn) {
                return Some(drawn);
            }
        }
        let start = stream.index(peers as usize)? as u32;
        (start..peers).chain(0..start).find(|peer| fits(*peer))
    }

    /// The command that puts a question.
    pub(crate) fn command(&self, lane: &Lane, id: OperationId, ask: &Ask) -> Command {
        let operation = match *ask {
            Ask::Peer(peer) => {
                let name = self.book.ids().get(peer as usize).map_or(&[][..], |id| id.as_bytes());
                kad::Operation::Lookup(target(name))
            }
            Ask::Key(name) => kad::Operation::Lookup(target(&name)),
            Ask::Put { number, size } => kad::Operation::Put {
                target: target(record_name(lane.store, number).as_bytes()),
                value: value(lane.store ^ id.0, size),
            },
            Ask::Get { number } => kad::Operation::Get(target(record_name(lane.store, number).as_bytes())),
            Ask::Announce { number } => kad::Operation::Announce(target(&provided_name(lane.store, number))),
            Ask::Find { number, enough } => {
                kad::Operation::FindProviders { target: target(&provided_name(lane.store, number)), enough }
            }
        };
        Command::Kad(kad::Command { id, operation })
    }
}

fn target(name: &[u8]) -> Arc<kad::Target> {
    Arc::new(kad::Target::new(name))
}

/// Two workloads store under different names.
fn record_name(store: u64, number: u32) -> String {
    alloc::format!("record {store:016x} {number}")
}

/// What is provided is named as by its content: by the hash of what stands for it, as a multihash of SHA-256.
fn provided_name(store: u64, number: u32) -> [u8; 34] {
    let content = alloc::format!("content {store:016x} {number}");
    let mut name = [0; 34];
    let (head, hash) = name.split_at_mut(2);
    head.copy_from_slice(&[0x12, 0x20]);
    hash.copy_from_slice(types::Key::of(content.as_bytes()).as_bytes());
    name
}

/// A value that no other operation stores.
fn value(seed: u64, size: u64) -> Box<[u8]> {
    let words = (0..size.div_ceil(8)).flat_map(|word| mix(seed, word).to_le_bytes());
    words.take(size as usize).collect()
}
