//! A run gone through once more, up to a moment, with an eye on a few of its peers.
//!
//! What is seen this way is what happened, because the same plan and seed give the same run; [`Answer::agreement`]
//! says whether that held, by the rungs of the folder's ladder.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

use judge::Oracle;
use kernel::{EventId, LogEntry, Progress};
use node::{Command, Input};
use play::LifeEvent;
use record::{EventRow, Manifest, RungSummary};
use types::{Instant, OperationId};
use world::{Counted, Moment, Watch};

use crate::prepared::Prepared;
use crate::rows;
use crate::scenario::RunError;
use crate::stage::Stage;
use crate::state::{LifeState, PeerState};
use crate::who::Who;

/// Causes that are kept of a run, at most: half a GiB.
const MAX_CAUSES: usize = 64 << 20;
/// What stands for the cause of a timer in [`Causes`]: who set it did not bring about what follows, the time did.
const TIMER: EventId = EventId { peer: u32::MAX, count: 1 };

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// Up to when; to its end if that is earlier.
    pub until: Instant,
    /// Who is looked at.
    pub peers: BTreeSet<u32>,
    /// What is kept of them.
    pub keep: Keep,
}

/// What is kept of the peers that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last so many lines of their event log.
    Last(usize),
    /// The lines of their event log about these events.
    Events(BTreeSet<record::EventId>),
    /// What they were asked and told, as it is, not as lines.
    Steps,
    /// The causes of everything, until this event.
    Causes(record::EventId),
}

/// Something that a peer was asked or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A client asked.
    Began(Command),
    /// It told something.
    Told(node::Event),
    /// The operation will not end: the peer stopped.
    Abandoned(OperationId),
}

/// What was seen.
#[derive(Debug)]
pub struct Answer {
    /// Who is who.
    pub who: Who,
    /// Up to when everything was seen.
    pub ended: Instant,
    /// Whether it was stopped before the moment that was asked for.
    pub interrupted: bool,
    /// Lines of the event log, in order.
    pub events: Vec<EventRow>,
    /// Lines before these that were not kept.
    pub earlier: u64,
    /// The peers that were looked at, at the end.
    pub peers: Vec<PeerState>,
    /// The event that was asked for and those that led to it, back to a timer or to what no peer caused; empty if
    /// there was no such event.
    pub ancestry: Vec<record::EventId>,
    /// When the event that was asked for happened.
    pub happened: Option<Instant>,
    pub(crate) steps: Vec<(Instant, u32, Step)>,
    rungs: Vec<RungSummary>,
}

/// Whether a run that was gone through again is the one that a folder is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// So many rungs are equal, the last of them at this moment.
    Equal {
        /// How many.
        rungs: usize,
        /// The last.
        until_ns: u64,
    },
    /// The folder has no rung that could be compared.
    Unknown,
    /// They differ at this moment.
    Differs {
        /// The first rung that does.
        at_ns: u64,
    },
}

impl Answer {
    /// Compares the rungs with those of a folder.
    #[must_use]
    pub fn agreement(&self, manifest: &Manifest) -> Agreement {
        let ours: BTreeMap<u64, &str> =
            self.rungs.iter().map(|rung| (rung.at_ns, rung.value.as_str())).collect();
        let mut agreement = Agreement::Unknown;
        let shared =
            manifest.fingerprint.ladder.iter().filter_map(|rung| Some((rung, ours.get(&rung.at_ns)?)));
        for (place, (rung, value)) in (1..).zip(shared) {
            if rung.value != **value {
                return Agreement::Differs { at_ns: rung.at_ns };
            }
            agreement = Agreement::Equal { rungs: place, until_ns: rung.at_ns };
        }
        agreement
    }
}

impl Prepared {
    /// Who is who.
    #[must_use]
    pub fn who(&self) -> Who {
        Who {
            plan: self.plan.clone(),
            play: Arc::clone(self.stage.play()),
            book: Arc::clone(self.stage.book()),
        }
    }

    /// Goes through the run as far as the inquiry wants; nothing is judged, and no folder is written.
    ///
    /// # Errors
    /// If the simulator itself gives up.
    pub fn inquire(self, inquiry: &Inquiry) -> Result<Answer, RunError> {
        let who = Arc::new(self.who());
        let Stage::World(mut world) = self.stage else { return Err(RunError::Real) };
        let end = (Instant::START + world.duration).min(inquiry.until);
        world.until = Some(end);
        world.sampled = inquiry.peers.iter().copied().collect();
        let mut log = Log { keep: inquiry.keep.clone(), kept: VecDeque::new(), earlier: 0 };
        let chapters = matches!(inquiry.keep, Keep::Last(_) | Keep::Events(_)).then(|| {
            let (sender, chapters) = mpsc::channel();
            world.log = Some(sender);
            chapters
        });
        let (sender, receiver) = mpsc::channel();
        let truth = Arc::new(who.truth(Instant::from_nanos(end.as_nanos().saturating_sub(1))));
        let progress = Arc::clone(&world.progress);
        let scribe = std::thread::spawn(move || {
            for chapter in chapters.into_iter().flatten() {
                chapter.entries.iter().for_each(|entry| log.add(entry));
            }
            log
        });
        let outcome = world.run(|_, _| {
            Box::new(Eye {
                sight: Sight::default(),
                peers: inquiry.peers.clone(),
                end,
                keep: inquiry.keep.clone(),
                who: Arc::clone(&who),
                truth: Arc::clone(&truth),
                progress: Arc::clone(&progress),
                sender: sender.clone(),
            })
        })?;
        drop(sender);
        let log = scribe.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut sight = Sight::default();
        receiver.iter().for_each(|part| sight.merge(part));
        if sight.causes.full {
            return Err(RunError::TooLong("the causes of its events"));
        }
        sight.steps.sort_by_key(|(at, peer, _)| (*at, *peer));
        let state = |peer: &u32| PeerState {
            life: sight.lives.remove(peer),
            ..PeerState::down(&who, *peer, who.presence(*peer, outcome.ended))
        };
        let peers = inquiry.peers.iter().map(state).collect();
        let ancestry = match inquiry.keep {
            Keep::Causes(event) if sight.happened.is_some() => sight.causes.chain(event),
            _ => Vec::new(),
        };
        let mut events: Vec<_> = log.kept.into();
        events.sort_by_key(|row| (row.t_ns, row.peer));
        Ok(Answer {
            ended: outcome.ended,
            interrupted: outcome.interrupted && sight.happened.is_none(),
            events,
            earlier: log.earlier,
            peers,
            ancestry,
            happened: sight.happened,
            steps: sight.steps,
            rungs: outcome.ladder.rungs.iter().map(rows::rung_summary).collect(),
            who: Arc::unwrap_or_clone(who),
        })
    }
}

