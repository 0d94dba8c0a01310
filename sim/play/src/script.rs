//! Arrivals that wait for nobody (open, staged, recorded): what is asked of whom at which moment, known ahead and yielded in the
//! order of time.
//!
//! Every shard reads the same script and keeps what is its own peers', so an item is small until it is made a command.
//! An arrival that finds nobody to ask, nobody to ask about or nothing stored yet is passed over: what was asked for
//! and did not begin shows in the tally.
//!
//! Draws are named by lane and count, so that one lane moves nothing in another.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use node::Command;
use types::{Duration, Instant, OperationId, Purpose, Seed, Stream};

use crate::lives::Lives;
use crate::online::Among;
use crate::plan::{Amount, Popularity, Stage};
use crate::scene::{Ask, Lane, Question, Rhythm, Scene};
use crate::serial::Serials;

/// Arrivals of one lane, at most: their count is the low half of an operation's id.
pub const MAX_ARRIVALS: u64 = u32::MAX as u64;

/// The open arrivals of a run, in the order of (instant, place of the workload).
#[derive(Debug)]
pub struct Script {
    scene: Arc<Scene>,
    lives: Lives,
    lanes: Vec<Reader>,
    /// By workload: the names stored so far.
    shelves: Vec<Shelf>,
}

/// One arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it is asked.
    pub at: Instant,
    /// Of whom.
    pub peer: u32,
    /// The operation that it begins.
    pub id: OperationId,
    lane: usize,
    ask: Ask,
}

/// Reads one lane.
#[derive(Debug)]
struct Reader {
    lane: usize,
    among: Among,
    arrivals: Arrivals,
    serials: Serials,
    due: Option<(Instant, Stream)>,
}

/// The moments of a lane's arrivals, each with the stream of its further draws.
#[derive(Debug)]
struct Arrivals {
    seed: Seed,
    pace: Pace,
    at: Instant,
    count: u64,
}

/// How a lane gets from one arrival to the next.
#[derive(Debug)]
enum Pace {
    /// Random gaps of this mean.
    Even(Duration),
    /// Random gaps that shrink and grow from stage to stage.
    Staged {
        /// All of them.
        stages: Arc<[Stage]>,
        /// How many are over.
        over: usize,
        /// When the current one began.
        since: Instant,
    },
    /// From a list: those after the lane's begin.
    Listed(Arc<[Duration]>),
}

/// The names of one workload.
#[derive(Debug, Default)]
struct Shelf {
    stores: u64,
    /// When names were first stored that are not settled yet.
    fresh: VecDeque<Instant>,
    settled: u32,
}

impl Arrivals {
    /// The arrivals of a lane; `None` if they are its clients'.
    fn of(lane: &Lane, seed: Seed) -> Option<Self> {
        let pace = match &lane.rhythm {
            Rhythm::Closed { .. } => return None,
            Rhythm::Open { gap } => Pace::Even(*gap),
            Rhythm::Staged(stages) => Pace::Staged { stages: Arc::clone(stages), over: 0, since: lane.begin },
            Rhythm::Recorded(moments) => Pace::Listed(Arc::clone(moments)),
        };
        Some(Self { seed, pace, at: lane.begin, count: 0 })
    }

    fn next(&mut self, lane: &Lane) -> Option<(Instant, Stream)> {
        if self.count == MAX_ARRIVALS {
            return None;
        }
        let mut stream = lane.stream(self.seed, Purpose::new("arrival"), self.count);
        self.at = self.pace.next(self.at, lane.begin, self.count, &mut stream)?;
        self.count += 1;
        (self.at < lane.end).then_some((self.at, stream))
    }
}

impl Pace {
    /// When the arrival after the one at `at` is, the `count`-th since `begin`; `None` if there is none.
    fn next(&mut self, at: Instant, begin: Instant, count: u64, stream: &mut Stream) -> Option<Instant> {
        match self {
            Self::Even(Duration::MAX) => None,
            Self::Even(gap) => Some(at + stream.exponential(*gap).max(Duration::from_nanos(1))),
            Self::Staged { stages, over, since } => {
                // As many as a unit exponential draw says are expected in between: the stages tell how long that takes.
                let mut expected = stream.exponential(Duration::from_secs(1)).as_secs_f64();
                let mut from = at.since(*since);
                while let Some(stage) = stages.get(*over) {
                    let already = stage.expected(from);
                    if let Some(moment) = stage.moment(already + expected) {
                        return Some((*since + moment).max(at + Duration::from_nanos(1)));
                    }
                    expected = (expected + already - stage.expected(stage.lasts)).max(0.0);
                    from = Duration::ZERO;
                    *since += stage.lasts;
                    *over += 1;
                }
                None
            }
            Self::Listed(moments) => {
                let moment = moments.get(usize::try_from(count).ok()?)?;
                Some(begin + *moment)
            }
        }
    }
}

/// How many arrivals a lane has, whether or not they find somebody.
pub(crate) fn count_arrivals(lane: &Lane, seed: Seed) -> u64 {
    let Some(mut arrivals) = Arrivals::of(lane, seed) else {
        return 0;
    };
    let mut count = 0;
    while arrivals.next(lane).is_some() {
        count += 1;
    }
    count
}

