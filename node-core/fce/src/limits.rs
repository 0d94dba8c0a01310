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

/// What a service may use. Each limit is one of `limits:` in a service's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceLimits {
    /// What its memories and tables may hold together, in bytes.
    pub memory_bytes: u64,
    /// How deep its functions may call each other, in units of [`crate::meter`]'s weights.
    pub depth: u32,
    /// How often a call may call its host, functions of other modules among it.
    pub host_calls: u64,
    /// What one value may take in the host as it is carried from or to a module, in bytes.
    pub carried_bytes: u64,
    /// What a call may write to the log, in bytes.
    pub log_bytes: usize,
    /// What its modules may use to start.
    pub start_fuel: u64,
    /// What its disk may hold.
    pub disk: DiskLimits,
}

/// What the published peer gives a service by default is without limit; this fits SQLite with a large cache, or the AIR
/// interpreter with a particle of ten megabytes, three times.
pub const MEMORY_BYTES: u64 = 256 << 20;
/// A result or an argument: as long as the longest particle that a peer takes, four times.
pub const CARRIED_BYTES: u64 = 64 << 20;
/// A call that does nothing but read a file of 64 MiB in blocks of 512 bytes stays below it.
pub const HOST_CALLS: u64 = 1 << 20;
/// Calls of the host within each other: a chain through as many modules as a service may have, and some more. Each takes the
/// host's own stack.
pub const NESTED_CALLS: u32 = 100;
/// A screen of lines, many times over.
pub const LOG_BYTES: usize = 64 << 10;
/// SQLite's opening of a database and creating of tables, a hundred times: about a second of work.
pub const START_FUEL: u64 = 1_000_000_000;

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            memory_bytes: MEMORY_BYTES,
            depth: DEPTH,
            host_calls: HOST_CALLS,
            carried_bytes: CARRIED_BYTES,
            log_bytes: LOG_BYTES,
            start_fuel: START_FUEL,
            disk: DiskLimits::default(),
        }
    }
}

/// What a run of a mounted binary may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryLimits {
    /// How long it may run, in milliseconds.
    pub time_ms: u64,
    /// What it may print on each of its two pipes, in bytes.
    pub output_bytes: usize,
    /// How many arguments it may get.
    pub arguments: usize,
    /// How long they may be together, in bytes.
    pub argument_bytes: usize,
}

/// A program that fetches a file over a slow network; a particle lives no longer by default.
pub const BINARY_TIME_MS: u64 = 7_000;
/// As much as a value may take, less what it takes to carry it.
pub const BINARY_OUTPUT_BYTES: usize = 16 << 20;
/// More than any command of a person.
pub const BINARY_ARGUMENTS: usize = 256;
/// What every system takes on a command line.
pub const BINARY_ARGUMENT_BYTES: usize = 128 << 10;

impl Default for BinaryLimits {
    fn default() -> Self {
        Self {
            time_ms: BINARY_TIME_MS,
            output_bytes: BINARY_OUTPUT_BYTES,
            arguments: BINARY_ARGUMENTS,
            argument_bytes: BINARY_ARGUMENT_BYTES,
        }
    }
}

/// How deep functions may call each other, in bytes of the native stack as [`crate::meter`] estimates them; the stack has
/// many times as much, so that it never overflows first.
pub const DEPTH: u32 = 2 << 20;

