//! Graphs of peers, in GraphML, which stock libraries read.
//!
//! A node is a peer, a directed edge leads from the owner of a routing table to a contact in it. What is said of
//! them, and in which unit, stands in the file itself, as GraphML's keys, and in [`ATTRIBUTES`].
//!
//! Written row by row in one pass; read by a streaming parser that expands no entities, is bounded by named limits
//! and takes only what this module writes.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesStart, Event};

use crate::folder::{RunFolder, inside, make_parent};
use crate::write::beside;
use crate::{RecordError, Run};

/// The graph of routing tables.
pub const ROUTING: &str = "graphs/routing.graphml";
/// The largest file that is read: 10,000 peers with 1,000 contacts each.
pub const MAX_BYTES: u64 = 1 << 30;
/// Peers that are read, ten times as many as a run writes.
pub const MAX_NODES: usize = 100_000;
/// Edges that are read: beyond that, memory is for something else.
pub const MAX_EDGES: usize = 20_000_000;
/// The longest text of one attribute.
const MAX_VALUE_BYTES: usize = 4_096;

/// What graphs, nodes and edges say: whose, the key, its type, and what it means.
pub const ATTRIBUTES: &[(&str, &str, &str, &str)] = &[
    ("graph", "t_ms", "long", "when the tables were sampled, in simulated milliseconds"),
    ("graph", "peers", "long", "peers of the plan"),
    (
        "graph",
        "every",
        "long",
        "1 if all peers are nodes; n if only those are whose number is a multiple of n",
    ),
    ("node", "name", "string", "short stable name, as in peers.csv"),
    ("node", "peer", "string", "the peer's id, in base58"),
    ("node", "key", "string", "the first 64 bits of its key, in hex: where it stands in the XOR space"),
    ("node", "group", "string", "its group in the scenario"),
    ("node", "region", "string", "where it stands in the network; empty without regions"),
    ("node", "up", "boolean", "whether it was up"),
    ("node", "contacts", "long", "contacts in its table, those outside of a sample included"),
    ("node", "stale", "long", "those of them who were down"),
    ("edge", "bucket", "long", "bits that the two keys share: the place of the contact's bucket"),
];

/// What is said of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphHead {
    /// When the tables were sampled.
    pub t_ms: u64,
    /// Peers of the plan.
    pub peers: u64,
    /// Every how-manieth peer is a node.
    pub every: u64,
}

/// A peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// Its number, as in peers.csv.
    pub number: u32,
    /// Its short name.
    pub name: String,
    /// Its id.
    pub peer: String,
    /// The first 64 bits of its key.
    pub key: u64,
    /// Its group.
    pub group: String,
    /// Where it stands in the network.
    pub region: String,
    /// Whether it was up.
    pub up: bool,
    /// Contacts in its table.
    pub contacts: u64,
    /// Those who were down.
    pub stale: u64,
}

/// A contact in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphEdge {
    /// The number of the table's owner.
    pub from: u32,
    /// The number of the contact.
    pub to: u32,
    /// Bits that their keys share.
    pub bucket: u32,
}

/// A graph, read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The whole.
    pub head: GraphHead,
    /// The peers.
    pub nodes: Vec<GraphNode>,
    /// The contacts.
    pub edges: Vec<GraphEdge>,
}

impl RunFolder {
    /// Writes a graph, which appears in one step.
    ///
    /// # Errors
    /// If the name leads out of the folder or the disk refuses it.
    pub fn write_graph(
        &self,
        name: &str,
        head: GraphHead,
        nodes: impl IntoIterator<Item = GraphNode>,
        edges: impl IntoIterator<Item = GraphEdge>,
    ) -> Result<(), RecordError> {
        let path = inside(self.path(), name)?;
        make_parent(&path)?;
        let fresh = beside(&path);
        let write = || {
            let mut file = BufWriter::new(File::create(&fresh)?);
            write(&mut file, head, nodes, edges)?;
            file.flush()?;
            std::fs::rename(&fresh, &path)
        };
        write().map_err(RecordError::write(&path))
    }
}

