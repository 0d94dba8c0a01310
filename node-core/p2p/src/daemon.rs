//! A node as a program runs it: out of its data folder, with its log, on a thread of its own, for an owner that has no
//! runtime.
//!
//! It is deliberately *not* the program: it reads no file of configuration, awaits no signal and writes no line; what is
//! logged goes to whoever listens to `tracing`.
//!
//! Invariants:
//! - the folder is locked before anything else is touched, and a port that somebody has is found before the node listens:
//!   libp2p shares ports, so the system would not refuse it;
//! - once started, it tells that it ended exactly once, and why;
//! - nothing secret is logged, and what a stranger may cause at will is logged for debugging only.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc as blocking;
use std::time::Duration;
use std::{io, thread};

use config::Config;
use libp2p::Multiaddr;
use libp2p::multiaddr::{self, Protocol};
use tokio::sync::mpsc;
use tokio::time::timeout;
use types::PeerId;
use wire::admin::Event;

use crate::folder::{Folder, FolderError};
use crate::handle::Handle;
use crate::http::{self, ServeError, Server};
use crate::key::KeyError;
use crate::running::{Node, Setup, StartError};
use crate::shape::Emulation;
use crate::store::StoreError;

/// How long a node that is to stop may take for what is under way and for writing down what it has.
pub const GRACE: Duration = Duration::from_secs(10);

/// A node that runs.
#[derive(Debug)]
pub struct Daemon {
    listening: Listening,
    /// Closed, or told, to stop it.
    stop: mpsc::Sender<()>,
}

/// Where a node is met.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Who it is.
    pub id: PeerId,
    /// Where it listens, as others dial it.
    pub addresses: Vec<Multiaddr>,
    /// Where it tells how it is.
    pub http: SocketAddr,
}

/// What an owner is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The node's table was filled: it serves and can be asked.
    Ready,
    /// It has ended; nothing else is told.
    Ended(End),
}

/// How a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was stopped, and everything was written down.
    Stopped,
    /// It was stopped, and was not through with it in time.
    Late,
    /// Its code panicked, and said this.
    Panicked(String),
}

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Its folder cannot be had.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It has no key, or none that can be used.
    #[error("key: {0}")]
    Key(#[from] KeyError),
    /// What earlier lives left cannot be had.
    #[error("store: {0}")]
    Store(StoreError),
    /// A text that should be an address is none.
    #[error("`{key}` says {text:?}, which is no multiaddress: {error}")]
    Address {
        /// The key of the configuration.
        key: String,
        /// The text.
        text: String,
        /// What is wrong with it.
        error: multiaddr::Error,
    },
    /// A port is not to be had.
    #[error("cannot listen at {address}: {error}")]
    Port {
        /// Where.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot tell how it is.
    #[error(transparent)]
    Http(#[from] ServeError),
    /// The node did not start.
    #[error(transparent)]
    Start(StartError),
    /// The system gave no thread, or no runtime.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl From<StartError> for DaemonError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => Self::Store(error),
            error => Self::Start(error),
        }
    }
}

