//! The node on a real network: the very `node::Node` that the simulator runs, in the same actor, over libp2p.
//!
//! | module | what |
//! |---|---|
//! | [`running`] | [`Node::start`] and [`Handle`]: a running node |
//! | [`key`] | [`Keypair`] and its file |
//! | [`store`] | [`Store`]: what outlives a life |
//! | [`told`] | [`Event`]s, and [`Reason`]s that are counted |
//! | `host` | the real side of the peer: inputs in, outputs performed |
//! | `swarm` | libp2p's swarm and the loop around it |
//! | `pipe` | the behaviour that opens and takes streams |
//! | `serve` | exchanges over streams, opened here and served here |
//! | `lanes` | streams that are opened here, and kept for further exchanges |
//! | `gate` | who may have how many streams open here |
//! | `frame` | frames on a stream |
//! | `places` | where peers can be dialled |
//! | `peers` | ids and addresses, between libp2p's types and ours |
//! | `clock` | the machine's two clocks |
//!
//! libp2p is the pipe: TCP, WebSocket (QUIC by the feature `quic`), Noise, Yamux, identify, ping, limits of connections.
//! The DHT is ours: `node` thinks, `wire` encodes, and here its messages flow over streams of libp2p's own protocol,
//! so that nodes of its Kademlia and ours share a network.
//!
//! It is deliberately *not* a node's program: no configuration is read here, no signal awaited, no log written. It
//! knows no simulation, and decides nothing that `node` decides.
//!
//! Invariants:
//! - every request ends in one answer or one failure, every stream within its time, whatever the other side does;
//! - what strangers may take has a named limit: connections, streams of all and of one, bytes of a message, requests
//!   that wait, addresses; what is turned away is counted by reason;
//! - clocks, entropy, sockets and threads are touched here and nowhere below.
#![forbid(unsafe_code)]

mod clock;
mod frame;
mod gate;
mod host;
pub mod key;
mod lanes;
mod peers;
mod pipe;
mod places;
pub mod running;
mod serve;
pub mod store;
mod swarm;
pub mod told;

pub use gate::MAX_HELD_BYTES;
pub use key::{KeyError, Keypair};
pub use libp2p::Multiaddr;
pub use running::{Found, Handle, Kept, Node, OperationError, Setup, StartError};
pub use store::{Change, Memory, Store, Stored};
pub use told::{Event, Reason};
