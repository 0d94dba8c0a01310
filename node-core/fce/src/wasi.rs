//! WASI preview 1 over a disk in memory, and clocks and entropy that are given.
//!
//! The engine offers [`FUNCTIONS`] to its modules under [`NAMESPACE`], and runs them on a [`Call`]. A service has one
//! [`Disk`] and one [`Outside`], each of its modules a [`Process`]; all are plain values, cheap to clone, which can be
//! put back, compared and told apart by digests. What a call leaves for the host is a [`Report`].
//!
//! All functions of preview 1 are here. Deliberately not so: symbolic links (making one is `EPERM`), sockets (nothing is
//! one: `ENOTSOCK`), standard input (always at its end), arguments (there are none), rights besides reading and writing
//! (all are given, as libraries of today expect), times of access by reading, modes of synchronisation (all writes are
//! on the disk at once).
//!
//! ## Invariants
//! - The same calls on the same values give the same values, memory, fuel and report.
//! - A pointer is checked before anything is set aside for what it points at, and before anything changes. What is
//!   wrong with arguments is an error number; only exits and exhausted fuel end a module.
//! - A path never leaves the directory that it begins at.
//! - Nothing grows past [`DiskLimits`](crate::limits::DiskLimits); what is refused is counted.

pub mod cost;
pub mod folder;

mod call;
mod contents;
mod descriptors;
mod disk;
mod errno;
mod host;
mod outside;
mod path;
mod paths;
mod poll;
mod process;
mod report;
mod surroundings;
mod transfer;

#[cfg(test)]
mod tests;

pub use call::{Call, Fuel};
pub use disk::Disk;
pub use errno::{Errno, Exit, Limit};
pub use host::{DiskError, Met, Why};
pub use outside::Outside;
pub use process::{ENVIRONMENT_BYTES, Preopen, Process, SetupError};
pub use report::{Line, Refusals, Report, Stream};

use call::Args;
use cost::{CHANGE, NODE, PLAIN};
use errno::Stop;

use CoreType::{I32, I64};

/// The module that modules import these functions from.
pub const NAMESPACE: &str = "wasi_snapshot_preview1";

/// A type of the core of Wasm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreType {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

/// A function of WASI.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub params: &'static [CoreType],
    /// What it gives: an error number, or nothing if it does not return.
    pub results: &'static [CoreType],
    /// What calling it costs, in fuel, besides what it moves.
    pub base_fuel: u64,
    run: fn(&mut Call<'_>, Args<'_>) -> Result<(), Stop>,
}

impl Function {
    /// Calls it. Arguments of 32 bits are taken of the low half of theirs, however they were extended. What the call
    /// costs is charged to it, its base first.
    ///
    /// # Errors
    /// If the module does not go on.
    pub fn call(&self, call: &mut Call<'_>, args: &[i64]) -> Result<Errno, Exit> {
        if args.len() != self.params.len() {
            return Err(Exit::Arguments { name: self.name, expected: self.params.len(), given: args.len() });
        }
        let done = call.charge(self.base_fuel).and_then(|()| (self.run)(call, Args(args)));
        match done {
            Ok(()) => Ok(Errno::Success),
            Err(Stop::Errno(errno)) => Ok(errno),
            Err(Stop::Limit(limit)) => {
                call.report.refuse(limit);
                Ok(limit.errno())
            }
            Err(Stop::Exit(exit)) => Err(exit),
        }
    }
}

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
    FUNCTIONS.get(at)
}

const fn function_of(
    name: &'static str,
    params: &'static [CoreType],
    base_fuel: u64,
    run: fn(&mut Call<'_>, Args<'_>) -> Result<(), Stop>,
) -> Function {
    Function { name, params, results: &[I32], base_fuel, run }
}

