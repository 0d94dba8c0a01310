//! What a node holds while it is attacked: a process of its own, whose resident memory the system tells.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use libp2p::futures::AsyncWriteExt as _;
use libp2p::futures::future::try_join_all;
use libp2p::multiaddr::Protocol;
use libp2p_stream::OpenStreamError;
use wavetank_p2p::{MAX_HELD_BYTES, Multiaddr};

use crate::attacker::{Attacker, FIND_NODE, PROTOCOL};
use crate::common::{start, within};

/// Slow streams that are held open, of so many peers.
const STREAMS: usize = 2_000;
const PEERS: usize = 40;
/// Connections that are opened and say nothing.
const SILENT: usize = 400;
/// What a connection costs at most, streams aside: keys, buffers of a handshake's and of Noise's greatest message.
const LINK_BYTES: usize = 256 * 1024;
/// A frame of the greatest length, of which so much arrives, and no more.
const HEAD: [u8; 3] = [0x80, 0x80, 0x08];
const PART: usize = 96 * 1024;

/// A node in a process of its own, which ends with this.
struct Apart(Child);

impl Drop for Apart {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Apart {
    fn start() -> anyhow::Result<(Self, Multiaddr)> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["memory::the_node_that_is_attacked", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("its output")?;
        let apart = Self(child);
        for line in BufReader::new(out).lines() {
            if let Some((_, address)) = line?.split_once("address ") {
                return Ok((apart, address.parse()?));
            }
        }
        anyhow::bail!("the node did not start")
    }

    /// Bytes of this row of the process's status.
    fn bytes(&self, row: &str) -> anyhow::Result<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(row)).context("a row")?;
        let kibibytes: usize = line.split_whitespace().next().context("a number")?.parse()?;
        Ok(kibibytes * 1024)
    }
}

#[expect(clippy::print_stdout, reason = "its parent reads where it listens")]
#[test]
#[ignore = "it is a process of the test below"]
fn the_node_that_is_attacked() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let node = start(&[]).await?;
        println!("address {}", node.addresses().await?.first().context("an address")?);
        // Until the other end is closed.
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        within("shutdown", node.shutdown()).await
    })
}

/// Opens `count` streams, each with a part of a great frame, and holds them.
async fn slow_streams(address: &Multiaddr, count: usize) -> anyhow::Result<(Attacker, Vec<libp2p::Stream>)> {
    let mut attacker = Attacker::connect_to(address, &[]).await?;
    let mut held = Vec::new();
    for _ in 0..count {
        match within("stream", attacker.control.open_stream(attacker.target, PROTOCOL)).await? {
            Ok(mut stream) => {
                // The node may have turned it away.
                let _ = stream.write_all(&[&HEAD[..], &[7; PART]].concat()).await;
                let _ = stream.flush().await;
                held.push(stream);
            }
            Err(OpenStreamError::Io(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((attacker, held))
}

#[expect(clippy::print_stdout, reason = "a measure is of use where it holds, too")]
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_make_a_node_hold_is_bounded() -> anyhow::Result<()> {
    let (node, address) = Apart::start()?;
    // It has met somebody and answered before it is measured.
    Attacker::connect_to(&address, &[]).await?.ask(&FIND_NODE).await?;
    let before = node.bytes("VmRSS:")?;
    let port = address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    let port = port.context("a TCP port")?;
    let held = try_join_all((0..PEERS).map(|_| slow_streams(&address, STREAMS / PEERS))).await?;
    assert!(held.iter().map(|(_, streams)| streams.len()).sum::<usize>() >= STREAMS / 2);
    // An honest peer joins and looks up meanwhile.
    let honest = start(std::slice::from_ref(&address)).await?;
    within("ready", honest.ready()).await??;
    let connections = (0..SILENT).map(|_| TcpStream::connect(("127.0.0.1", port)));
    let silent: Vec<_> = connections.collect::<Result<_, _>>()?;
    assert!(!within("lookup", honest.lookup(b"name")).await??.closest.is_empty());
    let grown = node.bytes("VmHWM:")?.saturating_sub(before);
    let cap = MAX_HELD_BYTES + (PEERS + SILENT) * LINK_BYTES;
    println!("grown by {} KiB of {} KiB", grown / 1024, cap / 1024);
    assert!(grown <= cap, "{grown} bytes, more than {cap}");
    // What was let in has arrived: the measure is of something.
    assert!(grown > 16 * PART, "{grown}");
    drop((held, silent));
    Ok(())
}
