//! Functions on descriptors.

use super::*;

#[test]
fn preopened_directories_follow_the_streams_and_end_in_ebadf() {
    let mut guest = Guest::new();
    for (descriptor, name) in [(3, "/data"), (4, "tmp")] {
        guest.ok("fd_prestat_get", &[descriptor, DATA.into()]);
        assert_eq!(guest.get(DATA, 8), [[0, 0, 0, 0], (name.len() as u32).to_le_bytes()].concat());
        guest.put(DATA, &[0xaa; 8]);
        guest.ok("fd_prestat_dir_name", &[descriptor, DATA.into(), name.len() as i64]);
        assert_eq!(guest.get(DATA, name.len() + 1), [name.as_bytes(), b"\xaa"].concat());
    }
    for descriptor in [0, 2, 5, -1] {
        assert_eq!(guest.call("fd_prestat_get", &[descriptor, DATA.into()]), Errno::Badf);
        assert_eq!(guest.call("fd_prestat_dir_name", &[descriptor, DATA.into(), 99]), Errno::Badf);
    }
    assert_eq!(guest.call("fd_prestat_dir_name", &[3, DATA.into(), 4]), Errno::Nametoolong);
    let opened = guest.open(".", DIRECTORY, READ);
    assert_eq!(guest.call("fd_prestat_get", &[opened, DATA.into()]), Errno::Badf);
}

#[test]
fn what_is_written_is_read_through_many_buffers() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    guest.put(DATA, b"hello, world");
    let [list, count] = guest.buffers(&[(DATA, 5), (0, 0), (DATA + 5, 7)]);
    guest.ok("fd_write", &[file, list, count, TOLD.into()]);
    assert_eq!(guest.u32(TOLD), 12);
    guest.ok("fd_seek", &[file, 1, 0, TOLD.into()]);
    let [list, count] = guest.buffers(&[(DATA + 100, 3), (DATA + 200, 100)]);
    guest.ok("fd_read", &[file, list, count, TOLD.into()]);
    assert_eq!(guest.u32(TOLD), 11);
    assert_eq!((guest.get(DATA + 100, 4), guest.get(DATA + 200, 9)), (&b"ell\xaa"[..], &b"o, world\xaa"[..]));
    assert_eq!(guest.read(file, 10).unwrap(), b"");
}

#[test]
fn content_that_crosses_chunks_is_whole() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    let bytes: Vec<u8> = (0..20_000u32).map(|at| (at % 251) as u8 + 1).collect();
    assert_eq!(guest.write(file, &bytes[..13]), Errno::Success);
    assert_eq!(guest.write(file, &bytes[13..]), Errno::Success);
    guest.ok("fd_seek", &[file, 7, 0, TOLD.into()]);
    assert_eq!(guest.read(file, 19_999).unwrap(), bytes[7..]);
}

#[test]
fn positioned_reading_and_writing_leave_the_position() {
    let mut guest = Guest::new();
    let file = guest.try_open(DATA_DIRECTORY, "f", CREATE, BOTH, 1).unwrap();
    assert_eq!(guest.write(file, b"abc"), Errno::Success);
    guest.put(DATA, b"XY");
    let [list, count] = guest.buffers(&[(DATA, 2)]);
    guest.ok("fd_pwrite", &[file, list, count, 5, TOLD.into()]);
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"abc\0\0XY");
    guest.ok("fd_pread", &[file, list, count, 1, TOLD.into()]);
    assert_eq!((guest.u32(TOLD), guest.get(DATA, 2)), (2, &b"bc"[..]));
    guest.ok("fd_tell", &[file, TOLD.into()]);
    assert_eq!(guest.u64(TOLD), 3);
    guest.ok("fd_pread", &[file, list, count, -1, TOLD.into()]);
    assert_eq!(guest.u32(TOLD), 0);
    assert_eq!(guest.call("fd_pwrite", &[file, list, count, -1, TOLD.into()]), Errno::Fbig);
    for descriptor in [1, 0] {
        assert_eq!(
            guest.call("fd_pread", &[descriptor, list, count, 0, TOLD.into()]),
            [Errno::Spipe, Errno::Badf][descriptor as usize]
        );
    }
    assert_eq!(guest.call("fd_pwrite", &[1, list, count, 0, TOLD.into()]), Errno::Spipe);
}

