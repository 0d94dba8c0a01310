//! A disk as its host uses it: whole files by their paths from the root, outside of any call.
//!
//! Limits hold here too; what is refused is an error and not counted.

use std::sync::Arc;

use super::disk::{Disk, FileType, ROOT};
use super::errno::{Errno, Limit, Stop};
use super::path::{Place, follow};

/// Something that a host could not do with a disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` on the disk: {why}")]
pub struct DiskError {
    /// The path, from the root.
    pub path: String,
    /// Why.
    pub why: Why,
}

/// Why a host could not do something with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// As a module would be told.
    #[error("{0:?}")]
    Errno(Errno),
    /// A limit of the disk.
    #[error("over its limit of {0:?}")]
    Limit(Limit),
}

impl DiskError {
    pub(super) fn new(path: &str, stop: Stop) -> Self {
        let why = match stop {
            Stop::Limit(limit) => Why::Limit(limit),
            other => Why::Errno(other.errno().unwrap_or(Errno::Inval)),
        };
        Self { path: path.to_owned(), why }
    }
}

/// A file or directory of a disk, as [`Disk::walk`] meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Its path, from where the walk began.
    pub path: String,
    /// Its node.
    pub(super) node: u64,
    /// What it is.
    pub(super) kind: FileType,
}

impl Met {
    /// Whether it is a directory and not a file.
    pub fn is_directory(&self) -> bool {
        self.kind == FileType::Directory
    }
}

/// The directory at a path from the root, made with all above it if it is not there. A slash in front means nothing.
pub(super) fn directory_at(disk: &mut Disk, path: &str, now_ns: u64) -> Result<u64, DiskError> {
    let mut at = ROOT;
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        at = step_into(disk, at, name, now_ns).map_err(|stop| DiskError::new(path, stop))?;
    }
    Ok(at)
}

fn step_into(disk: &mut Disk, from: u64, name: &str, now_ns: u64) -> Result<u64, Stop> {
    match disk.lookup(from, name)? {
        _ if name == ".." => Err(Errno::Notcapable.into()),
        Some(entry) if entry.kind == FileType::File => Err(Errno::Notdir.into()),
        Some(entry) => Ok(entry.node),
        None => disk.create_directory(from, name, now_ns),
    }
}

impl Disk {
    /// Makes a directory and all above it that are not there.
    ///
    /// # Errors
    /// If a file is in the way or a limit is.
    pub fn make_directory(&mut self, path: &str, now_ns: u64) -> Result<(), DiskError> {
        directory_at(self, path, now_ns).map(|_| ())
    }

    /// Makes a file of these bytes, or the file that is there so.
    ///
    /// # Errors
    /// If its directory is not there, or a directory is where it should be, or a limit is in the way; a file may be
    /// left empty then.
    pub fn write_file(&mut self, path: &str, bytes: &[u8], now_ns: u64) -> Result<(), DiskError> {
        self.put_file(path, bytes, now_ns).map_err(|stop| DiskError::new(path, stop)).map(|_| ())
    }

    pub(super) fn put_file(&mut self, path: &str, bytes: &[u8], now_ns: u64) -> Result<u64, Stop> {
        let Place::Name { parent, name, .. } = follow(self, ROOT, path.trim_start_matches('/'))? else {
            return Err(Errno::Isdir.into());
        };
        let node = match self.lookup(parent, name)?.map(|entry| entry.node) {
            Some(node) => node,
            None => self.create_file(parent, name, now_ns)?,
        };
        self.resize(node, 0, now_ns)?;
        self.write(node, 0, bytes, now_ns)?;
        Ok(node)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, DiskError> {
        let whole = || {
            let node = follow(self, ROOT, path.trim_start_matches('/'))?.node(self)?;
            let contents = self.contents(node)?;
            let mut bytes = vec![0; contents.size_bytes() as usize];
            contents.read(0, &mut bytes);
            Ok(bytes)
        };
        whole().map_err(|stop| DiskError::new(path, stop))
    }

    /// All files and directories below a directory, each after the one that it is in, by name. Nothing if there is no
    /// such directory.
    pub fn walk(&self, path: &str) -> Vec<Met> {
        let path = path.trim_start_matches('/');
        let from = if path.is_empty() { Ok(ROOT) } else { self.directory(path) };
        let mut met = Vec::new();
        // Directories whose entries are still to be met, the next one last.
        let mut left: Vec<Met> = Vec::new();
        let list = |node: u64, above: &str, left: &mut Vec<Met>| {
            let entries = self.entries(node).map(Arc::clone).unwrap_or_default();
            left.extend(entries.iter().rev().map(|entry| {
                let name = &entry.name;
                let path = if above.is_empty() { name.to_string() } else { format!("{above}/{name}") };
                Met { path, node: entry.node, kind: entry.kind }
            }));
        };
        if let Ok(node) = from {
            list(node, "", &mut left);
        }
        while let Some(next) = left.pop() {
            if next.is_directory() {
                list(next.node, &next.path, &mut left);
            }
            met.push(next);
        }
        met
    }

    fn directory(&self, path: &str) -> Result<u64, Stop> {
        follow(self, ROOT, path)?.node(self)
    }
}
