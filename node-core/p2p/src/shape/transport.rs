//! TCP and WebSocket for an emulated network: libp2p's own, but for the bytes, which are shaped, and the dials.
//!
//! Dials leave from the address at which the node listens, and not from whichever the system chooses: by it the other
//! side knows whose bytes are on the connection. Names are not resolved: processes on one machine have addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::core::{Transport, upgrade};
use libp2p::futures::FutureExt as _;
use libp2p::futures::future::{BoxFuture, Ready, ready};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, identity, noise, tcp, websocket, yamux};
use tokio::net::{TcpSocket, TcpStream};
use wire::admin::Crashes;

use super::Shape;
use super::stream::Shaped;

/// How long a dial and its handshakes may take: as libp2p's own builder has it.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The transports of a node that listens at `listen`.
pub(crate) fn build(
    keypair: &identity::Keypair,
    listen: &[Multiaddr],
    muxer: yamux::Config,
    shape: &Arc<Shape>,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    let socket = || Tcp {
        listening: tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)),
        from: listen.iter().find_map(own_ip),
        shape: Arc::clone(shape),
    };
    let plain = socket()
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(muxer.clone())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let web = websocket::Config::new(socket())
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(muxer)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let both = web.or_transport(plain).map(|either, _| either.into_inner());
    Ok(TransportTimeout::new(both, CONNECTION_TIMEOUT).boxed())
}

/// The address that is the node's own, if it listens at one in particular.
fn own_ip(address: &Multiaddr) -> Option<IpAddr> {
    let ip = match address.iter().next()? {
        Protocol::Ip4(ip) => IpAddr::from(ip),
        Protocol::Ip6(ip) => IpAddr::from(ip),
        _ => return None,
    };
    (!ip.is_unspecified()).then_some(ip)
}

/// TCP of which the bytes take their time.
struct Tcp {
    listening: tcp::tokio::Transport,
    from: Option<IpAddr>,
    shape: Arc<Shape>,
}

impl Transport for Tcp {
    type Output = Shaped;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Shaped>>;
    type Dial = BoxFuture<'static, io::Result<Shaped>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.listening.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listening.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let Some(to) = socket_address(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let from = self.from.filter(|from| from.is_ipv4() == to.is_ipv4());
        Ok(dial(from, to, Arc::clone(&self.shape)).boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let event = std::task::ready!(Pin::new(&mut self.listening).poll(cx));
        let shape = &self.shape;
        Poll::Ready(event.map_upgrade(|accepted| {
            let stream = accepted.now_or_never().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()));
            ready(stream.and_then(|tcp::tokio::TcpStream(stream)| {
                let ip = stream.peer_addr()?.ip();
                Ok(Shaped::new(stream, ip, Arc::clone(shape)))
            }))
        }))
    }
}

/// Dials after the round trip that TCP's own handshake takes; a handshake that is cut off waits.
async fn dial(from: Option<IpAddr>, to: SocketAddr, shape: Arc<Shape>) -> io::Result<Shaped> {
    shape.open(to.ip()).await;
    shape.round_trip(to.ip()).await;
    match connect(from, to).await {
        Ok(stream) => Ok(Shaped::new(stream, to.ip(), shape)),
        // A machine that is gone answers nothing: the dial runs out of time.
        Err(_) if shape.crashes() == Crashes::Silent => std::future::pending().await,
        Err(error) => Err(error),
    }
}

async fn connect(from: Option<IpAddr>, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The address of `/ip4/…/tcp/…`, and of nothing else; a peer's id may follow.
fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::from(ip),
        Protocol::Ip6(ip) => IpAddr::from(ip),
        _ => return None,
    };
    let Protocol::Tcp(port @ 1..) = parts.next()? else { return None };
    let ends = parts.all(|part| matches!(part, Protocol::P2p(_)));
    (ends && !ip.is_unspecified()).then(|| SocketAddr::new(ip, port))
}
