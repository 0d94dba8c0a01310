//! The two stages, and what a run asks of either.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use fleet::{Conduct, Fleet};
use judge::{Findings, Observer};
use kernel::{Chapter, Fingerprint, Ladder, Links, Panic, PeerCount, Progress, ResolvedNetwork};
use play::Play;
use types::{Instant, Seed, SharedBook};
use world::World;

use crate::scenario::RunError;
use crate::watcher::{Told, Watcher};

/// Who performs a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The simulated stage.
    #[default]
    Sim,
    /// Real processes on this machine.
    Local {
        /// The program that is a node, by `node run`: commonly the caller itself.
        program: PathBuf,
    },
}

impl Backend {
    /// The word for it: in manifests, and on the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Local { .. } => "local",
        }
    }
}

/// A stage that is set.
#[derive(Debug)]
pub(crate) enum Stage {
    World(Box<World>),
    Fleet(Box<Fleet>),
}

/// What a run leaves, on whatever stage.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ended: Instant,
    pub(crate) interrupted: bool,
    /// Inputs handled, or things told by processes.
    pub(crate) handled: u64,
    pub(crate) touched: Vec<(u32, u64)>,
    pub(crate) counts: Vec<PeerCount>,
    pub(crate) panics: Vec<Panic>,
    /// What tells it from other runs: nothing does of one that is not repeatable.
    pub(crate) imprint: Option<(Fingerprint, Ladder)>,
    /// How well the stage itself did, where that is a question.
    pub(crate) conduct: Option<Conduct>,
}

impl Stage {
    pub(crate) fn play(&self) -> &Arc<Play> {
        match self {
            Self::World(world) => &world.play,
            Self::Fleet(fleet) => &fleet.play,
        }
    }

    pub(crate) fn book(&self) -> &Arc<SharedBook> {
        match self {
            Self::World(world) => &world.book,
            Self::Fleet(fleet) => &fleet.book,
        }
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        match self {
            Self::World(world) => &world.progress,
            Self::Fleet(fleet) => &fleet.progress,
        }
    }

    /// Parts of it that tell by themselves: a simulated one's shards; one director sees all of a fleet.
    pub(crate) fn shards(&self) -> usize {
        match self {
            Self::World(world) => world.shards(),
            Self::Fleet(_) => 1,
        }
    }

    /// Has the event log go there.
    pub(crate) fn log_to(&mut self, log: Sender<Chapter>) {
        match self {
            Self::World(world) => world.log = Some(log),
            Self::Fleet(fleet) => fleet.log = Some(log),
        }
    }

    /// Plays the run to its end; what is found goes to `told` as the run goes.
    pub(crate) fn run(self, judge: &judge::Plan, told: &Sender<Told>) -> Result<Ended, RunError> {
        match self {
            Self::World(world) => {
                let outcome = world
                    .run(|shard, _| Box::new(Watcher::new(shard, Observer::new(judge), told.clone())))?;
                Ok(Ended::of_world(outcome))
            }
            Self::Fleet(fleet) => {
                let tell = |until: Instant, findings: Findings| {
                    // Nobody listens any more only if the run is being torn down.
                    let _ = told.send(Told { shard: 0, until, findings });
                };
                Ok(Ended::of_fleet(fleet.run(Observer::new(judge), tell)?))
            }
        }
    }
}

impl Ended {
    fn of_world(outcome: world::Outcome) -> Self {
        let world::Outcome {
            ended, interrupted, handled, touched, counts, panics, fingerprint, ladder, ..
        } = outcome;
        let imprint = Some((fingerprint, ladder));
        Self { ended, interrupted, handled, touched, counts, panics, imprint, conduct: None }
    }

    fn of_fleet(outcome: fleet::Outcome) -> Self {
        let fleet::Outcome { ended, interrupted, touched, counts, panics, conduct } = outcome;
        let (handled, conduct) = (conduct.told, Some(conduct));
        Self { ended, interrupted, handled, touched, counts, panics, imprint: None, conduct }
    }
}

/// Where the peers stand in the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Regions {
    names: Vec<String>,
    /// By peer.
    places: Vec<u8>,
}

impl Regions {
    /// Those of the peers of this book.
    pub(crate) fn new(network: &ResolvedNetwork, seed: Seed, book: &SharedBook) -> Self {
        let names: Vec<_> = network.places().map(str::to_owned).collect();
        if names.len() < 2 {
            return Self::default();
        }
        let links = Links::new(network.clone(), seed, book.digests(), Vec::new());
        Self { names, places: (0..book.len() as u32).map(|peer| links.place(peer)).collect() }
    }

    /// Where the peer of this number stands; empty where a network has no places.
    pub(crate) fn of(&self, peer: u32) -> &str {
        let place = self.places.get(peer as usize).map(|place| usize::from(*place));
        place.and_then(|place| self.names.get(place)).map_or("", String::as_str)
    }
}
