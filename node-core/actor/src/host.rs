//! What feeds a peer and performs its outputs: in simulation at once and in simulated time, in reality
//! asynchronously. What comes of outputs returns as inputs of a later delivery.

use node::{Input, Outbox, Peer};
use types::{Book, Now};

use crate::body::Body;

/// What a host wants done next with its peer.
#[derive(Debug)]
pub enum Step<P> {
    /// This is the peer from now on; the one before, if any, is gone.
    Become(P),
    /// The peer is gone, without a word.
    Vanish,
    /// Let it handle this.
    Handle(Now, Input),
    /// Let the host look at it.
    Look,
}

/// The stage's side of one peer.
pub trait Host<P: Peer>: Unpin + 'static {
    /// What reaches the actor in one mailbox message.
    type Delivery: Send + 'static;

    /// Takes a delivery; [`Host::next`] follows until it has no more to do.
    fn accept(&mut self, delivery: Self::Delivery, book: &Book);

    /// The next step of this delivery.
    fn next(&mut self, book: &mut Book) -> Option<Step<P>>;

    /// The outbox that the coming handler shall fill.
    fn lend(&mut self) -> Outbox;

    /// Performs what the handler at `now` wants done, and takes the outbox back.
    fn perform(&mut self, now: Now, out: Outbox, book: &mut Book);

    /// Looks at the peer; `None` while there is none.
    fn look(&mut self, peer: Option<&P>, book: &Book);

    /// The delivery is done.
    fn settle(&mut self, book: &Book);

    /// The actor lies down: this is what lived in it.
    fn lie_down(body: Body<P, Self>)
    where
        Self: Sized;

    /// The peer, or the host, panicked during this delivery; the peer is gone. [`Host::settle`] follows.
    fn panicked(&mut self, message: &str);
}
