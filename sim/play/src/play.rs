//! A plan, resolved: everything about workloads and faults that is known before the run.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::LinkFault;
use types::mix::{mix, mix_name};
use types::{Duration, Instant, Purpose, Seed, Share, SharedBook, Stream, Streams};

use crate::PLAY;
use crate::client::{Client, OwnWorkload, Thinker};
use crate::clocks::{Clocks, Standstill, standstills};
use crate::lifecycle::{LifeEvent, Lifecycle};
use crate::links::link_fault;
use crate::lives::{Bootstrap, Lives};
use crate::plan::{Amount, Fault, Group, Select, Workload};
use crate::roster::{Chosen, Roster, pick_first, share_of};
use crate::scene::{Lane, Question, Rhythm, Scene};
use crate::script::{Script, count_arrivals, first_stores};
use crate::serial::Part;
use crate::tally::{CLIENTS, Subject, Tally};

/// What a play is made of. [`crate::problems()`] says what is wrong with it; a play of something wrong is a play in which
/// less happens.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Groups by name, in the order in which their peers are numbered.
    pub groups: &'a [(String, Group)],
    /// What people ask.
    pub workloads: &'a [Workload],
    /// What goes wrong.
    pub faults: &'a [Fault],
    /// How long the run is.
    pub duration: Duration,
    /// How long until it counts.
    pub warmup: Duration,
    /// The root of all chance.
    pub seed: Seed,
}

/// A plan, resolved.
#[derive(Debug)]
pub struct Play {
    scene: Arc<Scene>,
    groups: Vec<Group>,
    faults: Vec<(Fault, String, Chosen)>,
    duration: Duration,
    warmup: Duration,
    /// (peer, lane, client), sorted.
    seats: Vec<(u32, u16, u32)>,
    own: Vec<Box<dyn OwnWorkload>>,
    workloads: u16,
    tallies: Vec<Tally>,
    clocks: Clocks,
    standstills: Arc<[Standstill]>,
}

impl Play {
    /// Resolves `inputs` for the peers of `book`, who are numbered as the groups say.
    ///
    /// # Panics
    /// If the book holds fewer peers than the groups have.
    #[must_use]
    pub fn new(inputs: &Inputs<'_>, book: &Arc<SharedBook>) -> Self {
        const EVERYBODY: &Select = &Select::all();
        let Inputs { groups, duration, seed, .. } = *inputs;
        let roster = Arc::new(Roster::new(groups));
        assert!(roster.peers() as usize <= book.len(), "every peer of the plan has an identity");
        let faults: Vec<_> = (0..)
            .zip(inputs.faults)
            .map(|(index, fault)| {
                let name = fault.name(index);
                let victims = choose(&roster, seed, fault.victims().unwrap_or(EVERYBODY), "victims", &name);
                (fault.clone(), name, victims)
            })
            .collect();
        let lifecycle = Arc::new(Lifecycle::new(&roster, groups, &faults, duration, seed, book.digests()));
        let lanes = (0..)
            .zip(inputs.workloads)
            .flat_map(|(index, workload)| {
                let name = workload.name(usize::from(index));
                let from = choose(&roster, seed, workload.from(), "from", &name);
                let by = match workload {
                    Workload::Providers(providers) => choose(&roster, seed, &providers.by, "by", &name),
                    Workload::Lookups(_) | Workload::Records(_) => from.clone(),
                };
                Lane::of(index, workload, &from, &by, duration)
            })
            .collect();
        let serves = |place: &usize| groups.get(*place).is_some_and(|(_, group)| group.serves());
        let servers: Arc<[usize]> = (0..groups.len()).filter(serves).collect();
        let servers = (servers.len() < groups.len()).then_some(servers);
        let bootstraps = groups
            .iter()
            .map(|(_, group)| Bootstrap {
                groups: roster.named(group.bootstrap.group.as_ref()).into_iter().filter(serves).collect(),
                amount: group.bootstrap.amount().unwrap_or(Amount::Number(0)),
            })
            .collect();
        let (clocks, standstills) = (Clocks::new(&roster, &faults), standstills(&roster, &faults));
        let undialable = undialable(&roster, groups, seed);
        let book = Arc::clone(book);
        let scene = Scene { seed, book, roster, lifecycle, lanes, servers, bootstraps, undialable };
        let scene = Arc::new(with_stores(scene));
        let tallies = tallies_of(&scene, &faults, duration);
        Self {
            seats: seats_of(&scene),
            groups: groups.iter().map(|(_, group)| group.clone()).collect(),
            own: Vec::new(),
            workloads: inputs.workloads.len() as u16,
            warmup: inputs.warmup,
            scene,
            faults,
            duration,
            tallies,
            clocks,
            standstills: standstills.into(),
        }
    }