/// All functions, by name.
pub static FUNCTIONS: &[Function] = &[
    function_of("args_get", &[I32; 2], PLAIN, surroundings::args_get),
    function_of("args_sizes_get", &[I32; 2], PLAIN, surroundings::args_sizes_get),
    function_of("clock_res_get", &[I32; 2], PLAIN, surroundings::clock_res_get),
    function_of("clock_time_get", &[I32, I64, I32], PLAIN, surroundings::clock_time_get),
    function_of("environ_get", &[I32; 2], PLAIN, surroundings::environ_get),
    function_of("environ_sizes_get", &[I32; 2], PLAIN, surroundings::environ_sizes_get),
    function_of("fd_advise", &[I32, I64, I64, I32], PLAIN, descriptors::fd_advise),
    function_of("fd_allocate", &[I32, I64, I64], CHANGE, descriptors::fd_allocate),
    function_of("fd_close", &[I32], CHANGE, descriptors::fd_close),
    function_of("fd_datasync", &[I32], PLAIN, descriptors::fd_sync),
    function_of("fd_fdstat_get", &[I32; 2], NODE, descriptors::fd_fdstat_get),
    function_of("fd_fdstat_set_flags", &[I32; 2], NODE, descriptors::fd_fdstat_set_flags),
    function_of("fd_fdstat_set_rights", &[I32, I64, I64], NODE, descriptors::fd_fdstat_set_rights),
    function_of("fd_filestat_get", &[I32; 2], NODE, descriptors::fd_filestat_get),
    function_of("fd_filestat_set_size", &[I32, I64], CHANGE, descriptors::fd_filestat_set_size),
    function_of("fd_filestat_set_times", &[I32, I64, I64, I32], CHANGE, descriptors::fd_filestat_set_times),
    function_of("fd_pread", &[I32, I32, I32, I64, I32], NODE, transfer::fd_pread),
    function_of("fd_prestat_dir_name", &[I32; 3], NODE, descriptors::fd_prestat_dir_name),
    function_of("fd_prestat_get", &[I32; 2], NODE, descriptors::fd_prestat_get),
    function_of("fd_pwrite", &[I32, I32, I32, I64, I32], CHANGE, transfer::fd_pwrite),
    function_of("fd_read", &[I32; 4], NODE, transfer::fd_read),
    function_of("fd_readdir", &[I32, I32, I32, I64, I32], NODE, transfer::fd_readdir),
    function_of("fd_renumber", &[I32; 2], CHANGE, descriptors::fd_renumber),
    function_of("fd_seek", &[I32, I64, I32, I32], NODE, descriptors::fd_seek),
    function_of("fd_sync", &[I32], PLAIN, descriptors::fd_sync),
    function_of("fd_tell", &[I32; 2], NODE, descriptors::fd_tell),
    function_of("fd_write", &[I32; 4], CHANGE, transfer::fd_write),
    function_of("path_create_directory", &[I32; 3], CHANGE, paths::path_create_directory),
    function_of("path_filestat_get", &[I32; 5], NODE, paths::path_filestat_get),
    function_of(
        "path_filestat_set_times",
        &[I32, I32, I32, I32, I64, I64, I32],
        CHANGE,
        paths::path_filestat_set_times,
    ),
    function_of("path_link", &[I32; 7], CHANGE, paths::path_link),
    function_of("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32], CHANGE, paths::path_open),
    function_of("path_readlink", &[I32; 6], NODE, paths::path_readlink),
    function_of("path_remove_directory", &[I32; 3], CHANGE, paths::path_remove_directory),
    function_of("path_rename", &[I32; 6], CHANGE, paths::path_rename),
    function_of("path_symlink", &[I32; 5], NODE, paths::path_symlink),
    function_of("path_unlink_file", &[I32; 3], CHANGE, paths::path_unlink_file),
    function_of("poll_oneoff", &[I32; 4], PLAIN, poll::poll_oneoff),
    Function {
        name: "proc_exit",
        params: &[I32],
        results: &[],
        base_fuel: PLAIN,
        run: surroundings::proc_exit,
    },
    function_of("proc_raise", &[I32], PLAIN, surroundings::proc_raise),
    function_of("random_get", &[I32; 2], PLAIN, surroundings::random_get),
    function_of("sched_yield", &[], PLAIN, surroundings::sched_yield),
    function_of("sock_accept", &[I32; 3], PLAIN, descriptors::no_socket),
    function_of("sock_recv", &[I32; 6], PLAIN, descriptors::no_socket),
    function_of("sock_send", &[I32; 5], PLAIN, descriptors::no_socket),
    function_of("sock_shutdown", &[I32; 2], PLAIN, descriptors::no_socket),
];
