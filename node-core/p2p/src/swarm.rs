//! The swarm of libp2p and the loop around it: connections, addresses, streams that come in.
//!
//! It knows nothing of what the streams say. Its queues are bounded by what fills them: openings by the exchanges
//! under way, wishes by the inputs that the node handles, and streams by the gate.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use actor::Deliver;
use config::Config;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::ConnectedPoint;
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::futures::StreamExt as _;
use libp2p::swarm::{Config as SwarmConfig, DialError, ListenError, NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId as Theirs, StreamProtocol, Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux,
};
use node::{Direction, LinkState};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use types::PeerId;
use wire::admin::{Dialler, Event, Peer};

use crate::host::{Actor, Delivery, Wish};
use crate::key::Keypair;
use crate::peers;
use crate::pipe::{Inbound, Opening, Pipe};
use crate::places::Places;
use crate::running::{Setup, StartError};
use crate::serve::{self, Gate, MAX_STREAMS_PER_PEER};
use crate::shape::{self, Shape};
use crate::subnets::{Crowded, Subnets};
use crate::told::{Reason, Told};

/// The version of identify's exchange, as every libp2p node says it.
const IDENTIFY_VERSION: &str = "/ipfs/0.1.0";
/// Connections that may be on their way, in each direction: a handshake costs a few kilobytes and a signature.
const MAX_PENDING: u32 = 128;
/// One of so many connections is kept for those that this node opens: strangers cannot take them all.
const OWN_SHARE: u32 = 4;
/// Connections to one peer: both may dial at once, over each of two transports.
const MAX_CONNECTIONS_PER_PEER: u32 = 4;
/// Streams that a connection may have open, both sides' together: those of the DHT in each direction, and some of identify
/// and ping, twice over, because a stream ends at one side before it does at the other. A further one ends the
/// connection. Until it is read, each may hold the window that Yamux grants, so this bounds what a connection holds.
const MAX_LINK_STREAMS: usize = 128;
const _: () = assert!(MAX_LINK_STREAMS >= 2 * (MAX_STREAMS_PER_PEER as usize + MAX_NEGOTIATING / 2));
/// Streams of one connection that may be agreeing on a protocol.
const MAX_NEGOTIATING: usize = 32;
/// How long a connection without streams is kept: two of a lookup's timeouts, so that a busy table stays connected.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the goodbyes of a shutdown may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    subnets: Subnets,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pipe: Pipe,
}

/// What an owner asks of the swarm.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Whom it is connected to, and where they and its contacts can be dialled.
    Peers {
        contacts: BTreeSet<PeerId>,
        reply: oneshot::Sender<Vec<Peer>>,
    },
    Addresses(oneshot::Sender<Vec<Multiaddr>>),
    Shutdown,
}

/// What the loop reads.
pub(crate) struct Queues {
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) opens: mpsc::UnboundedReceiver<(Theirs, Opening)>,
    pub(crate) wishes: mpsc::UnboundedReceiver<Wish>,
}

/// A swarm that listens, and what happened to it before anybody cared.
pub(crate) struct Line {
    swarm: Swarm<Behaviour>,
    early: Vec<SwarmEvent<BehaviourEvent>>,
}

impl Line {
    /// Builds the swarm, and listens at all of these addresses.
    pub(crate) async fn open(
        keypair: &Keypair,
        protocol: StreamProtocol,
        setup: &Setup,
        places: Rc<RefCell<Places>>,
        shape: Option<&Arc<Shape>>,
    ) -> Result<Self, StartError> {
        let listen = &setup.listen;
        let behaviour = behaviour(keypair, protocol, &setup.config, Rc::clone(&places));
        let mut swarm = match shape {
            None => build(keypair, behaviour).await?,
            Some(shape) => build_shaped(keypair, behaviour, listen, shape)?,
        };
        let refused =
            |address: &Multiaddr, error: String| StartError::Listen { address: address.clone(), error };
        let mut awaited: Vec<(ListenerId, &Multiaddr)> = Vec::new();
        for address in listen {
            let listener =
                swarm.listen_on(address.clone()).map_err(|error| refused(address, error.to_string()))?;
            awaited.push((listener, address));
        }
        let mut early = Vec::new();
        while !awaited.is_empty() {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, .. } => awaited.retain(|(id, _)| *id != listener_id),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    if let Some((_, address)) = awaited.iter().find(|(id, _)| *id == listener_id) {
                        let error =
                            reason.err().map_or_else(|| "closed".to_owned(), |error| error.to_string());
                        return Err(refused(address, error));
                    }
                }
                event => early.push(event),
            }
        }
        // What this node says of itself, where it is named in a message of its own.
        places.borrow_mut().introduce(keypair.peer_id(), swarm.listeners().cloned());
        Ok(Self { swarm, early })
    }
}

