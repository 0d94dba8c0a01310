//! The two clocks of the machine, read here only.

use std::time::{Instant as Monotonic, SystemTime};

use types::{Duration, Instant, Now, UnixMillis};

/// A node's time: monotonic since its start, and the wall's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Monotonic,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Monotonic::now() }
    }

    pub(crate) fn now(&self) -> Now {
        let nanos = self.started.elapsed().as_nanos();
        Now {
            instant: Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
            unix: UnixMillis(unix_nanos() / NANOS_OF_MILLI),
        }
    }
}

const NANOS_OF_MILLI: u64 = 1_000_000;

/// The wall's time, in nanoseconds since 1970.
pub(crate) fn unix_nanos() -> u64 {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a task is to sleep.
pub(crate) const fn span(duration: Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(duration.as_nanos())
}

/// The wall's time at `instant`.
pub(crate) const fn on_the_wall(now: Now, instant: Instant) -> UnixMillis {
    UnixMillis(now.unix.0.saturating_add(instant.since(now.instant).as_millis()))
}

/// When the wall's time is `unix`; now, if that has passed.
pub(crate) fn from_the_wall(now: Now, unix: UnixMillis) -> Instant {
    now.instant + Duration::from_millis(unix.0.saturating_sub(now.unix.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_over_the_wall() {
        let now = Now { instant: Instant::from_nanos(5_000_000), unix: UnixMillis(1_000) };
        let later = Instant::from_nanos(12_000_000);
        assert_eq!(on_the_wall(now, later), UnixMillis(1_007));
        assert_eq!(from_the_wall(now, UnixMillis(1_007)), later);
        assert_eq!(from_the_wall(now, UnixMillis(1)), now.instant);
    }
}
