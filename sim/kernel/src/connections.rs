//! One peer's dialled links: a state machine over frames and deadlines.
//!
//! Two peers have at most one link. A message to a peer without one dials first and waits for it; a
//! link that nobody uses is closed. Dialling is done in earnest, frame by frame, so that it costs the
//! round trips, bytes and timeouts that it costs on a real network:
//!
//! | round trip | what |
//! |---|---|
//! | 1 | TCP's SYN |
//! | 2 | Noise XX, first and second message; choosing Noise rides along |
//! | 3 | Noise's third message; choosing Yamux; choosing the first stream's protocol |
//!
//! That is what rust-libp2p's TCP transport needs, since its builder negotiates lazily (upgrade version
//! `V1Lazy`); libp2p's plain negotiation, with one more for choosing Noise, needs 4.
//!
//! | event | near side | far side |
//! |---|---|---|
//! | dial succeeds | up, outbound, once the last answer is here | up, inbound, once the last frame is here |
//! | far side has its fill of links | the dial fails as [`DialFailure::Refused`], after all its round trips, as libp2p's limits on established connections have it | nothing |
//! | both dial at once | up, inbound: each accepts the other's | the same |
//! | idle, close, graceful stop | down, and a [`Control::Close`] to the far side | down, on that frame |
//! | crash | gone, without a word | stays up until a dial or an exchange goes unanswered; a frame that reaches the next life is answered with [`Control::Reset`] |
//!
//! The far side keeps nothing for a dial under way: a stranger's dials cost no memory until they are links.
//!
//! It is deliberately not the model of delay and loss, which is [`crate::links`]'s: it decides which
//! frames exist. It relies on frames between two peers arriving in order, and survives any being lost.
//!
//! Invariants: every payload handed to [`Connections::send`] is transmitted or failed, once; for each
//! peer, up and down alternate; no more links and waiting payloads than their limits.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use types::{Duration, Instant};

mod frames;

pub use frames::{Admission, Attempt, Control, DialFailure, Dialling, Direction, DownReason, Effect, Frame};
use frames::{CLOSE_BYTES, LAST_TRIP, ROUND_TRIPS};

/// Payloads that wait for one dial: what a busy peer says to another within a few round trips; beyond
/// it the far side is better thought unreachable than given megabytes at once.
pub const MAX_WAITING: usize = 256;

/// One peer's links, in one of its lives.
#[derive(Clone, Debug)]
pub struct Connections<T> {
    config: Dialling,
    incarnation: u32,
    dials: u32,
    links: BTreeMap<u32, Link<T>>,
    /// No deadline is earlier; using a link moves its own later without saying so here.
    next: Instant,
}

#[derive(Clone, Debug)]
enum Link<T> {
    Dialling { attempt: Attempt, trip: u8, until: Instant, waiting: Vec<(T, u64)> },
    Up { far_incarnation: u32, used: Instant },
}

impl<T> Connections<T> {
    /// No links yet, in this life of the peer.
    #[must_use]
    pub const fn new(config: Dialling, incarnation: u32) -> Self {
        Self { config, incarnation, dials: 0, links: BTreeMap::new(), next: Instant::NEVER }
    }

    /// Links and dials under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there are neither links nor dials under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The peers to whom there is a link, by number.
    pub fn up(&self) -> impl Iterator<Item = u32> {
        let up = self.links.iter().filter(|(_, link)| matches!(link, Link::Up { .. }));
        up.map(|(peer, _)| *peer)
    }

