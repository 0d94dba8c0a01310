//! A bare calendar queue: the yardstick that kernel's wheel is held against, and which shares no code with it.
//!
//! Time is cut into slots of a power of two nanoseconds, kept in a ring that is longer than any delay. A slot is sorted
//! once, when time reaches it: dealt by its next lower bits into as many places as it has events, then put right by
//! insertion. So a push and a pop cost a copy each and a share of a small sort that stays in the cache.
//!
//! It is deliberately less than a kernel needs: no delay may exceed the ring, there are no windows, and nothing can be
//! asked but the next event. Events at the same instant come out in the order in which they were pushed.

#![expect(
    clippy::indexing_slicing,
    reason = "slots are masked; ranges are sums of counts of the same events"
)]

/// What a calendar can hold.
pub(crate) trait Dated: Copy + Default {
    /// When, in nanoseconds.
    fn at(&self) -> u64;
}

/// Places that a slot is dealt into, at most: their counts fit a first-level cache.
const MOST_PLACES_LOG2: u32 = 11;

#[derive(Debug)]
pub(crate) struct Calendar<E> {
    /// A slot is `1 << shift` nanoseconds wide.
    shift: u32,
    ring: Vec<Vec<E>>,
    /// The slot that is being emptied, by its number since time began.
    current: u64,
    /// Its events in order, from `next` to `end`.
    sorted: Vec<E>,
    next: usize,
    end: usize,
    /// Where the next event of each place goes.
    places: Vec<u32>,
    /// Buffers of emptied slots: they are the ones that the cache still holds.
    spare: Vec<Vec<E>>,
    len: usize,
}

impl<E: Dated> Calendar<E> {
    /// A calendar of `1 << slots_log2` slots of `1 << shift` nanoseconds.
    pub(crate) fn new(shift: u32, slots_log2: u32) -> Self {
        Self {
            shift,
            ring: (0..1usize << slots_log2).map(|_| Vec::new()).collect(),
            current: 0,
            sorted: Vec::new(),
            next: 0,
            end: 0,
            places: vec![0; 1 << MOST_PLACES_LOG2],
            spare: Vec::new(),
            len: 0,
        }
    }

    /// A calendar for about `pending` events with delays of up to `longest` nanoseconds: some hundreds of events share a
    /// slot, so that the ends of all slots stay in the cache, and so does a slot while it is sorted.
    pub(crate) fn sized(pending: usize, longest: u64) -> Self {
        const EVENTS_PER_SLOT: usize = 256;
        let slots_log2 = (pending / EVENTS_PER_SLOT).next_power_of_two().trailing_zeros().clamp(8, 12);
        let shift = (longest >> (slots_log2 - 1)).next_power_of_two().trailing_zeros();
        Self::new(shift, slots_log2)
    }

    #[inline]
    pub(crate) fn push(&mut self, event: E) {
        self.len += 1;
        let slot = event.at() >> self.shift;
        if slot <= self.current {
            self.push_now(event);
            return;
        }
        assert!(slot - self.current < self.ring.len() as u64, "a delay is longer than the ring");
        let mask = self.ring.len() - 1;
        let slot = &mut self.ring[slot as usize & mask];
        if slot.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *slot = spare;
        }
        slot.push(event);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<E> {
        if self.next == self.end && !self.turn() {
            return None;
        }
        let event = self.sorted[self.next];
        self.next += 1;
        self.len -= 1;
        Some(event)
    }

    /// What comes next, as far as it is sorted: `count` events at most.
    #[inline]
    pub(crate) fn upcoming(&self, count: usize) -> &[E] {
        &self.sorted[self.next..self.end.min(self.next + count)]
    }

    /// Adds to the slot that is being emptied.
    fn push_now(&mut self, event: E) {
        self.sorted.truncate(self.end);
        let before = self.sorted[self.next..].partition_point(|other| other.at() <= event.at());
        self.sorted.insert(self.next + before, event);
        self.end += 1;
    }

    /// Goes to the next slot that holds anything and sorts it; false if none does.
    fn turn(&mut self) -> bool {
        if self.len == 0 {
            return false;
        }
        let mask = self.ring.len() - 1;
        loop {
            self.current += 1;
            let slot = &mut self.ring[self.current as usize & mask];
            if !slot.is_empty() {
                let mut events = std::mem::take(slot);
                self.sort(&events);
                events.clear();
                self.spare.push(events);
                return true;
            }
        }
    }

    fn sort(&mut self, events: &[E]) {
        let count = events.len();
        self.next = 0;
        self.end = count;
        if self.sorted.len() < count {
            self.sorted.resize(count, E::default());
        }
        let bits = (count.next_power_of_two().trailing_zeros()).min(MOST_PLACES_LOG2).min(self.shift);
        let (down, mask) = (self.shift - bits, (1usize << bits) - 1);
        let places = &mut self.places[..1 << bits];
        places.fill(0);
        for event in events {
            places[(event.at() >> down) as usize & mask] += 1;
        }
        let mut start = 0;
        for place in &mut *places {
            start += std::mem::replace(place, start);
        }
        for event in events {
            let place = &mut places[(event.at() >> down) as usize & mask];
            self.sorted[*place as usize] = *event;
            *place += 1;
        }
        insertion_sort(&mut self.sorted[..count]);
    }
}

/// Sorts what is nearly sorted; equals keep their order.
fn insertion_sort<E: Dated>(events: &mut [E]) {
    for place in 1..events.len() {
        let event = events[place];
        let mut hole = place;
        while hole > 0 && events[hole - 1].at() > event.at() {
            events[hole] = events[hole - 1];
            hole -= 1;
        }
        if hole < place {
            events[hole] = event;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draws;

    impl Dated for (u64, u32) {
        fn at(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn it_yields_events_by_time_and_equals_as_they_were_pushed() {
        for (shift, slots_log2, longest) in
            [(4, 8, 3_000), (10, 8, 200_000), (2, 12, 16_000), (14, 8, 3_000_000)]
        {
            let mut draws = Draws::new(shift.into());
            let mut calendar = Calendar::<(u64, u32)>::new(shift, slots_log2);
            let mut oracle = std::collections::BTreeSet::new();
            let mut now = 0;
            for number in 0..20_000u32 {
                // Every third step takes, so the queue grows; some delays are nothing, some the ring's length.
                if number % 3 == 2 {
                    let popped = calendar.pop();
                    assert_eq!(popped, oracle.pop_first());
                    now = popped.unwrap().0;
                } else {
                    let delay = [0, draws.below(50), draws.below(longest), longest][draws.below(4) as usize];
                    calendar.push((now + delay, number));
                    oracle.insert((now + delay, number));
                }
            }
            while let Some(event) = calendar.pop() {
                assert_eq!(Some(event), oracle.pop_first());
            }
            assert!(oracle.is_empty());
        }
    }

    #[test]
    #[should_panic(expected = "longer than the ring")]
    fn a_delay_beyond_the_ring_is_noticed() {
        Calendar::new(4, 8).push((16 * 256 + 16, 0));
    }
}
