//! Who watches a run: what it sees, and in which order.

use kernel::EventId;
use kernel::connections::Connections;
use node::{Command, Input, View};
use play::LifeEvent;
use types::{Book, Instant, OperationId};

use crate::parcel::Parcel;

/// Watches the peers of one shard. It sees everything in the order of (simulated time, peer number), however the
/// shard drives its peers, and it changes nothing.
pub trait Watch: std::fmt::Debug + Send + 'static {
    /// A life of a peer of the shard begins or ends, as the plan wanted.
    fn turned(&mut self, event: &LifeEvent);
    /// A client asks an operation of `peer`.
    fn began(&mut self, at: Instant, peer: u32, command: &Command);
    /// `peer` stopped before the operation ended.
    fn abandoned(&mut self, at: Instant, peer: u32, operation: OperationId);
    /// A peer of the shard begins to handle what is named `id`; `cause` is what brought it about, or
    /// [`EventId::SCRIPT`]. A peer's own come in the order of their counts, those of different peers in any order.
    fn caused(&mut self, at: Instant, id: EventId, cause: EventId, input: &Input) {
        let _ = (at, id, cause, input);
    }
    /// `peer` tells something.
    fn told(&mut self, at: Instant, peer: u32, event: &node::Event);
    /// The sampling instant `at` has come; a [`Watch::look`] at every peer of the shard that is up follows, in any
    /// order.
    fn sampling(&mut self, at: Instant);
    /// `peer` can be looked at.
    fn look(&mut self, peer: u32, moment: Moment<'_>);
    /// All looks of the sampling instant are done; this is what the shard counted so far.
    fn sampled(&mut self, at: Instant, counted: &Counted);
    /// The run is over at `at`: nothing follows.
    fn ended(&mut self, at: Instant);
}

/// One peer at a sampling instant.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// When.
    pub at: Instant,
    /// The peer's layers.
    pub view: View<'a>,
    /// Resolves the references in them.
    pub book: &'a Book,
    /// Inputs that wait for a core.
    pub queue_depth: usize,
    /// Its links, where the scenario has them dialled.
    pub links: Option<LinksUp<'a>>,
}

/// The links of a peer that are up.
#[derive(Clone, Copy, Debug)]
pub struct LinksUp<'a>(pub(crate) &'a Connections<Parcel>);

impl LinksUp<'_> {
    /// To whom, by number.
    pub fn peers(&self) -> impl Iterator<Item = u32> {
        self.0.up()
    }
}

/// What a shard counted since the run's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages that its peers sent, frames of links among them.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Messages that did not reach their peer.
    pub dropped: u64,
    /// Its peers that are up.
    pub online: u64,
}
