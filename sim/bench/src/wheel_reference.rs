//! The bare machine: peers that pass messages on, and nothing besides.
//!
//! Each of N messages is always under way to a peer drawn at random, 10-100 ms ahead. A peer is a row of one cache line,
//! which folds what it handles. The same loop runs over the calendar and over the standard library's heap; both must
//! give the same digest of all events in order, so neither can win by doing less.

#![expect(clippy::indexing_slicing, reason = "receivers are drawn below the number of rows")]

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::calendar::{Calendar, Dated};
use crate::draw::{Draws, scale, step};
use crate::machine::thread_cpu;
use crate::measure::Measured;

/// The shortest delay.
pub(crate) const LEAST_DELAY_NS: u64 = 10_000_000;
/// Delays are spread evenly over this.
pub(crate) const DELAY_SPREAD_NS: u32 = 90_000_000;

/// 40 bytes under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Message {
    at: u64,
    /// Its number among all that were sent.
    sequence: u64,
    to: u32,
    from: u32,
    /// What its further way is drawn from.
    token: u64,
    hops: u64,
}

const _: () = assert!(size_of::<Message>() == 40);

impl Dated for Message {
    #[inline]
    fn at(&self) -> u64 {
        self.at
    }
}

impl Ord for Message {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Message {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the loop needs of a queue.
trait Queue {
    fn push(&mut self, message: Message);
    fn pop(&mut self) -> Option<Message>;
}

impl Queue for Calendar<Message> {
    #[inline]
    fn push(&mut self, message: Message) {
        Self::push(self, message);
    }
    #[inline]
    fn pop(&mut self) -> Option<Message> {
        Self::pop(self)
    }
}

impl Queue for BinaryHeap<Reverse<Message>> {
    #[inline]
    fn push(&mut self, message: Message) {
        Self::push(self, Reverse(message));
    }
    #[inline]
    fn pop(&mut self) -> Option<Message> {
        Self::pop(self).map(|Reverse(message)| message)
    }
}

/// A peer.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Row {
    handled: u64,
    digest: u64,
}

/// The loop over the calendar, until `events` messages were handled.
pub(crate) fn over_calendar(peers: u32, events: u64) -> Measured {
    let longest = LEAST_DELAY_NS + u64::from(DELAY_SPREAD_NS);
    relay(Calendar::sized(peers as usize, longest), peers, events)
}

/// The loop over the heap.
pub(crate) fn over_heap(peers: u32, events: u64) -> Measured {
    relay(BinaryHeap::with_capacity(peers as usize + 1), peers, events)
}

fn relay(mut queue: impl Queue, peers: u32, events: u64) -> Measured {
    let mut rows = vec![Row::default(); peers as usize];
    let mut draws = Draws::new(1);
    let mut sequence = 0;
    for from in 0..peers {
        queue.push(on_its_way(0, from, draws.bits(), 0, sequence, peers));
        sequence += 1;
    }
    let mut order = 0u64;
    let begin = thread_cpu();
    for _ in 0..events {
        let Some(message) = queue.pop() else { break };
        let row = &mut rows[message.to as usize];
        row.handled += 1;
        row.digest = fold(row.digest, message.token ^ message.at);
        order = fold(order, message.at ^ (u64::from(message.to) << 32) ^ u64::from(message.from));
        let Message { at, to, token, hops, .. } = message;
        queue.push(on_its_way(at, to, step(token), hops + 1, sequence, peers));
        sequence += 1;
    }
    let cpu = thread_cpu() - begin;
    let digest = rows.iter().fold(order, |sum, row| sum.wrapping_add(fold(row.digest, row.handled)));
    Measured { events, cpu, digest, ..Measured::default() }
}

#[inline]
fn on_its_way(now: u64, from: u32, token: u64, hops: u64, sequence: u64, peers: u32) -> Message {
    let to = scale((token >> 32) as u32, peers);
    let delay = LEAST_DELAY_NS + u64::from(scale(token as u32, DELAY_SPREAD_NS));
    Message { at: now + delay, sequence, to, from, token, hops }
}

#[inline]
const fn fold(digest: u64, word: u64) -> u64 {
    (digest ^ word).wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_queues_give_the_same_events_in_the_same_order() {
        for peers in [1, 20, 1_000, 30_000] {
            let (calendar, heap) = (over_calendar(peers, 100_000), over_heap(peers, 100_000));
            assert_eq!(calendar.digest, heap.digest, "{peers} peers");
        }
        assert_ne!(over_heap(20, 100_000).digest, over_heap(20, 100_001).digest);
    }
}
