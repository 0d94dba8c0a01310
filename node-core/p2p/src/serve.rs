//! Exchanges over streams: those that this node opens, and those that it serves.
//!
//! A stream serves several exchanges, one after the other, as other implementations have it too. Whatever a stream does,
//! its task ends: each step has its time.

use std::time::Duration;

use libp2p::core::upgrade::NegotiationError;
use libp2p::futures::AsyncWriteExt as _;
use libp2p::{PeerId, Stream};
use node::DecodeFailure;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use types::SendFailure;

use crate::frame::{self, FrameError};
use crate::gate::Pass;
use crate::lanes::Open;
use crate::told::Reason;

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

/// One exchange: writes the request, reads the answer.
pub(crate) async fn exchange(
    open: Open,
    peer: PeerId,
    request: Vec<u8>,
    within: Duration,
) -> Result<Vec<u8>, Unanswered> {
    let steps = async {
        let seat = open.seat(peer).await.map_err(Unanswered::Failed)?;
        if let Some(mut stream) = seat.kept() {
            match ask(&mut stream, &request).await {
                // It had ended before: that says nothing of this request.
                Err(Unanswered::Failed(SendFailure::Closed)) => {}
                answer => {
                    if answer.is_ok() {
                        seat.keep(stream);
                    }
                    return answer;
                }
            }
        }
        let mut stream = seat.open().await.map_err(Unanswered::Failed)?;
        let answer = ask(&mut stream, &request).await?;
        seat.keep(stream);
        Ok(answer)
    };
    timeout(within, steps).await.unwrap_or(Err(Unanswered::Failed(SendFailure::Timeout)))
}

async fn ask(stream: &mut Stream, request: &[u8]) -> Result<Vec<u8>, Unanswered> {
    let closed = Unanswered::Failed(SendFailure::Closed);
    frame::write(stream, request).await.map_err(|_| closed)?;
    match frame::read(stream).await {
        Ok(answer) => answer.ok_or(closed),
        Err(FrameError::Malformed(reason)) => Err(Unanswered::Malformed(reason)),
        Err(FrameError::CutShort) => Err(Unanswered::CutShort),
        // A stream that failed is let go as it is: one of which the protocol was refused panics if it is closed.
        Err(FrameError::Stream(error)) if is_refusal(&error) => Err(Unanswered::Failed(SendFailure::Refused)),
        Err(FrameError::Stream(_)) => Err(closed),
    }
}

/// Whether the far side does not speak the protocol. It says so after the request, which did not wait for its consent.
fn is_refusal(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<NegotiationError>())
}

/// A message that nothing answers: opens a stream, writes it, and ends the stream.
pub(crate) async fn notify(open: Open, peer: PeerId, message: Vec<u8>) {
    let steps = async {
        let seat = open.seat(peer).await.ok()?;
        let mut stream = seat.open().await.ok()?;
        frame::write(&mut stream, &message).await.ok()?;
        stream.close().await.ok()
    };
    // Whether it arrived is not known either way.
    let _ = timeout(STEP_TIMEOUT, steps).await;
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
        let next = timeout(STEP_TIMEOUT, frame::read(&mut stream));
        let next = if served == 0 {
            next.await
        } else {
            let mut rest = pass.rest();
            tokio::select! {
                next = next => next,
                () = rest.is_over() => return Ok(()),
            }
        };
        let frame = match next {
            Ok(Ok(Some(frame))) => frame,
            Ok(Ok(None) | Err(FrameError::Stream(_))) => return Ok(()),
            Ok(Err(FrameError::Malformed(reason))) => return Err(Reason::Malformed(reason)),
            Ok(Err(FrameError::CutShort)) => return Err(Reason::CutShort),
            // A stream that is kept for later is no offence; it may be opened again.
            Err(_) if served > 0 => return Ok(()),
            Err(_) => return Err(Reason::TooSlow),
        };
        let (answer, answered) = oneshot::channel();
        ask(Request { from: pass.peer(), frame, answer })?;
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
