//! Connections: how many there are, and for how long.
//!
//! When all seats are taken, a newcomer gets that of whoever has been idle longest: idle connections keep nobody out. Where
//! all are busy, the newcomer is turned away.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at once: each may hold a buffer and an answer.
const MAX_CONNECTIONS: usize = 128;
/// Bytes that a connection may hold unread: more than a request's head needs.
const MAX_BUFFER_BYTES: usize = 64 << 10;
/// How long a request's head may take to arrive, and so how long a connection may be idle: longer than the client of
/// `fleet` keeps one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long answers may take that are under way when the server stops.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long nobody is accepted after the system could not: it has no file left, and more haste frees none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Both ends of the connection by which a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) here: SocketAddr,
    pub(super) there: SocketAddr,
}

/// Serves until the other end of `stop` is gone.
pub(super) async fn serve(listener: TcpListener, routes: Router, mut stop: watch::Receiver<()>) {
    let seats = Seats::default();
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, there)) => {
                    if let Some(seat) = seats.take() {
                        tasks.spawn(connection(stream, there, routes.clone(), seat, stop.clone()));
                    }
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = tasks.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    there: SocketAddr,
    routes: Router,
    taken: Taken,
    mut stop: watch::Receiver<()>,
) {
    // A connection that is already gone has no ends.
    let Ok(here) = stream.local_addr() else { return };
    // Without it small answers come later, that is all.
    let _ = stream.set_nodelay(true);
    let ends = Ends { here, there };
    let (seats, seat) = (taken.seats.clone(), Arc::clone(&taken.seat));
    let service = TowerToHyperService::new(routes);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let busy = seats.busy(&seat);
        request.extensions_mut().insert(ends);
        let answer = service.call(request);
        async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            drop(busy);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    tokio::select! {
        // How it ended is between the two ends.
        _ = connection.as_mut() => {}
        () = taken.seat.asked_to_leave.notified() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(GOODBYE_TIMEOUT, connection).await;
        }
    }
}

/// The seats that are taken, the longest idle first.
#[derive(Clone, Debug, Default)]
struct Seats(Arc<Mutex<Vec<Arc<Seat>>>>);

#[derive(Debug, Default)]
struct Seat {
    busy: AtomicBool,
    asked_to_leave: Notify,
}

/// A seat until it is dropped.
#[derive(Debug)]
struct Taken {
    seats: Seats,
    seat: Arc<Seat>,
}

impl Seats {
    /// A seat, if need be that of the longest idle; `None` if all are busy.
    fn take(&self) -> Option<Taken> {
        let mut seats = self.lock();
        if seats.len() >= MAX_CONNECTIONS {
            let idle = seats.iter().position(|seat| !seat.busy.load(Ordering::Relaxed))?;
            seats.remove(idle).asked_to_leave.notify_one();
        }
        let seat = Arc::<Seat>::default();
        seats.push(Arc::clone(&seat));
        Some(Taken { seats: self.clone(), seat })
    }

    /// Whoever sits there is busy until what this returns is dropped.
    fn busy(&self, seat: &Arc<Seat>) -> Busy {
        seat.busy.store(true, Ordering::Relaxed);
        Busy { seats: self.clone(), seat: Arc::clone(seat) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.lock().retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}

/// A request that is being answered.
struct Busy {
    seats: Seats,
    seat: Arc<Seat>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.seat.busy.store(false, Ordering::Relaxed);
        let mut seats = self.seats.lock();
        if let Some(at) = seats.iter().position(|seat| Arc::ptr_eq(seat, &self.seat)) {
            // The last to fall idle.
            let seat = seats.remove(at);
            seats.push(seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_makes_room_and_the_busy_keep_their_seats() {
        let seats = Seats::default();
        let taken: Vec<_> = (0..MAX_CONNECTIONS).map(|_| seats.take().unwrap()).collect();
        let sits = |number: usize| seats.lock().iter().any(|other| Arc::ptr_eq(other, &taken[number].seat));
        let mut busy: Vec<_> = taken.iter().map(|taken| seats.busy(&taken.seat)).collect();
        assert!(seats.take().is_none());
        drop(busy.remove(1));
        drop(busy.remove(0));
        // The second was the first to fall idle.
        let newcomer = seats.take().unwrap();
        assert!(sits(0) && !sits(1) && sits(2));
        let another = seats.take().unwrap();
        assert!(!sits(0) && sits(2));
        assert_eq!(seats.lock().len(), MAX_CONNECTIONS);
        drop((busy, newcomer, another, taken));
        assert!(seats.lock().is_empty());
    }
}
