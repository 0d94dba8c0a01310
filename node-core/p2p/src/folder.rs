//! A node's data folder: where its files are, and that only one process has it.
//!
//! The lock is the only guard against two nodes of one identity on one machine: libp2p listens with the reuse of
//! addresses on, so the second would share the first's ports. The kernel lets go of it when the process ends, however
//! it ends. It is held by the folder and by a store that was opened from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::key::{KeyError, Keypair};
use crate::store::StoreError;

/// The node's key.
pub const KEY_FILE: &str = "node.key";
/// The node's configuration.
pub const CONFIG_FILE: &str = "node.yaml";
/// What the node keeps across its lives.
pub const STORE_FILE: &str = "node.redb";
/// Locked by the process that has the folder; says its number.
pub const LOCK_FILE: &str = "node.lock";

/// Bytes of the lock's file that are read, at most: a process's number has ten digits.
const MAX_PID_BYTES: u64 = 16;

/// A data folder that is ours.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Lock,
}

/// Holds the folder.
pub(crate) type Lock = Arc<File>;

/// Why a data folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("data folder {path} is in use by {}", pid.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Its process, as far as is known.
        pid: Option<u32>,
    },
    /// The file system refused.
    #[error("data folder {path}: {error}")]
    Io {
        /// The folder, or a file in it.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl Folder {
    /// Takes the folder at `path`, for as long as this lives.
    ///
    /// # Errors
    /// If another process has it, or it is none that can be written.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let file = path.join(LOCK_FILE);
        let io = |error| FolderError::Io { path: file.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(&file).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FolderError::InUse { path: path.to_path_buf(), pid: holder(&mut lock) });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // Who reads this between the lock and here is told of the one before.
        lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).map_err(io)?;
        Ok(Self { path: path.to_path_buf(), lock: Arc::new(lock) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that is in it.
    ///
    /// # Errors
    /// See [`Keypair::read`].
    pub fn key(&self) -> Result<Keypair, KeyError> {
        Keypair::read(&self.path.join(KEY_FILE))
    }

    /// The store that is in it; a new one if there is none.
    ///
    /// # Errors
    /// If there is one that cannot be used: it is left as it is.
    pub fn store(&self) -> Result<Disk, StoreError> {
        Disk::open(self.path.join(STORE_FILE), Arc::clone(&self.lock))
    }
}

fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(MAX_PID_BYTES).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_had_once_until_all_that_came_of_it_is_gone() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        let folder = Folder::open(path).unwrap();
        let refused = Folder::open(path).unwrap_err();
        let text = refused.to_string();
        assert!(
            matches!(refused, FolderError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
            "{text}"
        );
        let own = std::process::id();
        assert_eq!(text, format!("data folder {} is in use by process {own}", path.display()));
        let store = folder.store().unwrap();
        assert!(matches!(folder.store(), Err(StoreError::InUse(_))));
        drop(folder);
        assert!(matches!(Folder::open(path), Err(FolderError::InUse { .. })));
        drop(store);
        let folder = Folder::open(path).unwrap();
        assert!(matches!(folder.key(), Err(KeyError::Io { .. })));
        Keypair::generate().write_new(&path.join(KEY_FILE)).unwrap();
        folder.key().unwrap();
        folder.store().unwrap();
    }

    #[test]
    fn a_folder_that_is_none_is_said() {
        let temporary = tempfile::tempdir().unwrap();
        let missing = Folder::open(&temporary.path().join("missing")).unwrap_err();
        assert!(
            matches!(&missing, FolderError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound),
            "{missing}"
        );
    }
}
