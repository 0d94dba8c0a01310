//! What a module finds around it: arguments, environment, clocks, entropy, and ways to end.

use super::call::{Args, Call};
use super::cost::{self, ENTROPY_KIB, ITEM};
use super::errno::{Errno, Exit, Stop};

/// Bytes of entropy made at once.
const ENTROPY_STEP: usize = 4096;
/// Signals are numbered up to this.
const LAST_SIGNAL: u32 = 30;

/// There are no arguments: nothing is written.
pub(super) fn args_get(_: &mut Call<'_>, _: Args<'_>) -> Result<(), Stop> {
    Ok(())
}

pub(super) fn args_sizes_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.memory.check(args.int(1), 4)?;
    call.write_u32(args.int(0), 0)?;
    call.write_u32(args.int(1), 0)
}

/// Writes `NAME=value` and a zero for each variable, and where each begins.
pub(super) fn environ_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (pointers, texts) = (args.int(0), args.int(1));
    let environment = call.process.environment();
    let bytes: u64 = environment.iter().map(variable_bytes).sum();
    let count = environment.len() as u64;
    call.charge(count * ITEM)?;
    call.charge_bytes(bytes)?;
    call.memory.check(pointers, count * 4)?;
    call.memory.check(texts, bytes)?;
    let (mut pointer, mut at) = (pointers, texts);
    for variable in environment.iter() {
        call.write_u32(pointer, at)?;
        call.memory.write(at, format!("{}={}\0", variable.0, variable.1).as_bytes())?;
        // Both were checked to be inside; only past the last may they end at 4 GiB.
        pointer = pointer.wrapping_add(4);
        at = at.wrapping_add(variable_bytes(variable) as u32);
    }
    Ok(())
}

pub(super) fn environ_sizes_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let environment = call.process.environment();
    call.charge(environment.len() as u64 * ITEM)?;
    let bytes: u64 = environment.iter().map(variable_bytes).sum();
    call.memory.check(args.int(1), 4)?;
    call.write_u32(args.int(0), environment.len() as u32)?;
    call.write_u32(args.int(1), bytes as u32)
}

fn variable_bytes((name, value): &(String, String)) -> u64 {
    (name.len() + value.len() + 2) as u64
}

/// A clock that a module can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Wall,
    Monotonic,
    /// Of the process, or of its only thread.
    Busy,
}

impl Clock {
    pub(super) const fn of(number: u32) -> Result<Self, Errno> {
        match number {
            0 => Ok(Self::Wall),
            1 => Ok(Self::Monotonic),
            2 | 3 => Ok(Self::Busy),
            _ => Err(Errno::Inval),
        }
    }

    pub(super) fn now_ns(self, call: &Call<'_>) -> u64 {
        match self {
            Self::Wall => call.now_ns(),
            Self::Monotonic => call.outside.monotonic_ns(call.fuel.used),
            Self::Busy => call.outside.busy_ns(call.fuel.used),
        }
    }
}

pub(super) fn clock_res_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    Clock::of(args.int(0))?;
    call.write_u64(args.int(1), call.outside.resolution_ns())
}

pub(super) fn clock_time_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let now_ns = Clock::of(args.int(0))?.now_ns(call);
    call.write_u64(args.int(2), now_ns)
}

pub(super) fn random_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (mut at, size_bytes) = (args.int(0), args.int(1));
    call.memory.check(at, size_bytes.into())?;
    call.charge(cost::of_bytes(size_bytes.into(), ENTROPY_KIB))?;
    let mut step = [0; ENTROPY_STEP];
    let mut left = size_bytes as usize;
    while left > 0 {
        let length = left.min(ENTROPY_STEP);
        let now = step.get_mut(..length).unwrap_or_default();
        call.outside.fill(now);
        call.memory.write(at, now)?;
        at = at.wrapping_add(length as u32);
        left -= length;
    }
    Ok(())
}

pub(super) fn proc_exit(_: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    Err(Exit::Exited(args.int(0)).into())
}

/// Signal 0 asks whether one could be sent; any other ends the module.
pub(super) fn proc_raise(_: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    match args.int(0) {
        0 => Ok(()),
        signal @ 1..=LAST_SIGNAL => Err(Exit::Raised(signal as u8).into()),
        _ => Err(Errno::Inval.into()),
    }
}

pub(super) fn sched_yield(_: &mut Call<'_>, _: Args<'_>) -> Result<(), Stop> {
    Ok(())
}
