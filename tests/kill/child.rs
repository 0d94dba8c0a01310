//! The node in another process: how it is made, started and ended.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use p2p::Multiaddr;

use crate::PATIENCE;

/// The exit code of a node whose folder another has.
pub(crate) const IN_USE: i32 = 23;

/// What a node says once it is ready.
const READY: &str = "ready";

/// Makes the folder of a node that listens where the system has room, and asks `bootstrap` first.
pub(crate) fn init(data: &Path, bootstrap: &Multiaddr) -> anyhow::Result<()> {
    let bootstrap = bootstrap.to_string();
    let settings = ["--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0", "--bootstrap", &bootstrap];
    let said = wavetank(&["node", "init", "--data"]).arg(data).args(settings).output()?;
    ensure!(said.status.success(), "{said:?}");
    Ok(())
}

/// The command, in an environment that says nothing to it.
fn wavetank(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WAVETANK_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// A node in another process. It ends with this, and when this process ends.
pub(crate) struct Child {
    process: std::process::Child,
    lines: mpsc::Receiver<String>,
}

impl Child {
    /// Starts the node whose folder is `data`.
    pub(crate) fn start(data: &Path) -> anyhow::Result<Self> {
        let mut process = wavetank(&["node", "run", "--stop-with-stdin", "--data"])
            .arg(data)
            .env("RUST_LOG", "error")
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
                if line == READY {
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
