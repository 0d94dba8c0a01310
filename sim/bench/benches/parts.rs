//! What single parts cost, for whoever changes one: `cargo bench -p wavetank-bench`.
//!
//! Wall time of a hot loop: good for before and after on one machine. What is promised is measured by `wavetank bench`.

use std::sync::Arc;

use divan::{Bencher, black_box};
use kad::{Config, Kad, Message, OracleIndex, Response, Start};
use kernel::{
    Carried, Event, EventId, Fate, Fingerprint, Latency, Links, Network, PeerDigest, Uniform, Wheel,
};
use types::{
    Book, Digest, Domain, Duration, Instant, Key, PeerId, PeerRef, Purpose, Seed, Share, SharedBook, Stream,
    Streams,
};

fn main() {
    divan::main();
}

/// Windows of the wheel's events, and of the links' messages, that one sample takes.
const WINDOW: Duration = Duration::from_millis(10);
const PEERS: u32 = 10_000;
const K: usize = 20;

fn stream(name: &'static str) -> Stream {
    Streams::global(Seed(1), Domain::new("parts")).stream(Purpose::new(name), 0)
}

/// A window of events taken, and each pushed again 10-100 ms ahead.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn wheel_window(bencher: Bencher<'_, '_>, pending: u32) {
    let mut draws = stream("wheel");
    let mut wheel = Wheel::new(WINDOW.divided(16), 1_024);
    let mut push = move |wheel: &mut Wheel<Event<u64>>, from: u32, at: Instant, sequence: u64| {
        let at = at + Duration::from_nanos(10_000_000 + draws.bits() % 90_000_000);
        wheel.push(Event { at, sequence, to: from, from, cause: EventId::SCRIPT, payload: sequence });
    };
    for from in 0..pending {
        push(&mut wheel, from, Instant::START, 0);
    }
    let mut taken = Vec::new();
    let mut now = Instant::START;
    bencher.bench_local(|| {
        now += WINDOW;
        wheel.take_until(now, &mut taken);
        for Event { at, sequence, from, .. } in taken.drain(..) {
            push(&mut wheel, from, at, sequence + 1);
        }
    });
}

/// A message's fate: the pair's base, jitter, and its place in the order of its link.
#[divan::bench(args = [Share::ZERO, Share::from_percent(1)])]
fn links_send(bencher: Bencher<'_, '_>, loss: Share) {
    let latency = Latency {
        one_way: Some(Duration::from_millis(50)),
        rtt: None,
        spread: Share::from_percent(80),
        jitter: WINDOW,
    };
    let network = Uniform { latency, loss, uplink: None, floor: Duration::from_micros(100) };
    let Ok(network) = Network::Uniform(network).resolve() else { return };
    let mut draws = stream("links");
    let ids: Vec<Digest> = (0..PEERS).map(|_| Digest(draws.bits())).collect();
    let mut links = Links::new(network, Seed(1), &ids, Vec::new());
    let (mut sequence, mut now) = (0u64, Instant::START);
    bencher.bench_local(|| -> Fate {
        sequence += 1;
        if sequence.is_multiple_of(1_000) {
            now += Duration::from_millis(1);
            links.begin_window(now);
        }
        let draw = draws.bits();
        let (from, to) = (draw as u32 % PEERS, (draw >> 32) as u32 % PEERS);
        links.send(now, from, to, sequence, 40, Carried::Request)
    });
}

/// The fingerprint of a run, from its peers' digests.
#[divan::bench]
fn fingerprint(bencher: Bencher<'_, '_>) {
    let mut draws = stream("digests");
    let mut digest = || {
        let mut digest = PeerDigest::new();
        digest.fold(draws.bits());
        (Digest(draws.bits()), digest)
    };
    let peers: Vec<_> = (0..PEERS).map(|_| digest()).collect();
    bencher.bench_local(|| Fingerprint::of(black_box(&peers).iter().copied()));
}

/// A network's ids and what an ideal table of one of them holds.
struct Town {
    shared: Arc<SharedBook>,
    index: OracleIndex,
}

impl Town {
    fn new() -> Self {
        let mut draws = stream("keys");
        let ids = (0..PEERS).map(|_| PeerId::from_ed25519(&draws.bytes32())).collect();
        let shared = Arc::new(SharedBook::new(ids));
        Self { index: OracleIndex::new(&shared), shared }
    }

    fn key(&self, peer: u32) -> Key {
        self.shared.keys().get(peer as usize).copied().unwrap_or_default()
    }

    /// The peer number 0, with an ideal table.
    fn peer(&self) -> (Kad, Book) {
        let book = Book::new(Arc::clone(&self.shared));
        let contacts = self.index.contacts(&self.key(0), K, &mut stream("table"));
        let streams = Streams::global(Seed(1), Domain::new("peer"));
        let local = PeerRef::shared(0);
        let kad = Kad::new(local, Config::default(), streams, Start::Filled, &contacts, Vec::new(), &book);
        (kad, book)
    }
}

/// The 20 contacts closest to a key, of an ideal table.
#[divan::bench]
fn table_closest(bencher: Bencher<'_, '_>) {
    let town = Town::new();
    let (kad, book) = town.peer();
    let mut target = 0;
    bencher.bench_local(|| {
        target = (target + 1) % PEERS;
        kad.table().closest(&town.key(target), K, None, &book)
    });
}

/// An answer that names 20 peers.
fn answer() -> node::Message {
    node::Message::Kad(Message::Response(Response::Nodes((1..=K as u32).map(PeerRef::shared).collect())))
}

#[divan::bench]
fn wire_encode(bencher: Bencher<'_, '_>) {
    let book = Book::new(Town::new().shared);
    let (answer, mut bytes) = (answer(), Vec::new());
    bencher.bench_local(|| {
        bytes.clear();
        wire::encode(black_box(&answer), &book, &mut bytes);
    });
}

#[divan::bench]
fn wire_decode(bencher: Bencher<'_, '_>) {
    let mut book = Book::new(Town::new().shared);
    let mut bytes = Vec::new();
    wire::encode(&answer(), &book, &mut bytes);
    bencher.bench_local(|| wire::decode(black_box(&bytes), wire::Half::Response, &mut book));
}
