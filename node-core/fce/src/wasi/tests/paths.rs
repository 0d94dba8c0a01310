//! Functions on paths.

use super::*;

/// A disk with a directory, a file in it, and a file beside it.
fn guest() -> Guest {
    let mut guest = Guest::new();
    guest.disk.make_directory("data/d", NOW).unwrap();
    guest.disk.write_file("data/d/inner", b"inner", NOW).unwrap();
    guest.disk.write_file("data/f", b"outer", NOW).unwrap();
    guest
}

#[test]
fn opening_does_what_its_flags_say() {
    use Errno::*;
    let mut guest = guest();
    for (path, how, rights, expected) in [
        ("f", 0, READ, Success),
        ("no", 0, READ, Noent),
        ("no", EXCLUSIVE, READ, Noent),
        ("f", CREATE | EXCLUSIVE, BOTH, Exist),
        ("d", CREATE | EXCLUSIVE, BOTH, Exist),
        ("f", DIRECTORY, READ, Notdir),
        ("f/", 0, READ, Notdir),
        ("f/.", 0, READ, Notdir),
        ("f/x", CREATE, BOTH, Notdir),
        ("no/x", CREATE, BOTH, Noent),
        ("no/", CREATE, BOTH, Isdir),
        ("d", 0, READ, Success),
        ("d/", 0, READ, Success),
        ("d", DIRECTORY, -1, Success),
        ("d", 0, WRITE, Isdir),
        ("d", CREATE, READ, Isdir),
        (".", TRUNCATE, WRITE, Isdir),
        ("f", TRUNCATE, READ, Inval),
        ("new", CREATE | DIRECTORY, BOTH, Inval),
        ("f", 16, READ, Inval),
        ("", 0, READ, Noent),
        ("a\0b", CREATE, BOTH, Inval),
    ] {
        let done = guest.try_open(DATA_DIRECTORY, path, how, rights, 0);
        assert_eq!(done.err().unwrap_or(Success), expected, "{path:?} {how}");
    }
    assert_eq!(guest.try_open(DATA_DIRECTORY, "f", 0, READ, 32), Err(Inval));
    assert_eq!(guest.try_open(1, "f", 0, READ, 0), Err(Notdir));
    assert_eq!(guest.try_open(99, "f", 0, READ, 0), Err(Badf));
    guest.put(TEXT, b"\xff");
    let args = [DATA_DIRECTORY, 0, TEXT.into(), 1, 0, READ, 0, 0, TOLD.into()];
    assert_eq!(guest.call("path_open", &args), Ilseq);
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"outer");
    let file = guest.open("f", TRUNCATE, WRITE);
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"");
    assert_eq!(guest.write(file, b"x"), Success);
    let file = guest.open("new", CREATE | EXCLUSIVE, BOTH);
    assert_eq!(guest.write(file, b"y"), Success);
}

#[test]
fn a_path_never_leaves_the_directory_that_it_begins_at() {
    let mut guest = guest();
    guest.disk.write_file("secret", b"", NOW).unwrap();
    let inner = guest.open("d", DIRECTORY, READ);
    for path in ["..", "../secret", "d/../../secret", "/secret", "/data/f", "./../data/f", "d/.././../data"] {
        for name in ["path_create_directory", "path_remove_directory", "path_unlink_file"] {
            assert_eq!(guest.on_path(name, path), Errno::Notcapable, "{path}");
        }
        assert_eq!(guest.try_open(DATA_DIRECTORY, path, CREATE, BOTH, 0), Err(Errno::Notcapable), "{path}");
        assert_eq!(
            (guest.rename("f", path), guest.rename(path, "g")),
            (Errno::Notcapable, Errno::Notcapable)
        );
        assert_eq!((guest.link("f", path), guest.link(path, "g")), (Errno::Notcapable, Errno::Notcapable));
        assert_eq!(guest.stat(path), Errno::Notcapable);
    }
    // A directory opened below is a wall too.
    assert_eq!(guest.try_open(inner, "../f", 0, READ, 0), Err(Errno::Notcapable));
    for path in ["d/../f", "./f", "d//inner", "d/./inner", "d/..//./d/inner"] {
        assert_eq!(guest.stat(path), Errno::Success, "{path}");
    }
    // What a path goes through has to be there, even if it comes back.
    assert_eq!((guest.stat("no/../f"), guest.stat("f/../f")), (Errno::Noent, Errno::Notdir));
}

#[test]
fn directories_are_made_and_removed() {
    use Errno::*;
    let mut guest = guest();
    for (name, path, expected) in [
        ("path_create_directory", "d", Exist),
        ("path_create_directory", "f", Exist),
        ("path_create_directory", ".", Exist),
        ("path_create_directory", "no/x", Noent),
        ("path_create_directory", "e/", Success),
        ("path_remove_directory", "d", Notempty),
        ("path_remove_directory", "f", Notdir),
        ("path_remove_directory", "no", Noent),
        ("path_remove_directory", ".", Inval),
        ("path_remove_directory", "e", Success),
        ("path_unlink_file", "d", Isdir),
        ("path_unlink_file", "d/", Isdir),
        ("path_unlink_file", ".", Isdir),
        ("path_unlink_file", "f/", Notdir),
        ("path_unlink_file", "no", Noent),
        ("path_unlink_file", "d/inner", Success),
        ("path_remove_directory", "d/", Success),
    ] {
        assert_eq!(guest.on_path(name, path), expected, "{name} {path}");
    }
    assert_eq!(guest.names(DATA_DIRECTORY, 1000), [".", "..", "f"]);
}

