//! Tests of the functions, called as modules call them, on a memory of the test's own.

mod files;
mod laws;
mod limits;
mod paths;
mod surroundings;

use crate::limits::DiskLimits;

use super::*;

/// The time as calls begin, in nanoseconds.
const NOW: u64 = 1_700_000_000_000_000_000;
/// Where [`Guest::text`] puts texts, buffers and what is told stand.
const TEXT: u32 = 0x100;
const OTHER_TEXT: u32 = 0x1100;
const LIST: u32 = 0x2100;
const TOLD: u32 = 0x2200;
const DATA: u32 = 0x3000;
const MEMORY_BYTES: usize = 1 << 16;
/// The first preopened directory, `/data`.
const DATA_DIRECTORY: i64 = 3;
/// The second, `tmp`.
const TMP_DIRECTORY: i64 = 4;
/// Rights to read, to write, and both.
const READ: i64 = 1 << 1;
const WRITE: i64 = 1 << 6;
const BOTH: i64 = READ | WRITE;

const CREATE: i64 = 1;
const DIRECTORY: i64 = 2;
const EXCLUSIVE: i64 = 4;
const TRUNCATE: i64 = 8;

/// A module with everything that it works on.
#[derive(Clone)]
struct Guest {
    memory: Vec<u8>,
    process: Process,
    disk: Disk,
    outside: Outside,
    report: Report,
    fuel: Fuel,
}

impl Guest {
    fn new() -> Self {
        Self::limited(DiskLimits::default())
    }

    fn limited(limits: DiskLimits) -> Self {
        let mut disk = Disk::new(limits);
        let process = process("guest", &mut disk);
        let mut outside = Outside::new([7; 32], 500);
        outside.begin(NOW, 1000);
        let fuel = Fuel { used: 0, budget: u64::MAX };
        Self { memory: vec![0xaa; MEMORY_BYTES], process, disk, outside, report: Report::default(), fuel }
    }

    fn run(&mut self, name: &str, args: &[i64]) -> Result<Errno, Exit> {
        let mut call = Call {
            memory: &mut self.memory,
            process: &mut self.process,
            disk: &mut self.disk,
            outside: &mut self.outside,
            report: &mut self.report,
            fuel: self.fuel,
        };
        let done = function(name).unwrap().call(&mut call, args);
        self.fuel = call.fuel;
        done
    }

    /// Calls a function that returns.
    fn call(&mut self, name: &str, args: &[i64]) -> Errno {
        self.run(name, args).unwrap()
    }

    /// Calls a function that has to succeed.
    #[track_caller]
    fn ok(&mut self, name: &str, args: &[i64]) {
        assert_eq!(self.call(name, args), Errno::Success, "{name}");
    }

    /// Puts a text into the memory: its two arguments.
    fn text(&mut self, at: u32, text: &str) -> [i64; 2] {
        self.put(at, text.as_bytes());
        [at.into(), text.len() as i64]
    }

    fn put(&mut self, at: u32, bytes: &[u8]) {
        self.memory[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
    }

    fn get(&self, at: u32, length: usize) -> &[u8] {
        &self.memory[at as usize..at as usize + length]
    }

    fn u32(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.get(at, 4).try_into().unwrap())
    }

    fn u64(&self, at: u32) -> u64 {
        u64::from_le_bytes(self.get(at, 8).try_into().unwrap())
    }

    /// Opens a path below a directory.
    fn try_open(
        &mut self,
        directory: i64,
        path: &str,
        how: i64,
        rights: i64,
        flags: i64,
    ) -> Result<i64, Errno> {
        let [at, size] = self.text(TEXT, path);
        match self.call("path_open", &[directory, 0, at, size, how, rights, -1, flags, TOLD.into()]) {
            Errno::Success => Ok(self.u32(TOLD).into()),
            errno => Err(errno),
        }
    }

    #[track_caller]
    fn open(&mut self, path: &str, how: i64, rights: i64) -> i64 {
        self.try_open(DATA_DIRECTORY, path, how, rights, 0).unwrap()
    }

    /// A list of buffers that lie in the memory.
    fn buffers(&mut self, buffers: &[(u32, u32)]) -> [i64; 2] {
        for (at, buffer) in (LIST..).step_by(8).zip(buffers) {
            self.put(at, &buffer.0.to_le_bytes());
            self.put(at + 4, &buffer.1.to_le_bytes());
        }
        [LIST.into(), buffers.len() as i64]
    }

