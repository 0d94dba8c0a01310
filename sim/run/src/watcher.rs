//! The judge's observer, as the world's watcher. At every sampling instant it hands on what it has found, so that it holds little
//! and whoever gathers it can keep what there is.

use std::sync::mpsc::Sender;

use judge::{Findings, Observer};
use node::Command;
use play::LifeEvent;
use types::{Instant, OperationId};
use world::{Counted, Moment, Watch};

/// Hands what one shard shows to the judge's observer, and its findings to whoever waits for them.
#[derive(Debug)]
pub(crate) struct Watcher {
    shard: usize,
    observer: Option<Observer>,
    told: Sender<Told>,
}

/// What one shard has found since it last told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) shard: usize,
    /// Everything before this moment has been told.
    pub(crate) until: Instant,
    pub(crate) findings: Findings,
}

impl Watcher {
    pub(crate) const fn new(shard: usize, observer: Observer, told: Sender<Told>) -> Self {
        Self { shard, observer: Some(observer), told }
    }

    fn tell(&self, until: Instant, findings: Findings) {
        // Nobody listens any more only if the run is being torn down.
        let _ = self.told.send(Told { shard: self.shard, until, findings });
    }
}

impl Watch for Watcher {
    fn turned(&mut self, event: &LifeEvent) {
        if let Some(observer) = &mut self.observer {
            observer.life(event);
        }
    }

    fn began(&mut self, at: Instant, peer: u32, command: &Command) {
        if let Some(observer) = &mut self.observer {
            observer.begin(at, peer, command);
        }
    }

    fn abandoned(&mut self, at: Instant, peer: u32, operation: OperationId) {
        if let Some(observer) = &mut self.observer {
            observer.abandoned(at, peer, operation);
        }
    }

    fn told(&mut self, at: Instant, peer: u32, event: &node::Event) {
        // Told only where somebody listens: no verdict may rest on it.
        if matches!(event, node::Event::Kad(kad::Event::Traced(_))) {
            return;
        }
        if let Some(observer) = &mut self.observer {
            observer.event(at, peer, event);
        }
    }

    fn sampling(&mut self, _: Instant) {}

    fn look(&mut self, peer: u32, moment: Moment<'_>) {
        if let Some(observer) = &mut self.observer {
            observer.sample(moment.at, peer, moment.view, moment.book, moment.queue_depth);
        }
    }

    fn sampled(&mut self, at: Instant, counted: &Counted) {
        if let Some(observer) = &mut self.observer {
            let Counted { sent, sent_bytes, dropped, .. } = *counted;
            observer.sampled(at, judge::Traffic { sent, sent_bytes, dropped });
            let findings = observer.so_far();
            self.tell(at, findings);
        }
    }

    fn ended(&mut self, at: Instant) {
        if let Some(observer) = self.observer.take() {
            self.tell(Instant::NEVER, observer.close(at));
        }
    }
}
