//! A store on disk: one redb file.
//!
//! Invariants:
//! - what was acknowledged is on disk, twice: redb keeps the roots of its last two commits, and each group of changes is
//!   followed by a commit without changes, so that a commit cut short by a crash, or a damaged root, falls back to one
//!   that holds the same; nothing that is older is ever opened silently;
//! - a file is opened only if every page that holds anything has the checksum that its parent names (redb verifies them
//!   all at every opening here, not only after a crash), and every record can be read;
//! - a file that is refused stays as it was found, to the last byte: see [`crate::staged`].
//!
//! redb syncs a commit before it returns ([`redb::Durability::Immediate`], its default); its own repair after a crash
//! needs no decision of ours. After an error of the disk the file is closed, and opened again by a later change.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageBackend,
    StorageError, TableDefinition, WriteTransaction,
};
use types::{PeerId, StoreFailure, StoreResult, UnixMillis};
use wire::MAX_ADDRESSES;

use crate::folder::Lock;
use crate::peerbook::{Known, MAX_REMEMBERED};
use crate::staged::Stage;
use crate::store::{Change, Past, Store, StoreError, Stored};

/// How the file is laid out; another number is another layout.
const FORMAT: u64 = 1;
/// Memory for pages that were read or are to be written. The node has its records in memory and reads them once.
const CACHE_BYTES: usize = 8 << 20;
/// How long a disk that failed is left alone: opening reads the whole file.
const PAUSE: Duration = Duration::from_secs(10);

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// In [`META`]: [`FORMAT`].
const META_FORMAT: &str = "format";
/// In [`META`]: lives that were begun.
const META_LIVES: &str = "lives";
/// By name.
const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// By rank, the latest first.
const PEERS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("peers");

/// A store in a file.
pub struct Disk {
    path: PathBuf,
    /// The data folder is ours for as long as this store is open.
    _lock: Lock,
    open: Opener,
    state: State,
}

/// Opens the file under the database.
type Opener = Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send>;

enum State {
    Open(Database),
    /// The disk failed then, in this way.
    Failed(Instant, StoreFailure),
}

impl Disk {
    /// Opens the store at `path`, or makes a new one where there is none.
    pub(crate) fn open(path: PathBuf, lock: Lock) -> Result<Self, StoreError> {
        if !path.try_exists().map_err(|error| StoreError::Io { path: path.clone(), error })? {
            create(&path)?;
        }
        let file = path.clone();
        Self::over(path, lock, Box::new(move || under(&file)))
    }

    fn over(path: PathBuf, lock: Lock, open: Opener) -> Result<Self, StoreError> {
        let database = opened(&path, &open)?;
        Ok(Self { path, _lock: lock, open, state: State::Open(database) })
    }

    /// Commits what `fill` writes, for good.
    fn commit(&mut self, fill: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>) -> StoreResult {
        if let State::Failed(when, failure) = self.state {
            if when.elapsed() < PAUSE {
                return Err(failure);
            }
            match opened(&self.path, &self.open) {
                Ok(database) => self.state = State::Open(database),
                Err(_) => {
                    self.state = State::Failed(Instant::now(), failure);
                    return Err(failure);
                }
            }
        }
        let State::Open(database) = &self.state else { return Err(StoreFailure::Disk) };
        committed(database, fill).map_err(|error| {
            let failure = failure(&error);
            self.state = State::Failed(Instant::now(), failure);
            failure
        })
    }
}

impl Store for Disk {
    fn begin(&mut self, now: UnixMillis) -> Result<Past, StoreError> {
        let damaged = |what: String| StoreError::Damaged { path: self.path.clone(), what };
        let State::Open(database) = &self.state else {
            return Err(damaged("the disk failed before the life began".to_owned()));
        };
        let mut past = read(database).map_err(damaged)?;
        past.records.retain(|stored| stored.expires > now);
        let failed = |error: redb::Error| match error {
            redb::Error::Io(error) => StoreError::Io { path: self.path.clone(), error },
            error => damaged(error.to_string()),
        };
        committed(database, |transaction| {
            transaction.open_table(META)?.insert(META_LIVES, u64::from(past.lives).saturating_add(1))?;
            transaction.open_table(RECORDS)?.retain(|_, value| expires(value).is_some_and(|at| at > now))?;
            Ok(())
        })
        .map_err(failed)?;
        Ok(past)
    }

