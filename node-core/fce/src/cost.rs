//! What the host's own work costs, in fuel: the operators of a module are priced in [`crate::meter`].
//!
//! An amount is part of what every peer agrees on: changing one changes [`crate::meter::COST_VERSION`]. They are rounded from
//! measured times, a fuel being about a nanosecond of plain operators.

/// A call through an adapter, in either direction.
pub(crate) const INTERFACE_CALL: u64 = 400;
/// A call of a function of the host's: a line of the log, the call's parameters.
pub(crate) const HOST_CALL: u64 = 200;
/// A call of a mounted binary, however long it takes.
pub(crate) const BINARY_CALL: u64 = 1_000_000;

/// Carrying so many bytes between a module and its host.
pub(crate) const fn carried(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}
