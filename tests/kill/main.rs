//! A node that is killed at any instant comes back: with every record that it acknowledged, with its key, and soon.
//!
//! A node of this process stores records with one that is `wavetank node run`, which has them on disk, and kills it:
//! while it starts, or while it acknowledges. What is on disk then is looked at in a copy, so that the next life finds the file
//! as the kill left it. `WAVETANK_KILLS=2000` kills so often instead of 50 times.
//!
//! A kill is not a loss of power: what a process wrote survives it. What of a commit may be missing or torn on a disk
//! is tested where the store is (`p2p::disk`).
//!
//! A target of the package of the binary, which tells it where the binary is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod child;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use child::{Child, IN_USE};
use config::Config;
use p2p::folder::{KEY_FILE, STORE_FILE};
use p2p::{Folder, Keypair, Node, Setup, Store as _};
use types::{Digest, Domain, Purpose, Seed, Streams, UnixMillis};
use writer::{Promise, Writer};

/// Kills, unless `WAVETANK_KILLS` says otherwise.
const KILLS: u32 = 50;
/// One of so many kills comes while the node starts.
const STARTING: u64 = 4;
/// How long a node lives that has begun to acknowledge, at most.
const LIFE: Duration = Duration::from_millis(300);
/// One of so many lives sees another process try its folder.
const INTRUDERS: u32 = 10;
/// In this time nearly all restarts are ready.
const SOON: Duration = Duration::from_secs(2);
/// How long anything may take, on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_at_any_instant_loses_nothing_that_it_acknowledged() -> anyhow::Result<()> {
    let kills = std::env::var("WAVETANK_KILLS").map_or(Ok(KILLS), |kills| kills.parse())?;
    let data = tempfile::tempdir()?;
    let setup = Setup::new(Config::default(), vec!["/ip4/127.0.0.1/tcp/0".parse()?], Vec::new());
    let node = Node::start(setup, Keypair::generate()).await?;
    let addresses = node.addresses().await?;
    let bootstrap = addresses.first().context("it listens")?.clone();
    let mut writer = Writer::new(node);
    child::init(data.path(), &bootstrap)?;
    let key = std::fs::read(data.path().join(KEY_FILE))?;
    let streams = Streams::new(Seed(8), Domain::new("tests"), Digest(0), 0);
    let mut chance = streams.stream(Purpose::new("kills"), 0);
    let (mut readies, mut acknowledged, mut lives) = (Vec::new(), 0, 0);
    for kill in 0..kills {
        let started = Instant::now();
        let mut child = Child::start(data.path())?;
        let starting = chance.below(STARTING) == 0;
        if starting {
            let usual = readies.last().copied().unwrap_or(LIFE);
            child.kill_at(started + share(usual, chance.unit())).await?;
        } else {
            child.ready().await?;
            readies.push(started.elapsed());
            if kill.is_multiple_of(INTRUDERS) {
                let second = Child::start(data.path())?.ended().await?;
                ensure!(second == Some(IN_USE), "a second process on the folder ended with {second:?}");
            }
            let life = share(LIFE, chance.unit());
            acknowledged +=
                writer.write_until_gone(async { child.kill_at(Instant::now() + life).await }).await?;
        }
        // One that spoke was counted before.
        let least = lives + u32::from(!starting);
        lives =
            inspect(data.path(), writer.promises(), least).with_context(|| format!("after kill {kill}"))?;
        ensure!(std::fs::read(data.path().join(KEY_FILE))? == key, "the key changed");
    }
    let mut child = Child::start(data.path())?;
    child.ready().await?;
    ensure!(child.stop().await? == Some(0), "it did not end by itself");
    inspect(data.path(), writer.promises(), lives + 1)?;
    ensure!(!readies.is_empty(), "no node came to be ready");
    readies.sort_unstable();
    let at = |share: usize| readies[(readies.len() - 1) * share / 100];
    eprintln!(
        "{kills} kills, {acknowledged} records acknowledged, {lives} lives counted, {} bytes of store; a restart was \
         ready in {:?} (median), {:?} (90 %), {:?} (99 %), {:?} (all)",
        std::fs::metadata(data.path().join(STORE_FILE))?.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    ensure!(acknowledged >= u64::from(kills), "only {acknowledged} records were acknowledged");
    ensure!(at(99) < SOON, "99 % of the restarts took up to {:?}", at(99));
    Ok(())
}

fn share(of: Duration, share: f64) -> Duration {
    of.mul_f64(share)
}

/// Looks at a copy of the folder's store: every promise was kept. Returns how many lives it counts: `lives` at
/// least.
fn inspect(data: &Path, promises: &BTreeMap<Vec<u8>, Promise>, lives: u32) -> anyhow::Result<u32> {
    let file = data.join(STORE_FILE);
    if promises.is_empty() && !file.try_exists()? {
        // It was killed before it made one.
        return Ok(0);
    }
    // That it can be had says that the kernel let go of it.
    let _folder = Folder::open(data)?;
    let copy = tempfile::tempdir()?;
    std::fs::copy(file, copy.path().join(STORE_FILE))?;
    let past = Folder::open(copy.path())?.store()?.begin(UnixMillis(0))?;
    let records: BTreeMap<_, _> =
        past.records.into_iter().map(|stored| (stored.name, stored.value)).collect();
    for (name, promise) in promises {
        let value = records.get(name);
        let kept = value.is_some_and(|value| promise.admits(value));
        ensure!(kept, "{}: {promise:?}, and there is {value:?}", name.escape_ascii());
    }
    ensure!(past.lives >= lives, "{} lives are counted, of at least {lives}", past.lives);
    Ok(past.lives)
}
