//! The node on a real network: the very `node::Node` that the simulator runs, in the same actor, over libp2p.
//!
//! | module | what |
//! |---|---|
//! | [`running`] | [`Node::start`]: how a node is set up, and its life |
//! | [`handle`] | [`Handle`]: the way to a running node |
//! | [`http`] | [`http::serve`]: health, metrics, the admin API |
//! | [`daemon`] | [`Daemon`]: a node out of its folder, for owners without a runtime |
//! | [`key`] | [`Keypair`] and its file |
//! | [`folder`] | [`Folder`]: a node's data folder, its alone |
//! | [`store`] | [`Store`]: what outlives a life |
//! | [`disk`] | [`Disk`]: a store in a file |
//! | `staged` | a file of which the first changes can be held back |
//! | [`peerbook`] | peers that are remembered, and who of them is asked first |
//! | [`told`] | events as they happen, and [`Reason`]s that are counted |
//! | `metrics` | what is counted |
//! | `doing` | what it was asked for and has not ended |
//! | `host` | the real side of the peer: inputs in, outputs performed |
//! | `swarm` | libp2p's swarm and the loop around it |
//! | `subnets` | the limits of connections by subnet |
//! | `pipe` | the behaviour that opens and takes streams |
//! | `serve` | exchanges over streams, opened here and served here |
//! | [`shape`] | the network that a node is made to believe in |
//! | `frame` | frames on a stream |
//! | `places` | where peers can be dialled |
//! | `peers` | ids and addresses, between libp2p's types and ours |
//! | `clock` | the machine's two clocks |
//!
//! libp2p is the pipe: TCP, WebSocket (QUIC by the feature `quic`), Noise, Yamux, identify, ping, limits of connections.
//! The DHT is ours: `node` thinks, `wire` encodes, and here its messages flow over streams of libp2p's own protocol,
//! so that nodes of its Kademlia and ours share a network.
//!
//! It is deliberately *not* a node's program: no configuration is read here, no signal awaited, no line written: what there is to log
//! is told to `tracing`. It knows no simulation, and decides nothing that `node` decides.
//!
//! Invariants:
//! - every request ends in one answer or one failure, every stream within its time, whatever the other side does;
//! - what strangers may take has a named limit: connections, streams of all and of one, bytes of a message, requests
//!   that wait, addresses; what is turned away is counted by reason;
//! - clocks, entropy, sockets and threads are touched here and nowhere below.
#![forbid(unsafe_code)]

mod clock;
pub mod daemon;
pub mod disk;
mod doing;
pub mod folder;
mod frame;
pub mod handle;
mod host;
pub mod http;
pub mod key;
mod metrics;
pub mod peerbook;
mod peers;
mod pipe;
mod places;
pub mod running;
mod serve;
pub mod shape;
mod staged;
pub mod store;
mod subnets;
mod swarm;
pub mod told;

pub use daemon::{Daemon, DaemonError, End, Happening, Listening};
pub use disk::Disk;
pub use folder::{Folder, FolderError};
pub use handle::{Handle, Kept, OperationError};
pub use key::{KeyError, Keypair};
pub use libp2p::Multiaddr;
pub use peerbook::Known;
pub use running::{Node, Setup, StartError};
pub use shape::{EmulateError, Emulation};
pub use store::{Change, Memory, Past, Store, StoreError, Stored};
pub use told::{Listener, Reason};
pub use wire::admin::Event;