    fn write(&mut self, descriptor: i64, bytes: &[u8]) -> Errno {
        self.put(DATA, bytes);
        let [list, count] = self.buffers(&[(DATA, bytes.len() as u32)]);
        self.call("fd_write", &[descriptor, list, count, TOLD.into()])
    }

    fn read(&mut self, descriptor: i64, length: u32) -> Result<Vec<u8>, Errno> {
        let [list, count] = self.buffers(&[(DATA, length)]);
        match self.call("fd_read", &[descriptor, list, count, TOLD.into()]) {
            Errno::Success => Ok(self.get(DATA, self.u32(TOLD) as usize).to_vec()),
            errno => Err(errno),
        }
    }

    /// Calls a function of one path below `/data`.
    fn on_path(&mut self, name: &str, path: &str) -> Errno {
        let [at, size] = self.text(TEXT, path);
        self.call(name, &[DATA_DIRECTORY, at, size])
    }

    fn rename(&mut self, from: &str, to: &str) -> Errno {
        let [at, size] = self.text(TEXT, from);
        let [new, new_size] = self.text(OTHER_TEXT, to);
        self.call("path_rename", &[DATA_DIRECTORY, at, size, DATA_DIRECTORY, new, new_size])
    }

    fn link(&mut self, from: &str, to: &str) -> Errno {
        let [at, size] = self.text(TEXT, from);
        let [new, new_size] = self.text(OTHER_TEXT, to);
        self.call("path_link", &[DATA_DIRECTORY, 0, at, size, DATA_DIRECTORY, new, new_size])
    }

    fn stat(&mut self, path: &str) -> Errno {
        let [at, size] = self.text(TEXT, path);
        self.call("path_filestat_get", &[DATA_DIRECTORY, 1, at, size, DATA.into()])
    }

    /// What is in a directory, listed through a buffer of this size.
    fn names(&mut self, descriptor: i64, room: u32) -> Vec<String> {
        let mut names = Vec::new();
        let mut cookie = 0;
        loop {
            self.ok("fd_readdir", &[descriptor, DATA.into(), room.into(), cookie, TOLD.into()]);
            let used = self.u32(TOLD);
            let mut at = DATA;
            while at + 24 <= DATA + used {
                let length = self.u32(at + 16);
                if at + 24 + length > DATA + used {
                    break;
                }
                names.push(String::from_utf8(self.get(at + 24, length as usize).to_vec()).unwrap());
                cookie = self.u64(at) as i64;
                at += 24 + length;
            }
            if used < room {
                return names;
            }
        }
    }
}

fn process(name: &str, disk: &mut Disk) -> Process {
    let preopen = |guest: &str, folder: &str| Preopen { guest: guest.into(), folder: folder.into() };
    let environment = vec![("service_id".into(), "abc".into()), ("EMPTY".into(), String::new())];
    let preopens = [preopen("/data", "data"), preopen("tmp", "/mnt/tmp")];
    Process::new(name, environment, &preopens, disk, NOW).unwrap()
}

#[test]
fn all_functions_of_preview_1_are_found_by_name() {
    assert_eq!(FUNCTIONS.len(), 46);
    assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
    for expected in FUNCTIONS {
        assert_eq!(function(expected.name).unwrap().name, expected.name);
        assert_eq!(expected.results.is_empty(), expected.name == "proc_exit");
        assert!(expected.base_fuel > 0);
    }
    assert!(function("fd_nothing").is_none());
}

/// Signatures by the table of preview 1: `i` and `l` for 32 and 64 bits.
#[test]
fn signatures_are_those_of_preview_1() {
    let letters = |function: &Function| -> String {
        function.params.iter().map(|ty| if *ty == CoreType::I32 { 'i' } else { 'l' }).collect()
    };
    let all: Vec<String> = FUNCTIONS.iter().map(|f| format!("{} {}", f.name, letters(f))).collect();
    let expected = "\
        args_get ii, args_sizes_get ii, clock_res_get ii, clock_time_get ili, environ_get ii, environ_sizes_get ii, \
        fd_advise illi, fd_allocate ill, fd_close i, fd_datasync i, fd_fdstat_get ii, fd_fdstat_set_flags ii, \
        fd_fdstat_set_rights ill, fd_filestat_get ii, fd_filestat_set_size il, fd_filestat_set_times illi, \
        fd_pread iiili, fd_prestat_dir_name iii, fd_prestat_get ii, fd_pwrite iiili, fd_read iiii, \
        fd_readdir iiili, fd_renumber ii, fd_seek ilii, fd_sync i, fd_tell ii, fd_write iiii, \
        path_create_directory iii, path_filestat_get iiiii, path_filestat_set_times iiiilli, path_link iiiiiii, \
        path_open iiiiillii, path_readlink iiiiii, path_remove_directory iii, path_rename iiiiii, \
        path_symlink iiiii, path_unlink_file iii, poll_oneoff iiii, proc_exit i, proc_raise i, random_get ii, \
        sched_yield , sock_accept iii, sock_recv iiiiii, sock_send iiiii, sock_shutdown ii";
    assert_eq!(all.join(", "), expected);
}

