//! The bytes of a file: chunks, shared until they change.
//!
//! Invariant, so that equal contents are equal values: a chunk does not end in a zero byte and is absent if empty, a
//! group holds a chunk, the last group is present, and nothing is stored past the size. What is not stored is zero.

use std::sync::Arc;

/// Bytes of a chunk: a page of SQLite.
pub(super) const CHUNK_BYTES: u64 = 4096;
/// Chunks of a group: what a change copies of a long file, besides its chunk, is pointers to 64 chunks and to groups.
const GROUP_CHUNKS: u64 = 64;

type Chunk = Arc<Vec<u8>>;
type Group = Arc<Vec<Option<Chunk>>>;

/// The bytes of a file. A clone is two words and shares everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    size_bytes: u64,
    groups: Arc<Vec<Option<Group>>>,
}

impl Contents {
    pub(super) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What is stored of a chunk; the rest of it is zero.
    pub(super) fn chunk(&self, index: u64) -> &[u8] {
        self.slot(index).map_or(&[], |chunk| chunk.as_slice())
    }

    /// The chunks that are stored, with their indices: the others are zero.
    pub(super) fn stored(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..).step_by(GROUP_CHUNKS as usize).zip(self.groups.iter()).flat_map(|(first, group)| {
            let chunks = group.iter().flat_map(|group| group.iter());
            (first..).zip(chunks).filter_map(|(index, chunk)| Some((index, chunk.as_ref()?.as_slice())))
        })
    }

    /// Whether a chunk is the same in both; cheap if it was never written since one was cloned from the other.
    pub(super) fn same_chunk(&self, other: &Self, index: u64) -> bool {
        self.slot(index) == other.slot(index)
    }

    /// How many chunks the size takes.
    pub(super) const fn chunks(&self) -> u64 {
        self.size_bytes.div_ceil(CHUNK_BYTES)
    }

    fn slot(&self, index: u64) -> Option<&Chunk> {
        let (group, at) = place(index);
        self.groups.get(group)?.as_ref()?.get(at)?.as_ref()
    }

    /// Fills `into` with what stands at `at`; how many bytes there were before the end.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> usize {
        let left = self.size_bytes.saturating_sub(at);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let mut done = 0;
        while done < length {
            let position = at + done as u64;
            let within = (position % CHUNK_BYTES) as usize;
            let step = (CHUNK_BYTES as usize - within).min(length - done);
            let stored = self.chunk(position / CHUNK_BYTES).get(within..).unwrap_or(&[]);
            let stored = stored.get(..step).unwrap_or(stored);
            if let Some(to) = into.get_mut(done..done + step) {
                let (filled, rest) = to.split_at_mut(stored.len());
                filled.copy_from_slice(stored);
                rest.fill(0);
            }
            done += step;
        }
        length
    }

    /// Puts `bytes` at `at`, which may be past the end; nothing changes if there are none. The caller has seen to it that the end fits a `u64`.
    pub(super) fn write(&mut self, at: u64, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut position = at;
        while !bytes.is_empty() {
            let within = (position % CHUNK_BYTES) as usize;
            let step = (CHUNK_BYTES as usize - within).min(bytes.len());
            let (now, later) = bytes.split_at(step);
            self.change(position / CHUNK_BYTES, |chunk| {
                grow(chunk, within + step);
                if let Some(to) = chunk.get_mut(within..within + step) {
                    to.copy_from_slice(now);
                }
            });
            bytes = later;
            position += step as u64;
        }
        self.size_bytes = self.size_bytes.max(position);
    }

    /// Cuts it, or makes it longer by zeros, which take no memory.
    pub(super) fn resize(&mut self, size_bytes: u64) {
        if size_bytes < self.size_bytes {
            self.cut(size_bytes);
        }
        self.size_bytes = size_bytes;
    }

    fn cut(&mut self, size_bytes: u64) {
        let whole = size_bytes.div_ceil(CHUNK_BYTES);
        let (group, at) = place(whole);
        let groups = Arc::make_mut(&mut self.groups);
        groups.truncate(if at == 0 { group } else { group + 1 });
        if at != 0
            && let Some(Some(last)) = groups.get_mut(group)
        {
            Arc::make_mut(last).truncate(at);
        }
        let within = (size_bytes % CHUNK_BYTES) as usize;
        if within != 0 {
            self.change(whole - 1, |chunk| {
                chunk.truncate(within);
                chunk.shrink_to_fit();
            });
        }
        let groups = Arc::make_mut(&mut self.groups);
        if let Some(last) = groups.last_mut() {
            tidy_group(last);
        }
        tidy(groups);
    }

    /// Changes a chunk, and restores the invariant around it.
    fn change(&mut self, index: u64, how: impl FnOnce(&mut Vec<u8>)) {
        let (group, at) = place(index);
        let groups = Arc::make_mut(&mut self.groups);
        if groups.len() <= group {
            groups.resize(group + 1, None);
        }
        let Some(place) = groups.get_mut(group) else { return };
        let chunks = Arc::make_mut(place.get_or_insert_default());
        if chunks.len() <= at {
            chunks.resize(at + 1, None);
        }
        let Some(slot) = chunks.get_mut(at) else { return };
        let chunk = Arc::make_mut(slot.get_or_insert_default());
        how(chunk);
        let stored = chunk.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        chunk.truncate(stored);
        if stored == 0 {
            *slot = None;
            tidy_group(place);
            tidy(groups);
        }
    }
}

