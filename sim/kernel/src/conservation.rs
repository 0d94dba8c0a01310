//! No event is lost or invented between shards: an assertion that always runs.

/// One shard's count of events. Pending ones are counted where they wait, made ones where they were
/// made: only the sum over all shards has to agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conserved {
    /// Events that the shard made: sent messages that arrive, timers, the script's.
    pub made: u64,
    /// Events that the shard is done with, handed to a peer or found to concern none any more.
    pub handled: u64,
    /// Events that wait in the shard.
    pub pending: u64,
}

impl Conserved {
    /// Adds another shard's counts.
    pub const fn merge(&mut self, other: &Self) {
        self.made += other.made;
        self.handled += other.handled;
        self.pending += other.pending;
    }
}

/// Checks that what was made is what was handled or waits.
///
/// # Panics
/// If an event was lost or invented.
pub fn assert_conserved(shards: &[Conserved]) {
    let mut all = Conserved::default();
    for shard in shards {
        all.merge(shard);
    }
    assert!(
        all.made == all.handled + all.pending,
        "{} events were made, {} handled and {} wait: {} went astray",
        all.made,
        all.handled,
        all.pending,
        all.made.abs_diff(all.handled + all.pending)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_HERE: Conserved = Conserved { made: 10, handled: 4, pending: 2 };

    #[test]
    fn events_may_be_made_here_and_handled_there() {
        assert_conserved(&[MADE_HERE, Conserved { made: 1, handled: 4, pending: 1 }]);
    }

    #[test]
    #[should_panic(expected = "4 went astray")]
    fn a_lost_event_is_noticed() {
        assert_conserved(&[MADE_HERE]);
    }
}
