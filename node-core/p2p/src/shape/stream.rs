//! A connection's bytes, late: what is written waits in a queue until it has left and travelled.
//!
//! A task takes them from there to the socket, so that they arrive whatever the writer does next: as with a kernel's
//! own queue, writing ends at once while there is room, closing does not wait, and what was written before still leaves.
//! Reading is not delayed: the far side's queue has done that.
//!
//! Invariants: bytes arrive in order and never earlier than they are due; no more than [`MAX_QUEUED`] wait.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use libp2p::futures::{AsyncRead, AsyncWrite};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::timeout;
use wire::admin::Crashes;

use super::{Burst, Departure, Shape};

/// Bytes of a connection that wait or travel, at most; further ones wait with their writer. Linux lets the buffer of a
/// socket grow to as much.
const MAX_QUEUED: usize = 4 << 20;
/// Bytes that leave at one instant, at most: a large frame of Noise.
const MAX_CHUNK: usize = 64 << 10;
/// How long the far side's system may take none of the bytes that have arrived before the connection counts as broken.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// One side of a connection of which the bytes take their time.
#[derive(Debug)]
pub(crate) struct Shaped {
    half: OwnedReadHalf,
    queue: Arc<Queue>,
}

impl Shaped {
    /// Shapes what is written to `stream`, at whose other end is `ip`.
    pub(super) fn new(stream: TcpStream, ip: IpAddr, shape: Arc<Shape>) -> Self {
        let (half, write) = stream.into_split();
        let queue = Arc::new(Queue { shape, ip, inner: Mutex::default(), changed: Notify::new() });
        tokio::spawn(Pump::new(Arc::clone(&queue)).run(write));
        Self { half, queue }
    }

    /// The far side has ended without a goodbye.
    fn ended(&self, how: io::Result<()>, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let mut inner = self.queue.lock();
        if inner.pulse == Pulse::Beats && self.queue.shape.crashes() == Crashes::Told {
            return Poll::Ready(how.map(|()| 0));
        }
        if inner.pulse == Pulse::Reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        inner.pulse = Pulse::Silent;
        inner.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncRead for Shaped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.queue.lock().pulse != Pulse::Beats {
            return self.ended(Ok(()), cx);
        }
        let mut into = ReadBuf::new(buf);
        let read = std::task::ready!(Pin::new(&mut self.half).poll_read(cx, &mut into));
        match (read, into.filled().len()) {
            (Ok(()), len) if len > 0 || into.capacity() == 0 => Poll::Ready(Ok(len)),
            (end, _) => self.ended(end, cx),
        }
    }
}

