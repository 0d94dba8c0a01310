//! The calendar wheel: a queue of events that costs a push and a copy each, whatever their number.
//!
//! Time is cut into *slots* of a power of two nanoseconds. The wheel's ring holds the slots of two
//! *turns*, the one under the cursor and the next; whatever lies beyond waits, unsorted, in one bucket
//! per later turn and is dealt to its slots when the cursor enters the turn before its own. So an item
//! moves at most once more than into a slot and out of it, and it is sorted once, together with its
//! slot's few neighbours, as it leaves.
//!
//! Buffers of emptied slots are handed to slots that fill: memory follows the number of pending items,
//! not the history of each slot.
//!
//! It is deliberately not a priority queue: it yields windows, not single items, and there is no
//! cancelling (a timer that no longer holds is ignored by its owner).
//!
//! Invariants: what [`Wheel::take_until`] yields is sorted by [`Key`] and complete; nothing can be
//! pushed into time that was already taken.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use types::{Duration, Instant};

use crate::deal::{Dealer, sort_from};

/// The total order of items: earlier first, then by sender, then in the sender's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// When.
    pub at: Instant,
    /// Who scheduled it.
    pub sender: u32,
    /// Its number among what the sender scheduled: no two items share sender and sequence.
    pub sequence: u64,
}

/// What a wheel can hold.
pub trait Timed {
    /// Where this item stands in the order.
    fn key(&self) -> Key;
}

/// Slots of a turn when the owner has no opinion: with the ring's two turns their headers fill 96 KiB,
/// and stay in a second-level cache.
pub const DEFAULT_SLOTS: usize = 2048;
/// Narrower slots than this would be fewer than an item each at any load, and overflow a turn's number.
pub const LEAST_WIDTH: Duration = Duration::from_nanos(1 << 10);

/// A calendar wheel.
#[derive(Debug)]
pub struct Wheel<T> {
    /// A slot is `1 << shift` nanoseconds wide.
    shift: u32,
    /// A turn is `1 << turn` slots long.
    turn: u32,
    /// Two turns of slots, by their number modulo the ring's length.
    ring: Vec<Vec<T>>,
    /// One bit per slot of the ring: whether it holds anything.
    occupied: Vec<u64>,
    /// The first slot from which something can still be taken.
    cursor: u64,
    /// What lies beyond the ring, by turn.
    beyond: BTreeMap<u64, Beyond<T>>,
    /// Buffers of emptied slots.
    spare: Vec<Vec<T>>,
    dealer: Dealer<T>,
    /// The latest end that was taken.
    taken: Instant,
    /// The earliest item; `None` when it must be looked for.
    next: Option<Option<Instant>>,
    len: usize,
}

#[derive(Debug)]
struct Beyond<T> {
    earliest: Instant,
    items: Vec<T>,
}

impl<T: Timed> Wheel<T> {
    /// An empty wheel. The width is rounded down to a power of two nanoseconds (at least
    /// [`LEAST_WIDTH`]), the slots of a turn up to a power of two (at least 64). A good width is a
    /// tenth of the lookahead or less, so that few items share a slot; a good turn is longer than the
    /// common delays.
    #[must_use]
    pub fn new(width: Duration, slots: usize) -> Self {
        let turn = slots.max(64).next_power_of_two().trailing_zeros();
        let ring = 2usize << turn;
        Self {
            shift: width.as_nanos().max(LEAST_WIDTH.as_nanos()).ilog2(),
            turn,
            ring: core::iter::repeat_with(Vec::new).take(ring).collect(),
            occupied: alloc::vec![0; ring / 64],
            cursor: 0,
            beyond: BTreeMap::new(),
            spare: Vec::new(),
            dealer: Dealer::new(),
            taken: Instant::START,
            next: Some(None),
            len: 0,
        }
    }

    /// Items that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an item.
    ///
    /// # Panics
    /// If its time was already taken: an effect would precede its cause.
    pub fn push(&mut self, item: T) {
        let at = item.key().at;
        assert!(at >= self.taken, "an event at {at} was scheduled after time was taken up to {}", self.taken);
        if let Some(next) = &mut self.next {
            *next = Some(next.map_or(at, |next| next.min(at)));
        }
        self.len += 1;
        let slot = at.as_nanos() >> self.shift;
        let turn = slot >> self.turn;
        if turn <= (self.cursor >> self.turn) + 1 {
            self.put(slot, item);
        } else {
            let beyond = self
                .beyond
                .entry(turn)
                .or_insert_with(|| Beyond { earliest: at, items: self.spare.pop().unwrap_or_default() });
            beyond.earliest = beyond.earliest.min(at);
            beyond.items.push(item);
        }
    }

