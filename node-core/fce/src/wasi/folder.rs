//! A folder of the host as a directory of a disk: read whole before a service starts, and what changed written back
//! between its calls. For services that run for real; a simulated one never sees a file of its host.
//!
//! Symbolic links and whatever else is neither file nor directory are left out, named in [`Loaded`], and never written
//! through. Hard links become files of their own.
//!
//! How safe writing back is: a file of up to [`WHOLE_BYTES`], or a new one, is written beside, synchronised, and renamed
//! over the old one, so that a crash leaves the old or the new. Of a larger one only the changed chunks are written, in
//! place, and synchronised: a crash may leave some of them. What a call added is written before what it removed is
//! removed. Files are not written as one: a crash may leave some new and some old. Nobody else should change the folder
//! meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::contents::{CHUNK_BYTES, Contents};
use super::disk::Disk;
use super::errno::{Limit, Stop};
use super::host::{DiskError, Met, Why};

/// Bytes up to which a changed file is replaced as a whole: rewriting as much takes about as long as synchronising it.
pub const WHOLE_BYTES: u64 = 1 << 20;
/// Bytes read of a file at once.
const STEP_BYTES: usize = 64 << 10;

/// Why a folder was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The host refused.
    #[error("{}", .path.display())]
    Host {
        /// What it was about.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The disk refused: the folder is larger than a disk may be.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Something is in the way.
    #[error("{} is in the way: it is neither a file nor a directory that the disk knows", .0.display())]
    InTheWay(PathBuf),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Host { path, source }
}

/// What reading a folder came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Files read.
    pub files: u32,
    /// What was left out: links, devices, and names that are not UTF-8.
    pub skipped: Vec<PathBuf>,
}

/// Reads a folder into a directory of a disk, which is made if it is not there. Nodes are numbered by name, so that the
/// same folder gives the same disk.
///
/// # Errors
/// If the host refuses, or the folder is larger than the disk's limits; the disk has a part of it then.
pub fn load(disk: &mut Disk, directory: &str, folder: &Path, now_ns: u64) -> Result<Loaded, FolderError> {
    disk.make_directory(directory, now_ns)?;
    let mut loaded = Loaded::default();
    let mut left = vec![(folder.to_owned(), directory.trim_end_matches('/').to_owned())];
    while let Some((folder, directory)) = left.pop() {
        for (name, path) in list(disk, &directory, &folder)? {
            let Some(name) = name else {
                loaded.skipped.push(path);
                continue;
            };
            let to = format!("{directory}/{name}");
            let kind = fs::symlink_metadata(&path).map_err(at(&path))?.file_type();
            if kind.is_dir() {
                disk.make_directory(&to, now_ns)?;
                left.push((path, to));
            } else if kind.is_file() {
                load_file(disk, &to, &path, now_ns)?;
                loaded.files += 1;
            } else {
                loaded.skipped.push(path);
            }
        }
    }
    Ok(loaded)
}

/// What is in a folder, sorted: not more than a disk may hold.
fn list(disk: &Disk, directory: &str, folder: &Path) -> Result<Vec<(Option<String>, PathBuf)>, FolderError> {
    let limit = disk.limits().entries as usize;
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        if entries.len() == limit {
            let why = Why::Limit(Limit::Entries);
            return Err(DiskError { path: directory.to_owned(), why }.into());
        }
        entries.push((entry.file_name().into_string().ok(), entry.path()));
    }
    entries.sort();
    Ok(entries)
}

fn load_file(disk: &mut Disk, to: &str, path: &Path, now_ns: u64) -> Result<(), FolderError> {
    let disk_error = |stop: Stop| DiskError::new(to, stop);
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path)
        .map_err(at(path))?;
    let node = disk.put_file(to, &[], now_ns).map_err(disk_error)?;
    let mut step = vec![0; STEP_BYTES];
    let mut position = 0;
    loop {
        let read = file.read(&mut step).map_err(at(path))?;
        if read == 0 {
            return Ok(());
        }
        disk.write(node, position, step.get(..read).unwrap_or_default(), now_ns).map_err(disk_error)?;
        position += read as u64;
    }
}

