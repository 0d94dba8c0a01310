//! A node's key: Ed25519, in libp2p's protobuf form, in a file that only its owner reads.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use libp2p::identity;
use types::PeerId;

/// Bytes of a key's file, at most: an Ed25519 key has 68.
const MAX_KEY_BYTES: u64 = 1_024;

/// A node's key pair.
#[derive(Clone)]
pub struct Keypair(identity::Keypair);

/// Why a key was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a key already: a node's identity is never overwritten.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// Others than the owner may read or write it.
    #[error("{path} has mode {mode:o}; only its owner may read it (600)")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file holds no Ed25519 key.
    #[error("{0} holds no Ed25519 key in libp2p's protobuf form")]
    Invalid(PathBuf),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl Keypair {
    /// A new key, of the system's entropy.
    #[must_use]
    pub fn generate() -> Self {
        Self(identity::Keypair::generate_ed25519())
    }

    /// Writes the key into a new file of mode 0600, which is there whole or not at all.
    ///
    /// # Errors
    /// If the file exists, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let io = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_path_buf()),
            _ => KeyError::Io { path: path.to_path_buf(), error },
        };
        let bytes = self.0.to_protobuf_encoding().map_err(|_| KeyError::Invalid(path.to_path_buf()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Its owner's alone, as every temporary file is. A process that is killed here leaves it under a name that says so.
        let unfinished =
            tempfile::Builder::new().prefix("unfinished-key-").tempfile_in(folder.unwrap_or(Path::new(".")));
        let mut file = unfinished.map_err(io)?;
        file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(io)?;
        file.persist_noclobber(path).map(drop).map_err(|refused| io(refused.error))
    }

    /// Reads the key of this file.
    ///
    /// # Errors
    /// If it cannot be read, holds no such key, or others may read it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::Io { path: path.to_path_buf(), error };
        let file = std::fs::File::open(path).map_err(io)?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().map_err(io)?.permissions());
            if mode & 0o077 != 0 {
                return Err(KeyError::Open { path: path.to_path_buf(), mode: mode & 0o777 });
            }
        }
        let mut bytes = Vec::new();
        file.take(MAX_KEY_BYTES).read_to_end(&mut bytes).map_err(io)?;
        let key = identity::Keypair::from_protobuf_encoding(&bytes).ok();
        key.filter(|key| key.key_type() == identity::KeyType::Ed25519)
            .map(Self)
            .ok_or_else(|| KeyError::Invalid(path.to_path_buf()))
    }

    /// The id of the peer that holds this key.
    ///
    /// # Panics
    /// Never: a key of this type is Ed25519.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        let id = crate::peers::ours(&self.0.public().to_peer_id());
        assert!(id.is_some(), "the id of an Ed25519 key is a multihash of 38 bytes");
        id.unwrap_or_else(|| PeerId::from_ed25519(&[0; 32]))
    }

    pub(crate) const fn identity(&self) -> &identity::Keypair {
        &self.0
    }
}

/// The secret is not shown.
impl std::fmt::Debug for Keypair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keypair").field(&self.peer_id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let key = Keypair::generate();
        key.write_new(&path).unwrap();
        assert_eq!(Keypair::read(&path).unwrap().peer_id(), key.peer_id());
        assert_eq!(std::fs::read(&path).unwrap().len(), 68);
        assert!(matches!(Keypair::generate().write_new(&path), Err(KeyError::Exists(_))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(Keypair::read(&path).unwrap().peer_id(), key.peer_id());
        assert!(key.peer_id().to_string().starts_with("12D3KooW"));
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        Keypair::generate().write_new(&path).unwrap();
        std::fs::write(&path, b"not a key").unwrap();
        assert!(matches!(Keypair::read(&path), Err(KeyError::Invalid(_))));
        assert!(matches!(Keypair::read(folder.path()), Err(KeyError::Io { .. } | KeyError::Open { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        Keypair::generate().write_new(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keypair::read(&path), Err(KeyError::Open { mode: 0o640, .. })));
    }
}