    /// When the earliest item happens. Looked for at most once per [`Wheel::take_until`].
    pub fn next_at(&mut self) -> Option<Instant> {
        if let Some(known) = self.next {
            return known;
        }
        let next = match self.first_occupied() {
            Some(slot) => self.slot(slot).and_then(|slot| slot.iter().map(|item| item.key().at).min()),
            None => self.beyond.first_key_value().map(|(_, beyond)| beyond.earliest),
        };
        self.next = Some(next);
        next
    }

    /// Moves all items before `end` to the end of `out`, in order.
    pub fn take_until(&mut self, end: Instant, out: &mut Vec<T>) {
        if end <= self.taken {
            return;
        }
        self.taken = end;
        if matches!(self.next, Some(None)) || matches!(self.next, Some(Some(next)) if next >= end) {
            self.move_cursor(end.as_nanos() >> self.shift);
            return;
        }
        self.next = None;
        let last = end.as_nanos() >> self.shift;
        loop {
            match self.first_occupied() {
                Some(slot) if slot < last => {
                    self.move_cursor(slot);
                    self.empty(slot, out);
                }
                Some(slot) => {
                    if slot == last {
                        self.split(slot, end, out);
                    }
                    break;
                }
                // The ring is empty: jump to the turn before the next one that holds anything.
                None => match self.beyond.first_key_value() {
                    Some((turn, beyond)) if beyond.earliest < end => {
                        self.move_cursor(turn.saturating_sub(1) << self.turn);
                    }
                    _ => break,
                },
            }
        }
        self.move_cursor(last);
    }

    /// Moves the cursor forward and deals what it brings within the ring.
    fn move_cursor(&mut self, slot: u64) {
        if slot <= self.cursor {
            return;
        }
        let reached = (slot >> self.turn) + 1;
        let entered = reached > (self.cursor >> self.turn) + 1;
        self.cursor = slot;
        if !entered {
            return;
        }
        while let Some(first) = self.beyond.first_entry() {
            if *first.key() > reached {
                break;
            }
            let mut items = first.remove().items;
            for item in items.drain(..) {
                self.put(item.key().at.as_nanos() >> self.shift, item);
            }
            self.keep(items);
        }
    }

    fn put(&mut self, slot: u64, item: T) {
        let at = self.place(slot);
        let Self { ring, occupied, spare, .. } = self;
        let (Some(items), Some(word)) = (ring.get_mut(at), occupied.get_mut(at / 64)) else {
            return;
        };
        if items.capacity() == 0 {
            *items = spare.pop().unwrap_or_default();
        }
        items.push(item);
        *word |= 1 << (at % 64);
    }

    /// Takes a whole slot.
    fn empty(&mut self, slot: u64, out: &mut Vec<T>) {
        let Some(mut items) = self.slot_mut(slot).map(core::mem::take) else {
            return;
        };
        self.len -= items.len();
        self.dealer.deal(&mut items, self.shift, out);
        self.keep(items);
        self.mark_empty(slot);
    }

    /// Takes what comes before `end` from the slot in which `end` lies.
    fn split(&mut self, slot: u64, end: Instant, out: &mut Vec<T>) {
        let start = out.len();
        let Some(items) = self.slot_mut(slot) else { return };
        out.extend(items.extract_if(.., |item| item.key().at < end));
        let left = items.len();
        sort_from(start, out);
        self.len -= out.len() - start;
        if left == 0 {
            if let Some(items) = self.slot_mut(slot).map(core::mem::take) {
                self.keep(items);
            }
            self.mark_empty(slot);
        }
    }

    /// The first slot at or after the cursor that holds anything, as a slot of time.
    fn first_occupied(&self) -> Option<u64> {
        let words = self.occupied.len();
        let cursor = self.place(self.cursor);
        // What precedes the cursor is empty, and a ring of whole turns does not reach round to it.
        (0..words).find_map(|step| {
            let index = (cursor / 64 + step) % words;
            let bits = *self.occupied.get(index)?;
            let found = (bits != 0).then(|| index * 64 + bits.trailing_zeros() as usize)?;
            let ring = words * 64;
            Some(self.cursor + ((found + ring - cursor) % ring) as u64)
        })
    }

    /// Keeps an emptied buffer, unless as many are kept as the ring has slots.
    fn keep(&mut self, items: Vec<T>) {
        if items.capacity() > 0 && self.spare.len() < self.ring.len() {
            self.spare.push(items);
        }
    }

