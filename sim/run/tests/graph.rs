//! The graph of a run says what its other files say, however many threads ran it.

#![expect(clippy::unwrap_used, reason = "a test may")]

use record::graph::ROUTING;
use record::{Graph, OperationRow, PeerRow, Run, SeriesRow};
use run::Out;
use wavetank_run as run;

fn folder(threads: usize) -> (tempfile::TempDir, Run) {
    let desk = tempfile::tempdir().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/kademlia/hello.yaml");
    let out = desk.path().join("out");
    run::scenario(path).seed(1).threads(threads).out(Out::Folder(out.clone())).run().unwrap();
    (desk, Run::open(out).unwrap())
}

fn mean_contacts(graph: &Graph) -> f64 {
    let up = graph.nodes.iter().filter(|node| node.up);
    graph.edges.len() as f64 / up.count() as f64
}

#[test]
fn the_graph_agrees_with_the_other_files() {
    let (_desk, run) = folder(1);
    let graph = run.graph(ROUTING).unwrap().unwrap();
    let peers = run.table::<PeerRow>(10_000).unwrap();
    assert_eq!(graph.head.t_ms, run.manifest().sim.ended_ms.unwrap());
    assert_eq!((graph.head.peers, graph.head.every), (peers.len() as u64, 1));
    for (node, peer) in graph.nodes.iter().zip(&peers) {
        assert_eq!(
            (node.number, &node.name, &node.peer, &node.group, &node.region),
            (peer.number, &peer.name, &peer.id, &peer.group, &peer.region)
        );
        let edges = graph.edges.iter().filter(|edge| edge.from == node.number).count() as u64;
        assert_eq!(edges, node.contacts);
    }
    let sampled = run.table::<SeriesRow>(1_000_000).unwrap();
    let last = sampled.iter().rfind(|row| row.metric == "kad.contacts").unwrap();
    assert!((mean_contacts(&graph) - last.value).abs() < 1e-3, "{} {}", mean_contacts(&graph), last.value);
    let operations = run.table::<OperationRow>(1_000_000).unwrap();
    let asked = peers.iter().map(|peer| (peer.number, (&peer.group, &peer.region)));
    let asked: std::collections::BTreeMap<_, _> = asked.collect();
    assert!(operations.iter().all(|row| asked.get(&row.peer) == Some(&(&row.group, &row.region))));
}

#[test]
fn threads_do_not_show_in_it() {
    let ((_a, one), (_b, two)) = (folder(1), folder(2));
    assert_eq!(one.file(ROUTING).unwrap(), two.file(ROUTING).unwrap());
}
