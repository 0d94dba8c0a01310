//! The way to a running node: what it can be asked for, what it tells, how it is stopped.
//!
//! What it says of itself are the types of `wire::admin`, whoever asks: an owner in the same process, or HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::Addr;
use actor::Deliver;
use kad::{Operation, Target};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use types::PeerId;
use wire::admin::{Ended, Events, Links, Outcome, Peer, Report, Status, View};

use crate::clock;
use crate::doing::Doing;
use crate::host::{Actor, Delivery, Glance};
use crate::metrics::Metrics;
use crate::peers;
use crate::shape::{EmulateError, Shape};
use crate::swarm::Ask;
use crate::told::{Heard, Listener, Reason};

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long operations may take that are under way when a node is stopped: of the 10 s that a system gives a program, all but
/// what goodbyes and the disk need.
pub const FINISH_TIMEOUT: Duration = Duration::from_secs(7);

/// Why an operation has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// The node has stopped.
    #[error("node has stopped")]
    Stopped,
    /// The name is longer than a message allows.
    #[error("name of {0} bytes is longer than {max}", max = kad::message::MAX_NAME_BYTES)]
    NameTooLong(usize),
    /// The value is longer than the configuration allows.
    #[error("value of {len} bytes is longer than {limit}")]
    ValueTooLong {
        /// Its length.
        len: usize,
        /// The limit.
        limit: u64,
    },
    /// Too many operations are under way.
    #[error("too many operations are under way")]
    Busy,
    /// No peer answered.
    #[error("no peer answered")]
    Isolated,
}

/// What became of a value that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Peers that persisted it.
    pub acknowledged: u16,
    /// Peers that were asked to.
    pub asked: u16,
}

/// The way to a running node. The node stops once all handles are gone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) id: PeerId,
    pub(crate) incarnation: u32,
    pub(crate) protocol: String,
    pub(crate) max_value: u64,
    pub(crate) actor: Addr<Actor>,
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) doing: Doing,
    pub(crate) heard: Heard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shape: Option<Arc<Shape>>,
    pub(crate) ready: watch::Receiver<bool>,
    pub(crate) gone: watch::Receiver<()>,
}

/// Who it is, and whether it lives.
impl Handle {
    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> &PeerId {
        &self.id
    }

    /// How often it had lived before.
    #[must_use]
    pub const fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The name of its DHT's protocol.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// Whether its table was filled.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Waits until its table was filled for the first time.
    ///
    /// # Errors
    /// If it stops before.
    pub async fn ready(&self) -> Result<(), OperationError> {
        let mut ready = self.ready.clone();
        ready.wait_for(|ready| *ready).await.map(|_| ()).map_err(|_| OperationError::Stopped)
    }

    /// Stops it: takes no further operation, lets those under way end within [`FINISH_TIMEOUT`], says goodbye to its peers,
    /// persists what was to be, and ends its threads.
    pub async fn shutdown(self) {
        // What is not through by then is told that the node has stopped.
        let _ = timeout(FINISH_TIMEOUT, self.doing.end()).await;
        // Somebody else may have stopped it.
        let _ = self.asks.send(Ask::Shutdown).await;
        self.stopped().await;
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.gone.has_changed().is_err()
    }

    /// Waits until it has stopped, whoever stopped it.
    pub async fn stopped(&self) {
        let mut gone = self.gone.clone();
        while gone.changed().await.is_ok() {}
    }
}

/// Operations.
impl Handle {
    /// Has an operation done: how it ended, whichever way.
    ///
    /// # Errors
    /// If the node has stopped, or the value is too long.
    pub async fn perform(&self, operation: Operation) -> Result<Ended, OperationError> {
        if let Operation::Put { value, .. } = &operation
            && value.len() as u64 > self.max_value
        {
            return Err(OperationError::ValueTooLong { len: value.len(), limit: self.max_value });
        }
        // Until the answer is had, or nobody waits for it.
        let _under_way = self.doing.begin().ok_or(OperationError::Stopped)?;
        let (ended, end) = oneshot::channel();
        // How many are under way is bounded by the node, which refuses a further one as busy.
        self.actor.do_send(Deliver(Delivery::Ask { operation, ended }));
        end.await.map_err(|_| OperationError::Stopped)
    }

    /// Finds the peers that are closest to `name`: those of a peer's id, to its binary form.
    ///
    /// # Errors
    /// If the name is too long, or the node cannot.
    pub async fn lookup(&self, name: &[u8]) -> Result<Report, OperationError> {
        Ok(self.operate(Operation::Lookup(target(name)?)).await?.report)
    }

    /// Stores `value` under `name` with the peers that are closest to it, and keeps it stored.
    ///
    /// # Errors
    /// If either is too long, or the node cannot.
    pub async fn put(&self, name: &[u8], value: &[u8]) -> Result<Kept, OperationError> {
        let ended = self.operate(Operation::Put { target: target(name)?, value: value.into() }).await?;
        match ended.outcome {
            Outcome::Stored { acknowledged, asked } => Ok(Kept { acknowledged, asked }),
            _ => Err(OperationError::Isolated),
        }
    }

    /// The value of `name`; `None` if no peer that was asked holds one.
    ///
    /// # Errors
    /// If the name is too long, or the node cannot.
    pub async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, OperationError> {
        let ended = self.operate(Operation::Get(target(name)?)).await?;
        match ended.outcome {
            Outcome::Value(record) => Ok(Some(record.value)),
            _ => Ok(None),
        }
    }

