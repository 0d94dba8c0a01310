//! Nodes that are made to believe in another network than loopback: delays, a slow uplink, losses, cuts.

mod common;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use common::{wait_for, within};
use wavetank_p2p::{EmulateError, Emulation, Event, Handle, Keypair, Multiaddr, Node, Setup};
use wire::admin::{Link, LinkTo, Links};

const fn millis(millis: u64) -> u64 {
    millis * 1_000_000
}

/// A node with an address of its own, which may be made to believe.
async fn start(number: u8, bootstrap: &[Multiaddr]) -> anyhow::Result<Handle> {
    let listen = vec![format!("/ip4/127.0.0.{number}/tcp/0").parse()?];
    let mut setup = Setup::new(config::Config::default(), listen, bootstrap.to_vec());
    setup.emulation = Emulation::On;
    Ok(within("start", Node::start(setup, Keypair::generate())).await??)
}

/// Two nodes that know each other and are connected.
async fn pair(first: u8) -> anyhow::Result<[Handle; 2]> {
    let one = start(first, &[]).await?;
    let two = start(first + 1, &one.addresses().await?).await?;
    let mut events = one.events();
    within("ready", two.ready()).await??;
    common::introduced(&mut events, &[*two.id()]).await?;
    Ok([one, two])
}

/// The link of a node to the peer at 127.0.0.`number`.
fn to(peer: &Handle, number: u8, link: Link) -> LinkTo {
    LinkTo { peer: *peer.id(), ip: IpAddr::from([127, 0, 0, number]), life: 0, link }
}

fn links(peers: Vec<LinkTo>) -> Links {
    Links { seed: 1, peers, ..Links::plain() }
}

/// How long a lookup takes that asks the one peer there is, once.
async fn exchange(node: &Handle) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let found = within("lookup", node.lookup(b"name")).await??;
    assert_eq!((found.messages, found.timeouts), (1, 0), "{found:?}");
    Ok(began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_takes_two_one_way_delays() -> anyhow::Result<()> {
    let [one, two] = pair(2).await?;
    let plain = exchange(&two).await?;
    for (there, back) in [(50, 50), (20, 100)] {
        two.emulate(&links(vec![to(&one, 2, Link { base_ns: millis(there), ..Link::PLAIN })]))?;
        one.emulate(&links(vec![to(&two, 3, Link { base_ns: millis(back), ..Link::PLAIN })]))?;
        for _ in 0..5 {
            let took = exchange(&two).await?;
            println!("{there} + {back}: {took:?} (plain {plain:?})");
        }
    }
    Ok(())
}
