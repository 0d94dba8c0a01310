//! Each limit: what it answers, that it is counted, that nothing changed, and that what is removed is given back.

use super::*;

#[track_caller]
fn assert_refused(guest: &Guest, limit: Limit, times: u64) {
    let expected = if times == 0 { Vec::new() } else { vec![(limit, times)] };
    assert_eq!(guest.report.refusals().iter().collect::<Vec<_>>(), expected);
    assert_eq!(guest.report.refusals().of(limit), times);
}

#[test]
fn a_full_disk_is_enospc_until_something_is_removed() {
    let mut guest = Guest::limited(DiskLimits { bytes: 100, ..DiskLimits::default() });
    let (a, b) = (guest.open("a", CREATE, BOTH), guest.open("b", CREATE, BOTH));
    assert_eq!(guest.write(a, &[1; 60]), Errno::Success);
    let disk = guest.disk.clone();
    assert_eq!(guest.write(b, &[1; 41]), Errno::Nospc);
    assert_eq!(guest.call("fd_allocate", &[b, 0, 41]), Errno::Nospc);
    assert_eq!(guest.call("fd_filestat_set_size", &[a, 101]), Errno::Nospc);
    assert_eq!(guest.disk, disk);
    assert_refused(&guest, Limit::DiskBytes, 3);
    assert_eq!(guest.write(b, &[1; 40]), Errno::Success);
    // Over what is there already nothing grows.
    guest.ok("fd_seek", &[a, 0, 0, TOLD.into()]);
    assert_eq!(guest.write(a, &[2; 60]), Errno::Success);
    guest.ok("fd_filestat_set_size", &[a, 10]);
    assert_eq!(guest.write(b, &[1; 50]), Errno::Success);
    guest.ok("fd_close", &[b]);
    assert_eq!(guest.on_path("path_unlink_file", "b"), Errno::Success);
    assert_eq!(guest.disk.used_bytes(), 10);
}

#[test]
fn a_file_over_its_limit_is_efbig() {
    let mut guest = Guest::limited(DiskLimits { file_bytes: 10, ..DiskLimits::default() });
    let file = guest.open("a", CREATE, BOTH);
    assert_eq!(guest.write(file, &[1; 11]), Errno::Fbig);
    guest.ok("fd_seek", &[file, i64::MAX, 0, TOLD.into()]);
    assert_eq!(guest.write(file, &[1]), Errno::Fbig);
    assert_eq!(guest.write(file, &[]), Errno::Success);
    assert_eq!(guest.call("fd_filestat_set_size", &[file, -1]), Errno::Fbig);
    assert_eq!(guest.disk.used_bytes(), 0);
    assert_refused(&guest, Limit::FileBytes, 3);
    // All or nothing, however many chunks it is.
    let mut whole = Guest::limited(DiskLimits { file_bytes: 5000, ..DiskLimits::default() });
    let large = whole.open("a", CREATE, BOTH);
    assert_eq!((whole.write(large, &[1; 5001]), whole.disk.used_bytes()), (Errno::Fbig, 0));
    guest.ok("fd_filestat_set_size", &[file, 10]);
}

#[test]
fn no_setting_lets_a_file_be_larger_than_its_table_may() {
    let mut guest =
        Guest::limited(DiskLimits { file_bytes: u64::MAX, bytes: u64::MAX, ..DiskLimits::default() });
    let file = guest.open("a", CREATE, BOTH);
    let [list, count] = guest.buffers(&[(DATA, 1)]);
    for at in [1 << 40, 1 << 60, i64::MAX] {
        assert_eq!(guest.call("fd_pwrite", &[file, list, count, at, TOLD.into()]), Errno::Fbig);
    }
    guest.ok("fd_pwrite", &[file, list, count, (1 << 40) - 1, TOLD.into()]);
    guest.ok("fd_pread", &[file, list, count, (1 << 40) - 1, TOLD.into()]);
    assert_eq!(guest.u32(TOLD), 1);
    guest.ok("fd_filestat_set_size", &[file, 0]);
    assert_eq!(guest.disk.used_bytes(), 0);
}

#[test]
fn names_and_nodes_are_counted_and_given_back() {
    // Three are the preopened directories.
    let mut guest = Guest::limited(DiskLimits { entries: 5, ..DiskLimits::default() });
    let file = guest.open("a", CREATE, BOTH);
    assert_eq!(guest.link("a", "b"), Errno::Success);
    assert_eq!(guest.link("a", "c"), Errno::Nospc);
    assert_eq!(guest.on_path("path_create_directory", "c"), Errno::Nospc);
    assert_eq!(guest.try_open(DATA_DIRECTORY, "c", CREATE, BOTH, 0), Err(Errno::Nospc));
    assert_refused(&guest, Limit::Entries, 3);
    // A name moves even on a full disk.
    assert_eq!(guest.rename("a", "c"), Errno::Success);
    assert_eq!(guest.on_path("path_unlink_file", "b"), Errno::Success);
    assert_eq!(guest.on_path("path_unlink_file", "c"), Errno::Success);
    // Removed but open, it is a node without a name.
    assert_eq!(guest.disk.used_entries(), 3);
    assert_eq!(guest.on_path("path_create_directory", "d"), Errno::Success);
    assert_eq!(guest.on_path("path_create_directory", "e"), Errno::Nospc);
    guest.ok("fd_close", &[file]);
    assert_eq!(guest.on_path("path_create_directory", "e"), Errno::Success);
}

