//! What a service may use of its host.

use serde::Deserialize;

/// Bytes of all files of a service's disk: a SQLite database of a real service takes tens of KiB, and a thousand full
/// disks still fit the memory of a large machine.
pub const DISK_BYTES: u64 = 64 << 20;
/// Bytes of one file: one file may be the whole disk.
pub const FILE_BYTES: u64 = DISK_BYTES;
/// Bytes of one file, whatever is set: one byte far out in an empty file takes a table of 32 MiB at this size.
pub const MOST_FILE_BYTES: u64 = 1 << 40;
/// Names on a disk, and files and directories on it. A directory is copied when it changes, so this also bounds what a
/// new name costs.
pub const DISK_ENTRIES: u32 = 4096;
/// Open descriptors of a module, preopened ones included. SQLite with a journal keeps three.
/// One of a directory may hold a listing of it.
pub const DESCRIPTORS: u32 = 128;
/// Bytes of a path that a module gives, as `PATH_MAX` of Linux.
pub const PATH_BYTES: u32 = 4096;
/// Bytes of one name of a path, as `NAME_MAX` of Linux. A folder of the host cannot hold longer ones, so it is not set.
pub const NAME_BYTES: usize = 255;
/// How deep directories may nest: renaming a directory looks at all above it.
pub const PATH_DEPTH: u32 = 64;
/// Buffers of one reading or writing call, as `IOV_MAX` of Linux.
pub const IOVECS: u32 = 1024;
/// Bytes that all modules of a service together may print in one call, before the rest is cut.
pub const OUTPUT_BYTES: u64 = 256 << 10;
/// Subscriptions of one poll: standard libraries use one or two.
pub const SUBSCRIPTIONS: u32 = 64;

/// What a service may use of its disk, and of the calls that reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskLimits {
    /// Bytes of all files, holes included ([`DISK_BYTES`]).
    pub bytes: u64,
    /// Names, and files and directories ([`DISK_ENTRIES`]).
    pub entries: u32,
    /// Bytes of one file ([`FILE_BYTES`]); more than [`MOST_FILE_BYTES`] is as much.
    pub file_bytes: u64,
    /// Open descriptors of one module ([`DESCRIPTORS`]).
    pub descriptors: u32,
    /// Bytes of one path ([`PATH_BYTES`]).
    pub path_bytes: u32,
    /// Directories inside of each other ([`PATH_DEPTH`]).
    pub depth: u32,
    /// Buffers of one call ([`IOVECS`]).
    pub iovecs: u32,
    /// Bytes printed in one call of the service ([`OUTPUT_BYTES`]).
    pub output_bytes: u64,
    /// Subscriptions of one poll ([`SUBSCRIPTIONS`]).
    pub subscriptions: u32,
}

impl Default for DiskLimits {
    fn default() -> Self {
        Self {
            bytes: DISK_BYTES,
            entries: DISK_ENTRIES,
            file_bytes: FILE_BYTES,
            descriptors: DESCRIPTORS,
            path_bytes: PATH_BYTES,
            depth: PATH_DEPTH,
            iovecs: IOVECS,
            output_bytes: OUTPUT_BYTES,
            subscriptions: SUBSCRIPTIONS,
        }
    }
}
