//! A running node: how it is set up, started, and lives. [`Handle`] is the way to it.
//!
//! A node has one thread, with actix's own context on it: the actor, the swarm and their tasks share it, so nothing
//! of theirs is locked. Its owner may sit in any runtime, or in none.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use actix::{Actor as _, Addr, AsyncContext as _};
use actor::{Body, Deliver, Rest};
use config::{Config, Problem};
use kad::Start;
use libp2p::{Multiaddr, StreamProtocol};
use node::{Life, Restored, Settings};
use tokio::sync::{mpsc, oneshot, watch};
use types::{Book, PeerId, PeerRef, Seed, SharedBook, StoreResult};

use crate::clock::Clock;
use crate::doing::Doing;
use crate::gate::Gate;
use crate::handle::Handle;
use crate::host::{self, Actor, Delivery, RealHost, Shared};
use crate::key::Keypair;
use crate::lanes::Open;
use crate::metrics::Metrics;
use crate::peerbook::{self, PeerBook};
use crate::peers;
use crate::places::Places;
use crate::shape::{Emulation, Shape};
use crate::store::{self, Memory, Past, Store, StoreError};
use crate::swarm::{Ask, Line, Loop, Queues};
use crate::told::Told;

/// Questions of owners that wait for the swarm; further owners wait for room.
const MAX_ASKS: usize = 64;

/// Everything that a node is started with, beside its key.
pub struct Setup {
    /// Its configuration.
    pub config: Config,
    /// Where it listens: `/ip4/0.0.0.0/tcp/7777`, `/ip4/0.0.0.0/tcp/9999/ws`.
    pub listen: Vec<Multiaddr>,
    /// Whom it asks first: addresses that end in `/p2p/` and an id. Without any it is the first of its network.
    pub bootstrap: Vec<Multiaddr>,
    /// What it keeps across its lives.
    pub store: Box<dyn Store>,
    /// Whether it may be made to believe in another network than the one it is in.
    pub emulation: Emulation,
}

