//! Streams that this node opens: at most so many to a peer at a time, each kept for a while after an exchange, so that
//! the next one needs no new stream, nor to agree on a protocol.
//!
//! What waits for a stream waits in order. A kept stream may have ended at the other side meanwhile: whoever uses one
//! asks again over a new one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::{PeerId, Stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::sleep;
use types::SendFailure;

use crate::gate::MAX_STREAMS_PER_PEER;

/// Streams to one peer at a time: half of what a peer of our kind, or of rust-libp2p's, takes, since one ends there
/// later than here.
const MAX_STREAMS_TO_PEER: u32 = MAX_STREAMS_PER_PEER / 2;
/// Streams to one peer that are kept: more than a lookup's alpha.
const MAX_KEPT: usize = 4;
/// How long a stream is kept: half of the time after which a peer of our kind gives it up.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// Asks the swarm for a stream.
pub(crate) type Opens = mpsc::UnboundedSender<(PeerId, crate::pipe::Opening)>;

/// The way to streams.
#[derive(Clone)]
pub(crate) struct Open(Rc<Lanes>);

struct Lanes {
    opens: Opens,
    of_peer: RefCell<HashMap<PeerId, Lane>>,
    sweeping: Cell<bool>,
}

struct Lane {
    seats: Arc<Semaphore>,
    kept: Vec<(Instant, Stream)>,
}

impl Lane {
    fn new() -> Self {
        Self { seats: Arc::new(Semaphore::new(MAX_STREAMS_TO_PEER as usize)), kept: Vec::new() }
    }

    fn is_idle(&self) -> bool {
        // Whoever waits for a seat, or sits, holds the semaphore too.
        self.kept.is_empty() && Arc::strong_count(&self.seats) == 1
    }
}

impl Open {
    pub(crate) fn new(opens: Opens) -> Self {
        Self(Rc::new(Lanes { opens, of_peer: RefCell::default(), sweeping: Cell::new(false) }))
    }

    /// A seat for one stream to `peer`, once there is one.
    pub(crate) async fn seat(&self, peer: PeerId) -> Result<Seat, SendFailure> {
        let seats = {
            let mut lanes = self.0.of_peer.borrow_mut();
            Arc::clone(&lanes.entry(peer).or_insert_with(Lane::new).seats)
        };
        // A lane's semaphore is never closed.
        let permit = seats.acquire_owned().await.map_err(|_| SendFailure::Closed)?;
        Ok(Seat { lanes: Rc::clone(&self.0), peer, permit: Some(permit) })
    }
}

/// Room for one stream to a peer.
pub(crate) struct Seat {
    lanes: Rc<Lanes>,
    peer: PeerId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Seat {
    /// A stream that was kept, the last one first: it is the least likely to have ended.
    pub(crate) fn kept(&self) -> Option<Stream> {
        Some(self.lanes.of_peer.borrow_mut().get_mut(&self.peer)?.kept.pop()?.1)
    }

    /// A new stream.
    pub(crate) async fn open(&self) -> Result<Stream, SendFailure> {
        let (opening, opened) = oneshot::channel();
        self.lanes.opens.send((self.peer, opening)).map_err(|_| SendFailure::Closed)?;
        opened.await.map_err(|_| SendFailure::Closed)?
    }

    /// Keeps a stream whose exchange went well.
    pub(crate) fn keep(self, stream: Stream) {
        if let Some(lane) = self.lanes.of_peer.borrow_mut().get_mut(&self.peer)
            && lane.kept.len() < MAX_KEPT
        {
            lane.kept.push((Instant::now(), stream));
        }
        if !self.lanes.sweeping.replace(true) {
            actix_rt::spawn(sweep(Rc::downgrade(&self.lanes)));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut lanes = self.lanes.of_peer.borrow_mut();
        if lanes.get(&self.peer).is_some_and(Lane::is_idle) {
            lanes.remove(&self.peer);
        }
    }
}

/// Ends streams that were kept long enough, until there are none.
async fn sweep(lanes: Weak<Lanes>) {
    loop {
        sleep(KEPT_FOR / 2).await;
        let Some(lanes) = lanes.upgrade() else { return };
        let mut of_peer = lanes.of_peer.borrow_mut();
        for lane in of_peer.values_mut() {
            lane.kept.retain(|(since, _)| since.elapsed() < KEPT_FOR);
        }
        of_peer.retain(|_, lane| !lane.is_idle());
        if of_peer.values().all(|lane| lane.kept.is_empty()) {
            lanes.sweeping.set(false);
            return;
        }
    }
}
