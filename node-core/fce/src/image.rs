//! Linear memories that begin as an image, and go back to it.
//!
//! An *image* is what a memory holds at one moment, kept in a file without a name. A memory made from it maps the file
//! copy-on-write: it costs no copy to make, and as many resident pages as the module writes. [`ImageMemory::reset`] drops
//! those pages, so that a call begins where the image was taken, whatever ran before.
//!
//! It is not the place where memories are read and written: that is [`crate::memory`], over the engine's own views.
//!
//! # Invariants
//! - A memory's address never changes: all that 32 bits can address, and a guard behind it, is reserved at once.
//! - The bytes past a memory's size are not accessible; those within are.

#![expect(
    unsafe_code,
    reason = "a linear memory is an address range that compiled code writes to: it is mapped by hand. The engine takes no \
              safe description of one"
)]

use core::ffi::c_void;
use core::ptr::NonNull;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use wasmer::sys::Tunables;
use wasmer::sys::vm::{
    LinearMemory, MemoryError, MemoryStyle, TableStyle, Trap, VMConfig, VMMemory, VMMemoryDefinition,
    VMTable, VMTableDefinition, initialize_memory_with_data,
};
use wasmer::{MemoryType, Pages, TableType, WASM_PAGE_SIZE};

/// What is kept and compared as a whole: what most machines map as a page.
pub(crate) const PAGE_BYTES: usize = 4096;
/// What 32 bits can address.
const ADDRESSABLE_PAGES: u32 = 65_536;
/// Behind it: compiled code adds constant offsets of up to this without checking.
const GUARD_BYTES: u64 = 0x8000_0000;

/// What a slot of a table counts for in a service's memory, as in the published runtime.
const TABLE_SLOT_BYTES: u64 = 8;

/// What a memory holds at one moment.
#[derive(Debug)]
pub(crate) struct Image {
    file: File,
    size_bytes: usize,
}

impl Image {
    /// Keeps `bytes`, a whole number of Wasm pages. Pages of zeros take no room.
    pub(crate) fn of(bytes: &[u8]) -> io::Result<Self> {
        let file = unnamed_file()?;
        file.set_len(bytes.len() as u64)?;
        for (page, content) in bytes.chunks(PAGE_BYTES).enumerate() {
            if content.iter().any(|byte| *byte != 0) {
                file.write_all_at(content, (page * PAGE_BYTES) as u64)?;
            }
        }
        Ok(Self { file, size_bytes: bytes.len() })
    }

    /// Fills `into` with what stands at `at`.
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, at as u64)
    }

    /// Its length: a whole number of Wasm pages.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn unnamed_file() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("wavetank-image", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn unnamed_file() -> io::Result<File> {
    tempfile::tempfile()
}

/// What the memories and tables of a service may hold together.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: u64,
    used_bytes: AtomicU64,
    refused: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, used_bytes: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Takes `bytes` of it, or counts a refusal.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let taken = self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= self.limit_bytes)
        });
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// How often it was asked for more than is left.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What the host keeps of a memory that lives in the engine's store.
#[derive(Debug)]
pub(crate) struct Control {
    budget: Arc<Budget>,
    image: Mutex<Option<Arc<Image>>>,
    /// While an instance is made from an image, its data segments stand in the memory already.
    filled: AtomicBool,
}

impl Control {
    pub(crate) fn new(budget: Arc<Budget>, image: Option<Arc<Image>>) -> Self {
        let filled = AtomicBool::new(image.is_some());
        Self { budget, image: Mutex::new(image), filled }
    }

    /// Says that the instance is made: from now on, initialising memory is the module's own doing.
    pub(crate) fn instantiated(&self) {
        self.filled.store(false, Ordering::Relaxed);
    }

    /// The image that the memory goes back to.
    pub(crate) fn image(&self) -> Option<Arc<Image>> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it. The memory is what it was until it is reset.
    pub(crate) fn set_image(&self, image: Arc<Image>) {
        *self.image.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
    }
}

/// An address range.
#[derive(Debug)]
struct Reserved {
    base: NonNull<c_void>,
    size_bytes: usize,
}

