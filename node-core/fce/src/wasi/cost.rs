//! What calls of WASI cost, in fuel: one unit is about one operator of Wasm, about a nanosecond.
//!
//! Costs depend on what is asked and on the disk's content, never on how the host holds it: whether a chunk has to be
//! copied before it changes is not charged for when it happens, but is part of every write's base.

/// Changes when any number here does: fuel of different versions is not comparable.
pub const VERSION: u32 = 1;

/// A call that looks at numbers.
pub(super) const PLAIN: u64 = 200;
/// A call that looks at a node of the disk.
pub(super) const NODE: u64 = 400;
/// A call that changes a file: it may copy a chunk, a group of 64 of them and 64 nodes.
pub(super) const CHANGE: u64 = 4000;
/// Bytes moved between the memory and the disk, or within the disk, per KiB begun.
pub(super) const MOVED_KIB: u64 = 200;
/// Bytes of entropy, per KiB begun.
pub(super) const ENTROPY_KIB: u64 = 2000;
/// A name looked up on the way of a path.
pub(super) const COMPONENT: u64 = 100;
/// A directory entry listed, a buffer or a subscription read, or a node passed.
pub(super) const ITEM: u64 = 40;
/// Bytes that an entry takes where directories are copied.
pub(super) const ENTRY_BYTES: u64 = 32;

/// The cost of `bytes`, at `per_kib`.
pub(super) const fn of_bytes(bytes: u64, per_kib: u64) -> u64 {
    bytes.div_ceil(1024).saturating_mul(per_kib)
}