fn behaviour(
    keypair: &Keypair,
    protocol: StreamProtocol,
    config: &Config,
    places: Rc<RefCell<Places>>,
) -> Behaviour {
    let connections = ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING))
        .with_max_pending_outgoing(Some(MAX_PENDING))
        .with_max_established(Some(config.limits.connections))
        .with_max_established_incoming(Some(
            config.limits.connections - config.limits.connections / OWN_SHARE,
        ))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER));
    let identify = identify::Config::new(IDENTIFY_VERSION.to_owned(), keypair.identity().public())
        .with_agent_version(concat!("wavetank/", env!("CARGO_PKG_VERSION")).to_owned())
        // Addresses are kept in one place, and it is not this.
        .with_cache_size(0);
    Behaviour {
        limits: connection_limits::Behaviour::new(connections),
        subnets: Subnets::default(),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::default(),
        pipe: Pipe::new(protocol, config.kad.mode, places),
    }
}

/// How connections are kept, over whichever transport.
fn tuned(config: SwarmConfig) -> SwarmConfig {
    config
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
        // A request leaves with the name of its protocol, instead of a round trip after it.
        .with_substream_upgrade_protocol_override(Version::V1Lazy)
}

async fn build(keypair: &Keypair, behaviour: Behaviour) -> Result<Swarm<Behaviour>, StartError> {
    let builder = SwarmBuilder::with_existing_identity(keypair.identity().clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, muxer)
        .map_err(transport)?;
    #[cfg(feature = "quic")]
    let builder = builder.with_quic();
    let swarm = builder
        .with_dns()
        .map_err(transport)?
        .with_websocket(noise::Config::new, muxer)
        .await
        .map_err(transport)?
        .with_behaviour(|_| behaviour)
        .map_err(transport)?
        .with_swarm_config(tuned)
        .build();
    Ok(swarm)
}

/// The same, over transports that emulate a network.
fn build_shaped(
    keypair: &Keypair,
    behaviour: Behaviour,
    listen: &[Multiaddr],
    shape: &Arc<Shape>,
) -> Result<Swarm<Behaviour>, StartError> {
    let shaped = shape::transport::build(keypair.identity(), listen, muxer(), shape).map_err(transport)?;
    let local = keypair.identity().public().to_peer_id();
    Ok(Swarm::new(shaped, behaviour, local, tuned(SwarmConfig::with_tokio_executor())))
}

fn transport(error: impl std::fmt::Display) -> StartError {
    StartError::Transport(error.to_string())
}

fn muxer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_LINK_STREAMS);
    config
}

/// The loop around a swarm.
pub(crate) struct Loop {
    pub(crate) actor: Addr<Actor>,
    pub(crate) places: Rc<RefCell<Places>>,
    /// Requests on their way to the actor, and how many there may be.
    pub(crate) queue: Rc<Cell<u32>>,
    pub(crate) queue_limit: u32,
    pub(crate) told: Told,
    pub(crate) gate: Gate,
    /// Whom there is a connection to, and who dialled the first: as many as the limits allow.
    pub(crate) links: RefCell<BTreeMap<PeerId, Direction>>,
    pub(crate) shape: Option<Arc<Shape>>,
}

impl Loop {
    /// Runs until the owner asks for the end, or is gone.
    pub(crate) async fn run(self, line: Line, mut queues: Queues) {
        let Line { mut swarm, early } = line;
        early.into_iter().for_each(|event| self.event(event));
        loop {
            tokio::select! {
                event = swarm.select_next_some() => self.event(event),
                Some((peer, opening)) = queues.opens.recv() => swarm.behaviour_mut().pipe.open(peer, opening),
                Some(wish) = queues.wishes.recv() => match wish {
                    Wish::Dial(peer) => swarm.behaviour_mut().pipe.dial(peer),
                    Wish::Close(peer) => {
                        // It may be gone already.
                        let _ = swarm.disconnect_peer_id(peer);
                    }
                    Wish::Stop => break,
                },
                ask = queues.asks.recv() => match ask {
                    Some(Ask::Peers { contacts, reply }) => {
                        let _ = reply.send(self.peers(&contacts));
                    }
                    Some(Ask::Addresses(reply)) => {
                        let _ = reply.send(swarm.listeners().cloned().collect());
                    }
                    Some(Ask::Shutdown) | None => break,
                },
            }
        }
        let connected: Vec<_> = swarm.connected_peers().copied().collect();
        for peer in connected {
            let _ = swarm.disconnect_peer_id(peer);
        }
        let goodbyes = async {
            while swarm.connected_peers().next().is_some() {
                swarm.select_next_some().await;
            }
        };
        let goodbyes = async {
            goodbyes.await;
            if let Some(shape) = &self.shape {
                shape.drained().await;
            }
        };
        // Whoever does not take its goodbye in time is left without.
        let _ = timeout(CLOSE_TIMEOUT, goodbyes).await;
    }