impl AsyncWrite for Shaped {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.queue.lock();
        if let Some(kind) = inner.broken {
            return Poll::Ready(Err(kind.into()));
        }
        let room = MAX_QUEUED - inner.queued;
        if room == 0 {
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = buf.get(..buf.len().min(room).min(MAX_CHUNK)).unwrap_or_default();
        self.queue.push(&mut inner, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Shaped {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What is between a writer and its pump.
#[derive(Debug)]
struct Queue {
    shape: Arc<Shape>,
    ip: IpAddr,
    inner: Mutex<Inner>,
    /// There is more in it, or it was closed.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: VecDeque<Chunk>,
    queued: usize,
    /// When the last that was written is due.
    last: Option<Instant>,
    burst: Option<Burst>,
    writer: Option<Waker>,
    reader: Option<Waker>,
    closed: bool,
    broken: Option<io::ErrorKind>,
    pulse: Pulse,
}

/// What is known of the far side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pulse {
    #[default]
    Beats,
    /// It is gone, and nobody has noticed.
    Silent,
    /// Its next life does not know the connection, and said so.
    Reset,
}

/// Bytes that leave together; none, for the end.
#[derive(Debug)]
struct Chunk {
    departure: Departure,
    due: Instant,
    bytes: Vec<u8>,
}

impl Queue {
    fn push(&self, inner: &mut Inner, bytes: &[u8]) {
        let (departure, burst) = self.shape.departure(self.ip, bytes.len(), inner.burst);
        inner.burst = Some(burst);
        let due = inner.due(departure);
        inner.queued += bytes.len();
        inner.chunks.push_back(Chunk { departure, due, bytes: bytes.to_vec() });
        self.changed.notify_one();
    }

    /// Nothing more is written. The end itself travels too.
    fn close(&self) {
        let mut inner = self.lock();
        if !inner.closed {
            inner.closed = true;
            self.push(&mut inner, &[]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// When it arrives: no earlier than what was written before it.
    fn due(&mut self, departure: Departure) -> Instant {
        let alone = departure.leaves + departure.travels;
        let due = self.last.map_or(alone, |last| last.max(alone));
        self.last = Some(due);
        due
    }

    /// What was to leave from `since` on leaves at `until`.
    fn release(&mut self, since: Instant, until: Instant) {
        let mut chunks = std::mem::take(&mut self.chunks);
        self.last = None;
        for chunk in &mut chunks {
            if chunk.departure.leaves >= since {
                chunk.departure.leaves = chunk.departure.leaves.max(until);
            }
            chunk.due = self.due(chunk.departure);
        }
        self.chunks = chunks;
    }

    /// When the first of them arrives; `None` if there are none, or they may not leave, which they might not since `blocked`.
    fn next(&self, blocked: Option<Instant>) -> Option<Instant> {
        let first = self.chunks.front()?;
        blocked.is_none_or(|since| first.departure.leaves < since).then_some(first.due)
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let chunk = self.chunks.pop_front()?;
        self.queued -= chunk.bytes.len();
        wake(&mut self.writer);
        Some(chunk.bytes)
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

/// Takes bytes from the queue to the socket when they are due.
struct Pump {
    queue: Arc<Queue>,
    /// Since when nothing may leave.
    blocked: Option<Instant>,
    /// The life of the far side that the connection is with.
    life: u32,
}

impl Pump {
    fn new(queue: Arc<Queue>) -> Self {
        queue.shape.pumps.send_modify(|count| *count += 1);
        let life = queue.shape.life_at(queue.ip);
        Self { queue, blocked: None, life }
    }

    async fn run(mut self, mut half: OwnedWriteHalf) {
        let mut changes = self.queue.shape.changes.subscribe();
        loop {
            changes.borrow_and_update();
            self.look();
            let due = self.queue.lock().next(self.blocked);
            let Some(due) = due else {
                tokio::select! {
                    () = self.queue.changed.notified() => {}
                    // The sender lives as long as the queue.
                    _ = changes.changed() => {}
                }
                continue;
            };
            if due > Instant::now() {
                tokio::select! {
                    () = self.queue.shape.timer.until(due) => {}
                    _ = changes.changed() => continue,
                }
            }
            let Some(bytes) = self.queue.lock().pop() else { continue };
            if bytes.is_empty() {
                // Whether the far side hears it is its affair.
                let _ = half.shutdown().await;
                return;
            }
            self.write(&mut half, &bytes).await;
        }
    }

    /// Takes note of what the node was told of the link.
    fn look(&mut self) {
        match (self.blocked, self.queue.shape.opened(self.queue.ip)) {
            (None, (false, since)) => self.blocked = Some(since),
            (Some(since), (true, until)) => {
                self.blocked = None;
                self.queue.lock().release(since, until);
            }
            _ => {}
        }
    }

    async fn write(&self, half: &mut OwnedWriteHalf, bytes: &[u8]) {
        if self.queue.lock().pulse == Pulse::Beats {
            let written = timeout(STALL_TIMEOUT, half.write_all(bytes)).await;
            let written = written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let Err(error) = written else { return };
            let mut inner = self.queue.lock();
            if self.queue.shape.crashes() == Crashes::Told {
                inner.broken = Some(error.kind());
                wake(&mut inner.writer);
                return;
            }
            inner.pulse = Pulse::Silent;
        }
        // Nobody is there any more; whoever is there instead says so.
        if self.queue.shape.life_at(self.queue.ip) > self.life {
            self.queue.shape.round_trip(self.queue.ip).await;
            let mut inner = self.queue.lock();
            inner.pulse = Pulse::Reset;
            inner.broken = Some(io::ErrorKind::ConnectionReset);
            wake(&mut inner.writer);
            wake(&mut inner.reader);
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.queue.shape.pumps.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests;