#[test]
fn appending_writes_at_the_end_wherever_the_position_is() {
    let mut guest = Guest::new();
    guest.disk.write_file("data/f", b"abc", NOW).unwrap();
    let file = guest.try_open(DATA_DIRECTORY, "f", 0, BOTH, 1).unwrap();
    assert_eq!(guest.write(file, b"de"), Errno::Success);
    guest.ok("fd_fdstat_set_flags", &[file, 0]);
    guest.ok("fd_seek", &[file, 0, 0, TOLD.into()]);
    assert_eq!(guest.write(file, b"A"), Errno::Success);
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"Abcde");
    assert_eq!(guest.call("fd_fdstat_set_flags", &[file, 32]), Errno::Inval);
}

#[test]
fn seeking_counts_from_the_start_the_position_and_the_end() {
    let mut guest = Guest::new();
    guest.disk.write_file("data/f", b"0123456789", NOW).unwrap();
    let file = guest.open("f", 0, READ);
    for (offset, whence, expected) in [(4, 0, 4), (3, 1, 7), (-2, 1, 5), (-1, 2, 9), (90, 2, 100)] {
        guest.ok("fd_seek", &[file, offset, whence, TOLD.into()]);
        assert_eq!(guest.u64(TOLD), expected);
    }
    assert_eq!(guest.read(file, 5).unwrap(), b"");
    for (offset, whence) in [(-1, 0), (-101, 1), (i64::MAX, 1), (0, 3)] {
        assert_eq!(guest.call("fd_seek", &[file, offset, whence, TOLD.into()]), Errno::Inval);
    }
    guest.ok("fd_tell", &[file, TOLD.into()]);
    assert_eq!(guest.u64(TOLD), 100);
    for (descriptor, errno) in [(1, Errno::Spipe), (DATA_DIRECTORY, Errno::Badf), (50, Errno::Badf)] {
        assert_eq!(guest.call("fd_seek", &[descriptor, 0, 0, TOLD.into()]), errno);
        assert_eq!(guest.call("fd_tell", &[descriptor, TOLD.into()]), errno);
    }
}

#[test]
fn access_is_what_was_asked_for_at_opening() {
    let mut guest = Guest::new();
    let reading = guest.open("f", CREATE, READ);
    let writing = guest.open("f", 0, WRITE);
    assert_eq!(guest.write(reading, b"x"), Errno::Badf);
    assert_eq!(guest.read(writing, 1), Err(Errno::Badf));
    assert_eq!(guest.call("fd_filestat_set_size", &[reading, 1]), Errno::Badf);
    assert_eq!(guest.call("fd_allocate", &[reading, 0, 1]), Errno::Badf);
    assert_eq!(guest.read(DATA_DIRECTORY, 1), Err(Errno::Isdir));
    assert_eq!(guest.write(DATA_DIRECTORY, b"x"), Errno::Badf);
    let both = guest.open("f", 0, BOTH);
    guest.ok("fd_fdstat_set_rights", &[both, READ, -1]);
    assert_eq!(guest.write(both, b"x"), Errno::Badf);
    assert_eq!(guest.call("fd_fdstat_set_rights", &[both, BOTH, -1]), Errno::Notcapable);
}

#[test]
fn fdstat_is_laid_out_as_specified() {
    let mut guest = Guest::new();
    let file = guest.try_open(DATA_DIRECTORY, "f", CREATE, READ, 0b101).unwrap();
    let all = (1u64 << 30) - 1;
    let rights = [all & !0x64, all & !0x26, all, all & !0x40];
    for ((descriptor, kind), rights) in
        [(0, 2), (1, 2), (DATA_DIRECTORY, 3), (file, 4)].into_iter().zip(rights)
    {
        guest.ok("fd_fdstat_get", &[descriptor, DATA.into()]);
        let flags = if kind == 4 { 0b101 } else { 0 };
        let mut expected = vec![kind, 0, flags, 0, 0, 0, 0, 0];
        expected.extend(rights.to_le_bytes());
        expected.extend(all.to_le_bytes());
        assert_eq!(guest.get(DATA, 24), expected);
    }
    assert_eq!(guest.call("fd_fdstat_get", &[99, DATA.into()]), Errno::Badf);
    assert_eq!(guest.call("fd_fdstat_get", &[0, MEMORY_BYTES as i64 - 23]), Errno::Fault);
}

