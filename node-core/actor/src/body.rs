//! What lives in an actor: a peer, its host and its book.

use types::Book;

/// What lives in an actor, and can lie outside of it while the peer is idle.
#[derive(Debug)]
pub struct Body<P, H> {
    pub(crate) peer: Option<P>,
    pub(crate) host: H,
    pub(crate) book: Book,
}

impl<P, H> Body<P, H> {
    /// A body without a peer: its host brings one by [`Step::Become`](crate::Step::Become).
    #[must_use]
    pub const fn new(host: H, book: Book) -> Self {
        Self { peer: None, host, book }
    }

    /// The stage's side of it.
    #[must_use]
    pub const fn host(&self) -> &H {
        &self.host
    }
}
