//! Snapshots: a service as plain data, put back into memory when it is needed again.
//!
//! What a memory holds is kept as the pages that differ from a *base*: what the memory of the first service of the same
//! [`Spec`] held when it had started. Services of one kind have most of their pages in common, so one that sleeps costs little
//! more than what it changed.
//!
//! # Invariants
//! - A service that was put to sleep and woken behaves as one that never slept, to the byte and to the unit of fuel.
//! - What a snapshot cannot hold does not sleep: a table that changed, a segment that was dropped.

use std::io;
use std::sync::Arc;

use wasmer::AsStoreMut as _;

use crate::engine::Engine;
use crate::image::{Image, PAGE_BYTES};
use crate::service::{Ground, Life, Live, Service, StartError};
use crate::spec::Spec;
use crate::wasi::{Disk, Outside, Process};

/// A service at rest.
#[derive(Clone, Debug)]
pub struct Snapshot {
    spec: Arc<Spec>,
    life: Life,
    ground: Ground,
    memories: Vec<Option<Pages>>,
    globals: Vec<u128>,
    disk: Disk,
    processes: Vec<Process>,
    outside: Outside,
}

/// What a memory holds, as pages that differ from its base.
#[derive(Clone, Debug)]
struct Pages {
    base: Arc<Image>,
    size_bytes: usize,
    /// The pages that differ, and behind each other what they hold.
    numbers: Box<[u32]>,
    bytes: Box<[u8]>,
}

/// Why a service cannot be put to sleep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSnapshot {
    /// A table changes as it runs, which is not seen from outside.
    #[error("{0} changes a table as it runs, which a snapshot does not hold")]
    Table(String),
    /// A segment is used up as it runs.
    #[error("{0} uses up its segments as it runs, which a snapshot does not hold")]
    Segments(String),
    /// It failed, and has not started anew.
    #[error("the service has not started")]
    NotStarted,
    /// The machine fails.
    #[error("memory cannot be read: {0}")]
    Memory(String),
}

impl Snapshot {
    /// What it takes of the host's memory, beside the disk: content of files is shared with other snapshots of it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let pages = |pages: &Pages| pages.bytes.len() + size_of_val(&*pages.numbers);
        let memories: usize = self.memories.iter().flatten().map(pages).sum();
        size_of::<Self>()
            + memories
            + self.memories.len() * size_of::<Option<Pages>>()
            + size_of_val(&*self.globals)
            + self.processes.len() * size_of::<Process>()
    }

    /// The service, as it was.
    ///
    /// # Errors
    /// If it cannot be instantiated any more: the machine has no room.
    pub fn wake(&self, engine: &Engine) -> Result<Service, StartError> {
        let mut live = Live::empty(engine, &self.spec, &self.life, &self.ground)?;
        for (module, pages) in self.memories.iter().enumerate() {
            live.instantiate(module, pages.as_ref().map(|pages| &pages.base))?;
        }
        for (memory, pages) in live.memories().into_iter().zip(&self.memories) {
            if let (Some(memory), Some(pages)) = (memory, pages) {
                pages.restore(&memory, &mut live.store).map_err(StartError::host)?;
            }
        }
        live.set_globals(&self.globals);
        let state = live.env.as_mut(&mut live.store);
        state.disk.clone_from(&self.disk);
        state.processes.clone_from(&self.processes);
        state.outside.clone_from(&self.outside);
        if self.life.memory == crate::service::Memory::Fresh {
            live.keep_origin().map_err(StartError::host)?;
        }
        Ok(Service::of(engine, &self.spec, self.life.clone(), live, self.ground.clone()))
    }
}

/// Two are equal if the services that they wake as are: what their pages are compared with does not matter.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spec, &other.spec)
            && self.globals == other.globals
            && self.disk == other.disk
            && self.processes == other.processes
            && self.outside == other.outside
            && self.memories.len() == other.memories.len()
            && self.memories.iter().zip(&other.memories).all(|pair| match pair {
                (None, None) => true,
                (Some(one), Some(other)) => {
                    one.whole().ok().is_some_and(|one| other.whole().ok() == Some(one))
                }
                _ => false,
            })
    }
}

