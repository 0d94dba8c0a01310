//! The disk of a service: a tree of directories and files in memory, shared by its modules.
//!
//! It is a value: a clone costs one word or two and shares everything, so that the disk from before a call is kept by
//! cloning it, and put back by assigning it. A first change after a clone copies the table of groups of 64 nodes, one
//! group, and of a file one chunk, or the one directory that gets a name.
//!
//! It has hard links and no symbolic ones, so that a path cannot leave where it starts but by `..`, which
//! [`path`](super::path) watches. Reading leaves no trace: times of access change only when they are set.
//!
//! Invariants: a node has as many links as entries name it (a directory one), and is there as long as it has a link or
//! is open; `bytes` and `names` are the sums over nodes; numbers of nodes are not used twice; entries are sorted by
//! name; equal disks are equal values, whatever led to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::limits::{DiskLimits, MOST_FILE_BYTES, NAME_BYTES};

use super::contents::Contents;
use super::errno::{Errno, Limit, Stop};
use super::process::Process;

/// The directory that every path of the host begins at.
pub(super) const ROOT: u64 = 1;
/// Nodes of a group.
const GROUP_NODES: u64 = 64;

type Group = Arc<BTreeMap<u64, Node>>;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    Directory,
    File,
}

/// When something happened to a node, in nanoseconds of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// Accessed: when it was made, or what was set.
    pub(super) accessed: u64,
    /// Its content changed.
    pub(super) modified: u64,
    /// Anything of it changed.
    pub(super) changed: u64,
}

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// How many names it has.
    pub(super) links: u32,
    /// How many descriptors of all modules hold it.
    opens: u32,
    pub(super) times: Times,
    pub(super) kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File(Contents),
    Directory {
        /// The directory that it is in; the root is in itself.
        parent: u64,
        entries: Entries,
    },
}

/// What is in a directory, by name.
pub(super) type Entries = Arc<Vec<Entry>>;

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) node: u64,
    pub(super) kind: FileType,
}

impl Node {
    fn new(kind: Kind, now_ns: u64) -> Self {
        Self {
            links: 1,
            opens: 0,
            times: Times { accessed: now_ns, modified: now_ns, changed: now_ns },
            kind,
        }
    }

    pub(super) const fn file_type(&self) -> FileType {
        match self.kind {
            Kind::File(_) => FileType::File,
            Kind::Directory { .. } => FileType::Directory,
        }
    }

    pub(super) const fn size_bytes(&self) -> u64 {
        match &self.kind {
            Kind::File(contents) => contents.size_bytes(),
            Kind::Directory { .. } => 0,
        }
    }

    const fn touch(&mut self, now_ns: u64) {
        self.times.modified = now_ns;
        self.times.changed = now_ns;
    }
}

/// The files of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    limits: DiskLimits,
    groups: Arc<BTreeMap<u64, Group>>,
    /// The number of the next node.
    next: u64,
    /// Files and directories.
    nodes: u32,
    /// Names of them.
    names: u32,
    /// Of all files.
    bytes: u64,
}

impl Disk {
    /// An empty one.
    pub fn new(limits: DiskLimits) -> Self {
        let file_bytes = limits.file_bytes.min(MOST_FILE_BYTES);
        let limits = DiskLimits { file_bytes, ..limits };
        let mut disk = Self { limits, groups: Arc::default(), next: ROOT, nodes: 0, names: 0, bytes: 0 };
        disk.insert(Node::new(Kind::Directory { parent: ROOT, entries: Entries::default() }, 0));
        disk
    }

    /// What it may hold.
    pub const fn limits(&self) -> &DiskLimits {
        &self.limits
    }

    /// The bytes of all files, holes included.
    pub const fn used_bytes(&self) -> u64 {
        self.bytes
    }

    /// Names of files and directories.
    pub const fn used_entries(&self) -> u32 {
        self.names
    }

