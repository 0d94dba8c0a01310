//! What host code sees of a module's linear memory. It is not the memory itself, which the engine owns.

/// An access outside of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{size_bytes} bytes at {at} are outside of a memory of {memory_bytes}")]
pub struct OutOfBounds {
    /// Where the access begins.
    pub at: u32,
    /// How long it is.
    pub size_bytes: u64,
    /// How long the memory is.
    pub memory_bytes: u64,
}

/// A linear memory of 32-bit addresses.
pub trait GuestMemory {
    /// Its size in bytes.
    fn size_bytes(&self) -> u64;

    /// Fills `into` with what stands at `at`.
    ///
    /// # Errors
    /// If it ends before `into` does; then nothing was read.
    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), OutOfBounds>;

    /// Puts `bytes` at `at`.
    ///
    /// # Errors
    /// If it ends before `bytes` do; then nothing was written.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), OutOfBounds>;

    /// Checks that `size_bytes` bytes at `at` are inside, before anything is set aside for them.
    ///
    /// # Errors
    /// If they are not.
    fn check(&self, at: u32, size_bytes: u64) -> Result<(), OutOfBounds> {
        let memory_bytes = self.size_bytes();
        match u64::from(at).checked_add(size_bytes) {
            Some(end) if end <= memory_bytes => Ok(()),
            _ => Err(OutOfBounds { at, size_bytes, memory_bytes }),
        }
    }
}

/// Bytes of the host's own, as a memory: for tests.
impl GuestMemory for Vec<u8> {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(at, into.len() as u64)?;
        if let Some(from) = self.get(at as usize..at as usize + into.len()) {
            into.copy_from_slice(from);
        }
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(at, bytes.len() as u64)?;
        if let Some(to) = self.get_mut(at as usize..at as usize + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        Ok(())
    }
}
