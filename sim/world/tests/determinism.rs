//! The outcome depends on the plan and the seed alone: not on threads, drivers, the form of messages or who watches.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use kernel::connections::Dialling;
use kernel::{Fingerprint, Latency, Network, Uniform};
use node::Command;
use play::plan::{Arrivals, Churn, Distribution, Exponential, Lookups, Open, Partition, Target};
use play::{Fault, Group, Inputs, LifeEvent, Play, Select, Start, Workload};
use types::{Bandwidth, Duration, Instant, OperationId, PeerId, Seed, Share, SharedBook};
use wavetank_world::{self as world, Counted, Driver, Moment, Outcome, Watch, Wire, World};

/// What was seen, by peer; looks are counted.
#[derive(Debug, Default)]
struct Notes {
    lines: Vec<String>,
    looks: usize,
}

#[derive(Debug)]
struct Notebook(Arc<Mutex<Notes>>);

impl Notebook {
    fn note(&self, line: String) {
        self.0.lock().unwrap().lines.push(line);
    }
}

impl Watch for Notebook {
    fn turned(&mut self, event: &LifeEvent) {
        self.note(format!("{event:?}"));
    }
    fn began(&mut self, at: Instant, peer: u32, command: &Command) {
        self.note(format!("{at} {peer} began {:?}", command.operation()));
    }
    fn abandoned(&mut self, at: Instant, peer: u32, operation: OperationId) {
        self.note(format!("{at} {peer} abandoned {operation:?}"));
    }
    fn told(&mut self, at: Instant, peer: u32, event: &node::Event) {
        self.note(format!("{at} {peer} {event:?}"));
    }
    fn sampling(&mut self, _: Instant) {}
    fn look(&mut self, peer: u32, moment: Moment<'_>) {
        let kad = moment.view.kad.unwrap();
        assert_eq!(kad.check(moment.book), Ok(()), "peer {peer} at {}", moment.at);
        self.0.lock().unwrap().looks += 1;
    }
    fn sampled(&mut self, _: Instant, _: &Counted) {}
    fn ended(&mut self, _: Instant) {}
}

#[derive(Clone, Copy)]
struct How {
    seed: u64,
    driver: Driver,
    threads: usize,
    wire: Wire,
    dialled: bool,
    max_awake: usize,
    speed: Share,
}

const PLAIN: How = How {
    seed: 1,
    driver: Driver::Inline,
    threads: 1,
    wire: Wire::Typed,
    dialled: false,
    max_awake: 1_000,
    speed: Share::WHOLE,
};

fn book(peers: u32) -> Arc<SharedBook> {
    let key = |number: u32| {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        key
    };
    Arc::new(SharedBook::new((0..peers).map(|number| PeerId::from_ed25519(&key(number))).collect()))
}

fn run(how: How) -> (Outcome, Vec<String>) {
    let world = world(how);
    let books = Mutex::new(Vec::new());
    let outcome = world
        .run(|_, _| {
            let notes = Arc::new(Mutex::new(Notes::default()));
            books.lock().unwrap().push(Arc::clone(&notes));
            Box::new(Notebook(notes))
        })
        .unwrap();
    let mut lines = Vec::new();
    for notes in books.into_inner().unwrap() {
        let mut notes = notes.lock().unwrap();
        assert!(notes.looks > 0);
        lines.append(&mut notes.lines);
    }
    lines.sort();
    (outcome, lines)
}

fn world(how: How) -> World {
    let peers = 60;
    let book = book(peers);
    let groups = [("all".to_owned(), Group { speed: how.speed, ..Group::of(peers) })];
    let lookups = Lookups {
        name: None,
        from: Select::all(),
        arrivals: Arrivals::Open(Open { rate: "5/s".parse().unwrap() }),
        target: Target::PresentPeer,
        begin: None,
        end: None,
    };
    let session = Distribution::Exponential(Exponential { mean: Duration::from_secs(60) });
    let downtime = Distribution::Exponential(Exponential { mean: Duration::from_secs(20) });
    let churn = Churn {
        name: None,
        victims: Select::all(),
        session,
        downtime,
        graceful: Share::from_percent(50),
        data: play::Data::Lost,
        begin: None,
        end: None,
    };
    let partition = Partition {
        direction: play::plan::Direction::BothWays,
        name: None,
        sides: None,
        split: Some(Share::from_percent(30)),
        begin: Duration::from_secs(30),
        end: Duration::from_secs(50),
    };
    let inputs = Inputs {
        groups: &groups,
        workloads: &[Workload::Lookups(lookups)],
        faults: &[Fault::Churn(churn), Fault::Partition(partition)],
        duration: Duration::from_secs(120),
        warmup: Duration::ZERO,
        seed: Seed(how.seed),
    };
    let latency = Latency {
        one_way: Some(Duration::from_millis(40)),
        rtt: None,
        spread: Share::from_percent(50),
        jitter: Duration::from_millis(10),
    };
    let network = Network::Uniform(Uniform {
        latency,
        loss: Share::from_percent(2),
        uplink: Some(Bandwidth::from_bits_per_second(20_000_000)),
        floor: Duration::from_micros(100),
    });
    World {
        seed: Seed(how.seed),
        duration: inputs.duration,
        until: None,
        sample_every: Duration::from_secs(5),
        play: Arc::new(Play::new(&inputs, &book)),
        book,
        network: network.resolve().unwrap(),
        wire: how.wire,
        dialling: how.dialled.then(Dialling::default),
        start: Start::Join,
        driver: how.driver,
        max_awake: how.max_awake,
        threads: Some(how.threads),
        sampled: Vec::new(),
        cast: world::honest(),
        progress: Arc::default(),
        log: None,
    }
}

