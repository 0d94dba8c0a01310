//! YAML as a tree with a span for every key and value.
//!
//! Nodes live in an arena and are named by number, so that an alias shares its anchor's node instead
//! of copying it, and dropping a tree descends into nothing. The expanded size and the depth of a
//! node are kept with it: both limits hold for the document *with its aliases written out*, before
//! anybody walks it.
//!
//! It is not a YAML library: tags, keys that are no plain text and several documents in a file are
//! mistakes here. Scalars keep their text; what they mean depends on what the grammar expects.
//!
//! Invariants: children precede their parent in the arena, so the tree has no cycle; a walk visits at
//! most [`MAX_NODES`] nodes and is at most [`MAX_DEPTH`] deep.

mod read;

use crate::source::Span;

pub(crate) use read::{read, read_into, read_or_empty};

/// Values of a document with its aliases written out: a scenario of a thousand groups has fewer.
pub const MAX_NODES: usize = 250_000;

/// How deep lists and maps may nest; the grammar itself is a dozen deep.
pub const MAX_DEPTH: usize = 64;

/// A node, by its number in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What a message points to: the text of a scalar, the brackets of a flow collection, the first
    /// key or item of a block collection.
    pub(crate) span: Span,
    pub(crate) content: Content,
    /// Nodes of this subtree, itself included, with aliases written out.
    size: usize,
    /// Levels of this subtree; 1 for a scalar.
    height: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<NodeId>),
    Map(Vec<Entry>),
}

/// A scalar as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes: it may be a number, a truth value or nothing at all.
    Plain,
    /// In quotes or as a block: text, whatever it looks like.
    Quoted,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: NodeId,
}

impl Scalar {
    /// Whether it stands for no value: nothing, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Content {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match self {
            Self::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match self {
            Self::Map(entries) => entries,
            Self::Scalar(_) | Self::List(_) => &[],
        }
    }
}

/// The nodes of a document.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: NodeId,
}

impl Tree {
    pub(crate) const fn root(&self) -> NodeId {
        self.root
    }

    #[expect(clippy::indexing_slicing, reason = "ids are made by `push` alone and nodes are never removed")]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The place of the deepest part of `path` that exists: its value if that can be shown on a line,
    /// its key otherwise.
    pub(crate) fn locate(&self, path: &Path) -> Span {
        let found = self.follow(path);
        self.place(found.node, found.key_span)
    }

    /// The place of the key of the deepest part of `path` that exists.
    pub(crate) fn locate_key(&self, path: &Path) -> Span {
        let found = self.follow(path);
        found.key_span.unwrap_or(self.node(found.node).span)
    }

    /// `below` and as much of `dotted` after it as exists: defaults have no place of their own.
    pub(crate) fn longest(&self, below: &Path, dotted: &str) -> Path {
        let found = self.deepest(&below.dotted(dotted));
        if found.0.len() < below.0.len() { below.clone() } else { found }
    }

    /// As much of `path` as exists.
    pub(crate) fn deepest(&self, path: &Path) -> Path {
        Path(path.0.iter().take(self.follow(path).depth).cloned().collect())
    }

    /// Whether there is something at `path`.
    pub(crate) fn exists(&self, path: &Path) -> bool {
        self.follow(path).depth == path.0.len()
    }

    /// The items of the list at `path` whose text is `text`.
    pub(crate) fn items(&self, path: &Path, text: &str) -> Vec<usize> {
        let is_it = |item: &NodeId| matches!(&self.node(*item).content, Content::Scalar(scalar) if scalar.text == text);
        match &self.node(self.follow(path).node).content {
            Content::List(items) if self.exists(path) => {
                items.iter().enumerate().filter(|(_, item)| is_it(item)).map(|(index, _)| index).collect()
            }
            _ => Vec::new(),
        }
    }

    fn follow(&self, path: &Path) -> Found {
        let mut found = Found { node: self.root, key_span: None, depth: 0 };
        for step in &path.0 {
            let next = match (step, &self.node(found.node).content) {
                (Step::Key(key), content @ Content::Map(_)) => {
                    content.get(key).map(|entry| (entry.value, Some(entry.key_span)))
                }
                // A key of digits alone looks like an index.
                (Step::Index(index), content @ Content::Map(_)) => {
                    content.get(&index.to_string()).map(|entry| (entry.value, Some(entry.key_span)))
                }
                (Step::Index(index), Content::List(items)) => items.get(*index).map(|item| (*item, None)),
                _ => None,
            };
            let Some((node, key_span)) = next else { break };
            found = Found { node, key_span, depth: found.depth + 1 };
        }
        found
    }

    /// Where a message about the node under a key points to.
    pub(crate) fn place(&self, id: NodeId, key_span: Option<Span>) -> Span {
        let node = self.node(id);
        match (&node.content, key_span) {
            (_, None) => node.span,
            (Content::Scalar(_), _) if node.span.start < node.span.end => node.span,
            (_, Some(key_span)) => key_span,
        }
    }
}

/// How far a path leads.
struct Found {
    node: NodeId,
    key_span: Option<Span>,
    depth: usize,
}

/// Nodes that are still joining up into a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
}

/// Why a node cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    Nodes,
    Depth,
}

impl Arena {
    /// The arena of a finished tree, to change it.
    pub(crate) fn reopen(tree: Tree) -> (Self, NodeId) {
        (Self { nodes: tree.nodes }, tree.root)
    }

    /// The tree below `root`.
    pub(crate) fn finish(self, root: NodeId) -> Tree {
        Tree { nodes: self.nodes, root }
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    pub(crate) fn push(&mut self, span: Span, content: Content) -> Result<NodeId, Overflow> {
        let of = |id: &NodeId| self.get(*id).map_or((0, 0), |node| (node.size, node.height));
        let join =
            |(size, height): (usize, usize), (more, tall): (usize, usize)| (size + more, height.max(tall));
        let (size, height) = match &content {
            Content::Scalar(_) => (0, 0),
            Content::List(items) => items.iter().map(of).fold((0, 0), join),
            Content::Map(entries) => entries.iter().map(|entry| of(&entry.value)).fold((0, 0), join),
        };
        let (size, height) = (size + 1, height + 1);
        if size > MAX_NODES || self.nodes.len() > 2 * MAX_NODES {
            return Err(Overflow::Nodes);
        }
        if height > MAX_DEPTH {
            return Err(Overflow::Depth);
        }
        let id = NodeId(u32::try_from(self.nodes.len()).map_err(|_| Overflow::Nodes)?);
        self.nodes.push(Node { span, content, size, height });
        Ok(id)
    }
}

/// The way from a document's root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(crate) fn key(&self, key: impl Into<String>) -> Self {
        self.with(Step::Key(key.into()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// This path and the keys of `dotted`; an element that is a number is an index.
    pub(crate) fn dotted(&self, dotted: &str) -> Self {
        dotted.split('.').filter(|part| !part.is_empty()).fold(self.clone(), |path, part| {
            match part.parse() {
                Ok(index) => path.index(index),
                Err(_) => path.key(part),
            }
        })
    }

    /// Where reading stopped.
    pub(crate) fn of(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        path.iter().fold(Self::default(), |path, segment| match segment {
            Segment::Seq { index } => path.index(*index),
            Segment::Map { key } | Segment::Enum { variant: key } => path.key(key.as_str()),
            Segment::Unknown => path,
        })
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (count, step) in self.0.iter().enumerate() {
            if count > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Key(key) => f.write_str(key)?,
                Step::Index(index) => write!(f, "{index}")?,
            }
        }
        Ok(())
    }
}
