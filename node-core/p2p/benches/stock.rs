//! A network of our nodes against one of libp2p's own, unmodified: lookups a second and processor time a message,
//! on loopback, in one process, in turns.
//!
//! Both networks are servers with the same transport, each node on a thread of its own, k = 20 and alpha = 3, and
//! look for the same random keys from the same places. A message is a request or an answer. Processor time is the
//! whole process's, so it holds both ends of each exchange; the network that is not asked sleeps meanwhile.
//!
//! `cargo bench -p wavetank-p2p --bench stock`; figures of a busy machine are of little use, their ratio of some.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark of a fixed shape, which prints"
)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/stock.rs"]
mod stock;

use std::future::Future;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use libp2p::PeerId;
use libp2p::futures::StreamExt as _;
use libp2p::kad::{KBucketKey, QueryResult};
use stock::Stock;
use wavetank_p2p::Handle;

/// Servers of each network: all know all, so that both kinds answer the same from equal tables.
const NODES: usize = 16;
/// Lookups of a round.
const LOOKUPS: usize = 1_000;
/// Lookups under way at a time.
const AT_ONCE: usize = 32;
/// Rounds; the first of each warms up and is not counted.
const ROUNDS: usize = 6;
/// Messages of an exchange.
const EXCHANGE: u64 = 2;

/// What a lookup came to: the nearest peer, and the requests that it took.
type Looked = (Option<PeerId>, u32);

/// What a round measured.
#[derive(Clone, Copy, Debug)]
struct Round {
    seconds: f64,
    cpu_seconds: f64,
    messages: u64,
    right: usize,
}

impl Round {
    fn lookups_per_second(&self) -> f64 {
        LOOKUPS as f64 / self.seconds
    }

    fn cpu_micros_per_message(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.messages as f64
    }

    fn lookups_per_cpu_second(&self) -> f64 {
        LOOKUPS as f64 / self.cpu_seconds
    }
}

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(compare())
}

async fn compare() -> anyhow::Result<()> {
    let ours = common::network(NODES).await?;
    let stock = stock_network().await?;
    let our_ids: Vec<PeerId> =
        ours.iter().map(|node| PeerId::from_bytes(node.id().as_bytes())).collect::<Result<_, _>>()?;
    let stock_ids: Vec<PeerId> = stock.iter().map(|node| node.id).collect();
    println!("{NODES} servers of each kind, {LOOKUPS} lookups a round, {AT_ONCE} at once");
    println!("round  kind   lookups/s  lookups/CPU-s  messages a lookup  CPU us a message  nearest found");
    let mut counted = Vec::new();
    for number in 0..ROUNDS {
        let keys: Vec<[u8; 32]> = (0..LOOKUPS).map(|place| key(number, place)).collect();
        // Who goes first changes from round to round.
        let (a, b) = if number % 2 == 0 {
            let a = round(&keys, &our_ids, |at, key| look(&ours[at], key)).await?;
            (a, round(&keys, &stock_ids, |at, key| look_stock(&stock[at], key)).await?)
        } else {
            let b = round(&keys, &stock_ids, |at, key| look_stock(&stock[at], key)).await?;
            (round(&keys, &our_ids, |at, key| look(&ours[at], key)).await?, b)
        };
        print(number, "ours", &a);
        print(number, "stock", &b);
        if number > 0 {
            counted.push((a, b));
        }
    }
    summary(&counted);
    Ok(())
}

async fn stock_network() -> anyhow::Result<Vec<Stock>> {
    let (first, address) = Stock::start(None).await?;
    let mut nodes = vec![first];
    for _ in 1..NODES {
        nodes.push(Stock::start(Some(&address)).await?.0);
    }
    // Each looks for itself until all know all.
    loop {
        let mut known = 0;
        for node in &nodes {
            let own = node.id;
            let ended = node.ask(move |kad| kad.get_closest_peers(own)).await?;
            if let Some(QueryResult::GetClosestPeers(Ok(found))) = ended.results.first() {
                known += found.peers.iter().filter(|peer| peer.peer_id != own).count();
            }
        }
        if known >= NODES * (NODES - 1) {
            return Ok(nodes);
        }
    }
}

