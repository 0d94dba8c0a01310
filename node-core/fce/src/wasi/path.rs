//! Paths of modules: from a directory that is open to a place below it, never above.
//!
//! Absolute paths are refused, and so is a `..` that leaves the directory that the path begins at. As there are no
//! symbolic links, nothing else leads out. `.` and doubled slashes mean nothing; a slash at the end asks for a directory.

use super::disk::{Disk, FileType};
use super::errno::{Errno, Stop};

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// To a directory that is there, by `.` or `..` and not by its name.
    Directory(u64),
    /// To a name, which may or may not be there, in a directory that is.
    Name {
        /// The directory.
        parent: u64,
        /// The name, never `.` or `..`.
        name: &'p str,
        /// Whether a slash follows.
        slash: bool,
    },
}

impl Place<'_> {
    /// The node that is there.
    pub(super) fn node(self, disk: &Disk) -> Result<u64, Stop> {
        match self {
            Self::Directory(node) => Ok(node),
            Self::Name { parent, name, slash } => match disk.lookup(parent, name)? {
                None => Err(Errno::Noent.into()),
                Some(entry) if slash && entry.kind == FileType::File => Err(Errno::Notdir.into()),
                Some(entry) => Ok(entry.node),
            },
        }
    }
}

/// How many names a path has, which is what following it costs.
pub(super) fn components(path: &str) -> u64 {
    path.split('/').count() as u64
}

/// Follows a path from a directory.
pub(super) fn follow<'p>(disk: &Disk, from: u64, path: &'p str) -> Result<Place<'p>, Stop> {
    if path.is_empty() {
        return Err(Errno::Noent.into());
    }
    if path.starts_with('/') {
        return Err(Errno::Notcapable.into());
    }
    let mut names = path.split('/').filter(|name| !name.is_empty()).peekable();
    let mut above = Vec::new();
    let mut at = from;
    while let Some(name) = names.next() {
        match name {
            "." => {}
            ".." => at = above.pop().ok_or(Errno::Notcapable)?,
            _ if names.peek().is_none() => {
                disk.entries(at)?;
                return Ok(Place::Name { parent: at, name, slash: path.ends_with('/') });
            }
            _ => match disk.lookup(at, name)? {
                None => return Err(Errno::Noent.into()),
                Some(entry) if entry.kind == FileType::File => return Err(Errno::Notdir.into()),
                Some(entry) => {
                    above.push(at);
                    at = entry.node;
                }
            },
        }
    }
    Ok(Place::Directory(at))
}
