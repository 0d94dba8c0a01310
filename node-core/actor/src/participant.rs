//! The actor: a peer, its book and its host, in either context.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use actix::{Actor, ActorContext, Context, Handler, Message};
use node::Peer;
use types::Book;

use crate::body::Body;
use crate::host::{Host, Step};
use crate::inline::Inline;

/// One mailbox message: whatever the host makes of a window of time or of a single input.
#[derive(Debug)]
pub struct Deliver<D>(pub D);

impl<D: Send + 'static> Message for Deliver<D> {
    type Result = ();
}

/// Lives in actix's own context, with a mailbox on an arbiter.
#[derive(Debug)]
pub enum Mailbox {}

/// Lives in [`Inline`]: its owner calls it.
#[derive(Debug)]
pub enum Called {}

/// A mailbox message: lie down. The actor hands its body to [`Host::lie_down`] and stops; a mailbox costs ten times what
/// its address and its letters need, so a stage with many idle peers lets them sleep and starts them again.
#[derive(Clone, Copy, Debug)]
pub struct Rest;

impl Message for Rest {
    type Result = ();
}

/// A peer as an actor; `C` says in which context it lives: [`Mailbox`] or [`Called`].
#[derive(Debug)]
pub struct Participant<P, H, C> {
    /// `None` once it has lain down.
    body: Option<Body<P, H>>,
    context: PhantomData<fn() -> C>,
}

impl<P, H, C> Participant<P, H, C> {
    /// The actor of this body.
    #[must_use]
    pub const fn new(body: Body<P, H>) -> Self {
        Self { body: Some(body), context: PhantomData }
    }
}

/// A mailbox of any length: the stage bounds what it delivers (one message a window), and a bounded mailbox would
/// not refuse a `do_send` but a `try_send`, which nobody calls.
impl<P, H> Actor for Participant<P, H, Mailbox>
where
    P: Peer + Unpin + 'static,
    H: Host<P>,
{
    type Context = Context<Self>;
}

impl<P, H> Actor for Participant<P, H, Called>
where
    P: Peer + Unpin + 'static,
    H: Host<P>,
{
    type Context = Inline;
}

impl<P, H, C> Handler<Deliver<H::Delivery>> for Participant<P, H, C>
where
    Self: Actor,
    P: Peer + Unpin + 'static,
    H: Host<P>,
    <Self as Actor>::Context: ActorContext,
{
    type Result = ();

    fn handle(&mut self, Deliver(delivery): Deliver<H::Delivery>, _: &mut Self::Context) {
        let Some(Body { peer, host, book }) = &mut self.body else { return };
        // What a panic leaves behind is dropped (the peer) or only counted (the host), so nothing broken is used.
        let driven = catch_unwind(AssertUnwindSafe(|| {
            host.accept(delivery, book);
            while let Some(step) = host.next(book) {
                drive(step, peer, host, book);
            }
        }));
        if let Err(payload) = driven {
            *peer = None;
            host.panicked(panic_message(payload.as_ref()));
        }
        host.settle(book);
    }
}

impl<P, H, C> Handler<Rest> for Participant<P, H, C>
where
    Self: Actor,
    P: Peer + Unpin + 'static,
    H: Host<P>,
    <Self as Actor>::Context: ActorContext,
{
    type Result = ();

    fn handle(&mut self, _: Rest, context: &mut Self::Context) {
        if let Some(body) = self.body.take() {
            H::lie_down(body);
        }
        context.stop();
    }
}

fn drive<P: Peer, H: Host<P>>(step: Step<P>, peer: &mut Option<P>, host: &mut H, book: &mut Book) {
    match step {
        Step::Become(newcomer) => *peer = Some(newcomer),
        Step::Vanish => *peer = None,
        Step::Handle(now, input) => {
            if let Some(peer) = peer {
                let mut out = host.lend();
                peer.handle(now, input, book, &mut out);
                host.perform(now, out, book);
            }
        }
        Step::Look => host.look(peer.as_ref(), book),
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a value that is no text")
}
