//! A running node: started, asked, stopped.
//!
//! A node has one thread, with actix's own context on it: the actor, the swarm and their tasks share it, so nothing
//! of theirs is locked. Its owner may sit in any runtime, or in none.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use actix::{Actor as _, Addr, AsyncContext as _};
use actor::{Body, Deliver, Rest};
use config::{Config, Problem};
use kad::{Operation, Outcome, Start, Target};
use libp2p::{Multiaddr, StreamProtocol};
use node::{Life, Restored, Settings};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use types::{Book, PeerId, PeerRef, Seed, SharedBook};

use crate::clock::Clock;
use crate::gate::Gate;
use crate::host::{self, Actor, Delivery, Ended, RealHost, Shared};
use crate::key::Keypair;
use crate::lanes::Open;
use crate::peers;
use crate::places::Places;
use crate::store::{self, Memory, Store};
use crate::swarm::{Ask, Line, Loop, Queues};
use crate::told::{Event, Reason, Told};

/// Questions of owners that wait for the swarm; further owners wait for room.
const MAX_ASKS: usize = 64;

/// Everything that a node is started with, beside its key.
pub struct Setup {
    /// Its configuration.
    pub config: Config,
    /// The name of the DHT's protocol: peers of another name are of another network.
    pub protocol: String,
    /// Where it listens: `/ip4/0.0.0.0/tcp/7777`, `/ip4/0.0.0.0/tcp/9999/ws`.
    pub listen: Vec<Multiaddr>,
    /// Whom it asks first: addresses that end in `/p2p/` and an id. Without any it is the first of its network.
    pub bootstrap: Vec<Multiaddr>,
    /// Where it keeps records.
    pub store: Box<dyn Store>,
}

impl Setup {
    /// The public network's protocol, and a store that ends with the process.
    #[must_use]
    pub fn new(config: Config, listen: Vec<Multiaddr>, bootstrap: Vec<Multiaddr>) -> Self {
        let store = Box::new(Memory::default());
        Self { config, protocol: wire::KAD_PROTOCOL.to_owned(), listen, bootstrap, store }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not sound.
    #[error("configuration: {}", listed(.0))]
    Configuration(Vec<Problem>),
    /// The name of the protocol does not begin with a slash.
    #[error("protocol {0:?} does not begin with `/`")]
    Protocol(String),
    /// An address says nobody's id.
    #[error("bootstrap address {0} does not end in `/p2p/` and a peer id")]
    Bootstrap(Multiaddr),
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {error}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the transport said.
        error: String,
    },
    /// The transports could not be set up.
    #[error("transport: {0}")]
    Transport(String),
    /// The system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

fn listed(problems: &[Problem]) -> String {
    let each = problems.iter().map(|problem| format!("{} {}", problem.path, problem.message));
    each.collect::<Vec<_>>().join("; ")
}

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

/// What a lookup found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The closest peers that answered, nearest first.
    pub closest: Vec<PeerId>,
    /// Requests sent.
    pub messages: u32,
    /// Requests that were not answered.
    pub timeouts: u32,
    /// Rounds until the last of them was asked.
    pub hops: u16,
}

/// What became of a value that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Peers that persisted it.
    pub acknowledged: u16,
    /// Peers that were asked to.
    pub asked: u16,
}

/// A node on a real network.
#[derive(Debug)]
pub enum Node {}

impl Node {
    /// Starts a node; it listens once this returns, and is ready later ([`Handle::ready`]).
    ///
    /// # Errors
    /// If the setup is not sound, or an address cannot be listened at.
    pub async fn start(setup: Setup, keypair: Keypair) -> Result<Handle, StartError> {
        let problems = setup.config.problems();
        if !problems.is_empty() {
            return Err(StartError::Configuration(problems));
        }
        let protocol = StreamProtocol::try_from_owned(setup.protocol.clone())
            .map_err(|_| StartError::Protocol(setup.protocol.clone()))?;
        let contacts = contacts(&setup.bootstrap)?;
        let (asks, asked) = mpsc::channel(MAX_ASKS);
        let (starting, started) = oneshot::channel();
        let (gone, goes) = watch::channel(());
        let (ready, becomes_ready) = watch::channel(false);
        let told = Told::new();
        let (id, max_value) = (keypair.peer_id(), setup.config.kad.max_record_size.as_bytes());
        let inside = Inside { setup, keypair, protocol, contacts, asked, ready, told: told.clone() };
        thread::Builder::new().name("node".to_owned()).spawn(move || {
            let store = actix_rt::System::new().block_on(inside.live(starting));
            // What was to be persisted is, once its thread has ended. One that panicked has said so.
            let _ = store.map(thread::JoinHandle::join);
            drop(gone);
        })?;
        let lost = || StartError::Transport("the node's thread ended".to_owned());
        let actor = started.await.map_err(|_| lost())??;
        Ok(Handle { id, max_value, actor, asks, told, ready: becomes_ready, gone: goes })
    }
}

