//! What a module of a service has of its own: its environment and its open descriptors.
//!
//! A clone shares them until either changes. There are no arguments. Descriptors 0 to 2 are the standard streams, those
//! from 3 on the preopened directories, in order; a new one gets the lowest free number.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::disk::{Disk, Entries};
use super::errno::{Errno, Limit, Stop};
use super::host::{DiskError, directory_at};
use super::report::Stream;

/// A directory of the disk that a module finds open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// How the module calls it, verbatim: `tmp`, `/tmp`, `storage`.
    pub guest: String,
    /// Which it is: a path from the disk's root, made if it is not there.
    pub folder: String,
}

/// Why a process was not set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A variable cannot be passed on.
    #[error("environment variable `{0}` has a zero byte, or `=` in its name, or no name")]
    Variable(String),
    /// A preopened directory cannot be named.
    #[error("preopened directory `{0}` has a zero byte in its name, or no name")]
    Preopen(String),
    /// Environment and directories are larger than can be told to a module.
    #[error("environment of {0} bytes, of at most {ENVIRONMENT_BYTES}")]
    Environment(usize),
    /// More directories than descriptors.
    #[error("{0} preopened directories, of at most {1} descriptors of a module less the three streams")]
    Preopens(usize, u32),
    /// A preopened directory was not made.
    #[error("preopened directory")]
    Disk(#[from] DiskError),
}

/// Bytes of an environment: what a module copies at its start, as `ARG_MAX` of Linux at its least.
pub const ENVIRONMENT_BYTES: usize = 128 << 10;

/// A module's environment and descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    name: Arc<str>,
    environment: Arc<Vec<(String, String)>>,
    descriptors: Arc<BTreeMap<u32, Descriptor>>,
}

/// What a descriptor stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) target: Target,
    pub(super) position: u64,
    /// Flags of files: append, non-blocking, and three of synchronisation.
    pub(super) flags: u16,
    pub(super) access: Access,
}

/// What may be done with a file's content. Of a directory it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) reads: bool,
    pub(super) writes: bool,
}

/// What is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Standard input, always at its end.
    Input,
    /// Something to print to.
    Print(Stream),
    /// A file, by its node.
    File(u64),
    /// A directory.
    Directory {
        node: u64,
        /// The name that it was opened under before the module started.
        preopen: Option<Arc<str>>,
        /// What is being listed: what was there as the listing began, so that removing while listing skips nothing.
        listing: Option<Entries>,
    },
}

impl Target {
    pub(super) const fn node(&self) -> Option<u64> {
        match self {
            Self::File(node) | Self::Directory { node, .. } => Some(*node),
            Self::Input | Self::Print(_) => None,
        }
    }
}