#[test]
fn too_many_descriptors_are_emfile_before_a_file_is_made() {
    let mut guest = Guest::limited(DiskLimits { descriptors: 6, ..DiskLimits::default() });
    let file = guest.open("a", CREATE, BOTH);
    assert_eq!(guest.try_open(DATA_DIRECTORY, "b", CREATE, BOTH, 0), Err(Errno::Mfile));
    assert_eq!(guest.stat("b"), Errno::Noent);
    assert_refused(&guest, Limit::Descriptors, 1);
    guest.ok("fd_close", &[file]);
    guest.open("b", CREATE, BOTH);
}

#[test]
fn long_paths_and_names_and_deep_directories_are_enametoolong() {
    let limits = DiskLimits { path_bytes: 600, depth: 3, ..DiskLimits::default() };
    let mut guest = Guest::limited(limits);
    let args = [DATA_DIRECTORY, TEXT.into(), 601];
    assert_eq!(guest.call("path_create_directory", &args), Errno::Nametoolong);
    assert_refused(&guest, Limit::PathBytes, 1);
    let mut guest = Guest::limited(limits);
    let name = "x".repeat(256);
    assert_eq!(guest.on_path("path_create_directory", &name), Errno::Nametoolong);
    guest.open("a", CREATE, BOTH);
    assert_eq!((guest.rename("a", &name), guest.link("a", &name)), (Errno::Nametoolong, Errno::Nametoolong));
    assert_refused(&guest, Limit::NameBytes, 3);
    assert_eq!(guest.on_path("path_create_directory", &name[1..]), Errno::Success);
    let mut guest = Guest::limited(limits);
    for path in ["1", "1/2", "3", "3/4"] {
        assert_eq!(guest.on_path("path_create_directory", path), Errno::Success);
    }
    assert_eq!(guest.on_path("path_create_directory", "1/2/5"), Errno::Nametoolong);
    assert_eq!(guest.rename("3", "1/3"), Errno::Nametoolong);
    assert_refused(&guest, Limit::Depth, 2);
    assert_eq!(guest.rename("3/4", "1/4"), Errno::Success);
    // Files may be one deeper.
    guest.open("1/2/5", CREATE, BOTH);
}

#[test]
fn too_many_buffers_or_subscriptions_are_einval() {
    let mut guest = Guest::limited(DiskLimits { iovecs: 2, subscriptions: 1, ..DiskLimits::default() });
    let file = guest.open("a", CREATE, BOTH);
    assert_eq!(guest.call("fd_write", &[file, LIST.into(), 3, TOLD.into()]), Errno::Inval);
    assert_eq!(guest.call("fd_read", &[0, LIST.into(), 3, TOLD.into()]), Errno::Inval);
    assert_refused(&guest, Limit::Iovecs, 2);
    assert_eq!(guest.call("poll_oneoff", &[0, 0, 2, 0]), Errno::Inval);
    assert_eq!(guest.report.refusals().of(Limit::Subscriptions), 1);
    let [list, count] = guest.buffers(&[(DATA, 1), (DATA, 1)]);
    guest.ok("fd_write", &[file, list, count, TOLD.into()]);
}

#[test]
fn output_over_its_limit_is_cut_and_counted_and_the_module_not_told() {
    let mut guest = Guest::limited(DiskLimits { output_bytes: 200, ..DiskLimits::default() });
    assert_eq!(guest.write(1, b"first\n"), Errno::Success);
    assert_refused(&guest, Limit::OutputBytes, 0);
    assert_eq!(guest.write(1, &[b'x'; 100]), Errno::Success);
    assert_eq!(guest.u32(TOLD), 100);
    assert_eq!(guest.write(1, b"y\nz\n"), Errno::Success);
    assert_eq!(guest.write(2, b"\n"), Errno::Success);
    // A line costs 64 bytes: 69 of the first, and 131 left, 67 of which are for text.
    assert_eq!(guest.report.cut_bytes(), 33 + 1 + 2 + 1);
    assert_refused(&guest, Limit::OutputBytes, 3);
    let lines: Vec<_> = guest.report.take_lines().into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["first".to_owned(), "x".repeat(67)]);
}

#[test]
fn lines_without_text_cannot_fill_the_host() {
    let mut guest = Guest::new();
    for _ in 0..10 {
        assert_eq!(guest.write(1, &[b'\n'; 50_000]), Errno::Success);
    }
    assert!(guest.report.take_lines().len() as u64 <= crate::limits::OUTPUT_BYTES / 64);
}

#[test]
fn every_limit_is_counted_apart() {
    for (place, limit) in Limit::ALL.into_iter().enumerate() {
        let mut report = Report::default();
        report.refuse(limit);
        assert_eq!(limit as usize, place);
        assert_eq!(report.refusals().iter().collect::<Vec<_>>(), [(limit, 1)]);
    }
}

#[test]
fn limits_are_read_from_configuration_with_defaults() {
    let read = |text: &str| toml::from_str::<DiskLimits>(text);
    assert_eq!(read("").unwrap(), DiskLimits::default());
    assert_eq!(read("bytes = 5").unwrap(), DiskLimits { bytes: 5, ..DiskLimits::default() });
    assert!(read("byte = 5").is_err());
}
