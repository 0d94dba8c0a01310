//! The one clock of a fleet: a run's time is the machine's, counted from the common start.

use std::time::{Duration as Span, Instant as Moment, SystemTime, UNIX_EPOCH};

use types::{Duration, Instant};

/// Tells the run's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Moment,
    /// The same moment on the clock by which nodes date their events.
    unix_ns: u64,
}

impl Clock {
    /// It starts now.
    pub(crate) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Moment::now(), unix_ns: nanos(since) }
    }

    /// The run's time.
    pub(crate) fn now(self) -> Instant {
        Instant::from_nanos(nanos(self.start.elapsed()))
    }

    /// The run's time when a node's clock showed this; what was before the start counts as the start.
    pub(crate) const fn of_unix(self, unix_ns: u64) -> Instant {
        Instant::from_nanos(unix_ns.saturating_sub(self.unix_ns))
    }
}

/// In the standard library's words.
pub(crate) const fn span(duration: Duration) -> Span {
    Span::from_nanos(duration.as_nanos())
}

pub(crate) fn nanos(span: Span) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