async fn look(node: &Handle, key: [u8; 32]) -> anyhow::Result<Looked> {
    let found = node.lookup(&key).await?;
    let nearest = found.closest.first().and_then(|id| PeerId::from_bytes(id.as_bytes()).ok());
    Ok((nearest, found.messages))
}

async fn look_stock(node: &Stock, key: [u8; 32]) -> anyhow::Result<Looked> {
    let ended = node.ask(move |kad| kad.get_closest_peers(key.to_vec())).await?;
    let nearest = match ended.results.first() {
        Some(QueryResult::GetClosestPeers(Ok(found))) => {
            found.peers.iter().map(|peer| peer.peer_id).find(|peer| *peer != node.id)
        }
        _ => None,
    };
    Ok((nearest, ended.requests))
}

async fn round<F: Future<Output = anyhow::Result<Looked>>>(
    keys: &[[u8; 32]],
    ids: &[PeerId],
    look: impl Fn(usize, [u8; 32]) -> F,
) -> anyhow::Result<Round> {
    let (began, cpu) = (Instant::now(), ProcessTime::now());
    let lookups = keys.iter().enumerate().map(|(place, key)| {
        let looking = look(place % ids.len(), *key);
        async move { (place, looking.await) }
    });
    let looked: Vec<_> = libp2p::futures::stream::iter(lookups).buffer_unordered(AT_ONCE).collect().await;
    let (took, cpu): (Duration, Duration) = (began.elapsed(), cpu.elapsed());
    let (mut messages, mut right) = (0, 0);
    for (place, looked) in looked {
        let (found, requests) = looked?;
        messages += EXCHANGE * u64::from(requests);
        right += usize::from(found == nearest(&keys[place], ids, ids[place % ids.len()]));
    }
    Ok(Round { seconds: took.as_secs_f64(), cpu_seconds: cpu.as_secs_f64(), messages, right })
}

/// The peer that is closest to `key`, the asker aside.
fn nearest(key: &[u8; 32], ids: &[PeerId], asker: PeerId) -> Option<PeerId> {
    let key = KBucketKey::new(key.to_vec());
    let others = ids.iter().filter(|id| **id != asker);
    others.min_by_key(|id| KBucketKey::from(**id).distance(&key)).copied()
}

/// The key of a place in a round: the same in every run.
fn key(round: usize, place: usize) -> [u8; 32] {
    let mut state = ((round as u64) << 32 | place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut key = [0; 32];
    for part in key.chunks_mut(8) {
        state = (state ^ state >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(state ^ state >> 29).to_le_bytes());
    }
    key
}

fn print(number: usize, kind: &str, round: &Round) {
    println!(
        "{number:>5}  {kind:<5}  {:>9.0}  {:>13.0}  {:>17.1}  {:>16.1}  {:>12.1}%",
        round.lookups_per_second(),
        round.lookups_per_cpu_second(),
        round.messages as f64 / LOOKUPS as f64,
        round.cpu_micros_per_message(),
        100.0 * round.right as f64 / LOOKUPS as f64,
    );
}

fn summary(rounds: &[(Round, Round)]) {
    let ratio = |what: fn(&Round) -> f64| {
        let mut ratios: Vec<f64> = rounds.iter().map(|(ours, stock)| what(ours) / what(stock)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    };
    println!("ours / stock, median of {} rounds:", rounds.len());
    println!("lookups a second      {:.2}", ratio(Round::lookups_per_second));
    println!("lookups a CPU-second  {:.2}", ratio(Round::lookups_per_cpu_second));
    println!("CPU time a message    {:.2}", ratio(Round::cpu_micros_per_message));
}
