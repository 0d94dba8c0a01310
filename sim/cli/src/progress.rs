//! Where a run, a hunt or a measurement is, on stderr: a bar in a terminal, a line every few seconds elsewhere.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args;
use crate::console::{Console, Verbosity};
use crate::figures;

/// Distance of two lines where no bar is drawn: few enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Speeds are those of the last such while: long enough to be read, short enough to be of now.
const SPEED_OVER: Duration = Duration::from_secs(3);
/// No simulated time for so long is worth a word.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// A bar, or lines, or nothing.
pub(crate) struct Gauge {
    form: Form,
    console: Console,
}

enum Form {
    Bar(ProgressBar),
    Lines {
        last: Instant,
        /// What was said then.
        said: String,
    },
    Nothing,
}

impl Gauge {
    /// One that is full at `total`.
    pub(crate) fn new(console: Console, wanted: args::Progress, total: u64) -> Self {
        Self::with(console, wanted, || bar(total))
    }

    /// One that shows that something goes on, not how far it is.
    pub(crate) fn without_end(console: Console, wanted: args::Progress) -> Self {
        Self::with(console, wanted, spinner)
    }

    fn with(console: Console, wanted: args::Progress, bar: impl FnOnce() -> ProgressBar) -> Self {
        let terminal = io::stderr().is_terminal();
        let form = match wanted {
            _ if console.verbosity == Verbosity::Quiet => Form::Nothing,
            args::Progress::Auto | args::Progress::Bar if terminal => Form::Bar(bar()),
            args::Progress::Auto => Form::Lines { last: Instant::now(), said: String::new() },
            args::Progress::Bar | args::Progress::None => Form::Nothing,
        };
        Self { form, console }
    }

    /// Shows how far it is, and says so.
    pub(crate) fn show(&mut self, reached: u64, text: String) {
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_position(reached);
                bar.set_message(text);
            }
            Form::Lines { last, said } if last.elapsed() >= LINE_EVERY && *said != text => {
                self.console.warn(&text);
                (*last, *said) = (Instant::now(), text);
            }
            Form::Lines { .. } | Form::Nothing => {}
        }
    }

    /// Says something without disturbing the bar.
    pub(crate) fn say(&self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| self.console.warn(text)),
            Form::Lines { .. } | Form::Nothing => self.console.warn(text),
        }
    }

    /// Says something to those who watch.
    pub(crate) fn tell(&self, text: &str) {
        if !matches!(self.form, Form::Nothing) {
            self.say(text);
        }
    }

    /// It is over: clears the bar.
    pub(crate) fn end(self) {
        if let Form::Bar(bar) = self.form {
            bar.finish_and_clear();
        }
    }
}

/// Shows one run.
pub(crate) struct Display {
    progress: Arc<run::Progress>,
    /// The whole run, in simulated nanoseconds.
    total: u64,
    gauge: Gauge,
    /// Speeds are measured since the older of the two.
    marks: [Mark; 2],
    moved: Mark,
}

/// How far the run was at a moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    reached: u64,
    handled: u64,
}

impl Display {
    pub(crate) fn new(
        console: Console,
        wanted: args::Progress,
        progress: Arc<run::Progress>,
        total: u64,
    ) -> Self {
        let now = Mark { at: Instant::now(), reached: 0, handled: 0 };
        Self { progress, total, gauge: Gauge::new(console, wanted, total), marks: [now; 2], moved: now }
    }

    /// Shows where the run is now.
    pub(crate) fn show(&mut self) {
        let now = Mark {
            at: Instant::now(),
            reached: self.progress.reached.load(Ordering::Relaxed).min(self.total),
            handled: self.progress.handled.load(Ordering::Relaxed),
        };
        self.watch_for_a_stall(now);
        let [since, latest] = self.marks;
        let online = self.progress.online.load(Ordering::Relaxed);
        self.gauge.show(now.reached, status(since, now, self.total, online));
        if now.at - latest.at >= SPEED_OVER {
            self.marks = [latest, now];
        }
    }

    fn watch_for_a_stall(&mut self, now: Mark) {
        if now.reached > self.moved.reached {
            self.moved = now;
        } else if now.at - self.moved.at >= STALLED_AFTER && now.reached < self.total {
            let span = figures::nanos(STALLED_AFTER.as_nanos() as f64);
            // Before anything was handled, peers and their tables are being made: in large networks that takes its time.
            self.say(&match now.handled {
                0 => format!("the peers are still being made after another {span}"),
                _ => {
                    let at = figures::nanos(now.reached as f64);
                    format!("no simulated time has passed for {span}; the run stands at {at}")
                }
            });
            self.moved = now;
        }
    }

    /// Says something without disturbing what is shown.
    pub(crate) fn say(&self, text: &str) {
        self.gauge.say(text);
    }

    /// The run has ended.
    pub(crate) fn end(self) {
        self.gauge.end();
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    // A template that the library refuses leaves its own bar.
    if let Ok(style) = ProgressStyle::with_template("[{bar:20}] {percent:>3}%  {wide_msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

fn spinner() -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // As above.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4}  {wide_msg}") {
        spinner.set_style(style.tick_chars("|/-\\ "));
    }
    spinner
}

/// `12m30s of 30m, 38x real time, 1.21M events/s, 950 peers up`
fn status(since: Mark, now: Mark, total: u64, online: u64) -> String {
    let seconds = (now.at - since.at).as_secs_f64();
    let mut text = format!("{} of {}", figures::nanos(now.reached as f64), figures::nanos(total as f64));
    if seconds > 0.0 {
        let speed = (now.reached - since.reached.min(now.reached)) as f64 / 1e9 / seconds;
        let events = (now.handled - since.handled.min(now.handled)) as f64 / seconds;
        text.push_str(&format!(", {}x, {} events/s", figures::short(speed), figures::short(events)));
    }
    text.push_str(&format!(", {} up", figures::count(online)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_time_speed_events_and_peers() {
        let began = Instant::now();
        let since = Mark { at: began, reached: 0, handled: 0 };
        let now = Mark { at: began + Duration::from_secs(2), reached: 76_000_000_000, handled: 2_420_000 };
        assert_eq!(status(since, now, 1_800_000_000_000, 950), "1m16s of 30m, 38x, 1.21M events/s, 950 up");
        assert_eq!(status(since, since, 1_800_000_000_000, 0), "0ns of 30m, 0 up");
    }
}
