//! Graphs come back as they were written, a stock library reads them, and no file breaks the reader.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may, and it says what it skips")]

use std::fs;
use std::path::Path;
use std::process::Command;

use wavetank_record::graph::{ATTRIBUTES, ROUTING};
use wavetank_record::{
    FORMAT, Graph, GraphEdge, GraphHead, GraphNode, Manifest, RecordError, Run, RunFolder,
};

fn graph() -> Graph {
    let node = |number: u32, name: &str, up| GraphNode {
        number,
        name: name.to_owned(),
        peer: format!("12D3KooW{number}"),
        key: u64::from(number) << 60 | 1,
        group: "<edge> & \"co\"".to_owned(),
        region: String::new(),
        up,
        contacts: 2,
        stale: u64::from(up),
    };
    let edge = |from, to, bucket| GraphEdge { from, to, bucket };
    Graph {
        head: GraphHead { t_ms: 480_000, peers: 5, every: 2 },
        nodes: vec![node(0, "edge-0", true), node(2, "it's ]]> é", false), node(4, "edge-4", true)],
        edges: vec![edge(0, 2, 0), edge(0, 4, 7), edge(4, 0, 7)],
    }
}

fn written(graph: &Graph) -> (tempfile::TempDir, Run) {
    let root = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(root.path().join("run")).unwrap();
    folder.write_manifest(&Manifest { format: FORMAT, ..Manifest::default() }).unwrap();
    folder.write_graph(ROUTING, graph.head, graph.nodes.clone(), graph.edges.clone()).unwrap();
    let run = Run::open(folder.path()).unwrap();
    (root, run)
}

#[test]
fn a_graph_comes_back_as_it_was_written() {
    let graph = graph();
    let (_root, run) = written(&graph);
    assert_eq!(run.graph(ROUTING).unwrap(), Some(graph));
    assert_eq!(run.graph("graphs/none.graphml").unwrap(), None);
    assert!(matches!(run.graph("../x"), Err(RecordError::BadName { .. })));
}

#[test]
fn what_xml_cannot_hold_is_replaced() {
    let mut graph = graph();
    graph.nodes[0].name = "a\0b\u{1b}\u{ffff}".to_owned();
    let (_root, run) = written(&graph);
    assert_eq!(run.graph(ROUTING).unwrap().unwrap().nodes[0].name, "a\u{fffd}b\u{fffd}\u{fffd}");
}

#[test]
fn every_attribute_is_declared_and_none_else_is_used() {
    let (_root, run) = written(&graph());
    let text = String::from_utf8(run.file(ROUTING).unwrap()).unwrap();
    for (whose, key, kind, _) in ATTRIBUTES {
        let declared = format!("<key id=\"{key}\" for=\"{whose}\" attr.name=\"{key}\" attr.type=\"{kind}\">");
        assert!(text.contains(&declared) && text.contains(&format!("<data key=\"{key}\">")), "{key}");
    }
    let used = text.split("<data key=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    for key in used {
        assert!(ATTRIBUTES.iter().any(|(_, declared, ..)| *declared == key), "{key}");
    }
}

#[test]
fn a_stock_library_reads_it() {
    let (_root, run) = written(&graph());
    let Some(said) = networkx(&run.path().join(ROUTING)) else {
        eprintln!("skipped: python3 with networkx is not here");
        return;
    };
    assert_eq!(said.trim(), "3 3 True 480000 it's ]]> é False 2 <edge> & \"co\" 7");
}

fn networkx(path: &Path) -> Option<String> {
    let python = |script: &str| Command::new("python3").arg("-c").arg(script).arg(path).output();
    python("import networkx").ok().filter(|output| output.status.success())?;
    let script = "import sys, networkx as nx\n\
        g = nx.read_graphml(sys.argv[1]); n = g.nodes['n2']\n\
        print(len(g), g.size(), g.is_directed(), g.graph['t_ms'], n['name'], n['up'], n['contacts'], n['group'],\n\
        g.edges['n0', 'n4']['bucket'])";
    let output = python(script).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_damaged_graph_is_refused_with_its_name() {
    let (_root, run) = written(&graph());
    let text = String::from_utf8(run.file(ROUTING).unwrap()).unwrap();
    let path = run.path().join(ROUTING);
    let bomb = "<!DOCTYPE graphml [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    for damaged in [
        text[..text.len() / 2].to_owned(),
        text[..text.len() - 3].to_owned(),
        text.replace("target=\"n4\"", "target=\"4\""),
        text.replace("target=\"n4\"", "target=\"n99999999999\""),
        text.replace("<data key=\"up\">true", "<data key=\"up\">maybe"),
        text.replace("edge-0", &"x".repeat(5_000)),
        text.replace("edge-0", "&unknown;"),
        text.replace("edge-0", "&b;").replace("<graphml ", &format!("{bomb}<graphml ")),
        String::new(),
    ] {
        fs::write(&path, damaged).unwrap();
        let error = run.graph(ROUTING).unwrap_err();
        assert!(error.to_string().contains("routing.graphml"), "{error}");
    }
}