#[test]
fn filestat_is_laid_out_as_specified() {
    let mut guest = Guest::new();
    guest.disk.write_file("data/f", &[1; 300], 0x0102).unwrap();
    assert_eq!(guest.link("f", "g"), Errno::Success);
    let file = guest.open("f", 0, READ);
    guest.ok("fd_filestat_set_times", &[file, 0x11, 0x22, 0b0101]);
    let changed = guest.outside.wall_ns(guest.fuel.used);
    guest.ok("fd_filestat_get", &[file, DATA.into()]);
    // Device, node (after root, data, mnt and tmp), kind, links, size, three times.
    let words = [1, 5, 4, 2, 300, 0x11, 0x22, changed];
    assert_eq!(guest.get(DATA, 64), words.map(u64::to_le_bytes).concat());
    guest.ok("fd_filestat_get", &[1, DATA.into()]);
    assert_eq!(guest.get(DATA, 64), [0, 0, 2, 1, 0, 0, 0, 0].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("fd_filestat_get", &[99, DATA.into()]), Errno::Badf);
}

#[test]
fn times_are_set_as_given_or_to_now_or_not_at_all() {
    let mut guest = Guest::new();
    guest.disk.write_file("data/f", b"", 5).unwrap();
    let [at, size] = guest.text(TEXT, "f");
    let mut set = |flags: i64| {
        let args = [DATA_DIRECTORY, 0, at, size, 77, 88, flags];
        let errno = guest.call("path_filestat_set_times", &args);
        let now = guest.outside.wall_ns(guest.fuel.used);
        let node = guest.disk.walk("data")[0].node;
        let times = guest.disk.node(node).unwrap().times;
        (errno, times.accessed, times.modified, times.changed == now, now)
    };
    let first = set(0);
    assert_eq!((first.0, first.1, first.2, first.3), (Errno::Success, 5, 5, true));
    assert_eq!(set(0b0100).2, 88);
    let now = set(0b0010);
    assert_eq!((now.1, now.2), (now.4, 88));
    for wrong in [0b0011, 0b1100, 0b1_0000] {
        assert_eq!(set(wrong).0, Errno::Inval);
    }
    assert_eq!(guest.call("fd_filestat_set_times", &[1, 0, 0, 0]), Errno::Inval);
}

#[test]
fn sizes_are_set_and_reserved() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    assert_eq!(guest.write(file, b"abcdef"), Errno::Success);
    guest.ok("fd_filestat_set_size", &[file, 2]);
    guest.ok("fd_filestat_set_size", &[file, 4]);
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"ab\0\0");
    guest.ok("fd_allocate", &[file, 3, 5]);
    guest.ok("fd_allocate", &[file, 0, 1]);
    assert_eq!(guest.disk.used_bytes(), 8);
    assert_eq!(guest.call("fd_allocate", &[file, 0, 0]), Errno::Inval);
    assert_eq!(guest.call("fd_allocate", &[file, -1, 1]), Errno::Fbig);
    guest.ok("fd_advise", &[file, 0, 0, 5]);
    assert_eq!(guest.call("fd_advise", &[file, 0, 0, 6]), Errno::Inval);
    assert_eq!(guest.call("fd_advise", &[1, 0, 0, 0]), Errno::Spipe);
    for name in ["fd_sync", "fd_datasync"] {
        guest.ok(name, &[file]);
        guest.ok(name, &[DATA_DIRECTORY]);
        assert_eq!((guest.call(name, &[1]), guest.call(name, &[99])), (Errno::Inval, Errno::Badf));
    }
}

