//! A thousand lookups among a thousand peers who stay where they are.
//!
//! Who asked what and what was found is taken from the peers themselves; who is closest, from the ids in `peers.csv`,
//! by comparing with every peer. `operations.csv` and the verdict must say the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use config::Config;
use kad::{Event, Operation};
use node::{Command, Input, Life, Node, Outbox, Output, Peer, Restored, Settings, View};
use record::PeerRow;
use run::Cast;
use types::{Book, Key, Now, OperationId, PeerId};

use crate::{in_house, run, successes};

const PEERS: usize = 1_000;
const LOOKUPS: usize = 1_000;
/// The k of the configuration's defaults.
const K: usize = 20;

/// What a lookup was after, and what its peer said it had found.
#[derive(Debug)]
struct Heard {
    peer: u32,
    key: Key,
    /// Numbers of peers, nearest first.
    found: Option<Vec<u32>>,
}

type Notes = Arc<Mutex<BTreeMap<OperationId, Heard>>>;

/// Honest nodes whose clients talk.
#[derive(Debug, Default)]
struct Listening(Notes);

#[derive(Debug)]
struct Overheard {
    node: Node,
    number: u32,
    notes: Notes,
}

impl Cast for Listening {
    fn play(&self, number: u32, life: Life, restored: &Restored, book: &Book) -> Option<Box<dyn Peer>> {
        let node = Node::restore(life, &Settings::from(&Config::default()), restored.clone(), book);
        Some(Box::new(Overheard { node, number, notes: Arc::clone(&self.0) }))
    }
}

impl Peer for Overheard {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        if let Input::Command(Command::Kad(command)) = &input
            && let Operation::Lookup(target) = &command.operation
        {
            let heard = Heard { peer: self.number, key: *target.key(), found: None };
            self.notes.lock().unwrap().insert(command.id, heard);
        }
        self.node.handle(now, input, book, out);
        for output in out.outputs() {
            if let Output::Event(node::Event::Kad(Event::OperationEnded { id, report, .. })) = output {
                let numbers = report.closest.iter().map(|peer| peer.index().unwrap() as u32);
                self.notes.lock().unwrap().get_mut(id).unwrap().found = Some(numbers.collect());
            }
        }
    }

    fn view(&self) -> View<'_> {
        self.node.view()
    }
}

/// The k peers closest to `key`, the asking one aside, by looking at every one.
fn closest(keys: &[Key], key: &Key, asking: u32) -> Vec<u32> {
    let distance = |peer: &u32| -> [u8; 32] {
        let (own, other) = (keys[*peer as usize].as_bytes(), key.as_bytes());
        std::array::from_fn(|byte| own[byte] ^ other[byte])
    };
    let mut peers: Vec<u32> = (0..keys.len() as u32).filter(|peer| *peer != asking).collect();
    peers.sort_unstable_by_key(distance);
    peers.truncate(K);
    peers
}

#[test]
fn every_lookup_finds_exactly_the_k_closest() {
    let cast = Listening::default();
    let notes = Arc::clone(&cast.0);
    let scenario = run::scenario(in_house("tests/truth/still.yaml")).cast(Arc::new(cast));
    let (_out, finished, folder) = run(scenario);
    assert!(finished.passed(), "{finished}");
    let ids = folder.table::<PeerRow>(PEERS).unwrap();
    let keys: Vec<Key> = ids.iter().map(|row| row.id.parse::<PeerId>().unwrap().key()).collect();
    assert_eq!(keys.len(), PEERS);
    let notes = notes.lock().unwrap();
    assert!(notes.len() >= LOOKUPS, "{} lookups were asked", notes.len());
    for heard in notes.values() {
        let found = heard.found.as_ref().unwrap();
        assert_eq!(
            *found,
            closest(&keys, &heard.key, heard.peer),
            "peer {} about {:?}",
            heard.peer,
            heard.key
        );
    }
    let rows = successes(&folder);
    assert_eq!(rows.len(), notes.len());
    let mut asked: Vec<(u32, String)> = notes.values().map(|heard| (heard.peer, hex(&heard.key))).collect();
    let mut written: Vec<(u32, String)> = rows.iter().map(|row| (row.peer, row.key.clone())).collect();
    asked.sort_unstable();
    written.sort_unstable();
    assert_eq!(asked, written, "operations.csv holds the lookups that the peers were asked for");
    for row in rows {
        assert_eq!((row.recall, row.timeouts), (Some(1.0), Some(0)), "{row:?}");
    }
}

fn hex(key: &Key) -> String {
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
