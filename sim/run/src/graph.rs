//! The graph of routing tables, as they were last sampled.

use judge::Tables;
use record::{GraphEdge, GraphHead, GraphNode, RecordError, RunFolder};

use crate::rows::Scene;

/// Writes it; a run that was stopped before it was ever sampled has none.
pub(crate) fn write(folder: &RunFolder, tables: &Tables, scene: &Scene<'_>) -> Result<(), RecordError> {
    if tables.at() == types::Instant::START {
        return Ok(());
    }
    let peers = scene.book.len() as u32;
    let every = Tables::every(peers);
    let head = GraphHead { t_ms: tables.at().as_millis(), peers: peers.into(), every: every.into() };
    let is_up = up(tables, scene);
    let down = |peer: &&u32| !is_up.get(**peer as usize).copied().unwrap_or_default();
    let node = |number: u32| {
        let contacts = tables.contacts(number).unwrap_or_default();
        GraphNode {
            number,
            name: scene.peer_name(number),
            peer: scene.peer_id(number),
            key: scene.book.keys().get(number as usize).map_or(0, types::Key::prefix64),
            group: scene.group(number).to_owned(),
            region: scene.regions.of(number).to_owned(),
            up: !down(&&number),
            contacts: contacts.len() as u64,
            stale: contacts.iter().filter(down).count() as u64,
        }
    };
    let numbers = || (0..peers).step_by(every as usize);
    let edges = numbers().flat_map(|from| {
        let own = scene.book.keys().get(from as usize);
        let known = tables.contacts(from).unwrap_or_default().iter().copied();
        known.filter(move |to| to.is_multiple_of(every)).filter_map(move |to| {
            let bucket = own?.common_prefix(scene.book.keys().get(to as usize)?);
            Some(GraphEdge { from, to, bucket })
        })
    });
    folder.write_graph(record::graph::ROUTING, head, numbers().map(node), edges)
}

/// Who was up when the tables were sampled, by number.
fn up(tables: &Tables, scene: &Scene<'_>) -> Vec<bool> {
    let mut is_up = vec![false; scene.book.len()];
    for event in scene.play.lives().take_while(|event| event.at < tables.at()) {
        if let Some(slot) = is_up.get_mut(event.peer as usize) {
            *slot = event.is_up();
        }
    }
    is_up
}
