//! A node's HTTP: health, metrics and the admin API, as `wire::admin` describes it.
//!
//! | module | what |
//! |---|---|
//! | `connections` | who may connect, how many, for how long |
//! | `routes` | what is answered where |
//! | `guard` | who may ask what only an administrator may |
//!
//! It has a thread of its own: what strangers do to it does not delay the node. It speaks HTTP/1 without TLS: what leaves
//! the machine is meant for whoever can reach the address. What an administrator may is answered over loopback only,
//! and not to web pages.

mod connections;
mod guard;
mod routes;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use tokio::runtime;
use tokio::sync::watch;

use crate::handle::Handle;

/// Why HTTP is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("cannot serve HTTP at {address}: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The system gave no thread.
    #[error("cannot start a thread for HTTP: {0}")]
    Thread(io::Error),
}

/// A running server. It serves until it is stopped or dropped, also after its node has stopped: then it says so.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    thread: thread::JoinHandle<()>,
}

/// Serves the HTTP of the node behind `handle` at `address`; port 0 is one that the system chooses.
///
/// # Errors
/// If the address cannot be listened at, or there is no thread.
pub fn serve(handle: &Handle, address: SocketAddr) -> Result<Server, ServeError> {
    let refused = |error| ServeError::Bind { address, error };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Thread)?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(refused)?
    };
    let routes = routes::of(handle.clone());
    let (stop, stops) = watch::channel(());
    let serve = move || runtime.block_on(connections::serve(listener, routes, stops));
    let thread = thread::Builder::new().name("http".to_owned()).spawn(serve).map_err(ServeError::Thread)?;
    Ok(Server { address, stop, thread })
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops it: answers that are under way have a moment to end. This blocks until they have.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so.
        let _ = self.thread.join();
    }
}
