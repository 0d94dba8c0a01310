//! Waiting: for time to pass, and for descriptors, which are always ready.
//!
//! It returns at once: what would have been waited is added to the service's clocks, and its host is told of it.

use super::call::{Args, Call, Record};
use super::cost::ITEM;
use super::errno::{Errno, Limit, Stop};
use super::process::Target;
use super::surroundings::Clock;

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
/// What a subscription, and its event, is of.
const OF_CLOCK: u8 = 0;
const OF_READ: u8 = 1;
const OF_WRITE: u8 = 2;
/// The flag of a time on the clock, and not from now.
const ABSOLUTE: u16 = 1;
/// The flag of an event at the end of a stream.
const HANGUP: u16 = 1;

/// What a subscription waits for.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    user_data: [u8; 8],
    of: u8,
    /// How long until it is there.
    after_ns: u64,
    errno: Errno,
    bytes: u64,
    flags: u16,
}

pub(super) fn poll_oneoff(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (subscriptions, events, count, told) = (args.int(0), args.int(1), args.int(2), args.int(3));
    if count == 0 {
        return Err(Errno::Inval.into());
    }
    if count > call.disk.limits().subscriptions {
        return Err(Limit::Subscriptions.into());
    }
    call.charge(u64::from(count) * ITEM)?;
    call.memory.check(subscriptions, u64::from(count) * u64::from(SUBSCRIPTION_BYTES))?;
    call.memory.check(events, u64::from(count) * u64::from(EVENT_BYTES))?;
    call.memory.check(told, 4)?;
    let mut waiting = Vec::with_capacity(count as usize);
    for index in 0..count {
        let bytes = call.read(subscriptions.wrapping_add(index * SUBSCRIPTION_BYTES))?;
        waiting.push(subscription(call, &bytes)?);
    }
    let sleep_ns = waiting.iter().map(|waiting| waiting.after_ns).min().unwrap_or(0);
    call.outside.sleep(sleep_ns);
    let mut at = events;
    let mut there = 0;
    for event in waiting.iter().filter(|waiting| waiting.after_ns <= sleep_ns) {
        let record = Record::<{ EVENT_BYTES as usize }>::new()
            .put(0, &event.user_data)
            .put(8, &event.errno.code().to_le_bytes())
            .put(10, &[event.of])
            .put(16, &event.bytes.to_le_bytes())
            .put(24, &event.flags.to_le_bytes());
        call.memory.write(at, &record.0)?;
        at = at.wrapping_add(EVENT_BYTES);
        there += 1;
    }
    call.write_u32(told, there)
}

fn subscription(call: &Call<'_>, bytes: &[u8; SUBSCRIPTION_BYTES as usize]) -> Result<Waiting, Stop> {
    let of = field::<1>(bytes, 8)[0];
    let mut waiting =
        Waiting { user_data: field(bytes, 0), of, after_ns: 0, errno: Errno::Success, bytes: 0, flags: 0 };
    let number = u32::from_le_bytes(field(bytes, 16));
    match of {
        OF_CLOCK => {
            let timeout_ns = u64::from_le_bytes(field(bytes, 24));
            let flags = u16::from_le_bytes(field(bytes, 40));
            match Clock::of(number) {
                Ok(Clock::Busy) => waiting.errno = Errno::Notsup,
                Err(errno) => waiting.errno = errno,
                Ok(_) if flags > ABSOLUTE => waiting.errno = Errno::Inval,
                Ok(clock) if flags == ABSOLUTE => {
                    waiting.after_ns = timeout_ns.saturating_sub(clock.now_ns(call));
                }
                Ok(_) => waiting.after_ns = timeout_ns,
            }
        }
        OF_READ | OF_WRITE => ready(call, number, &mut waiting),
        _ => return Err(Errno::Inval.into()),
    }
    Ok(waiting)
}

/// What a descriptor is ready with.
fn ready(call: &Call<'_>, number: u32, waiting: &mut Waiting) {
    let open = match call.process.descriptor(number) {
        Ok(open) => open,
        Err(errno) => {
            waiting.errno = errno;
            return;
        }
    };
    let may = if waiting.of == OF_READ { open.access.reads } else { open.access.writes };
    match open.target {
        _ if !may => waiting.errno = Errno::Badf,
        Target::Input => waiting.flags = HANGUP,
        Target::File(node) if waiting.of == OF_READ => {
            let size = call.disk.contents(node).map_or(0, |contents| contents.size_bytes());
            waiting.bytes = size.saturating_sub(open.position);
        }
        Target::Directory { .. } => waiting.errno = Errno::Badf,
        Target::File(_) | Target::Print(_) => {}
    }
}

/// A field of a record, at an offset that every caller knows to be inside.
fn field<const SIZE: usize>(bytes: &[u8], at: usize) -> [u8; SIZE] {
    bytes.get(at..at + SIZE).and_then(|field| field.try_into().ok()).unwrap_or([0; SIZE])
}
