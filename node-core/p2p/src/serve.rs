//! Exchanges over streams: those that this node opens, and those that it serves.
//!
//! This node opens one stream for each exchange. A peer may use its stream for several, one after the other, as some
//! implementations do. Whatever a stream does, its task ends: each step has its time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use libp2p::core::upgrade::NegotiationError;
use libp2p::futures::AsyncWriteExt as _;
use libp2p::{PeerId, Stream};
use node::DecodeFailure;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use types::SendFailure;

use crate::frame::{self, FrameError};
use crate::told::Reason;

/// Streams that all peers together may have open here. Each holds one message: 32 MiB when all are full.
pub(crate) const MAX_STREAMS: u32 = 256;
/// Streams that one peer may have open here: as many as rust-libp2p's own Kademlia takes on a connection.
pub(crate) const MAX_STREAMS_PER_PEER: u32 = 32;
/// How long a request may take to arrive, an answer to be made, and an answer to be taken: the time after which
/// rust-libp2p's own Kademlia gives up a stream.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Why an exchange brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// None came.
    Failed(SendFailure),
    /// What came is no answer.
    Malformed(DecodeFailure),
    /// It ended before its end.
    CutShort,
}

/// Asks for a stream.
pub(crate) type Open = mpsc::UnboundedSender<(PeerId, crate::pipe::Opening)>;

/// One exchange: opens a stream, writes the request, reads the answer.
pub(crate) async fn exchange(
    open: Open,
    peer: PeerId,
    request: Vec<u8>,
    within: Duration,
) -> Result<Vec<u8>, Unanswered> {
    let steps = async {
        let (opening, opened) = oneshot::channel();
        let closed = Unanswered::Failed(SendFailure::Closed);
        open.send((peer, opening)).map_err(|_| closed)?;
        let mut stream = opened.await.map_err(|_| closed)?.map_err(Unanswered::Failed)?;
        frame::write(&mut stream, &request).await.map_err(|_| closed)?;
        let answer = match frame::read(&mut stream).await {
            Ok(answer) => answer.ok_or(closed),
            Err(FrameError::Malformed(reason)) => Err(Unanswered::Malformed(reason)),
            Err(FrameError::CutShort) => Err(Unanswered::CutShort),
            // A stream that failed is let go as it is: one of which the protocol was refused panics if it is closed.
            Err(FrameError::Stream(error)) if is_refusal(&error) => {
                return Err(Unanswered::Failed(SendFailure::Refused));
            }
            Err(FrameError::Stream(_)) => return Err(closed),
        };
        // The answer is here; how the stream ends changes nothing.
        let _ = stream.close().await;
        answer
    };
    timeout(within, steps).await.unwrap_or(Err(Unanswered::Failed(SendFailure::Timeout)))
}

/// Whether the far side does not speak the protocol. It says so after the request, which did not wait for its consent.
fn is_refusal(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<NegotiationError>())
}

/// A message that nothing answers: opens a stream, writes it, and ends the stream.
pub(crate) async fn notify(open: Open, peer: PeerId, message: Vec<u8>) {
    let steps = async {
        let (opening, opened) = oneshot::channel();
        open.send((peer, opening)).ok()?;
        let mut stream = opened.await.ok()?.ok()?;
        frame::write(&mut stream, &message).await.ok()?;
        stream.close().await.ok()
    };
    // Whether it arrived is not known either way.
    let _ = timeout(STEP_TIMEOUT, steps).await;
}

/// Who has how many streams open here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Rc<Streams>);

#[derive(Debug, Default)]
struct Streams {
    all: Cell<u32>,
    of_peer: RefCell<HashMap<PeerId, u32>>,
}

impl Gate {
    /// Lets a stream of `peer` in; it counts until the pass is dropped.
    pub(crate) fn enter(&self, peer: PeerId) -> Result<Pass, Reason> {
        if self.0.all.get() >= MAX_STREAMS {
            return Err(Reason::TooManyStreams);
        }
        let mut of_peer = self.0.of_peer.borrow_mut();
        let count = of_peer.entry(peer).or_default();
        if *count >= MAX_STREAMS_PER_PEER {
            return Err(Reason::TooManyStreamsOfPeer);
        }
        *count += 1;
        self.0.all.set(self.0.all.get() + 1);
        Ok(Pass { gate: self.clone(), peer })
    }
}

/// A stream that was let in.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Gate,
    peer: PeerId,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.0.all.set(self.gate.0.all.get().saturating_sub(1));
        let mut of_peer = self.gate.0.of_peer.borrow_mut();
        if let Some(count) = of_peer.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                of_peer.remove(&self.peer);
            }
        }
    }
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) from: PeerId,
    pub(crate) frame: Vec<u8>,
    pub(crate) answer: oneshot::Sender<Reply>,
}

/// What becomes of the answer to a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It is given, after a while or at once.
    Given { frame: Vec<u8>, held: Duration },
    /// It is lost on purpose: the asker hears nothing until it gives up.
    Lost,
}

/// Serves a peer's stream until it ends or breaks a rule: then the reason.
pub(crate) async fn serve(
    pass: Pass,
    mut stream: Stream,
    ask: impl Fn(Request) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut served = 0_u64;
    loop {
        let frame = match timeout(STEP_TIMEOUT, frame::read(&mut stream)).await {
            Ok(Ok(Some(frame))) => frame,
            Ok(Ok(None) | Err(FrameError::Stream(_))) => return Ok(()),
            Ok(Err(FrameError::Malformed(reason))) => return Err(Reason::Malformed(reason)),
            Ok(Err(FrameError::CutShort)) => return Err(Reason::CutShort),
            // A stream that is kept for later is no offence; it may be opened again.
            Err(_) if served > 0 => return Ok(()),
            Err(_) => return Err(Reason::TooSlow),
        };
        let (answer, answered) = oneshot::channel();
        ask(Request { from: pass.peer, frame, answer })?;
        let answer = match timeout(STEP_TIMEOUT, answered).await {
            Ok(Ok(Reply::Given { frame, held })) => {
                if held > Duration::ZERO {
                    sleep(held).await;
                }
                frame
            }
            Ok(Ok(Reply::Lost)) => {
                let _ = timeout(STEP_TIMEOUT, frame::read(&mut stream)).await;
                return Ok(());
            }
            // Turned away, and counted, where it was read.
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(Reason::Unanswered),
        };
        match timeout(STEP_TIMEOUT, frame::write(&mut stream, &answer)).await {
            Ok(Ok(())) => served += 1,
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(Reason::TooSlow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_does_not_take_the_room_of_all() {
        let gate = Gate::default();
        let greedy = PeerId::random();
        let passes: Vec<_> = (0..MAX_STREAMS_PER_PEER).map(|_| gate.enter(greedy).unwrap()).collect();
        assert_eq!(gate.enter(greedy).unwrap_err(), Reason::TooManyStreamsOfPeer);
        let others: Vec<_> =
            std::iter::from_fn(|| gate.enter(PeerId::random()).ok()).take(2 * MAX_STREAMS as usize).collect();
        assert_eq!(others.len() as u32, MAX_STREAMS - MAX_STREAMS_PER_PEER);
        assert_eq!(gate.enter(PeerId::random()).unwrap_err(), Reason::TooManyStreams);
        drop(passes);
        assert!(gate.enter(greedy).is_ok());
        drop(others);
        assert_eq!(gate.0.all.get(), 0);
        assert!(gate.0.of_peer.borrow().is_empty());
    }
}