impl Reserved {
    fn new(size_bytes: usize) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping, anywhere.
        let base = unsafe {
            rustix::mm::mmap_anonymous(core::ptr::null_mut(), size_bytes, ProtFlags::empty(), flags)
        }?;
        let base = NonNull::new(base).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { base, size_bytes })
    }

    fn at(&self, offset: usize) -> *mut c_void {
        assert!(offset <= self.size_bytes, "an offset lies within its reservation");
        // SAFETY: within the mapping, as just asserted.
        unsafe { self.base.as_ptr().byte_add(offset) }
    }

    /// Puts `image` at the beginning, copy-on-write.
    fn map(&self, image: &Image) -> io::Result<()> {
        if image.size_bytes == 0 {
            return Ok(());
        }
        assert!(image.size_bytes <= self.size_bytes, "an image fits its reservation");
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED);
        // SAFETY: within the mapping, which is ours; nothing else refers into it but compiled code, which is not running.
        unsafe { rustix::mm::mmap(self.at(0), image.size_bytes, protection, flags, &image.file, 0) }?;
        Ok(())
    }

    /// Opens the bytes from `from` to `to`, which are zeros.
    fn allow(&self, from: usize, to: usize) -> io::Result<()> {
        if from < to {
            let protection = MprotectFlags::READ | MprotectFlags::WRITE;
            // SAFETY: as for `map`.
            unsafe { rustix::mm::mprotect(self.at(from), to - from, protection) }?;
        }
        Ok(())
    }

    /// Takes the pages from `from` to `to` away: nobody may touch what is there.
    fn clear(&self, from: usize, to: usize) -> io::Result<()> {
        if from < to {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
            // SAFETY: as for `map`.
            unsafe { rustix::mm::mmap_anonymous(self.at(from), to - from, ProtFlags::empty(), flags) }?;
        }
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever owned the memory is gone.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr(), self.size_bytes) };
    }
}

/// A linear memory that begins as an image, or empty.
#[derive(Debug)]
pub(crate) struct ImageMemory {
    reserved: Reserved,
    size_bytes: usize,
    ty: MemoryType,
    style: MemoryStyle,
    definition: NonNull<VMMemoryDefinition>,
    control: Arc<Control>,
}

// SAFETY: the range and the definition belong to the instance, which moves between threads as a whole.
unsafe impl Send for ImageMemory {}

impl ImageMemory {
    /// A memory whose definition, which compiled code reads, stands at `definition`.
    ///
    /// # Safety
    /// `definition` must be valid for as long as the memory lives.
    pub(crate) unsafe fn new(
        ty: MemoryType,
        style: MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
        control: Arc<Control>,
    ) -> Result<Self, MemoryError> {
        let image = control.image();
        let size_bytes = image.as_ref().map_or(ty.minimum.bytes().0, |image| image.size_bytes);
        if !control.budget.take(size_bytes as u64) {
            return Err(MemoryError::Generic(format!(
                "a memory of {size_bytes} bytes does not fit into the {} that its service may use",
                control.budget.limit_bytes
            )));
        }
        let made = Self::mapped(image.as_deref(), size_bytes);
        let reserved = made.map_err(|error| {
            control.budget.give_back(size_bytes as u64);
            MemoryError::Region(error.to_string())
        })?;
        let mut memory = Self { reserved, size_bytes, ty, style, definition, control };
        memory.publish();
        Ok(memory)
    }

    fn mapped(image: Option<&Image>, size_bytes: usize) -> io::Result<Reserved> {
        let reserved = Reserved::new(ADDRESSABLE_PAGES as usize * WASM_PAGE_SIZE + GUARD_BYTES as usize)?;
        match image {
            Some(image) => reserved.map(image)?,
            None => reserved.allow(0, size_bytes)?,
        }
        Ok(reserved)
    }

    /// Tells compiled code where the memory is, and how long.
    fn publish(&mut self) {
        // SAFETY: `new`'s caller promised that it is valid, and compiled code, which reads it, is not running.
        let definition = unsafe { self.definition.as_mut() };
        definition.base = self.reserved.base.as_ptr().cast();
        definition.current_length = self.size_bytes;
    }

    fn pages(&self) -> Pages {
        Pages((self.size_bytes / WASM_PAGE_SIZE) as u32)
    }

    /// Makes it what its image says. If that fails, it is empty.
    fn go_back(&mut self) -> io::Result<()> {
        let image = self.control.image();
        let image_bytes = image.as_ref().map_or(0, |image| image.size_bytes);
        let before = core::mem::take(&mut self.size_bytes);
        self.control.budget.give_back(before as u64);
        self.publish();
        self.reserved.clear(image_bytes.min(before), before)?;
        if let Some(image) = image {
            if !self.control.budget.take(image_bytes as u64) {
                return Err(io::Error::other("its image does not fit what its service may use"));
            }
            self.reserved.map(&image)?;
        }
        self.size_bytes = image_bytes;
        self.publish();
        Ok(())
    }

    fn could_not_grow(&self, delta: Pages) -> MemoryError {
        MemoryError::CouldNotGrow { current: self.pages(), attempted_delta: delta }
    }
}

impl LinearMemory for ImageMemory {
    fn ty(&self) -> MemoryType {
        MemoryType { minimum: self.pages(), ..self.ty }
    }

