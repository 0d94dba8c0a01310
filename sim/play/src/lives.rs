//! Lives as they unfold: every life event in order, and who is up by then.

use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Digest, Instant, Purpose, Seed, Streams};

use crate::PLAY;
use crate::lifecycle::{Cursor, Life, LifeEvent, Lifecycle};
use crate::online::Online;
use crate::plan::Amount;

/// Yields every life event of a run in the order of (instant, peer). Every shard replays all of them.
#[derive(Clone, Debug)]
pub struct Lives {
    lifecycle: Arc<Lifecycle>,
    /// What was yielded.
    told: Cursor,
    /// What `online` knows: everything up to the instant of what was yielded last.
    known: Cursor,
    online: Online,
}

impl Lives {
    /// From the beginning.
    pub(crate) fn new(lifecycle: Arc<Lifecycle>) -> Self {
        let cursor = lifecycle.cursor();
        let online = Online::new(Arc::clone(lifecycle.roster()));
        Self { told: cursor.clone(), known: cursor, online, lifecycle }
    }

    /// When the next event is.
    pub fn next_at(&mut self) -> Option<Instant> {
        self.told.at(&self.lifecycle)
    }

    /// Who is up once everything has happened that happens at the instant of the last event, that is, also what is
    /// still to be yielded of that instant.
    #[must_use]
    pub const fn online(&self) -> &Online {
        &self.online
    }

    /// Applies everything up to `at`, itself included, to [`Lives::online`].
    pub(crate) fn learn(&mut self, at: Instant) {
        while self.known.at(&self.lifecycle).is_some_and(|next| next <= at) {
            if let Some(event) = self.known.next(&self.lifecycle) {
                self.online.turn(&event);
            }
        }
    }

    pub(crate) const fn online_mut(&mut self) -> &mut Online {
        &mut self.online
    }
}

impl Iterator for Lives {
    type Item = LifeEvent;

    fn next(&mut self) -> Option<LifeEvent> {
        let event = self.told.next(&self.lifecycle)?;
        self.learn(event.at);
        Some(event)
    }
}

/// Where some peers cannot be called, so many times the contacts that are wanted are drawn: with three wanted and 90 % of
/// the peers undialable, one newcomer in 150 is left without any.
const SPARE_CONTACTS: u32 = 16;

/// Whom the newcomers of one group know.
#[derive(Clone, Debug)]
pub(crate) struct Bootstrap {
    pub(crate) groups: Vec<usize>,
    pub(crate) amount: Amount,
}

impl Bootstrap {
    /// Whom `event`'s peer knows, among those who are up in `online` and can be called.
    pub(crate) fn draw(
        &self,
        event: &LifeEvent,
        seed: Seed,
        digest: Digest,
        online: &Online,
        undialable: &[bool],
        out: &mut Vec<u32>,
    ) {
        let Life::Up { incarnation, .. } = event.what else {
            out.clear();
            return;
        };
        let streams = Streams::new(seed, PLAY, digest, incarnation);
        let mut stream = streams.stream(Purpose::new("contacts"), 0);
        if undialable.is_empty() {
            return online.pick_some(&self.groups, self.amount, event.peer, &mut stream, out);
        }
        let wanted = match self.amount {
            Amount::Number(number) => number as usize,
            Amount::All | Amount::Share(_) => usize::MAX,
        };
        // Some more, in an order that favours nobody, so that enough are left.
        let drawn = match self.amount {
            Amount::Number(number) => Amount::Number(number.saturating_mul(SPARE_CONTACTS)),
            amount => amount,
        };
        online.pick_some(&self.groups, drawn, event.peer, &mut stream, out);
        stream.shuffle(out);
        out.retain(|peer| !undialable.get(*peer as usize).copied().unwrap_or_default());
        out.truncate(wanted);
    }
}
