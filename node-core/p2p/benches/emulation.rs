//! What emulated links cost, and how close they come: `cargo bench -p wavetank-p2p --bench emulation`.
//!
//! Two nodes on loopback, one thread each. It is no test: it asserts nothing about speed, and a busy machine shows.
#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use config::Config;
use tokio::runtime::Runtime;
use wavetank_p2p::{Emulation, Handle, Keypair, Node, Setup};
use wire::admin::{Link, LinkTo, Links};

const ADDRESSES: [u8; 2] = [31, 32];
const RECORD_BYTES: usize = 60_000;
const EXCHANGES: u32 = 2_000;
const PUTS: u32 = 500;
const DELAYS: u32 = 200;

fn main() -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    println!("links      exchanges a second  Mbit/s of 60 kB records");
    for (name, emulation, links) in [
        ("real", Emulation::Off, None),
        ("emulated", Emulation::On, Some(Links::plain())),
        (
            "1 Gbit/s",
            Emulation::On,
            Some(Links { uplink_bits_per_second: Some(1_000_000_000), ..Links::plain() }),
        ),
    ] {
        runtime.block_on(async {
            let [_one, two] = pair(emulation, links.as_ref()).await?;
            let began = Instant::now();
            for _ in 0..EXCHANGES {
                two.lookup(b"name").await?;
            }
            let exchanges = f64::from(EXCHANGES) / began.elapsed().as_secs_f64();
            let value = vec![7; RECORD_BYTES];
            let began = Instant::now();
            for _ in 0..PUTS {
                two.put(b"name", &value).await?;
            }
            let bits = f64::from(PUTS) * RECORD_BYTES as f64 * 8.0 / began.elapsed().as_secs_f64();
            println!("{name:<10} {exchanges:>19.0} {:>24.0}", bits / 1e6);
            anyhow::Ok(())
        })?;
    }
    println!("\none way asked for   too late by (a direction; median, p90, p99, most)");
    for base in [1, 5, 20, 100].map(Duration::from_millis) {
        runtime.block_on(async {
            let [one, two] = pair(Emulation::On, Some(&Links::plain())).await?;
            let link = Link { base_ns: base.as_nanos() as u64, ..Link::PLAIN };
            one.emulate(&to(&two, ADDRESSES[1], link))?;
            two.emulate(&to(&one, ADDRESSES[0], link))?;
            let mut late = Vec::new();
            for _ in 0..DELAYS {
                let began = Instant::now();
                two.lookup(b"name").await?;
                late.push(began.elapsed().saturating_sub(2 * base) / 2);
            }
            late.sort_unstable();
            let quantile =
                |percent: usize| late.get((late.len() - 1) * percent / 100).copied().unwrap_or_default();
            let [median, p90, p99, most] = [50, 90, 99, 100].map(quantile);
            println!("{base:<19?} {median:.0?}, {p90:.0?}, {p99:.0?}, {most:.0?}");
            anyhow::Ok(())
        })?;
    }
    Ok(())
}

/// Two nodes that are connected.
async fn pair(emulation: Emulation, links: Option<&Links>) -> anyhow::Result<[Handle; 2]> {
    let mut nodes = Vec::new();
    let mut bootstrap = Vec::new();
    for address in ADDRESSES {
        let listen = vec![format!("/ip4/127.0.0.{address}/tcp/0").parse()?];
        let mut setup = Setup::new(Config::default(), listen, bootstrap.clone());
        setup.emulation = emulation;
        let node = Node::start(setup, Keypair::generate()).await?;
        links.map_or(Ok(()), |links| node.emulate(links))?;
        node.ready().await?;
        bootstrap = node.addresses().await?;
        nodes.push(node);
    }
    nodes.try_into().map_err(|_| anyhow::anyhow!("two nodes are two"))
}

fn to(peer: &Handle, address: u8, link: Link) -> Links {
    let ip = IpAddr::from([127, 0, 0, address]);
    Links { peers: vec![LinkTo { peer: *peer.id(), ip, life: 0, link }], ..Links::plain() }
}
