//! The graph of routing tables, measured.
//!
//! Tables name those who are down, too. Whether a network holds together is asked of the peers that are up and of the
//! contacts between them; who is down counts as a stale entry of somebody's table and in the map.
//!
//! Of a sample, tables are whole but the edges are only those inside it: what that distorts is said where it is shown.

use std::collections::{BTreeMap, VecDeque};

use petgraph::Direction::Incoming;
use petgraph::algo::{connected_components, kosaraju_scc};
use petgraph::graph::{DiGraph, NodeIndex};
use record::rows::{DegreeRow, MeasureRow};
use record::{Graph, GraphHead, GraphNode};

/// Peers whose neighbourhood is searched for triangles: the mean over more would not differ in what is shown.
const CLUSTERED: usize = 1_000;
/// Double sweeps: each begins where nobody was yet.
const SWEEPS: usize = 4;
/// Parts of the key space in each direction of the map of reach: the five first bits.
pub(crate) const PARTS: usize = 32;

/// What is known of the network at the last sampling instant.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) head: GraphHead,
    pub(crate) places: Vec<Place>,
    /// By bucket.
    pub(crate) fill: Vec<Fill>,
    /// Contacts of each table that is up, by their number; and how often peers are named by tables that are up.
    pub(crate) out_degrees: BTreeMap<u64, u64>,
    pub(crate) in_degrees: BTreeMap<u64, u64>,
    /// Contacts that a peer of a part of the key space has in each part, on average.
    pub(crate) reach: Vec<[f64; PARTS]>,
    pub(crate) measures: Vec<MeasureRow>,
}

/// Where a peer stands in the key space.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// From 0 to 1, by the first bits of its key.
    pub(crate) at: f64,
    pub(crate) group: String,
    pub(crate) is_up: bool,
}

/// Contacts in one bucket, on average over the peers that are up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fill {
    pub(crate) fresh: f64,
    pub(crate) stale: f64,
}

impl Network {
    /// Measures a graph; none if nobody is up in it.
    pub(crate) fn of(graph: &Graph) -> Option<Self> {
        let up = Up::of(graph)?;
        let mut network = Self {
            head: graph.head,
            places: graph.nodes.iter().map(place).collect(),
            fill: up.fill(graph),
            out_degrees: histogram(up.members.iter().map(|node| node.contacts)),
            in_degrees: histogram(up.degrees(Incoming)),
            reach: up.reach(graph),
            measures: Vec::new(),
        };
        network.measures = up.measures(&network);
        Some(network)
    }

    /// Both distributions as rows.
    pub(crate) fn degrees(&self) -> impl Iterator<Item = DegreeRow> {
        let most = self.out_degrees.keys().chain(self.in_degrees.keys()).max().copied().unwrap_or(0);
        let of = |degrees: &BTreeMap<u64, u64>, degree| degrees.get(&degree).copied().unwrap_or(0);
        (0..=most)
            .map(move |degree| DegreeRow {
                degree,
                peers_out: of(&self.out_degrees, degree),
                peers_in: of(&self.in_degrees, degree),
            })
            .filter(|row| row.peers_out + row.peers_in > 0)
    }

    pub(crate) const fn is_sample(&self) -> bool {
        self.head.every > 1
    }
}

fn place(node: &GraphNode) -> Place {
    Place { at: position(node.key), group: node.group.clone(), is_up: node.up }
}

fn position(key: u64) -> f64 {
    key as f64 / u64::MAX as f64
}

fn part(key: u64) -> usize {
    (key >> (u64::BITS - PARTS.ilog2())) as usize
}

fn histogram(degrees: impl Iterator<Item = u64>) -> BTreeMap<u64, u64> {
    let mut histogram = BTreeMap::new();
    degrees.for_each(|degree| *histogram.entry(degree).or_default() += 1);
    histogram
}

/// The peers that are up and the contacts between them.
struct Up<'a> {
    members: Vec<&'a GraphNode>,
    graph: DiGraph<(), ()>,
    /// Neighbours, directions ignored.
    around: Vec<Vec<NodeIndex>>,
    /// By number: the node, and whether it is up.
    nodes: BTreeMap<u32, (&'a GraphNode, Option<NodeIndex>)>,
    every: f64,
}

impl<'a> Up<'a> {
    fn of(whole: &'a Graph) -> Option<Self> {
        let mut graph = DiGraph::new();
        let mut members = Vec::new();
        let mut nodes = BTreeMap::new();
        for node in &whole.nodes {
            let index = node.up.then(|| graph.add_node(()));
            members.extend(node.up.then_some(node));
            nodes.insert(node.number, (node, index));
        }
        let index = |number: u32| nodes.get(&number)?.1;
        for edge in &whole.edges {
            if let (Some(from), Some(to)) = (index(edge.from), index(edge.to)) {
                graph.add_edge(from, to, ());
            }
        }
        let every = whole.head.every.max(1) as f64;
        let around = around(&graph);
        (!members.is_empty()).then_some(Self { members, graph, around, nodes, every })
    }

    fn count(&self) -> f64 {
        self.members.len() as f64
    }

