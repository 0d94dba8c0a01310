//! Wakes at an instant, to some tens of microseconds: a thread that sleeps until the earliest.
//!
//! The runtime's own timers go by whole milliseconds, rounded up twice: each delay would be one to two longer than asked
//! for, which is much of the latency within a region.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

/// The way to the thread, which ends with it.
#[derive(Debug)]
pub(super) struct Timer(Arc<Wakes>);

#[derive(Debug, Default)]
struct Wakes {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    wakes: BinaryHeap<Reverse<Wake>>,
    closed: bool,
}

#[derive(Debug)]
struct Wake {
    at: Instant,
    sleeper: oneshot::Sender<()>,
}

impl Timer {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let wakes = Arc::new(Wakes::default());
        let timer = Self(Arc::clone(&wakes));
        thread::Builder::new().name("timer".to_owned()).spawn(move || wakes.run())?;
        Ok(timer)
    }

    /// Waits until `at`. Each wait keeps its place until then, even if nobody waits any more.
    pub(super) async fn until(&self, at: Instant) {
        // The thread ends only once nobody can wait.
        let _ = self.wake_at(at).await;
    }

    fn wake_at(&self, at: Instant) -> oneshot::Receiver<()> {
        let (sleeper, wake) = oneshot::channel();
        let mut state = self.0.lock();
        let earliest = state.wakes.peek().is_none_or(|Reverse(first)| at < first.at);
        state.wakes.push(Reverse(Wake { at, sleeper }));
        drop(state);
        if earliest {
            self.0.changed.notify_one();
        }
        wake
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Wakes {
    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            while state.wakes.peek().is_some_and(|Reverse(first)| first.at <= now) {
                let due = state.wakes.pop();
                // Whoever slept may have been woken by something else.
                let _ = due.map(|Reverse(wake)| wake.sleeper.send(()));
            }
            state = match state.wakes.peek().map(|Reverse(first)| first.at) {
                Some(at) => {
                    let span = at.saturating_duration_since(now);
                    self.changed.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Wake {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Wake {}

impl PartialOrd for Wake {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wake {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
