//! From the parser's events to a tree, without recursion: open collections wait on a stack.

use std::collections::{BTreeMap, HashMap};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::{Arena, Content, Entry, MAX_DEPTH, MAX_NODES, NodeId, Overflow, Scalar, Style, Tree};
use crate::diagnostic::{Code, Diagnostic, Problems, grouped, quoted};
use crate::source::Span;

/// Reads the YAML of source number `source`.
///
/// Goes on after mistakes that leave the structure whole; `None` if there is no tree to look at.
pub(crate) fn read(source: u32, text: &str, problems: &mut Problems) -> Option<Tree> {
    let mut arena = Arena::default();
    let root = read_into(&mut arena, source, text, 0, problems)?;
    Some(arena.finish(root))
}

/// The same, but that nothing but space and comments is an empty map.
pub(crate) fn read_or_empty(source: u32, text: &str, problems: &mut Problems) -> Option<Tree> {
    let mut found = Problems::default();
    let tree = read(source, text, &mut found);
    if tree.is_none() && found.are_only(Code::Empty) {
        let mut arena = Arena::default();
        let root = arena.push(Span::new(source, 0, 0), Content::Map(Vec::new())).ok()?;
        return Some(arena.finish(root));
    }
    problems.extend(found);
    tree
}

/// Reads what stands from byte `base` of the source on, into an arena that may hold nodes already: the
/// value of a `--set`.
pub(crate) fn read_into(
    arena: &mut Arena,
    source: u32,
    whole: &str,
    base: usize,
    problems: &mut Problems,
) -> Option<NodeId> {
    let text = whole.get(base..).unwrap_or_default();
    let at = |range: std::ops::Range<usize>| Span::new(source, base + range.start, base + range.end);
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut reader =
        Reader { arena, source, problems, stack: Vec::new(), anchors: HashMap::new(), root: None };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or_default();
                let tag = span.tag_span().and_then(|tag| tag.byte_range());
                if let Some(tag) = tag {
                    reader.problems.add(no_tags(Span::new(source, tag.start, tag.end)));
                }
                reader.take(event, at(range))
            }
            Err(error) => Err(syntax(source, whole, base, &error)),
        };
        if let Err(diagnostic) = step {
            reader.problems.add(diagnostic);
            return None;
        }
    }
    let root = reader.root;
    if root.is_none() {
        problems.add(Diagnostic::new(Code::Empty, "there is nothing here but space and comments"));
    }
    root
}

struct Reader<'a> {
    arena: &'a mut Arena,
    source: u32,
    problems: &'a mut Problems,
    stack: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
}

/// A collection that has begun and not ended.
struct Open {
    span: Span,
    style: StructureStyle,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<NodeId>),
    /// With the key that waits for its value.
    Map(Vec<Entry>, Key),
}

enum Key {
    Awaited,
    Read(String, Span),
    /// A list or map stands where a key should: it and its value are passed over.
    Refused,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let scalar = Scalar { text: text.into_owned(), style };
                self.complete(span, Content::Scalar(scalar), anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.stack.push(Open { span, style, anchor, inside: Inside::List(Vec::new()) });
                Ok(())
            }
            Event::MappingStart(style, anchor, _) => {
                self.stack.push(Open { span, style, anchor, inside: Inside::Map(Vec::new(), Key::Awaited) });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => self.join(*node, span),
                None => {
                    Err(Diagnostic::new(Code::UnknownAnchor, "an alias cannot stand inside its own anchor")
                        .at(span)
                        .label("this would contain itself"))
                }
            },
            Event::DocumentStart(..) if self.root.is_some() => Err(Diagnostic::new(
                Code::SeveralDocuments,
                "a file holds one document, and a second one begins here",
            )
            .at(span)
            .help("move it into a file of its own")),
            _ => Ok(()),
        }
    }

    fn close(&mut self, end: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let content = match open.inside {
            Inside::List(items) => Content::List(items),
            Inside::Map(entries, _) => Content::Map(self.unique(entries)),
        };
        let first = match &content {
            Content::List(items) => {
                items.first().and_then(|item| self.arena.get(*item)).map(|node| node.span)
            }
            Content::Map(entries) => entries.first().map(|entry| entry.key_span),
            Content::Scalar(_) => None,
        };
        let span = match (open.style, first) {
            (StructureStyle::Block, Some(first)) => first,
            _ => Span { end: end.end.max(open.span.end), ..open.span },
        };
        self.complete(span, content, open.anchor)
    }

    /// `entries` without those whose key stood before, which are reported.
    fn unique(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut unique = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(first) = seen.get(&entry.key) {
                self.problems.add(
                    Diagnostic::new(Code::DuplicateKey, format!("the key {} stands twice in one map", quoted(&entry.key)))
                        .at(entry.key_span)
                        .label("here again")
                        .related(*first, "first here")
                        .help("remove one of them; to have two of a kind, write them as items of a list or under two names"),
                );
            } else {
                seen.insert(entry.key.clone(), entry.key_span);
                unique.push(entry);
            }
        }
        unique
    }

    fn complete(&mut self, span: Span, content: Content, anchor: usize) -> Result<(), Diagnostic> {
        let node = self.arena.push(span, content).map_err(|overflow| too_much(overflow, span))?;
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.join(node, span)
    }

    /// Puts a finished node where it belongs: into the innermost open collection.
    fn join(&mut self, node: NodeId, span: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.inside {
            Inside::List(items) => items.push(node),
            Inside::Map(entries, key) => match std::mem::replace(key, Key::Awaited) {
                Key::Read(key, key_span) => entries.push(Entry { key, key_span, value: node }),
                Key::Refused => {}
                Key::Awaited => match self.arena.get(node).map(|node| &node.content) {
                    Some(Content::Scalar(scalar)) => *key = Key::Read(scalar.text.clone(), span),
                    _ => {
                        *key = Key::Refused;
                        self.problems.add(
                            Diagnostic::new(
                                Code::ComplexKey,
                                "a key must be a word, and this is a list or map",
                            )
                            .at(Span { source: self.source, ..span })
                            .label("this stands where a key is expected"),
                        );
                    }
                },
            },
        }
        Ok(())
    }
}