    fn apply(&mut self, changes: &[Change]) -> StoreResult {
        self.commit(|transaction| {
            let mut records = transaction.open_table(RECORDS)?;
            for change in changes {
                match change {
                    Change::Put(stored) => {
                        records.insert(stored.name.as_slice(), packed(stored).as_slice())?
                    }
                    Change::Delete { name } => records.remove(name.as_slice())?,
                };
            }
            Ok(())
        })
    }

    fn remember(&mut self, peers: &[Known]) -> StoreResult {
        self.commit(|transaction| {
            let mut table = transaction.open_table(PEERS)?;
            let mut count = 0;
            for (rank, known) in (0..).zip(peers.iter().take(MAX_REMEMBERED)) {
                table.insert(rank, packed_peer(known).as_slice())?;
                count = rank + 1;
            }
            table.retain(|rank, _| rank < count)?;
            Ok(())
        })
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Disk").field(&self.path).finish()
    }
}

/// Two commits: when this returns, both roots of the file hold what `fill` wrote.
fn committed(
    database: &Database,
    fill: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    fill(&transaction)?;
    transaction.commit()?;
    database.begin_write()?.commit()?;
    Ok(())
}

fn failure(error: &redb::Error) -> StoreFailure {
    match error {
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreFailure::Full
            }
            _ => StoreFailure::Disk,
        },
        _ => StoreFailure::Disk,
    }
}

/// Makes a new store: in a file beside it, which takes its name once it is whole, so that a crash leaves a store or none.
fn create(path: &Path) -> Result<(), StoreError> {
    let io = |error| StoreError::Io { path: path.to_path_buf(), error };
    let new = path.with_extension("redb.new");
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new).map_err(io)?;
    let fill = || -> Result<(), redb::Error> {
        let database = builder().create_with_backend(FileBackend::new(file.try_clone()?)?)?;
        committed(&database, |transaction| {
            let mut meta = transaction.open_table(META)?;
            meta.insert(META_FORMAT, FORMAT)?;
            meta.insert(META_LIVES, 0)?;
            transaction.open_table(RECORDS)?;
            transaction.open_table(PEERS)?;
            Ok(())
        })?;
        Ok(database.close()?)
    };
    fill().map_err(|error| match error {
        redb::Error::Io(error) => io(error),
        error => io(io::Error::other(error.to_string())),
    })?;
    file.sync_all().and_then(|()| fs::rename(&new, path)).map_err(io)?;
    // The name is on disk once its folder is.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).map_err(io)
}

/// The file, which nobody else may have open.
fn under(path: &Path) -> io::Result<Box<dyn StorageBackend>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::ResourceBusy.into()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let backend = FileBackend::new(file).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Box::new(backend))
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// Opens a store, looks through all of it, and only then lets its file be written.
fn opened(path: &Path, open: &Opener) -> Result<Database, StoreError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::ResourceBusy => StoreError::InUse(path.to_path_buf()),
        _ => StoreError::Io { path: path.to_path_buf(), error },
    };
    let damaged = |what: String| StoreError::Damaged { path: path.to_path_buf(), what };
    let stage = Stage::over(open().map_err(io)?).map_err(io)?;
    if stage.len().map_err(io)? == 0 {
        return Err(damaged("it is empty".to_owned()));
    }
    let database = builder().create_with_backend(stage.clone()).map_err(|error| refused(path, error))?;
    let format = format(&database).map_err(damaged)?;
    if format != FORMAT {
        let found = format.to_string();
        return Err(StoreError::Foreign { path: path.to_path_buf(), found, ours: FORMAT });
    }
    read(&database).map_err(damaged)?;
    stage.release().map_err(io)?;
    Ok(database)
}

/// Why redb does not open the file.
fn refused(path: &Path, error: DatabaseError) -> StoreError {
    let damaged = |what: String| StoreError::Damaged { path: path.to_path_buf(), what };
    match error {
        DatabaseError::UpgradeRequired(version) => StoreError::Foreign {
            path: path.to_path_buf(),
            found: format!("of redb's file version {version}"),
            ours: FORMAT,
        },
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            // Where a sound file would have had more, or something else.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
                damaged(error.to_string())
            }
            _ => StoreError::Io { path: path.to_path_buf(), error },
        },
        DatabaseError::Storage(StorageError::Corrupted(what)) => damaged(what),
        error => damaged(error.to_string()),
    }
}

