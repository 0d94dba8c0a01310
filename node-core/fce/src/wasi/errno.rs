//! Why a function did not do what it was asked to: error numbers of WASI preview 1, and what stands behind them.

use crate::memory::OutOfBounds;

/// An error number, as the module sees it. Only those that a function here can answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Errno {
    /// It is done.
    Success = 0,
    /// No such descriptor, or one not open for this.
    Badf = 8,
    /// It exists already.
    Exist = 20,
    /// A pointer outside of the memory.
    Fault = 21,
    /// A file would be larger than files may be.
    Fbig = 22,
    /// A path is not UTF-8.
    Ilseq = 25,
    /// An argument that means nothing.
    Inval = 28,
    /// It is a directory.
    Isdir = 31,
    /// Too many open descriptors.
    Mfile = 33,
    /// A path or name is too long.
    Nametoolong = 37,
    /// No such file or directory.
    Noent = 44,
    /// No room on the disk.
    Nospc = 51,
    /// Not a directory.
    Notdir = 54,
    /// A directory is not empty.
    Notempty = 55,
    /// Not a socket.
    Notsock = 57,
    /// Not supported.
    Notsup = 58,
    /// A number does not fit its type.
    Overflow = 61,
    /// Not permitted.
    Perm = 63,
    /// A stream has no position.
    Spipe = 70,
    /// It is outside of what the module may see.
    Notcapable = 76,
}

impl Errno {
    /// Its number.
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// Why a module does not go on after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// It asked to end, with this code: 0 is success.
    #[error("the module exited with code {0}")]
    Exited(u32),
    /// It raised this signal at itself.
    #[error("the module raised signal {0} at itself")]
    Raised(u8),
    /// The call costs more fuel than is left.
    #[error("out of fuel: a call of the host needs {needed} and {left} are left")]
    OutOfFuel {
        /// What it costs.
        needed: u64,
        /// What was left.
        left: u64,
    },
    /// The engine passed a wrong number of arguments: its mistake, not the module's.
    #[error("{name} takes {expected} arguments and got {given}")]
    Arguments {
        /// The function.
        name: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many there were.
        given: usize,
    },
}

/// A limit of [`crate::limits::DiskLimits`] that a module ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Bytes of the disk.
    DiskBytes,
    /// Names, files and directories.
    Entries,
    /// Bytes of a file.
    FileBytes,
    /// Open descriptors.
    Descriptors,
    /// Bytes of a path.
    PathBytes,
    /// Bytes of a name.
    NameBytes,
    /// Nesting of directories.
    Depth,
    /// Buffers of a call.
    Iovecs,
    /// Bytes printed in a call.
    OutputBytes,
    /// Subscriptions of a poll.
    Subscriptions,
}

impl Limit {
    /// All, in a stable order.
    pub const ALL: [Self; 10] = [
        Self::DiskBytes,
        Self::Entries,
        Self::FileBytes,
        Self::Descriptors,
        Self::PathBytes,
        Self::NameBytes,
        Self::Depth,
        Self::Iovecs,
        Self::OutputBytes,
        Self::Subscriptions,
    ];

    /// What the module is answered. A full disk is `ENOSPC` and not `EDQUOT`, because SQLite takes only the first for
    /// a full disk. Output over its limit is cut, and the module not told.
    pub const fn errno(self) -> Errno {
        match self {
            Self::DiskBytes | Self::Entries => Errno::Nospc,
            Self::FileBytes => Errno::Fbig,
            Self::Descriptors => Errno::Mfile,
            Self::PathBytes | Self::NameBytes | Self::Depth => Errno::Nametoolong,
            Self::Iovecs | Self::Subscriptions => Errno::Inval,
            Self::OutputBytes => Errno::Success,
        }
    }
}

/// Why a function stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The module is answered so.
    Errno(Errno),
    /// The module is answered so, and it is counted.
    Limit(Limit),
    /// The module does not go on.
    Exit(Exit),
}

impl Stop {
    /// What the module is answered, unless it does not go on.
    pub(super) const fn errno(self) -> Option<Errno> {
        match self {
            Self::Errno(errno) => Some(errno),
            Self::Limit(limit) => Some(limit.errno()),
            Self::Exit(_) => None,
        }
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Limit> for Stop {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl From<Exit> for Stop {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit)
    }
}

impl From<OutOfBounds> for Stop {
    fn from(_: OutOfBounds) -> Self {
        Self::Errno(Errno::Fault)
    }
}