/// The lines that are kept.
struct Log {
    keep: Keep,
    kept: VecDeque<EventRow>,
    earlier: u64,
}

impl Log {
    fn add(&mut self, entry: &LogEntry) {
        match &self.keep {
            Keep::Events(wanted) => {
                let id = record::EventId { peer: entry.id.peer, count: entry.id.count };
                if wanted.contains(&id) {
                    self.kept.push_back(rows::event(entry));
                }
            }
            Keep::Last(most) => {
                self.kept.push_back(rows::event(entry));
                if self.kept.len() > *most {
                    self.kept.pop_front();
                    self.earlier += 1;
                }
            }
            Keep::Steps | Keep::Causes(_) => {}
        }
    }
}

/// What caused what: by peer, in the order of their counts.
#[derive(Debug, Default)]
struct Causes {
    of: BTreeMap<u32, Vec<EventId>>,
    known: usize,
    full: bool,
}

impl Causes {
    fn add(&mut self, id: EventId, cause: EventId) {
        if self.known >= MAX_CAUSES {
            self.full = true;
            return;
        }
        self.known += 1;
        let causes = self.of.entry(id.peer).or_default();
        assert_eq!(causes.len(), id.count as usize, "a peer's events come in order");
        causes.push(cause);
    }

    fn cause(&self, id: EventId) -> Option<EventId> {
        self.of.get(&id.peer)?.get(id.count as usize).copied()
    }

    /// This event and what led to it. It ends, because a cause comes before what it causes.
    fn chain(&self, event: record::EventId) -> Vec<record::EventId> {
        let mut chain = vec![event];
        let mut last = EventId { peer: event.peer, count: event.count };
        while let Some(cause) = self.cause(last).filter(|cause| *cause != EventId::SCRIPT && *cause != TIMER)
        {
            chain.push(record::EventId { peer: cause.peer, count: cause.count });
            last = cause;
        }
        chain
    }
}

/// What the peers of a shard showed.
#[derive(Debug, Default)]
struct Sight {
    lives: BTreeMap<u32, LifeState>,
    steps: Vec<(Instant, u32, Step)>,
    causes: Causes,
    happened: Option<Instant>,
}

impl Sight {
    fn merge(&mut self, other: Self) {
        self.lives.extend(other.lives);
        self.steps.extend(other.steps);
        // Shards share no peer.
        self.causes.of.extend(other.causes.of);
        self.causes.full |= other.causes.full;
        self.happened = self.happened.or(other.happened);
    }
}

/// Watches a shard.
#[derive(Debug)]
struct Eye {
    sight: Sight,
    peers: BTreeSet<u32>,
    end: Instant,
    keep: Keep,
    who: Arc<Who>,
    truth: Arc<Oracle>,
    progress: Arc<Progress>,
    sender: mpsc::Sender<Sight>,
}

impl Eye {
    fn step(&mut self, at: Instant, peer: u32, step: impl FnOnce() -> Step) {
        if self.keep == Keep::Steps && self.peers.contains(&peer) {
            self.sight.steps.push((at, peer, step()));
        }
    }
}

impl Watch for Eye {
    fn turned(&mut self, _: &LifeEvent) {}

    fn began(&mut self, at: Instant, peer: u32, command: &Command) {
        self.step(at, peer, || Step::Began(command.clone()));
    }

    fn abandoned(&mut self, at: Instant, peer: u32, operation: OperationId) {
        self.step(at, peer, || Step::Abandoned(operation));
    }

    fn caused(&mut self, at: Instant, id: EventId, cause: EventId, input: &Input) {
        let Keep::Causes(wanted) = self.keep else { return };
        let cause = if matches!(input, Input::Deadline) { TIMER } else { cause };
        self.sight.causes.add(id, cause);
        if (id.peer, id.count) == (wanted.peer, wanted.count) {
            self.sight.happened = Some(at);
        }
        if self.sight.causes.full || self.sight.happened.is_some() {
            self.progress.stop.store(true, Ordering::Relaxed);
        }
    }

    fn told(&mut self, at: Instant, peer: u32, event: &node::Event) {
        self.step(at, peer, || Step::Told(event.clone()));
    }

    fn sampling(&mut self, _: Instant) {}

    fn look(&mut self, peer: u32, moment: Moment<'_>) {
        if moment.at == self.end && self.peers.contains(&peer) {
            self.sight.lives.insert(peer, LifeState::of(&moment, &self.who, &self.truth));
        }
    }

    fn sampled(&mut self, _: Instant, _: &Counted) {}

    fn ended(&mut self, _: Instant) {
        // Nobody waits any more only if the run is being torn down.
        let _ = self.sender.send(std::mem::take(&mut self.sight));
    }
}