impl Daemon {
    /// Starts the node whose folder is `data`, and returns once it listens. What happens is told to `tell`, on a thread of
    /// the node's.
    ///
    /// # Errors
    /// If it cannot start; then nothing of it is left.
    pub fn start(
        config: &Config,
        data: &Path,
        emulation: Emulation,
        tell: impl FnMut(Happening) + Send + 'static,
    ) -> Result<Self, DaemonError> {
        let folder = Folder::open(data)?;
        let keypair = folder.key()?;
        let listen = places("network.listen", &config.network.listen)?;
        let bootstrap = places("network.bootstrap", &config.network.bootstrap)?;
        listen.iter().try_for_each(free)?;
        let http = http_address(config)?;
        let mut setup = Setup::new(config.clone(), listen, bootstrap);
        setup.emulation = emulation;
        setup.store = Box::new(folder.store().map_err(DaemonError::Store)?);
        let (stop, stopped) = mpsc::channel(1);
        let (starting, started) = blocking::channel();
        thread::Builder::new()
            .name("daemon".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(starting.send(Err(DaemonError::Thread(error)))),
                };
                runtime.block_on(async {
                    let node = match Node::start(setup, keypair).await {
                        Ok(node) => node,
                        Err(error) => return drop(starting.send(Err(error.into()))),
                    };
                    let server = match http::serve(&node, http) {
                        Ok(server) => server,
                        Err(error) => return drop(starting.send(Err(error.into()))),
                    };
                    // Before this there is an error to return, and nothing to tell.
                    let teller = Teller { tell, ended: false };
                    let life = Life { node, server, stopped, teller };
                    life.live(starting).await;
                });
                // Held until here: the node is gone.
                drop(folder);
            })
            .map_err(DaemonError::Thread)?;
        let lost = || DaemonError::Thread(io::Error::other("it ended as it began"));
        let listening = started.recv().map_err(|_| lost())??;
        Ok(Self { listening, stop })
    }

    /// Where it is met.
    #[must_use]
    pub const fn listening(&self) -> &Listening {
        &self.listening
    }

    /// Has it stop: it takes nothing new, finishes what is under way within [`GRACE`], and tells that it ended. Asking
    /// twice is asking once.
    pub fn stop(&self) {
        // A full channel holds an earlier wish, a closed one is a node's that has ended.
        let _ = self.stop.try_send(());
    }
}

/// A node's life, on its daemon's thread.
struct Life<T: FnMut(Happening)> {
    node: Handle,
    server: Server,
    stopped: mpsc::Receiver<()>,
    teller: Teller<T>,
}

/// The way to the owner, who is told of one end, be it a panic of the daemon's own thread.
struct Teller<T: FnMut(Happening)> {
    tell: T,
    ended: bool,
}

impl<T: FnMut(Happening)> Teller<T> {
    fn tell(&mut self, happening: Happening) {
        self.ended |= matches!(happening, Happening::Ended(_));
        (self.tell)(happening);
    }
}

impl<T: FnMut(Happening)> Drop for Teller<T> {
    fn drop(&mut self) {
        if !self.ended && thread::panicking() {
            self.tell(Happening::Ended(End::Panicked("its daemon's thread".to_owned())));
        }
    }
}

impl<T: FnMut(Happening)> Life<T> {
    async fn live(mut self, starting: blocking::Sender<Result<Listening, DaemonError>>) {
        let addresses = self.node.addresses().await.unwrap_or_default();
        let id = *self.node.id();
        let mut events = self.node.events();
        let http = self.server.local_addr();
        tracing::info!(peer = %id, addresses = %shown(&addresses), %http, "listening");
        if starting.send(Ok(Listening { id, addresses, http })).is_err() {
            return; // Nobody waits: dropping the last handle stops the node.
        }
        let (mut is_ready, mut panic) = (false, None);
        loop {
            tokio::select! {
                // What the node said last is heard before it is known to have ended.
                biased;
                // A wish to stop, or an owner that is gone.
                _ = self.stopped.recv() => break,
                Some(told) = events.next() => match told.event {
                    Event::Panicked { message } => panic = Some(message),
                    event => log(&event),
                },
                ready = self.node.ready(), if !is_ready => {
                    is_ready = true;
                    if ready.is_ok() {
                        tracing::info!("ready");
                        self.teller.tell(Happening::Ready);
                    }
                }
                () = self.node.stopped() => break,
            }
        }
        let end = match panic {
            Some(message) => End::Panicked(message),
            None => {
                tracing::info!("stopping");
                match timeout(GRACE, self.node.shutdown()).await {
                    Ok(()) => End::Stopped,
                    Err(_) => End::Late,
                }
            }
        };
        self.server.stop();
        match &end {
            End::Stopped => tracing::info!("stopped"),
            End::Late => tracing::error!(grace = ?GRACE, "did not stop in time"),
            End::Panicked(message) => tracing::error!(message, "panicked"),
        }
        self.teller.tell(Happening::Ended(end));
    }
}

