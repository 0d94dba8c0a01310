//! One call of a function: what it works on, and how it reads its arguments and the module's memory.

use crate::memory::GuestMemory;

use super::cost::{self, MOVED_KIB};
use super::disk::Disk;
use super::errno::{Errno, Exit, Limit, Stop};
use super::outside::Outside;
use super::process::{Process, Target};
use super::report::Report;

/// Fuel of a call of the service, its modules and its host together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// What was used since the call of the service began: it is also what moves the clocks.
    pub used: u64,
    /// What may be used.
    pub budget: u64,
}

impl Fuel {
    /// What is left.
    pub const fn left(&self) -> u64 {
        self.budget.saturating_sub(self.used)
    }
}

/// What a function works on.
pub struct Call<'a> {
    /// The memory of the module that calls.
    pub memory: &'a mut dyn GuestMemory,
    /// The module's process.
    pub process: &'a mut Process,
    /// The service's disk.
    pub disk: &'a mut Disk,
    /// The service's clocks and entropy.
    pub outside: &'a mut Outside,
    /// What the service's call leaves behind.
    pub report: &'a mut Report,
    /// What the engine takes back after the function: it is charged before anything is done.
    pub fuel: Fuel,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("process", &self.process)
            .field("fuel", &self.fuel)
            .finish_non_exhaustive()
    }
}

/// The arguments of a call, as many as the function has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Args<'a>(pub(super) &'a [i64]);

impl Args<'_> {
    /// An argument of 64 bits.
    pub(super) fn long(self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or_default() as u64
    }

    /// An argument of 32 bits.
    pub(super) fn int(self, at: usize) -> u32 {
        self.long(at) as u32
    }
}

/// A record for the memory, put together field by field; what is not put is zero.
pub(super) struct Record<const SIZE: usize>(pub(super) [u8; SIZE]);

impl<const SIZE: usize> Record<SIZE> {
    pub(super) const fn new() -> Self {
        Self([0; SIZE])
    }

    /// Puts a field at its offset, which every caller knows to be inside.
    pub(super) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        if let Some(to) = self.0.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        self
    }
}

impl Call<'_> {
    /// Takes fuel, or ends the module if there is not as much.
    pub(super) fn charge(&mut self, fuel: u64) -> Result<(), Stop> {
        let left = self.fuel.left();
        if fuel > left {
            // What is left is gone too, as at an operator of Wasm that costs too much.
            self.fuel.used = self.fuel.budget.max(self.fuel.used);
            return Err(Exit::OutOfFuel { needed: fuel, left }.into());
        }
        self.fuel.used += fuel;
        Ok(())
    }

    /// Takes fuel for bytes moved.
    pub(super) fn charge_bytes(&mut self, bytes: u64) -> Result<(), Stop> {
        self.charge(cost::of_bytes(bytes, MOVED_KIB))
    }

    /// The wall clock.
    pub(super) fn now_ns(&self) -> u64 {
        self.outside.wall_ns(self.fuel.used)
    }

    /// Copies from the memory.
    pub(super) fn read<const SIZE: usize>(&self, at: u32) -> Result<[u8; SIZE], Stop> {
        let mut bytes = [0; SIZE];
        self.memory.read(at, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Stop> {
        Ok(self.memory.write(at, &value.to_le_bytes())?)
    }

    pub(super) fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Stop> {
        Ok(self.memory.write(at, &value.to_le_bytes())?)
    }

    /// Reads a path and pays for following it.
    pub(super) fn path(&mut self, at: u32, size_bytes: u32) -> Result<String, Stop> {
        if size_bytes > self.disk.limits().path_bytes {
            return Err(Limit::PathBytes.into());
        }
        self.charge_bytes(size_bytes.into())?;
        self.memory.check(at, size_bytes.into())?;
        let mut bytes = vec![0; size_bytes as usize];
        self.memory.read(at, &mut bytes)?;
        let path = String::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
        if path.contains('\0') {
            return Err(Errno::Inval.into());
        }
        self.charge(super::path::components(&path) * cost::COMPONENT)?;
        Ok(path)
    }

    /// The node of an open directory.
    pub(super) fn directory(&self, descriptor: u32) -> Result<u64, Errno> {
        match self.process.descriptor(descriptor)?.target {
            Target::Directory { node, .. } => Ok(node),
            _ => Err(Errno::Notdir),
        }
    }

    /// Pays for a directory that changes: it may have to be copied.
    pub(super) fn charge_directory(&mut self, directory: u64) -> Result<(), Stop> {
        let entries = self.disk.entries(directory)?.len() as u64;
        self.charge_bytes(entries * cost::ENTRY_BYTES)
    }

    /// Pays for a file that becomes longer: it may need places for chunks.
    pub(super) fn charge_growth(&mut self, file: u64, end: u64) -> Result<(), Stop> {
        let size = self.disk.contents(file)?.size_bytes();
        // A chunk of 4 KiB has a place of 8 bytes.
        self.charge_bytes(end.min(self.disk.limits().file_bytes).saturating_sub(size) / 512)
    }
}
