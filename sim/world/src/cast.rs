//! Who plays a peer: an honest [`Node`], or a peer of the user's own.

use node::{Input, Life, Node, Outbox, Peer, Restored, View};
use types::{Book, Now};

/// Gives peers other than honest nodes to a run: attackers, and users' own.
pub trait Cast: Send + Sync {
    /// The peer that begins this life as the plan's peer `number`; `None` for an honest node.
    fn play(&self, number: u32, life: Life, restored: &Restored, book: &Book) -> Option<Box<dyn Peer>>;
}

/// Nobody but honest nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Cast for Honest {
    fn play(&self, _: u32, _: Life, _: &Restored, _: &Book) -> Option<Box<dyn Peer>> {
        None
    }
}

/// One peer of a world.
pub(crate) enum Player {
    Node(Box<Node>),
    Own(Box<dyn Peer>),
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Node(_) => "Node",
            Self::Own(_) => "Own",
        })
    }
}

impl Peer for Player {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        match self {
            Self::Node(node) => node.handle(now, input, book, out),
            Self::Own(peer) => peer.handle(now, input, book, out),
        }
    }

    fn view(&self) -> View<'_> {
        match self {
            Self::Node(node) => node.view(),
            Self::Own(peer) => peer.view(),
        }
    }
}