    fn event(&self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Pipe(inbound)) => self.stream(inbound),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                if let Some(id) = peers::ours(&peer_id) {
                    let said = info.listen_addrs.len();
                    let own: Vec<_> = info
                        .listen_addrs
                        .into_iter()
                        .filter_map(|address| peers::own_address(&id, address))
                        .collect();
                    if own.len() < said {
                        self.told.turned_away(Some(id), Reason::NoAddress);
                    }
                    self.places.borrow_mut().introduce(id, own.into_iter());
                    self.told.tell(Event::Introduced { peer: id });
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(expected), error, .. } => {
                let (obtained, address) = match error {
                    DialError::WrongPeerId { obtained, address } => (Some(obtained), address),
                    DialError::LocalPeerId { address } => (None, address),
                    _ => return,
                };
                // Whoever said that the expected peer is there was wrong; nobody knows any more who it was.
                let found = obtained.and_then(|obtained| peers::ours(&obtained));
                if let Some(expected) = peers::ours(&expected) {
                    self.places.borrow_mut().disprove(&expected, &peers::split(address).0);
                }
                self.told.turned_away(found, Reason::WrongPeer);
            }
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                let Some(peer) = peers::ours(&peer_id) else { return };
                let direction = match &endpoint {
                    ConnectedPoint::Dialer { .. } => Direction::Dialled,
                    ConnectedPoint::Listener { .. } => Direction::Accepted,
                };
                if let ConnectedPoint::Dialer { address, .. } = endpoint
                    && let Some(address) = peers::own_address(&peer, address)
                {
                    self.places.borrow_mut().confirm(peer, address);
                }
                if num_established.get() == 1 {
                    self.links.borrow_mut().insert(peer, direction);
                    self.link(peer, LinkState::Up, direction);
                    self.told.tell(Event::LinkUp { peer, by: direction.into() });
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                let Some(peer) = peers::ours(&peer_id) else { return };
                let Some(direction) = self.links.borrow_mut().remove(&peer) else { return };
                self.link(peer, LinkState::Down, direction);
                self.told.tell(Event::LinkDown { peer });
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                let reason = refusal(error);
                self.told.turned_away(peer_id.and_then(|peer| peers::ours(&peer)), reason);
            }
            _ => {}
        }
    }

    fn peers(&self, contacts: &BTreeSet<PeerId>) -> Vec<Peer> {
        let (links, places) = (self.links.borrow(), self.places.borrow());
        let peer = |peer_id: &PeerId, connected: Option<Dialler>| {
            let addresses = places.of(peer_id).iter().map(ToString::to_string).collect();
            Peer { peer_id: *peer_id, addresses, connected, contact: contacts.contains(peer_id) }
        };
        let linked = links.iter().map(|(id, direction)| peer(id, Some((*direction).into())));
        let unlinked = contacts.iter().filter(|id| !links.contains_key(id)).map(|id| peer(id, None));
        linked.chain(unlinked).collect()
    }

    fn link(&self, peer: PeerId, state: LinkState, direction: Direction) {
        self.told.metrics().link(direction, state);
        self.actor.do_send(Deliver(Delivery::Link { peer, state, direction }));
    }

    /// A peer opened a stream: it is served, or dropped.
    fn stream(&self, Inbound { from, stream }: Inbound) {
        let Some(peer) = peers::ours(&from) else { return };
        let pass = match self.gate.enter(from) {
            Ok(pass) => pass,
            Err(reason) => {
                self.told.turned_away(Some(peer), reason);
                return;
            }
        };
        let (actor, told) = (self.actor.clone(), self.told.clone());
        let (queue, limit) = (Rc::clone(&self.queue), self.queue_limit);
        let ask = {
            let actor = actor.clone();
            move |request| {
                if queue.get() >= limit {
                    return Err(Reason::QueueFull);
                }
                queue.set(queue.get() + 1);
                actor.do_send(Deliver(Delivery::Request(request)));
                Ok(())
            }
        };
        actix_rt::spawn(async move {
            match serve::serve(pass, stream, ask).await {
                Ok(()) => {}
                // The node counts these itself, and says what becomes of the link.
                Err(Reason::Malformed(reason)) => {
                    actor.do_send(Deliver(Delivery::Malformed { from: peer, reason, exchange: None }));
                }
                Err(reason) => told.turned_away(Some(peer), reason),
            }
        });
    }
}

/// Why a connection that came in was not taken.
fn refusal(error: ListenError) -> Reason {
    match error {
        ListenError::Denied { cause } => match cause.downcast::<Crowded>() {
            Ok(_) => Reason::TooManyLinksOfSubnet,
            Err(_) => Reason::TooManyLinks,
        },
        _ => Reason::NoHandshake,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::swarm::{ConnectionDenied, ConnectionId};

    use super::*;

    #[test]
    fn a_connection_that_is_denied_is_told_by_its_limit() {
        let address: Multiaddr = "/ip4/198.51.100.1/tcp/1".parse().unwrap();
        let mut subnets = Subnets::default();
        let mut arrive = |number| {
            let connection = ConnectionId::new_unchecked(number);
            subnets.handle_pending_inbound_connection(connection, &address, &address)
        };
        let cause = (0..100).find_map(|number| arrive(number).err()).unwrap();
        assert_eq!(refusal(ListenError::Denied { cause }), Reason::TooManyLinksOfSubnet);
        let cause = ConnectionDenied::new(std::io::Error::other("another"));
        assert_eq!(refusal(ListenError::Denied { cause }), Reason::TooManyLinks);
        assert_eq!(refusal(ListenError::Aborted), Reason::NoHandshake);
    }
}