    /// What tells this disk from any other: all that a module can see of it now or later, limits aside. Equal disks have
    /// equal digests.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.next.to_le_bytes());
        for (number, node) in self.groups.values().flat_map(|group| group.iter()) {
            hash.update(number.to_le_bytes());
            hash.update(node.links.to_le_bytes());
            hash.update(node.opens.to_le_bytes());
            for time in [node.times.accessed, node.times.modified, node.times.changed] {
                hash.update(time.to_le_bytes());
            }
            match &node.kind {
                Kind::File(contents) => {
                    hash.update([0]);
                    hash.update(contents.size_bytes().to_le_bytes());
                    for (index, chunk) in contents.stored() {
                        hash.update(index.to_le_bytes());
                        hash.update((chunk.len() as u16).to_le_bytes());
                        hash.update(chunk);
                    }
                    // No chunk has this index.
                    hash.update(u64::MAX.to_le_bytes());
                }
                Kind::Directory { parent, entries } => {
                    hash.update([1]);
                    hash.update(parent.to_le_bytes());
                    hash.update((entries.len() as u64).to_le_bytes());
                    for entry in entries.iter() {
                        hash.update(entry.node.to_le_bytes());
                        hash.update((entry.name.len() as u16).to_le_bytes());
                        hash.update(entry.name.as_bytes());
                    }
                }
            }
        }
        hash.finalize().into()
    }

    /// Makes a disk that was put back, and the processes that were not, agree again: descriptors whose files are not
    /// there are closed, and files that no descriptor holds any more are gone.
    pub fn settle(&mut self, processes: &mut [&mut Process]) {
        let mut opens: BTreeMap<u64, u32> = BTreeMap::new();
        for process in processes.iter_mut() {
            process.retain(|node| self.node(node).is_some());
            for node in process.nodes() {
                *opens.entry(node).or_default() += 1;
            }
        }
        let off: Vec<u64> = self
            .groups
            .values()
            .flat_map(|group| group.iter())
            .filter(|(number, node)| node.opens != opens.get(*number).copied().unwrap_or(0))
            .map(|(number, _)| *number)
            .collect();
        for number in off {
            if let Some(node) = self.node_mut(number) {
                node.opens = opens.get(&number).copied().unwrap_or(0);
            }
            self.forget(number);
        }
    }

    pub(super) fn node(&self, number: u64) -> Option<&Node> {
        self.groups.get(&(number / GROUP_NODES))?.get(&number)
    }

    fn node_mut(&mut self, number: u64) -> Option<&mut Node> {
        let group = Arc::make_mut(&mut self.groups).get_mut(&(number / GROUP_NODES))?;
        Arc::make_mut(group).get_mut(&number)
    }

    fn insert(&mut self, node: Node) -> u64 {
        let number = self.next;
        self.next += 1;
        self.nodes += 1;
        let group = Arc::make_mut(&mut self.groups).entry(number / GROUP_NODES).or_default();
        Arc::make_mut(group).insert(number, node);
        number
    }

    /// Drops a node that nothing names and nobody has open.
    fn forget(&mut self, number: u64) {
        if self.node(number).is_none_or(|node| node.links > 0 || node.opens > 0) {
            return;
        }
        let groups = Arc::make_mut(&mut self.groups);
        let Some(group) = groups.get_mut(&(number / GROUP_NODES)) else { return };
        if let Some(node) = Arc::make_mut(group).remove(&number) {
            self.bytes -= node.size_bytes();
            self.nodes -= 1;
        }
        if group.is_empty() {
            groups.remove(&(number / GROUP_NODES));
        }
    }

    /// A descriptor holds it from now on.
    pub(super) fn open(&mut self, number: u64) {
        if let Some(node) = self.node_mut(number) {
            node.opens += 1;
        }
    }

    /// A descriptor holds it no more.
    pub(super) fn close(&mut self, number: u64) {
        if let Some(node) = self.node_mut(number) {
            node.opens = node.opens.saturating_sub(1);
        }
        self.forget(number);
    }

    /// What is in a directory.
    pub(super) fn entries(&self, directory: u64) -> Result<&Entries, Errno> {
        match self.node(directory).map(|node| &node.kind) {
            Some(Kind::Directory { entries, .. }) => Ok(entries),
            Some(Kind::File(_)) => Err(Errno::Notdir),
            None => Err(Errno::Badf),
        }
    }

    pub(super) fn lookup(&self, directory: u64, name: &str) -> Result<Option<&Entry>, Errno> {
        let entries = self.entries(directory)?;
        Ok(find(entries, name).ok().and_then(|at| entries.get(at)))
    }

    pub(super) fn parent(&self, directory: u64) -> Option<u64> {
        match self.node(directory)?.kind {
            Kind::Directory { parent, .. } => Some(parent),
            Kind::File(_) => None,
        }
    }

    pub(super) fn contents(&self, file: u64) -> Result<&Contents, Errno> {
        match self.node(file).map(|node| &node.kind) {
            Some(Kind::File(contents)) => Ok(contents),
            Some(Kind::Directory { .. }) => Err(Errno::Isdir),
            None => Err(Errno::Badf),
        }
    }

    /// Whether a file may end at `end`.
    pub(super) fn check_growth(&self, file: u64, end: u64) -> Result<(), Stop> {
        let size = self.contents(file)?.size_bytes();
        if end <= size {
            return Ok(());
        }
        if end > self.limits.file_bytes {
            return Err(Limit::FileBytes.into());
        }
        if end - size > self.limits.bytes.saturating_sub(self.bytes) {
            return Err(Limit::DiskBytes.into());
        }
        Ok(())
    }

    pub(super) fn write(&mut self, file: u64, at: u64, bytes: &[u8], now_ns: u64) -> Result<(), Stop> {
        let end = at.checked_add(bytes.len() as u64).ok_or(Limit::FileBytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.check_growth(file, end)?;
        self.change(file, now_ns, |contents| contents.write(at, bytes))
    }

    pub(super) fn resize(&mut self, file: u64, size_bytes: u64, now_ns: u64) -> Result<(), Stop> {
        self.check_growth(file, size_bytes)?;
        self.change(file, now_ns, |contents| contents.resize(size_bytes))
    }

    fn change(&mut self, file: u64, now_ns: u64, how: impl FnOnce(&mut Contents)) -> Result<(), Stop> {
        let Some(node) = self.node_mut(file) else { return Err(Errno::Badf.into()) };
        let Kind::File(contents) = &mut node.kind else { return Err(Errno::Isdir.into()) };
        let before = contents.size_bytes();
        how(contents);
        let after = contents.size_bytes();
        node.touch(now_ns);
        self.bytes = self.bytes - before + after;
        Ok(())
    }

    pub(super) fn set_times(
        &mut self,
        number: u64,
        accessed: Option<u64>,
        modified: Option<u64>,
        now_ns: u64,
    ) -> Result<(), Stop> {
        let Some(node) = self.node_mut(number) else { return Err(Errno::Badf.into()) };
        let times = node.times;
        node.times = Times {
            accessed: accessed.unwrap_or(times.accessed),
            modified: modified.unwrap_or(times.modified),
            changed: now_ns,
        };
        Ok(())
    }

    /// Makes an empty file.
    pub(super) fn create_file(&mut self, directory: u64, name: &str, now_ns: u64) -> Result<u64, Stop> {
        self.create(directory, name, Kind::File(Contents::default()), now_ns)
    }

    /// Makes an empty directory.
    pub(super) fn create_directory(&mut self, directory: u64, name: &str, now_ns: u64) -> Result<u64, Stop> {
        if self.depth(directory) + 1 > u64::from(self.limits.depth) {
            return Err(Limit::Depth.into());
        }
        self.create(
            directory,
            name,
            Kind::Directory { parent: directory, entries: Entries::default() },
            now_ns,
        )
    }

    fn create(&mut self, directory: u64, name: &str, kind: Kind, now_ns: u64) -> Result<u64, Stop> {
        self.check_new_name(directory, name)?;
        if self.nodes > self.limits.entries {
            return Err(Limit::Entries.into());
        }
        let file_type = match kind {
            Kind::File(_) => FileType::File,
            Kind::Directory { .. } => FileType::Directory,
        };
        let node = self.insert(Node::new(kind, now_ns));
        self.enter(directory, Entry { name: name.into(), node, kind: file_type }, now_ns);
        Ok(node)
    }

    /// Gives a file another name.
    pub(super) fn link(&mut self, file: u64, directory: u64, name: &str, now_ns: u64) -> Result<(), Stop> {
        if self.contents(file).is_err() {
            return Err(Errno::Perm.into());
        }
        self.check_new_name(directory, name)?;
        self.enter(directory, Entry { name: name.into(), node: file, kind: FileType::File }, now_ns);
        if let Some(node) = self.node_mut(file) {
            node.links += 1;
            node.times.changed = now_ns;
        }
        Ok(())
    }

    /// Takes a name from a file.
    pub(super) fn unlink(&mut self, directory: u64, name: &str, now_ns: u64) -> Result<(), Stop> {
        match self.lookup(directory, name)?.map(|entry| entry.kind) {
            None => Err(Errno::Noent.into()),
            Some(FileType::Directory) => Err(Errno::Isdir.into()),
            Some(FileType::File) => {
                self.drop_name(directory, name, now_ns);
                Ok(())
            }
        }
    }

    /// Removes an empty directory.
    pub(super) fn remove_directory(&mut self, directory: u64, name: &str, now_ns: u64) -> Result<(), Stop> {
        let Some(entry) = self.lookup(directory, name)? else { return Err(Errno::Noent.into()) };
        if !self.entries(entry.node)?.is_empty() {
            return Err(Errno::Notempty.into());
        }
        self.drop_name(directory, name, now_ns);
        Ok(())
    }

    /// Moves a name, over what has the new one if it may be replaced.
    pub(super) fn rename(
        &mut self,
        (from, old): (u64, &str),
        (to, new): (u64, &str),
        now_ns: u64,
    ) -> Result<(), Stop> {
        let Some(entry) = self.lookup(from, old)?.cloned() else { return Err(Errno::Noent.into()) };
        if entry.kind == FileType::Directory {
            self.check_move(entry.node, to)?;
        }
        match self.lookup(to, new)?.cloned() {
            Some(there) if there.node == entry.node => return Ok(()),
            Some(there) => match (entry.kind, there.kind) {
                (FileType::File, FileType::Directory) => return Err(Errno::Isdir.into()),
                (FileType::Directory, FileType::File) => return Err(Errno::Notdir.into()),
                (FileType::Directory, FileType::Directory) if !self.entries(there.node)?.is_empty() => {
                    return Err(Errno::Notempty.into());
                }
                _ => self.drop_name(to, new, now_ns),
            },
            // The old name goes: the number of names is what it was.
            None => self.check_place(to, new)?,
        }
        self.take(from, old, now_ns);
        self.enter(to, Entry { name: new.into(), ..entry }, now_ns);
        if let Some(node) = self.node_mut(entry.node) {
            node.times.changed = now_ns;
            if let Kind::Directory { parent, .. } = &mut node.kind {
                *parent = to;
            }
        }
        Ok(())
    }

    /// Whether a directory may be moved into another: not into itself, nor too deep.
    fn check_move(&self, moved: u64, to: u64) -> Result<(), Stop> {
        let mut above = to;
        while above != ROOT {
            if above == moved {
                return Err(Errno::Inval.into());
            }
            above = match self.parent(above) {
                Some(parent) if parent != above => parent,
                _ => break,
            };
        }
        let mut level = vec![moved];
        let mut depth = self.depth(to);
        while !level.is_empty() {
            depth += 1;
            if depth > u64::from(self.limits.depth) {
                return Err(Limit::Depth.into());
            }
            let below = level.iter().filter_map(|directory| self.entries(*directory).ok());
            level = below
                .flat_map(|entries| entries.iter())
                .filter(|entry| entry.kind == FileType::Directory)
                .map(|entry| entry.node)
                .collect();
        }
        Ok(())
    }

    /// How many directories a directory is in. A removed one may be in others that are gone.
    fn depth(&self, directory: u64) -> u64 {
        let mut depth = 0;
        let mut above = directory;
        while above != ROOT
            && let Some(parent) = self.parent(above)
        {
            above = parent;
            depth += 1;
        }
        depth
    }

    fn check_new_name(&self, directory: u64, name: &str) -> Result<(), Stop> {
        if self.lookup(directory, name)?.is_some() {
            return Err(Errno::Exist.into());
        }
        self.check_place(directory, name)?;
        if self.names >= self.limits.entries {
            return Err(Limit::Entries.into());
        }
        Ok(())
    }

    /// Whether a directory can take a name: a removed one cannot.
    fn check_place(&self, directory: u64, name: &str) -> Result<(), Stop> {
        if name.len() > NAME_BYTES {
            return Err(Limit::NameBytes.into());
        }
        if self.node(directory).is_none_or(|node| node.links == 0) {
            return Err(Errno::Noent.into());
        }
        Ok(())
    }

    fn drop_name(&mut self, directory: u64, name: &str, now_ns: u64) {
        if let Some(entry) = self.take(directory, name, now_ns) {
            if let Some(node) = self.node_mut(entry.node) {
                node.links = node.links.saturating_sub(1);
                node.times.changed = now_ns;
            }
            self.forget(entry.node);
        }
    }

    fn enter(&mut self, directory: u64, entry: Entry, now_ns: u64) {
        if let Some(node) = self.node_mut(directory)
            && let Kind::Directory { entries, .. } = &mut node.kind
            && let Err(at) = find(entries, &entry.name)
        {
            Arc::make_mut(entries).insert(at, entry);
            node.touch(now_ns);
            self.names += 1;
        }
    }

    fn take(&mut self, directory: u64, name: &str, now_ns: u64) -> Option<Entry> {
        let node = self.node_mut(directory)?;
        let Kind::Directory { entries, .. } = &mut node.kind else { return None };
        let at = find(entries, name).ok()?;
        let entry = Arc::make_mut(entries).remove(at);
        node.touch(now_ns);
        self.names -= 1;
        Some(entry)
    }
}

fn find(entries: &[Entry], name: &str) -> Result<usize, usize> {
    entries.binary_search_by(|entry| (*entry.name).cmp(name))
}