impl Setup {
    /// A store that ends with the process, and the network as it is.
    #[must_use]
    pub fn new(config: Config, listen: Vec<Multiaddr>, bootstrap: Vec<Multiaddr>) -> Self {
        let store = Box::new(Memory::default());
        Self { config, listen, bootstrap, store, emulation: Emulation::Off }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not sound.
    #[error("configuration: {}", listed(.0))]
    Configuration(Vec<Problem>),
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
    /// What earlier lives left cannot be had.
    #[error("store: {0}")]
    Store(#[from] StoreError),
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
        let named = setup.config.network.protocol.clone();
        let protocol = StreamProtocol::try_from_owned(named.clone())
            .map_err(|error| StartError::Transport(error.to_string()))?;
        let contacts = contacts(&setup.bootstrap)?;
        let (asks, asked) = mpsc::channel(MAX_ASKS);
        let (starting, started) = oneshot::channel();
        let (gone, goes) = watch::channel(());
        let (ready, becomes_ready) = watch::channel(false);
        let metrics = Metrics::new(&named);
        let told = Told::new(Arc::clone(&metrics));
        let heard = told.heard();
        let (id, max_value) = (keypair.peer_id(), setup.config.kad.max_record_size.as_bytes());
        let shape = match setup.emulation {
            Emulation::Off => None,
            Emulation::On => Some(Shape::start()?),
        };
        let inside = Inside { setup, keypair, protocol, contacts, asked, ready, told, shape: shape.clone() };
        thread::Builder::new().name("node".to_owned()).spawn(move || {
            let store = actix_rt::System::new().block_on(inside.live(starting));
            // What was to be persisted is, once its thread has ended. One that panicked has said so.
            let _ = store.map(thread::JoinHandle::join);
            drop(gone);
        })?;
        let lost = || StartError::Transport("the node's thread ended".to_owned());
        let Started { actor, incarnation } = started.await.map_err(|_| lost())??;
        let (ready, protocol) = (becomes_ready, named);
        Ok(Handle {
            id,
            incarnation,
            protocol,
            max_value,
            actor,
            asks,
            doing: Doing::new(),
            heard,
            metrics,
            shape,
            ready,
            gone: goes,
        })
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

/// What a node's thread says once it listens.
struct Started {
    actor: Addr<Actor>,
    incarnation: u32,
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
    shape: Option<Arc<Shape>>,
}

impl Inside {
    /// The node's life; what is left of it is its store's thread.
    async fn live(
        self,
        starting: oneshot::Sender<Result<Started, StartError>>,
    ) -> Option<thread::JoinHandle<()>> {
        let places = Rc::new(RefCell::new(Places::new()));
        let Self { mut setup, keypair, protocol, contacts, asked, ready, told, shape } = self;
        let queue_limit = setup.config.limits.inbound_queue;
        let clock = Clock::start();
        let started = async {
            // Before anybody can hear of it, the life is counted.
            let past = setup.store.begin(clock.now().unix)?;
            let incarnation = past.lives;
            let line = Line::open(&keypair, protocol, &setup, Rc::clone(&places), shape.as_ref()).await?;
            let local = keypair.peer_id();
            let known = known(local, &contacts, &past, &places);
            let world = World { clock, places: &places, ready, told: &told, shape: shape.clone() };
            let begun = begin(local, &setup.config, &known, past, setup.store, world)?;
            Ok((line, begun, incarnation))
        };
        let (line, Begun { actor, queue, opens, wishes, store }, incarnation) = match started.await {
            Ok(started) => started,
            Err(error) => {
                // Whoever started it may have given up.
                let _ = starting.send(Err(error));
                return None;
            }
        };
        actor.do_send(Deliver(Delivery::Start));
        actix_rt::spawn(Arc::clone(told.metrics()).watch_lag());
        let around = Loop {
            actor: actor.clone(),
            places,
            queue,
            queue_limit,
            told,
            gate: Gate::default(),
            links: RefCell::default(),
            shape,
        };
        if starting.send(Ok(Started { actor: actor.clone(), incarnation })).is_ok() {
            around.run(line, Queues { asks: asked, opens, wishes }).await;
        }
        // The last word on who its contacts were.
        let _ = actor.send(Deliver(Delivery::Remember)).await;
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

/// What a peer begins with, beside its past.
struct World<'a> {
    clock: Clock,
    places: &'a Rc<RefCell<Places>>,
    ready: watch::Sender<bool>,
    told: &'a Told,
    shape: Option<Arc<Shape>>,
}

/// Whom this life asks first; where they, and all that are remembered, can be dialled is noted.
fn known(
    local: PeerId,
    contacts: &[(PeerId, Multiaddr)],
    past: &Past,
    places: &Rc<RefCell<Places>>,
) -> Vec<PeerId> {
    let mut places = places.borrow_mut();
    let mut bootstrap = Vec::new();
    for (id, address) in contacts.iter().filter(|(id, _)| *id != local) {
        places.confirm(*id, address.clone());
        if !bootstrap.contains(id) {
            bootstrap.push(*id);
        }
    }
    let remembered: Vec<_> = past.peers.iter().filter(|known| known.id != local).collect();
    // A peer may have moved since: what others say of it now stands beside what was true then.
    for known in remembered.iter().rev() {
        known.addresses.iter().for_each(|address| places.hear(known.id, address.clone()));
    }
    let remembered: Vec<_> = remembered.into_iter().map(|known| known.id).collect();
    peerbook::first_asked(&bootstrap, &remembered, kad::maintenance::MAX_SEEDS, past.lives)
}

fn begin(
    local: PeerId,
    config: &Config,
    known: &[PeerId],
    past: Past,
    store: Box<dyn Store>,
    World { clock, places, ready, told, shape }: World<'_>,
) -> Result<Begun, StartError> {
    let mut book = Book::new(Arc::new(SharedBook::new(vec![local])));
    let contacts = known.iter().filter_map(|id| book.intern(id).ok()).collect();
    let Past { lives, records, peers } = past;
    let records = host::restored(clock.now(), records, &mut book);
    // The entropy of a key that nobody keeps: draws of two lives of a node do not repeat, even if its folder comes back
    // from a copy and counts a life twice.
    let seed = Seed(Keypair::generate().peer_id().digest().0);
    let life = Life { local: PeerRef::shared(0), incarnation: lives, seed };
    let restored = Restored { contacts, start: Start::Join, records };
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
        shape,
    };
    let (desk, changes) = std::sync::mpsc::channel();
    let actor = Actor::create(|context| {
        let remembered = PeerBook::new(peers);
        let host = RealHost::new(clock, shared, context.address(), desk, remembered, node);
        Actor::new(Body::new(host, book))
    });
    let (persister, failures) = (actor.clone(), told.metrics().store_failures.clone());
    let persisted = move |write, result: StoreResult| {
        if result.is_err() {
            failures.inc();
        }
        persister.do_send(Deliver(Delivery::Persisted { write, result }));
    };
    let store = store::work(store, changes, persisted)?;
    Ok(Begun { actor, queue, opens, wishes, store })
}
