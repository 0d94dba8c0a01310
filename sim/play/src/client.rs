//! Closed arrivals: clients, each pinned to a peer, that wait for their answer and think before they ask again.
//!
//! A [`Client`] is a state machine; users' own operations are clients too ([`OwnWorkload`]). It runs beside its peer,
//! so it hears of its peer at once and of others never: what it needs to know of them, the [`Scene`] knows ahead.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use node::Command;
use types::mix::mix;
use types::{Instant, OperationId, Purpose};

use crate::plan::Distribution;
use crate::scene::{Ask, Lane, Question, Scene};
use crate::serial::Serials;

/// What happens to a client.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// Its peer has come up.
    PeerUp,
    /// Its peer has gone down: what was under way there will not end.
    PeerDown,
    /// The moment has come that it asked for last.
    Due,
    /// An operation of its own has ended.
    Ended {
        /// Which.
        id: OperationId,
        /// With which result.
        outcome: &'a kad::Outcome,
        /// How its search went.
        report: &'a kad::LookupReport,
    },
}

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Asks its peer.
    Ask(Command),
    /// Asks to be told when this moment has come; replaces the moment asked for before. Forgotten when the peer goes
    /// down.
    DueAt(Instant),
}

/// A client of one peer. It outlives the peer's lives.
pub trait Client: fmt::Debug + Send {
    /// Takes note of what happens and says what to do.
    fn act(&mut self, now: Instant, happening: &Happening<'_>, out: &mut Vec<Act>);
}

/// A workload of a user's own, by its clients.
pub trait OwnWorkload: fmt::Debug + Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &str;

    /// How many operations it is going to ask for; `None` if only the run can tell.
    fn asked(&self) -> Option<u64>;

    /// The clients of `peer`. They number their operations with [`Serials::client`] of this `workload`, each as a client
    /// that no other of the workload is, at whatever peer: where every peer has one, by the number of the peer.
    fn clients_of(&self, peer: u32, workload: u16, scene: &Arc<Scene>) -> Vec<Box<dyn Client>>;
}

impl<W: OwnWorkload + ?Sized> OwnWorkload for Arc<W> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn asked(&self) -> Option<u64> {
        (**self).asked()
    }

    fn clients_of(&self, peer: u32, workload: u16, scene: &Arc<Scene>) -> Vec<Box<dyn Client>> {
        (**self).clients_of(peer, workload, scene)
    }
}

/// A client of a workload of the plan.
#[derive(Debug)]
pub(crate) struct Thinker {
    scene: Arc<Scene>,
    lane: usize,
    think: Distribution,
    peer: u32,
    client: u32,
    serials: Serials,
    /// How often it has thought.
    thoughts: u64,
    waits_for: Option<OperationId>,
    due: Instant,
}

impl Thinker {
    pub(crate) fn new(
        scene: &Arc<Scene>,
        lane: usize,
        think: Distribution,
        peer: u32,
        client: u32,
    ) -> Option<Self> {
        let stream = scene.lanes.get(lane)?;
        Some(Self {
            serials: Serials::client(stream.workload, stream.part, client),
            scene: Arc::clone(scene),
            lane,
            think,
            peer,
            client,
            thoughts: 0,
            waits_for: None,
            due: Instant::NEVER,
        })
    }

    fn think(&mut self, lane: &Lane, now: Instant, out: &mut Vec<Act>) {
        let mut stream = self.stream(lane, Purpose::new("think"));
        self.thoughts += 1;
        self.waits_for = None;
        self.due = now.max(lane.begin) + self.think.draw(&mut stream);
        if self.due < lane.end {
            out.push(Act::DueAt(self.due));
        }
    }

    fn stream(&self, lane: &Lane, purpose: Purpose) -> types::Stream {
        lane.stream(self.scene.seed, purpose, mix(u64::from(self.client), self.thoughts))
    }

    fn question(&self, lane: &Lane, now: Instant) -> Option<Ask> {
        let mut stream = self.stream(lane, Purpose::new("question"));
        match &lane.question {
            Question::Peer => self.scene.present_peer(now, self.peer, &mut stream).map(Ask::Peer),
            Question::Key => Some(Ask::Key(stream.bytes32())),
            Question::Get { settle, popularity, stored } => {
                let settled = stored.partition_point(|stored| *stored + *settle <= now);
                popularity.draw(settled, &mut stream).map(|number| Ask::Get { number: number as u32 })
            }
            Question::Find { enough, settle, popularity, stored } => {
                let settled = stored.partition_point(|stored| *stored + *settle <= now);
                let number = popularity.draw(settled, &mut stream)? as u32;
                Some(Ask::Find { number, enough: *enough })
            }
            Question::Put { .. } | Question::Announce { .. } => None,
        }
    }
}

impl Client for Thinker {
    fn act(&mut self, now: Instant, happening: &Happening<'_>, out: &mut Vec<Act>) {
        let scene = Arc::clone(&self.scene);
        let Some(lane) = scene.lanes.get(self.lane) else {
            return;
        };
        match happening {
            Happening::PeerUp => self.think(lane, now, out),
            Happening::PeerDown => self.waits_for = None,
            Happening::Due if self.waits_for.is_some() || now < self.due || now >= lane.end => {}
            Happening::Due => match self.question(lane, now) {
                Some(ask) => {
                    let id = self.serials.issue();
                    self.waits_for = Some(id);
                    out.push(Act::Ask(scene.command(lane, id, &ask)));
                }
                None => self.think(lane, now, out),
            },
            Happening::Ended { id, .. } => {
                if self.waits_for == Some(*id) {
                    self.think(lane, now, out);
                }
            }
        }
    }
}
