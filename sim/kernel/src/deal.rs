//! Sorts a slot by dealing it: into as many places as it has items, by the upper bits of their times
//! within the slot, then each place by itself.
//!
//! Times within a slot are spread evenly or nearly so: then every place gets a few items, and to sort costs
//! two copies of each instead of a logarithm of comparisons. Where they are not, a place is large and is
//! sorted as a whole would be.

use alloc::vec::Vec;

use crate::wheel::Timed;

/// Fewer items than this are sorted as they are.
const LEAST_DEALT: usize = 32;
/// Places at the most: with some items each, they fit a first-level cache.
const MOST_PLACES_LOG2: u32 = 8;
/// Room that a place keeps for the next slot: some times what is usual.
const KEPT_ITEMS: usize = 32;

/// The places, with the room that they have grown to.
#[derive(Debug)]
pub(crate) struct Dealer<T> {
    places: Vec<Vec<T>>,
}

impl<T: Timed> Dealer<T> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// Moves all items to the end of `out`, in order. Their times agree but for the lowest `width_log2` bits.
    pub(crate) fn deal(&mut self, items: &mut Vec<T>, width_log2: u32, out: &mut Vec<T>) {
        if items.len() < LEAST_DEALT {
            let start = out.len();
            out.append(items);
            sort_from(start, out);
            return;
        }
        // One or two items share a place.
        let bits = items.len().ilog2().min(MOST_PLACES_LOG2).min(width_log2);
        let places = 1 << bits;
        if self.places.len() < places {
            self.places.resize_with(places, Vec::new);
        }
        for item in items.drain(..) {
            let place = (item.key().at.as_nanos() >> (width_log2 - bits)) as usize & (places - 1);
            if let Some(place) = self.places.get_mut(place) {
                place.push(item);
            }
        }
        out.reserve(self.places.iter().take(places).map(Vec::len).sum());
        for place in self.places.iter_mut().take(places) {
            let start = out.len();
            out.append(place);
            sort_from(start, out);
            if place.capacity() > KEPT_ITEMS {
                *place = Vec::new();
            }
        }
    }
}

/// Sorts what stands from `start` on.
pub(crate) fn sort_from<T: Timed>(start: usize, out: &mut [T]) {
    if let Some(taken) = out.get_mut(start..)
        && taken.len() > 1
    {
        taken.sort_unstable_by_key(Timed::key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wheel::Key;
    use proptest::prelude::*;
    use types::Instant;

    proptest! {
        #[test]
        fn dealing_is_sorting(
            times in proptest::collection::vec((0..1u64 << 19, 0..3u32), 0..3_000), narrow in 0..20u32, before in 0..3usize,
        ) {
            let key = |(sequence, (time, sender)): (u64, (u64, u32))| {
                Key { at: Instant::from_nanos((7 << 19) + (time >> narrow)), sender, sequence }
            };
            let mut items: Vec<Key> = (0..).zip(times).map(key).collect();
            let mut sorted = items.clone();
            sorted.sort();
            let earlier = Key { at: Instant::from_nanos(1), sender: 0, sequence: 0 };
            let mut out = alloc::vec![earlier; before];
            let mut dealer = Dealer::new();
            for _ in 0..2 {
                dealer.deal(&mut items, 19, &mut out);
                prop_assert!(items.is_empty());
                prop_assert_eq!(&out[before..], &sorted);
                prop_assert_eq!(&out[..before], &alloc::vec![earlier; before]);
                items.extend(out.drain(before..).rev());
            }
        }
    }

    #[test]
    fn places_keep_little() {
        let mut dealer = Dealer::new();
        for time in 0..64u64 {
            let mut items = (0..10_000)
                .map(|sequence| Key { at: Instant::from_nanos(time << 10), sender: 0, sequence })
                .collect();
            dealer.deal(&mut items, 16, &mut Vec::new());
        }
        let held: usize = dealer.places.iter().map(Vec::capacity).sum();
        assert!(held <= KEPT_ITEMS << MOST_PLACES_LOG2, "{held}");
    }
}