#[test]
fn nothing_is_made_in_a_removed_directory() {
    let mut guest = guest();
    guest.disk.make_directory("data/e", NOW).unwrap();
    let removed = guest.open("e", DIRECTORY, READ);
    assert_eq!(guest.on_path("path_remove_directory", "e"), Errno::Success);
    assert_eq!(guest.try_open(removed, "x", CREATE, BOTH, 0), Err(Errno::Noent));
    let [at, size] = guest.text(TEXT, "x");
    assert_eq!(guest.call("path_create_directory", &[removed, at, size]), Errno::Noent);
    let [at, size] = guest.text(TEXT, "f");
    assert_eq!(guest.call("path_rename", &[DATA_DIRECTORY, at, size, removed, at, size]), Errno::Noent);
    assert_eq!(guest.names(removed, 1000), [".", ".."]);
    guest.ok("fd_close", &[removed]);
    assert_eq!(guest.stat("f"), Errno::Success);
}

#[test]
fn renaming_replaces_what_may_be_replaced() {
    use Errno::*;
    let mut guest = guest();
    guest.disk.make_directory("data/e", NOW).unwrap();
    for (from, to, expected) in [
        ("no", "x", Noent),
        ("f", "d", Isdir),
        ("d", "f", Notdir),
        ("e", "d", Notempty),
        ("d", "d/x", Inval),
        ("d", "d", Success),
        ("f", "g/", Notdir),
        ("f/", "g", Notdir),
        (".", "g", Inval),
        ("f", "no/g", Noent),
        ("d", "e", Success),
        ("f", "e/inner", Success),
        ("e/inner", "h", Success),
        ("e", "i/", Success),
    ] {
        assert_eq!(guest.rename(from, to), expected, "{from} to {to}");
    }
    assert_eq!(guest.names(DATA_DIRECTORY, 1000), [".", "..", "h", "i"]);
    assert_eq!(guest.disk.read_file("data/h").unwrap(), b"outer");
    assert_eq!(guest.disk.used_bytes(), 5);
    // Where a moved directory is now is where its `..` leads.
    assert_eq!(guest.on_path("path_create_directory", "i/j"), Success);
    assert_eq!(guest.on_path("path_create_directory", "k"), Success);
    assert_eq!(guest.rename("i", "k/i"), Success);
    assert_eq!(guest.rename("k", "k/i/j/k"), Inval);
}

#[test]
fn a_file_has_as_many_names_as_it_was_given() {
    use Errno::*;
    let mut guest = guest();
    for (from, to, expected) in [
        ("f", "d/g", Success),
        ("f", "d", Exist),
        ("f", ".", Exist),
        ("d", "e", Perm),
        ("no", "e", Noent),
        ("f", "e/", Noent),
        ("f/", "e", Notdir),
    ] {
        assert_eq!(guest.link(from, to), expected, "{from} to {to}");
    }
    guest.disk.write_file("data/d/g", b"both", NOW).unwrap();
    assert_eq!(guest.disk.read_file("data/f").unwrap(), b"both");
    // Two names of one file: renaming one over the other does nothing.
    assert_eq!(guest.rename("f", "d/g"), Success);
    assert_eq!((guest.stat("f"), guest.u64(DATA + 24)), (Success, 2));
    assert_eq!(guest.on_path("path_unlink_file", "f"), Success);
    let removed = guest.outside.wall_ns(guest.fuel.used);
    assert_eq!((guest.stat("d/g"), guest.u64(DATA + 24)), (Success, 1));
    assert_eq!(guest.u64(DATA + 56), removed);
    assert_eq!(guest.disk.used_bytes(), 5 + 4);
}

#[test]
fn symbolic_links_are_not_made_and_nothing_is_one() {
    let mut guest = guest();
    let mut symlink = |to: &str| {
        let [at, size] = guest.text(OTHER_TEXT, "/anywhere");
        let [new, new_size] = guest.text(TEXT, to);
        guest.call("path_symlink", &[at, size, DATA_DIRECTORY, new, new_size])
    };
    assert_eq!((symlink("l"), symlink("f"), symlink("../l")), (Errno::Perm, Errno::Exist, Errno::Notcapable));
    for (path, expected) in [("f", Errno::Inval), ("l", Errno::Noent)] {
        let [at, size] = guest.text(TEXT, path);
        let args = [DATA_DIRECTORY, at, size, DATA.into(), 100, TOLD.into()];
        assert_eq!(guest.call("path_readlink", &args), expected);
    }
    let [at, size] = guest.text(TEXT, "f");
    assert_eq!(guest.call("path_filestat_get", &[DATA_DIRECTORY, 2, at, size, DATA.into()]), Errno::Inval);
}