fn format(database: &Database) -> Result<u64, String> {
    let get = || -> Result<Option<u64>, redb::Error> {
        let meta = database.begin_read()?.open_table(META)?;
        Ok(meta.get(META_FORMAT)?.map(|value| value.value()))
    };
    match get() {
        Ok(Some(format)) => Ok(format),
        Ok(None) => Err("it names no format".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// All that a store holds, or what of it cannot be read.
fn read(database: &Database) -> Result<Past, String> {
    let get = || -> Result<Result<Past, String>, redb::Error> {
        let transaction = database.begin_read()?;
        let lives = transaction.open_table(META)?.get(META_LIVES)?.map(|value| value.value());
        let Some(lives) = lives.and_then(|lives| u32::try_from(lives).ok()) else {
            return Ok(Err("it does not count its lives".to_owned()));
        };
        let mut past = Past { lives, ..Past::default() };
        for entry in transaction.open_table(RECORDS)?.iter()? {
            let (name, value) = entry?;
            let Some(stored) = unpacked(name.value(), value.value()) else {
                return Ok(Err(format!("record {} cannot be read", name.value().escape_ascii())));
            };
            past.records.push(stored);
        }
        for entry in transaction.open_table(PEERS)?.iter()? {
            let (rank, value) = entry?;
            let Some(known) = unpacked_peer(value.value()) else {
                return Ok(Err(format!("peer {} cannot be read", rank.value())));
            };
            past.peers.push(known);
        }
        Ok(Ok(past))
    };
    get().unwrap_or_else(|error| Err(error.to_string()))
}

/// A record beside its name: when it expires, its time to live, its publisher, its value.
fn packed(stored: &Stored) -> Vec<u8> {
    let publisher = stored.publisher.as_ref().map_or(&[][..], PeerId::as_bytes);
    let mut bytes = Vec::with_capacity(13 + publisher.len() + stored.value.len());
    bytes.extend(stored.expires.0.to_le_bytes());
    bytes.extend(stored.ttl_secs.to_le_bytes());
    // An id has some forty bytes.
    bytes.push(u8::try_from(publisher.len()).unwrap_or_default());
    bytes.extend(publisher);
    bytes.extend(&stored.value);
    bytes
}

fn expires(bytes: &[u8]) -> Option<UnixMillis> {
    bytes.first_chunk().map(|millis| UnixMillis(u64::from_le_bytes(*millis)))
}

fn unpacked(name: &[u8], bytes: &[u8]) -> Option<Stored> {
    let (expires, bytes) = bytes.split_first_chunk()?;
    let (ttl_secs, bytes) = bytes.split_first_chunk()?;
    let (len, bytes) = bytes.split_first()?;
    let (publisher, value) = bytes.split_at_checked(usize::from(*len))?;
    let publisher = match publisher {
        [] => None,
        bytes => Some(PeerId::from_bytes(bytes).ok()?),
    };
    Some(Stored {
        name: name.to_vec(),
        value: value.to_vec(),
        publisher,
        ttl_secs: u32::from_le_bytes(*ttl_secs),
        expires: UnixMillis(u64::from_le_bytes(*expires)),
    })
}

/// A peer: its id and its addresses, each after its length.
fn packed_peer(known: &Known) -> Vec<u8> {
    let addresses = known.addresses.iter().take(MAX_ADDRESSES).map(Multiaddr::to_vec);
    let mut bytes = Vec::new();
    for part in std::iter::once(known.id.as_bytes().to_vec()).chain(addresses) {
        if let Ok(len) = u16::try_from(part.len()) {
            bytes.extend(len.to_le_bytes());
            bytes.extend(part);
        }
    }
    bytes
}

fn unpacked_peer(mut bytes: &[u8]) -> Option<Known> {
    let mut next = || -> Option<&[u8]> {
        let (len, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        bytes = rest;
        Some(part)
    };
    let id = PeerId::from_bytes(next()?).ok()?;
    let mut addresses = Vec::new();
    while let Some(address) = next() {
        addresses.push(Multiaddr::try_from(address.to_vec()).ok()?);
    }
    bytes.is_empty().then_some(Known { id, addresses })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI32, Ordering};

    use super::*;
    use crate::folder::{Folder, STORE_FILE};
    use crate::staged::tests::{Seen, whole};

    const NOW: UnixMillis = UnixMillis(1_000);

    fn id(number: u8) -> PeerId {
        PeerId::from_ed25519(&[number; 32])
    }

    fn stored(number: u16) -> Stored {
        Stored {
            name: format!("name {number:05}").into_bytes(),
            value: number.to_le_bytes().repeat(usize::from(number) * 7 % 300),
            publisher: number.is_multiple_of(3).then(|| id(number as u8)),
            ttl_secs: u32::from(number),
            expires: UnixMillis(u64::MAX - u64::from(number)),
        }
    }

    fn known(number: u8) -> Known {
        let addresses =
            (0..number % 4).map(|port| format!("/ip4/192.0.2.{number}/tcp/{port}").parse().unwrap());
        Known { id: id(number), addresses: addresses.collect() }
    }

    fn open(folder: &Path) -> Disk {
        Folder::open(folder).unwrap().store().unwrap()
    }

    /// A folder with a store of 60 records, of which a second life wrote the second half; and its file as the second
    /// life left it, and as it was before it ended.
    struct Filled {
        folder: tempfile::TempDir,
        records: Vec<Stored>,
        ended: Vec<u8>,
        killed: Vec<u8>,
    }

    fn filled() -> Filled {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(STORE_FILE);
        let records: Vec<_> = (0..60).map(stored).collect();
        let mut killed = Vec::new();
        for half in records.chunks(30) {
            let mut disk = open(folder.path());
            disk.begin(NOW).unwrap();
            disk.remember(&[known(1), known(2)]).unwrap();
            for group in half.chunks(3) {
                let changes: Vec<_> = group.iter().cloned().map(Change::Put).collect();
                disk.apply(&changes).unwrap();
            }
            killed = fs::read(&file).unwrap();
        }
        let ended = fs::read(&file).unwrap();
        Filled { folder, records, ended, killed }
    }

    #[test]
    fn what_was_acknowledged_is_there_in_the_next_life() {
        let Filled { folder, mut records, .. } = filled();
        let open = || open(folder.path());
        let mut disk = open();
        let past = disk.begin(NOW).unwrap();
        assert_eq!(past, Past { lives: 2, records: records.clone(), peers: vec![known(1), known(2)] });
        let changed = Stored { value: b"another".to_vec(), ..stored(5) };
        let gone = Change::Delete { name: stored(6).name };
        disk.apply(&[Change::Put(changed.clone()), gone]).unwrap();
        disk.remember(&[known(7)]).unwrap();
        drop(disk);
        records[5] = changed;
        records.remove(6);
        let past = open().begin(NOW).unwrap();
        assert_eq!(past, Past { lives: 3, records, peers: vec![known(7)] });
        // The record of the highest number expires first.
        let later = UnixMillis(u64::MAX - 59);
        assert_eq!(open().begin(later).unwrap().records.len(), 58);
        let past = open().begin(NOW).unwrap();
        assert_eq!((past.lives, past.records.len()), (5, 58), "what had expired was forgotten for good");
    }

    /// Opens a store whose file is `bytes`: all of it is there, or it says why not and stays as it was.
    fn opens(bytes: &[u8], records: &[Stored], what: &str) -> bool {
        let file = Seen::new(bytes);
        let under = file.clone();
        let lock = Arc::new(tempfile::tempfile().unwrap());
        match Disk::over(PathBuf::from(STORE_FILE), lock, Box::new(move || Ok(Box::new(under.clone())))) {
            Ok(mut disk) => {
                let past = disk.begin(NOW).unwrap();
                assert!(
                    past.records == records,
                    "{what}: {} records of {}",
                    past.records.len(),
                    records.len()
                );
                true
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    matches!(error, StoreError::Damaged { .. } | StoreError::Foreign { .. }),
                    "{what}: {text}"
                );
                assert!(text.contains(STORE_FILE) && text.contains("left as it is"), "{what}: {text}");
                assert!(whole(&file) == bytes, "{what}: refused, and changed: {text}");
                false
            }
        }
    }

    #[test]
    fn a_store_that_was_cut_off_anywhere_is_whole_or_refused() {
        let Filled { records, ended, killed, .. } = filled();
        for file in [ended, killed] {
            let all = file.len();
            for length in (0..512).chain((512..all).step_by(509)) {
                opens(&file[..length], &records, &format!("{length} bytes of {all}"));
            }
            let longer = [&file[..], &[7; 100]].concat();
            opens(&longer, &records, "100 bytes more");
            assert!(opens(&file, &records, "untouched"));
            assert!(!opens(&file[..all / 2], &records, "one half"));
        }
    }

    #[test]
    fn a_store_with_a_byte_changed_anywhere_is_whole_or_refused() {
        let Filled { records, ended, killed, .. } = filled();
        for file in [ended, killed] {
            let (mut opened, mut refused) = (0, 0);
            // Every byte of the header, and some of every page.
            for at in (0..320).chain((320..file.len()).step_by(61)) {
                for change in [0x01, 0x02, 0x04, 0x80, 0xff] {
                    let mut bytes = file.clone();
                    bytes[at] ^= change;
                    match opens(&bytes, &records, &format!("byte {at} ^ {change:x}")) {
                        true => opened += 1,
                        false => refused += 1,
                    }
                }
            }
            assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
        }
    }

    #[test]
    fn garbage_and_another_format_are_refused_by_name() {
        for garbage in [&b""[..], b"garbage", &[0; 100_000], b"SQLite format 3\0"] {
            assert!(!opens(garbage, &[], "garbage"));
        }
        let temporary = tempfile::tempdir().unwrap();
        let disk = open(temporary.path());
        let State::Open(database) = &disk.state else { panic!("it was just opened") };
        committed(database, |transaction| {
            transaction.open_table(META)?.insert(META_FORMAT, FORMAT + 1)?;
            Ok(())
        })
        .unwrap();
        drop(disk);
        let before = fs::read(temporary.path().join(STORE_FILE)).unwrap();
        let error = Folder::open(temporary.path()).unwrap().store().unwrap_err();
        assert!(matches!(&error, StoreError::Foreign { found, ours: 1, .. } if found == "2"), "{error}");
        assert!(fs::read(temporary.path().join(STORE_FILE)).unwrap() == before);
    }

    #[test]
    fn a_making_that_was_cut_short_is_begun_anew() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("node.redb.new"), b"redb, half").unwrap();
        assert_eq!(open(temporary.path()).begin(NOW).unwrap(), Past::default());
        assert!(!temporary.path().join("node.redb.new").exists());
    }

    /// A disk that fails once so many writes were done.
    #[derive(Debug)]
    struct Failing {
        under: Box<dyn StorageBackend>,
        left: Arc<AtomicI32>,
        kind: io::ErrorKind,
    }

    impl StorageBackend for Failing {
        fn len(&self) -> io::Result<u64> {
            self.under.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.under.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.under.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.under.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
                return Err(self.kind.into());
            }
            self.under.write(offset, data)
        }
    }

    #[test]
    fn a_disk_that_fails_is_said_and_loses_nothing_acknowledged() {
        for (kind, failure) in
            [(io::ErrorKind::StorageFull, StoreFailure::Full), (io::ErrorKind::Other, StoreFailure::Disk)]
        {
            for writes in 0..12 {
                let temporary = tempfile::tempdir().unwrap();
                let path = temporary.path().join(STORE_FILE);
                create(&path).unwrap();
                let left = Arc::new(AtomicI32::new(i32::MAX));
                let (file, count) = (path.clone(), Arc::clone(&left));
                let opener: Opener = Box::new(move || {
                    Ok(Box::new(Failing { under: under(&file)?, left: Arc::clone(&count), kind }))
                });
                let lock = Arc::new(tempfile::tempfile().unwrap());
                let mut disk = Disk::over(path.clone(), lock, opener).unwrap();
                disk.begin(NOW).unwrap();
                left.store(writes, Ordering::Relaxed);
                let mut acknowledged = Vec::new();
                let failed = (0..100).map(stored).find_map(|stored| {
                    let result = disk.apply(&[Change::Put(stored.clone())]);
                    result.map(|()| acknowledged.push(stored)).err()
                });
                assert_eq!(failed, Some(failure), "after {writes} writes");
                // It is left alone for a while, and says the same.
                left.store(i32::MAX, Ordering::Relaxed);
                assert_eq!(disk.apply(&[Change::Put(stored(100))]), Err(failure));
                let State::Failed(when, _) = &mut disk.state else { panic!("it failed") };
                *when = when.checked_sub(PAUSE).unwrap();
                assert_eq!(disk.apply(&[Change::Put(stored(101))]), Ok(()));
                acknowledged.push(stored(101));
                drop(disk);
                let records = open(temporary.path()).begin(NOW).unwrap().records;
                let missing = acknowledged.iter().filter(|stored| !records.contains(stored)).count();
                assert_eq!(missing, 0, "after {writes} writes");
            }
        }
    }
}