/// The ids and addresses of those that are asked first.
fn contacts(bootstrap: &[Multiaddr]) -> Result<Vec<(PeerId, Multiaddr)>, StartError> {
    let contact = |address: &Multiaddr| {
        let (place, id) = peers::split(address.clone());
        let id = id.and_then(|id| peers::ours(&id)).ok_or_else(|| StartError::Bootstrap(address.clone()))?;
        Ok((id, place))
    };
    bootstrap.iter().map(contact).collect()
}

/// What moves to the node's thread.
struct Inside {
    setup: Setup,
    keypair: Keypair,
    protocol: StreamProtocol,
    contacts: Vec<(PeerId, Multiaddr)>,
    asked: mpsc::Receiver<Ask>,
    ready: watch::Sender<bool>,
    told: Told,
}

impl Inside {
    /// The node's life; what is left of it is its store's thread.
    async fn live(
        self,
        starting: oneshot::Sender<Result<Addr<Actor>, StartError>>,
    ) -> Option<thread::JoinHandle<()>> {
        let places = Rc::new(RefCell::new(Places::new()));
        let Self { setup, keypair, protocol, contacts, asked, ready, told } = self;
        let limits = &setup.config.limits;
        let line = Line::open(&keypair, protocol, &setup.config, &setup.listen, Rc::clone(&places)).await;
        let started = line.and_then(|line| {
            let local = keypair.peer_id();
            let begun = begin(local, &setup.config, &contacts, setup.store, &places, ready, &told)?;
            Ok((line, begun))
        });
        let (line, Begun { actor, queue, opens, wishes, store }) = match started {
            Ok(started) => started,
            Err(error) => {
                // Whoever started it may have given up.
                let _ = starting.send(Err(error));
                return None;
            }
        };
        actor.do_send(Deliver(Delivery::Start));
        let around = Loop {
            actor: actor.clone(),
            places,
            queue,
            queue_limit: limits.inbound_queue,
            told,
            gate: Gate::default(),
        };
        if starting.send(Ok(actor.clone())).is_ok() {
            around.run(line, Queues { asks: asked, opens, wishes }).await;
        }
        // The actor lets go of its host, hence of the store.
        let _ = actor.send(Rest).await;
        Some(store)
    }
}

/// An actor and what belongs to it.
struct Begun {
    actor: Addr<Actor>,
    queue: Rc<Cell<u32>>,
    opens: mpsc::UnboundedReceiver<(libp2p::PeerId, crate::pipe::Opening)>,
    wishes: mpsc::UnboundedReceiver<host::Wish>,
    store: thread::JoinHandle<()>,
}

fn begin(
    local: PeerId,
    config: &Config,
    contacts: &[(PeerId, Multiaddr)],
    mut store: Box<dyn Store>,
    places: &Rc<RefCell<Places>>,
    ready: watch::Sender<bool>,
    told: &Told,
) -> Result<Begun, StartError> {
    let clock = Clock::start();
    let mut book = Book::new(Arc::new(SharedBook::new(vec![local])));
    let mut known = Vec::new();
    for (id, address) in contacts.iter().filter(|(id, _)| *id != local) {
        places.borrow_mut().confirm(*id, address.clone());
        if let Ok(peer) = book.intern(id)
            && !known.contains(&peer)
        {
            known.push(peer);
        }
    }
    let records = host::restored(clock.now(), store.load(), &mut book);
    // The entropy of a key that nobody keeps: draws of two lives of a node do not repeat.
    let seed = Seed(Keypair::generate().peer_id().digest().0);
    let life = Life { local: PeerRef::shared(0), incarnation: 0, seed };
    let restored = Restored { contacts: known, start: Start::Join, records };
    let node = node::Node::restore(life, &Settings::from(config), restored, &book);
    let (open, opens) = mpsc::unbounded_channel();
    let (wish, wishes) = mpsc::unbounded_channel();
    let queue = Rc::default();
    let shared = Shared {
        places: Rc::clone(places),
        queue: Rc::clone(&queue),
        told: told.clone(),
        ready,
        open: Open::new(open),
        wishes: wish,
    };
    let (desk, changes) = std::sync::mpsc::channel();
    let actor = Actor::create(|context| {
        let host = RealHost::new(clock, shared, context.address(), desk, node);
        Actor::new(Body::new(host, book))
    });
    let told = actor.clone();
    let persisted = move |write, result| told.do_send(Deliver(Delivery::Persisted { write, result }));
    let store = store::work(store, changes, persisted)?;
    Ok(Begun { actor, queue, opens, wishes, store })
}

