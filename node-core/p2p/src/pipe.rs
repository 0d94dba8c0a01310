//! The behaviour of libp2p's swarm that opens and takes streams of the DHT's protocol: the pipe, and nothing of what
//! flows through it.
//!
//! It dials whom it is not connected to, at the addresses that [`Places`] has. A stream that was asked for ends in
//! exactly one result; a dropped request for one counts as closed.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::task::{Context, Poll};

use kad::config::Mode;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{DeniedUpgrade, ReadyUpgrade};
use libp2p::futures::future::Either as Negotiated;
use libp2p::swarm::behaviour::ConnectionEstablished;
use libp2p::swarm::derive_prelude::Either;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, DialError,
    DialFailure, FromSwarm, NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol};
use tokio::sync::oneshot;
use types::SendFailure;

use crate::peers;
use crate::places::Places;

/// Where a stream goes once it is open.
pub(crate) type Opening = oneshot::Sender<Result<Stream, SendFailure>>;

/// A stream that a peer opened.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) from: PeerId,
    pub(crate) stream: Stream,
}

/// The behaviour.
pub(crate) struct Pipe {
    protocol: StreamProtocol,
    mode: Mode,
    places: Rc<RefCell<Places>>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    /// Streams that wait for their peer to be dialled.
    waiting: HashMap<PeerId, Vec<Opening>>,
    events: VecDeque<ToSwarm<Inbound, Opening>>,
}

impl Pipe {
    pub(crate) fn new(protocol: StreamProtocol, mode: Mode, places: Rc<RefCell<Places>>) -> Self {
        Self {
            protocol,
            mode,
            places,
            connections: HashMap::new(),
            waiting: HashMap::new(),
            events: VecDeque::new(),
        }
    }

    /// Opens a stream to `peer`, dialling it first if need be.
    pub(crate) fn open(&mut self, peer: PeerId, opening: Opening) {
        match self.connections.get(&peer).and_then(|connections| connections.last()) {
            Some(connection) => self.notify(peer, *connection, opening),
            None => {
                self.waiting.entry(peer).or_default().push(opening);
                self.dial(peer);
            }
        }
    }

    /// Dials `peer` unless it is connected or being dialled.
    pub(crate) fn dial(&mut self, peer: PeerId) {
        let condition = PeerCondition::DisconnectedAndNotDialing;
        let opts = DialOpts::peer_id(peer).condition(condition).build();
        self.events.push_back(ToSwarm::Dial { opts });
    }

    fn notify(&mut self, peer_id: PeerId, connection: ConnectionId, event: Opening) {
        let handler = NotifyHandler::One(connection);
        self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId) {
        self.connections.entry(peer).or_default().push(connection);
        for opening in self.waiting.remove(&peer).unwrap_or_default() {
            self.notify(peer, connection, opening);
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId) {
        if let Some(connections) = self.connections.get_mut(&peer) {
            connections.retain(|other| *other != connection);
            if connections.is_empty() {
                self.connections.remove(&peer);
            }
        }
    }

    fn not_dialled(&mut self, peer: PeerId, error: &DialError) {
        let reason = match error {
            // It is connected or being dialled: that other dial ends the wait.
            DialError::DialPeerConditionFalse(_) => return,
            // Our own limits: this says nothing of the other.
            DialError::Denied { .. } => SendFailure::QueueFull,
            DialError::LocalPeerId { .. }
            | DialError::NoAddresses
            | DialError::Aborted
            | DialError::WrongPeerId { .. }
            | DialError::Transport(_) => SendFailure::Unreachable,
        };
        for opening in self.waiting.remove(&peer).unwrap_or_default() {
            // Whoever asked may have given up.
            let _ = opening.send(Err(reason));
        }
    }
}

impl NetworkBehaviour for Pipe {
    type ConnectionHandler = PipeHandler;
    type ToSwarm = Inbound;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<PipeHandler, ConnectionDenied> {
        Ok(PipeHandler::new(self.protocol.clone(), self.mode))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let id = peer.and_then(|peer| peers::ours(&peer));
        Ok(id.map(|id| self.places.borrow().of(&id).to_vec()).unwrap_or_default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<PipeHandler, ConnectionDenied> {
        Ok(PipeHandler::new(self.protocol.clone(), self.mode))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. }) => {
                self.established(peer_id, connection_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.closed(peer_id, connection_id);
            }
            FromSwarm::DialFailure(DialFailure { peer_id: Some(peer), error, .. }) => {
                self.not_dialled(peer, error);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, from: PeerId, _: ConnectionId, stream: Stream) {
        self.events.push_back(ToSwarm::GenerateEvent(Inbound { from, stream }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Inbound, Opening>> {
        // The swarm's owner changes this between polls only, and polls again afterwards: no waker is kept.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's part of the pipe. Streams keep a connection alive; without any it falls idle.
pub(crate) struct PipeHandler {
    protocol: StreamProtocol,
    mode: Mode,
    openings: VecDeque<Opening>,
    inbound: VecDeque<Stream>,
}

impl PipeHandler {
    const fn new(protocol: StreamProtocol, mode: Mode) -> Self {
        Self { protocol, mode, openings: VecDeque::new(), inbound: VecDeque::new() }
    }
}

impl ConnectionHandler for PipeHandler {
    type FromBehaviour = Opening;
    type ToBehaviour = Stream;
    type InboundProtocol = Either<ReadyUpgrade<StreamProtocol>, DeniedUpgrade>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Opening;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        // A peer tells by the protocols it names whether it serves.
        let upgrade = match self.mode {
            Mode::Server => Either::Left(ReadyUpgrade::new(self.protocol.clone())),
            Mode::Client => Either::Right(DeniedUpgrade),
        };
        SubstreamProtocol::new(upgrade, ())
    }

    fn on_behaviour_event(&mut self, opening: Opening) {
        self.openings.push_back(opening);
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Opening, Stream>> {
        if let Some(stream) = self.inbound.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream));
        }
        // Both queues grow in calls that the connection makes right before it polls again: no waker is kept.
        match self.openings.pop_front() {
            Some(opening) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), opening),
            }),
            None => Poll::Pending,
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol, (), Opening>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                match protocol {
                    Negotiated::Left(stream) => self.inbound.push_back(stream),
                    Negotiated::Right(never) => match never {},
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                let _ = info.send(Ok(protocol));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                let _ = info.send(Err(match error {
                    StreamUpgradeError::Timeout => SendFailure::Timeout,
                    StreamUpgradeError::NegotiationFailed => SendFailure::Refused,
                    StreamUpgradeError::Io(_) => SendFailure::Closed,
                    StreamUpgradeError::Apply(never) => match never {},
                }));
            }
            _ => {}
        }
    }
}