impl Script {
    /// The open lanes among `lanes`.
    pub(crate) fn new(scene: &Arc<Scene>, wanted: impl Fn(&Lane) -> bool) -> Self {
        let mut lives = Lives::new(Arc::clone(&scene.lifecycle));
        let mut lanes = Vec::new();
        for (number, lane) in scene.lanes.iter().enumerate() {
            if !wanted(lane) {
                continue;
            }
            let Some(mut arrivals) = Arrivals::of(lane, scene.seed) else {
                continue;
            };
            let due = arrivals.next(lane);
            let among = lives.online_mut().follow(&lane.from);
            lanes.push(Reader {
                lane: number,
                among,
                arrivals,
                serials: Serials::open(lane.workload, lane.part),
                due,
            });
        }
        let workloads = scene.lanes.iter().map(|lane| usize::from(lane.workload) + 1).max().unwrap_or(0);
        let shelves = (0..workloads).map(|_| Shelf::default()).collect();
        Self { scene: Arc::clone(scene), lives, lanes, shelves }
    }

    /// The command of an arrival of this script.
    ///
    /// # Panics
    /// If the arrival is of another play's script.
    #[must_use]
    pub fn command(&self, asked: &Asked) -> Command {
        let lane = self.scene.lanes.get(asked.lane);
        assert!(lane.is_some(), "an arrival belongs to the script of its own play");
        lane.map_or(Command::Leave, |lane| self.scene.command(lane, asked.id, &asked.ask))
    }

    /// One arrival of the lane at `reader`: asked, or passed over.
    fn arrive(&mut self, reader: usize, at: Instant, mut stream: Stream) -> Option<Asked> {
        self.lives.learn(at);
        let online = self.lives.online();
        let reader = self.lanes.get_mut(reader)?;
        let lane = self.scene.lanes.get(reader.lane)?;
        let peer = online.pick(&reader.among, &mut stream)?;
        let shelf = self.shelves.get_mut(usize::from(lane.workload))?;
        let ask = match &lane.question {
            Question::Peer => Ask::Peer(match &self.scene.servers {
                None => online.pick_other(peer, &mut stream)?,
                Some(servers) => {
                    let mut picked = Vec::new();
                    online.pick_some(servers, Amount::Number(1), peer, &mut stream, &mut picked);
                    picked.first().copied()?
                }
            }),
            Question::Key => Ask::Key(stream.bytes32()),
            Question::Put { keys, size } => Ask::Put { number: shelf.store(at, *keys)?, size: *size },
            Question::Get { settle, popularity, .. } => {
                Ask::Get { number: shelf.fetch(at, *settle, popularity, &mut stream)? }
            }
            Question::Announce { names } => Ask::Announce { number: shelf.store(at, *names)? },
            Question::Find { enough, settle, popularity, .. } => {
                let number = shelf.fetch(at, *settle, popularity, &mut stream)?;
                Ask::Find { number, enough: *enough }
            }
        };
        Some(Asked { at, peer, id: reader.serials.issue(), lane: reader.lane, ask })
    }
}

impl Iterator for Script {
    type Item = Asked;

    fn next(&mut self) -> Option<Asked> {
        loop {
            let due = |reader: &Reader| reader.due.as_ref().map(|(at, _)| *at);
            let next =
                self.lanes.iter().enumerate().filter_map(|(place, reader)| Some((due(reader)?, place))).min();
            let (_, place) = next?;
            let reader = self.lanes.get_mut(place)?;
            let lane = self.scene.lanes.get(reader.lane)?;
            let following = reader.arrivals.next(lane);
            let (at, stream) = core::mem::replace(&mut reader.due, following)?;
            if let Some(asked) = self.arrive(place, at, stream) {
                return Some(asked);
            }
        }
    }
}

impl Shelf {
    /// The name that is stored next.
    fn store(&mut self, at: Instant, keys: u32) -> Option<u32> {
        let number = self.stores.checked_rem(u64::from(keys))?;
        if self.stores < u64::from(keys) {
            self.fresh.push_back(at);
        }
        self.stores += 1;
        Some(number as u32)
    }

    /// A name that was first stored at least `settle` ago.
    fn fetch(
        &mut self,
        at: Instant,
        settle: Duration,
        popularity: &Popularity,
        stream: &mut Stream,
    ) -> Option<u32> {
        while self.fresh.pop_front_if(|stored| *stored + settle <= at).is_some() {
            self.settled += 1;
        }
        popularity.draw(self.settled as usize, stream).map(|name| name as u32)
    }
}

/// When each name is first stored or announced by the lane that `stores` says.
pub(crate) fn first_stores(scene: &Arc<Scene>, stores: impl Fn(&Lane) -> bool) -> Vec<Instant> {
    let mut seen = 0;
    let script = Script::new(scene, stores);
    let new = |asked: &Asked| match asked.ask {
        Ask::Put { number, .. } | Ask::Announce { number } => {
            number >= seen && {
                seen = number + 1;
                true
            }
        }
        Ask::Peer(_) | Ask::Key(_) | Ask::Get { .. } | Ask::Find { .. } => false,
    };
    script.filter(new).map(|asked| asked.at).collect()
}
