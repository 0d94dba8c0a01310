//! One node process: its files, its start, its signals, its end.
//!
//! Nothing of it outlives its owner: it is killed when this is dropped, and its standard input is a pipe that closes when the
//! owner's process is gone, however that came about, which the node takes as the word to stop.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ground;

/// The flag by which a node stops once its standard input ends.
const STOP_WITH_STDIN: &str = "--stop-with-stdin";
/// The flag by which a node believes in the network that it is told of.
const EMULATE_LINKS: &str = "--emulate-links";
/// Of what a node that failed had said, this much is told.
const LAST_WORDS_BYTES: u64 = 2_048;
const LAST_WORDS_LINES: usize = 4;

const KEY: &str = "node.key";
const CONFIG: &str = "node.yaml";
const LOG: &str = "node.log";

/// What a life begins with.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// Where they are.
    pub(crate) folder: PathBuf,
    /// The key, in libp2p's form.
    pub(crate) key: Vec<u8>,
    /// The configuration; JSON is YAML.
    pub(crate) config: String,
    /// What is on the disk from the life before.
    pub(crate) disk: play::Data,
}

impl Files {
    /// Puts them in their place.
    pub(crate) fn lay_out(&self) -> io::Result<()> {
        if self.disk == play::Data::Lost && self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        if !self.folder.exists() {
            ground::make(&self.folder)?;
        }
        ground::write_private(&self.folder.join(KEY), &self.key)?;
        ground::write_private(&self.folder.join(CONFIG), self.config.as_bytes())
    }
}

/// A running node.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` as the node of this folder.
    pub(crate) fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        let log = folder.join(LOG);
        let said = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.args(["node", "run", STOP_WITH_STDIN, EMULATE_LINKS, "--config"]).arg(folder.join(CONFIG));
        // The environment would change a node's configuration; and an interrupt of the run is not one of its nodes.
        command.env_clear().env("RUST_LOG", "warn").process_group(0).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::from(said));
        Ok(Self { child: command.spawn()?, log })
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal; one that has ended takes none.
    pub(crate) fn signal(&self, signal: Signal) {
        // The child was not waited for, so its number is still its own.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it said last.
    pub(crate) fn last_words(&self) -> String {
        last_words(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn last_words(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LAST_WORDS_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LAST_WORDS_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_WORDS_LINES));
    Ok(last.copied().collect::<Vec<_>>().join(" | "))
}

/// An Ed25519 key in libp2p's protobuf form: its type, then the secret and the public half.
pub(crate) fn key_file(secret: &[u8; 32], public: &[u8; 32]) -> Vec<u8> {
    const HEAD: [u8; 4] = [0x08, 0x01, 0x12, 0x40];
    [&HEAD, secret.as_slice(), public].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_lost_holds_nothing_of_before() {
        let root = std::env::temp_dir().join(format!("wavetank-files-{}", std::process::id()));
        ground::make(&root).unwrap();
        let files = |disk| Files { folder: root.join("node"), key: vec![1], config: "{}".to_owned(), disk };
        files(play::Data::Kept).lay_out().unwrap();
        let record = root.join("node/store");
        fs::write(&record, "record").unwrap();
        files(play::Data::Kept).lay_out().unwrap();
        assert!(record.exists());
        files(play::Data::Lost).lay_out().unwrap();
        assert!(!record.exists() && root.join("node/node.key").exists());
        fs::remove_dir_all(root).unwrap();
    }
}