    fn size(&self) -> Pages {
        self.pages()
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let before = self.pages();
        let after = before.0.checked_add(delta.0).ok_or_else(|| self.could_not_grow(delta))?;
        let most = self.ty.maximum.map_or(ADDRESSABLE_PAGES, |maximum| maximum.0.min(ADDRESSABLE_PAGES));
        if after > most || !self.control.budget.take(delta.bytes().0 as u64) {
            return Err(self.could_not_grow(delta));
        }
        let after_bytes = Pages(after).bytes().0;
        self.reserved.allow(self.size_bytes, after_bytes).map_err(|error| {
            self.control.budget.give_back(delta.bytes().0 as u64);
            MemoryError::Region(error.to_string())
        })?;
        self.size_bytes = after_bytes;
        self.publish();
        Ok(before)
    }

    fn grow_at_least(&mut self, min_size: u64) -> Result<(), MemoryError> {
        let more = min_size.saturating_sub(self.size_bytes as u64).div_ceil(WASM_PAGE_SIZE as u64);
        let delta = Pages(u32::try_from(more).unwrap_or(u32::MAX));
        self.grow(delta).map(drop)
    }

    /// Not to zero length, but back to the image.
    fn reset(&mut self) -> Result<(), MemoryError> {
        self.go_back().map_err(|error| MemoryError::Region(error.to_string()))
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.definition
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    fn copy(&mut self) -> Result<Box<dyn LinearMemory + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "a memory is copied as an image".to_owned() })
    }

    unsafe fn initialize_with_data(&self, start: usize, data: &[u8]) -> Result<(), Trap> {
        if self.control.filled.load(Ordering::Relaxed) {
            return Ok(());
        }
        // SAFETY: the definition is valid, as `new`'s caller promised; the engine checked that the data fits.
        unsafe { initialize_memory_with_data(self.definition.as_ref(), start, data) }
    }
}

impl Drop for ImageMemory {
    fn drop(&mut self) {
        self.control.budget.give_back(self.size_bytes as u64);
    }
}

/// A memory that is about to be made, and the handle to it once it is.
type Next = (Option<Arc<Image>>, Option<Arc<Control>>);

/// Where a service's memories come from.
pub(crate) struct Rooms {
    budget: Arc<Budget>,
    /// Of the stacks that calls run on.
    config: VMConfig,
    /// What the next memory begins as, and the handle to it.
    next: Mutex<Next>,
}

impl Rooms {
    pub(crate) fn new(limit_bytes: u64, stack_bytes: usize) -> Self {
        Self {
            budget: Arc::new(Budget::new(limit_bytes)),
            config: VMConfig { wasm_stack_size: Some(stack_bytes) },
            next: Mutex::default(),
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Says what the next memory begins as.
    pub(crate) fn prepare(&self, image: Option<Arc<Image>>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = (image, None);
    }

    /// The handle to the memory that was made since, if any was.
    pub(crate) fn made(&self) -> Option<Arc<Control>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }
}

/// Rooms as the engine takes them.
pub(crate) struct RoomsOf(pub(crate) Arc<Rooms>);

impl Tunables for RoomsOf {
    fn memory_style(&self, _memory: &MemoryType) -> MemoryStyle {
        MemoryStyle::Static { bound: Pages(ADDRESSABLE_PAGES), offset_guard_size: GUARD_BYTES }
    }

    fn table_style(&self, _table: &TableType) -> TableStyle {
        TableStyle::CallerChecksSignature
    }

    fn create_host_memory(&self, _ty: &MemoryType, _style: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "a host has no memory of its own".to_owned() })
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let control = Arc::new(Control::new(Arc::clone(&self.0.budget), next.0.take()));
        // SAFETY: the caller promises that the definition is valid.
        let memory = unsafe { ImageMemory::new(*ty, *style, definition, Arc::clone(&control)) }?;
        next.1 = Some(control);
        Ok(VMMemory(Box::new(memory)))
    }

    fn create_host_table(&self, _ty: &TableType, _style: &TableStyle) -> Result<VMTable, String> {
        Err("a host has no table of its own".to_owned())
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        definition: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // Tables grow by paying fuel, up to a maximum that is checked as a module is loaded: what they may become is taken now.
        let slots = ty.maximum.unwrap_or(ty.minimum).max(ty.minimum);
        if !self.0.budget.take(u64::from(slots) * TABLE_SLOT_BYTES) {
            return Err(format!("a table of {slots} slots does not fit into what its service may use"));
        }
        // SAFETY: the caller promises that the definition is valid.
        unsafe { VMTable::from_definition(ty, style, definition) }
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.0.config
    }
}