    /// Adds a workload of the user's own; returns its number, by which its operations are known.
    pub fn add(&mut self, workload: Box<dyn OwnWorkload>) -> u16 {
        let number = self.workloads + self.own.len() as u16;
        self.tallies.push(Tally {
            subject: Subject::Workload(number, Part::First),
            kind: "own",
            name: workload.name().to_string(),
            begin: Instant::START,
            end: Some(Instant::START + self.duration),
            unit: "operations",
            asked: workload.asked(),
            got: 0,
        });
        self.own.push(workload);
        number
    }

    /// What everybody shares.
    #[must_use]
    pub const fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// Who belongs to which group.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.scene.roster
    }

    /// The groups, in the order in which their peers are numbered.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group that `peer` belongs to.
    ///
    /// # Panics
    /// If no peer has this number.
    #[must_use]
    pub fn group_of(&self, peer: u32) -> &Group {
        let group = self.scene.roster.group_of(peer).and_then(|group| self.groups.get(group));
        #[expect(clippy::expect_used, reason = "numbers of peers are made here")]
        group.expect("every peer belongs to a group")
    }

    /// How long the run is.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// When it begins to count.
    #[must_use]
    pub fn measured_from(&self) -> Instant {
        Instant::START + self.warmup
    }

    /// When the last change is made by a fault to the network; `None` without faults.
    #[must_use]
    pub fn last_change(&self) -> Option<Instant> {
        self.faults.iter().map(|(fault, ..)| fault.last_change(self.duration)).max()
    }

    /// Every life of every peer, from the beginning.
    #[must_use]
    pub fn lives(&self) -> Lives {
        Lives::new(Arc::clone(&self.scene.lifecycle))
    }

    /// When each peer is up.
    #[must_use]
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.scene.lifecycle
    }

    /// Whom a peer knows when it comes up: drawn among those who are up by then, all that comes up at the same instant
    /// included. `event` is the one that `lives` yielded last; `out` is emptied first.
    pub fn contacts(&self, lives: &Lives, event: &LifeEvent, out: &mut Vec<u32>) {
        out.clear();
        let group = self.scene.roster.group_of(event.peer);
        let bootstrap = group.and_then(|group| self.scene.bootstraps.get(group));
        let digest = self.scene.book.digests().get(event.peer as usize);
        if let (Some(bootstrap), Some(digest)) = (bootstrap, digest) {
            let undialable = &self.scene.undialable;
            bootstrap.draw(event, self.scene.seed, *digest, lives.online(), undialable, out);
        }
    }

    /// The open arrivals, from the beginning.
    #[must_use]
    pub fn script(&self) -> Script {
        Script::new(&self.scene, |_| true)
    }

    /// The clients of a peer; asked for once.
    #[must_use]
    pub fn clients_of(&self, peer: u32) -> Vec<Box<dyn Client>> {
        let first = self.seats.partition_point(|(seat, ..)| *seat < peer);
        let seats = self.seats.iter().skip(first).take_while(|(seat, ..)| *seat == peer);
        let thinkers = seats.filter_map(|(_, lane, client)| {
            let lane = usize::from(*lane);
            let Rhythm::Closed { think, .. } = self.scene.lanes.get(lane)?.rhythm else {
                return None;
            };
            let thinker = Thinker::new(&self.scene, lane, think, peer, *client)?;
            Some(Box::new(thinker) as Box<dyn Client>)
        });
        let own = (self.workloads..)
            .zip(&self.own)
            .flat_map(|(number, workload)| workload.clients_of(peer, number, &self.scene));
        thinkers.chain(own).collect()
    }

    /// The faults of links, each under its place in the scenario's list.
    #[must_use]
    pub fn link_faults(&self) -> Vec<LinkFault> {
        (0..)
            .zip(&self.faults)
            .filter_map(|(index, (fault, name, victims))| {
                let mut stream = named_stream(self.scene.seed, "split", name);
                link_fault(index, fault, victims, &self.scene.roster, &mut stream)
            })
            .collect()
    }

    /// How wrong the peers' wall clocks are.
    #[must_use]
    pub const fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Who stands still and when, in the order of (instant, peer, fault).
    #[must_use]
    pub const fn standstills(&self) -> &Arc<[Standstill]> {
        &self.standstills
    }

    /// What every fault and workload is asked to do; nothing has come of it yet. Faults first, then workloads, in the
    /// order of the scenario.
    #[must_use]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// Who is meant by a selection that is made for `purpose`.
    #[must_use]
    pub fn choose(&self, select: &Select, purpose: &str) -> Vec<u32> {
        let chosen = choose(&self.scene.roster, self.scene.seed, select, "choose", purpose);
        self.scene.roster.iter(&chosen).collect()
    }
}