fn shown(addresses: &[Multiaddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn places(key: &str, texts: &[String]) -> Result<Vec<Multiaddr>, DaemonError> {
    let place = |(index, text): (usize, &String)| {
        text.parse().map_err(|error| DaemonError::Address {
            key: format!("{key}.{index}"),
            text: text.clone(),
            error,
        })
    };
    texts.iter().enumerate().map(place).collect()
}

/// Refuses an address whose port another socket has.
fn free(address: &Multiaddr) -> Result<(), DaemonError> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => return Ok(()),
    };
    let Some(Protocol::Tcp(port)) = parts.next() else { return Ok(()) };
    match (port, TcpListener::bind((ip, port))) {
        (1.., Err(error)) => Err(DaemonError::Port { address: address.to_string(), error }),
        _ => Ok(()),
    }
}

fn http_address(config: &Config) -> Result<SocketAddr, DaemonError> {
    config.network.http.parse().map_err(|_| {
        // The configuration's own check says it better, and comes first wherever one is read.
        DaemonError::Start(StartError::Configuration(config.problems()))
    })
}

/// Writes down what happened. Names and values of records are their owners' business.
fn log(event: &Event) {
    match event {
        Event::Bootstrapped { contacts } => tracing::info!(contacts, "table filled"),
        Event::LinkUp { peer, by } => tracing::debug!(%peer, ?by, "link up"),
        Event::LinkDown { peer } => tracing::debug!(%peer, "link down"),
        Event::Introduced { peer } => tracing::trace!(%peer, "introduced"),
        Event::ContactAdded { peer } => tracing::debug!(%peer, "contact added"),
        Event::ContactEvicted { peer } => tracing::debug!(%peer, "contact evicted"),
        Event::TurnedAway { peer: Some(peer), reason } => tracing::debug!(%peer, reason, "turned away"),
        Event::TurnedAway { peer: None, reason } => tracing::debug!(reason, "turned away"),
        Event::RecordStored { .. } => tracing::trace!("record stored"),
        Event::RecordExpired { .. } => tracing::trace!("record expired"),
        Event::ProviderAdded { provider, .. } => tracing::trace!(peer = %provider, "provider added"),
        Event::ProviderExpired { provider, .. } => tracing::trace!(peer = %provider, "provider expired"),
        Event::Panicked { message } => tracing::error!(message, "panicked"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    /// What an owner hears of a thread that does this with the way to it.
    fn heard(work: impl FnOnce(Teller<Box<dyn FnMut(Happening)>>)) -> Vec<Happening> {
        let (sender, heard) = blocking::channel();
        let tell: Box<dyn FnMut(Happening)> = Box::new(move |happening| sender.send(happening).unwrap());
        let _ = catch_unwind(std::panic::AssertUnwindSafe(|| work(Teller { tell, ended: false })));
        heard.iter().collect()
    }

    #[test]
    fn an_owner_hears_of_one_end_even_of_a_thread_that_panics() {
        let end = Happening::Ended(End::Stopped);
        let panicked = Happening::Ended(End::Panicked("its daemon's thread".to_owned()));
        let panics = |mut teller: Teller<_>| {
            teller.tell(Happening::Ready);
            unreachable!("on purpose");
        };
        assert_eq!(heard(panics), [Happening::Ready, panicked]);
        let ends_and_panics = |mut teller: Teller<_>| {
            teller.tell(Happening::Ended(End::Stopped));
            unreachable!("on purpose");
        };
        assert_eq!(heard(ends_and_panics), [end]);
        assert_eq!(heard(drop), [], "a node that never started is told of by its error");
    }
}
