//! What an interrupt does: the first asks the run to end where it is, the second ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit_code;

/// The signals that end a program politely, with what it then exits with.
const POLITE: [(i32, u8); 2] = [(SIGINT, exit_code::INTERRUPTED), (SIGTERM, exit_code::TERMINATED)];

/// Remembers the first signal.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// The exit code of the signal that came last, or 0.
    code: Arc<AtomicUsize>,
    /// Whether the next one ends the program.
    last_warning: Arc<AtomicBool>,
}

impl Signals {
    /// From now on, signals are noticed here.
    pub(crate) fn watch() -> io::Result<Self> {
        let signals = Self::default();
        for (signal, code) in POLITE {
            // In this order: a first signal must not meet its own warning.
            flag::register_conditional_shutdown(signal, i32::from(code), Arc::clone(&signals.last_warning))?;
            flag::register(signal, Arc::clone(&signals.last_warning))?;
            flag::register_usize(signal, Arc::clone(&signals.code), usize::from(code))?;
        }
        Ok(signals)
    }

    /// What to exit with, if a signal came.
    pub(crate) fn code(&self) -> Option<u8> {
        let code = self.code.load(Ordering::SeqCst);
        POLITE.iter().map(|(_, polite)| *polite).find(|polite| usize::from(*polite) == code)
    }

    /// Calls `heard` at the first signal, on a thread of its own.
    pub(crate) fn on_first(heard: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut signals = signal_hook::iterator::Signals::new(POLITE.map(|(signal, _)| signal))?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if signals.forever().next().is_some() {
                heard();
            }
        })?;
        Ok(())
    }

    /// From now on, the first signal ends the program.
    pub(crate) fn end_at_once(&self) {
        self.last_warning.store(true, Ordering::SeqCst);
    }
}