fn named_stream(seed: Seed, purpose: &str, name: &str) -> Stream {
    Streams::global(seed, PLAY).stream(Purpose::new(purpose), mix_name(name))
}

fn choose(roster: &Roster, seed: Seed, select: &Select, purpose: &str, name: &str) -> Chosen {
    roster.choose(select, &mut named_stream(seed, purpose, name))
}

/// Who cannot be called: of each group the share that it says, drawn by its name.
fn undialable(roster: &Roster, groups: &[(String, Group)], seed: Seed) -> Arc<[bool]> {
    if groups.iter().all(|(_, group)| group.undialable == Share::ZERO) {
        return Arc::default();
    }
    let mut undialable = alloc::vec![false; roster.peers() as usize];
    for (place, (name, group)) in groups.iter().enumerate() {
        let mut peers: Vec<u32> = roster.range(place).collect();
        let wanted = share_of(group.undialable, group.count) as usize;
        pick_first(&mut peers, wanted, &mut named_stream(seed, "undialable", name));
        for peer in peers {
            if let Some(slot) = undialable.get_mut(peer as usize) {
                *slot = true;
            }
        }
    }
    undialable.into()
}

/// Tells clients that fetch when each name is first stored.
fn with_stores(scene: Scene) -> Scene {
    let scene = Arc::new(scene);
    let mut finished = Scene::clone(&scene);
    for lane in &mut finished.lanes {
        if let (Question::Get { stored, .. } | Question::Find { stored, .. }, Rhythm::Closed { .. }) =
            (&mut lane.question, &lane.rhythm)
        {
            let stores = |other: &Lane| other.workload == lane.workload && other.part == Part::First;
            *stored = first_stores(&scene, stores).into();
        }
    }
    finished
}

/// Where clients sit: each on a peer of its own as long as there are enough.
fn seats_of(scene: &Scene) -> Vec<(u32, u16, u32)> {
    let mut seats = Vec::new();
    for (number, lane) in (0u16..).zip(&scene.lanes) {
        let Rhythm::Closed { clients, .. } = lane.rhythm else {
            continue;
        };
        let mut peers: Vec<u32> = scene.roster.iter(&lane.from).collect();
        let mut stream = Streams::global(scene.seed, PLAY).stream(Purpose::new("seats"), mix(lane.key, 0));
        pick_first(&mut peers, clients as usize, &mut stream);
        seats.extend((0..clients).zip(peers.iter().cycle()).map(|(client, peer)| (*peer, number, client)));
    }
    seats.sort_unstable();
    seats
}

fn tallies_of(scene: &Scene, faults: &[(Fault, String, Chosen)], duration: Duration) -> Vec<Tally> {
    let departures = scene.lifecycle.departures(faults.len());
    let of_faults = (0..).zip(faults).map(|(index, (fault, name, victims))| {
        let (begin, end) = fault.window(duration);
        let (unit, asked) = match fault {
            Fault::Churn(_) | Fault::RecordedChurn(_) => {
                ("departures", departures.get(usize::from(index)).copied())
            }
            Fault::Skew(_) => ("inputs", None),
            Fault::Crash(_) | Fault::Leave(_) | Fault::Freeze(_) => {
                ("peers", Some(u64::from(scene.roster.count(victims))))
            }
            Fault::Partition(_)
            | Fault::Clog(_)
            | Fault::Loss(_)
            | Fault::Duplicate(_)
            | Fault::Reorder(_) => ("messages", None),
        };
        Tally {
            subject: Subject::Fault(index),
            kind: fault.kind(),
            name: name.clone(),
            begin,
            end,
            unit,
            asked,
            got: 0,
        }
    });
    let of_lanes = scene.lanes.iter().map(|lane| {
        let (unit, asked) = match lane.rhythm {
            Rhythm::Closed { clients, .. } => (CLIENTS, u64::from(clients)),
            Rhythm::Open { .. } | Rhythm::Staged(_) | Rhythm::Recorded(_) => {
                ("operations", count_arrivals(lane, scene.seed))
            }
        };
        let subject = Subject::Workload(lane.workload, lane.part);
        let (begin, end) = (lane.begin, Some(lane.end));
        Tally {
            subject,
            kind: lane.kind,
            name: lane.name.clone(),
            begin,
            end,
            unit,
            asked: Some(asked),
            got: 0,
        }
    });
    of_faults.chain(of_lanes).collect()
}