    fn degrees(&self, direction: petgraph::Direction) -> impl Iterator<Item = u64> {
        let degree = move |node| self.graph.neighbors_directed(node, direction).count() as u64;
        self.graph.node_indices().map(degree)
    }

    /// Edges inside a sample are scaled to the whole: who is in it does not depend on keys.
    fn fill(&self, whole: &Graph) -> Vec<Fill> {
        /// Deeper buckets than keys have bits are nobody's.
        const MAX_BUCKETS: usize = 256;
        let mut fill: Vec<Fill> = Vec::new();
        let share = self.every / self.count();
        for edge in &whole.edges {
            let bucket = edge.bucket as usize;
            if bucket >= MAX_BUCKETS {
                continue;
            }
            if fill.len() <= bucket {
                fill.resize(bucket + 1, Fill::default());
            }
            let is_up = self.nodes.get(&edge.to).is_some_and(|(node, _)| node.up);
            if let Some(fill) = fill.get_mut(bucket) {
                *(if is_up { &mut fill.fresh } else { &mut fill.stale }) += share;
            }
        }
        fill
    }

    fn reach(&self, whole: &Graph) -> Vec<[f64; PARTS]> {
        let mut owners = [0.0_f64; PARTS];
        for node in &self.members {
            owners.get_mut(part(node.key)).into_iter().for_each(|owners| *owners += 1.0);
        }
        let mut reach = vec![[0.0; PARTS]; PARTS];
        for edge in &whole.edges {
            let key = |number| self.nodes.get(&number).map(|(node, _)| part(node.key));
            let (Some(from), Some(to)) = (key(edge.from), key(edge.to)) else { continue };
            let owners = owners.get(from).copied().unwrap_or(0.0).max(1.0);
            let cell = reach.get_mut(from).and_then(|row| row.get_mut(to));
            cell.into_iter().for_each(|cell| *cell += self.every / owners);
        }
        reach
    }

    fn measures(&self, network: &Network) -> Vec<MeasureRow> {
        let strong = kosaraju_scc(&self.graph);
        let largest = strong.iter().map(Vec::len).max().unwrap_or(0);
        let (clustering, asked) = self.clustering();
        let (contacts, stale) = self
            .members
            .iter()
            .fold((0, 0), |(contacts, stale), node| (contacts + node.contacts, stale + node.stale));
        let up = self.members.len() as u64;
        let row = |measure: &str, value: f64, unit: &str, of: u64, meaning: &str| MeasureRow {
            measure: measure.to_owned(),
            value,
            unit: unit.to_owned(),
            of,
            meaning: meaning.to_owned(),
        };
        let mut rows = vec![row(
            "peers_up",
            up as f64,
            "peers",
            network.places.len() as u64,
            "peers of the graph that are up",
        )];
        let degrees = [
            ("out_degree", &network.out_degrees, "contacts", "contacts in a table"),
            ("in_degree", &network.in_degrees, "tables", "tables that name a peer, of peers that are up"),
        ];
        for (name, degrees, unit, meaning) in degrees {
            let sum: u64 = degrees.iter().map(|(degree, peers)| degree * peers).sum();
            for (statistic, value) in [
                ("min", degrees.keys().next().copied().unwrap_or(0) as f64),
                ("mean", sum as f64 / up as f64),
                ("max", degrees.keys().last().copied().unwrap_or(0) as f64),
            ] {
                rows.push(row(&format!("{name}.{statistic}"), value, unit, up, meaning));
            }
        }
        if contacts > 0 {
            let ratio = stale as f64 / contacts as f64;
            rows.push(row("stale_ratio", ratio, "share", contacts, "contacts who are down"));
        }
        if asked > 0 {
            let meaning =
                "pairs of a peer's neighbours that are neighbours, mean over peers, directions ignored";
            rows.push(row("clustering", clustering, "share", asked, meaning));
        }
        let meaning = "the longest of the shortest ways that double sweeps found, directions ignored: the diameter is at least that";
        rows.push(row("diameter_at_least", f64::from(self.sweep()), "steps", up, meaning));
        let meaning = "sets of peers of whom each reaches each, along the contacts";
        rows.push(row("strong_components", strong.len() as f64, "sets", up, meaning));
        rows.push(row("strong_largest", largest as f64, "peers", up, "peers of the largest such set"));
        let weak = connected_components(&self.graph);
        rows.push(row("weak_components", weak as f64, "sets", up, "the same, directions ignored"));
        rows
    }

    /// The mean share of linked pairs among neighbours, and over how many peers.
    fn clustering(&self) -> (f64, u64) {
        let stride = self.around.len().div_ceil(CLUSTERED).max(1);
        let mut is_neighbour = vec![false; self.around.len()];
        let (mut sum, mut asked) = (0.0, 0);
        for around in self.around.iter().step_by(stride).filter(|around| around.len() > 1) {
            for neighbour in around {
                is_neighbour.get_mut(neighbour.index()).into_iter().for_each(|slot| *slot = true);
            }
            let others = around.iter().filter_map(|neighbour| self.around.get(neighbour.index())).flatten();
            let linked = others.filter(|other| is_neighbour.get(other.index()) == Some(&true)).count();
            for neighbour in around {
                is_neighbour.get_mut(neighbour.index()).into_iter().for_each(|slot| *slot = false);
            }
            // Each pair was met from both sides, and there are as many ordered pairs.
            sum += linked as f64 / (around.len() * (around.len() - 1)) as f64;
            asked += 1;
        }
        (if asked > 0 { sum / asked as f64 } else { 0.0 }, asked)
    }

