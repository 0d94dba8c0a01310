//! What a node keeps across its lives: records with absolute times, the peers that it knew, and how often it lived.
//!
//! A store may block, so it has a thread of its own. Changes are applied in the order in which they were asked for;
//! those that queue up behind one another are applied as one, so that a disk is waited for once and not for each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use types::{PeerId, StoreResult, UnixMillis, WriteId};

use crate::peerbook::Known;

/// Changes that are applied as one, at most. A larger group gains nothing, and makes its first writer wait.
const MAX_GROUP: usize = 128;

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

/// What earlier lives left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How many there were.
    pub lives: u32,
    /// The records that have not expired, by name.
    pub records: Vec<Stored>,
    /// The peers that were known, the latest first.
    pub peers: Vec<Known>,
}

/// Why a store cannot be used. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not as it was left.
    #[error(
        "{path} is damaged: {what}; it was left as it is: restore it from a copy, or move it away to start without its \
         records"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another version of this program wrote it, or another program.
    #[error("{path} has format {found}, and this version reads format {ours}; it was left as it is")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The format that is read.
        ours: u64,
    },
    /// Somebody has it open.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}

/// Where a node keeps things.
pub trait Store: Send + 'static {
    /// Begins a life: counts it, before anybody hears of it, and tells what the earlier ones left. Records that have
    /// expired by `now` are forgotten.
    ///
    /// # Errors
    /// If what was left cannot be read, or the life cannot be counted.
    fn begin(&mut self, now: UnixMillis) -> Result<Past, StoreError>;

    /// Applies changes, all or none; once this returned `Ok`, they are there after a crash as far as this store
    /// promises that.
    ///
    /// # Errors
    /// If they were not persisted.
    fn apply(&mut self, changes: &[Change]) -> StoreResult;

    /// Keeps these peers instead of those before.
    ///
    /// # Errors
    /// If they were not persisted.
    fn remember(&mut self, peers: &[Known]) -> StoreResult;
}

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct Memory {
    lives: u32,
    records: BTreeMap<Vec<u8>, Stored>,
    peers: Vec<Known>,
}

impl Store for Memory {
    fn begin(&mut self, now: UnixMillis) -> Result<Past, StoreError> {
        self.records.retain(|_, stored| stored.expires > now);
        let lives = self.lives;
        self.lives += 1;
        Ok(Past { lives, records: self.records.values().cloned().collect(), peers: self.peers.clone() })
    }

    fn apply(&mut self, changes: &[Change]) -> StoreResult {
        for change in changes {
            match change {
                Change::Put(stored) => self.records.insert(stored.name.clone(), stored.clone()),
                Change::Delete { name } => self.records.remove(name),
            };
        }
        Ok(())
    }

    fn remember(&mut self, peers: &[Known]) -> StoreResult {
        self.peers = peers.to_vec();
        Ok(())
    }
}

/// What is asked of a store's thread.
#[derive(Debug)]
pub(crate) enum Job {
    Change(WriteId, Change),
    Remember(Vec<Known>),
}

/// The way to a store's thread. The queue needs no bound of its own: a node has a bounded number of writes under way,
/// and its peers are remembered at a bounded pace.
pub(crate) type Desk = mpsc::Sender<Job>;

/// Starts the thread of `store`, which tells of each change by `persisted`. It ends once the desk is dropped and what
/// was asked before is done.
pub(crate) fn work(
    mut store: Box<dyn Store>,
    jobs: mpsc::Receiver<Job>,
    persisted: impl Fn(WriteId, StoreResult) + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("store".to_owned()).spawn(move || {
        let mut fails = false;
        while let Ok(first) = jobs.recv() {
            let (mut writes, mut changes, mut peers) = (Vec::new(), Vec::new(), None);
            for job in std::iter::once(first).chain(jobs.try_iter()).take(MAX_GROUP) {
                match job {
                    Job::Change(write, change) => {
                        writes.push(write);
                        changes.push(change);
                    }
                    // A later list stands for an earlier one.
                    Job::Remember(known) => peers = Some(known),
                }
            }
            if !changes.is_empty() {
                let result = store.apply(&changes);
                // A disk that fails does so at every write: its beginning and its end are worth a line each.
                match &result {
                    Err(reason) if !fails => tracing::error!(?reason, "nothing can be written down"),
                    Ok(()) if fails => tracing::warn!("what there is can be written down again"),
                    _ => {}
                }
                fails = result.is_err();
                writes.into_iter().for_each(|write| persisted(write, result));
            }
            if let Some(peers) = peers {
                // Nobody waits for it; the next list is written all the same.
                let _ = store.remember(&peers);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

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

    /// Tells how large each group was, and refuses those of more than `most`.
    struct Groups {
        sizes: Arc<Mutex<Vec<usize>>>,
        most: usize,
        open: mpsc::Receiver<()>,
    }

    impl Store for Groups {
        fn begin(&mut self, _: UnixMillis) -> Result<Past, StoreError> {
            Ok(Past::default())
        }

        fn apply(&mut self, changes: &[Change]) -> StoreResult {
            self.open.recv().unwrap();
            self.sizes.lock().unwrap().push(changes.len());
            if changes.len() > self.most { Err(types::StoreFailure::Full) } else { Ok(()) }
        }

        fn remember(&mut self, _: &[Known]) -> StoreResult {
            Ok(())
        }
    }

    #[test]
    fn changes_that_queue_up_are_applied_as_one_in_order_and_told_of_one_by_one() {
        let (told, results) = mpsc::channel();
        let (desk, jobs) = mpsc::channel();
        let (opens, open) = mpsc::channel();
        let sizes = Arc::default();
        let store = Groups { sizes: Arc::clone(&sizes), most: 127, open };
        for number in 0..300 {
            desk.send(Job::Change(WriteId(number), Change::Put(stored(b"a", number as u8)))).unwrap();
        }
        let tell = move |write, result| told.send((write, result)).unwrap();
        let thread = work(Box::new(store), jobs, tell).unwrap();
        (0..3).for_each(|_| opens.send(()).unwrap());
        drop(desk);
        thread.join().unwrap();
        assert_eq!(*sizes.lock().unwrap(), [128, 128, 44]);
        let results: Vec<_> = results.iter().collect();
        let full = |number| if number < 256 { Err(types::StoreFailure::Full) } else { Ok(()) };
        let awaited: Vec<_> = (0..300).map(|number| (WriteId(number), full(number))).collect();
        assert_eq!(results, awaited);
    }

    #[test]
    fn a_later_record_replaces_one_of_its_name_and_a_life_is_counted() {
        let mut memory = Memory::default();
        assert_eq!(memory.begin(UnixMillis(0)).unwrap(), Past::default());
        let put = |name: &[u8], value| Change::Put(stored(name, value));
        let delete = Change::Delete { name: b"b".to_vec() };
        memory.apply(&[put(b"a", 1), put(b"a", 2), put(b"b", 3), delete]).unwrap();
        let past = memory.begin(UnixMillis(8)).unwrap();
        assert_eq!(past, Past { lives: 1, records: vec![stored(b"a", 2)], peers: Vec::new() });
        assert_eq!(memory.begin(UnixMillis(9)).unwrap(), Past { lives: 2, ..Past::default() });
    }
}