fn write(
    out: &mut impl std::io::Write,
    head: GraphHead,
    nodes: impl IntoIterator<Item = GraphNode>,
    edges: impl IntoIterator<Item = GraphEdge>,
) -> std::io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">")?;
    for (whose, key, kind, meaning) in ATTRIBUTES {
        writeln!(
            out,
            "<key id=\"{key}\" for=\"{whose}\" attr.name=\"{key}\" attr.type=\"{kind}\"><desc>{}</desc></key>",
            escape(*meaning)
        )?;
    }
    writeln!(out, "<graph id=\"routing\" edgedefault=\"directed\">")?;
    let GraphHead { t_ms, peers, every } = head;
    writeln!(
        out,
        "<data key=\"t_ms\">{t_ms}</data><data key=\"peers\">{peers}</data><data key=\"every\">{every}</data>"
    )?;
    for node in nodes {
        write!(out, "<node id=\"n{}\">", node.number)?;
        let key = format!("{:016x}", node.key);
        let texts = [
            ("name", &node.name),
            ("peer", &node.peer),
            ("key", &key),
            ("group", &node.group),
            ("region", &node.region),
        ];
        for (name, text) in texts {
            write!(out, "<data key=\"{name}\">{}</data>", escape(printable(text)))?;
        }
        let GraphNode { up, contacts, stale, .. } = node;
        writeln!(
            out,
            "<data key=\"up\">{up}</data><data key=\"contacts\">{contacts}</data><data key=\"stale\">{stale}</data></node>"
        )?;
    }
    for GraphEdge { from, to, bucket } in edges {
        writeln!(
            out,
            "<edge source=\"n{from}\" target=\"n{to}\"><data key=\"bucket\">{bucket}</data></edge>"
        )?;
    }
    writeln!(out, "</graph>\n</graphml>")
}

/// XML 1.0 has no way to write control characters, escaped or not.
fn printable(text: &str) -> String {
    let allowed = |character: char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|character| if allowed(character) { character } else { '\u{fffd}' }).collect()
}

impl Run {
    /// A graph of the run; none if it has none of this name.
    ///
    /// # Errors
    /// If it is malformed, over a limit, or cannot be read.
    pub fn graph(&self, name: &str) -> Result<Option<Graph>, RecordError> {
        let path = inside(self.path(), name)?;
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(RecordError::read(&path))?,
        };
        let reader = Reader::from_reader(BufReader::with_capacity(1 << 16, file.take(MAX_BYTES)));
        let mut parser =
            Parser { path: &path, graph: Graph::default(), open: Open::Head, key: Attribute::Other };
        parser.read(reader)?;
        Ok(Some(parser.graph))
    }
}

/// Whose data is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Head,
    Node,
    Edge,
}

/// The attributes that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Time,
    Peers,
    Every,
    Name,
    Peer,
    Key,
    Group,
    Region,
    Up,
    Contacts,
    Stale,
    Bucket,
    Other,
}

impl Attribute {
    fn of(name: &str) -> Self {
        match name {
            "t_ms" => Self::Time,
            "peers" => Self::Peers,
            "every" => Self::Every,
            "name" => Self::Name,
            "peer" => Self::Peer,
            "key" => Self::Key,
            "group" => Self::Group,
            "region" => Self::Region,
            "up" => Self::Up,
            "contacts" => Self::Contacts,
            "stale" => Self::Stale,
            "bucket" => Self::Bucket,
            _ => Self::Other,
        }
    }
}

struct Parser<'a> {
    path: &'a Path,
    graph: Graph,
    open: Open,
    key: Attribute,
}