    /// Tells the peers that are closest to `name` that this one provides it, and keeps telling them: how many were told.
    ///
    /// # Errors
    /// If the name is too long, or the node cannot.
    pub async fn announce(&self, name: &[u8]) -> Result<u16, OperationError> {
        match self.operate(Operation::Announce(target(name)?)).await?.outcome {
            Outcome::Announced { told } => Ok(told),
            _ => Err(OperationError::Isolated),
        }
    }

    /// Who provides `name`; the search ends once it has found `enough`.
    ///
    /// # Errors
    /// If the name is too long, or the node cannot.
    pub async fn providers(&self, name: &[u8], enough: u16) -> Result<Vec<PeerId>, OperationError> {
        let operation = Operation::FindProviders { target: target(name)?, enough };
        Ok(self.operate(operation).await?.report.providers)
    }

    async fn operate(&self, operation: Operation) -> Result<Ended, OperationError> {
        let ended = self.perform(operation).await?;
        match ended.outcome {
            Outcome::Busy => Err(OperationError::Busy),
            Outcome::Isolated => Err(OperationError::Isolated),
            _ => Ok(ended),
        }
    }
}

/// What it is like.
impl Handle {
    /// Peers that it has a connection to.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn peers(&self) -> Result<Vec<PeerId>, OperationError> {
        let peers = self.ask(|reply| Ask::Peers { contacts: BTreeSet::new(), reply }).await?;
        Ok(peers.into_iter().map(|peer| peer.peer_id).collect())
    }

    /// Peers that it has a connection to or in its table, and where they can be dialled.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn known_peers(&self) -> Result<Vec<Peer>, OperationError> {
        let contacts = self.glance().await?.contacts.into_iter().collect();
        self.ask(|reply| Ask::Peers { contacts, reply }).await
    }

    /// Addresses at which it listens, as others dial them: each ends in `/p2p/` and its id.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, OperationError> {
        let addresses = self.ask(Ask::Addresses).await?;
        let id = peers::theirs(&self.id);
        let whole = |address: Multiaddr| Some(address.with(Protocol::P2p(id?)));
        Ok(addresses.into_iter().filter_map(whole).collect())
    }

    /// How it is.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn status(&self) -> Result<Status, OperationError> {
        let Glance { uptime, contacts, records, .. } = self.glance().await?;
        let addresses = self.addresses().await?;
        let connections = self.peers().await?.len();
        let mut turned_away: BTreeMap<String, u64> = BTreeMap::new();
        for (reason, count) in self.turned_away() {
            *turned_away.entry(reason.word().to_owned()).or_default() += count;
        }
        Ok(Status {
            peer_id: self.id,
            version: VERSION.to_owned(),
            protocol: self.protocol.clone(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            ready: self.is_ready(),
            uptime_ms: uptime.as_millis(),
            incarnation: self.incarnation,
            contacts: contacts.len() as u32,
            connections: connections as u32,
            records: records as u32,
            turned_away,
        })
    }

    /// What it looks like from within.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn view(&self) -> Result<View, OperationError> {
        let links = self.peers().await?;
        let Glance { contacts, records, queue, flaw, .. } = self.glance().await?;
        let traffic = &self.metrics.traffic;
        Ok(View {
            unix_ns: clock::unix_nanos(),
            contacts,
            links,
            queue,
            records: records as u32,
            sent: traffic.sent.get(),
            sent_bytes: traffic.sent_bytes.get(),
            received: traffic.received.get(),
            dropped: self.dropped(),
            flaw,
        })
    }

    /// Its metrics, as Prometheus reads them.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn metrics(&self) -> Result<String, OperationError> {
        let glance = self.glance().await?;
        self.metrics.traffic.dropped.inner().store(self.dropped(), Ordering::Relaxed);
        Ok(self.metrics.text(Some(&glance)))
    }

    pub(crate) async fn glance(&self) -> Result<Glance, OperationError> {
        let (glance, glanced) = oneshot::channel();
        self.actor.do_send(Deliver(Delivery::Glance(glance)));
        glanced.await.map_err(|_| OperationError::Stopped)
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, OperationError> {
        let (reply, replied) = oneshot::channel();
        self.asks.send(ask(reply)).await.map_err(|_| OperationError::Stopped)?;
        replied.await.map_err(|_| OperationError::Stopped)
    }
}

/// The network that it believes in.
impl Handle {
    /// Makes it believe in this network from now on.
    ///
    /// # Errors
    /// If it was not started with [`Emulation::On`](crate::Emulation::On), or there is no such network.
    pub fn emulate(&self, links: &Links) -> Result<(), EmulateError> {
        Ok(self.shape.as_ref().ok_or(EmulateError::Off)?.believe(links)?)
    }

    /// Messages that it lost on purpose: the network that it believes in loses them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shape.as_ref().map_or(0, |shape| shape.dropped())
    }
}

/// What it tells.
impl Handle {
    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Listener {
        self.heard.listen()
    }

    /// The number of the last event that happened; 0 before the first.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.heard.last()
    }

    /// What happened after the event of number `after`, as much as goes into one answer; if nothing did, what does within
    /// `wait`.
    pub async fn events_after(&self, after: u64, wait: Duration) -> Events {
        let mut heard = self.heard.clone();
        // Nothing happened, or nothing more will: that is an answer.
        let _ = timeout(wait, heard.wait(after)).await;
        heard.after(after)
    }

    /// What it turned away so far, by reason.
    #[must_use]
    pub fn turned_away(&self) -> BTreeMap<Reason, u64> {
        self.heard.counts()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.id).finish()
    }
}

fn target(name: &[u8]) -> Result<Arc<Target>, OperationError> {
    if name.len() > kad::message::MAX_NAME_BYTES {
        return Err(OperationError::NameTooLong(name.len()));
    }
    Ok(Arc::new(Target::new(name)))
}
