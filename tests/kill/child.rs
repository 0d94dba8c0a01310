//! The node in another process: how it is started and ended, and what it does there.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use config::Config;
use p2p::{Folder, FolderError, Multiaddr, Node, Setup};

use crate::PATIENCE;

/// The exit code of a node whose folder another has.
pub(crate) const IN_USE: i32 = 23;

const DATA: &str = "WAVETANK_KILL_DATA";
const BOOTSTRAP: &str = "WAVETANK_KILL_BOOTSTRAP";
/// What a child says once it is ready.
const READY: &str = "the node is ready";

/// A node in another process. It ends with this, and when this process ends.
pub(crate) struct Child {
    process: std::process::Child,
    lines: mpsc::Receiver<String>,
}

impl Child {
    /// Starts a node on the folder `data`.
    pub(crate) fn start(data: &Path, bootstrap: &Multiaddr) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(DATA, data)
            .env(BOOTSTRAP, bootstrap.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let output = process.stdout.take().context("its output is a pipe")?;
        let (told, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = io::BufRead::lines(io::BufReader::new(output));
            // Nobody may listen any more.
            lines.map_while(Result::ok).for_each(|line| drop(told.send(line)));
        });
        Ok(Self { process, lines })
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| {
            let until = Instant::now() + PATIENCE;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let line = self.lines.recv_timeout(left).context("it was not ready")?;
                if line.contains(READY) {
                    return Ok(());
                }
            }
        })
    }

    /// Kills it at an instant.
    pub(crate) async fn kill_at(&mut self, at: Instant) -> anyhow::Result<()> {
        tokio::time::sleep_until(at.into()).await;
        self.process.kill()?;
        tokio::task::block_in_place(|| self.process.wait())?;
        Ok(())
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Option<i32>> {
        drop(self.process.stdin.take());
        self.ended().await
    }

    /// Waits until it has ended by itself: its exit code.
    pub(crate) async fn ended(mut self) -> anyhow::Result<Option<i32>> {
        tokio::task::block_in_place(|| {
            let until = Instant::now() + PATIENCE;
            // Its output ends when it does.
            while let left @ 1.. = until.saturating_duration_since(Instant::now()).as_nanos() {
                let left = std::time::Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX));
                match self.lines.recv_timeout(left) {
                    Ok(_) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(self.process.wait()?.code()),
                    Err(mpsc::RecvTimeoutError::Timeout) => break,
                }
            }
            anyhow::bail!("it did not end in {PATIENCE:?}")
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Lives in the other process until its input ends.
pub(crate) fn live() -> anyhow::Result<()> {
    let data = PathBuf::from(std::env::var_os(DATA).context("only the other test starts this one")?);
    let bootstrap = std::env::var(BOOTSTRAP)?.parse()?;
    let folder = match Folder::open(&data) {
        Err(FolderError::InUse { .. }) => std::process::exit(IN_USE),
        folder => folder?,
    };
    let mut setup = Setup::new(Config::default(), vec!["/ip4/127.0.0.1/tcp/0".parse()?], vec![bootstrap]);
    setup.store = Box::new(folder.store()?);
    let key = folder.key()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let node = Node::start(setup, key).await?;
        node.ready().await?;
        writeln!(io::stdout(), "\n{READY}")?;
        tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
        node.shutdown().await;
        anyhow::Ok(())
    })
}