    /// From a peer to the farthest, and from there to the farthest again: no two are nearer than the last way found.
    fn sweep(&self) -> u32 {
        let stride = (self.around.len() / SWEEPS).max(1);
        let starts = self.graph.node_indices().step_by(stride).take(SWEEPS);
        starts.map(|start| self.farthest(self.farthest(start).0).1).max().unwrap_or(0)
    }

    /// The farthest that can be reached, and in how many steps.
    fn farthest(&self, start: NodeIndex) -> (NodeIndex, u32) {
        let mut is_reached = vec![false; self.around.len()];
        let mut last = (start, 0);
        is_reached.get_mut(start.index()).into_iter().for_each(|slot| *slot = true);
        let mut queue = VecDeque::from([last]);
        while let Some((node, steps)) = queue.pop_front() {
            last = (node, steps);
            for next in self.around.get(node.index()).into_iter().flatten() {
                if let Some(slot) = is_reached.get_mut(next.index()).filter(|slot| !**slot) {
                    *slot = true;
                    queue.push_back((*next, steps + 1));
                }
            }
        }
        last
    }
}

/// Each node's neighbours, directions ignored: beside each other in memory, for whoever goes through them all.
fn around(graph: &DiGraph<(), ()>) -> Vec<Vec<NodeIndex>> {
    let neighbours = |node: NodeIndex| {
        let mut neighbours: Vec<NodeIndex> = graph.neighbors_undirected(node).collect();
        neighbours.sort_unstable();
        neighbours.dedup();
        neighbours.retain(|neighbour| *neighbour != node);
        neighbours
    };
    graph.node_indices().map(neighbours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::GraphEdge;

    fn network(up: &[bool], edges: &[(u32, u32)]) -> Network {
        let up_of = |number: u32| up.get(number as usize).copied().unwrap_or_default();
        let nodes = (0..).zip(up).map(|(number, up): (u32, &bool)| {
            let of = |down_only: bool| {
                let named = |(from, to): &&(u32, u32)| *from == number && (!down_only || !up_of(*to));
                edges.iter().filter(named).count() as u64
            };
            GraphNode {
                number,
                key: u64::from(number) << 60,
                up: *up,
                contacts: of(false),
                stale: of(true),
                ..GraphNode::default()
            }
        });
        let edges = edges.iter().map(|(from, to)| GraphEdge {
            from: *from,
            to: *to,
            bucket: (u64::from(from ^ to) << 60).leading_zeros(),
        });
        let head = GraphHead { t_ms: 0, peers: up.len() as u64, every: 1 };
        Network::of(&Graph { head, nodes: nodes.collect(), edges: edges.collect() }).unwrap()
    }

    fn measure(network: &Network, name: &str) -> f64 {
        network.measures.iter().find(|row| row.measure == name).unwrap().value
    }

    #[test]
    fn a_ring_with_a_tail_is_measured_as_by_hand() {
        // 0 → 1 → 2 → 0, and 3 knows 0; 4 is down and known to 3.
        let network = network(&[true, true, true, true, false], &[(0, 1), (1, 2), (2, 0), (3, 0), (3, 4)]);
        let of = |name| measure(&network, name);
        assert_eq!((of("strong_components"), of("strong_largest"), of("weak_components")), (2.0, 3.0, 1.0));
        assert_eq!(of("diameter_at_least"), 2.0);
        assert_eq!((of("out_degree.max"), of("in_degree.max"), of("in_degree.min")), (2.0, 2.0, 0.0));
        assert_eq!(of("stale_ratio"), 0.2);
        // Peer 0 has three neighbours, of whom one pair is linked; 1 and 2 have two who are; 3 has one alone.
        assert!((of("clustering") - (1.0 / 3.0 + 1.0 + 1.0) / 3.0).abs() < 1e-12, "{}", of("clustering"));
    }

    #[test]
    fn those_who_know_each_other_are_one_pair() {
        let network = network(&[true; 3], &[(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)]);
        assert_eq!(measure(&network, "clustering"), 1.0);
    }

    #[test]
    fn buckets_are_filled_per_peer_that_is_up() {
        let network = network(&[true, true, false], &[(0, 1), (1, 0), (0, 2)]);
        let fill: Vec<_> = network.fill.iter().map(|fill| (fill.fresh, fill.stale)).collect();
        assert_eq!(fill, [(0.0, 0.0), (0.0, 0.0), (0.0, 0.5), (1.0, 0.0)]);
    }

    #[test]
    fn nobody_up_is_no_network() {
        let nodes = vec![GraphNode::default()];
        assert!(Network::of(&Graph { nodes, ..Graph::default() }).is_none());
    }
}
