//! A whole run on real processes: claims its ground, has the play performed, and leaves nothing behind.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration as Span;

use judge::{Findings, Observer};
use kernel::{Chapter, Panic, PeerCount, Progress, ResolvedNetwork};
use play::Play;
use types::{Duration, Instant, Seed, SharedBook};

use crate::director::Director;
use crate::ground::Ground;
use crate::ledger::{Eyes, Ledger};
use crate::links::Network;

/// Processes of a fleet, at most: each has a dozen threads' worth of work and tens of megabytes, and they share the cores of
/// one machine.
pub const MAX_PROCESSES: u32 = 64;

/// Everything that a run on real processes needs.
pub struct Fleet {
    /// The program that is a node: this one, or another of its kind.
    pub program: PathBuf,
    /// How long it runs.
    pub duration: Duration,
    /// The distance of two looks at the peers.
    pub sample_every: Duration,
    /// What people and misfortune do.
    pub play: Arc<Play>,
    /// Who is who.
    pub book: Arc<SharedBook>,
    /// The network that they are made to believe in.
    pub network: ResolvedNetwork,
    /// The root of all chance.
    pub seed: Seed,
    /// The secrets behind the ids, by number.
    pub secrets: Vec<[u8; 32]>,
    /// Peers whose events go to the log, by number, sorted.
    pub sampled: Vec<u32>,
    /// Where the run is, for whoever waits for it.
    pub progress: Arc<Progress>,
    /// Where the event log goes, if anybody wants it.
    pub log: Option<Sender<Chapter>>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { program, duration, .. } = self;
        f.debug_struct("Fleet").field("program", program).field("duration", duration).finish_non_exhaustive()
    }
}

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome {
    /// The moment of the run's time at which it ended.
    pub ended: Instant,
    /// Whether it was stopped before its plan's end.
    pub interrupted: bool,
    /// What each fault touched that is not of lives, by its place in the scenario.
    pub touched: Vec<(u32, u64)>,
    /// By peer.
    pub counts: Vec<PeerCount>,
    /// Peers whose processes ended by themselves, by time and number.
    pub panics: Vec<Panic>,
    /// How the stage itself did.
    pub conduct: Conduct,
}

/// How the stage itself did: what it could not do as exactly as a simulated one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Processes that were started.
    pub processes: u64,
    /// What the peers of the beginning took to be there, before the run's time began.
    pub gathered: Span,
    /// What a process took to answer, from when it was to start: the sum and the longest.
    pub starts: (Span, Span),
    /// Those that came to answer.
    pub started: u64,
    /// How late an operation was asked, at most.
    pub ask_lag: Span,
    /// Things told by nodes.
    pub told: u64,
    /// Those that came later than is waited for, and by how much at most.
    pub late: u64,
    /// By how much at most.
    pub latest: Span,
    /// Events that nodes forgot before they were asked for them.
    pub lost: u64,
    /// Operations of which no node said how they ended.
    pub unanswered: u64,
    /// Answers that made no sense.
    pub garbled: u64,
    /// Looks at a node that it did not answer in time.
    pub unseen: u64,
    /// Nodes that did not stop in time and were killed.
    pub overdue: u64,
}

impl Conduct {
    pub(crate) fn start(&mut self, took: Span) {
        self.started += 1;
        self.starts.0 += took;
        self.starts.1 = self.starts.1.max(took);
    }

    /// What a process took to answer, on average.
    #[must_use]
    pub fn mean_start(&self) -> Span {
        self.starts.0.checked_div(u32::try_from(self.started).unwrap_or(u32::MAX)).unwrap_or_default()
    }
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Nobody is there to play.
    #[error("a fleet of no peers")]
    NoPeers,
    /// No part of loopback is free.
    #[error("cannot listen at {address}, though each node needs an address of loopback: {error}")]
    Address {
        /// The last that was tried.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The folder of the nodes cannot be made.
    #[error("cannot make {} for the nodes' files: {error}", .path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A node of the beginning did not come.
    #[error("the node of peer {peer} did not start: {message}")]
    Start {
        /// Whose.
        peer: u32,
        /// Why.
        message: String,
    },
    /// The nodes of the beginning did not come in time.
    #[error("the nodes that are there from the start did not all answer within {0:?}")]
    Gathering(Span),
}

impl Fleet {
    /// Plays the run to its end; `observer` watches, and `found` is given what it found up to some moment.
    ///
    /// # Errors
    /// If the nodes that are there from the start cannot be started.
    pub fn run(
        self,
        observer: Observer,
        mut found: impl FnMut(Instant, Findings),
    ) -> Result<Outcome, FleetError> {
        let ground = Ground::claim()?;
        let network = Network::new(&self.network, self.seed, &self.book, self.play.link_faults());
        let eyes = Eyes { observer, found: &mut found, sampled: &self.sampled, log: self.log.as_ref() };
        let ledger = Ledger::new(&self.play, &network, eyes);
        let (fleet, ground, network) = (&self, &ground, &network);
        std::thread::scope(|scope| {
            let mut director = Director::new(scope, fleet, ground, network, ledger)?;
            let (ended, interrupted) = director.play()?;
            let (counts, mut panics, touched, conduct) = director.close(ended);
            panics.sort_by_key(|panic| (panic.at, panic.peer));
            let touched = touched.into_iter().collect();
            Ok(Outcome { ended, interrupted, touched, counts, panics, conduct })
        })
    }
}
