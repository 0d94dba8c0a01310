//! What can go wrong between a run and its folder; every message names the file.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run's folder could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder to create exists and holds something: a run never writes into another's.
    #[error("{} is not empty; a run writes into a folder of its own", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A name that would leave the folder or cannot stand in it.
    #[error("`{name}` is no relative path inside the run's folder")]
    BadName {
        /// The name.
        name: String,
    },
    /// The system refused a write.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A row that its format cannot hold.
    #[error("cannot write a row of {}: {what}", .path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system refused a read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Nothing is there.
    #[error("{} does not exist", .path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder without a manifest, or no folder.
    #[error("{} is not a run's folder: it has no manifest.json", .path.display())]
    NotARun {
        /// The path.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error("{} has format {format}, newer than {}, the newest that this version reads", .path.display(), crate::FORMAT)]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The content is not what the format says.
    #[error("{}:{line}: {what}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// More than the reader takes.
    #[error("{} is over the limit of {limit}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit and its unit.
        limit: String,
    },
}

impl RecordError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// The error of a read; a file that is not there has a variant of its own.
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Read { path: path.to_owned(), source },
        }
    }

    /// Whether the trouble is that something cannot be written.
    #[must_use]
    pub const fn is_output(&self) -> bool {
        matches!(self, Self::NotEmpty { .. } | Self::BadName { .. } | Self::Write { .. } | Self::Row { .. })
    }
}