#[test]
fn a_wrong_number_of_arguments_is_the_engines_error() {
    let mut guest = Guest::new();
    let expected = Exit::Arguments { name: "fd_close", expected: 1, given: 2 };
    assert_eq!(guest.run("fd_close", &[3, 3]), Err(expected));
    assert_eq!(expected.to_string(), "fd_close takes 1 arguments and got 2");
}

#[test]
fn a_call_costs_its_base_and_what_it_moves_and_none_is_done_without_fuel() {
    let mut guest = Guest::new();
    let file = guest.open("a", CREATE, BOTH);
    let mut before = guest.clone();
    assert_eq!(guest.write(file, &[1; 1025]), Errno::Success);
    let cost = guest.fuel.used - before.fuel.used;
    assert_eq!(cost, cost::CHANGE + cost::ITEM + 2 * cost::MOVED_KIB + cost::MOVED_KIB);
    before.fuel.budget = before.fuel.used + cost - 1;
    before.put(DATA, &[1; 1025]);
    let [list, count] = before.buffers(&[(DATA, 1025)]);
    let done = before.run("fd_write", &[file, list, count, TOLD.into()]);
    assert!(matches!(done, Err(Exit::OutOfFuel { .. })), "{done:?}");
    assert_eq!(before.fuel.left(), 0);
    assert_eq!(before.disk.read_file("data/a").unwrap(), b"");
}

#[test]
fn calls_cost_what_they_look_at_and_move() {
    use cost::{CHANGE, COMPONENT, ENTROPY_KIB, ITEM, MOVED_KIB, NODE, PLAIN};
    let mut guest = Guest::new();
    guest.disk.make_directory("data/d", NOW).unwrap();
    for number in 0..33 {
        guest.disk.write_file(&format!("data/d/{number}"), &[1; 2000], NOW).unwrap();
    }
    let file = guest.open("d/7", 0, READ);
    let [at, size] = guest.text(TEXT, "d/x/");
    let [new, new_size] = guest.text(OTHER_TEXT, "e");
    let [list, count] = guest.buffers(&[(DATA, 1000), (DATA, 10_000)]);
    // The directory's 33 entries of 32 bytes are two KiB, a path of a few bytes is one.
    let cases: [(&str, &[i64], u64); 8] = [
        ("path_filestat_get", &[3, 0, at, size, DATA.into()], NODE + MOVED_KIB + 3 * COMPONENT),
        ("path_create_directory", &[3, at, size], CHANGE + MOVED_KIB + 3 * COMPONENT + 2 * MOVED_KIB),
        ("fd_read", &[file, list, count, TOLD.into()], NODE + 2 * ITEM + 2 * MOVED_KIB),
        ("fd_readdir", &[3, DATA.into(), 1000, 0, TOLD.into()], NODE + 3 * ITEM + MOVED_KIB),
        ("random_get", &[DATA.into(), 1025], PLAIN + 2 * ENTROPY_KIB),
        ("poll_oneoff", &[TEXT.into(), DATA.into(), 2, TOLD.into()], PLAIN + 2 * ITEM),
        ("environ_get", &[TOLD.into(), DATA.into()], PLAIN + 2 * ITEM + MOVED_KIB),
        ("path_rename", &[3, at, 1, 3, new, new_size], CHANGE + 4 * MOVED_KIB + 2 * COMPONENT + 38 * ITEM),
    ];
    for (name, args, expected) in cases {
        let before = guest.fuel.used;
        guest.call(name, args);
        assert_eq!(guest.fuel.used - before, expected, "{name}");
    }
}

#[test]
fn where_a_file_has_its_holes_is_in_its_digest() {
    let at = |at: u64| {
        let mut disk = Disk::new(DiskLimits::default());
        let file = disk.put_file("f", &[], 0).unwrap();
        disk.resize(file, 20_000, 0).unwrap();
        disk.write(file, at, b"x", 0).unwrap();
        disk
    };
    assert_ne!(at(0).digest(), at(4096).digest());
    assert_eq!(at(4096).digest(), at(4096).digest());
}