/// What a module may be. Each default leaves room above the largest of the published modules, the AIR interpreter, SQLite and
/// the registry among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModuleLimits {
    /// Bytes of a module ([`MODULE_BYTES`]).
    pub module_bytes: u64,
    /// Functions of its own ([`FUNCTIONS`]).
    pub functions: u64,
    /// Types ([`TYPES`]).
    pub types: u64,
    /// Parameters of a type, and results ([`PARAMETERS`]).
    pub parameters: u64,
    /// Imports ([`IMPORTS`]).
    pub imports: u64,
    /// Exports ([`EXPORTS`]).
    pub exports: u64,
    /// Globals ([`GLOBALS`]).
    pub globals: u64,
    /// Tables ([`TABLES`]).
    pub tables: u64,
    /// Slots of its tables, and entries of its element segments ([`TABLE_SLOTS`]).
    pub table_slots: u64,
    /// Element segments ([`SEGMENTS`]).
    pub element_segments: u64,
    /// Data segments ([`SEGMENTS`]).
    pub data_segments: u64,
    /// Pages that its memory begins with ([`MEMORY_PAGES`]).
    pub memory_pages: u64,
    /// Bytes of one function ([`BODY_BYTES`]).
    pub body_bytes: u64,
    /// Locals of one function, parameters among them ([`LOCALS`]).
    pub locals: u64,
    /// Blocks inside of each other ([`NESTING`]).
    pub nesting: u64,
    /// Targets of one `br_table` ([`BRANCH_TARGETS`]).
    pub branch_targets: u64,
    /// What compiling one function may cost: its operators, and its locals for each block ([`FUNCTION_COMPILE_COST`]).
    pub function_compile_cost: u64,
    /// What compiling all functions may cost ([`COMPILE_COST`]).
    pub compile_cost: u64,
    /// Compiled code that a process may hold, of all its modules ([`PROCESS_CODE_BYTES`]).
    pub process_code_bytes: u64,
}

/// Bytes of a module: the AIR interpreter has six million.
pub const MODULE_BYTES: u64 = 32 << 20;
/// Functions: the AIR interpreter has six thousand.
pub const FUNCTIONS: u64 = 50_000;
/// Types of a module.
pub const TYPES: u64 = 4096;
/// Parameters of a function, and results: what is passed in a call takes room on the native stack.
pub const PARAMETERS: u64 = 128;
/// Imports: the registry has thirty.
pub const IMPORTS: u64 = 1000;
/// Exports: SQLite has seventy.
pub const EXPORTS: u64 = 10_000;
/// Globals: compilers make a handful.
pub const GLOBALS: u64 = 1000;
/// Tables: compilers make one.
pub const TABLES: u64 = 16;
/// Slots of tables: the AIR interpreter has 2,770. A slot of an instance takes eight bytes, used or not.
pub const TABLE_SLOTS: u64 = 100_000;
/// Segments of one kind: compilers make a few.
pub const SEGMENTS: u64 = 10_000;
/// Pages that a memory begins with: 64 MiB. An older AIR interpreter begins with 832 pages.
pub const MEMORY_PAGES: u64 = 1024;
/// Bytes of one function.
pub const BODY_BYTES: u64 = 512 << 10;
/// Locals of one function.
pub const LOCALS: u64 = 5000;
/// Blocks inside of each other.
pub const NESTING: u64 = 1000;
/// Targets of one `br_table`.
pub const BRANCH_TARGETS: u64 = 10_000;
/// What compiling one function may cost.
pub const FUNCTION_COMPILE_COST: u64 = 3_000_000;
/// What compiling a module may cost.
pub const COMPILE_COST: u64 = 100_000_000;
/// Compiled code of a process: the AIR interpreter takes thirty million bytes, so that two dozen of such modules fit.
pub const PROCESS_CODE_BYTES: u64 = 1 << 30;

impl Default for ModuleLimits {
    fn default() -> Self {
        Self {
            module_bytes: MODULE_BYTES,
            functions: FUNCTIONS,
            types: TYPES,
            parameters: PARAMETERS,
            imports: IMPORTS,
            exports: EXPORTS,
            globals: GLOBALS,
            tables: TABLES,
            table_slots: TABLE_SLOTS,
            element_segments: SEGMENTS,
            data_segments: SEGMENTS,
            memory_pages: MEMORY_PAGES,
            body_bytes: BODY_BYTES,
            locals: LOCALS,
            nesting: NESTING,
            branch_targets: BRANCH_TARGETS,
            function_compile_cost: FUNCTION_COMPILE_COST,
            compile_cost: COMPILE_COST,
            process_code_bytes: PROCESS_CODE_BYTES,
        }
    }
}