impl Process {
    /// A module's, before it starts.
    ///
    /// # Errors
    /// If a name or value cannot be told to a module, or a directory not be made.
    pub fn new(
        name: &str,
        environment: Vec<(String, String)>,
        preopens: &[Preopen],
        disk: &mut Disk,
        now_ns: u64,
    ) -> Result<Self, SetupError> {
        for (variable, value) in &environment {
            if variable.is_empty() || variable.contains(['\0', '=']) || value.contains('\0') {
                return Err(SetupError::Variable(variable.clone()));
            }
        }
        let bytes: usize = environment.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        if bytes > ENVIRONMENT_BYTES {
            return Err(SetupError::Environment(bytes));
        }
        let limit = disk.limits().descriptors;
        if preopens.len() + 3 > limit as usize {
            return Err(SetupError::Preopens(preopens.len(), limit));
        }
        let mut process =
            Self { name: name.into(), environment: Arc::new(environment), descriptors: Arc::default() };
        let print = Access { reads: false, writes: true };
        process.put(0, Target::Input, Access { reads: true, writes: false });
        process.put(1, Target::Print(Stream::Output), print);
        process.put(2, Target::Print(Stream::Error), print);
        for (number, preopen) in (3..).zip(preopens) {
            if preopen.guest.is_empty() || preopen.guest.contains('\0') {
                return Err(SetupError::Preopen(preopen.guest.clone()));
            }
            let node = directory_at(disk, &preopen.folder, now_ns)?;
            disk.open(node);
            let preopen = Some(preopen.guest.as_str().into());
            let target = Target::Directory { node, preopen, listing: None };
            process.put(number, target, Access { reads: true, writes: false });
        }
        Ok(process)
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many descriptors are open, streams included.
    pub fn open_descriptors(&self) -> usize {
        self.descriptors.len()
    }

    /// Closes everything, so that removed files go: for a module that is unloaded while its service's disk stays.
    pub fn close_all(&mut self, disk: &mut Disk) {
        for node in self.nodes() {
            disk.close(node);
        }
        self.descriptors = Arc::default();
    }

    /// What tells it from any other: names, environment, descriptors with positions and flags.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        text(&self.name);
        text(&self.environment.len().to_string());
        for (name, value) in self.environment.iter() {
            text(name);
            text(value);
        }
        for (number, descriptor) in self.descriptors.iter() {
            let Descriptor { target, position, flags, access } = descriptor;
            hash.update(number.to_le_bytes());
            hash.update(position.to_le_bytes());
            hash.update(flags.to_le_bytes());
            hash.update([u8::from(access.reads), u8::from(access.writes)]);
            match target {
                Target::Input => hash.update([0]),
                Target::Print(Stream::Output) => hash.update([1]),
                Target::Print(Stream::Error) => hash.update([2]),
                Target::File(node) => {
                    hash.update([3]);
                    hash.update(node.to_le_bytes());
                }
                Target::Directory { node, preopen, listing } => {
                    hash.update([4, u8::from(preopen.is_some()), u8::from(listing.is_some())]);
                    hash.update(node.to_le_bytes());
                    let preopen = preopen.as_deref().unwrap_or_default();
                    hash.update((preopen.len() as u64).to_le_bytes());
                    hash.update(preopen);
                    let listing = listing.as_ref().map_or(&[][..], |listing| listing.as_slice());
                    hash.update((listing.len() as u64).to_le_bytes());
                    for entry in listing {
                        hash.update(entry.node.to_le_bytes());
                        hash.update([entry.kind as u8]);
                        hash.update((entry.name.len() as u64).to_le_bytes());
                        hash.update(entry.name.as_bytes());
                    }
                }
            }
        }
        hash.finalize().into()
    }

    pub(super) const fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn environment(&self) -> Arc<Vec<(String, String)>> {
        Arc::clone(&self.environment)
    }

    pub(super) fn descriptor(&self, number: u32) -> Result<&Descriptor, Errno> {
        self.descriptors.get(&number).ok_or(Errno::Badf)
    }

    pub(super) fn descriptor_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        Arc::make_mut(&mut self.descriptors).get_mut(&number).ok_or(Errno::Badf)
    }

    /// Whether one more may be opened.
    pub(super) fn check_room(&self, limit: u32) -> Result<(), Stop> {
        if self.descriptors.len() < limit as usize { Ok(()) } else { Err(Limit::Descriptors.into()) }
    }

    /// Opens the lowest free number; the caller has counted the node as open.
    pub(super) fn add(&mut self, descriptor: Descriptor) -> u32 {
        let number = (0..).zip(self.descriptors.keys()).find(|(free, taken)| free != *taken);
        let number = number.map_or(self.descriptors.len() as u32, |(free, _)| free);
        Arc::make_mut(&mut self.descriptors).insert(number, descriptor);
        number
    }

    pub(super) fn remove(&mut self, number: u32) -> Result<Descriptor, Errno> {
        self.descriptor(number)?;
        Arc::make_mut(&mut self.descriptors).remove(&number).ok_or(Errno::Badf)
    }

    pub(super) fn replace(&mut self, number: u32, descriptor: Descriptor) {
        Arc::make_mut(&mut self.descriptors).insert(number, descriptor);
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(u64) -> bool) {
        if self.nodes().all(&mut keeps) {
            return;
        }
        Arc::make_mut(&mut self.descriptors).retain(|_, open| open.target.node().is_none_or(&mut keeps));
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = u64> {
        self.descriptors.values().filter_map(|open| open.target.node())
    }

    fn put(&mut self, number: u32, target: Target, access: Access) {
        self.replace(number, Descriptor { target, position: 0, flags: 0, access });
    }
}
