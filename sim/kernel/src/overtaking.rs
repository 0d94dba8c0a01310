//! Keeps what is sent on a link from overtaking what was sent on it before.
//!
//! Only jitter lets a message overtake another, so only one that left less than a jitter earlier can be
//! overtaken: a message is remembered for that long after its departure, and nothing longer. What is
//! remembered stands in the order of sending, which is nearly that of forgetting, in one queue; messages
//! whose links share a hash are chained. To send costs a walk of about one step, whatever the sender's
//! load and the jitter.
//!
//! Why that long is enough: a message arrives by the departure of the last one on its link, plus base and
//! jitter (or floor), because each is raised at most to its predecessor's arrival. One that leaves a
//! jitter later arrives after that by itself.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use types::{Duration, Instant};

/// The last messages on each link.
#[derive(Debug)]
pub(crate) struct Overtaking {
    /// Those that may be overtaken, in the order of sending.
    sent: VecDeque<Sent>,
    /// How many were forgotten, so how many came before the first of `sent`; modulo 2^32.
    forgotten: u32,
    /// By hash of a link, the number of the last message with it; a number may be of a forgotten one.
    last: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    link: u64,
    /// From this departure on, nothing can overtake it.
    until: Instant,
    arrival: Instant,
    /// The number of the message before it with the same hash.
    before: u32,
}

const _: () = assert!(size_of::<Sent>() == 32);

/// Hashes at the least.
const LEAST_HASHES: usize = 1024;
/// Hashes for each message when they are dealt anew: most messages then find nobody before them, which the processor
/// learns to expect.
const HASHES_PER_MESSAGE: usize = 4;

impl Overtaking {
    pub(crate) fn new() -> Self {
        Self { sent: VecDeque::new(), forgotten: 0, last: Vec::new() }
    }

    /// Nothing departs before `now` any more.
    pub(crate) fn forget(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|sent| sent.until <= now) {
            self.sent.pop_front();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        if 2 * self.sent.len() > self.last.len() {
            // A clog or a slow uplink lets some depart much later than they were sent: those do not hold up the others.
            self.sent.retain(|sent| sent.until > now);
            self.rehash();
        }
    }

    /// When a message arrives that departs now and would arrive at `arrival`.
    #[inline]
    pub(crate) fn in_order(
        &mut self,
        link: (u32, u32),
        departure: Instant,
        arrival: Instant,
        jitter: Duration,
    ) -> Instant {
        let link = u64::from(link.0) << 32 | u64::from(link.1);
        if self.sent.len() >= self.last.len() {
            self.rehash();
        }
        let number = self.forgotten.wrapping_add(self.sent.len() as u32);
        let mut latest = arrival;
        let hash = hash_of(link, self.last.len());
        let before = self.last.get_mut(hash).map(|last| core::mem::replace(last, number)).unwrap_or_default();
        let mut earlier = before;
        while let Some(sent) = self.sent.get(earlier.wrapping_sub(self.forgotten) as usize) {
            if sent.link == link {
                latest = latest.max(sent.arrival);
                break;
            }
            earlier = sent.before;
        }
        self.sent.push_back(Sent { link, until: departure + jitter, arrival: latest, before });
        latest
    }

    /// Messages that are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Chains anew.
    fn rehash(&mut self) {
        let hashes = (HASHES_PER_MESSAGE * self.sent.len()).next_power_of_two().max(LEAST_HASHES);
        let nobody = self.forgotten.wrapping_sub(1);
        self.last.clear();
        self.last.resize(hashes, nobody);
        let mut number = self.forgotten;
        for sent in &mut self.sent {
            if let Some(last) = self.last.get_mut(hash_of(sent.link, hashes)) {
                sent.before = core::mem::replace(last, number);
            }
            number = number.wrapping_add(1);
        }
    }
}

/// Multiplied by an odd number near 2^64 over the golden ratio; its upper bits are the evenly spread ones.
fn hash_of(link: u64, hashes: usize) -> usize {
    let bits = hashes.trailing_zeros();
    (link.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits).min(63)) as usize & hashes.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_does_what_keeping_every_arrival_would(
            sends in proptest::collection::vec((0..40u64, 0..4u32, 0..4u32, 0..100u64, 0..3_000u64), 1..400),
            jitter in 1..100u64, windows: bool,
        ) {
            let mut overtaking = Overtaking::new();
            let mut arrivals = BTreeMap::new();
            let mut now = 0;
            for (gap, from, to, late, held) in sends {
                now += gap;
                if windows {
                    overtaking.forget(Instant::from_nanos(now));
                }
                // What one receiver's clog holds back departs with all that it holds back.
                let departure = if to == 3 { now.next_multiple_of(held.max(1)).max(now) } else { now };
                let last = arrivals.entry((from, to)).or_insert((Instant::START, 0));
                let departure = departure.max(last.1);
                let at = |nanos| Instant::from_nanos(nanos);
                let arrival = at(departure + 500 + late.min(jitter));
                let expected = arrival.max(last.0);
                *last = (expected, departure);
                let got = overtaking.in_order((from, to), at(departure), arrival, Duration::from_nanos(jitter));
                prop_assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn one_that_is_held_up_long_does_not_hold_up_the_others() {
        let mut overtaking = Overtaking::new();
        let (at, jitter) = (Instant::from_nanos, Duration::from_nanos(10));
        overtaking.in_order((0, 1), at(1 << 40), at(1 << 41), jitter);
        for now in 0..100_000 {
            overtaking.forget(at(now));
            overtaking.in_order((now as u32, 2), at(now), at(now + 100), jitter);
        }
        assert!(overtaking.len() <= 2 * LEAST_HASHES, "{}", overtaking.len());
    }

    #[test]
    fn numbers_go_round() {
        let mut overtaking = Overtaking { forgotten: u32::MAX - 2, ..Overtaking::new() };
        let (at, jitter) = (Instant::from_nanos, Duration::from_nanos(50));
        for now in 0..10 {
            overtaking.forget(at(now));
            assert_eq!(overtaking.in_order((0, 1), at(now), at(200 - now), jitter), at(200));
        }
        assert_eq!(overtaking.len(), 10);
    }
}