/// What writing back came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Files written whole.
    pub whole: u32,
    /// Files of which chunks were written in place.
    pub in_place: u32,
    /// Chunks written in place.
    pub chunks: u64,
    /// Directories made.
    pub directories: u32,
    /// Files and directories removed.
    pub removed: u32,
    /// Directories that were to be removed and hold something that the disk does not know.
    pub kept: u32,
}

/// Writes to a folder what is different between two disks in a directory.
///
/// # Errors
/// If the host refuses, or something that the disk does not know is in the way; a part may be written then.
pub fn store(before: &Disk, after: &Disk, directory: &str, folder: &Path) -> Result<Stored, FolderError> {
    let (old, new) = (by_path(before, directory), by_path(after, directory));
    let mut stored = Stored::default();
    let is_gone = |path: &String, met: &Met| new.get(path).is_none_or(|there| there.kind != met.kind);
    let mut gone: Vec<&Met> =
        old.iter().filter(|(path, met)| is_gone(path, met)).map(|(_, met)| met).collect();
    // What is in a directory comes before it.
    gone.reverse();
    // Where a file becomes a directory or the other way round, what was there goes first.
    let turned: BTreeSet<&str> =
        gone.iter().map(|met| met.path.as_str()).filter(|path| new.contains_key(*path)).collect();
    let (first, last): (Vec<&Met>, Vec<&Met>) = gone.into_iter().partition(|met| below(&turned, &met.path));
    for met in first {
        remove(met, folder, &mut stored)?;
    }
    let mut changed = BTreeSet::new();
    for met in new.values() {
        let path = folder.join(&met.path);
        let was = old.get(&met.path).filter(|was| was.kind == met.kind);
        if met.is_directory() {
            if was.is_none() {
                make_directory(&path)?;
                stored.directories += 1;
            }
            continue;
        }
        let Ok(contents) = after.contents(met.node) else { continue };
        let was = was.and_then(|was| before.contents(was.node).ok());
        if was != Some(contents) {
            store_file(was, contents, &path, &mut stored)?;
            changed.extend(path.parent().map(Path::to_owned));
        }
    }
    for directory in changed {
        File::open(&directory).and_then(|directory| directory.sync_all()).map_err(at(&directory))?;
    }
    for met in last {
        remove(met, folder, &mut stored)?;
    }
    Ok(stored)
}

fn by_path(disk: &Disk, directory: &str) -> BTreeMap<String, Met> {
    disk.walk(directory).into_iter().map(|met| (met.path.clone(), met)).collect()
}

/// Whether a path is one of these or below one.
fn below(paths: &BTreeSet<&str>, path: &str) -> bool {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).any(|above| paths.contains(above))
}

fn remove(met: &Met, folder: &Path, stored: &mut Stored) -> Result<(), FolderError> {
    let path = folder.join(&met.path);
    let done = if met.is_directory() { fs::remove_dir(&path) } else { fs::remove_file(&path) };
    match done {
        Ok(()) => stored.removed += 1,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => stored.kept += 1,
        Err(error) => return Err(at(&path)(error)),
    }
    Ok(())
}

fn make_directory(path: &Path) -> Result<(), FolderError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::symlink_metadata(path).map_err(at(path))?;
            if there.is_dir() { Ok(()) } else { Err(FolderError::InTheWay(path.to_owned())) }
        }
        done => done.map_err(at(path)),
    }
}

fn store_file(
    was: Option<&Contents>,
    contents: &Contents,
    path: &Path,
    stored: &mut Stored,
) -> Result<(), FolderError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => Some(there),
        Ok(_) => return Err(FolderError::InTheWay(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(at(path)(error)),
    };
    if let (Some(was), Some(there)) = (was, &there)
        && contents.size_bytes() > WHOLE_BYTES
        && there.len() == was.size_bytes()
    {
        stored.chunks += write_changes(was, contents, path).map_err(at(path))?;
        stored.in_place += 1;
    } else {
        write_whole(contents, path, there.map(|there| there.permissions())).map_err(at(path))?;
        stored.whole += 1;
    }
    Ok(())
}