#[test]
fn the_lowest_free_descriptor_is_given_and_renumbering_moves_one() {
    let mut guest = Guest::new();
    let (a, b) = (guest.open("a", CREATE, BOTH), guest.open("b", CREATE, BOTH));
    assert_eq!((a, b), (5, 6));
    guest.ok("fd_close", &[a]);
    assert_eq!(guest.call("fd_close", &[a]), Errno::Badf);
    assert_eq!(guest.open("c", CREATE, BOTH), 5);
    assert_eq!(guest.call("fd_renumber", &[b, 9]), Errno::Badf);
    assert_eq!(guest.call("fd_renumber", &[9, b]), Errno::Badf);
    guest.ok("fd_renumber", &[b, b]);
    guest.ok("fd_renumber", &[b, 1]);
    assert_eq!(guest.write(b, b"x"), Errno::Badf);
    assert_eq!(guest.write(1, b"in b"), Errno::Success);
    assert_eq!(guest.disk.read_file("data/b").unwrap(), b"in b");
}

#[test]
fn a_removed_file_lives_until_it_is_closed() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    let over = guest.open("g", CREATE, BOTH);
    assert_eq!((guest.write(file, b"still"), guest.write(over, b"here")), (Errno::Success, Errno::Success));
    assert_eq!(guest.on_path("path_unlink_file", "f"), Errno::Success);
    assert_eq!(guest.stat("f"), Errno::Noent);
    guest.ok("fd_filestat_get", &[file, DATA.into()]);
    assert_eq!(guest.u64(DATA + 24), 0);
    guest.ok("fd_seek", &[file, 0, 0, TOLD.into()]);
    assert_eq!(guest.read(file, 9).unwrap(), b"still");
    assert_eq!(guest.disk.used_bytes(), 9);
    guest.ok("fd_renumber", &[over, file]);
    assert_eq!(guest.disk.used_bytes(), 4);
    assert_eq!(guest.on_path("path_unlink_file", "g"), Errno::Success);
    guest.process.close_all(&mut guest.disk);
    assert_eq!((guest.disk.used_bytes(), guest.process.open_descriptors()), (0, 0));
}

#[test]
fn dirents_are_laid_out_as_specified_and_sorted() {
    let mut guest = Guest::new();
    for name in ["data/b", "data/a"] {
        guest.disk.write_file(name, b"", NOW).unwrap();
    }
    guest.disk.make_directory("data/c", NOW).unwrap();
    guest.ok("fd_readdir", &[DATA_DIRECTORY, DATA.into(), 1000, 0, TOLD.into()]);
    let mut expected = Vec::new();
    for (next, node, kind, name) in
        [(1, 2, 3, "."), (2, 1, 3, ".."), (3, 6, 4, "a"), (4, 5, 4, "b"), (5, 7, 3, "c")]
    {
        expected.extend([u64::to_le_bytes(next), u64::to_le_bytes(node)].concat());
        expected.extend((name.len() as u32).to_le_bytes());
        expected.extend([kind, 0, 0, 0]);
        expected.extend(name.bytes());
    }
    assert_eq!(guest.get(DATA, guest.u32(TOLD) as usize), expected);
    // A buffer that cannot hold all is filled to its end.
    guest.ok("fd_readdir", &[DATA_DIRECTORY, (DATA + 2000).into(), 60, 0, TOLD.into()]);
    assert_eq!((guest.u32(TOLD), guest.get(DATA + 2000, 60)), (60, &expected[..60]));
    guest.ok("fd_readdir", &[DATA_DIRECTORY, DATA.into(), 60, -1, TOLD.into()]);
    assert_eq!(guest.u32(TOLD), 0);
    let file = guest.open("a", 0, READ);
    assert_eq!(guest.call("fd_readdir", &[file, DATA.into(), 60, 0, TOLD.into()]), Errno::Notdir);
    assert_eq!(guest.call("fd_readdir", &[3, DATA.into(), -1, 0, TOLD.into()]), Errno::Fault);
}

#[test]
fn a_listing_is_of_what_was_there_as_it_began() {
    let mut guest = Guest::new();
    let all: Vec<String> = (0..20).map(|number| format!("file{number:02}")).collect();
    for name in &all {
        guest.disk.write_file(&format!("data/{name}"), b"", NOW).unwrap();
    }
    assert_eq!(guest.names(DATA_DIRECTORY, 100)[2..], all);
    // As a library removes a directory: each as it is met.
    let (mut cookie, mut met) = (0, Vec::new());
    loop {
        guest.ok("fd_readdir", &[DATA_DIRECTORY, DATA.into(), 31, cookie, TOLD.into()]);
        if guest.u32(TOLD) < 25 {
            break;
        }
        cookie = guest.u64(DATA) as i64;
        let length = guest.u32(DATA + 16) as usize;
        let name = String::from_utf8(guest.get(DATA + 24, length).to_vec()).unwrap();
        if !name.starts_with('.') {
            assert_eq!(guest.on_path("path_unlink_file", &name), Errno::Success);
            met.push(name);
        }
    }
    assert_eq!(met, all);
    assert_eq!(guest.names(DATA_DIRECTORY, 100), [".", ".."]);
}

