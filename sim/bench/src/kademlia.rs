//! Our whole stack: nodes as actors on the simulated stage, filled tables, free links, lookups.
//!
//! The cost is taken by who watches: each shard's watcher reads its own thread's CPU clock when the first lookup is asked
//! and again when the run ends, so tables that are filled and memory that is freed are no part of a message's cost.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use play::plan::{Arrivals, Lookups, Open, Target};
use play::{Group, Inputs, LifeEvent, Play, Select, Start, Workload};
use types::{Domain, Instant, OperationId, PeerId, Purpose, Rate, Seed, SharedBook, Streams};
use world::{Counted, Driver, Moment, Watch, Wire, World};

use crate::machine::{process_cpu, thread_cpu};
use crate::measure::{BenchError, Measured};
use crate::relay;

/// When lookups begin to be asked: everything of the start is over by then, and nothing was sent.
const BEGIN: types::Duration = types::Duration::from_secs(1);
/// How long lookups are asked: 200,000 of them are then 5,000 a second, as in the scenarios of large networks. More at a
/// time would be measured as memory of peers, though it is memory of lookups under way.
pub(crate) const ASKING: types::Duration = types::Duration::from_secs(40);
/// How long the run is. The last lookups end, and nothing but lookups sends: within a minute no contact counts as long
/// unseen, which would have it checked, and no table is refreshed.
const END: types::Duration = types::Duration::from_secs(45);

/// A network and what is asked of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) peers: u32,
    pub(crate) lookups: u32,
    pub(crate) driver: Driver,
    pub(crate) shards: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) measured: Measured,
    /// CPU time of each shard's thread, the start aside.
    pub(crate) shards: Vec<Duration>,
}

/// What one shard's watcher noted.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    shard: usize,
    began: Duration,
    ended: Duration,
    lookups: u64,
    start_cpu: Duration,
}

/// Reads the clocks.
#[derive(Debug)]
struct Clock {
    noted: Noted,
    /// The process's clock before anything was made.
    origin: Duration,
    home: Sender<Noted>,
}

impl Watch for Clock {
    fn turned(&mut self, _: &LifeEvent) {}
    fn began(&mut self, _: Instant, _: u32, _: &node::Command) {
        if self.noted.began.is_zero() {
            self.noted.began = thread_cpu();
            self.noted.start_cpu = process_cpu() - self.origin;
        }
    }
    fn abandoned(&mut self, _: Instant, _: u32, _: OperationId) {}
    fn told(&mut self, _: Instant, _: u32, event: &node::Event) {
        if matches!(event, node::Event::Kad(kad::Event::OperationEnded { .. })) {
            self.noted.lookups += 1;
        }
    }
    fn sampling(&mut self, _: Instant) {
        self.noted.ended = thread_cpu();
    }
    fn look(&mut self, _: u32, _: Moment<'_>) {}
    fn sampled(&mut self, _: Instant, _: &Counted) {}
    fn ended(&mut self, _: Instant) {
        // Nobody listens if the run failed: then nobody needs it.
        let _ = self.home.send(self.noted);
    }
}

/// Runs it.
pub(crate) fn run(setup: Setup) -> Result<Run, BenchError> {
    let origin = process_cpu();
    let world = world(setup)?;
    let (home, notes) = mpsc::channel();
    let home = Mutex::new(home);
    let outcome = world.run(|shard, _| {
        let home = home.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::new(Clock { noted: Noted { shard, ..Noted::default() }, origin, home })
    })?;
    drop(home);
    let mut notes: Vec<_> = notes.iter().collect();
    notes.sort_by_key(|noted| noted.shard);
    let shards: Vec<_> = notes.iter().map(|noted| noted.ended.saturating_sub(noted.began)).collect();
    let measured = Measured {
        events: outcome.links.sent,
        cpu: shards.iter().sum(),
        digest: outcome.fingerprint.0,
        lookups: notes.iter().map(|noted| noted.lookups).sum(),
        start_cpu: notes.iter().map(|noted| noted.start_cpu).max().unwrap_or_default(),
    };
    Ok(Run { measured, shards })
}

fn world(setup: Setup) -> Result<World, BenchError> {
    let Setup { peers, lookups, driver, shards } = setup;
    let keys = Streams::global(Seed(1), Domain::new("bench"));
    let key = |number| keys.stream(Purpose::new("key"), u64::from(number)).bytes32();
    let ids = (0..peers).map(|number| PeerId::from_ed25519(&key(number))).collect();
    let book = Arc::new(SharedBook::new(ids));
    let groups = [("all".to_owned(), Group::of(peers))];
    let rate = u64::from(lookups) * 1_000_000_000 / ASKING.as_nanos();
    let workload = Workload::Lookups(Lookups {
        name: None,
        from: Select::all(),
        arrivals: Arrivals::Open(Open { rate: Rate::per_second(rate.max(1)) }),
        target: Target::PresentPeer,
        begin: Some(BEGIN),
        end: Some(types::Duration::from_nanos(BEGIN.as_nanos() + ASKING.as_nanos())),
    });
    let inputs = Inputs {
        groups: &groups,
        workloads: &[workload],
        faults: &[],
        duration: END,
        warmup: types::Duration::ZERO,
        seed: Seed(1),
    };
    let network = relay::network().resolve().map_err(|_| BenchError::Network)?;
    Ok(World {
        seed: Seed(1),
        duration: END,
        until: None,
        // Peers are looked at once, when all is over.
        sample_every: END,
        play: Arc::new(Play::new(&inputs, &book)),
        book,
        network,
        wire: Wire::Typed,
        dialling: None,
        start: Start::Oracle,
        driver,
        max_awake: world::max_awake(peers as usize),
        threads: Some(shards),
        sampled: Vec::new(),
        cast: world::honest(),
        progress: Arc::default(),
        log: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_shards_do_the_same_and_all_lookups_end() {
        let run = |driver, shards| run(Setup { peers: 200, lookups: 100, driver, shards }).unwrap();
        let inline = run(Driver::Inline, 1);
        assert!((50..200).contains(&inline.measured.lookups), "about as many as were asked for");
        assert!(inline.measured.events > inline.measured.lookups * 2 * 20, "each asks the k closest");
        for other in [run(Driver::Actor, 1), run(Driver::Actor, 2)] {
            assert_eq!(other.measured.digest, inline.measured.digest);
            assert_eq!(other.measured.events, inline.measured.events);
            assert_eq!(other.measured.lookups, inline.measured.lookups);
        }
    }
}