#[test]
fn making_a_file_longer_costs_by_how_much() {
    let mut guest = Guest::new();
    let file = guest.open("a", CREATE, BOTH);
    for (name, args) in [("fd_allocate", &[file, 0, 1 << 20][..]), ("fd_filestat_set_size", &[file, 2 << 20])]
    {
        let before = guest.fuel.used;
        guest.ok(name, args);
        assert_eq!(guest.fuel.used - before, cost::CHANGE + 2 * cost::MOVED_KIB);
    }
}

#[test]
fn every_part_of_a_state_is_in_its_digest() {
    let mut guest = Guest::new();
    // Without time passing, which is in the digest of the disk too.
    let outside = |seed, ps_per_fuel| {
        let mut outside = Outside::new([seed; 32], ps_per_fuel);
        outside.begin(NOW, 1000);
        outside
    };
    guest.outside = outside(7, 0);
    let file = guest.open("a", CREATE, BOTH);
    let disks: [&dyn Fn(&mut Guest); 7] = [
        &|guest| assert_eq!(guest.write(file, b"x"), Errno::Success),
        &|guest| guest.ok("fd_filestat_set_size", &[file, 1]),
        &|guest| guest.ok("fd_filestat_set_times", &[file, 1, 1, 0b0001]),
        &|guest| guest.ok("fd_filestat_set_times", &[file, 1, 1, 0b0100]),
        &|guest| assert_eq!(guest.link("a", "b"), Errno::Success),
        &|guest| assert_eq!(guest.rename("a", "b"), Errno::Success),
        &|guest| assert!(guest.open("a", 0, READ) > file),
    ];
    let processes: [&dyn Fn(&mut Guest); 8] = [
        &|guest| guest.ok("fd_seek", &[file, 1, 0, TOLD.into()]),
        &|guest| guest.ok("fd_fdstat_set_flags", &[file, 1]),
        &|guest| guest.ok("fd_fdstat_set_rights", &[file, READ, 0]),
        &|guest| guest.ok("fd_renumber", &[1, 2]),
        &|guest| guest.ok("fd_renumber", &[DATA_DIRECTORY, TMP_DIRECTORY]),
        &|guest| guest.ok("fd_readdir", &[DATA_DIRECTORY, DATA.into(), 10, 0, TOLD.into()]),
        &|guest| guest.ok("fd_readdir", &[TMP_DIRECTORY, DATA.into(), 10, 0, TOLD.into()]),
        &|guest| guest.ok("fd_close", &[0]),
    ];
    let outsides: [&dyn Fn(&mut Guest); 6] = [
        &|guest| guest.ok("random_get", &[0, 1]),
        &|guest| guest.outside.sleep(1),
        &|guest| guest.outside.begin(NOW + 1, 1000),
        &|guest| guest.outside.begin(NOW, 1001),
        &|guest| guest.outside = outside(8, 0),
        &|guest| guest.outside = outside(7, 1),
    ];
    let digests = |changes: &[&dyn Fn(&mut Guest)], digest: fn(&Guest) -> [u8; 32]| {
        let mut digests = std::collections::BTreeSet::from([digest(&guest)]);
        for change in changes {
            let mut changed = guest.clone();
            change(&mut changed);
            digests.insert(digest(&changed));
        }
        digests.len() - 1
    };
    assert_eq!(digests(&disks, |guest| guest.disk.digest()), disks.len());
    assert_eq!(digests(&processes, |guest| guest.process.digest()), processes.len());
    assert_eq!(digests(&outsides, |guest| guest.outside.digest()), outsides.len());
}

#[test]
fn the_same_calls_on_the_same_values_leave_the_same() {
    let run = || {
        let mut guest = Guest::new();
        let file = guest.open("x", CREATE, BOTH);
        assert_eq!(guest.write(file, b"abc"), Errno::Success);
        guest.ok("random_get", &[DATA.into(), 100]);
        guest
    };
    let (one, two) = (run(), run());
    assert_eq!(one.memory, two.memory);
    assert_eq!(one.fuel, two.fuel);
    assert_eq!(one.disk.digest(), two.disk.digest());
    assert_eq!((one.process.digest(), one.outside.digest()), (two.process.digest(), two.outside.digest()));
    assert_eq!((one.process, one.outside), (two.process, two.outside));
}
