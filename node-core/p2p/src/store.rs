//! What a node keeps across its lives: records, with absolute times.
//!
//! A store may block, so it has a thread of its own; changes are applied in the order in which they were asked for.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use types::{PeerId, StoreResult, UnixMillis, WriteId};

/// A record as it is kept: nothing in it depends on a life of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Under which name it is found.
    pub name: Vec<u8>,
    /// What is stored.
    pub value: Vec<u8>,
    /// Who stores it again.
    pub publisher: Option<PeerId>,
    /// How long its sender let it live, in seconds; 0 if it did not say.
    pub ttl_secs: u32,
    /// When it is no longer to be served.
    pub expires: UnixMillis,
}

/// A change to what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keep this record, instead of one of the same name.
    Put(Stored),
    /// Forget the record of this name.
    Delete {
        /// Its name.
        name: Vec<u8>,
    },
}

/// Where records are kept.
pub trait Store: Send + 'static {
    /// All that is kept.
    fn load(&mut self) -> Vec<Stored>;

    /// Applies a change; once this returned `Ok`, it is there after a crash as far as this store promises that.
    ///
    /// # Errors
    /// If the change was not persisted.
    fn apply(&mut self, change: Change) -> StoreResult;
}

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct Memory {
    records: BTreeMap<Vec<u8>, Stored>,
}

impl Store for Memory {
    fn load(&mut self) -> Vec<Stored> {
        self.records.values().cloned().collect()
    }

    fn apply(&mut self, change: Change) -> StoreResult {
        match change {
            Change::Put(stored) => self.records.insert(stored.name.clone(), stored),
            Change::Delete { name } => self.records.remove(&name),
        };
        Ok(())
    }
}

/// The way to a store's thread. The queue needs no bound of its own: a node has a bounded number of writes under way.
pub(crate) type Desk = mpsc::Sender<(WriteId, Change)>;

/// Starts the thread of `store`, which tells of each change by `persisted`. It ends once the desk is dropped and what
/// was asked before is done.
pub(crate) fn work(
    mut store: Box<dyn Store>,
    changes: mpsc::Receiver<(WriteId, Change)>,
    persisted: impl Fn(WriteId, StoreResult) + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("store".to_owned()).spawn(move || {
        for (write, change) in changes {
            persisted(write, store.apply(change));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &[u8], value: u8) -> Stored {
        Stored {
            name: name.to_vec(),
            value: vec![value],
            publisher: None,
            ttl_secs: 0,
            expires: UnixMillis(9),
        }
    }

    #[test]
    fn changes_are_applied_in_order_and_told_of() {
        let (told, results) = mpsc::channel();
        let (desk, changes) = mpsc::channel();
        let thread = work(Box::new(Memory::default()), changes, move |write, result| {
            told.send((write, result)).unwrap();
        })
        .unwrap();
        for number in 0..3 {
            desk.send((WriteId(number), Change::Put(stored(b"a", number as u8)))).unwrap();
        }
        drop(desk);
        thread.join().unwrap();
        let results: Vec<_> = results.iter().collect();
        assert_eq!(results, [0, 1, 2].map(|number| (WriteId(number), Ok(()))));
    }

    #[test]
    fn a_later_record_replaces_one_of_its_name() {
        let mut memory = Memory::default();
        memory.apply(Change::Put(stored(b"a", 1))).unwrap();
        memory.apply(Change::Put(stored(b"a", 2))).unwrap();
        memory.apply(Change::Put(stored(b"b", 3))).unwrap();
        memory.apply(Change::Delete { name: b"b".to_vec() }).unwrap();
        assert_eq!(memory.load(), [stored(b"a", 2)]);
    }
}