impl Pages {
    /// What `memory` holds, as it differs from `base`.
    fn of(memory: &wasmer::MemoryView<'_>, base: Arc<Image>) -> io::Result<Self> {
        let size_bytes = memory.data_size() as usize;
        let (mut now, mut before) = (vec![0; PAGE_BYTES], vec![0; PAGE_BYTES]);
        let (mut numbers, mut bytes) = (Vec::new(), Vec::new());
        for page in 0..size_bytes / PAGE_BYTES {
            let at = page * PAGE_BYTES;
            memory.read(at as u64, &mut now).map_err(io::Error::other)?;
            if at < base.size_bytes() {
                base.read(at, &mut before)?;
            } else {
                before.fill(0);
            }
            if now != before {
                numbers.push(page as u32);
                bytes.extend_from_slice(&now);
            }
        }
        Ok(Self { base, size_bytes, numbers: numbers.into(), bytes: bytes.into() })
    }

    /// Makes a memory that holds its base hold this.
    fn restore(&self, memory: &wasmer::Memory, store: &mut wasmer::Store) -> Result<(), String> {
        memory.grow_at_least(store, self.size_bytes as u64).map_err(|error| error.to_string())?;
        let view = memory.view(store);
        for (page, bytes) in self.numbers.iter().zip(self.bytes.chunks_exact(PAGE_BYTES)) {
            let at = u64::from(*page) * PAGE_BYTES as u64;
            view.write(at, bytes).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// All that the memory holds.
    fn whole(&self) -> io::Result<Vec<u8>> {
        let mut whole = vec![0; self.size_bytes];
        let base = self.base.size_bytes().min(self.size_bytes);
        if let Some(begin) = whole.get_mut(..base) {
            self.base.read(0, begin)?;
        }
        for (page, bytes) in self.numbers.iter().zip(self.bytes.chunks_exact(PAGE_BYTES)) {
            let at = *page as usize * PAGE_BYTES;
            if let Some(place) = whole.get_mut(at..at + PAGE_BYTES) {
                place.copy_from_slice(bytes);
            }
        }
        Ok(whole)
    }
}

impl Service {
    /// The service as data. It goes on.
    ///
    /// # Errors
    /// If a snapshot could not hold what it is.
    pub fn snapshot(&mut self) -> Result<Snapshot, NoSnapshot> {
        let spec = Arc::clone(self.spec());
        for member in spec.members() {
            let facts = member.module.facts();
            if facts.mutates_tables {
                return Err(NoSnapshot::Table(member.name.clone()));
            }
            if facts.drops_segments {
                return Err(NoSnapshot::Segments(member.name.clone()));
            }
        }
        let (life, ground) = (self.life().clone(), self.ground().clone());
        let live = self.live_mut().ok_or(NoSnapshot::NotStarted)?;
        let mut memories = Vec::new();
        for (module, memory) in live.memories().into_iter().enumerate() {
            let pages = memory.map(|memory| {
                let view = memory.view(&live.store);
                let base = spec.base_for(module, view.data_size() as usize);
                base.ok_or_else(|| io::Error::other("no image of it")).and_then(|base| Pages::of(&view, base))
            });
            memories.push(pages.transpose().map_err(|error| NoSnapshot::Memory(error.to_string()))?);
        }
        let globals = live.store.as_store_mut().objects_mut().as_u128_globals();
        let state = live.env.as_ref(&live.store);
        let (disk, processes, outside) = (state.disk.clone(), state.processes.clone(), state.outside.clone());
        Ok(Snapshot { spec, life, ground, memories, globals, disk, processes, outside })
    }

    /// Puts the service to sleep: it is data from now on.
    ///
    /// # Errors
    /// If a snapshot could not hold what it is; then it goes on.
    pub fn sleep(mut self) -> Result<Snapshot, (Box<Self>, NoSnapshot)> {
        match self.snapshot() {
            Ok(snapshot) => Ok(snapshot),
            Err(why) => Err((Box::new(self), why)),
        }
    }
}