/// The way to a running node. The node stops once all handles are gone.
#[derive(Clone)]
pub struct Handle {
    id: PeerId,
    max_value: u64,
    actor: Addr<Actor>,
    asks: mpsc::Sender<Ask>,
    told: Told,
    ready: watch::Receiver<bool>,
    gone: watch::Receiver<()>,
}

impl Handle {
    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> &PeerId {
        &self.id
    }

    /// Waits until its table was filled for the first time.
    ///
    /// # Errors
    /// If it stops before.
    pub async fn ready(&self) -> Result<(), OperationError> {
        let mut ready = self.ready.clone();
        ready.wait_for(|ready| *ready).await.map(|_| ()).map_err(|_| OperationError::Stopped)
    }

    /// Finds the peers that are closest to `name`: those of a peer's id, to its binary form.
    ///
    /// # Errors
    /// If the name is too long, or the node cannot.
    pub async fn lookup(&self, name: &[u8]) -> Result<Found, OperationError> {
        let ended = self.operate(Operation::Lookup(target(name)?)).await?;
        let Ended { closest, messages, timeouts, hops, .. } = ended;
        Ok(Found { closest, messages, timeouts, hops })
    }

    /// Stores `value` under `name` with the peers that are closest to it, and keeps it stored.
    ///
    /// # Errors
    /// If either is too long, or the node cannot.
    pub async fn put(&self, name: &[u8], value: &[u8]) -> Result<Kept, OperationError> {
        if value.len() as u64 > self.max_value {
            return Err(OperationError::ValueTooLong { len: value.len(), limit: self.max_value });
        }
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
            Outcome::Value(record) => Ok(Some(record.value.to_vec())),
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
        Ok(self.operate(operation).await?.providers)
    }

    /// Peers that it has a connection to.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn peers(&self) -> Result<Vec<PeerId>, OperationError> {
        self.ask(Ask::Peers).await
    }

    /// Addresses at which it listens, as others dial them: each ends in `/p2p/` and its id.
    ///
    /// # Errors
    /// If it has stopped.
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, OperationError> {
        let addresses = self.ask(Ask::Addresses).await?;
        let id = peers::theirs(&self.id);
        let whole = |address: Multiaddr| Some(address.with(libp2p::multiaddr::Protocol::P2p(id?)));
        Ok(addresses.into_iter().filter_map(whole).collect())
    }

    /// What happens from now on. A listener that falls behind loses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.told.listen()
    }

    /// What it turned away so far, by reason.
    #[must_use]
    pub fn turned_away(&self) -> BTreeMap<Reason, u64> {
        self.told.counts()
    }

    /// Stops it: says goodbye to its peers, persists what was to be, and ends its threads.
    pub async fn shutdown(self) {
        let Self { asks, mut gone, .. } = self;
        // Somebody else may have stopped it.
        let _ = asks.send(Ask::Shutdown).await;
        while gone.changed().await.is_ok() {}
    }

    async fn operate(&self, operation: Operation) -> Result<Ended, OperationError> {
        let (ended, end) = oneshot::channel();
        // How many are under way is bounded by the node, which refuses a further one as busy.
        self.actor.do_send(Deliver(Delivery::Ask { operation, ended }));
        let ended = end.await.map_err(|_| OperationError::Stopped)?;
        match ended.outcome {
            Outcome::Busy => Err(OperationError::Busy),
            Outcome::Isolated => Err(OperationError::Isolated),
            _ => Ok(ended),
        }
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, OperationError> {
        let (reply, replied) = oneshot::channel();
        self.asks.send(ask(reply)).await.map_err(|_| OperationError::Stopped)?;
        replied.await.map_err(|_| OperationError::Stopped)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.id).finish()
    }
}

fn target(name: &[u8]) -> Result<Arc<Target>, OperationError> {
    if name.len() > kad::message::MAX_NAME_BYTES {
        return Err(OperationError::NameTooLong(name.len()));
    }
    Ok(Arc::new(Target::new(name)))
}
