//! What becomes of whole messages, above the connection: exchanges and one-way messages that are lost, late or doubled.

use std::time::Duration;

use libp2p::PeerId;
use libp2p::futures::FutureExt as _;
use libp2p::futures::future::select_ok;
use tokio::time::sleep;
use types::SendFailure;

use super::Fate;
use crate::lanes::Open;
use crate::serve::{self, Unanswered};

/// One exchange: [`serve::exchange`], as its fate has it.
pub(crate) async fn exchange(
    fate: Fate,
    open: Open,
    peer: PeerId,
    request: Vec<u8>,
    within: Duration,
) -> Result<Vec<u8>, Unanswered> {
    match fate {
        Fate::Sent(held) => exchange_late(held, open, peer, request, within).await,
        Fate::SentTwice(held, copy_held) => {
            let copy = exchange_late(copy_held, open.clone(), peer, request.clone(), within);
            // A task of its own: the copy is sent even if the first is answered before.
            let copy = actix_rt::spawn(copy)
                .map(|answer| answer.unwrap_or(Err(Unanswered::Failed(SendFailure::Closed))));
            let first = exchange_late(held, open, peer, request, within);
            select_ok([first.boxed_local(), copy.boxed_local()]).await.map(|(answer, _)| answer)
        }
        Fate::Lost => {
            sleep(within).await;
            Err(Unanswered::Failed(SendFailure::Timeout))
        }
    }
}

async fn exchange_late(
    held: Duration,
    open: Open,
    peer: PeerId,
    request: Vec<u8>,
    within: Duration,
) -> Result<Vec<u8>, Unanswered> {
    if held > Duration::ZERO {
        sleep(held.min(within)).await;
    }
    serve::exchange(open, peer, request, within.saturating_sub(held)).await
}

/// A message that nothing answers: [`serve::notify`], as its fate has it.
pub(crate) async fn notify(fate: Fate, open: Open, peer: PeerId, message: Vec<u8>) {
    let (held, copy_held) = match fate {
        Fate::Lost => return,
        Fate::Sent(held) => (held, None),
        Fate::SentTwice(held, copy_held) => (held, Some(copy_held)),
    };
    if let Some(held) = copy_held {
        let (open, message) = (open.clone(), message.clone());
        actix_rt::spawn(notify_late(held, open, peer, message));
    }
    notify_late(held, open, peer, message).await;
}

async fn notify_late(held: Duration, open: Open, peer: PeerId, message: Vec<u8>) {
    if held > Duration::ZERO {
        sleep(held).await;
    }
    serve::notify(open, peer, message).await;
}