/// Makes a chunk at least so long. It doubles as it grows, but not past what a chunk may take.
fn grow(chunk: &mut Vec<u8>, length: usize) {
    if chunk.capacity() < length {
        let capacity = length.max(2 * chunk.len()).min(CHUNK_BYTES as usize);
        chunk.reserve_exact(capacity - chunk.len());
    }
    if chunk.len() < length {
        chunk.resize(length, 0);
    }
}

const fn place(index: u64) -> (usize, usize) {
    ((index / GROUP_CHUNKS) as usize, (index % GROUP_CHUNKS) as usize)
}

/// A group ends in a chunk, or is absent.
fn tidy_group(place: &mut Option<Group>) {
    let Some(group) = place else { return };
    let stored = group.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    if stored == 0 {
        *place = None;
    } else if stored < group.len() {
        Arc::make_mut(group).truncate(stored);
    }
}

/// The list of groups ends in a present one.
fn tidy(groups: &mut Vec<Option<Group>>) {
    let stored = groups.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    groups.truncate(stored);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Where boundaries are: of chunks and of groups.
    fn near() -> impl Strategy<Value = u64> {
        let edges = vec![0, CHUNK_BYTES, 2 * CHUNK_BYTES, GROUP_CHUNKS * CHUNK_BYTES, 65 * CHUNK_BYTES];
        (proptest::sample::select(edges), 0u64..9).prop_map(|(edge, by)| (edge + by).saturating_sub(4))
    }

    proptest! {
        #[test]
        fn contents_are_those_of_a_vector_and_equal_if_it_is(
            steps in proptest::collection::vec((near(), near(), 0u8..2, any::<bool>()), 1..12),
        ) {
            let mut contents = Contents::default();
            let mut model: Vec<u8> = Vec::new();
            for (at, other, byte, is_write) in steps {
                if is_write {
                    let bytes = vec![byte; (other % 9000) as usize];
                    contents.write(at, &bytes);
                    if !bytes.is_empty() {
                        model.resize(model.len().max(at as usize + bytes.len()), 0);
                        model[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
                    }
                } else {
                    contents.resize(at);
                    model.resize(at as usize, 0);
                }
                prop_assert_eq!(contents.size_bytes(), model.len() as u64);
                let mut whole = vec![7; model.len() + 3];
                prop_assert_eq!(contents.read(0, &mut whole), model.len());
                prop_assert_eq!(&whole[..model.len()], &model[..]);
                let mut anew = Contents::default();
                anew.write(0, &model);
                prop_assert_eq!(&anew, &contents);
                let stored: BTreeMap<u64, &[u8]> = contents.stored().collect();
                for index in 0..contents.chunks() {
                    prop_assert_eq!(contents.chunk(index), stored.get(&index).copied().unwrap_or(&[]));
                }
                prop_assert!(stored.values().all(|chunk| chunk.last().is_some_and(|byte| *byte != 0)));
            }
        }
    }

    #[test]
    fn a_change_copies_one_chunk_and_leaves_the_others_shared() {
        let mut before = Contents::default();
        before.write(0, &vec![1; 100 * CHUNK_BYTES as usize]);
        let mut after = before.clone();
        after.write(5 * CHUNK_BYTES + 1, &[9]);
        let shared = |index| Arc::ptr_eq(before.slot(index).unwrap(), after.slot(index).unwrap());
        assert_eq!((0..100).filter(|index| !shared(*index)).collect::<Vec<_>>(), [5]);
        assert!(!before.same_chunk(&after, 5));
        assert_eq!(before.chunk(5)[1], 1);
    }

    #[test]
    fn a_chunk_never_takes_more_memory_than_its_size() {
        let mut contents = Contents::default();
        contents.write(0, &[1; 3000]);
        for at in 3000..CHUNK_BYTES + 100 {
            contents.write(at, &[1]);
            assert!(contents.slot(0).unwrap().capacity() <= CHUNK_BYTES as usize);
        }
        contents.resize(10);
        assert!(contents.slot(0).unwrap().capacity() < 100);
    }

    #[test]
    fn zeros_take_no_memory() {
        let mut contents = Contents::default();
        contents.resize(1 << 40);
        contents.write(1 << 30, &[0; 5000]);
        assert!(contents.groups.is_empty());
    }
}