impl Parser<'_> {
    fn read<R: std::io::BufRead>(&mut self, mut reader: Reader<R>) -> Result<(), RecordError> {
        let mut buffer = Vec::new();
        let mut value = String::new();
        let mut ended = false;
        loop {
            let event = reader.read_event_into(&mut buffer);
            match event.map_err(|error| self.wrong(&error.to_string()))? {
                Event::Start(tag) | Event::Empty(tag) => {
                    value.clear();
                    self.begin(&tag)?;
                }
                Event::Text(text) => value.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(character)) => value.push(character),
                    _ => match resolve_xml_entity(&reference.xml10_content()) {
                        Some(text) => value.push_str(text),
                        None => return Err(self.wrong("an entity that XML does not know")),
                    },
                },
                Event::End(tag) => match tag.name().as_ref() {
                    "data" => {
                        self.data(&value)?;
                        self.key = Attribute::Other;
                    }
                    "graphml" => ended = true,
                    _ => {}
                },
                Event::Eof if ended => return Ok(()),
                Event::Eof => return Err(self.wrong("it ends before its end")),
                Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if value.len() > MAX_VALUE_BYTES {
                return Err(self.too_large(format!("{MAX_VALUE_BYTES} bytes in one attribute")));
            }
            buffer.clear();
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), RecordError> {
        match tag.name().as_ref() {
            "node" => {
                self.open = Open::Node;
                if self.graph.nodes.len() == MAX_NODES {
                    return Err(self.too_large(format!("{MAX_NODES} nodes")));
                }
                let number = self.number(tag, "id")?;
                self.graph.nodes.push(GraphNode { number, ..GraphNode::default() });
            }
            "edge" => {
                self.open = Open::Edge;
                if self.graph.edges.len() == MAX_EDGES {
                    return Err(self.too_large(format!("{MAX_EDGES} edges")));
                }
                let (from, to) = (self.number(tag, "source")?, self.number(tag, "target")?);
                self.graph.edges.push(GraphEdge { from, to, bucket: 0 });
            }
            "data" => self.key = Attribute::of(&self.attribute(tag, "key")?),
            _ => {}
        }
        Ok(())
    }

    fn data(&mut self, value: &str) -> Result<(), RecordError> {
        let malformed = || self.wrong(&format!("`{value}` is not what its key says"));
        let number = || value.parse::<u64>().map_err(|_| malformed());
        let head = self.graph.head;
        match (self.open, self.key) {
            (Open::Head, Attribute::Time) => self.graph.head = GraphHead { t_ms: number()?, ..head },
            (Open::Head, Attribute::Peers) => self.graph.head = GraphHead { peers: number()?, ..head },
            (Open::Head, Attribute::Every) => self.graph.head = GraphHead { every: number()?, ..head },
            (Open::Edge, Attribute::Bucket) => {
                let bucket = value.parse().map_err(|_| malformed())?;
                self.graph.edges.last_mut().into_iter().for_each(|edge| edge.bucket = bucket);
            }
            (Open::Node, key) => {
                let figure = match key {
                    Attribute::Key => u64::from_str_radix(value, 16).map_err(|_| malformed())?,
                    Attribute::Contacts | Attribute::Stale => number()?,
                    Attribute::Up => u64::from(value.parse::<bool>().map_err(|_| malformed())?),
                    _ => 0,
                };
                let Some(node) = self.graph.nodes.last_mut() else { return Ok(()) };
                match key {
                    Attribute::Name => value.clone_into(&mut node.name),
                    Attribute::Peer => value.clone_into(&mut node.peer),
                    Attribute::Group => value.clone_into(&mut node.group),
                    Attribute::Region => value.clone_into(&mut node.region),
                    Attribute::Key => node.key = figure,
                    Attribute::Contacts => node.contacts = figure,
                    Attribute::Stale => node.stale = figure,
                    Attribute::Up => node.up = figure == 1,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn attribute<'t>(&self, tag: &'t BytesStart<'_>, name: &str) -> Result<Cow<'t, str>, RecordError> {
        let found = tag.try_get_attribute(name).map_err(|error| self.wrong(&error.to_string()))?;
        match found {
            Some(attribute) => Ok(attribute.value),
            None => Err(self.wrong(&format!("an element without `{name}`"))),
        }
    }

    /// The number in `n417`.
    fn number(&self, tag: &BytesStart<'_>, name: &str) -> Result<u32, RecordError> {
        let id = self.attribute(tag, name)?;
        let number = id.strip_prefix('n').and_then(|number| number.parse().ok());
        number.ok_or_else(|| self.wrong(&format!("`{id}` is no node of a run")))
    }

    /// Lines are the writer's: one for each node and edge, after the head.
    fn wrong(&self, what: &str) -> RecordError {
        let line = ATTRIBUTES.len() + 4 + self.graph.nodes.len() + self.graph.edges.len();
        RecordError::Malformed { path: self.path.to_owned(), line: line as u64, what: what.to_owned() }
    }

    fn too_large(&self, limit: String) -> RecordError {
        RecordError::TooLarge { path: self.path.to_owned(), limit }
    }
}
