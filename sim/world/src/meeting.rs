//! Where shards meet at the end of a window: one barrier, and double-buffered boxes for the events that cross.
//!
//! A box is written before the barrier and read after it; the other parity's boxes serve the next window, so
//! a fast shard cannot overwrite what a slow one still reads. A shard that panics breaks the gate, and every
//! other shard learns it instead of waiting for ever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use types::Instant;

/// What the shards agree on when they meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// The earliest instant at which anything happens anywhere.
    pub(crate) next: Instant,
    /// Whether any shard was asked to stop.
    pub(crate) stop: bool,
}

/// Another shard panicked: there is no next window.
#[derive(Debug)]
pub(crate) struct Broken;

/// The meeting place of all shards of a run.
#[derive(Debug)]
pub(crate) struct Meeting<E> {
    gate: Gate,
    sides: [Side<E>; 2],
}

#[derive(Debug)]
struct Side<E> {
    /// By receiving shard, then by sending shard.
    boxes: Vec<Vec<Mutex<Vec<E>>>>,
    next: Vec<AtomicU64>,
    stop: Vec<AtomicBool>,
}

impl<E> Side<E> {
    fn new(shards: usize) -> Self {
        let row = || (0..shards).map(|_| Mutex::new(Vec::new())).collect();
        Self {
            boxes: (0..shards).map(|_| row()).collect(),
            next: (0..shards).map(|_| AtomicU64::new(u64::MAX)).collect(),
            stop: (0..shards).map(|_| AtomicBool::new(false)).collect(),
        }
    }
}

impl<E> Meeting<E> {
    pub(crate) fn new(shards: usize) -> Self {
        Self { gate: Gate::new(shards), sides: [Side::new(shards), Side::new(shards)] }
    }

    /// Hands over what `shard` made for the others in its `window`-th window, waits for all of them, and takes what
    /// they made for it. `next` must account for the events handed over.
    pub(crate) fn meet(
        &self,
        shard: usize,
        window: u64,
        outgoing: &mut [Vec<E>],
        own: Agreed,
        incoming: &mut Vec<E>,
    ) -> Result<Agreed, Broken> {
        let [even, odd] = &self.sides;
        let side = if window.is_multiple_of(2) { even } else { odd };
        for (events, boxes) in outgoing.iter_mut().zip(&side.boxes) {
            if let Some(slot) = boxes.get(shard) {
                // The reader left its emptied buffer here: the two change places and nothing is allocated.
                std::mem::swap(events, &mut *slot.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
        if let (Some(next), Some(stop)) = (side.next.get(shard), side.stop.get(shard)) {
            next.store(own.next.as_nanos(), Ordering::Release);
            stop.store(own.stop, Ordering::Release);
        }
        self.gate.pass()?;
        for slot in side.boxes.get(shard).into_iter().flatten() {
            incoming.append(&mut slot.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let next = side.next.iter().map(|next| next.load(Ordering::Acquire)).min();
        Ok(Agreed {
            next: next.map_or(Instant::NEVER, Instant::from_nanos),
            stop: side.stop.iter().any(|stop| stop.load(Ordering::Acquire)),
        })
    }

    /// A guard that breaks the gate if its shard unwinds.
    pub(crate) const fn attend(&self) -> Attendance<'_> {
        Attendance { gate: &self.gate }
    }
}

/// Held by a shard while it takes part.
#[derive(Debug)]
pub(crate) struct Attendance<'a> {
    gate: &'a Gate,
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.gate.break_open();
        }
    }
}

/// A barrier that can be broken.
#[derive(Debug)]
struct Gate {
    shards: usize,
    state: Mutex<GateState>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    arrived: usize,
    generation: u64,
    broken: bool,
}

impl Gate {
    fn new(shards: usize) -> Self {
        Self { shards, state: Mutex::default(), opened: Condvar::new() }
    }

    fn pass(&self) -> Result<(), Broken> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.arrived += 1;
        if state.arrived == self.shards {
            state.arrived = 0;
            state.generation += 1;
            self.opened.notify_all();
        }
        let generation = state.generation;
        let last = state.arrived == 0;
        while !last && state.generation == generation && !state.broken {
            state = self.opened.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.broken { Err(Broken) } else { Ok(()) }
    }

    fn break_open(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        self.opened.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_arrives_once_and_all_agree() {
        let shards = 3;
        let meeting = Meeting::new(shards);
        let windows = 200;
        std::thread::scope(|scope| {
            for shard in 0..shards {
                let meeting = &meeting;
                scope.spawn(move || {
                    let mut outgoing = vec![Vec::new(); shards];
                    let mut incoming = Vec::new();
                    for window in 0..windows {
                        for (to, events) in outgoing.iter_mut().enumerate() {
                            events.push((window, shard, to));
                        }
                        let own = Agreed {
                            next: Instant::from_nanos(window * 10 + shard as u64),
                            stop: window == 150 && shard == 1,
                        };
                        let agreed = meeting.meet(shard, window, &mut outgoing, own, &mut incoming).unwrap();
                        assert_eq!(
                            agreed,
                            Agreed { next: Instant::from_nanos(window * 10), stop: window == 150 }
                        );
                        let expected: Vec<_> = (0..shards).map(|from| (window, from, shard)).collect();
                        assert_eq!(std::mem::take(&mut incoming), expected);
                        assert!(outgoing.iter().all(Vec::is_empty));
                    }
                });
            }
        });
    }

    #[test]
    fn a_shard_that_panics_sends_the_others_home() {
        let meeting = Meeting::<()>::new(2);
        std::thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _attendance = meeting.attend();
                panic!("planted");
            });
            let own = Agreed { next: Instant::START, stop: false };
            assert!(meeting.meet(0, 0, &mut [Vec::new(), Vec::new()], own, &mut Vec::new()).is_err());
            assert!(panicking.join().is_err());
        });
    }
}
