//! The node of this process, which stores records with the other and keeps account of what was acknowledged.

use std::collections::BTreeMap;
use std::future::Future;

use anyhow::Context as _;
use p2p::{Handle, OperationError};

use crate::PATIENCE;

/// Records that are on their way at once, each of its own name: enough that they queue up before the disk.
const AT_ONCE: usize = 32;
/// Names of each, in turn. All of them fit into what a node holds and publishes.
const NAMES: u64 = 16;
/// Bytes of a value, and a few more.
const VALUE_BYTES: usize = 700;

/// What the other node owes for a name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promise {
    /// The version that was last acknowledged.
    acknowledged: u64,
    /// The version that was last sent.
    sent: u64,
}

impl Promise {
    /// Whether a node that has this value keeps the promise: it is the version that was acknowledged, or a later one.
    pub(crate) fn admits(&self, bytes: &[u8]) -> bool {
        (self.acknowledged..=self.sent).any(|version| value(version) == bytes)
    }
}

fn value(version: u64) -> Vec<u8> {
    let mut bytes = version.to_le_bytes().repeat(VALUE_BYTES / 8);
    bytes.truncate(VALUE_BYTES - usize::try_from(version % 300).unwrap_or_default());
    bytes
}

/// Stores records with one other node.
pub(crate) struct Writer {
    node: Handle,
    /// By name; only of those that have one that was acknowledged.
    promises: BTreeMap<Vec<u8>, Promise>,
    /// The version that each of those on their way is at.
    versions: [u64; AT_ONCE],
}

impl Writer {
    pub(crate) fn new(node: Handle) -> Self {
        Self { node, promises: BTreeMap::new(), versions: [0; AT_ONCE] }
    }

    /// What the other owes.
    pub(crate) const fn promises(&self) -> &BTreeMap<Vec<u8>, Promise> {
        &self.promises
    }

    /// Stores records until `gone` is over and none is on its way. Returns how many were acknowledged.
    pub(crate) async fn write_until_gone(
        &mut self,
        gone: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<u64> {
        let (over, is_over) = tokio::sync::watch::channel(false);
        let mut writing = Vec::new();
        for (row, version) in self.versions.into_iter().enumerate() {
            let (node, is_over) = (self.node.clone(), is_over.clone());
            writing.push(tokio::spawn(write(node, row, version, is_over)));
        }
        gone.await?;
        over.send_replace(true);
        let mut acknowledged = 0;
        for (row, task) in writing.into_iter().enumerate() {
            let ended =
                tokio::time::timeout(PATIENCE, task).await.context("records that stay on their way")?;
            let (last, kept) = ended??;
            acknowledged += kept.len() as u64;
            for version in self.versions[row] + 1..=last {
                let name = name(row, version);
                if kept.contains(&version) {
                    self.promises.insert(name, Promise { acknowledged: version, sent: version });
                } else if let Some(promise) = self.promises.get_mut(&name) {
                    promise.sent = version;
                }
            }
            self.versions[row] = last;
        }
        Ok(acknowledged)
    }
}

fn name(row: usize, version: u64) -> Vec<u8> {
    format!("row {row} name {}", version % NAMES).into_bytes()
}

/// Stores one version after the other. Returns the last, and those that were acknowledged.
async fn write(
    node: Handle,
    row: usize,
    mut version: u64,
    over: tokio::sync::watch::Receiver<bool>,
) -> anyhow::Result<(u64, Vec<u64>)> {
    let mut kept = Vec::new();
    while !*over.borrow() {
        version += 1;
        match node.put(&name(row, version), &value(version)).await {
            Ok(put) if put.acknowledged > 0 => kept.push(version),
            // The other is gone, or is still to be found again.
            Ok(_) | Err(OperationError::Isolated | OperationError::Busy) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((version, kept))
}