#[test]
fn what_is_printed_is_lines_of_the_module_and_standard_input_is_at_its_end() {
    let mut guest = Guest::new();
    for (stream, text) in [(1, &b"one\ntw"[..]), (2, b"err\n"), (1, b"o\n\n\xff"), (1, b"")] {
        assert_eq!(guest.write(stream, text), Errno::Success);
    }
    let lines = guest.report.take_lines();
    let lines: Vec<_> = lines.iter().map(|line| (&*line.module, line.stream, &*line.text)).collect();
    use Stream::{Error, Output};
    let expected = [
        ("guest", Output, "one"),
        ("guest", Error, "err"),
        ("guest", Output, "two"),
        ("guest", Output, ""),
        ("guest", Output, "\u{fffd}"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(guest.read(0, 10).unwrap(), b"");
    assert_eq!((guest.read(1, 10), guest.write(0, b"x")), (Err(Errno::Badf), Errno::Badf));
}

#[test]
fn pointers_outside_of_the_memory_are_efault_and_change_nothing() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    let disk = guest.disk.clone();
    let end = MEMORY_BYTES as i64;
    for buffers in
        [[(DATA, 4), (u32::MAX, 1)], [(DATA, 4), (MEMORY_BYTES as u32, 1)], [(DATA, 4), (DATA, u32::MAX)]]
    {
        let [list, count] = guest.buffers(&buffers);
        assert_eq!(guest.call("fd_write", &[file, list, count, TOLD.into()]), Errno::Fault);
        assert_eq!(guest.call("fd_read", &[file, list, count, TOLD.into()]), Errno::Fault);
    }
    let [list, count] = guest.buffers(&[(DATA, 4)]);
    assert_eq!(guest.call("fd_write", &[file, list, count, end - 3]), Errno::Fault);
    assert_eq!(guest.call("fd_write", &[file, end - 7, 1, TOLD.into()]), Errno::Fault);
    assert_eq!(guest.call("path_unlink_file", &[DATA_DIRECTORY, end - 1, 2]), Errno::Fault);
    assert_eq!(
        guest.call("path_open", &[DATA_DIRECTORY, 0, end, 1, 1, BOTH, 0, 0, TOLD.into()]),
        Errno::Fault
    );
    let [at, size] = guest.text(TEXT, "new");
    assert_eq!(guest.call("path_open", &[DATA_DIRECTORY, 0, at, size, 1, BOTH, 0, 0, end - 3]), Errno::Fault);
    assert_eq!(guest.disk, disk);
}

#[test]
fn lengths_that_do_not_add_up_are_refused() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, BOTH);
    // Inside of a memory of 2 GiB each, and together more than can be told.
    struct Huge;
    impl crate::memory::GuestMemory for Huge {
        fn size_bytes(&self) -> u64 {
            1 << 32
        }
        fn read(&self, _: u32, into: &mut [u8]) -> Result<(), crate::memory::OutOfBounds> {
            into.fill(0x7f);
            Ok(())
        }
        fn write(&mut self, _: u32, _: &[u8]) -> Result<(), crate::memory::OutOfBounds> {
            Ok(())
        }
    }
    impl Huge {
        fn call(guest: &mut Guest, name: &str, args: &[i64]) -> Result<Errno, Exit> {
            let Guest { process, disk, outside, report, fuel, .. } = guest;
            let mut call = Call { memory: &mut Self, process, disk, outside, report, fuel: *fuel };
            function(name).unwrap().call(&mut call, args)
        }
    }
    assert_eq!(Huge::call(&mut guest, "fd_read", &[file, 4, 3, 0]), Ok(Errno::Inval));
}
