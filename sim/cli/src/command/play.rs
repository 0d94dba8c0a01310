//! A prepared run, played on a thread of its own while this one shows where it is and listens for interrupts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use run::{Finished, Prepared, Progress};

use crate::args;
use crate::console::Console;
use crate::exit_code;
use crate::failure::Failure;
use crate::progress::Display;
use crate::signals::Signals;

/// How often this thread looks up: quick enough for a hand on the keyboard, and nothing to the processor.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A run that has ended, and what to exit with.
pub(crate) struct Played {
    pub(crate) finished: Finished,
    pub(crate) code: u8,
}

pub(crate) fn play(
    prepared: Prepared,
    shown: args::Progress,
    signals: &Signals,
    console: Console,
) -> Result<Played, Failure> {
    let progress = prepared.progress();
    let total = prepared.plan().duration.as_nanos();
    let finished = attend(&progress, total, shown, signals, console, || prepared.play())??;
    signals.end_at_once();
    let code = match finished.exit_code() {
        // A verdict knows only that it was interrupted, not by which signal.
        exit_code::INTERRUPTED => signals.code().unwrap_or(exit_code::INTERRUPTED),
        code => code,
    };
    Ok(Played { finished, code })
}

/// Does `work`, which moves `progress` towards `total`, on a thread of its own.
pub(crate) fn attend<T: Send + 'static>(
    progress: &Arc<Progress>,
    total: u64,
    shown: args::Progress,
    signals: &Signals,
    console: Console,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let mut display = Display::new(console, shown, Arc::clone(progress), total);
    let (sender, receiver) = mpsc::channel();
    let player = thread::Builder::new().name("run".to_owned()).spawn(move || {
        // The receiver waits until this thread is gone.
        let _ = sender.send(work());
    });
    let player = player
        .map_err(|error| Failure::new(exit_code::INTERNAL, format!("cannot start a thread: {error}")))?;
    let mut told = false;
    let ended = loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(ended) => break Some(ended),
            Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => display.show(),
        }
        if signals.code().is_some() && !told {
            told = true;
            progress.stop.store(true, Ordering::Relaxed);
            display.say("interrupted: the run ends here and writes what there is; once more stops at once");
        }
    };
    display.end();
    match (player.join(), ended) {
        (Ok(()), Some(ended)) => Ok(ended),
        _ => Err(Failure::new(exit_code::INTERNAL, "the run panicked; this is a defect of wavetank")),
    }
}