fn same(a: &(Outcome, Vec<String>), b: &(Outcome, Vec<String>)) {
    assert_eq!(a.1, b.1, "what was seen");
    assert_eq!(a.0.ladder, b.0.ladder, "the ladder");
    assert_eq!(a.0.fingerprint, b.0.fingerprint);
    assert_eq!((a.0.handled, &a.0.counts, &a.0.links), (b.0.handled, &b.0.counts, &b.0.links));
}

#[test]
fn threads_do_not_show() {
    let one = run(PLAIN);
    assert!(one.0.handled > 10_000, "something happens: {} inputs", one.0.handled);
    assert!(one.1.iter().any(|line| line.contains("OperationEnded")));
    for threads in [2, 3, 4] {
        same(&one, &run(How { threads, ..PLAIN }));
    }
}

#[test]
fn drivers_do_not_show() {
    for seed in 1..4 {
        let inline = run(How { seed, ..PLAIN });
        same(&inline, &run(How { seed, driver: Driver::Actor, ..PLAIN }));
        same(&inline, &run(How { seed, driver: Driver::Actor, threads: 2, ..PLAIN }));
    }
}

#[test]
fn sleep_does_not_show() {
    let awake = run(PLAIN);
    for max_awake in [0, 1, 7] {
        same(&awake, &run(How { driver: Driver::Actor, max_awake, ..PLAIN }));
        same(&awake, &run(How { driver: Driver::Actor, max_awake, threads: 2, ..PLAIN }));
    }
}

#[test]
fn the_codec_does_not_show() {
    same(&run(PLAIN), &run(How { wire: Wire::Encoded, ..PLAIN }));
}

#[test]
fn dialled_links_show_and_are_deterministic() {
    let dialled = run(How { dialled: true, ..PLAIN });
    same(
        &dialled,
        &run(How { dialled: true, driver: Driver::Actor, threads: 3, wire: Wire::Encoded, ..PLAIN }),
    );
    assert_ne!(dialled.0.fingerprint, run(PLAIN).0.fingerprint);
}

/// Else the blocks of the log depend on which shard is first. Quiet peers that are slow tell much of what they began in
/// one window before the next one begins.
#[test]
fn a_chapter_of_the_event_log_holds_all_that_was_before_its_end() {
    let mut world = world(How { threads: 2, speed: Share::from_percent(1), ..PLAIN });
    let (log, chapters) = std::sync::mpsc::channel();
    world.sampled = (0..60).collect();
    world.sample_every = Duration::from_millis(100);
    world.log = Some(log);
    world.run(|_, _| Box::new(Notebook(Arc::default()))).unwrap();
    let mut told = [Instant::START; 2];
    let mut entries = 0;
    for chapter in chapters {
        for entry in &chapter.entries {
            assert!(entry.at >= told[chapter.shard], "{entry:?} comes after {}", told[chapter.shard]);
            assert!(entry.at < chapter.until, "{entry:?} comes before {}", chapter.until);
        }
        entries += chapter.entries.len();
        told[chapter.shard] = chapter.until;
    }
    assert!(entries > 1_000, "{entries} entries");
    assert_eq!(told, [Instant::NEVER; 2]);
}

#[test]
fn another_seed_is_another_run() {
    let fingerprints: Vec<Fingerprint> =
        (1..6).map(|seed| run(How { seed, ..PLAIN }).0.fingerprint).collect();
    assert!(fingerprints.windows(2).all(|pair| pair[0] != pair[1]));
}