    const fn place(&self, slot: u64) -> usize {
        (slot & ((2 << self.turn) - 1)) as usize
    }

    fn slot(&self, slot: u64) -> Option<&Vec<T>> {
        self.ring.get(self.place(slot))
    }

    fn slot_mut(&mut self, slot: u64) -> Option<&mut Vec<T>> {
        let at = self.place(slot);
        self.ring.get_mut(at)
    }

    fn mark_empty(&mut self, slot: u64) {
        let at = self.place(slot);
        if let Some(word) = self.occupied.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    impl Timed for Key {
        fn key(&self) -> Key {
            *self
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push { delay: u64, sender: u32 },
        Take { span: u64 },
        TakeToNext,
        Ask,
    }

    /// Delays and spans from within a slot to many turns, and the end of time.
    fn span() -> impl Strategy<Value = u64> {
        prop_oneof![0..3_000u64, 0..200_000u64, 0..20_000_000u64, 0..100_000_000_000u64, Just(u64::MAX),]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (span(), 0..5u32).prop_map(|(delay, sender)| Step::Push { delay, sender }),
            2 => (0..300_000u64).prop_map(|span| Step::Take { span }),
            1 => span().prop_filter("the end of time ends the test", |span| *span < u64::MAX)
                .prop_map(|span| Step::Take { span }),
            2 => Just(Step::TakeToNext),
            1 => Just(Step::Ask),
        ]
    }

    proptest! {
        #[test]
        fn it_yields_what_an_ordered_set_would(
            width in 0..100_000u64, slots in 0..300usize, steps in proptest::collection::vec(step(), 1..300),
        ) {
            let mut wheel = Wheel::new(Duration::from_nanos(width), slots);
            let mut oracle = BTreeSet::new();
            let (mut now, mut sequence, mut out) = (Instant::START, 0, Vec::new());
            for step in steps {
                let end = match step {
                    Step::Push { delay, sender } => {
                        let key = Key { at: now + Duration::from_nanos(delay), sender, sequence };
                        sequence += 1;
                        wheel.push(key);
                        oracle.insert(key);
                        continue;
                    }
                    Step::Take { span } => now + Duration::from_nanos(span),
                    Step::TakeToNext => oracle.first().map_or(now, |key| key.at + Duration::from_nanos(1)),
                    Step::Ask => {
                        prop_assert_eq!(wheel.next_at(), oracle.first().map(|key| key.at));
                        continue;
                    }
                };
                wheel.take_until(end, &mut out);
                let mut expected = Vec::new();
                while oracle.first().is_some_and(|key| key.at < end) {
                    expected.extend(oracle.pop_first());
                }
                prop_assert_eq!(&out, &expected);
                prop_assert_eq!(wheel.len(), oracle.len());
                out.clear();
                now = now.max(end);
            }
        }
    }

    #[test]
    #[should_panic(expected = "was scheduled after time was taken")]
    fn the_past_is_closed() {
        let mut wheel = Wheel::new(Duration::from_millis(1), DEFAULT_SLOTS);
        wheel.take_until(Instant::from_nanos(10), &mut Vec::new());
        wheel.push(Key { at: Instant::from_nanos(9), sender: 0, sequence: 0 });
    }

    #[test]
    fn a_window_ends_before_its_end() {
        let key = |at| Key { at: Instant::from_nanos(at), sender: 0, sequence: at };
        let mut wheel = Wheel::new(Duration::from_millis(1), DEFAULT_SLOTS);
        let mut out = Vec::new();
        for at in [7, 5, 6] {
            wheel.push(key(at));
        }
        wheel.take_until(Instant::from_nanos(6), &mut out);
        assert_eq!((out.as_slice(), wheel.next_at()), (&[key(5)][..], Some(key(6).at)));
        wheel.push(key(6));
        assert_eq!(wheel.len(), 3);
    }

    #[test]
    fn buffers_go_round_instead_of_growing_in_every_slot() {
        let mut wheel = Wheel::new(LEAST_WIDTH, 64);
        let mut out = Vec::new();
        for round in 0..10_000u64 {
            let at = Instant::from_nanos(round << 10);
            for sequence in 0..10 {
                wheel.push(Key { at, sender: 0, sequence: round * 10 + sequence });
            }
            wheel.take_until(at + LEAST_WIDTH, &mut out);
            assert_eq!(out.len(), 10);
            out.clear();
        }
        let held: usize = wheel.ring.iter().chain(&wheel.spare).map(Vec::capacity).sum();
        assert!((10..100).contains(&held), "ten items at a time go round in {held} places");
    }
}
