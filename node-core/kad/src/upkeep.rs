//! Upkeep: starts what is due of it, one lookup of the table's at a time and a bounded number of the records'.

use alloc::sync::Arc;

use types::{Book, Duration, PeerRef, Work};

use crate::RECORD_LOOKUPS;
use crate::effects::{Context, Effects};
use crate::event::Event;
use crate::lookup::{Goal, GoalKind};
use crate::machine::{Kad, own_target};
use crate::maintenance::{Bootstrap, RETRY, Stage, jitter, jittered};
use crate::message::Target;

/// Drawing one name and hashing it: a SHA-256 of one block.
const DRAW_WORK: Work = Work(200);

impl Kad {
    /// Starts all upkeep that is due and has room. Each turn of its loops takes one thing off a list.
    pub(crate) fn settle<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        let now = cx.now.instant;
        if self.records.due() <= now {
            self.expire(cx);
        }
        if self.providers_due() <= now {
            self.expire_providers(cx);
        }
        if self.records.due().min(self.published.due()).min(self.providers_due()) <= now {
            while self.record_lookups() < RECORD_LOOKUPS {
                let Some((target, kind)) = self.due_upkeep(now) else {
                    break;
                };
                let goal = Goal { operation: None, kind };
                self.launch(cx, target, goal, &[]);
            }
        }
        while self.maintenance.running.is_none() && self.refresh_step(cx) {}
    }

    /// Takes the table's upkeep one step on, when no lookup of it is under way; false if there is nothing to do now.
    fn refresh_step<E: Effects>(&mut self, cx: &mut Context<'_, E>) -> bool {
        match self.maintenance.stage {
            Stage::Idle if self.maintenance.due > cx.now.instant => return false,
            Stage::Idle => {
                let seeds = self.maintenance.begin(&self.table, &self.streams);
                if let Some(target) = own_target(self.local, cx.book) {
                    self.refresh(cx, target, &seeds);
                }
            }
            Stage::OwnId => {
                let buckets = self.uncovered_buckets(cx.book);
                let draws = self.maintenance.draw_targets(buckets, &self.table, &self.streams);
                cx.effects.charge(Work(DRAW_WORK.0 * u64::from(draws)));
                for bucket in 0..self.table.bucket_count() {
                    self.check_bucket(cx, bucket);
                }
            }
            Stage::Alone => self.met_nobody(cx),
            Stage::Buckets => match self.maintenance.next_target() {
                Some(target) => self.refresh(cx, target, &[]),
                None => self.refreshed(cx),
            },
        }
        true
    }

    fn refresh<E: Effects>(&mut self, cx: &mut Context<'_, E>, target: Arc<Target>, seeds: &[PeerRef]) {
        let goal = Goal { operation: None, kind: GoalKind::Find };
        self.maintenance.running = Some(self.serial);
        self.launch(cx, target, goal, seeds);
    }

    fn refreshed<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        let due = cx.now.instant + self.jittered(self.config.refresh_interval);
        self.maintenance.finish(due);
        self.bootstrapped(cx);
    }

    /// Nobody answered the lookup of the own id. Who was given nobody to ask is the first of its network.
    fn met_nobody<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        if self.maintenance.seeds().is_empty() && self.table.is_empty() {
            self.refreshed(cx);
            return;
        }
        let due = cx.now.instant + self.jittered(RETRY.min(self.config.refresh_interval));
        self.maintenance.finish(due);
    }

    pub(crate) fn bootstrapped<E: Effects>(&mut self, cx: &mut Context<'_, E>) {
        if self.maintenance.bootstrap == Bootstrap::Wanted {
            self.maintenance.bootstrap = Bootstrap::Done;
            cx.effects.event(Event::Bootstrapped { contacts: self.table.len() as u32 });
        }
    }

    /// How many of the farthest buckets the lookup of the own id did not cover: it found the k closest peers, hence all
    /// of every bucket nearer than the k-th.
    fn uncovered_buckets(&self, book: &Book) -> usize {
        let own = self.table.own();
        let k = usize::from(self.config.k);
        let nearest = self.table.closest(own, k, None, book);
        match nearest.last().and_then(|peer| book.key(*peer)) {
            Some(farthest) if nearest.len() == k => own.common_prefix(farthest) as usize + 1,
            _ => 0,
        }
    }

    /// Lookups under way that store records or announce for upkeep.
    pub(crate) fn record_lookups(&self) -> usize {
        self.lookups
            .iter()
            .filter(|lookup| {
                lookup.goal.operation.is_none()
                    && matches!(lookup.goal.kind, GoalKind::Store(_) | GoalKind::Announce)
            })
            .count()
    }

    pub(crate) fn jittered(&mut self, span: Duration) -> Duration {
        self.jitters += 1;
        jittered(span, &mut jitter(&self.streams, self.jitters))
    }
}