fn no_tags(span: Span) -> Diagnostic {
    Diagnostic::new(Code::Tag, "tags have no meaning here")
        .at(span)
        .help("remove it: the grammar knows what kind of value each key has")
}

fn too_much(overflow: Overflow, span: Span) -> Diagnostic {
    match overflow {
        Overflow::Nodes => Diagnostic::new(
            Code::TooManyNodes,
            format!(
                "with its aliases written out, the file has more than {} values",
                grouped(MAX_NODES as i128)
            ),
        )
        .at(span)
        .label("here the limit is passed")
        .help("people write a few hundred: is this the right file, or do aliases multiply each other?"),
        Overflow::Depth => too_deep(span),
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, format!("lists and maps are nested more than {MAX_DEPTH} deep"))
        .at(span)
        .label("here the limit is passed")
        .help("the grammar itself is a dozen deep; a bracket may be missing its partner")
}

/// The parser's complaint in our words, with help where the mistake is a common one.
fn syntax(source: u32, text: &str, base: usize, error: &ScanError) -> Diagnostic {
    let at = (base + error.marker().byte_offset().unwrap_or_default()).min(text.len());
    let span = Span::new(source, at, at);
    let (code, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(span),
        ErrorKind::UnknownAnchor => return unknown_anchor(source, text, at),
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            (Code::Syntax, "indent with spaces: YAML forbids tabs there")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            (Code::Syntax, "close the bracket, and separate its items with commas")
        }
        ErrorKind::MismatchedFlowCollectionEnd { .. } | ErrorKind::MisplacedFlowCollectionEnd => {
            (Code::Syntax, "every bracket needs its partner of the same kind")
        }
        ErrorKind::UnclosedQuotedScalar => (Code::Syntax, "close the quotes"),
        ErrorKind::UnexpectedCharacter { .. } => {
            (Code::Syntax, "put the text into quotes: this character has a meaning in YAML")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            (Code::Syntax, "put a text that contains `: ` into quotes, or begin the map on a line of its own")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidSimpleKey => (
            Code::Syntax,
            "write `key: value`, with a space after the colon and every key of a map at the same indentation",
        ),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockSequenceEntry => {
            (Code::Syntax, "keys of one map, and items of one list, begin in the same column")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            (Code::Syntax, "use single quotes, in which a backslash is only a backslash")
        }
        _ => (Code::Syntax, "check the quotes, brackets and indentation around this place"),
    };
    Diagnostic::new(code, format!("this is not YAML: {}", error.kind())).at(span).help(help)
}

fn unknown_anchor(source: u32, text: &str, at: usize) -> Diagnostic {
    let alias = text.get(at..).unwrap_or_default();
    let end = alias.find(|char: char| char.is_whitespace() || ",[]{}".contains(char)).unwrap_or(alias.len());
    let name = alias.get(..end).unwrap_or_default();
    Diagnostic::new(
        Code::UnknownAnchor,
        format!("{} refers to an anchor that does not stand before it", quoted(name)),
    )
    .at(Span::new(source, at, at + end))
    .help("write `&name` before the value that `*name` repeats; a text that begins with `*` needs quotes")
}