    /// When [`Connections::deadline`] wants to be called, at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        (self.next < Instant::NEVER).then_some(self.next)
    }

    /// Sends `payload`, of `size_bytes`, dialling first if need be.
    pub fn send(&mut self, now: Instant, to: u32, payload: T, size_bytes: u64, out: &mut Vec<Effect<T>>) {
        if let Err(reason) = self.ensure(now, to, out) {
            out.push(Effect::Failed { to, payload, reason });
            return;
        }
        match self.links.get_mut(&to) {
            Some(Link::Up { used, .. }) => {
                *used = now;
                transmit(to, Frame::Payload(payload), size_bytes, out);
            }
            Some(Link::Dialling { waiting, .. }) if waiting.len() < MAX_WAITING => {
                waiting.push((payload, size_bytes));
            }
            _ => out.push(Effect::Failed { to, payload, reason: DialFailure::TooManyWaiting }),
        }
    }

    /// Dials `peer`, unless there is a link or a dial under way.
    pub fn dial(&mut self, now: Instant, peer: u32, out: &mut Vec<Effect<T>>) {
        if let Err(reason) = self.ensure(now, peer, out) {
            out.push(Effect::DialFailed { peer, reason });
        }
    }

    /// Closes the link to `peer`, or gives up dialling it.
    pub fn close(&mut self, peer: u32, out: &mut Vec<Effect<T>>) {
        self.end(peer, DownReason::Closed, DialFailure::Closed, out);
    }

    /// Closes all links: the peer stops gracefully. One that crashes says nothing.
    pub fn close_all(&mut self, out: &mut Vec<Effect<T>>) {
        while let Some((peer, _)) = self.links.first_key_value() {
            self.close(*peer, out);
        }
        self.next = Instant::NEVER;
    }

    /// A payload arrived from `from`.
    pub fn payload(&mut self, now: Instant, from: u32, out: &mut Vec<Effect<T>>) -> Admission {
        match self.links.get_mut(&from) {
            Some(Link::Up { used, .. }) => {
                *used = now;
                return Admission::Admitted;
            }
            // Left over from an earlier link: the dial will replace it on the far side.
            Some(Link::Dialling { .. }) => {}
            None => transmit(from, Frame::Control(Control::Reset), 0, out),
        }
        Admission::Dropped
    }

    /// A frame of the link itself arrived from `from`.
    pub fn frame(&mut self, now: Instant, from: u32, control: Control, out: &mut Vec<Effect<T>>) {
        match control {
            Control::Dial { attempt, trip } if trip < LAST_TRIP => self.answer(from, attempt, trip, out),
            Control::Dial { attempt, .. } => self.accept(now, from, attempt, out),
            Control::Answer { attempt, trip, incarnation } => {
                self.proceed(now, from, (attempt, trip), incarnation, out);
            }
            Control::Refuse { attempt } => {
                if matches!(self.links.get(&from), Some(Link::Dialling { attempt: mine, .. }) if *mine == attempt)
                {
                    self.end(from, DownReason::FarClosed, DialFailure::Refused, out);
                }
            }
            // A dial under way is newer than what such a frame is about.
            Control::Close | Control::Reset => {
                if matches!(self.links.get(&from), Some(Link::Up { .. })) {
                    self.links.remove(&from);
                    let reason = match control {
                        Control::Close => DownReason::FarClosed,
                        _ => DownReason::Reset,
                    };
                    out.push(Effect::Down { peer: from, reason });
                }
            }
        }
    }

    /// Closes what is idle and gives up on what is not answered.
    pub fn deadline(&mut self, now: Instant, out: &mut Vec<Effect<T>>) {
        if now < self.next {
            return;
        }
        let idle = self.config.idle;
        let due = self.links.iter().filter(|(_, link)| link.deadline(idle) <= now);
        let due: Vec<u32> = due.map(|(peer, _)| *peer).collect();
        for peer in due {
            self.end(peer, DownReason::Idle, DialFailure::TimedOut, out);
        }
        let deadlines = self.links.values().map(|link| link.deadline(idle));
        self.next = deadlines.min().unwrap_or(Instant::NEVER);
    }

    /// Makes sure that there is a link or a dial under way.
    fn ensure(&mut self, now: Instant, to: u32, out: &mut Vec<Effect<T>>) -> Result<(), DialFailure> {
        if self.links.contains_key(&to) {
            return Ok(());
        }
        if self.is_full() {
            return Err(DialFailure::TooManyLinks);
        }
        let attempt = Attempt { incarnation: self.incarnation, count: self.dials };
        self.dials += 1;
        let dialling =
            Link::Dialling { attempt, trip: 0, until: now + self.config.timeout, waiting: Vec::new() };
        self.insert(to, dialling);
        transmit_dial(to, attempt, 0, out);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.links.len() >= self.config.max_links as usize
    }

    /// The last frame of a far side's dial is here.
    fn accept(&mut self, now: Instant, from: u32, attempt: Attempt, out: &mut Vec<Effect<T>>) {
        let mut waiting = Vec::new();
        let full = self.is_full();
        match self.links.get_mut(&from) {
            // Both dialled at once, or the far side closed and its word was lost: the link stays.
            Some(Link::Up { far_incarnation, used }) if *far_incarnation == attempt.incarnation => {
                *used = now;
                self.answer(from, attempt, LAST_TRIP, out);
                return;
            }
            Some(Link::Up { .. }) => out.push(Effect::Down { peer: from, reason: DownReason::FarRestarted }),
            Some(Link::Dialling { waiting: mine, .. }) => waiting = core::mem::take(mine),
            None if full => {
                transmit(from, Frame::Control(Control::Refuse { attempt }), 0, out);
                return;
            }
            None => {}
        }
        self.answer(from, attempt, LAST_TRIP, out);
        self.bring_up(now, from, attempt.incarnation, Direction::Inbound, waiting, out);
    }

    /// An answer to this side's dial is here.
    fn proceed(
        &mut self,
        now: Instant,
        from: u32,
        answered: (Attempt, u8),
        far_incarnation: u32,
        out: &mut Vec<Effect<T>>,
    ) {
        match self.links.get_mut(&from) {
            Some(Link::Dialling { attempt, trip, waiting, .. }) if (*attempt, *trip) == answered => {
                if *trip < LAST_TRIP {
                    *trip += 1;
                    transmit_dial(from, *attempt, *trip, out);
                } else {
                    let waiting = core::mem::take(waiting);
                    self.bring_up(now, from, far_incarnation, Direction::Outbound, waiting, out);
                }
            }
            // This side gave up, and the far side believes in the link.
            None if answered.1 == LAST_TRIP => transmit(from, Frame::Control(Control::Reset), 0, out),
            _ => {}
        }
    }

    fn bring_up(
        &mut self,
        now: Instant,
        peer: u32,
        far_incarnation: u32,
        direction: Direction,
        waiting: Vec<(T, u64)>,
        out: &mut Vec<Effect<T>>,
    ) {
        let up = Link::Up { far_incarnation, used: now };
        self.insert(peer, up);
        out.push(Effect::Up { peer, direction });
        for (payload, size_bytes) in waiting {
            transmit(peer, Frame::Payload(payload), size_bytes, out);
        }
    }

    fn insert(&mut self, peer: u32, link: Link<T>) {
        self.next = self.next.min(link.deadline(self.config.idle));
        self.links.insert(peer, link);
    }

    /// This side ends a link or a dial.
    fn end(&mut self, peer: u32, down: DownReason, failure: DialFailure, out: &mut Vec<Effect<T>>) {
        match self.links.remove(&peer) {
            Some(Link::Up { .. }) => {
                transmit(peer, Frame::Control(Control::Close), CLOSE_BYTES, out);
                out.push(Effect::Down { peer, reason: down });
            }
            Some(Link::Dialling { waiting, .. }) => {
                out.push(Effect::DialFailed { peer, reason: failure });
                out.extend(waiting.into_iter().map(|(payload, _)| Effect::Failed {
                    to: peer,
                    payload,
                    reason: failure,
                }));
            }
            None => {}
        }
    }

    fn answer(&self, to: u32, attempt: Attempt, trip: u8, out: &mut Vec<Effect<T>>) {
        let answer = Control::Answer { attempt, trip, incarnation: self.incarnation };
        let size = ROUND_TRIPS.get(usize::from(trip)).map_or(0, |(_, back)| *back);
        transmit(to, Frame::Control(answer), size, out);
    }
}

impl<T> Link<T> {
    fn deadline(&self, idle: Duration) -> Instant {
        match self {
            Self::Dialling { until, .. } => *until,
            Self::Up { used, .. } => *used + idle,
        }
    }
}

fn transmit<T>(to: u32, frame: Frame<T>, size_bytes: u64, out: &mut Vec<Effect<T>>) {
    out.push(Effect::Transmit { to, frame, size_bytes });
}

fn transmit_dial<T>(to: u32, attempt: Attempt, trip: u8, out: &mut Vec<Effect<T>>) {
    let size = ROUND_TRIPS.get(usize::from(trip)).map_or(0, |(forth, _)| *forth);
    transmit(to, Frame::Control(Control::Dial { attempt, trip }), size, out);
}

#[cfg(test)]
mod tests;
