//! What reaches the director, and the threads that ask nodes on its behalf.

use std::sync::mpsc::Sender;
use std::time::Duration as Span;

use types::{Instant, OperationId};
use wire::admin::{Ask, Ended, Told, View};

use crate::client::{Client, ClientError};

/// How long an operation may take: longer than any lookup's own limit, so that a node always says itself how it ended.
const OPERATION_LIMIT: Span = Span::from_secs(150);
/// How long a node is to wait for an event before it says that there is none.
const POLL: Span = Span::from_secs(5);
/// A node that does not answer is asked again after this.
const PAUSE: Span = Span::from_millis(50);

/// What happened.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A process answers.
    Live {
        peer: u32,
        incarnation: u32,
        process: u32,
        /// How long it took to get there.
        took: Span,
    },
    /// A process went away that nobody had stopped, or never came.
    Lost { peer: u32, incarnation: u32, message: String },
    /// A process that was asked to has gone.
    Left {
        peer: u32,
        took: Span,
        /// It had to be killed.
        overdue: bool,
    },
    /// A node told of events.
    Told {
        peer: u32,
        events: Vec<Told>,
        /// Events that were forgotten before anybody asked.
        lost: u64,
    },
    /// An operation ended, or nobody can tell how.
    Ended { peer: u32, incarnation: u32, id: OperationId, begun: Instant, ended: Result<Ended, ClientError> },
    /// A node showed what it looks like.
    Seen { at: Instant, peer: u32, incarnation: u32, view: Result<Box<View>, ClientError> },
}

/// The way to the director.
#[derive(Clone, Debug)]
pub(crate) struct News(pub(crate) Sender<Heard>);

impl News {
    /// False if nobody listens any more.
    pub(crate) fn tell(&self, heard: Heard) -> bool {
        self.0.send(heard).is_ok()
    }
}

/// One life of a peer, as those who ask it name it.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) peer: u32,
    pub(crate) incarnation: u32,
    pub(crate) client: Client,
    pub(crate) news: News,
}

impl Asker {
    /// Tells of the node's events as long as its life lasts.
    pub(crate) fn listen(self, is_over: impl Fn() -> bool) {
        let Self { peer, client, news, .. } = self;
        let mut after = 0;
        while !is_over() {
            let Ok(told) = client.events(after, POLL) else {
                std::thread::sleep(PAUSE);
                continue;
            };
            after = told.last;
            if told.events.is_empty() && told.lost == 0 {
                continue;
            }
            if !news.tell(Heard::Told { peer, events: told.events, lost: told.lost }) {
                return;
            }
        }
    }

    /// Has an operation done.
    pub(crate) fn ask(self, id: OperationId, begun: Instant, ask: &Ask) {
        let Self { peer, incarnation, client, news } = self;
        let ended = client.ask(ask, OPERATION_LIMIT);
        news.tell(Heard::Ended { peer, incarnation, id, begun, ended });
    }

    /// Looks at the node.
    pub(crate) fn look(self, at: Instant) {
        let Self { peer, incarnation, client, news } = self;
        let view = client.view().map(Box::new);
        news.tell(Heard::Seen { at, peer, incarnation, view });
    }
}