fn write_whole(contents: &Contents, path: &Path, permissions: Option<Permissions>) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Err(io::ErrorKind::NotFound.into()) };
    // As a new file gets them, less what the process masks.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    let mut into = io::BufWriter::with_capacity(STEP_BYTES, &mut file);
    for index in 0..contents.chunks() {
        write_chunk(contents, index, &mut into)?;
    }
    into.flush()?;
    drop(into);
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Writes the chunks that changed; how many.
fn write_changes(was: &Contents, contents: &Contents, path: &Path) -> io::Result<u64> {
    let flags = OFlags::NOFOLLOW.bits() as i32;
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    file.set_len(contents.size_bytes())?;
    let mut chunks = 0;
    for index in (0..contents.chunks()).filter(|index| !was.same_chunk(contents, *index)) {
        file.seek(SeekFrom::Start(index * CHUNK_BYTES))?;
        write_chunk(contents, index, &mut file)?;
        chunks += 1;
    }
    file.sync_all()?;
    Ok(chunks)
}

fn write_chunk(contents: &Contents, index: u64, into: &mut impl Write) -> io::Result<()> {
    let mut chunk = [0; CHUNK_BYTES as usize];
    let length = contents.read(index * CHUNK_BYTES, &mut chunk);
    into.write_all(chunk.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::limits::DiskLimits;

    use super::*;

    /// A folder with a file, a large one, a directory and a link out of it.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("sub")).unwrap();
        fs::write(path.join("sub/small"), b"small").unwrap();
        fs::write(path.join("large"), vec![7; 3 << 20]).unwrap();
        symlink("/etc", path.join("out")).unwrap();
        folder
    }

    fn loaded(folder: &Path) -> Disk {
        let mut disk = Disk::new(DiskLimits::default());
        load(&mut disk, "data", folder, 5).unwrap();
        disk
    }

    fn contents(disk: &Disk) -> BTreeMap<String, Option<Vec<u8>>> {
        let read = |met: &Met| disk.read_file(&format!("data/{}", met.path)).ok();
        disk.walk("data").iter().map(|met| (met.path.clone(), read(met))).collect()
    }

    #[test]
    fn a_folder_is_read_whole_and_links_are_left_out() {
        let folder = folder();
        let mut disk = Disk::new(DiskLimits::default());
        let done = load(&mut disk, "/data/", folder.path(), 5).unwrap();
        assert_eq!(done, Loaded { files: 2, skipped: vec![folder.path().join("out")] });
        let paths: Vec<_> = disk.walk("data").into_iter().map(|met| met.path).collect();
        assert_eq!(paths, ["large", "sub", "sub/small"]);
        assert_eq!(disk.read_file("data/sub/small").unwrap(), b"small");
        assert_eq!(disk.read_file("data/large").unwrap(), vec![7; 3 << 20]);
        assert_eq!(disk, loaded(folder.path()));
    }

    #[test]
    fn a_folder_over_a_limit_is_refused() {
        let folder = folder();
        let load = |limits| load(&mut Disk::new(limits), "data", folder.path(), 5).unwrap_err().to_string();
        let bytes = load(DiskLimits { bytes: 1 << 20, ..DiskLimits::default() });
        assert_eq!(bytes, "`data/large` on the disk: over its limit of DiskBytes");
        let entries = load(DiskLimits { entries: 2, ..DiskLimits::default() });
        assert_eq!(entries, "`data` on the disk: over its limit of Entries");
        assert!(super::load(&mut Disk::new(DiskLimits::default()), "d", Path::new("/no/such"), 0).is_err());
    }

    #[test]
    fn nothing_is_written_if_nothing_changed() {
        let folder = folder();
        let disk = loaded(folder.path());
        fs::remove_dir_all(folder.path().join("sub")).unwrap();
        assert_eq!(store(&disk, &disk.clone(), "data", folder.path()).unwrap(), Stored::default());
        assert!(!folder.path().join("sub").exists());
    }

    #[test]
    fn only_what_changed_is_written() {
        let folder = folder();
        let before = loaded(folder.path());
        let mut after = before.clone();
        let large = after.walk("data")[0].node;
        after.write(large, 5000, b"changed", 6).unwrap();
        after.write(large, (3 << 20) + 10, b"grown", 6).unwrap();
        after.write_file("data/new", b"new", 6).unwrap();
        after.make_directory("data/sub/deeper", 6).unwrap();
        after.write_file("data/sub/deeper/leaf", b"leaf", 6).unwrap();
        let stored = store(&before, &after, "data", folder.path()).unwrap();
        let expected = Stored { whole: 2, in_place: 1, chunks: 2, directories: 1, removed: 0, kept: 0 };
        assert_eq!(stored, expected);
        assert_eq!(contents(&loaded(folder.path())), contents(&after));
        assert!(folder.path().join("out").is_symlink());
        // And back again: cut, and removed.
        let stored = store(&after, &before, "data", folder.path()).unwrap();
        assert_eq!(Stored { removed: 3, in_place: 1, chunks: 1, ..Stored::default() }, stored);
        assert_eq!(contents(&loaded(folder.path())), contents(&before));
    }

    #[test]
    fn files_and_directories_that_turn_into_each_other_are_replaced() {
        let folder = folder();
        let before = loaded(folder.path());
        let mut after = Disk::new(DiskLimits::default());
        after.make_directory("data/large", 6).unwrap();
        after.write_file("data/large/x", b"x", 6).unwrap();
        after.write_file("data/sub", b"file", 6).unwrap();
        store(&before, &after, "data", folder.path()).unwrap();
        assert_eq!(contents(&loaded(folder.path())), contents(&after));
    }

    #[test]
    fn what_the_disk_does_not_know_is_neither_removed_nor_written_through() {
        let folder = folder();
        let path = folder.path();
        fs::write(path.join("target"), b"target").unwrap();
        let before = loaded(path);
        symlink(path.join("target"), path.join("sub/link")).unwrap();
        let mut after = Disk::new(DiskLimits::default());
        after.make_directory("data", 6).unwrap();
        let stored = store(&before, &after, "data", path).unwrap();
        assert_eq!((stored.removed, stored.kept), (3, 1));
        assert!(path.join("sub/link").is_symlink());
        for name in ["data/out/file", "data/out"] {
            let mut wrong = after.clone();
            if name.ends_with("file") {
                wrong.make_directory("data/out", 6).unwrap();
            }
            wrong.write_file(name, b"x", 6).unwrap();
            let error = store(&after, &wrong, "data", path).unwrap_err();
            assert!(matches!(&error, FolderError::InTheWay(way) if way.ends_with("out")), "{error}");
        }
    }

    #[test]
    fn a_large_file_that_was_cut_by_others_is_written_whole() {
        let folder = folder();
        let before = loaded(folder.path());
        let mut after = before.clone();
        after.write(after.walk("data")[0].node, 0, b"changed", 6).unwrap();
        fs::write(folder.path().join("large"), b"cut").unwrap();
        assert_eq!(store(&before, &after, "data", folder.path()).unwrap().whole, 1);
        assert_eq!(contents(&loaded(folder.path())), contents(&after));
    }

    #[test]
    fn a_file_keeps_its_permissions() {
        let folder = folder();
        let path = folder.path().join("sub/small");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let before = loaded(folder.path());
        let mut after = before.clone();
        after.write_file("data/sub/small", b"other", 6).unwrap();
        store(&before, &after, "data", folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"other");
    }
}