#[test]
fn modules_of_a_service_share_files_of_a_directory_that_both_have() {
    let mut guest = guest();
    let mut other = Process::new(
        "other",
        Vec::new(),
        &[Preopen { guest: "x".into(), folder: "mnt/tmp".into() }],
        &mut guest.disk,
        NOW,
    )
    .unwrap();
    let file = guest.try_open(TMP_DIRECTORY, "shared", CREATE, BOTH, 0).unwrap();
    std::mem::swap(&mut guest.process, &mut other);
    let same = guest.try_open(3, "shared", 0, BOTH, 0).unwrap();
    assert_eq!(guest.write(same, b"from the other"), Errno::Success);
    // Removed by one, it lives as long as either has it open.
    let [at, size] = guest.text(TEXT, "shared");
    guest.ok("path_unlink_file", &[3, at, size]);
    guest.ok("fd_close", &[same]);
    std::mem::swap(&mut guest.process, &mut other);
    assert_eq!(guest.read(file, 100).unwrap(), b"from the other");
    guest.ok("fd_close", &[file]);
    assert_eq!(guest.disk.used_bytes(), 10);
}

#[test]
fn a_preopened_directory_that_another_module_removed_is_empty_and_still_open() {
    let mut guest = Guest::new();
    let whole = [Preopen { guest: "/".into(), folder: String::new() }];
    let mut other = Process::new("other", Vec::new(), &whole, &mut guest.disk, NOW).unwrap();
    std::mem::swap(&mut guest.process, &mut other);
    assert_eq!(guest.on_path("path_remove_directory", "data"), Errno::Success);
    std::mem::swap(&mut guest.process, &mut other);
    assert_eq!(guest.names(DATA_DIRECTORY, 1000), [".", ".."]);
    assert_eq!(guest.try_open(DATA_DIRECTORY, "x", CREATE, BOTH, 0), Err(Errno::Noent));
}

#[test]
fn a_disk_that_is_put_back_without_its_process_is_settled() {
    let mut guest = guest();
    let kept = guest.open("f", 0, BOTH);
    let closed = guest.open("d/inner", 0, BOTH);
    let before = guest.disk.clone();
    let gone = guest.open("new", CREATE, BOTH);
    assert_eq!(guest.write(gone, b"new"), Errno::Success);
    guest.ok("fd_close", &[closed]);
    guest.disk = before;
    guest.disk.settle(&mut [&mut guest.process]);
    // A new file does not take the place of the one that is gone.
    let another = guest.open("another", CREATE, BOTH);
    assert_eq!(another, closed);
    assert_eq!(guest.write(gone, b"x"), Errno::Badf);
    assert_eq!(guest.read(kept, 9).unwrap(), b"outer");
    assert_eq!(guest.on_path("path_unlink_file", "d/inner"), Errno::Success);
    assert_eq!(guest.disk.used_bytes(), 5);
    // A file that was removed while open, and is closed by now.
    let before = guest.disk.clone();
    guest.ok("fd_close", &[kept]);
    guest.disk = before;
    assert_eq!(guest.on_path("path_unlink_file", "f"), Errno::Success);
    assert_eq!(guest.disk.used_bytes(), 5);
    guest.disk.settle(&mut [&mut guest.process]);
    assert_eq!(guest.disk.used_bytes(), 0);
    let settled = guest.disk.clone();
    guest.disk.settle(&mut [&mut guest.process]);
    assert_eq!(guest.disk, settled);
}

#[test]
fn the_root_is_the_hosts_and_its_errors_name_the_path() {
    let mut disk = Disk::new(DiskLimits::default());
    let text = |error: DiskError| error.to_string();
    assert_eq!(text(disk.read_file("/a/b").unwrap_err()), "`/a/b` on the disk: Noent");
    assert_eq!(text(disk.write_file("", b"", 0).unwrap_err()), "`` on the disk: Noent");
    assert_eq!(text(disk.make_directory("a/../b", 0).unwrap_err()), "`a/../b` on the disk: Notcapable");
    disk.make_directory("/a/c", 0).unwrap();
    disk.write_file("/a/b", b"1", 0).unwrap();
    assert_eq!(text(disk.write_file("/a/c", b"", 0).unwrap_err()), "`/a/c` on the disk: Isdir");
    assert_eq!(text(disk.make_directory("/a/b/c", 0).unwrap_err()), "`/a/b/c` on the disk: Notdir");
    let met: Vec<_> = disk.walk("/").into_iter().map(|met| (met.is_directory(), met.path)).collect();
    assert_eq!(met, [(true, "a".into()), (false, "a/b".into()), (true, "a/c".into())]);
    assert_eq!(disk.walk("a").len(), 2);
    assert!(disk.walk("no").is_empty());
}
