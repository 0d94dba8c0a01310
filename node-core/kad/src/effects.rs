//! How the DHT reaches its peer: the sans-IO boundary towards `node`.

use alloc::sync::Arc;

use types::{Book, Duration, ExchangeId, Instant, Now, PeerRef, Work, WriteId};

use crate::event::Event;
use crate::message::{Announcement, Record, Request, Response, Target};

/// A change that is to be persisted: what a disk keeps of this layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// Keep this record until it expires.
    Put {
        /// The record.
        record: Arc<Record>,
        /// When it is no longer to be served.
        expires: Instant,
    },
    /// Forget the record of this name.
    Delete {
        /// Its name and key.
        target: Arc<Target>,
    },
}

/// What the DHT wants done; implemented by whoever embeds it.
pub trait Effects {
    /// Sends a request; its answer or failure comes back under the id returned, at the latest after `timeout`.
    fn request(&mut self, to: PeerRef, request: Request, timeout: Duration) -> ExchangeId;
    /// Answers the exchange that `to` opened.
    fn answer(&mut self, to: PeerRef, exchange: ExchangeId, response: Response);
    /// Turns down the exchange that `to` opened: it will not be answered.
    fn refuse(&mut self, to: PeerRef, exchange: ExchangeId);
    /// Tells a peer that somebody provides something; nothing answers it.
    fn notify(&mut self, to: PeerRef, announcement: Arc<Announcement>);
    /// Persists a change; the result comes back under the id returned.
    fn persist(&mut self, change: RecordChange) -> WriteId;
    /// Tells what happened.
    fn event(&mut self, event: Event);
    /// Whether somebody listens to the steps of searches, which are many: [`Event::Traced`].
    fn is_traced(&self) -> bool {
        false
    }
    /// Accounts for work done in this call.
    fn charge(&mut self, work: Work);
}

/// What every call into the DHT is given.
#[derive(Debug)]
pub struct Context<'a, E> {
    /// The time of this call.
    pub now: Now,
    /// Resolves references.
    pub book: &'a Book,
    /// What is to be done.
    pub effects: &'a mut E,
}
